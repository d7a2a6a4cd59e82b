"""The Bastion's side: its state, SKU, subnet, routes to the Internet, names and public IP. Steps 1 to 6 and a part of 7."""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network

from arm_emulator.errors import Json
from arm_emulator.evaluation.opinion import gateways, hubs
from arm_emulator.evaluation.opinion.addresses import (
    EVERYTHING,
    HOST,
    NOT_PUBLIC,
    Span,
    samples,
    spans,
    usable,
    within,
)
from arm_emulator.evaluation.opinion.facts import (
    OPEN,
    UNREAD,
    Facts,
    attached,
    column,
    flag,
    key,
    lists_objects,
    lists_whole,
    odd_prefixes,
    peerings,
    region,
    states,
    word,
)
from arm_emulator.evaluation.opinion.user_routes import cut_off, out_of_sight, routes_of, taker
from arm_emulator.evaluation.rows import SUBNETS, field, network_of, parts, referred, space, subnet_prefixes

SKUS = ("Developer", "Basic", "Standard", "Premium")
SUBNET_NAME = "AzureBastionSubnet"
LONGEST_PREFIX = 26
INTERFACES = "Microsoft.Network/networkInterfaces"
ZONE_LINKS = "Microsoft.Network/privateDnsZones/virtualNetworkLinks"
OCCUPANTS = ("ipConfigurations", "ipConfigurationProfiles", "applicationGatewayIPConfigurations", "privateEndpoints")
CONFLICTING_ZONES = (
    "management.azure.com", "azure.com", "core.windows.net", "blob.core.windows.net", "vaultcore.windows.net",
    "vault.azure.net",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Host:
    """A Bastion; `sku` is None for one that is not known. `subnet` is the row of a subnet of the right name.

    `sources` are the addresses that its sessions may come from, one of every stretch that fares alike.
    """

    row: Json
    sku: str | None
    network_id: str | None
    subnet_id: str | None
    subnet: Json | None
    prefixes: tuple[IPv4Network, ...]
    sources: tuple[int, ...]

    @property
    def developer(self) -> bool:
        return self.sku == "Developer"

    @property
    def homeless(self) -> bool:
        """Whether nothing tells its network; one that lists what it has, and has no subnet, is in none."""
        if self.network_id is not None:
            return False
        return (
            self.sku in {"Developer", None}
            or self.subnet_id is not None
            or not lists_whole(self.row, "ipConfigurations")
        )

    @property
    def full(self) -> bool:
        """Whether it is of a SKU that has it all: any protocol, any port, IP-based connection."""
        return self.sku in {"Standard", "Premium"}

    @property
    def private_only(self) -> bool:
        return flag(self.row, "enablePrivateOnlyBastion")


def host(facts: Facts, bastion: Json) -> Host:
    """Follows a Bastion to its subnet and network."""
    name = (bastion.get("sku") or {}).get("name") or "Basic"
    sku = next((one for one in SKUS if one.lower() == str(name).lower()), None)
    if sku == "Developer":
        bound = attached(bastion, "virtualNetwork")
        return Host(bastion, sku, None if bound == UNREAD else bound, None, None, (), (HOST,))
    subnet_id = attached(_configuration(bastion), "subnet")
    if subnet_id is None or SUBNETS not in subnet_id.lower():
        return Host(bastion, sku, None, subnet_id, None, (), ())
    subnet = facts.find(subnet_id)
    if subnet is None or subnet.get("name") != SUBNET_NAME:
        return Host(bastion, sku, network_of(subnet_id), subnet_id, None, (), ())
    prefixes = tuple(subnet_prefixes(subnet))
    return Host(bastion, sku, network_of(subnet_id), subnet_id, subnet, prefixes, facts.stretches(usable(prefixes)))


def _configuration(bastion: Json) -> Json:
    """The configuration that names a subnet, else the first; one that says nothing where there is none."""
    listed = parts(bastion, "ipConfigurations")
    named = [one for one in listed if attached(one, "subnet") not in {None, UNREAD}]
    found = next(iter(named or listed), {})
    return found if isinstance(found.get("properties"), dict) else {"properties": {}}


def host_codes(facts: Facts, found: Host) -> Iterator[str]:
    """Steps 1 to 6 and the public IP."""
    yield from _state(found.row)
    if found.sku is None or (found.developer and found.network_id is None):
        yield OPEN
    if found.developer:
        return
    yield from _subnet(facts, found)
    if found.subnet is not None:
        yield from _own_routes(facts, found, found.subnet)
        yield from _learned(facts, found)
    yield from _zones(facts, found)
    # What a SKU that nobody knows can do without, nobody knows.
    bare = found.sku is None and attached(_configuration(found.row), "publicIPAddress") is None
    if not found.private_only and not bare:
        yield from _public_ip(facts, found.row)


def _state(bastion: Json) -> Iterator[str]:
    state, served = word(bastion, "provisioningState"), field(bastion, "dnsName") is not None
    if state in {"creating", "updating"}:
        yield "BastionUpdating"
    elif state == "deleting" or (state in {"failed", "canceled"} and not served):
        yield "BastionNotSucceeded"
    elif state in {"failed", "canceled"}:
        yield "BastionStateFailed"
    elif state != "succeeded":
        yield OPEN


def _subnet(facts: Facts, found: Host) -> Iterator[str]:
    if found.subnet_id is None and found.sku is None:
        return
    if found.subnet_id is None:
        yield "SubnetMissing" if lists_whole(found.row, "ipConfigurations") else OPEN
    elif facts.find(found.network_id) is None:
        yield facts.gone(found.network_id or found.subnet_id)
    elif found.subnet is None:
        perhaps = key(found.subnet_id).endswith(f"/{SUBNET_NAME.lower()}") and facts.find(found.subnet_id) is None
        listed = lists_objects(facts.find(found.network_id) or {}, "subnets")
        yield OPEN if perhaps and not listed else "SubnetMissing"
    elif not found.prefixes:
        yield OPEN
    else:
        if odd_prefixes(found.subnet):
            yield OPEN
        if all(prefix.prefixlen > LONGEST_PREFIX for prefix in found.prefixes):
            yield "SubnetTooSmall"
        told = [str(one["id"]).lower() for name in OCCUPANTS for one in parts(found.subnet, name)]
        others = [one for one in told if "/bastionhosts/" not in one]
        if others or any(_lies_in(interface, found.subnet_id) for interface in facts.of_type(INTERFACES)):
            yield "SubnetNotDedicated"


def _lies_in(interface: Json, subnet_id: str) -> bool:
    lying = (referred(part, "subnet") for part in parts(interface, "ipConfigurations"))
    return any(one is not None and key(one) == key(subnet_id) for one in lying)


def public_addresses(facts: Facts, network_id: str | None, *others: list[Span]) -> list[int]:
    """Samples of the addresses that lie in the Internet: neither private, nor the network's own, nor its peers'.

    Azure's own address is none of them: no user route applies to it.
    """
    network = facts.find(network_id) or {}
    own = spans([*space(network), *(one for link in peerings(network) for one in space(link, "remoteAddressSpace"))])
    own.append((HOST, HOST))
    every = samples(NOT_PUBLIC, own, *others)
    return [address for address in every if not within(address, [*NOT_PUBLIC, *own])]


def _own_routes(facts: Facts, found: Host, subnet: Json) -> Iterator[str]:
    table_id = attached(subnet, "routeTable")
    table = facts.find(table_id)
    if table_id is None or table is None:
        yield from () if table_id is None else (facts.gone(table_id),)
        return
    routes = routes_of(table)
    held = [one.held for one in routes if one.held is not None]
    public = [taker(routes, address) for address in public_addresses(facts, found.network_id, held)]
    hops = {one.hop for one in (*public, *(each for each in routes if each.tag)) if one is not None}
    unclear = out_of_sight(table) or None in hops
    if unclear:
        yield OPEN
    if hops - {"internet", None}:
        yield OPEN if found.private_only else "SubnetDefaultRouteDiverted"
    elif not unclear and (EVERYTHING, "internet") not in {(one.held, one.hop) for one in routes}:
        yield "UnsupportedSubnetRouteTable"


def faulty_routes(facts: Facts, found: Host) -> tuple[bool, bool]:
    """Whether the table of the subnet leads the Internet's traffic away, and whether it learns a default route: for certain."""
    if found.subnet is None:
        return False, False
    away = "SubnetDefaultRouteDiverted" in _own_routes(facts, found, found.subnet)
    return away, any(code.startswith(("DefaultRoute", "Vwan")) for code in _learned(facts, found))


def _learned(facts: Facts, found: Host) -> Iterator[str]:
    """A default route that is learned, unless the subnet's own routes to the Internet leave it nothing."""
    table_id = attached(found.subnet, "routeTable")
    table, network = facts.find(table_id), facts.find(found.network_id)
    if network is None or cut_off(table):
        return
    routes = routes_of(table)
    held = [one.held for one in routes if one.held is not None]
    public = public_addresses(facts, found.network_id, held)
    kept = [one.held for one in routes if one.held is not None and one.hop == "internet"]
    if all(within(address, kept) for address in public):
        return
    perhaps = [one for one in routes if one.hop in {"internet", None}]
    spread = [EVERYTHING if one.anywhere else one.held for one in perhaps if one.anywhere or one.held is not None]
    unclear: str | None = None
    if table_id is not None and table is None:
        unclear = facts.gone(table_id)
    elif table is not None:
        hidden = not states(table, "routes") or cut_off(table) is None
        whole = all(any(one is not None and one[0] <= address <= one[1] for one in spread) for address in public)
        unclear = OPEN if hidden or whole else None
    for code in learned_defaults(facts, network):
        yield unclear or (OPEN if found.private_only else code)


def learned_defaults(facts: Facts, network: Json) -> list[str]:
    """The codes of what brings 0.0.0.0/0 to a network."""
    found = ["VwanDefaultRoutePropagated"] if hubs.default_propagated(facts, str(network["id"])) else []
    if any(gateways.tells_all(site) for site in gateways.sites(facts, network)):
        found.append("DefaultRouteAdvertised")
    return found


def _zones(facts: Facts, found: Host) -> Iterator[str]:
    for link in facts.of_type(ZONE_LINKS):
        linked = referred(link, "virtualNetwork")
        zone = str(link["id"]).split("/")[-3].lower()
        if linked and found.network_id and key(linked) == key(found.network_id) and zone in CONFLICTING_ZONES:
            yield "PrivateDnsZoneConflict"


def _public_ip(facts: Facts, bastion: Json) -> Iterator[str]:
    address_id = attached(_configuration(bastion), "publicIPAddress")
    if address_id is None:
        yield "PublicIPInvalid" if lists_whole(bastion, "ipConfigurations") else OPEN
        return
    address = facts.find(address_id)
    if address is None:
        yield facts.gone(address_id)
        return
    sku, allocation = (address.get("sku") or {}).get("name"), field(address, "publicIPAllocationMethod")
    version = field(address, "publicIPAddressVersion") or "IPv4"
    here, there = region(column(bastion, "location")), region(column(address, "location"))
    told = [(sku, "standard"), (allocation, "static"), (version, "ipv4")]
    if any(is_now and str(is_now).lower() != wanted for is_now, wanted in told) or (here and there and here != there):
        yield "PublicIPInvalid"
    if not sku or not allocation:
        yield OPEN
