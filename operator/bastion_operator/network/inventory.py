"""The estate as facts: built once from raw ARM JSON, looked up by id in any case, read into types when first asked.

Rows come from Resource Graph, from ARM lists or from files. Nothing in them raises: a row that cannot be read is a fact
that is missing, and what an evaluation needs and does not find it says.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any, TypeVar

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
from bastion_operator.network.network_interface import NetworkInterface, read_network_interface
from bastion_operator.network.network_manager import (
    AdminConfiguration,
    ConnectivityConfiguration,
    admin_configurations,
    admin_rules,
    connectivity_configurations,
    effective_configurations,
)
from bastion_operator.network.public_ip import PublicIp, read_public_ip
from bastion_operator.network.resource_types import (
    ADMIN_RULE_SNAPSHOTS,
    ADMIN_SNAPSHOTS,
    BASTION_HOSTS,
    CONNECTIVITY_SNAPSHOTS,
    EFFECTIVE_CONNECTIVITY,
    EFFECTIVE_RULES,
    GATEWAY_CONNECTIONS,
    GATEWAYS,
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
    VIRTUAL_HUBS,
    VIRTUAL_MACHINES,
    VIRTUAL_NETWORKS,
)
from bastion_operator.network.route_table import RouteTable, read_route_table
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
    """Rows by type and id, and what they say. Never changes once built."""

    def __init__(
        self,
        rows_by_type: Mapping[str, Mapping[str, Row]],
        types_read: frozenset[str] | None = None,
        refused: frozenset[str] = frozenset(),
    ) -> None:
        """Use ``from_rows``."""
        self.refused = refused
        self._by_type = rows_by_type
        self.types_read = types_read
        self._types = {key: kind for kind, rows in rows_by_type.items() for key in rows}

    @classmethod
    def from_rows(
        cls,
        rows: Iterable[Mapping[str, Any]],
        types_read: Iterable[str] | None = None,
        refused: Iterable[str] = (),
    ) -> "Inventory":
        """Sorts rows by type and id. A row without an id is no fact; of two rows with one id the later counts.

        ``types_read`` are the resource types that the source was asked for; None stands for all. Of a type that was asked
        for, no row means no such thing; of one that was not, the steps that need it say that they did not look.
        ``refused`` are ids that Azure was asked for one by one and refused to show (403).
        """
        by_type: dict[str, dict[str, Row]] = defaultdict(dict)
        for row in rows:
            if isinstance(row, dict) and (row_id := text(row, "id")) is not None:
                by_type[_type_of(row, row_id)][normalise_id(row_id)] = row
        read = None if types_read is None else frozenset(kind.lower() for kind in types_read)
        return cls(by_type, read, frozenset(map(normalise_id, refused)))

    def holds(self, *resource_types: str) -> bool:
        """Whether the source was asked for all of these types (lower-cased)."""
        return self.types_read is None or self.types_read.issuperset(resource_types)

    def row(self, resource_id: str) -> Row | None:
        """The raw row of that id in any case, None if there is none. Subnets and peerings lie in their VNet's row."""
        key = normalise_id(resource_id)
        kind = self._types.get(key)
        return None if kind is None else self._by_type[kind][key]

    @property
    def types(self) -> Iterable[str]:
        """The types of which there are rows, lower-cased."""
        return self._by_type.keys()

    def rows(self, resource_type: str) -> Mapping[str, Row]:
        """The raw rows of a type (in any case), by lower-cased id."""
        return self._by_type.get(resource_type.lower(), {})

    @cached_property
    def bastions(self) -> Mapping[str, BastionHost]:
        """Bastion hosts by lower-cased id."""
        return self._read(BASTION_HOSTS, read_bastion_host)

    @cached_property
    def virtual_networks(self) -> Mapping[str, VirtualNetwork]:
        """VNets by lower-cased id, with their subnets and links."""
        subnets, links = self._children(SUBNETS), self._children(PEERINGS)
        return self._read(
            VIRTUAL_NETWORKS,
            lambda row, row_id: read_virtual_network(
                row,
                row_id,
                subnets.get(normalise_id(row_id), ()),
                links.get(normalise_id(row_id), ()),
                self._tenant_of(row_id),
            ),
        )

    @cached_property
    def subnets(self) -> Mapping[str, Subnet]:
        """Subnets by lower-cased id."""
        return {subnet.key: subnet for network in self.virtual_networks.values() for subnet in network.subnets}

    @cached_property
    def virtual_machines(self) -> Mapping[str, VirtualMachine]:
        """VMs, and instances of uniform scale sets, by lower-cased id."""
        kinds = (VIRTUAL_MACHINES, SCALE_SET_MACHINES)
        return {key: vm for kind in kinds for key, vm in self._read(kind, read_virtual_machine).items()}

    @cached_property
    def network_interfaces(self) -> Mapping[str, NetworkInterface]:
        """NICs by lower-cased id."""
        kinds = (NETWORK_INTERFACES, SCALE_SET_INTERFACES)
        return {key: nic for kind in kinds for key, nic in self._read(kind, read_network_interface).items()}

    @cached_property
    def security_groups(self) -> Mapping[str, SecurityGroup]:
        """Network security groups by lower-cased id."""
        rules = self._children(SECURITY_RULES)
        return self._read(
            SECURITY_GROUPS,
            lambda row, row_id: read_security_group(row, row_id, rules.get(normalise_id(row_id), ())),
        )

    @cached_property
    def route_tables(self) -> Mapping[str, RouteTable]:
        """Route tables by lower-cased id."""
        routes = self._children(ROUTES)
        return self._read(
            ROUTE_TABLES, lambda row, row_id: read_route_table(row, row_id, routes.get(normalise_id(row_id), ()))
        )

    @cached_property
    def public_ips(self) -> Mapping[str, PublicIp]:
        """Public IP addresses by lower-cased id."""
        return self._read(PUBLIC_IPS, read_public_ip)

    @cached_property
    def virtual_hubs(self) -> Mapping[str, VirtualHub]:
        """Virtual WAN hubs by lower-cased id."""
        return self._read(VIRTUAL_HUBS, read_virtual_hub)

    @cached_property
    def hub_connections(self) -> Mapping[str, tuple[HubConnection, ...]]:
        """Connections of virtual hubs by the lower-cased id of the VNet that they connect."""
        found: dict[str, list[HubConnection]] = defaultdict(list)
        for key, row in sorted(self.rows(HUB_CONNECTIONS).items()):
            if (connection := read_hub_connection(row, row["id"])) is not None and key:
                found[connection.network_key].append(connection)
        return {key: tuple(connections) for key, connections in found.items()}

    @cached_property
    def hub_route_tables(self) -> Mapping[str, HubRouteTable]:
        """Route tables of virtual hubs by lower-cased id."""
        return self._read(HUB_ROUTE_TABLES, read_hub_route_table)

    @cached_property
    def routing_intents(self) -> Mapping[str, RoutingIntent]:
        """Routing intents by the lower-cased id of their hub."""
        return {intent.hub_key: intent for intent in self._read(ROUTING_INTENTS, read_routing_intent).values()}

    @cached_property
    def gateways(self) -> Mapping[str, VirtualNetworkGateway]:
        """Virtual network gateways by lower-cased id."""
        return self._read(GATEWAYS, read_gateway)

    @cached_property
    def gateway_connections(self) -> tuple[GatewayConnection, ...]:
        """The connections of virtual network gateways."""
        read = self._read(GATEWAY_CONNECTIONS, read_gateway_connection).values()
        return tuple(connection for connection in read if connection is not None)

    @cached_property
    def gateway_sites(self) -> Mapping[str, tuple[LocalNetworkGateway, ...]]:
        """The sites connected to a gateway, by the gateway's lower-cased id."""
        sites = self._read(LOCAL_GATEWAYS, read_local_gateway)
        found: dict[str, list[LocalNetworkGateway]] = defaultdict(list)
        for connection in self.gateway_connections:
            if (site := sites.get(connection.local_gateway_key or "")) is not None:
                found[connection.gateway_key].append(site)
        return {key: tuple(listed) for key, listed in found.items()}

    @cached_property
    def joined_gateways(self) -> Mapping[str, frozenset[str]]:
        """The gateways that a gateway is connected to directly, by lower-cased ids."""
        found: dict[str, set[str]] = defaultdict(set)
        for connection in self.gateway_connections:
            if (other := connection.other_gateway_key) is not None:
                found[connection.gateway_key].add(other)
                found[other].add(connection.gateway_key)
        return {key: frozenset(others) for key, others in found.items()}

    @cached_property
    def admin_configurations(self) -> Mapping[str, tuple[AdminConfiguration, ...]]:
        """Security admin configurations in force, by the VNet's lower-cased id."""
        effective = effective_configurations(self.rows(EFFECTIVE_RULES), "effectiveSecurityAdminConfigurations")
        rules, snapshots = admin_rules(self.rows(ADMIN_RULE_SNAPSHOTS)), self.rows(ADMIN_SNAPSHOTS)
        return {key: tuple(admin_configurations(listed, rules, snapshots)) for key, listed in effective.items()}

    @cached_property
    def connectivity_configurations(self) -> Mapping[str, tuple[ConnectivityConfiguration, ...]]:
        """Connectivity configurations in force, by the VNet's lower-cased id."""
        effective = effective_configurations(self.rows(EFFECTIVE_CONNECTIVITY), "effectiveConnectivityConfigurations")
        known = connectivity_configurations(self.rows(CONNECTIVITY_SNAPSHOTS))
        return {
            key: tuple(known[normalise_id(item)] for item in listed if normalise_id(item) in known)
            for key, listed in effective.items()
        }

    @cached_property
    def private_zones(self) -> Mapping[str, tuple[str, ...]]:
        """Ids of the private DNS zones linked to a VNet, by the VNet's lower-cased id."""
        found: dict[str, list[str]] = defaultdict(list)
        for _, row in sorted(self.rows(PRIVATE_ZONE_LINKS).items()):
            if (network := text(row, "properties", "virtualNetwork", "id")) is not None:
                found[normalise_id(network)].append(row["id"].rsplit("/", 2)[0])
        return {key: tuple(zones) for key, zones in found.items()}

    @cached_property
    def just_in_time_policies(self) -> Mapping[str, str]:
        """Ids of just-in-time access policies by the lower-cased id of a VM that they cover."""
        return {
            normalise_id(vm_id): row["id"]
            for row in self.rows(JIT_POLICIES).values()
            for vm_id in ids(row, "properties", "virtualMachines")
        }

    @cached_property
    def session_hosts(self) -> frozenset[str]:
        """Lower-cased ids of the VMs that Azure Virtual Desktop lists as session hosts."""
        rows = self.rows(SESSION_HOSTS).values()
        return frozenset(normalise_id(vm_id) for row in rows if (vm_id := text(row, "properties", "resourceId")))

    @cached_property
    def interfaces_by_subnet(self) -> Mapping[str, tuple[str, ...]]:
        """Ids of the NICs that have an ipConfiguration in a subnet, by lower-cased subnet id."""
        found: dict[str, list[str]] = defaultdict(list)
        for nic in self.network_interfaces.values():
            for key in {normalise_id(item.subnet_id) for item in nic.ip_configurations or () if item.subnet_id}:
                found[key].append(nic.id)
        return {key: tuple(sorted(nics)) for key, nics in found.items()}

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
        return {key: read(row, row["id"]) for key, row in self.rows(kind).items()}

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
        for rows in self._by_type.values():
            yield from rows.values()

    def __len__(self) -> int:
        return len(self._types)


def _find(table: Mapping[str, T], resource_id: str | None) -> T | None:
    return None if resource_id is None else table.get(normalise_id(resource_id))


def _type_of(row: Row, row_id: str) -> str:
    """The type as stated, else as the id has it."""
    if (stated := text(row, "type")) is not None:
        return stated.lower()
    head, found, tail = row_id.lower().rpartition("/providers/")
    parts = tail.strip("/").split("/")
    return "/".join((parts[0], *parts[1::2])) if found else head.strip("/")
