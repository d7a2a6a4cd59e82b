"""Microsoft.Resources/resourceGroups: made at once; deleted by an operation that takes its contents along."""

from collections.abc import Mapping

from arm_emulator import odata
from arm_emulator.cloud import Cloud
from arm_emulator.ids import GROUP_TYPE
from arm_emulator.operations import Timing
from arm_emulator.resource_list import tagged
from arm_emulator.resource_types.base import IMMEDIATE, Put, ResourceType
from arm_emulator.store import Resource


class ResourceGroups(ResourceType):
    """Made at once and without etag; properties of a body are not kept, and a list may ask for a tag."""

    name = GROUP_TYPE
    has_etag = False
    members = ("id", "name", "type", "location", "managedBy", "tags", "properties")
    create = IMMEDIATE
    delete = Timing(15, (15,))
    envelope = frozenset({"location", "tags", "properties", "managedBy"})
    patchable = frozenset({"tags", "managedBy"})

    def listed(self, cloud: Cloud, place: str, query: Mapping[str, str]) -> list[Resource]:
        """All, or those with the tag that `tagName eq '…' and tagValue eq '…'` asks for."""
        text = query.get("$filter", "")
        terms = odata.only(odata.terms(text), text, "tagname", "tagvalue")
        return [group for group in cloud.store.listed(place, self.name) if tagged(group, terms)]

    def prepare(self, put: Put) -> None:
        put.properties.clear()
