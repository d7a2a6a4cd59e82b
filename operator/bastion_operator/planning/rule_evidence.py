"""What must be shown before a rule lets go of an address: that no VM behind its group has it any more.

Resource Graph leaves rows out, for a while or because a right was lost, and a VM that has no row looks like one that is gone. Azure's
own references tell the two apart: a network names the NICs in its subnets, a group the NICs that it is on, a NIC its VM. Whatever is
named so and has no row is read before a rule loses an address, and while it is there the rule stays as it is; what was read is among
the rows of the next pass.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from bastion_operator.network.inventory import Inventory
from bastion_operator.network.network_interface import NetworkInterface, read_network_interface
from bastion_operator.network.prefixes import EMPTY, AddressSet
from bastion_operator.network.resource_types import NETWORK_INTERFACES, SCALE_SET_INTERFACES
from bastion_operator.network.rows_by_type import type_of
from bastion_operator.network.security_group import read_security_rule
from bastion_operator.planning.body import child, children, properties, referenced_id
from bastion_operator.planning.model import Body, Change, Observed, Verb

_INTERFACES: Final = frozenset({NETWORK_INTERFACES, SCALE_SET_INTERFACES})
# More than these have no row: the inventory is not whole, and no reading of single resources makes it so.
_MOST_READ: Final = 16


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of addresses that rules of a group are to lose.

    :ivar reads: ids of what must be read before they do
    :ivar held: something without a row is there, so that they must not
    """

    reads: tuple[str, ...] = ()
    held: bool = False

    def on(self, changes: Iterable[Change], group: Body, *, write: bool) -> Iterator[Change]:
        """The changes to a group's rules, those that take addresses away only where nothing is against it.

        Without ``write`` nothing is read either, and what would have to be read for is not told.
        """
        for change in changes:
            if not (self.reads or self.held) or not _takes_away(change, group):
                yield change
            elif not self.held and write:
                yield replace(change, also_read=(*change.also_read, *self.reads))


HELD: Final = Evidence(held=True)


def find_evidence(group: Body, lost: AddressSet, inventory: Inventory, observed: Observed) -> Evidence:
    """What speaks for and against rules of ``group`` losing these addresses.

    ``inventory`` is the one by which they lose them; ``observed`` has what was read since.
    """
    if not lost:
        return Evidence()
    subnets = [referenced_id(each) for each in children(group, "subnets")]
    networks = list(dict.fromkeys(each.rpartition("/subnets/")[0] for each in subnets))
    missing: list[str] = []
    for key in dict.fromkeys(_interfaces(group, subnets, networks, observed)):
        found = _look(key, lost, inventory, observed)
        if found is None:
            return HELD
        missing += found
    if len(missing) > _MOST_READ:
        return HELD
    return Evidence((*networks, *missing))


def _look(key: str, lost: AddressSet, inventory: Inventory, observed: Observed) -> tuple[str, ...] | None:
    """What to read of a NIC; None where it has one of the addresses, or its VM is there, and the engine knew nothing of it."""
    fact = inventory.network_interface(key)
    if fact is None:
        body = observed.get(key)
        there = body is not None and not _addresses(read_network_interface(body, key)).isdisjoint(lost)
        return None if there else (key,)
    if _addresses(fact).isdisjoint(lost):
        return ()
    machine = _machine_of(key, inventory)
    if not machine or machine in inventory.virtual_machines:
        return ()
    return None if observed.get(machine) is not None else (machine,)


def _interfaces(group: Body, subnets: list[str], networks: list[str], observed: Observed) -> Iterator[str]:
    """The normalised ids of the NICs behind a group, of VMs and of instances of uniform scale sets."""
    found = [referenced_id(each) for each in children(group, "networkInterfaces")]
    for network in networks:
        body = observed.get(network) or {}
        names = {subnet.rpartition("/")[2] for subnet in subnets if subnet.startswith(f"{network}/")}
        for inside in filter(None, (child(body, "subnets", name) for name in sorted(names))):
            used = children(inside, "ipConfigurations")
            found += [referenced_id(each).partition("/ipconfigurations/")[0] for each in used]
    return (each for each in found if type_of({}, each) in _INTERFACES)


def _machine_of(key: str, inventory: Inventory) -> str:
    """The normalised id of the VM that a NIC belongs to, empty where it belongs to none. An instance's NIC lies below it."""
    if type_of({}, key) == SCALE_SET_INTERFACES:
        return key.rpartition("/networkinterfaces/")[0]
    return referenced_id(properties(inventory.row(key) or {}).get("virtualMachine"))


def _addresses(interface: NetworkInterface) -> AddressSet:
    stated = (each.address for each in interface.ip_configurations or ())
    return AddressSet.readable(*(each for each in stated if each is not None))


def _takes_away(change: Change, group: Body) -> bool:
    """Whether a rule has fewer addresses afterwards."""
    if change.verb is Verb.DELETE:
        return True
    there = child(group, "securityRules", change.resource_id.rpartition("/")[2])
    return bool(_allowed(there) - _allowed(change.body))


def _allowed(rule: Mapping[str, object] | None) -> AddressSet:
    return read_security_rule(rule).destination.addresses if rule else EMPTY
