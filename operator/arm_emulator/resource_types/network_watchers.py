"""Microsoft.Network/networkWatchers: one a region and subscription, and its questions about flows.

Rules: https://learn.microsoft.com/azure/network-watcher/network-watcher-overview
"""

import re
from collections.abc import Mapping
from ipaddress import IPv4Address

from arm_emulator.cloud import Cloud, items, new_etag
from arm_emulator.errors import ArmError, Json, bad_request
from arm_emulator.evaluation import diagnostics
from arm_emulator.evaluation.effective import effective_groups
from arm_emulator.evaluation.live import CloudRows
from arm_emulator.evaluation.placement import Placement, placement
from arm_emulator.evaluation.security_rules import LAST_PORT
from arm_emulator.ids import GROUP_TYPE, ResourceId
from arm_emulator.operations import Timing
from arm_emulator.resource_types.base import IMMEDIATE, Call, Put, ResourceType, Result
from arm_emulator.resource_types.running_machine import interface_of, refuse_unless_running
from arm_emulator.store import Resource, resource

_PORT = re.compile(r"[0-9]{1,5}")
WATCHERS = "Microsoft.Network/networkWatchers"
NETWORKS = "Microsoft.Network/virtualNetworks"
OWN_GROUP = "NetworkWatcherRG"
OWN_NAME = "NetworkWatcher_"
DIRECTIONS = ("Inbound", "Outbound")
PROTOCOLS = {"tcp": "Tcp", "udp": "Udp", "icmp": "Icmp", "any": "*", "*": "*"}
QUICK = Timing(3, (1,))


class NetworkWatchers(ResourceType):
    """One a region, which Azure makes by itself with the first network there; answers questions about running machines."""

    name = WATCHERS
    create = IMMEDIATE
    delete = Timing(10, (10,))
    actions = {  # noqa: RUF012  (declared ClassVar by the base)
        "ipflowverify": "ipFlowVerify",
        "nexthop": "nextHop",
        "networkconfigurationdiagnostic": "networkConfigurationDiagnostic",
        "securitygroupview": "securityGroupView",
    }

    def prepare(self, put: Put) -> None:
        for other in put.cloud.store.listed(f"/subscriptions/{put.id.subscription.lower()}", WATCHERS):
            if other.key != put.id.key and other.location == put.location:
                raise bad_request(
                    "NetworkWatcherCountLimitReached",
                    f"Cannot create more than 1 network watchers for this subscription in this region. Resource {other.id} "
                    f"is in {other.location} already.",
                )

    def appears(self, cloud: Cloud, resource_id: ResourceId) -> Resource | None:
        """Azure makes a region's watcher by itself, in a group and under a name of its own, once networks are there."""
        region = resource_id.name.lower().removeprefix(OWN_NAME.lower())
        if (resource_id.group or "").lower() != OWN_GROUP.lower() or OWN_NAME.lower() not in resource_id.name.lower():
            return None
        return self._made(cloud, resource_id.subscription, region) if region in _regions(cloud, resource_id) else None

    def listed(self, cloud: Cloud, place: str, query: Mapping[str, str]) -> list[Resource]:
        first = next(iter(cloud.store.listed(place, NETWORKS)), None)
        if first is not None and place == f"/subscriptions/{first.id.subscription.lower()}":
            for region in _regions(cloud, first.id):
                self._made(cloud, first.id.subscription, region)
        return cloud.store.listed(place, WATCHERS)

    def act(self, cloud: Cloud, item: Resource, call: Call) -> Result:
        """Answers a question about a running machine. Raises ArmError for one that cannot be understood."""
        interface = interface_of(
            cloud, call.body.get("targetResourceId"), call.body.get("targetNicResourceId"), str(item.id)
        )
        refuse_unless_running(cloud, interface)
        rows = CloudRows(cloud)
        body = rows.find(str(interface.id))
        assert body is not None
        try:
            place = placement(rows, body)
            answer = _ANSWERS[call.action](rows, place, call.body)
        except (LookupError, ValueError) as error:
            raise _invalid(item, str(error)) from None
        return Result(f"{self.actions[call.action]}NetworkWatcher", QUICK, answer)

    def _made(self, cloud: Cloud, subscription: str, region: str) -> Resource | None:
        for other in cloud.store.listed(f"/subscriptions/{subscription.lower()}", WATCHERS):
            if other.location == region:
                return None
        group = ResourceId(subscription, OWN_GROUP, GROUP_TYPE, (OWN_GROUP,))
        if cloud.store.get(group.key) is None:
            cloud.store.put(resource(group, {"location": region, "properties": {"provisioningState": "Succeeded"}}))
        own = ResourceId(subscription, OWN_GROUP, WATCHERS, (f"{OWN_NAME}{region}",))
        made = resource(own, {"location": region, "properties": {"provisioningState": "Succeeded"}})
        made.etag = new_etag()
        cloud.store.put(made)
        return made


def _regions(cloud: Cloud, inside: ResourceId) -> list[str]:
    """The regions in which the subscription has virtual networks."""
    networks = cloud.store.listed(f"/subscriptions/{inside.subscription.lower()}", NETWORKS)
    return sorted({network.location for network in networks if network.location})


def _verified(rows: CloudRows, place: Placement, body: Json) -> Json:
    del rows
    return diagnostics.verify(
        place,
        diagnostics.Packet(
            _direction(body),
            _protocol(body),
            IPv4Address(str(body.get("localIPAddress"))),
            _port(body, "localPort"),
            IPv4Address(str(body.get("remoteIPAddress"))),
            _port(body, "remotePort"),
        ),
    )


def _next_hop(rows: CloudRows, place: Placement, body: Json) -> Json:
    IPv4Address(str(body.get("sourceIPAddress")))
    return diagnostics.hop(rows, place, IPv4Address(str(body.get("destinationIPAddress"))))


def _diagnosed(rows: CloudRows, place: Placement, body: Json) -> Json:
    del rows
    profiles = items(body, "profiles")
    if not profiles:
        raise ValueError("profiles: at least one is needed")
    verbosity = str(body.get("verbosityLevel") or "Normal")
    return {
        "results": [
            {"profile": asked, "networkSecurityGroupResult": diagnostics.diagnose(place, _profile(asked), verbosity)}
            for asked in profiles
        ]
    }


def _profile(asked: Json) -> diagnostics.Profile:
    port = str(asked.get("destinationPort", "*"))
    return diagnostics.Profile(
        _direction(asked),
        _protocol(asked),
        str(asked.get("source", "*")),
        str(asked.get("destination", "*")),
        None if port == "*" else _port(asked, "destinationPort"),
    )


def _security_view(rows: CloudRows, place: Placement, body: Json) -> Json:
    del body
    groups = effective_groups(rows, place.interface)["value"]
    rules = [rule for group in groups for rule in group["effectiveSecurityRules"]]
    association = {"effectiveSecurityRules": rules}
    return {"networkInterfaces": [{"id": place.interface["id"], "securityRuleAssociations": association}]}


_ANSWERS = {
    "ipflowverify": _verified,
    "nexthop": _next_hop,
    "networkconfigurationdiagnostic": _diagnosed,
    "securitygroupview": _security_view,
}


def _direction(body: Json) -> str:
    given = str(body.get("direction", ""))
    if given.capitalize() not in DIRECTIONS:
        raise ValueError(f"direction: expected one of {', '.join(DIRECTIONS)}, not '{given}'")
    return given.capitalize()


def _protocol(body: Json) -> str:
    given = str(body.get("protocol", ""))
    if given.lower() not in PROTOCOLS:
        raise ValueError(f"protocol: '{given}' is none that can be asked about")
    return PROTOCOLS[given.lower()]


def _port(body: Json, name: str) -> int:
    given = str(body.get(name, ""))
    if not _PORT.fullmatch(given) or int(given) > LAST_PORT:
        raise ValueError(f"{name}: '{given}' is no port")
    return int(given)


def _invalid(item: Resource, message: str) -> ArmError:
    return bad_request("InvalidParameter", f"The question to network watcher {item.id} cannot be answered: {message}.")
