"""Virtual WAN hubs, their connections to VNets and their route tables, as read from ARM JSON.

A connection learns the routes of the table that it is associated with, and puts its VNet's prefixes into the tables that it
propagates to, named by id or by label. Azure's default: associated with the hub's own ``defaultRouteTable``, propagating to
the label ``default``, which those tables of all hubs carry. Source: Microsoft Learn, "About virtual hub routing".
"""

from dataclasses import dataclass
from typing import Final

from bastion_operator.network.arm_id import normalise_id
from bastion_operator.network.fields import Row, flag, ids, mapping, objects, text, texts

DEFAULT_LABEL: Final = "default"
DEFAULT_TABLE: Final = "defaultroutetable"
NONE_TABLE: Final = "noneroutetable"
"""The tables that every hub has, whether their rows are there or not."""
EVERYWHERE_TEXT: Final = "0.0.0.0/0"
_PRIVATE_TRAFFIC: Final = "privatetraffic"
_INTERNET: Final = "internet"


@dataclass(frozen=True, slots=True)
class VirtualHub:
    """A hub; ``wan_key`` is the lower-cased id of its virtual WAN."""

    id: str
    key: str
    name: str
    wan_key: str | None


@dataclass(frozen=True, slots=True)
class HubConnection:
    """A hub's connection to a VNet; keys are lower-cased ids. ``takes_default_route``: 0.0.0.0/0 reaches the VNet."""

    id: str
    name: str
    hub_key: str
    network_key: str
    associated_table: str
    propagates_to: frozenset[str]
    propagates_to_labels: frozenset[str]
    takes_default_route: bool


@dataclass(frozen=True, slots=True)
class HubRouteTable:
    """A hub's route table: its labels (lower-cased) and its static routes' destinations.

    ``is_read`` is false where it does not state both.
    """

    id: str
    key: str
    labels: frozenset[str]
    destinations: tuple[str, ...]
    is_read: bool


@dataclass(frozen=True, slots=True)
class RoutingIntent:
    """What a secured hub sends through its next hop: Internet traffic, private traffic, or both."""

    id: str
    hub_key: str
    internet: bool
    private: bool


def read_virtual_hub(row: Row, row_id: str) -> VirtualHub:
    """A hub out of its ARM JSON."""
    wan = text(row, "properties", "virtualWan", "id")
    name = text(row, "name") or row_id.rsplit("/", 1)[-1]
    return VirtualHub(row_id, normalise_id(row_id), name, normalise_id(wan) if wan else None)


def read_hub_connection(row: Row, row_id: str) -> HubConnection | None:
    """A connection out of its ARM JSON; None for one that names no VNet."""
    properties = mapping(row, "properties")
    remote = text(properties, "remoteVirtualNetwork", "id")
    if remote is None:
        return None
    hub_key = normalise_id(row_id).rsplit("/", 2)[0]
    routing = mapping(properties, "routingConfiguration")
    associated = text(routing, "associatedRouteTable", "id")
    propagated = mapping(routing, "propagatedRouteTables")
    tables = frozenset(map(normalise_id, ids(propagated, "ids")))
    labels = frozenset(label.lower() for label in texts(propagated, "labels") or ())
    if not propagated:
        labels = frozenset({DEFAULT_LABEL})
    return HubConnection(
        id=row_id,
        name=text(row, "name") or row_id.rsplit("/", 1)[-1],
        hub_key=hub_key,
        network_key=normalise_id(remote),
        associated_table=normalise_id(associated) if associated else f"{hub_key}/hubroutetables/{DEFAULT_TABLE}",
        propagates_to=tables,
        propagates_to_labels=labels,
        takes_default_route=flag(properties, "enableInternetSecurity"),
    )


def read_hub_route_table(row: Row, row_id: str) -> HubRouteTable:
    """A hub's route table out of its ARM JSON."""
    properties = mapping(row, "properties")
    labels = frozenset(label.lower() for label in texts(properties, "labels") or ())
    destinations = tuple(item for route in objects(properties, "routes") for item in texts(route, "destinations") or ())
    is_read = all(isinstance(properties.get(field), list) for field in ("labels", "routes"))
    return HubRouteTable(row_id, normalise_id(row_id), labels, destinations, is_read)


def read_routing_intent(row: Row, row_id: str) -> RoutingIntent:
    """A hub's routing intent out of its ARM JSON."""
    policies = objects(row, "properties", "routingPolicies")
    sent = {item.lower() for policy in policies for item in texts(policy, "destinations") or ()}
    hub_key = normalise_id(row_id).rsplit("/", 2)[0]
    return RoutingIntent(row_id, hub_key, internet=_INTERNET in sent, private=_PRIVATE_TRAFFIC in sent)


def table_labels(table_key: str, known: HubRouteTable | None) -> frozenset[str]:
    """The labels of a table; a hub's own default table carries ``default`` whether its row is there or not."""
    labels = known.labels if known is not None else frozenset()
    return labels | {DEFAULT_LABEL} if table_key.endswith(f"/{DEFAULT_TABLE}") else labels


def propagates(source: HubConnection, table_key: str, labels: frozenset[str]) -> bool:
    """Whether a connection puts its VNet's prefixes into a table with these labels."""
    return table_key in source.propagates_to or not source.propagates_to_labels.isdisjoint(labels)
