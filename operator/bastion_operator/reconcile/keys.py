"""What the work queue holds."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """The kinds that have passes."""

    BASTION_HOST = "BastionHost"
    VNET_PEERING = "VNetPeering"
    AZURE_IDENTITY = "AzureIdentity"


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """One custom resource. ``namespace`` is empty for what is cluster-scoped."""

    kind: Kind
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.namespace}/{self.name}" if self.namespace else f"{self.kind}/{self.name}"
