"""The estate as facts: built once from raw ARM JSON, looked up by id in any case, read into types when first asked.

Rows come from Resource Graph, from ARM lists or from files. Nothing in them raises: a row that cannot be read is a fact
that is missing, and what an evaluation needs and does not find it says.
"""

import weakref
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Final, TypeVar, cast

from bastion_operator.network.arm_id import normalise_id
from bastion_operator.network.bastion_host import BastionHost, read_bastion_host
from bastion_operator.network.fields import Row, ids, text
from bastion_operator.network.gateways import (
    GatewayConnection,
    LocalNetworkGateway,
    VirtualNetworkGateway,
    read_gateway,
    read_gateway_connection,
    read_local_gateway,
)
from bastion_operator.network.held_row import Held, ReadRow, RowsOf, row_of
from bastion_operator.network.network_interface import NetworkInterface, read_network_interface
from bastion_operator.network.network_manager import (
    AdminConfiguration,
    ConnectivityConfiguration,
    admin_configurations,
    admin_rules,
    collection_groups,
    connectivity_configurations,
    effective_configurations,
    group_memberships,
    is_for_others,
)
from bastion_operator.network.public_ip import PublicIp, read_public_ip
from bastion_operator.network.resource_types import (
    ADMIN_COLLECTION_SNAPSHOTS,
    ADMIN_RULE_SNAPSHOTS,
    ADMIN_SNAPSHOTS,
    BASTION_HOSTS,
    CONNECTIVITY_SNAPSHOTS,
    EFFECTIVE_CONNECTIVITY,
    EFFECTIVE_RULES,
    GATEWAY_CONNECTIONS,
    GATEWAYS,
    GROUP_MEMBERSHIPS,
    HUB_CONNECTIONS,
    HUB_ROUTE_TABLES,
    JIT_POLICIES,
    LOCAL_GATEWAYS,
    NETWORK_INTERFACES,
    PEERINGS,
    PRIVATE_ZONE_LINKS,
    PUBLIC_IPS,
    ROUTE_TABLES,
    ROUTES,
    ROUTING_INTENTS,
    SCALE_SET_INTERFACES,
    SCALE_SET_MACHINES,
    SECURITY_GROUPS,
    SECURITY_RULES,
    SESSION_HOSTS,
    SUBNETS,
    SUBSCRIPTIONS,
    VIRTUAL_HUBS,
    VIRTUAL_MACHINES,
    VIRTUAL_NETWORKS,
)
from bastion_operator.network.route_table import RouteTable, read_route_table
from bastion_operator.network.rows_by_type import (
    KeysByType,
    RowsByType,
    Table,
    differences,
    made_of,
    sorted_by_type,
    with_changes,
)
from bastion_operator.network.security_group import SecurityGroup, read_security_group
from bastion_operator.network.virtual_machine import VirtualMachine, read_virtual_machine
from bastion_operator.network.virtual_network import Subnet, VirtualNetwork, read_virtual_network
from bastion_operator.network.virtual_wan import (
    HubConnection,
    HubRouteTable,
    RoutingIntent,
    VirtualHub,
    read_hub_connection,
    read_hub_route_table,
    read_routing_intent,
    read_virtual_hub,
)

T = TypeVar("T")


class Inventory:
    """Rows by type and id, and what they say. Never changes once built; ``patched`` makes another that shares with it."""

    def __init__(
        self,
        rows_by_type: RowsByType,
        types_read: frozenset[str] | None = None,
        refused: frozenset[str] = frozenset(),
    ) -> None:
        """Use ``from_rows``."""
        self.refused = refused
        self._by_type = rows_by_type
        self.types_read = types_read
        self._origin: tuple[weakref.ref[Inventory], KeysByType] | None = None

    @classmethod
    def from_rows(
        cls,
        rows: Iterable[Held],
        types_read: Iterable[str] | None = None,
        refused: Iterable[str] = (),
    ) -> "Inventory":
        """Sorts rows by type and id. A row without an id is no fact; of two rows with one id the later counts.

        ``types_read`` are the resource types that the source was asked for; None stands for all. Of a type that was asked
        for, no row means no such thing; of one that was not, the steps that need it say that they did not look.
        ``refused`` are ids that Azure was asked for one by one and refused to show (403), and subscriptions of which it
        shows nothing.
        """
        read = None if types_read is None else frozenset(kind.lower() for kind in types_read)
        return cls(sorted_by_type(rows), read, frozenset(map(normalise_id, refused)))

    def patched(self, rows: Iterable[Held] = (), gone: Iterable[str] = ()) -> "Inventory":
        """The inventory with these rows, new or in place of those with their ids, and without the rows of the ids gone.

        What was read of other rows is taken over; the rows of a type that is not touched are the very same.
        """
        by_type, touched = with_changes(self._by_type, rows, gone)
        made = Inventory(by_type, self.types_read, self.refused)
        made._take_over(self, touched)
        made._origin = (weakref.ref(self), touched)
        return made

    def _take_over(self, other: "Inventory", touched: KeysByType) -> None:
        """Keeps the tables of another inventory that are still true, and mends those that are read row by row."""
        for name, table in vars(Inventory).items():
            if isinstance(table, Table) and name in vars(other) and table.kinds.isdisjoint(touched):
                vars(self)[name] = vars(other)[name]
        for name, kinds, read in _ROW_BY_ROW:
            changed = touched.keys() & vars(Inventory)[name].kinds
            if name in vars(other) and changed and changed <= set(kinds):
                mended = dict(vars(other)[name])
                for key in {key for kind in changed for key in touched[kind]}:
                    held = next((rows[key] for kind in kinds if key in (rows := self._by_type.get(kind, {}))), None)
                    if held is None:
                        mended.pop(key, None)
                    else:
                        mended[key] = self._fact(held, partial(read, self))
                vars(self)[name] = mended

    def differences(self, other: "Inventory") -> KeysByType:
        """The ids, by type, of the rows that another inventory does not have, has besides, or has otherwise.

        Quick where this one was made of the other by ``patched``, and then every row that was put counts, equal or not.
        """
        if self._origin is not None and self._origin[0]() is other:
            return self._origin[1]
        return differences(self._by_type, other._by_type)  # noqa: SLF001  its own class

    def holds(self, *resource_types: str) -> bool:
        """Whether the source was asked for all of these types (lower-cased)."""
        return self.types_read is None or self.types_read.issuperset(resource_types)

    def row(self, resource_id: str) -> Row | None:
        """The raw row of that id in any case, None if there is none. Subnets and peerings lie in their VNet's row."""
        key = normalise_id(resource_id)
        return row_of(next((rows[key] for rows in self._by_type.values() if key in rows), None))

    def held(self) -> Mapping[str, Held]:
        """Every row, or what is kept in its place, by lower-cased id."""
        return {key: held for rows in self._by_type.values() for key, held in rows.items()}

    @property
    def types(self) -> Iterable[str]:
        """The types of which there are rows, lower-cased."""
        return self._by_type.keys()

    def rows(self, resource_type: str) -> Mapping[str, Row]:
        """The raw rows of a type (in any case), by lower-cased id."""
        return RowsOf(self._by_type.get(resource_type.lower(), {}))

    @made_of(BASTION_HOSTS)
    def bastions(self) -> Mapping[str, BastionHost]:
        """Bastion hosts by lower-cased id."""
        return self._read(BASTION_HOSTS, read_bastion_host)

    @made_of(VIRTUAL_NETWORKS, SUBNETS, PEERINGS, SUBSCRIPTIONS)
    def virtual_networks(self) -> Mapping[str, VirtualNetwork]:
        """VNets by lower-cased id, with their subnets and links."""
        return self._read(VIRTUAL_NETWORKS, self._read_virtual_network)

    def _read_virtual_network(self, row: Row, row_id: str) -> VirtualNetwork:
        key = normalise_id(row_id)
        subnets, links = self._subnet_rows.get(key, ()), self._peering_rows.get(key, ())
        return read_virtual_network(row, row_id, subnets, links, self._tenant_of(row_id))

    @made_of(VIRTUAL_NETWORKS, SUBNETS, PEERINGS, SUBSCRIPTIONS)
    def subnets(self) -> Mapping[str, Subnet]:
        """Subnets by lower-cased id."""
        return {subnet.key: subnet for network in self.virtual_networks.values() for subnet in network.subnets}

    @made_of(VIRTUAL_NETWORKS, SUBNETS, PEERINGS, SUBSCRIPTIONS)
    def neighbours(self) -> Mapping[str, frozenset[str]]:
        """Lower-cased ids of the VNets with a peering link to or from a VNet, in any state, by its lower-cased id."""
        found: dict[str, set[str]] = defaultdict(set)
        for network in self.virtual_networks.values():
            for link in network.peerings:
                if link.remote_key and link.remote_key != network.key:
                    found[network.key].add(link.remote_key)
                    found[link.remote_key].add(network.key)
        return {key: frozenset(keys) for key, keys in found.items()}

    @made_of(VIRTUAL_NETWORKS, SUBNETS, PEERINGS, SUBSCRIPTIONS)
    def held_by_hubs(self) -> bool:
        """Whether some VNet bears a virtual WAN hub's hold among its links."""
        return any(link.is_hub_connection for network in self.virtual_networks.values() for link in network.links)

    @made_of(VIRTUAL_MACHINES, SCALE_SET_MACHINES)
    def virtual_machines(self) -> Mapping[str, VirtualMachine]:
        """VMs, and instances of uniform scale sets, by lower-cased id."""
        kinds = (VIRTUAL_MACHINES, SCALE_SET_MACHINES)
        return {key: vm for kind in kinds for key, vm in self._read(kind, read_virtual_machine).items()}

    @made_of(NETWORK_INTERFACES, SCALE_SET_INTERFACES)
    def network_interfaces(self) -> Mapping[str, NetworkInterface]:
        """NICs by lower-cased id."""
        kinds = (NETWORK_INTERFACES, SCALE_SET_INTERFACES)
        return {key: nic for kind in kinds for key, nic in self._read(kind, read_network_interface).items()}

    @made_of(SECURITY_GROUPS, SECURITY_RULES)
    def security_groups(self) -> Mapping[str, SecurityGroup]:
        """Network security groups by lower-cased id."""
        return self._read(SECURITY_GROUPS, self._read_security_group)

    def _read_security_group(self, row: Row, row_id: str) -> SecurityGroup:
        return read_security_group(row, row_id, self._rule_rows.get(normalise_id(row_id), ()))

    @made_of(ROUTE_TABLES, ROUTES)
    def route_tables(self) -> Mapping[str, RouteTable]:
        """Route tables by lower-cased id."""
        return self._read(ROUTE_TABLES, self._read_route_table)

    def _read_route_table(self, row: Row, row_id: str) -> RouteTable:
        return read_route_table(row, row_id, self._route_rows.get(normalise_id(row_id), ()))

    @made_of(PUBLIC_IPS)
    def public_ips(self) -> Mapping[str, PublicIp]:
        """Public IP addresses by lower-cased id."""
        return self._read(PUBLIC_IPS, read_public_ip)

    @made_of(VIRTUAL_HUBS)
    def virtual_hubs(self) -> Mapping[str, VirtualHub]:
        """Virtual WAN hubs by lower-cased id."""
        return self._read(VIRTUAL_HUBS, read_virtual_hub)

    @made_of(HUB_CONNECTIONS)
    def hub_connections(self) -> Mapping[str, tuple[HubConnection, ...]]:
        """Connections of virtual hubs by the lower-cased id of the VNet that they connect."""
        found: dict[str, list[HubConnection]] = defaultdict(list)
        for key, row in sorted(self.rows(HUB_CONNECTIONS).items()):
            if (connection := read_hub_connection(row, row["id"])) is not None and key:
                found[connection.network_key].append(connection)
        return {key: tuple(connections) for key, connections in found.items()}

    @made_of(HUB_CONNECTIONS)
    def unnamed_hub_connections(self) -> Mapping[str, str]:
        """Ids of connections that name no VNet, one of each hub, by the hub's lower-cased id."""
        rows = self.rows(HUB_CONNECTIONS)
        return {
            key.rsplit("/", 2)[0]: row["id"] for key, row in rows.items() if read_hub_connection(row, row["id"]) is None
        }

    @made_of(HUB_ROUTE_TABLES)
    def hub_route_tables(self) -> Mapping[str, HubRouteTable]:
        """Route tables of virtual hubs by lower-cased id."""
        return self._read(HUB_ROUTE_TABLES, read_hub_route_table)

    @made_of(ROUTING_INTENTS)
    def routing_intents(self) -> Mapping[str, RoutingIntent]:
        """Routing intents by the lower-cased id of their hub."""
        return {intent.hub_key: intent for intent in self._read(ROUTING_INTENTS, read_routing_intent).values()}

    @made_of(GATEWAYS)
    def gateways(self) -> Mapping[str, VirtualNetworkGateway]:
        """Virtual network gateways by lower-cased id."""
        return self._read(GATEWAYS, read_gateway)

    @made_of(GATEWAY_CONNECTIONS)
    def gateway_connections(self) -> tuple[GatewayConnection, ...]:
        """The connections of virtual network gateways."""
        read = self._read(GATEWAY_CONNECTIONS, read_gateway_connection).values()
        return tuple(connection for connection in read if connection is not None)

    @made_of(LOCAL_GATEWAYS, GATEWAY_CONNECTIONS)
    def gateway_sites(self) -> Mapping[str, tuple[LocalNetworkGateway, ...]]:
        """The sites connected to a gateway, by the gateway's lower-cased id."""
        sites = self._read(LOCAL_GATEWAYS, read_local_gateway)
        found: dict[str, list[LocalNetworkGateway]] = defaultdict(list)
        for connection in self.gateway_connections:
            if (site := sites.get(connection.local_gateway_key or "")) is not None:
                found[connection.gateway_key].append(site)
        return {key: tuple(listed) for key, listed in found.items()}

    @made_of(LOCAL_GATEWAYS, GATEWAYS, GATEWAY_CONNECTIONS)
    def lost_gateway_ends(self) -> Mapping[str, tuple[str, ...]]:
        """Lower-cased ids of the sites and gateways without a row that a gateway is connected to, by its lower-cased id."""
        known = self.rows(LOCAL_GATEWAYS).keys() | self.rows(GATEWAYS).keys()
        found: dict[str, list[str]] = defaultdict(list)
        for connection in self.gateway_connections:
            for end in (connection.local_gateway_key, connection.other_gateway_key):
                if end is not None and end not in known:
                    found[connection.gateway_key].append(end)
        return {key: tuple(ends) for key, ends in found.items()}

    @made_of(GATEWAY_CONNECTIONS)
    def joined_gateways(self) -> Mapping[str, frozenset[str]]:
        """The gateways that a gateway is connected to directly, by lower-cased ids."""
        found: dict[str, set[str]] = defaultdict(set)
        for connection in self.gateway_connections:
            if (other := connection.other_gateway_key) is not None:
                found[connection.gateway_key].add(other)
                found[other].add(connection.gateway_key)
        return {key: frozenset(others) for key, others in found.items()}

    @made_of(EFFECTIVE_RULES, ADMIN_RULE_SNAPSHOTS, ADMIN_COLLECTION_SNAPSHOTS, ADMIN_SNAPSHOTS, GROUP_MEMBERSHIPS)
    def admin_configurations(self) -> Mapping[str, tuple[AdminConfiguration, ...]]:
        """Security admin configurations in force, by the VNet's lower-cased id."""
        effective = effective_configurations(self.rows(EFFECTIVE_RULES), "effectiveSecurityAdminConfigurations")
        rules, snapshots = admin_rules(self.rows(ADMIN_RULE_SNAPSHOTS)), self.rows(ADMIN_SNAPSHOTS)
        collections = collection_groups(self.rows(ADMIN_COLLECTION_SNAPSHOTS))
        groups = self.network_groups
        found: dict[str, tuple[AdminConfiguration, ...]] = {}
        for key, listed in effective.items():
            elsewhere = partial(is_for_others, groups=groups.get(key), collections=collections)
            found[key] = tuple(admin_configurations(listed, rules, snapshots, elsewhere))
        return found

    @made_of(GROUP_MEMBERSHIPS)
    def network_groups(self) -> Mapping[str, frozenset[str]]:
        """Lower-cased ids of the network groups that a VNet is in, by the VNet's lower-cased id."""
        return group_memberships(self.rows(GROUP_MEMBERSHIPS))

    @made_of(EFFECTIVE_CONNECTIVITY, CONNECTIVITY_SNAPSHOTS)
    def connectivity_configurations(self) -> Mapping[str, tuple[ConnectivityConfiguration, ...]]:
        """Connectivity configurations in force, by the VNet's lower-cased id."""
        effective = effective_configurations(self.rows(EFFECTIVE_CONNECTIVITY), "effectiveConnectivityConfigurations")
        known = connectivity_configurations(self.rows(CONNECTIVITY_SNAPSHOTS))
        return {
            key: tuple(known[normalise_id(item)] for item in listed if normalise_id(item) in known)
            for key, listed in effective.items()
        }

    @made_of(PRIVATE_ZONE_LINKS)
    def private_zones(self) -> Mapping[str, tuple[str, ...]]:
        """Ids of the private DNS zones linked to a VNet, by the VNet's lower-cased id."""
        found: dict[str, list[str]] = defaultdict(list)
        for _, row in sorted(self.rows(PRIVATE_ZONE_LINKS).items()):
            if (network := text(row, "properties", "virtualNetwork", "id")) is not None:
                found[normalise_id(network)].append(row["id"].rsplit("/", 2)[0])
        return {key: tuple(zones) for key, zones in found.items()}

    @made_of(JIT_POLICIES)
    def just_in_time_policies(self) -> Mapping[str, tuple[str, ...]]:
        """Ids of the just-in-time access policies that cover a VM, by its lower-cased id."""
        found: dict[str, dict[str, None]] = defaultdict(dict)
        for row in self.rows(JIT_POLICIES).values():
            for vm_id in ids(row, "properties", "virtualMachines"):
                found[normalise_id(vm_id)][row["id"]] = None
        return {key: tuple(policies) for key, policies in found.items()}

    @made_of(SESSION_HOSTS)
    def session_hosts(self) -> frozenset[str]:
        """Lower-cased ids of the VMs that Azure Virtual Desktop lists as session hosts."""
        rows = self.rows(SESSION_HOSTS).values()
        return frozenset(normalise_id(vm_id) for row in rows if (vm_id := text(row, "properties", "resourceId")))

    @made_of(NETWORK_INTERFACES, SCALE_SET_INTERFACES)
    def interfaces_by_subnet(self) -> Mapping[str, tuple[str, ...]]:
        """Ids of the NICs that have an ipConfiguration in a subnet, by lower-cased subnet id."""
        found: dict[str, list[str]] = defaultdict(list)
        for nic in self.network_interfaces.values():
            for key in {normalise_id(item.subnet_id) for item in nic.ip_configurations or () if item.subnet_id}:
                found[key].append(nic.id)
        return {key: tuple(sorted(nics)) for key, nics in found.items()}

    @made_of(SUBNETS)
    def _subnet_rows(self) -> Mapping[str, list[Row]]:
        return self._children(SUBNETS)

    @made_of(PEERINGS)
    def _peering_rows(self) -> Mapping[str, list[Row]]:
        return self._children(PEERINGS)

    @made_of(SECURITY_RULES)
    def _rule_rows(self) -> Mapping[str, list[Row]]:
        return self._children(SECURITY_RULES)

    @made_of(ROUTES)
    def _route_rows(self) -> Mapping[str, list[Row]]:
        return self._children(ROUTES)

    def bastion(self, resource_id: str | None) -> BastionHost | None:
        """The Bastion host of that id in any case."""
        return _find(self.bastions, resource_id)

    def virtual_network(self, resource_id: str | None) -> VirtualNetwork | None:
        """The VNet of that id in any case."""
        return _find(self.virtual_networks, resource_id)

    def subnet(self, resource_id: str | None) -> Subnet | None:
        """The subnet of that id in any case."""
        return _find(self.subnets, resource_id)

    def virtual_machine(self, resource_id: str | None) -> VirtualMachine | None:
        """The VM of that id in any case."""
        return _find(self.virtual_machines, resource_id)

    def network_interface(self, resource_id: str | None) -> NetworkInterface | None:
        """The NIC of that id in any case."""
        return _find(self.network_interfaces, resource_id)

    def security_group(self, resource_id: str | None) -> SecurityGroup | None:
        """The network security group of that id in any case."""
        return _find(self.security_groups, resource_id)

    def route_table(self, resource_id: str | None) -> RouteTable | None:
        """The route table of that id in any case."""
        return _find(self.route_tables, resource_id)

    def public_ip(self, resource_id: str | None) -> PublicIp | None:
        """The public IP of that id in any case."""
        return _find(self.public_ips, resource_id)

    def _read(self, kind: str, read: Callable[[Row, str], T]) -> dict[str, T]:
        with_parts = self._rule_rows
        found: dict[str, T] = {}
        for key, held in self._by_type.get(kind, {}).items():
            if isinstance(held, ReadRow) and key not in with_parts:
                found[key] = cast("T", held.fact)  # the short way for nearly all of a fleet
            else:
                found[key] = self._fact(held, read)
        return found

    def _fact(self, held: Held, read: Callable[[Row, str], T]) -> T:
        """What a row says; where parts of it came as rows of their own, what was read before them does not count."""
        if not isinstance(held, ReadRow):
            return read(held, held["id"])
        row = held.row() if held.key in self._rule_rows else None
        return cast("T", held.fact) if row is None else read(row, row["id"])

    def _tenant_of(self, resource_id: str) -> str | None:
        """The tenant by the row of the resource's subscription, if there is one: ARM's own answers state no tenant."""
        subscription = self.row("/".join(resource_id.strip("/").split("/")[:2]))
        return text(subscription, "tenantId") or text(subscription, "properties", "tenantId")

    def _children(self, kind: str) -> Mapping[str, list[Row]]:
        """Rows of a child type, by the lower-cased id of the resource they lie in."""
        found: dict[str, list[Row]] = defaultdict(list)
        for key, row in self.rows(kind).items():
            found[key.rsplit("/", 2)[0]].append(row)
        return found

    def __iter__(self) -> Iterator[Row]:
        for kind in self._by_type:
            yield from self.rows(kind).values()

    def __len__(self) -> int:
        return sum(map(len, self._by_type.values()))


_ROW_BY_ROW: Final[tuple[tuple[str, tuple[str, ...], Callable[[Inventory, Row, str], object]], ...]] = (
    ("bastions", (BASTION_HOSTS,), lambda _, row, row_id: read_bastion_host(row, row_id)),
    ("virtual_networks", (VIRTUAL_NETWORKS,), Inventory._read_virtual_network),  # noqa: SLF001  a table of its own parts
    (
        "virtual_machines",
        (VIRTUAL_MACHINES, SCALE_SET_MACHINES),
        lambda _, row, row_id: read_virtual_machine(row, row_id),
    ),
    (
        "network_interfaces",
        (NETWORK_INTERFACES, SCALE_SET_INTERFACES),
        lambda _, row, row_id: read_network_interface(row, row_id),
    ),
    ("security_groups", (SECURITY_GROUPS,), Inventory._read_security_group),  # noqa: SLF001
    ("route_tables", (ROUTE_TABLES,), Inventory._read_route_table),  # noqa: SLF001
    ("public_ips", (PUBLIC_IPS,), lambda _, row, row_id: read_public_ip(row, row_id)),
)
"""Tables that are read row by row, the types whose rows they read alone, and how one is read."""


def _find(table: Mapping[str, T], resource_id: str | None) -> T | None:
    return None if resource_id is None else table.get(normalise_id(resource_id))
