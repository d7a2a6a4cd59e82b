"""Types that the emulator holds but does not know: kept as they came, read, listed, and seen by the graph."""

from arm_emulator.cloud import id_of, items
from arm_emulator.resource_types.base import ResourceType
from arm_emulator.store import Reference, Resource


class Generic(ResourceType):
    """Any type without rules here: kept as it came, without etag; its ipConfigurations hold the subnets that they name."""

    name = ""
    has_etag = False

    def references(self, item: Resource) -> list[Reference]:
        """Gateways and others hold addresses as interfaces do: such a subnet is in use."""
        found = []
        for part in items(item.properties, "ipConfigurations"):
            element = part.get("id") or str(item.id.child("ipConfigurations", str(part.get("name", ""))))
            target = id_of((part.get("properties") or {}).get("subnet"))
            found += [Reference("subnet", target, element)] if target else []
        return found


GENERIC = Generic()
