"""Microsoft.OperationalInsights/workspaces: what diagnostic settings send to, as far as its resource goes.

Shape: https://learn.microsoft.com/rest/api/loganalytics/workspaces
"""

from arm_emulator.cloud import Cloud
from arm_emulator.errors import bad_request
from arm_emulator.guids import new_guid
from arm_emulator.operations import Operation, Timing
from arm_emulator.resource_types.base import IMMEDIATE, Put, ResourceType
from arm_emulator.resource_types.bodies import default
from arm_emulator.store import Resource

WORKSPACES = "Microsoft.OperationalInsights/workspaces"
SKUS = ("PerGB2018", "CapacityReservation", "Free", "PerNode", "Premium", "Standalone", "Standard", "LACluster")
MOST_DAYS = 730


class Workspaces(ResourceType):
    """Gets a `customerId` when it is made and is deleted at once; PATCH merges into the whole."""

    name = WORKSPACES
    envelope = frozenset({"location", "tags", "properties", "identity"})
    create = Timing(20, (10,))
    delete = IMMEDIATE
    read_only = frozenset({"provisioningState", "customerId", "createdDate", "modifiedDate"})
    merges_patch = True

    def prepare(self, put: Put) -> None:
        wanted = put.properties
        default(wanted, sku={"name": "PerGB2018"}, retentionInDays=30)
        spelt = {one.lower(): one for one in SKUS}
        sku = wanted["sku"] if isinstance(wanted["sku"], dict) else {}
        name, days = spelt.get(str(sku.get("name", "")).lower()), wanted["retentionInDays"]
        if name is None:
            raise bad_request("InvalidSku", f"The SKU of workspace {put.id} is none of {', '.join(SKUS)}.")
        if not isinstance(days, int) or isinstance(days, bool) or not 7 <= days <= MOST_DAYS:  # noqa: PLR2004  (a week)
            raise bad_request("InvalidParameter", f"retentionInDays of workspace {put.id} must be 7 to {MOST_DAYS}.")
        at = put.cloud.clock.timestamp()
        wanted["sku"] = {**sku, "name": name}
        default(wanted, publicNetworkAccessForIngestion="Enabled", publicNetworkAccessForQuery="Enabled")
        wanted["customerId"] = put.before.get("customerId") or new_guid()
        wanted["createdDate"] = put.before.get("createdDate", at)
        wanted["modifiedDate"] = at

    def succeeded(self, cloud: Cloud, item: Resource, operation: Operation) -> None:
        del operation
        item.properties["modifiedDate"] = cloud.clock.timestamp()
