"""Microsoft.Network/ddosProtectionPlans: which networks they protect."""

from arm_emulator.cloud import Cloud
from arm_emulator.errors import Json
from arm_emulator.operations import Timing
from arm_emulator.resource_types.base import Put, ResourceType
from arm_emulator.resource_types.bodies import refuse_used, with_guid
from arm_emulator.resource_types.pointers import users
from arm_emulator.store import Resource

PLANS = "Microsoft.Network/ddosProtectionPlans"
PROTECTED = "ddosProtectionPlan"


class DdosProtectionPlans(ResourceType):
    """Lists the networks that it protects, and is not deleted while there are any."""

    name = PLANS
    create = Timing(5, (10,))
    delete = Timing(10, (10,))
    read_only = frozenset({"provisioningState", "resourceGuid", "virtualNetworks", "publicIPAddresses"})

    def prepare(self, put: Put) -> None:
        with_guid(put)

    def computed(self, cloud: Cloud, item: Resource) -> Json:
        networks = users(cloud.store.referrers(item.key, PROTECTED))
        return {"virtualNetworks": networks} if networks else {}

    def check_delete(self, cloud: Cloud, item: Resource) -> None:
        refuse_used(cloud, item, (PROTECTED,), "DdosProtectionPlanInUse")
