"""BastionHost: one Azure Bastion, its subnet and public IP, and the VMs that it must reach."""

from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from bastion_operator.api.bastion_access import AccessPolicy, PrincipalAccesses
from bastion_operator.api.bastion_host_rules import (
    BASTION_HOST_RULES,
    FEATURE_RULES,
    IMMUTABLE_NETWORK,
    NETWORK_SECURITY_RULES,
    PUBLIC_IP_RULES,
    SPEC_RULES,
)
from bastion_operator.api.common import CommonSpec, CommonStatus
from bastion_operator.api.identifiers import (
    AllowedSource,
    ArmID,
    AzureName,
    PublicIPAddressID,
    ResourceGroupName,
    SubnetID,
    SubnetPrefix,
    Tags,
    VirtualNetworkID,
    WorkspaceID,
)
from bastion_operator.api.meta import AGE, CustomResource, Names, PrinterColumn
from bastion_operator.api.model import ATOMIC, SET, Code, Matches, Model, Rule, ShortMessage, Word, list_map

MAX_COUNT = 1_000_000
MAX_UNREACHABLE = 100
MAX_REPORTS = 1000


class Sku(StrEnum):
    """The SKUs of Azure Bastion, lowest first."""

    DEVELOPER = "Developer"
    BASIC = "Basic"
    STANDARD = "Standard"
    PREMIUM = "Premium"


class SecurityPolicy(StrEnum):
    """What to do about security rules."""

    ENFORCE = "Enforce"
    AUDIT = "Audit"
    OFF = "Off"


class TargetScope(StrEnum):
    """In which virtual networks VMs are looked for."""

    DEFAULT = "Default"
    VIRTUAL_NETWORK = "VirtualNetwork"
    ALL = "All"


class RequiredForReady(StrEnum):
    """Whether VMs that cannot be reached keep the BastionHost from being Ready."""

    NONE = "None"
    ALL = "All"


class ReplacePolicy(StrEnum):
    """Whether a host may be deleted and made anew where Azure changes nothing in place."""

    NEVER = "Never"
    RECREATE = "Recreate"


class PublicIP(Model):
    """The host's public IP address: made under a name, or an existing one."""

    rules: ClassVar[tuple[Rule, ...]] = PUBLIC_IP_RULES

    name: AzureName | None = Field(
        default=None, description="Name of a public IP address that the operator makes in the host's resource group."
    )
    id: PublicIPAddressID | None = Field(
        default=None,
        description="ARM id of an existing public IP address (Standard, static, IPv4, in the host's region).",
    )


class Features(Model):
    """Features of the host. Unset: left as it is in Azure. True: on. False: off."""

    rules: ClassVar[tuple[Rule, ...]] = FEATURE_RULES

    native_client: bool | None = Field(
        default=None, description="Connections with az network bastion ssh, rdp and tunnel. Standard or Premium."
    )
    ip_connect: bool | None = Field(
        default=None, description="Connections to an IP address instead of a VM. Standard or Premium."
    )
    shareable_link: bool | None = Field(
        default=None, description="Links that let people without access to the portal connect. Standard or Premium."
    )
    file_copy: bool | None = Field(
        default=None, description="Copying files in sessions of the native client. Standard or Premium."
    )
    copy_paste: bool | None = Field(
        default=None,
        description="The clipboard in sessions, which Azure allows unless told otherwise. False needs Standard or "
        "Premium.",
    )
    kerberos: bool | None = Field(
        default=None, description="Kerberos authentication of RDP sessions. Basic, Standard or Premium."
    )
    private_only: bool | None = Field(
        default=None,
        description="A host without a public IP address, reached over private networks only. Premium; fixed by Azure "
        "at creation; see replacePolicy.",
    )
    session_recording: bool | None = Field(
        default=None, description="Recording of sessions. Premium; excludes the native client."
    )


Port = Annotated[int, Field(ge=1, le=65535)]
CustomPorts = Annotated[tuple[Port, ...], SET]


class Ports(Model):
    """Ports on which VMs listen beside 3389 for RDP and 22 for SSH."""

    rdp: CustomPorts = Field(default=(), max_length=10, description="Further ports of RDP. Standard or Premium.")
    ssh: CustomPorts = Field(default=(), max_length=10, description="Further ports of SSH. Standard or Premium.")


class NetworkSecurity(Model):
    """What to do about the security rules between the host and the VMs."""

    rules: ClassVar[tuple[Rule, ...]] = NETWORK_SECURITY_RULES

    subnet: SecurityPolicy = Field(
        default=SecurityPolicy.AUDIT,
        description="The network security group of AzureBastionSubnet. Enforce makes one with a subnet that the operator "
        "makes, and adds the rules that an existing one lacks. Audit tells which rules are missing or in the way; "
        '"Off" does not look. Write "Off" in quotes: YAML reads it as a boolean without them.',
    )
    targets: SecurityPolicy = Field(
        default=SecurityPolicy.AUDIT,
        description="The network security groups of the VMs. Enforce adds a rule that lets the host in, for the VMs that "
        "are asked for and where one is needed; no group is put where there is none. Audit tells which rules are missing "
        'or in the way; "Off" does not look. Write "Off" in quotes: YAML reads it as a boolean without them.',
    )
    allowed_sources: Annotated[tuple[AllowedSource, ...], SET] | None = Field(
        default=None,
        min_length=1,
        max_length=100,
        description="Who may reach the host on port 443: IPv4 prefixes, or the service tags Internet and VirtualNetwork. "
        "Unset: Internet, for a private-only host VirtualNetwork. Rules of others that let more in are left alone.",
    )
    ports: Ports | None = Field(
        default=None,
        description="Ports on which VMs listen beside 3389 and 22, to be let out of AzureBastionSubnet and into the VMs.",
    )
    override_denies: bool = Field(
        default=False,
        description="Whether the operator's Allow may go in front of a Deny that others wrote. False: such a Deny is told. "
        "Never in front of rules of just-in-time access.",
    )


class TargetSelectors(Model):
    """Which of the VMs in scope count. A VM must match every selector that is set."""

    tags: Tags | None = Field(default=None, description="Tags that a VM must have, with these values.")
    resource_groups: Annotated[tuple[ResourceGroupName, ...], SET] | None = Field(
        default=None,
        min_length=1,
        max_length=100,
        description="Names of resource groups; a VM must be in one of them.",
    )
    subnet_ids: Annotated[tuple[SubnetID, ...], SET] | None = Field(
        default=None,
        min_length=1,
        max_length=100,
        description="ARM ids of subnets; a VM must have a NIC in one of them.",
    )


class Targets(Model):
    """Which VMs this host is meant to reach."""

    scope: TargetScope = Field(
        default=TargetScope.DEFAULT,
        description="Default: VMs in the host's virtual network and in those directly peered with it. VirtualNetwork: "
        "in the host's own only. All: every VM that the identity can see.",
    )
    selectors: TargetSelectors | None = Field(default=None, description="Narrows the VMs in scope. Unset: all of them.")
    protocols: Annotated[tuple[Literal["RDP", "SSH"], ...], SET] = Field(
        default=(),
        max_length=2,
        description="The protocols by which each VM is to be reached. Unset: that of its operating system, RDP for "
        "Windows and SSH for Linux.",
    )
    required_for_ready: RequiredForReady = Field(
        default=RequiredForReady.NONE,
        description="None: Ready speaks of the host alone. All: Ready is False while a running VM cannot be reached.",
    )


LogCategory = Annotated[
    str,
    Field(max_length=64),
    Matches("[0-9A-Za-z]{1,64}", "must be the name of a category of Azure Monitor, such as BastionAuditLogs"),
]


class Diagnostics(Model):
    """Where the host's logs and metrics go."""

    workspace_id: WorkspaceID = Field(
        description="ARM id of the Log Analytics workspace, in one of the identity's allowed subscriptions."
    )
    categories: Annotated[tuple[LogCategory, ...], SET] = Field(
        default=("BastionAuditLogs",),
        min_length=1,
        max_length=10,
        description="Categories of logs that are sent, and AllMetrics for the metrics. Unset: BastionAuditLogs, which tells who "
        "was connected to what.",
    )


class BastionHostSpec(CommonSpec):
    """What is wanted of an Azure Bastion."""

    rules: ClassVar[tuple[Rule, ...]] = SPEC_RULES

    virtual_network_id: Annotated[VirtualNetworkID, IMMUTABLE_NETWORK] = Field(
        description="ARM id of the virtual network in which the host stands. It decides the subscription, the region "
        "and, unless resourceGroup says otherwise, the resource group. Immutable.",
    )
    resource_group: ResourceGroupName | None = Field(
        default=None,
        description="Name of the resource group of the host and its public IP address. Unset: that of the virtual "
        "network. Immutable.",
    )
    azure_name: AzureName | None = Field(
        default=None, description="The host's name in Azure. Unset: metadata.name. Immutable."
    )
    sku: Sku | None = Field(
        default=None,
        description="The host's SKU. Azure upgrades in place and never downgrades; see replacePolicy. Required unless "
        "managementPolicy is Observe.",
    )
    scale_units: int | None = Field(
        default=None,
        ge=2,
        le=50,
        description="Number of instances; more than 2 need Standard or Premium. A change drops the sessions that are "
        "open. Unset: what Azure has, 2 for a new host.",
    )
    zones: Annotated[tuple[Literal["1", "2", "3"], ...], SET] | None = Field(
        default=None,
        min_length=1,
        max_length=3,
        description="Availability zones of the host. Fixed by Azure at creation; see replacePolicy.",
    )
    subnet_prefix: SubnetPrefix | None = Field(
        default=None,
        description="Prefix of AzureBastionSubnet where the operator makes it: an IPv4 prefix of /26 or larger, or "
        "Auto for the first free one. Unset: the subnet must exist. Fixed by Azure at creation.",
    )
    public_ip: PublicIP | None = Field(
        default=None,
        description="The host's public IP address. Unset: the operator makes one named after the host. Fixed by Azure "
        "at creation; see replacePolicy.",
    )
    features: Features = Field(
        default_factory=Features, description="Features of the host; those that are unset are left as they are."
    )
    tags: Tags = Field(
        default_factory=dict,
        description="Tags on the host and on what the operator makes for it, beside the operator's own marks.",
    )
    network_security: NetworkSecurity = Field(
        default=NetworkSecurity(), description="What to do about the security rules between the host and the VMs."
    )
    targets: Targets = Field(default=Targets(), description="Which VMs this host is meant to reach.")
    diagnostics: Diagnostics | None = Field(
        default=None,
        description="Where the host's logs go, by a diagnostic setting of the operator's own. Unset: that setting is removed; those "
        "of others are never touched.",
    )
    replace_policy: ReplacePolicy = Field(
        default=ReplacePolicy.NEVER,
        description="What to do where a change of the spec asks for what Azure changes in no host that stands: a lower SKU, "
        "other zones, another public IP address, privateOnly. Never refuses it and says so. Recreate deletes the host and "
        "makes it anew, once all that the new one needs is there and it was told in a condition what will be lost. What others "
        "changed in Azure is never a reason.",
    )
    access: AccessPolicy | None = Field(
        default=None, description="Who is to be able to connect. Unset: nobody's roles are looked at."
    )


class VerdictCounts(Model):
    """Numbers of VMs by verdict. A VM of which only the power is off counts as stopped, not as unreachable."""

    reachable: int = Field(default=0, ge=0, le=MAX_COUNT, description="VMs that can be reached.")
    unreachable: int = Field(
        default=0, ge=0, le=MAX_COUNT, description="VMs that cannot, for another reason than power."
    )
    unknown: int = Field(default=0, ge=0, le=MAX_COUNT, description="VMs of which it cannot be told.")
    stopped: int = Field(default=0, ge=0, le=MAX_COUNT, description="VMs that are only stopped.")
    total: int = Field(default=0, ge=0, le=MAX_COUNT, description="All VMs that were looked at.")


class ReasonCount(Model):
    """How many VMs a reason keeps from being reached."""

    code: Code = Field(description="The reason's code.")
    count: int = Field(ge=0, le=MAX_COUNT, description="Number of VMs with this reason.")


class UnreachableVM(Model):
    """A VM that cannot be reached, with the first thing to fix."""

    vm: ArmID = Field(description="The VM's ARM id.")
    verdict: Literal["Unreachable", "Unknown"] = Field(description="Unreachable, or Unknown where it cannot be told.")
    reason: Code = Field(description="Code of the reason to fix first.")
    message: ShortMessage = Field(default="", description="That reason in words.")


class BastionHostStatus(CommonStatus):
    """What there is in Azure, and which VMs it reaches."""

    bastion_id: ArmID | None = Field(default=None, description="The host's ARM id.")
    dns_name: str | None = Field(
        default=None, max_length=253, description="The host's DNS name, once Azure has given it."
    )
    provisioning_state: Word | None = Field(default=None, description="The host's provisioningState as Azure tells it.")
    subnet_id: ArmID | None = Field(default=None, description="ARM id of the host's subnet.")
    subnet_prefix: str | None = Field(default=None, max_length=64, description="The prefix of the host's subnet.")
    public_ip_id: ArmID | None = Field(default=None, description="ARM id of the host's public IP address.")
    sku: Word | None = Field(default=None, description="The host's SKU as it is in Azure.")
    scale_units: int | None = Field(default=None, ge=0, le=1000, description="The host's number of instances.")
    counts: VerdictCounts | None = Field(default=None, description="Numbers of VMs by verdict.")
    reachable: str | None = Field(
        default=None, max_length=32, description="Reachable VMs of all that are not stopped, as in 12/15."
    )
    reason_counts: Annotated[tuple[ReasonCount, ...], list_map("code")] = Field(
        default=(), max_length=100, description="How many VMs each reason keeps from being reached."
    )
    unreachable: Annotated[tuple[UnreachableVM, ...], ATOMIC] = Field(
        default=(),
        max_length=MAX_UNREACHABLE,
        description="VMs that cannot be reached, worst first, at most 100. All of them stand in the reports.",
    )
    access: PrincipalAccesses = Field(default=(), description="What each principal of spec.access may do with the VMs.")
    reports: Annotated[tuple[Annotated[str, Field(max_length=253)], ...], ATOMIC] = Field(
        default=(),
        max_length=MAX_REPORTS,
        description="Names of this host's ReachabilityReports, the first 1,000. The label azurebastion.dev/bastion-host finds all.",
    )


class BastionHost(CustomResource):
    """An Azure Bastion that the operator makes, keeps and watches, and the VMs that it must reach."""

    names: ClassVar[Names] = Names(
        kind="BastionHost",
        plural="bastionhosts",
        short="bh",
        columns=(
            PrinterColumn("Ready", '.status.conditions[?(@.type=="Ready")].status'),
            PrinterColumn("Reason", '.status.conditions[?(@.type=="Ready")].reason'),
            PrinterColumn("SKU", ".status.sku"),
            PrinterColumn("Reachable", ".status.reachable", description="Reachable VMs of all that are not stopped."),
            PrinterColumn("State", ".status.provisioningState", priority=1),
            PrinterColumn("DNS", ".status.dnsName", priority=1),
            PrinterColumn("Message", '.status.conditions[?(@.type=="Ready")].message', priority=1),
            AGE,
        ),
    )
    rules: ClassVar[tuple[Rule, ...]] = BASTION_HOST_RULES

    kind: Literal["BastionHost"] = "BastionHost"
    spec: BastionHostSpec = Field(description="What is wanted.")
    status: BastionHostStatus | None = Field(default=None, description="What there is. Written by the operator.")
