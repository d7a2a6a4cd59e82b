"""What a fix is worked out from: the verdict's question, and the fixes that were told before it."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

from bastion_operator.network.arm_id import normalise_id
from bastion_operator.network.fields import Row
from bastion_operator.network.finding import Action, Actor, Change, Fix
from bastion_operator.network.fixes.apply import FixNotApplicableError, apply_fix
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.prefixes import AddressSet, format_address, free_prefix
from bastion_operator.network.reachability.evaluation import Evaluation
from bastion_operator.network.reachability.host import LONGEST_SUBNET_PREFIX, SUBNET_NAME, Host
from bastion_operator.network.reachability.question import Asked, Question
from bastion_operator.network.reachability.target import Target
from bastion_operator.network.resource_types import SECURITY_RULES
from bastion_operator.network.security_group import SecurityGroup, read_security_group
from bastion_operator.network.subnet_range import usable_addresses
from bastion_operator.network.virtual_network import Subnet, VirtualNetwork


@dataclass(frozen=True, slots=True)
class Situation:
    """A verdict's place: ``question`` is None where no Bastion is near; ``earlier`` holds the fixes that are told beside.

    ``whole``: all of the data, where the evaluation is about the rows around the VM alone.
    """

    evaluation: Evaluation
    target: Target
    asked: Asked
    question: Question | None = None
    earlier: tuple[Fix, ...] = ()
    whole: Inventory | None = None

    @property
    def inventory(self) -> Inventory:
        """The facts."""
        return self.evaluation.inventory

    @property
    def host(self) -> Host | None:
        """The Bastion asked, if there is one."""
        return None if self.question is None else self.question.host

    def names(self, kind: str) -> Iterator[str]:
        """The names that resources of a type have, near and far."""
        for inventory in filter(None, (self.inventory, self.whole)):
            yield from (key.rsplit("/", 1)[-1] for key in inventory.rows(kind))

    def free_addresses(self, subnet: Subnet) -> Iterator[str]:
        """The addresses of a subnet that no NIC in the data has, lowest first."""
        if subnet.prefixes is None:
            return
        inventories = filter(None, (self.inventory, self.whole))
        taken = AddressSet.readable(*(text for one in inventories for text in _addresses_in(one, subnet)))
        for first, last in (usable_addresses(subnet.prefixes) - taken).intervals:
            yield from map(format_address, range(first, last + 1))

    def after(self, fix: Fix) -> "Situation":
        """The situation with a fix told beside."""
        return replace(self, earlier=(*self.earlier, fix))

    def security_group(self, group_id: str) -> SecurityGroup | None:
        """A group as the earlier fixes leave it, so that two fixes never claim one priority."""
        row = self.inventory.row(group_id)
        if row is None:
            return None
        prefix = normalise_id(group_id) + "/"
        children = [child for key, child in self.inventory.rows(SECURITY_RULES).items() if key.startswith(prefix)]
        changes = tuple(change for fix in self.earlier for change in fix.changes if _touches(change, prefix))
        rows: list[Row] = [row, *children]
        with suppress(FixNotApplicableError):
            rows = list(apply_fix(rows, Fix("", changes)))
        return read_security_group(rows[0], group_id, rows[1:])


def _touches(change: Change, prefix: str) -> bool:
    return (normalise_id(change.resource) + "/").startswith(prefix)


def set_field(resource: str, field: str, before: object, after: object, actor: Actor) -> Change:
    """A field that gets a new value."""
    return Change(Action.SET, resource, field, before, after, actor)


def free_bastion_prefix(network: VirtualNetwork) -> str | None:
    """Room for an AzureBastionSubnet in a VNet: the lowest free /26."""
    space = network.address_space
    if space is None:
        return None
    taken = [prefix for subnet in network.subnets if subnet.prefixes for prefix in subnet.prefixes.addresses.prefixes()]
    return free_prefix(space.addresses.prefixes(), taken, LONGEST_SUBNET_PREFIX)


def own_subnet(network: VirtualNetwork) -> Subnet | None:
    """The VNet's subnet of exactly the name that Bastion needs."""
    return next((subnet for subnet in network.subnets if subnet.name == SUBNET_NAME), None)


def _addresses_in(inventory: Inventory, subnet: Subnet) -> Iterator[str]:
    for nic_id in inventory.interfaces_by_subnet.get(subnet.key, ()):
        nic = inventory.network_interface(nic_id)
        for configuration in (nic.ip_configurations or ()) if nic is not None else ():
            if configuration.address is not None:
                yield configuration.address


def free_name(wanted: str, taken: Iterator[str]) -> str:
    """A name that is not taken, in any case."""
    names = {name.lower() for name in taken}
    return next(name for name in _numbered(wanted) if name.lower() not in names)


def _numbered(name: str) -> Iterator[str]:
    yield name
    number = 2
    while True:
        yield f"{name}-{number}"
        number += 1
