"""Microsoft.Network/routeTables and their routes."""

from arm_emulator.cloud import Cloud
from arm_emulator.errors import Json, bad_request
from arm_emulator.guids import new_guid
from arm_emulator.operations import Timing
from arm_emulator.resource_types import addresses
from arm_emulator.resource_types.base import Put, ResourceType, Superseding
from arm_emulator.resource_types.bodies import default, missing
from arm_emulator.store import Resource

TABLES = "Microsoft.Network/routeTables"
ROUTES = "Microsoft.Network/routeTables/routes"
NEXT_HOPS = ("VirtualNetworkGateway", "VnetLocal", "Internet", "VirtualAppliance", "None")


class RouteTables(ResourceType):
    """Its PUT replaces all routes, of which no two have the same prefix; kept while a subnet uses it."""

    name = TABLES
    superseding = Superseding.FAMILY
    nested = {"routes": ROUTES}  # noqa: RUF012  (declared ClassVar by the base)
    order = ("provisioningState", "resourceGuid", "disableBgpRoutePropagation", "routes", "subnets")
    create = Timing(2, (2,))
    delete = Timing(10, (10,))
    read_only = frozenset({"provisioningState", "resourceGuid", "subnets"})

    def prepare(self, put: Put) -> None:
        default(put.properties, disableBgpRoutePropagation=False)
        put.properties["resourceGuid"] = put.before.get("resourceGuid") or new_guid()

    def check_children(self, put: Put, child_type: str, children: list[Json]) -> None:
        taken: dict[str, str] = {}
        for child in children:
            prefix = str(child["properties"].get("addressPrefix") or child["name"]).lower()
            other = taken.setdefault(prefix, child["name"])
            if other != child["name"]:
                raise bad_request(
                    "RouteConflict",
                    f"Route {child['name']} conflicts with route {other}. Routes cannot have the same AddressPrefix.",
                )

    def check_delete(self, cloud: Cloud, item: Resource) -> None:
        users = cloud.store.referrers(item.key, "routeTable")
        if users:
            raise bad_request(
                "InUseRouteTableCannotBeDeleted",
                f"Route table {item.name} is in use and cannot be deleted. It is associated with "
                f"{', '.join(user.element for user in users)}.",
            )

    def computed(self, cloud: Cloud, item: Resource) -> Json:
        users = cloud.store.referrers(item.key, "routeTable")
        return {"subnets": [{"id": user.element} for user in users]} if users else {}


class Routes(ResourceType):
    """Written alone or with its table; a next hop address goes with VirtualAppliance, and with nothing else."""

    name = ROUTES
    tracked = False
    envelope = frozenset({"properties"})
    members = ("name", "id", "etag", "properties", "type")
    order = ("provisioningState", "addressPrefix", "nextHopType", "nextHopIpAddress", "hasBgpOverride")
    create = Timing(2, (2,))
    delete = Timing(2, (10,))

    def prepare(self, put: Put) -> None:
        properties = put.properties
        for name in ("addressPrefix", "nextHopType"):
            if not properties.get(name):
                raise missing(name, put.id)
        if properties["nextHopType"] not in NEXT_HOPS:
            raise bad_request(
                "RouteInvalidNextHopType", f"Next hop type {properties['nextHopType']} of route {put.id} is not valid."
            )
        # A service tag may stand in place of a prefix; it has no slash.
        if "/" in properties["addressPrefix"]:
            addresses.parsed_prefix(properties["addressPrefix"], f"route {put.id}")
        appliance = properties["nextHopType"] == "VirtualAppliance"
        if appliance != bool(properties.get("nextHopIpAddress")):
            raise bad_request(
                "RouteNextHopIpAddressMismatch",
                f"Next hop IP address of route {put.id} is required with next hop type VirtualAppliance, and allowed "
                "with no other.",
            )
        default(properties, hasBgpOverride=False)
