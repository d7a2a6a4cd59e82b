"""Microsoft.Network/virtualWans: what groups virtual hubs that can route to each other.

Rules: https://learn.microsoft.com/azure/virtual-wan/virtual-wan-about
"""

from arm_emulator.cloud import Cloud
from arm_emulator.errors import Json, bad_request
from arm_emulator.operations import Timing
from arm_emulator.resource_types.base import Put, ResourceType
from arm_emulator.resource_types.bodies import choice, default, refuse_used
from arm_emulator.resource_types.pointers import users
from arm_emulator.store import Resource

WANS = "Microsoft.Network/virtualWans"


class VirtualWans(ResourceType):
    """Lists its hubs; goes from Basic to Standard and not back."""

    name = WANS
    create = Timing(5, (10,))
    delete = Timing(10, (10,))
    read_only = frozenset({"provisioningState", "virtualHubs", "vpnSites"})

    def prepare(self, put: Put) -> None:
        kind = choice(put.properties, "type", ("Basic", "Standard"), "Standard")
        if put.before.get("type") == "Standard" and kind == "Basic":
            raise bad_request(
                "VirtualWanTypeCannotBeDowngraded", f"Virtual WAN {put.id} cannot go from Standard to Basic."
            )
        default(
            put.properties,
            allowBranchToBranchTraffic=True,
            disableVpnEncryption=False,
            office365LocalBreakoutCategory="None",
        )

    def computed(self, cloud: Cloud, item: Resource) -> Json:
        hubs = users(cloud.store.referrers(item.key, "virtualWan"))
        return {"virtualHubs": hubs} if hubs else {}

    def check_delete(self, cloud: Cloud, item: Resource) -> None:
        refuse_used(cloud, item, ("virtualWan",), "InUseVirtualWanCannotBeDeleted")
