"""Route tables, routing intent and BGP connections of virtual hubs.

Rules: https://learn.microsoft.com/azure/virtual-wan/about-virtual-hub-routing and
https://learn.microsoft.com/azure/virtual-wan/how-to-routing-policies
"""

from arm_emulator.cloud import Cloud, items
from arm_emulator.errors import Json, bad_request, invalid_reference
from arm_emulator.operations import Operation, Timing
from arm_emulator.resource_types.base import Put, ResourceType
from arm_emulator.resource_types.bodies import choice, default, missing, refuse_used
from arm_emulator.resource_types.pointers import Pointer, Pointing
from arm_emulator.resource_types.virtual_hubs import CONNECTIONS, DEFAULT_TABLE, HUBS, NONE_TABLE, ROUTE_TABLES
from arm_emulator.store import Reference, Resource

ROUTING_INTENT = f"{HUBS}/routingIntent"
BGP_CONNECTIONS = f"{HUBS}/bgpConnections"
DESTINATIONS = ("Internet", "PrivateTraffic")
_TABLE_RELATIONS = {"associatedConnections": "associatedRouteTable", "propagatingConnections": "propagatedRouteTable"}


class HubRouteTables(ResourceType):
    """Tells which connections are associated with it and propagate to it; the hub's own two are never deleted."""

    name = ROUTE_TABLES
    tracked = False
    envelope = frozenset({"properties"})
    create = Timing(20, (10,))
    delete = Timing(20, (10,))
    read_only = frozenset({"provisioningState", "associatedConnections", "propagatingConnections"})

    def prepare(self, put: Put) -> None:
        default(put.properties, routes=[], labels=[])
        for route in items(put.properties, "routes"):
            choice(route, "destinationType", ("CIDR", "ResourceId", "Service"))
            choice(route, "nextHopType", ("ResourceId",), "ResourceId")
            if not route.get("destinations"):
                raise missing("destinations", put.id)
            if put.cloud.find(str(route.get("nextHop"))) is None:
                raise invalid_reference(str(route.get("nextHop")), str(put.id))

    def references(self, item: Resource) -> list[Reference]:
        hops = [route.get("nextHop") for route in items(item.properties, "routes")]
        return [Reference("nextHop", hop, str(item.id)) for hop in hops if isinstance(hop, str)]

    def computed(self, cloud: Cloud, item: Resource) -> Json:
        return {
            name: [user.element for user in cloud.store.referrers(item.key, relation)]
            for name, relation in _TABLE_RELATIONS.items()
        }

    def check_delete(self, cloud: Cloud, item: Resource) -> None:
        if item.name in (DEFAULT_TABLE, NONE_TABLE):
            raise bad_request(
                "DefaultHubRouteTableCannotBeDeleted", f"Route table {item.id} belongs to every virtual hub."
            )
        refuse_used(cloud, item, tuple(_TABLE_RELATIONS.values()), "InUseHubRouteTableCannotBeDeleted")


class RoutingIntents(ResourceType):
    """One a hub, for Internet and private traffic once each; its next hop must stand, and cannot go meanwhile."""

    name = ROUTING_INTENT
    tracked = False
    envelope = frozenset({"properties"})
    create = Timing(60, (10,))
    delete = Timing(60, (10,))

    def prepare(self, put: Put) -> None:
        default(put.properties, routingPolicies=[])
        seen: set[str] = set()
        for policy in items(put.properties, "routingPolicies"):
            if not policy.get("name") or not policy.get("nextHop"):
                raise missing("nextHop", put.id)
            if put.cloud.find(str(policy["nextHop"])) is None:
                raise invalid_reference(str(policy["nextHop"]), str(put.id))
            for destination in policy.get("destinations") or []:
                if destination not in DESTINATIONS or destination in seen:
                    raise bad_request(
                        "RoutingIntentInvalidDestination",
                        f"Destination {destination} of {put.id} is none of {', '.join(DESTINATIONS)}, or occurs twice.",
                    )
                seen.add(destination)
        for other in put.cloud.store.children(put.id.root.key, ROUTING_INTENT):
            if other.key != put.id.key:
                raise bad_request("RoutingIntentAlreadyExists", f"Virtual hub {put.id.root} has {other.id} already.")

    def references(self, item: Resource) -> list[Reference]:
        hops = [policy.get("nextHop") for policy in items(item.properties, "routingPolicies")]
        return [Reference("nextHop", hop, str(item.id)) for hop in hops if isinstance(hop, str)]


class BgpConnections(Pointing):
    """A peer of a hub's router: Connecting until its operation has ended, then Connected."""

    name = BGP_CONNECTIONS
    tracked = False
    envelope = frozenset({"properties"})
    create = Timing(60, (10,))
    delete = Timing(60, (10,))
    read_only = frozenset({"provisioningState", "connectionState"})
    pointers = (Pointer("hubVirtualNetworkConnection", "bgpPeer", CONNECTIONS),)

    def prepare(self, put: Put) -> None:
        for name in ("peerAsn", "peerIp"):
            if not put.properties.get(name):
                raise missing(name, put.id)
        super().prepare(put)
        put.properties["connectionState"] = put.before.get("connectionState", "Connecting")

    def succeeded(self, cloud: Cloud, item: Resource, operation: Operation) -> None:
        item.properties["connectionState"] = "Connected"
