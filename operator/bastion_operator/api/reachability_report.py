"""ReachabilityReport: the verdicts on the VMs of one virtual network, as seen from one BastionHost."""

from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from bastion_operator.api.bastion_host import VerdictCounts
from bastion_operator.api.identifiers import ArmID
from bastion_operator.api.meta import AGE, CustomResource, Names, PrinterColumn
from bastion_operator.api.model import ATOMIC, Code, Model, RowMessage

MAX_ROWS = 1000
_MAX_SHARDS = 10_000


class Verdict(StrEnum):
    """Whether a VM can be reached."""

    REACHABLE = "Reachable"
    UNREACHABLE = "Unreachable"
    UNKNOWN = "Unknown"


class ReportReason(Model):
    """Why a VM cannot be reached, or why it cannot be told."""

    code: Code = Field(description="The reason's code.")
    message: RowMessage = Field(default="", description="The reason in words, with what to do about it.")
    resource: ArmID | None = Field(default=None, description="ARM id of the resource that is the cause.")
    rule: str | None = Field(
        default=None, max_length=256, description="Name of the security rule or route that decides."
    )
    priority: int | None = Field(default=None, ge=0, le=65_535, description="That rule's priority.")
    direction: str | None = Field(
        default=None, max_length=16, description="That rule's direction: Inbound or Outbound."
    )


class ReportRow(Model):
    """The verdict on one VM, protocol and port."""

    vm: ArmID = Field(description="The VM's ARM id.")
    protocol: Literal["RDP", "SSH"] = Field(description="RDP or SSH.")
    port: int = Field(ge=1, le=65_535, description="The TCP port.")
    verdict: Verdict = Field(description="Reachable, Unreachable, or Unknown where data is missing.")
    via: str | None = Field(
        default=None, max_length=32, description="How: SameVNet, Peering, GlobalPeering or IpConnect."
    )
    bastion: ArmID | None = Field(default=None, description="ARM id of the best Bastion for this VM.")
    methods: Annotated[tuple[Annotated[str, Field(max_length=32)], ...], ATOMIC] = Field(
        default=(), max_length=8, description="Ways to connect: Portal, NativeClient, ShareableLink."
    )
    reasons: Annotated[tuple[ReportReason, ...], ATOMIC] = Field(
        default=(), max_length=32, description="Everything that stands in the way, what to fix first coming first."
    )
    warnings: Annotated[tuple[Code, ...], ATOMIC] = Field(
        default=(), max_length=32, description="Codes of what does not change the verdict but is worth knowing."
    )


class Shard(Model):
    """Which part of the virtual network's VMs a report holds. A VM's shard is decided by a hash of its id."""

    index: int = Field(ge=0, lt=_MAX_SHARDS, description="Number of this part, from 0.")
    count: int = Field(ge=1, le=_MAX_SHARDS, description="Number of parts.")


class ReachabilityReport(CustomResource):
    """The verdicts on the VMs of one virtual network, as seen from one BastionHost. Written by the operator."""

    names: ClassVar[Names] = Names(
        kind="ReachabilityReport",
        plural="reachabilityreports",
        short="rr",
        status=False,
        columns=(
            PrinterColumn("Bastion", ".bastionHost"),
            PrinterColumn("VNet", ".virtualNetwork"),
            PrinterColumn("Reachable", ".counts.reachable", "integer"),
            PrinterColumn("Unreachable", ".counts.unreachable", "integer"),
            PrinterColumn("Unknown", ".counts.unknown", "integer"),
            PrinterColumn("Stopped", ".counts.stopped", "integer", priority=1),
            AGE,
        ),
    )

    kind: Literal["ReachabilityReport"] = "ReachabilityReport"
    bastion_host: str = Field(max_length=253, description="Name of the BastionHost, in this namespace.")
    virtual_network_id: ArmID = Field(description="ARM id of the virtual network in which the VMs are.")
    virtual_network: str = Field(max_length=80, description="Name of that virtual network.")
    shard: Shard = Field(
        default=Shard(index=0, count=1), description="Which part of the network's VMs this report holds."
    )
    counts: VerdictCounts = Field(default=VerdictCounts(), description="Numbers of this report's VMs by verdict.")
    rows: Annotated[tuple[ReportRow, ...], ATOMIC] = Field(
        default=(), max_length=MAX_ROWS, description="One row for each VM, protocol and port, ordered by these."
    )
