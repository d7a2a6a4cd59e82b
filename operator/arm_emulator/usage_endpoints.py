"""Microsoft.Network's usages: how many resources a subscription has in a region, and how many it may have there.

Names, words and units: the example UsageList.json of specification/network. `StandardSkuPublicIpAddresses` is not in that
example; `az network list-usages` shows it beside `PublicIPAddresses`. What is limited within one resource has a limit
and, as in the example, no count.
"""

from http import HTTPStatus

from arm_emulator.cloud import Cloud
from arm_emulator.errors import ArmError, Json, bad_request
from arm_emulator.messages import Answer, Request
from arm_emulator.principals import Principal
from arm_emulator.regions import REGIONS
from arm_emulator.resource_types.peerings import MOST_PEERINGS
from arm_emulator.resource_types.quotas import PUBLIC_IPS, limit_of

READ = "Microsoft.Network/locations/usages/read"
_COUNTED = (
    ("VirtualNetworks", "Virtual Networks", "microsoft.network/virtualnetworks"),
    ("NetworkSecurityGroups", "Network Security Groups", "microsoft.network/networksecuritygroups"),
    ("PublicIPAddresses", "Public IP Addresses", PUBLIC_IPS),
    ("StandardSkuPublicIpAddresses", "Public IP Addresses - Standard", PUBLIC_IPS),
    ("NetworkInterfaces", "Network Interfaces", "microsoft.network/networkinterfaces"),
    ("LoadBalancers", "Load Balancers", "microsoft.network/loadbalancers"),
    ("RouteTables", "Route Tables", "microsoft.network/routetables"),
)
_WITHIN_ONE = (
    ("PeeringsPerVirtualNetwork", "Peerings per Virtual Network", MOST_PEERINGS),
    ("SecurityRulesPerNetworkSecurityGroup", "Security rules per Network Security Group", 1000),
)


class UsageEndpoints:
    """Answers for the subscriptions of one cloud."""

    def __init__(self, cloud: Cloud) -> None:
        """The cloud whose resources are counted."""
        self._cloud = cloud

    def answer(self, request: Request, principal: Principal, segments: list[str]) -> Answer | None:
        """The answer to a path of these lower-cased segments; None where it is no list of usages. Raises ArmError."""
        match segments:
            case ["subscriptions", subscription, "providers", "microsoft.network", "locations", region, "usages"]:
                return self._usages(request, principal, subscription, region)
            case _:
                return None

    def _usages(self, request: Request, principal: Principal, subscription: str, region: str) -> Answer:
        if request.method != "GET":
            raise ArmError(HTTPStatus.METHOD_NOT_ALLOWED, "UnsupportedHttpVerb", "Usages are only read.")
        place = f"/subscriptions/{subscription}"
        self._cloud.rights.authorize(principal, READ, place)
        if region not in REGIONS:
            raise bad_request(
                "LocationNotAvailableForResourceType",
                f"The provided location '{region}' is not available for resource type 'Microsoft.Network/locations'.",
            )
        base = f"{place}/providers/Microsoft.Network/locations/{region}/usages"
        counted = (
            _usage(base, name, words, self._count(place, region, kind), limit_of(self._cloud.settings, kind))
            for name, words, kind in _COUNTED
        )
        return Answer.listing([*counted, *(_usage(base, name, words, 0, most) for name, words, most in _WITHIN_ONE)])

    def _count(self, place: str, region: str, kind: str) -> int:
        return sum(one.location.lower() == region for one in self._cloud.store.listed(place, kind))


def _usage(base: str, name: str, words: str, count: int, limit: int) -> Json:
    return {
        "id": f"{base}/{name}",
        "unit": "Count",
        "currentValue": count,
        "limit": limit,
        "name": {"value": name, "localizedValue": words},
    }
