"""Microsoft.Resources/resourceGroups: made at once; deleted by an operation that takes its contents along."""

from arm_emulator.ids import GROUP_TYPE
from arm_emulator.operations import Timing
from arm_emulator.resource_types.base import IMMEDIATE, Put, ResourceType
from arm_emulator.resource_types.versions import RESOURCES


class ResourceGroups(ResourceType):
    name = GROUP_TYPE
    api_versions = RESOURCES
    has_etag = False
    create = IMMEDIATE
    delete = Timing(15, (15,))
    envelope = frozenset({"location", "tags", "properties", "managedBy"})
    patchable = frozenset({"tags", "managedBy"})

    def prepare(self, put: Put) -> None:
        put.properties.clear()
