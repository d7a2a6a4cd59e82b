"""Group, version and the metadata of an object."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from pydantic import Field

from bastion_operator.api.model import Model, Timestamp

GROUP = "azurebastion.dev"
VERSION = "v1beta1"
API_VERSION = f"{GROUP}/{VERSION}"
CATEGORY = "azurebastion"

FINALIZER = f"{GROUP}/cleanup"
"""Set by the operator before its first write to Azure, taken off when nothing of its own is left there."""

RECONCILE_REQUESTED_AT = f"{GROUP}/reconcile-requested-at"
"""The annotation that asks for a pass at once; ``status.lastHandledReconcileAt`` repeats its value once handled."""


RECREATE_FAILED = f"{GROUP}/recreate-failed"
"""The annotation that has a failed host deleted and made anew, once: its value is the etag of the host that failed."""


ALLOW_PLAN = f"{GROUP}/allow-plan"
"""The annotation that lets a plan pass which was held back as DeletionGuarded: its value is the hash of that plan."""


class OwnerReference(Model):
    """The object that this one belongs to."""

    api_version: str
    kind: str
    name: str
    uid: str


class ObjectMeta(Model):
    """What the operator reads of an object's metadata. Written by the API server; has no schema in the CRD."""

    name: str
    namespace: str | None = None
    uid: str = ""
    generation: int = 0
    resource_version: str = ""
    creation_timestamp: Timestamp | None = None
    deletion_timestamp: Timestamp | None = None
    finalizers: tuple[str, ...] = ()
    annotations: dict[str, str] = Field(default_factory=dict)
    labels: dict[str, str] = Field(default_factory=dict)
    owner_references: tuple[OwnerReference, ...] = ()

    @property
    def deleting(self) -> bool:
        """Somebody has asked for this object to be deleted."""
        return self.deletion_timestamp is not None

    @property
    def reconcile_requested_at(self) -> str | None:
        """The value of the annotation that asks for a pass at once, whatever stands there."""
        return self.annotations.get(RECONCILE_REQUESTED_AT)

    @property
    def recreate_failed(self) -> str | None:
        """The value of the annotation that has a failed host made anew."""
        return self.annotations.get(RECREATE_FAILED)

    @property
    def allow_plan(self) -> str | None:
        """The value of the annotation that lets a held plan pass."""
        return self.annotations.get(ALLOW_PLAN)


@dataclass(frozen=True, slots=True)
class PrinterColumn:
    """A column of ``kubectl get``. Priority 0 is always shown, 1 with ``-o wide`` only."""

    name: str
    json_path: str
    type: Literal["string", "integer", "date"] = "string"
    description: str = ""
    priority: int = 0

    def schema(self) -> dict[str, str | int]:
        """The column as an entry of ``additionalPrinterColumns``."""
        entry: dict[str, str | int] = {"name": self.name, "type": self.type, "jsonPath": self.json_path}
        if self.description:
            entry["description"] = self.description
        return {**entry, "priority": self.priority} if self.priority else entry


AGE = PrinterColumn("Age", ".metadata.creationTimestamp", "date")


@dataclass(frozen=True, slots=True)
class Names:
    """What a kind is called on the API server and in kubectl."""

    kind: str
    plural: str
    short: str
    scope: Literal["Namespaced", "Cluster"] = "Namespaced"
    status: bool = True
    columns: tuple[PrinterColumn, ...] = (AGE,)

    @property
    def crd(self) -> str:
        """The name of the CustomResourceDefinition."""
        return f"{self.plural}.{GROUP}"


class CustomResource(Model):
    """A custom resource of this group."""

    names: ClassVar[Names]

    api_version: str = API_VERSION
    kind: str
    metadata: ObjectMeta
