"""The cloud's own resources as the evaluators read them."""

from collections.abc import Iterator

from arm_emulator.cloud import Cloud
from arm_emulator.errors import Json
from arm_emulator.store import Resource

_NETWORK = "microsoft.network"
CHILDREN = {
    f"{_NETWORK}/virtualnetworks": ("subnets", "virtualNetworkPeerings"),
    f"{_NETWORK}/networksecuritygroups": ("securityRules",),
    f"{_NETWORK}/routetables": ("routes",),
}


class CloudRows:
    """Bodies as they are stored, with those children inside that the evaluators look for there."""

    def __init__(self, cloud: Cloud) -> None:
        """Reads from the cloud's store whenever it is asked."""
        self._cloud = cloud

    def find(self, resource_id: str | None) -> Json | None:
        item = self._cloud.find(resource_id)
        return None if item is None else self._body(item)

    def of_type(self, kind: str) -> Iterator[Json]:
        return (self._body(item) for item in self._cloud.store.listed("/", kind))

    def _body(self, item: Resource) -> Json:
        properties = dict(item.properties)
        for name in CHILDREN.get(item.id.type.lower(), ()):
            children = self._cloud.store.children(item.key, f"{item.id.type}/{name}")
            properties[name] = [self._body(child) for child in children]
        return {
            "id": str(item.id),
            "name": item.name,
            "type": item.id.type,
            "location": item.location,
            "properties": properties,
        }
