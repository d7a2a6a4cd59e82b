"""How many resources of a type a subscription may have in a region.

Limits: https://learn.microsoft.com/azure/azure-resource-manager/management/azure-subscription-service-limits (networking); the one of
public IPs is an option of its own.
"""

from dataclasses import dataclass

from arm_emulator.cloud import Settings
from arm_emulator.errors import bad_request
from arm_emulator.resource_types.base import Put

PUBLIC_IPS = "microsoft.network/publicipaddresses"


@dataclass(frozen=True, slots=True)
class Quota:
    """`code` is what Azure answers beyond `limit`, `noun` what the message calls the resources."""

    code: str
    limit: int
    noun: str


QUOTAS = {
    "microsoft.network/applicationsecuritygroups": Quota("ApplicationSecurityGroupCountLimitReached", 3000, "application security groups"),
    "microsoft.network/loadbalancers": Quota("LoadBalancerCountLimitReached", 1000, "load balancers"),
    "microsoft.network/networkinterfaces": Quota("NetworkInterfaceCountLimitReached", 65536, "network interfaces"),
    "microsoft.network/networksecuritygroups": Quota("NetworkSecurityGroupCountLimitReached", 5000, "network security groups"),
    "microsoft.network/privatednszones": Quota("PrivateDnsZoneCountLimitReached", 1000, "private DNS zones"),
    PUBLIC_IPS: Quota("PublicIPCountLimitReached", 10, "public IP addresses"),
    "microsoft.network/routetables": Quota("RouteTableCountLimitReached", 200, "route tables"),
    "microsoft.network/virtualnetworks": Quota("VnetCountLimitReached", 1000, "virtual networks"),
}  # fmt: skip
"""By type in lower case."""


def limit_of(settings: Settings, kind: str) -> int:
    """How many of a type (in lower case, one of ``QUOTAS``) a subscription may have in a region."""
    default = settings.public_ip_quota if kind == PUBLIC_IPS else QUOTAS[kind].limit
    return settings.quotas.get(kind, default)


def refuse_beyond(put: Put) -> None:
    """Raises where one more resource of the type would be too many; `QuotaExceeded` is in the details."""
    kind = put.id.type.lower()
    quota = QUOTAS.get(kind)
    if quota is None or put.old is not None:
        return
    limit = limit_of(put.cloud.settings, kind)
    place = f"/subscriptions/{put.id.subscription.lower()}"
    if put.cloud.store.count(place, kind) < limit:
        return
    count = sum(other.location.lower() == put.location.lower() for other in put.cloud.store.listed(place, kind))
    if count >= limit:
        raise bad_request(
            quota.code,
            f"Cannot create more than {limit} {quota.noun} for this subscription in this region.",
            details=[
                {
                    "code": "QuotaExceeded",
                    "message": f"Limit {limit} of {put.id.type.partition('/')[2]} in {put.location}.",
                }
            ],
        )
