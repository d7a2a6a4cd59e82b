"""What is worked out once and asked many times: hosts, targets, paths, the meaning of tags, tables of rules."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Any, TypeVar, cast

from bastion_operator.network.arm_id import normalise_id
from bastion_operator.network.bastion_host import BastionHost
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability.alike import TargetClass
from bastion_operator.network.reachability.default_route import RouteFaults, learned_defaults, route_faults
from bastion_operator.network.reachability.gateway_use import gateways_of
from bastion_operator.network.reachability.host import Host, find_host
from bastion_operator.network.reachability.sides import SideMeaning, Space, known_space, side_meaning
from bastion_operator.network.reachability.target import Target, find_target
from bastion_operator.network.security_group import Direction, SecurityGroup
from bastion_operator.network.security_rules import RuleTable
from bastion_operator.network.service_tags import Doubt, TagMeaning
from bastion_operator.network.virtual_machine import VirtualMachine
from bastion_operator.network.virtual_network import Subnet, VirtualNetwork

T = TypeVar("T")


class Evaluation:
    """One inventory under evaluation. Not to be shared between threads; the inventory may be."""

    def __init__(self, inventory: Inventory, active_sessions: Mapping[str, int] = MappingProxyType({})) -> None:
        """``active_sessions``: sessions that a Bastion carries now, by its lower-cased id, where somebody asked it."""
        self.inventory = inventory
        self.active_sessions = active_sessions
        self._known: dict[Hashable, Any] = {}
        self._meanings: dict[Hashable, TagMeaning] = {}
        self._of_group: dict[str, dict[Hashable, Any]] = defaultdict(dict)
        self._classes: dict[Hashable, TargetClass] = {}
        self._classes_of_group: dict[str, set[Hashable]] = defaultdict(set)

    def move(self, inventory: Inventory, groups: Iterable[str]) -> None:
        """Goes on with another inventory, in which no more than VMs, NICs and these security groups (ids) are otherwise.

        What hangs on the groups is forgotten. A group in front of a Bastion, or a NIC in the subnet of one, is none of these:
        what was found of hosts is kept.
        """
        self.inventory = inventory
        for group in groups:
            self._of_group.pop(group, None)
            for key in self._classes_of_group.pop(group, ()):
                self._classes.pop(key, None)

    def once(self, key: Hashable, work: Callable[[], T]) -> T:
        """The value of that key, worked out the first time."""
        try:
            return cast("T", self._known[key])
        except KeyError:
            value = self._known[key] = work()
            return value

    def host(self, bastion: BastionHost) -> Host:
        """The Bastion with its place."""
        return self.once(("host", bastion.key), lambda: find_host(self.inventory, bastion))

    def once_of_group(self, group: SecurityGroup, key: Hashable, work: Callable[[], T]) -> T:
        """The same for what is worked out of a security group alone."""
        known = self._of_group[group.key]
        if key not in known:
            known[key] = work()
        return cast("T", known[key])

    def target(self, vm: VirtualMachine) -> Target:
        """The VM with its place; not kept, as every VM is looked at once."""
        return find_target(self.inventory, vm)

    def target_class(self, key: Hashable, work: Callable[[], TargetClass]) -> TargetClass:
        """The class of that key, made for its first target."""
        if (known := self._classes.get(key)) is None:
            known = self._classes[key] = work()
            for group in known.groups:
                self._classes_of_group[group].add(key)
        return known

    def side(self, key: Hashable, work: Callable[[], SideMeaning]) -> SideMeaning:
        """The tags on one side; equal meanings are one object, so that subnets that mean the same share their tables."""

        def interned() -> SideMeaning:
            side = work()
            otherwise = None if side.otherwise is None else self._interned(side.otherwise)
            return SideMeaning(self._interned(side.meaning), otherwise, side.doubt)

        return self.once(("side", key), interned)

    def plain_side(self, network: VirtualNetwork, subnet: Subnet) -> SideMeaning:
        """The tags on a subnet for connections that have nothing special across."""

        def work() -> SideMeaning:
            space, learned = self.known_space(network), self.learned_default(network, subnet)
            return side_meaning(self.inventory, subnet, space, learned)

        return self.side((subnet.key, None), work)

    def _interned(self, meaning: TagMeaning) -> TagMeaning:
        return self._meanings.setdefault((meaning.virtual_network, meaning.virtual_network_doubt), meaning)

    def known_space(self, network: VirtualNetwork) -> Space:
        """The tag VirtualNetwork of a VNet without what route tables add to it."""
        return self.once(("space", network.key), lambda: known_space(self.inventory, network))

    def learned_default(self, network: VirtualNetwork, subnet: Subnet) -> Doubt | None:
        """Evidence that a subnet learns 0.0.0.0/0 from a gateway or a virtual hub."""
        found = next(learned_defaults(self.inventory, network, subnet), None)
        return None if found is None else found[1]

    def route_faults(self, host: Host) -> RouteFaults:
        """What is wrong with the routes of a Bastion's subnet to the Internet."""
        return self.once(("route faults", host.bastion.key), lambda: route_faults(self.inventory, host))

    def rule_table(
        self, group: SecurityGroup, direction: Direction, port: int, host: Host, meaning: TagMeaning
    ) -> RuleTable:
        """The group's rules for connections from the Bastion to a port.

        Sides that mean the same by their tags as far as the Bastion's addresses go share one table.
        """
        tables = self._of_group[group.key]
        asked = (direction is Direction.INBOUND, port, host.bastion.key, id(meaning))
        if (known := tables.get(asked)) is None:
            towards = self.once(
                ("towards", host.bastion.key, id(meaning)), lambda: self._interned(meaning.towards(host.sources))
            )
            shared = (*asked[:-1], id(towards))
            if (known := tables.get(shared)) is None:
                known = tables[shared] = RuleTable(group, direction, port, host.sources, towards)
            tables[asked] = known
        return cast("RuleTable", known)

    @cached_property
    def bastions_by_network(self) -> Mapping[str, tuple[BastionHost, ...]]:
        """Bastions by the lower-cased id of their VNet."""
        found: dict[str, list[BastionHost]] = defaultdict(list)
        for bastion in self.inventory.bastions.values():
            if (network_id := bastion.virtual_network_id) is not None:
                found[normalise_id(network_id)].append(bastion)
        return {key: tuple(bastions) for key, bastions in found.items()}

    @cached_property
    def bastions_anywhere(self) -> tuple[BastionHost, ...]:
        """Bastions of which nothing tells in which VNet they are."""
        return tuple(bastion for _, bastion in sorted(self.inventory.bastions.items()) if bastion.may_be_anywhere)

    @cached_property
    def silent_networks(self) -> frozenset[str]:
        """Keys of the VNets that do not state their links: each may be peered with any other that does not."""
        return frozenset(key for key, network in self.inventory.virtual_networks.items() if not network.states_links)

    def learns_routes(self, network: VirtualNetwork) -> bool:
        """Whether a gateway or a virtual hub may bring routes to the VNet."""
        return self.once(("learns", network.key), lambda: self._learns_routes(network))

    def _learns_routes(self, network: VirtualNetwork) -> bool:
        if network.key in self.inventory.hub_connections or any(link.is_hub_connection for link in network.links):
            return True
        return any(True for _ in gateways_of(self.inventory, network))

    def wan_mates(self, key: str) -> frozenset[str]:
        """Keys of the VNets on the same virtual WAN, and of those of which it is not known whether they are."""
        own, unknown = self._wans.get(key, frozenset()), self._on_unknown_wan
        if not own and key not in unknown:
            return frozenset()
        every = frozenset(self._wans) | unknown
        mates = every if key in unknown else frozenset(mate for mate in every if own & self._wans.get(mate, own))
        return (mates | unknown) - {key}

    @cached_property
    def _wans(self) -> Mapping[str, frozenset[str]]:
        """By VNet: the virtual WANs of its hubs, a hub of which no row is there standing for itself."""
        hubs = self.inventory.virtual_hubs
        found: dict[str, frozenset[str]] = {}
        for key, connections in self.inventory.hub_connections.items():
            known = (hubs.get(connection.hub_key) for connection in connections)
            wans = (hub.wan_key if hub is not None else None for hub in known)
            found[key] = frozenset(wan or one.hub_key for wan, one in zip(wans, connections, strict=True))
        return found

    @cached_property
    def _on_unknown_wan(self) -> frozenset[str]:
        """VNets that hang on a virtual hub whose connection, or whose virtual WAN, is not in the data."""
        inventory = self.inventory
        held = {
            network.key
            for network in inventory.virtual_networks.values()
            if network.key not in inventory.hub_connections and any(link.is_hub_connection for link in network.links)
        }
        for key, connections in inventory.hub_connections.items():
            hubs = (inventory.virtual_hubs.get(connection.hub_key) for connection in connections)
            if any(hub is None or hub.wan_key is None for hub in hubs):
                held.add(key)
        return frozenset(held)

    def group_mates(self, key: str) -> frozenset[str]:
        """Keys of the VNets that a network manager connects with this one without peering objects."""
        return self.once(("group mates", key), lambda: self._group_mates(key))

    def _group_mates(self, key: str) -> frozenset[str]:
        every, groups = self.inventory.connectivity_configurations, self.inventory.network_groups
        own = {one.id: one for one in every.get(key, ())}
        shared = ((other, own[one.id]) for other, listed in every.items() for one in listed if one.id in own)
        return frozenset(other for other, one in shared if other != key and one.connects(key, other, groups))

    @property
    def neighbours(self) -> Mapping[str, frozenset[str]]:
        """Keys of the VNets with a peering link to or from a VNet, in any state."""
        return self.inventory.neighbours
