"""What hangs on what: the VMs whose verdicts may turn when a resource changes.

Asked after every change, and answered by the type of what changed. Of a type that is not dealt with here everything hangs:
a verdict that is worked out for nothing costs time, one that is not worked out is wrong.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

from bastion_operator.network.arm_id import normalise_id
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability.evaluation import Evaluation
from bastion_operator.network.reachability.target import Target
from bastion_operator.network.resource_types import (
    NETWORK_INTERFACES,
    PEERINGS,
    ROUTE_TABLES,
    ROUTES,
    SCALE_SET_INTERFACES,
    SCALE_SET_MACHINES,
    SECURITY_GROUPS,
    SECURITY_RULES,
    SUBNETS,
    VIRTUAL_MACHINES,
    VIRTUAL_NETWORKS,
)
from bastion_operator.network.rows_by_type import KeysByType

MACHINES: Final = frozenset({VIRTUAL_MACHINES, SCALE_SET_MACHINES})
_INTERFACES: Final = frozenset({NETWORK_INTERFACES, SCALE_SET_INTERFACES})
_PARTS: Final = {
    SECURITY_RULES: SECURITY_GROUPS,
    ROUTES: ROUTE_TABLES,
    SUBNETS: VIRTUAL_NETWORKS,
    PEERINGS: VIRTUAL_NETWORKS,
}
_NARROW: Final = MACHINES | _INTERFACES | {SECURITY_GROUPS, ROUTE_TABLES, VIRTUAL_NETWORKS}
_LIGHT: Final = MACHINES | _INTERFACES | {SECURITY_GROUPS}
_HOPS: Final = 2
"""How far away a VNet can matter to a VM: a Bastion is looked for no further, and goes by what its neighbours say."""


@dataclass(slots=True)
class Dependents:
    """Lower-cased ids of VMs by the lower-cased id of what they hang on: NICs, subnets, VNets, groups, route tables."""

    _by_resource: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    _of_machine: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def of(self, key: str) -> list[str]:
        """The VMs that hang on a resource directly."""
        return self._by_resource.get(key, [])

    def put(self, target: Target) -> None:
        """A VM as it is now, in place of what was known of it."""
        vm, resources = target.vm.key, tuple(dict.fromkeys(_resources(target)))
        if self._of_machine.get(vm) == resources:
            return
        self.remove(vm)
        self._of_machine[vm] = resources
        for resource in resources:
            self._by_resource[resource].append(vm)

    def remove(self, vm: str) -> None:
        """A VM that is gone."""
        for resource in self._of_machine.pop(vm, ()):
            self._by_resource[resource].remove(vm)


def _resources(target: Target) -> Iterator[str]:
    yield from (normalise_id(reference.id) for reference in target.vm.interfaces or ())
    yield from map(normalise_id, target.security_group_ids)
    if target.network_key is not None:
        yield target.network_key
    if target.subnet is not None and target.subnet.route_table_id is not None:
        yield normalise_id(target.subnet.route_table_id)


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a change reaches. None for ``machines`` and ``bastions``: everything.

    ``machines`` and ``bastions`` are lower-cased ids: of VMs, and of Bastions whose every target is to be judged again.
    ``light``: what was found of hosts, paths and VNets stays true, with the exception of the security groups ``groups``.
    """

    machines: frozenset[str] | None
    bastions: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    light: bool = False


EVERYTHING: Final = Reach(None)


def reach_of(changes: KeysByType, before: Evaluation, after: Evaluation, dependents: Dependents) -> Reach:
    """Whose verdicts may turn by changes of rows (their ids by type), seen from the state before and the state after."""
    changed: dict[str, set[str]] = defaultdict(set)
    for kind, keys in changes.items():
        parent = _PARTS.get(kind)
        changed[parent or kind] |= keys if parent is None else {key.rsplit("/", 2)[0] for key in keys}
    if changed.keys() - _NARROW or (VIRTUAL_NETWORKS in changed and (_entangled(before) or _entangled(after))):
        return EVERYTHING
    machines = {key for kind in MACHINES for key in changed.get(kind, ())}
    for kind in (*_INTERFACES, SECURITY_GROUPS, ROUTE_TABLES):
        machines.update(vm for key in changed.get(kind, ()) for vm in dependents.of(key))
    interfaces = [key for kind in _INTERFACES for key in changed.get(kind, ())]
    subnets = {found for key in interfaces for one in (before, after) for found in _subnets_of(one.inventory, key)}
    bastions = set(_hosts_touched(changed, subnets, before))
    if not changed.keys() <= _LIGHT:
        bastions |= set(_hosts_touched(changed, subnets, after))
    for state in (before, after):
        for network in _within(state, changed.get(VIRTUAL_NETWORKS, set()), _HOPS):
            machines.update(dependents.of(network))
    light = changed.keys() <= _LIGHT and not bastions
    return Reach(frozenset(machines), frozenset(bastions), frozenset(changed.get(SECURITY_GROUPS, ())), light)


def _entangled(state: Evaluation) -> bool:
    """Whether VNets are connected by more than peerings, or by some that are not stated: neighbours do not tell then."""
    inventory = state.inventory
    return bool(state.silent_networks) or bool(
        inventory.hub_connections or inventory.connectivity_configurations or inventory.held_by_hubs
    )


def _hosts_touched(changed: KeysByType, subnets: set[str], state: Evaluation) -> Iterator[str]:
    """Bastions whose own side changes: their VNet or one next to it, and what is on their subnet, or in it.

    ``subnets`` are those that have NICs which change.
    """
    networks = _within(state, changed.get(VIRTUAL_NETWORKS, set()), 1)
    places = state.once("places of hosts", lambda: _places(state))
    groups, tables = changed.get(SECURITY_GROUPS, set()), changed.get(ROUTE_TABLES, set())
    for key in chain(networks, subnets, groups, tables):
        yield from places.get(key, ())


def _places(state: Evaluation) -> Mapping[str, Sequence[str]]:
    """Bastions by the lower-cased id of what they lie in or what is on their subnet: VNet, subnet, group, route table."""
    found: dict[str, list[str]] = defaultdict(list)
    for bastion in state.inventory.bastions.values():
        host = state.host(bastion)
        if host.network_key is not None:
            found[host.network_key].append(bastion.key)
        if host.subnet is not None:
            held = (host.subnet.key, host.subnet.network_security_group_id, host.subnet.route_table_id)
            for resource_id in filter(None, held):
                found[normalise_id(resource_id)].append(bastion.key)
    return found


def _subnets_of(inventory: Inventory, interface: str) -> Iterator[str]:
    nic = inventory.network_interface(interface)
    configurations = nic.ip_configurations if nic is not None else None
    yield from (normalise_id(item.subnet_id) for item in configurations or () if item.subnet_id)


def _within(state: Evaluation, networks: Iterable[str], hops: int) -> set[str]:
    found = set(networks)
    edge = found
    for _ in range(hops if found else 0):
        edge = {near for key in edge for near in state.neighbours.get(key, ())} - found
        found |= edge
    return found
