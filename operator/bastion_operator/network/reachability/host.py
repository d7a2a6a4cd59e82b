"""The Bastion's side of a connection: its state, its subnet, its public IP. Steps 1 to 3 and the public IP of step 7."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from bastion_operator.network.arm_id import normalise_id
from bastion_operator.network.bastion_host import BastionHost
from bastion_operator.network.codes import finding
from bastion_operator.network.fields import region
from bastion_operator.network.finding import Finding
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.prefixes import EMPTY, AddressSet, PrefixList, prefix_length
from bastion_operator.network.public_ip import PublicIp
from bastion_operator.network.reachability.lost import lost
from bastion_operator.network.service_tags import HOST
from bastion_operator.network.sku import Sku
from bastion_operator.network.subnet_range import usable_addresses
from bastion_operator.network.virtual_network import Subnet, VirtualNetwork

SUBNET_NAME: Final = "AzureBastionSubnet"
LONGEST_SUBNET_PREFIX: Final = 26


@dataclass(frozen=True, slots=True)
class Host:
    """A Bastion with what was found of its place; None for each fact that is missing.

    ``prefix`` is the range of its subnet, empty where that is unknown; ``sources`` the addresses that its sessions come
    from: the prefix without the five that Azure keeps, for Developer the address of the Azure host.
    """

    bastion: BastionHost
    network_id: str | None
    network: VirtualNetwork | None
    subnet: Subnet | None
    prefix: AddressSet
    sources: AddressSet

    @property
    def is_developer(self) -> bool:
        """Whether this is the shared SKU without a subnet of its own."""
        return self.bastion.sku is Sku.DEVELOPER

    @property
    def network_name(self) -> str:
        """What people call the VNet; findings carry its whole id as their resource."""
        return "?" if self.network_id is None else self.network_id.rstrip("/").rpartition("/")[2]

    @property
    def network_key(self) -> str | None:
        """The VNet's id, lower-cased."""
        return None if self.network_id is None else normalise_id(self.network_id)

    @property
    def prefix_text(self) -> str:
        """The sources as a person writes them."""
        return "168.63.129.16" if self.is_developer else _as_text(self.prefix)


@lru_cache
def _as_text(prefix: AddressSet) -> str:
    return ", ".join(prefix.prefixes())


def find_host(inventory: Inventory, bastion: BastionHost) -> Host:
    """Follows a Bastion to its subnet and VNet, as far as the facts go."""
    network_id = bastion.virtual_network_id
    network = inventory.virtual_network(network_id)
    if bastion.sku is Sku.DEVELOPER:
        return Host(bastion, network_id, network, None, EMPTY, HOST)
    subnet = inventory.subnet(bastion.subnet_id)
    if subnet is not None and subnet.name != SUBNET_NAME:
        subnet = None
    if subnet is None or subnet.prefixes is None:
        return Host(bastion, network_id, network, subnet, EMPTY, EMPTY)
    prefix = subnet.prefixes.addresses
    return Host(bastion, network_id, network, subnet, prefix, usable_addresses(subnet.prefixes) or prefix)


def host_state(host: Host) -> Iterator[Finding]:
    """Step 1: whether Azure calls the host ready."""
    bastion = host.bastion
    state = (bastion.provisioning_state or "").lower()
    if state == "succeeded":
        return
    if state in {"creating", "updating"}:
        yield finding(
            "BastionUpdating", f"Bastion {bastion.name} is {state}: wait until Azure is done", resource=bastion.id
        )
    elif state in {"failed", "canceled"} and bastion.dns_name is not None:
        yield finding(
            "BastionStateFailed",
            f"the last change of Bastion {bastion.name} ended as {bastion.provisioning_state}; it may still serve: send the"
            " same configuration again",
            resource=bastion.id,
        )
    elif state in {"failed", "canceled", "deleting"}:
        why = "is being deleted" if state == "deleting" else f"is {bastion.provisioning_state} and never came up"
        yield finding("BastionNotSucceeded", f"Bastion {bastion.name} {why}: create it anew", resource=bastion.id)
    else:
        told = f"reads {bastion.provisioning_state!r}, which is no known state" if state else "is missing"
        yield finding(
            "EffectiveDataUnavailable", f"the provisioning state of Bastion {bastion.name} {told}", resource=bastion.id
        )


def host_sku(host: Host) -> Iterator[Finding]:
    """Step 2: the Developer SKU is bound to a VNet by id; a SKU that nobody knows has unknown rules."""
    bastion = host.bastion
    if bastion.sku is None:
        message = f"the SKU {bastion.sku_name!r} of Bastion {bastion.name} is none that is known"
        yield finding("EffectiveDataUnavailable", message, resource=bastion.id)
    elif host.is_developer and host.network_id is None:
        message = f"Developer Bastion {bastion.name} does not say which VNet it is bound to (virtualNetwork.id)"
        yield finding("EffectiveDataUnavailable", message, resource=bastion.id)


def host_subnet(inventory: Inventory, host: Host) -> Iterator[Finding]:
    """Step 3: the subnet has its one allowed name, is large enough, and holds nothing else."""
    bastion = host.bastion
    if host.is_developer or (bastion.sku is None and bastion.subnet_id is None):
        return
    if bastion.subnet_id is None and not bastion.states_configurations:
        message = f"Bastion {bastion.name} does not state its ipConfigurations: which subnet it is in is not known"
        yield finding("EffectiveDataUnavailable", message, resource=bastion.id)
    elif bastion.subnet_id is None:
        message = f"Bastion {bastion.name} points to no subnet: it needs one named {SUBNET_NAME}"
        yield finding("SubnetMissing", message, resource=bastion.id)
    elif host.network is None:
        missing = host.network_id or bastion.subnet_id
        yield lost(inventory, missing, f"the VNet {missing} of Bastion {bastion.name} is not in the data")
    elif host.subnet is None and _may_be_there(inventory, host.network, bastion.subnet_id):
        message = f"VNet {host.network.name} does not state its subnets: what {SUBNET_NAME} is like is not known"
        yield finding("EffectiveDataUnavailable", message, resource=host.network.id)
    elif host.subnet is None:
        message = (
            f"Bastion {bastion.name} points to {bastion.subnet_id}, but VNet {host.network.name} has no subnet named"
        )
        yield finding("SubnetMissing", f"{message} exactly {SUBNET_NAME} there: create it", resource=bastion.subnet_id)
    elif host.subnet.prefixes is None or not host.prefix:
        message = f"the prefix of subnet {host.subnet.id} is missing or cannot be read"
        yield finding("EffectiveDataUnavailable", message, resource=host.subnet.id)
    else:
        yield from _subnet_shape(inventory, host.subnet, host.subnet.prefixes)


def _may_be_there(inventory: Inventory, network: VirtualNetwork, subnet_id: str) -> bool:
    """Whether a VNet may have the subnet of that id, and under the right name, though none is known."""
    named = subnet_id.rstrip("/").rpartition("/")[2].lower() == SUBNET_NAME.lower()
    return named and not network.states_subnets and inventory.subnet(subnet_id) is None


def _subnet_shape(inventory: Inventory, subnet: Subnet, prefixes: PrefixList) -> Iterator[Finding]:
    if prefixes.malformed:
        message = (
            f"the prefix {prefixes.malformed[0]!r} of subnet {subnet.id} cannot be read: sessions may come from there"
        )
        yield finding("EffectiveDataUnavailable", message, resource=subnet.id)
    if min(map(prefix_length, prefixes.intervals())) > LONGEST_SUBNET_PREFIX:
        yield finding(
            "SubnetTooSmall",
            f"{SUBNET_NAME} is {', '.join(prefixes.texts)}; Azure asks for a /{LONGEST_SUBNET_PREFIX} or larger",
            resource=subnet.id,
        )
    others = [occupant for occupant in subnet.occupants if "/bastionhosts/" not in occupant.lower()]
    others += [nic for nic in inventory.interfaces_by_subnet.get(subnet.key, ()) if not _named(nic, others)]
    if others:
        message = f"{SUBNET_NAME} must hold Bastion alone, and holds {others[0]}"
        more = f" and {len(others) - 1} more" if len(others) > 1 else ""
        yield finding("SubnetNotDedicated", f"{message}{more}: move it to another subnet", resource=subnet.id)


def _named(nic: str, occupants: list[str]) -> bool:
    return any(normalise_id(occupant).startswith(normalise_id(nic) + "/") for occupant in occupants)


def host_public_ip(inventory: Inventory, host: Host) -> Iterator[Finding]:
    """Step 7: the public IP is Standard, static, IPv4 and in the host's region; a private-only host has none, and one of an unknown SKU may."""
    bastion = host.bastion
    if host.is_developer or bastion.private_only or (bastion.sku is None and bastion.public_ip_id is None):
        return
    if bastion.public_ip_id is None and not bastion.states_configurations:
        message = f"Bastion {bastion.name} does not state its ipConfigurations: which public IP it has is not known"
        yield finding("EffectiveDataUnavailable", message, resource=bastion.id)
        return
    if bastion.public_ip_id is None:
        message = (
            f"Bastion {bastion.name} has no public IP and is not private-only: give it a Standard static IPv4 address"
        )
        yield finding("PublicIPInvalid", message, resource=bastion.id)
        return
    address = inventory.public_ip(bastion.public_ip_id)
    if address is None:
        message = f"the public IP {bastion.public_ip_id} of Bastion {bastion.name} is not in the data"
        yield lost(inventory, bastion.public_ip_id, message)
        return
    yield from _judged_address(bastion, address)


def _judged_address(bastion: BastionHost, address: PublicIp) -> Iterator[Finding]:
    facts = (
        ("SKU", address.sku, "Standard"),
        ("allocation", address.allocation, "Static"),
        ("version", address.version, "IPv4"),
    )
    wrong = [
        f"{what} {is_now!r} instead of {wanted!r}"
        for what, is_now, wanted in facts
        if is_now is not None and is_now.lower() != wanted.lower()
    ]
    if address.location and bastion.location and region(address.location) != region(bastion.location):
        wrong.append(f"region {address.location!r} instead of {bastion.location!r}")
    if wrong:
        message = f"the public IP of Bastion {bastion.name} has {', '.join(wrong)}"
        yield finding("PublicIPInvalid", message, resource=address.id)
    if untold := [what for what, is_now, _ in facts if is_now is None]:
        message = f"the public IP of Bastion {bastion.name} does not state its {' and '.join(untold)}: read it again"
        yield finding("EffectiveDataUnavailable", message, resource=address.id)
