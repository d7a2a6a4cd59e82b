"""AzureIdentity: as whom the operator acts in Azure, for which namespaces and in which subscriptions."""

from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from bastion_operator.api.common import ObservedStatus
from bastion_operator.api.identifiers import UUID, ObjectName
from bastion_operator.api.meta import AGE, CustomResource, Names, PrinterColumn
from bastion_operator.api.model import ATOMIC, SET, Matches, Model, Rule

_NAMESPACE = Annotated[
    str,
    Field(max_length=63),
    Matches("[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", "must be the name of a namespace: lower-case letters, digits and -"),
]
_LABEL_KEY = Annotated[str, Field(max_length=317)]
_LABEL_VALUE = Annotated[str, Field(max_length=63)]


class IdentityType(StrEnum):
    """How the operator proves who it is."""

    SERVICE_PRINCIPAL = "ServicePrincipal"
    WORKLOAD_IDENTITY = "WorkloadIdentity"
    MANAGED_IDENTITY = "ManagedIdentity"


class LabelOperator(StrEnum):
    """How a requirement of a label selector compares."""

    IN = "In"
    NOT_IN = "NotIn"
    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"


class LabelRequirement(Model):
    """One requirement of a label selector."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.operator in ['In', 'NotIn'] ? self.?values.orValue([]).size() > 0 : "
            "self.?values.orValue([]).size() == 0",
            "In and NotIn need values; Exists and DoesNotExist have none",
            ".operator",
        ),
    )

    key: _LABEL_KEY = Field(description="The label's key.")
    operator: LabelOperator = Field(description="In, NotIn, Exists or DoesNotExist.")
    values: Annotated[tuple[_LABEL_VALUE, ...], ATOMIC] = Field(
        default=(), max_length=64, description="The values for In and NotIn."
    )


class LabelSelector(Model):
    """A label selector as Kubernetes has it. All requirements must hold; an empty selector matches everything."""

    match_labels: dict[str, _LABEL_VALUE] = Field(
        default_factory=dict, max_length=64, description="Labels that must be there with these values."
    )
    match_expressions: Annotated[tuple[LabelRequirement, ...], ATOMIC] = Field(
        default=(), max_length=64, description="Requirements on labels."
    )


class AllowedNamespaces(Model):
    """The namespaces whose resources may use an identity: those named, and those whose labels match."""

    names: Annotated[tuple[_NAMESPACE, ...], SET] = Field(
        default=(), max_length=1000, description="Names of namespaces."
    )
    selector: LabelSelector | None = Field(
        default=None,
        description="Labels of namespaces. Unset: none beside those named. An empty selector: all namespaces.",
    )


class AzureIdentitySpec(Model):
    """An identity in Azure and who may use it for what."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.type == 'ManagedIdentity' || has(self.clientID)",
            "clientID is required: write the application's (client) id; only type ManagedIdentity can do without",
            ".clientID",
        ),
        Rule(
            "self.type != 'ServicePrincipal' || has(self.secretName)",
            "type ServicePrincipal needs secretName: a Secret in the operator's namespace with the key clientSecret or "
            "clientCertificate",
            ".secretName",
        ),
        Rule(
            "self.type == 'ServicePrincipal' || !has(self.secretName)",
            "only type ServicePrincipal has a secret: leave secretName out",
            ".secretName",
        ),
    )

    type: IdentityType = Field(
        description="ServicePrincipal: an application with a secret or a certificate. WorkloadIdentity: the operator's "
        "service account, trusted by an application or a managed identity. ManagedIdentity: that of the node or pod."
    )
    tenant_id: UUID = Field(description="The Entra tenant's id.")
    client_id: UUID | None = Field(
        default=None,
        description="The application's (client) id. With ManagedIdentity: that of a user-assigned identity; unset: the "
        "system-assigned one.",
    )
    secret_name: ObjectName | None = Field(
        default=None,
        description="With ServicePrincipal: a Secret in the operator's own namespace, with the key clientSecret, or "
        "clientCertificate (certificate and private key as PEM).",
    )
    allowed_namespaces: AllowedNamespaces | None = Field(
        default=None, description="The namespaces whose resources may use this identity. Unset: none."
    )
    allowed_subscriptions: Annotated[tuple[UUID, ...], SET] = Field(
        default=(),
        max_length=1000,
        description="The subscriptions that this identity is used in; everything in others is neither written nor "
        "shown. Unset: none.",
    )


class AzureIdentityStatus(ObservedStatus):
    """Whether the identity works."""


class AzureIdentity(CustomResource):
    """An identity in Azure that the operator may use, for the namespaces and subscriptions that are named."""

    names: ClassVar[Names] = Names(
        kind="AzureIdentity",
        plural="azureidentities",
        short="azid",
        scope="Cluster",
        columns=(
            PrinterColumn("Ready", '.status.conditions[?(@.type=="Ready")].status'),
            PrinterColumn("Reason", '.status.conditions[?(@.type=="Ready")].reason'),
            PrinterColumn("Type", ".spec.type"),
            PrinterColumn("Client", ".spec.clientID", priority=1),
            PrinterColumn("Message", '.status.conditions[?(@.type=="Ready")].message', priority=1),
            AGE,
        ),
    )

    kind: Literal["AzureIdentity"] = "AzureIdentity"
    spec: AzureIdentitySpec = Field(description="The identity and who may use it for what.")
    status: AzureIdentityStatus | None = Field(default=None, description="Whether it works. Written by the operator.")
