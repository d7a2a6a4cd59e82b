"""Microsoft.Resources/subscriptions, as rows of Resource Graph show them; ARM's answers are in `subscription_endpoints.py`."""

from arm_emulator import ancestry
from arm_emulator.cloud import Cloud
from arm_emulator.errors import Json
from arm_emulator.ids import SUBSCRIPTION_TYPE
from arm_emulator.resource_types.base import ResourceType
from arm_emulator.store import Resource


class Subscriptions(ResourceType):
    """A row with its chain of management groups; it is neither written nor deleted here."""

    name = SUBSCRIPTION_TYPE
    tracked = has_etag = has_state = False

    def row(self, cloud: Cloud, item: Resource) -> Json:
        return {"managementGroupAncestorsChain": ancestry.chain(cloud.store, item)}
