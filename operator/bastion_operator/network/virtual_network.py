"""Virtual networks and their subnets, as read from ARM JSON."""

from collections.abc import Sequence
from dataclasses import dataclass

from bastion_operator.network.arm_id import normalise_id
from bastion_operator.network.fields import Row, all_objects, flag, ids, mapping, objects, reference, text, texts
from bastion_operator.network.peering import PeeringLink, read_link
from bastion_operator.network.prefixes import PrefixList

_OCCUPANTS = ("ipConfigurations", "ipConfigurationProfiles", "applicationGatewayIPConfigurations", "privateEndpoints")


@dataclass(frozen=True, slots=True)
class Subnet:
    """A subnet. ``prefixes`` is None where the resource states none; ``occupants`` are ids of what Azure says is in it."""

    id: str
    key: str
    name: str
    virtual_network_id: str
    prefixes: PrefixList | None
    network_security_group_id: str | None
    route_table_id: str | None
    nat_gateway_id: str | None
    occupants: tuple[str, ...]
    delegations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VirtualNetwork:
    """A VNet with its subnets and its links; ``key`` is its lower-cased id.

    ``states_subnets``, ``states_links``: all of them are known, so that one that is not among them is not there.
    """

    id: str
    key: str
    name: str
    location: str | None
    tenant_id: str | None
    tags: Row
    address_space: PrefixList | None
    subnets: tuple[Subnet, ...]
    links: tuple[PeeringLink, ...]
    states_subnets: bool
    states_links: bool
    drops_unencrypted: bool

    def subnet(self, name: str) -> Subnet | None:
        """The subnet of that name in any case."""
        wanted = name.lower()
        return next((subnet for subnet in self.subnets if subnet.name.lower() == wanted), None)

    @property
    def peerings(self) -> tuple[PeeringLink, ...]:
        """The links that are peerings: all but the hold of a virtual WAN hub."""
        return tuple(link for link in self.links if not link.is_hub_connection)


def read_virtual_network(
    row: Row,
    row_id: str,
    subnets: Sequence[Row] = (),
    links: Sequence[Row] = (),
    subscription_tenant: str | None = None,
) -> VirtualNetwork:
    """A VNet out of its ARM JSON, together with subnets and links that came as rows of their own.

    ``subscription_tenant`` counts where the row itself names no tenant.
    """
    properties = mapping(row, "properties")
    space = texts(properties, "addressSpace", "addressPrefixes")
    encryption = mapping(properties, "encryption")
    read_subnets = (read_subnet(child, row_id) for child in (*objects(properties, "subnets"), *subnets))
    every_link = (read_link(child, row_id) for child in (*objects(properties, "virtualNetworkPeerings"), *links))
    read_links = tuple({normalise_id(link.id): link for link in every_link}.values())
    return VirtualNetwork(
        id=row_id,
        key=normalise_id(row_id),
        name=text(row, "name") or row_id.rsplit("/", 1)[-1],
        location=text(row, "location"),
        tenant_id=text(row, "tenantId") or subscription_tenant,
        tags=mapping(row, "tags"),
        address_space=None if space is None else PrefixList.of(space),
        subnets=tuple({subnet.key: subnet for subnet in read_subnets}.values()),
        links=read_links,
        states_subnets=bool(subnets) or all_objects(properties, "subnets"),
        states_links=(bool(links) or all_objects(properties, "virtualNetworkPeerings"))
        and all(link.remote_key for link in read_links),
        drops_unencrypted=flag(encryption, "enabled")
        and (text(encryption, "enforcement") or "").lower() == "dropunencrypted",
    )


def read_subnet(row: Row, virtual_network_id: str) -> Subnet:
    """A subnet out of its ARM JSON; ``addressPrefix`` and ``addressPrefixes`` both occur."""
    properties = mapping(row, "properties")
    name = text(row, "name") or (text(row, "id") or "").rsplit("/", 1)[-1]
    subnet_id = text(row, "id") or f"{virtual_network_id}/subnets/{name}"
    listed = properties.get("addressPrefixes")
    prefixes = tuple(map(str, listed)) if type(listed) is list else ()
    if not prefixes and (single := text(properties, "addressPrefix")) is not None:
        prefixes = (single,)
    return Subnet(
        id=subnet_id,
        key=normalise_id(subnet_id),
        name=name,
        virtual_network_id=virtual_network_id,
        prefixes=PrefixList.of(prefixes) if prefixes else None,
        network_security_group_id=reference(row.get("properties"), "networkSecurityGroup", subnet_id),
        route_table_id=reference(row.get("properties"), "routeTable", subnet_id),
        nat_gateway_id=text(properties, "natGateway", "id"),
        occupants=tuple(occupant for field in _OCCUPANTS for occupant in ids(properties, field)),
        delegations=tuple(
            service for item in objects(properties, "delegations") if (service := _service(item)) is not None
        ),
    )


def _service(delegation: Row) -> str | None:
    return text(delegation, "properties", "serviceName") or text(delegation, "name")
