"""VNetPeering: virtual networks joined around a hub or all with each other, both halves of every link kept together."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from bastion_operator.api.common import CommonSpec, CommonStatus
from bastion_operator.api.duration import AtLeastOneMinute
from bastion_operator.api.identifiers import UUID, ArmID, Tags, VirtualNetworkID
from bastion_operator.api.meta import AGE, CustomResource, Names, PrinterColumn
from bastion_operator.api.model import (
    ATOMIC,
    SET,
    Code,
    Extra,
    Model,
    Rule,
    ShortMessage,
    Timestamp,
    Word,
    list_map,
)

# Azure's limit of peerings for one virtual network.
MAX_SPOKES = 500
_MIN_MESH = 2
# n networks have n * (n - 1) links, each with a claim: 32 of them stay within status.claims.
MAX_MESH = 32
MAX_ROWS = 100
_MAX_LINKS = 1_000_000
_MAX_FLAGS = 8

_AGAIN = "delete this VNetPeering and apply it again with the new value"


class Topology(StrEnum):
    """How the virtual networks are joined."""

    HUB_SPOKE = "HubSpoke"
    FULL_MESH = "FullMesh"


class Sides(StrEnum):
    """Which halves of each link the operator writes."""

    BOTH = "Both"
    HUB_ONLY = "HubOnly"


class Hub(Model):
    """The virtual network in the middle."""

    virtual_network_id: Annotated[
        VirtualNetworkID,
        Extra(
            rules=(
                Rule(
                    "self.lowerAscii() == oldSelf.lowerAscii()",
                    f"the hub says which links these are and cannot change: {_AGAIN}",
                ),
            )
        ),
    ] = Field(description="ARM id of the hub's virtual network. Immutable.")


class Spoke(Model):
    """A virtual network to be joined."""

    virtual_network_id: VirtualNetworkID = Field(
        description="ARM id of the virtual network, in any subscription of the hub's tenant and in any region."
    )


def _same_network(one: Hub | Spoke, other: Hub | Spoke) -> bool:
    return one.virtual_network_id.lower() == other.virtual_network_id.lower()


class OnLeave(StrEnum):
    """What becomes of the peering of a network that no longer matches the selector."""

    RETAIN = "Retain"
    DELETE = "Delete"


class SpokeSelector(Model):
    """Spokes found by what they are: every virtual network of these subscriptions that has all of these tags."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.tags.size() >= 1",
            "name at least one tag: a selector without tags would take in every virtual network of its subscriptions",
            ".tags",
            lambda selector: len(selector.tags) > 0,
        ),
    )

    subscriptions: Annotated[tuple[UUID, ...], SET] = Field(
        min_length=1,
        max_length=100,
        description="Ids of the subscriptions to look in. The AzureIdentity must allow each of them.",
    )
    tags: Tags = Field(
        description="Tags that a virtual network must have, all of them, with these values. As in Azure, names are "
        "compared without regard to case and values with it."
    )
    on_leave: OnLeave = Field(
        default=OnLeave.RETAIN,
        description="What happens to the peering of a network that has lost a tag. Retain keeps it as it is until this "
        "resource is deleted. Delete removes it after leaveGrace, once Azure itself shows the network without the tag, "
        "and never while it carries remote gateways.",
    )
    leave_grace: AtLeastOneMinute = Field(
        default=timedelta(hours=1),
        description="With onLeave: Delete, how long a network must have been without the tag before its peering goes: a "
        "duration of at least 1m, such as 30m or 24h.",
    )


class PeeringFlags(Model):
    """Flags of one half of a link. Unset: left as it is in Azure; a new link has Azure's defaults."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!(self.?allowGatewayTransit.orValue(false) && self.?useRemoteGateways.orValue(false))",
            "a half cannot both lend its gateway (allowGatewayTransit) and use the other's (useRemoteGateways): "
            "set one of them to false",
            ".useRemoteGateways",
            lambda flags: not (flags.allow_gateway_transit and flags.use_remote_gateways),
        ),
    )

    allow_virtual_network_access: bool | None = Field(
        default=None,
        description="Whether the other network's prefixes are part of the VirtualNetwork service tag on this side. "
        "Azure's default is true.",
    )
    allow_forwarded_traffic: bool | None = Field(
        default=None,
        description="Whether this side takes traffic that the other network forwards but did not start. Azure's "
        "default is false.",
    )
    allow_gateway_transit: bool | None = Field(
        default=None,
        description="Whether this side lends its virtual network gateway to the other. Azure's default is false.",
    )
    use_remote_gateways: bool | None = Field(
        default=None,
        description="Whether this side uses the other's virtual network gateway, which must exist and be lent. Azure's "
        "default is false.",
    )


class VNetPeeringSpec(CommonSpec):
    """Which virtual networks are to be joined, and how."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.topology != 'HubSpoke' || has(self.hub)",
            "topology HubSpoke needs a hub: set hub.virtualNetworkID, or topology: FullMesh to join the spokes with "
            "each other",
            ".hub",
            lambda spec: spec.topology is not Topology.HUB_SPOKE or spec.hub is not None,
        ),
        Rule(
            "self.topology != 'FullMesh' || !has(self.hub)",
            "topology FullMesh has no hub: list that virtual network among the spokes",
            ".hub",
            lambda spec: spec.topology is not Topology.FULL_MESH or spec.hub is None,
        ),
        Rule(
            "self.topology != 'HubSpoke' || self.?spokes.orValue([]).size() >= 1 || has(self.spokeSelector)",
            "topology HubSpoke needs spokes: list at least 1, or set spokeSelector to have them found by their tags",
            ".spokes",
            lambda spec: spec.topology is not Topology.HUB_SPOKE or spec.spokes or spec.spoke_selector is not None,
        ),
        Rule(
            "self.topology != 'FullMesh' || !has(self.spokeSelector)",
            "topology FullMesh joins the networks that are listed: take spokeSelector out and list them as spokes",
            ".spokeSelector",
            lambda spec: spec.topology is not Topology.FULL_MESH or spec.spoke_selector is None,
        ),
        Rule(
            f"self.topology != 'FullMesh' || self.?spokes.orValue([]).size() >= {_MIN_MESH}",
            f"topology FullMesh joins the spokes with each other: list at least {_MIN_MESH}",
            ".spokes",
            lambda spec: spec.topology is not Topology.FULL_MESH or len(spec.spokes) >= _MIN_MESH,
        ),
        Rule(
            f"self.topology != 'FullMesh' || self.?spokes.orValue([]).size() <= {MAX_MESH}",
            f"topology FullMesh joins at most {MAX_MESH} virtual networks: use topology HubSpoke for more",
            ".spokes",
            lambda spec: spec.topology is not Topology.FULL_MESH or len(spec.spokes) <= MAX_MESH,
        ),
        Rule(
            "self.topology != 'FullMesh' || self.sides == 'Both'",
            "topology FullMesh has no hub side: leave sides out",
            ".sides",
            lambda spec: spec.topology is not Topology.FULL_MESH or spec.sides is Sides.BOTH,
        ),
        Rule(
            "self.topology == oldSelf.topology",
            f"topology says which links these are and cannot change: {_AGAIN}",
            ".topology",
        ),
        Rule(
            "!has(self.hub) || !has(self.spokes) || self.spokes.all(spoke, "
            "spoke.virtualNetworkID.lowerAscii() != self.hub.virtualNetworkID.lowerAscii())",
            "the hub cannot be its own spoke: take it off the spokes",
            ".spokes",
            lambda spec: spec.hub is None or not any(_same_network(each, spec.hub) for each in spec.spokes),
        ),
        Rule(
            "!(self.?hubToSpoke.?useRemoteGateways.orValue(false) && self.?spokeToHub.?useRemoteGateways.orValue(false))",
            "only one side can use the other's gateway: set useRemoteGateways to false in hubToSpoke or in spokeToHub",
            ".hubToSpoke",
            lambda spec: not (spec.hub_to_spoke.use_remote_gateways and spec.spoke_to_hub.use_remote_gateways),
        ),
        Rule(
            "self.topology != 'FullMesh' || "
            "!(self.?hubToSpoke.?useRemoteGateways.orValue(false) || self.?spokeToHub.?useRemoteGateways.orValue(false))",
            "in a full mesh nobody's gateway can be used: leave useRemoteGateways out or use topology HubSpoke",
            ".topology",
            lambda spec: (
                spec.topology is not Topology.FULL_MESH
                or not (spec.hub_to_spoke.use_remote_gateways or spec.spoke_to_hub.use_remote_gateways)
            ),
        ),
    )

    topology: Topology = Field(
        default=Topology.HUB_SPOKE,
        description="HubSpoke joins every spoke with the hub. FullMesh joins the spokes with each other. Immutable.",
    )
    hub: Hub | None = Field(default=None, description="The hub. Required with HubSpoke, absent with FullMesh.")
    spokes: Annotated[tuple[Spoke, ...], list_map("virtualNetworkID")] = Field(
        default=(),
        max_length=MAX_SPOKES,
        description="The virtual networks to be joined: up to 500 with HubSpoke, 2 to 32 with FullMesh.",
    )
    spoke_selector: SpokeSelector | None = Field(
        default=None,
        description="With HubSpoke, spokes that are found instead of listed, or beside those that are. A network that "
        "comes to match is peered without a change of this resource.",
    )
    hub_to_spoke: PeeringFlags = Field(
        default_factory=PeeringFlags,
        description="Flags of the half that belongs to the hub. In a full mesh: of the half of the network listed "
        "first of each pair.",
    )
    spoke_to_hub: PeeringFlags = Field(
        default_factory=PeeringFlags,
        description="Flags of the half that belongs to the spoke. In a full mesh: of the half of the network listed "
        "second of each pair.",
    )
    sides: Sides = Field(
        default=Sides.BOTH,
        description="Both: the operator writes both halves of each link. HubOnly: the hub's half only; somebody else "
        "makes the spoke's, and the link is Connected once that is there.",
    )


class LinkCounts(Model):
    """Numbers of pairs of virtual networks."""

    connected: int = Field(default=0, ge=0, le=_MAX_LINKS, description="Pairs of which both halves read Connected.")
    address_space_in_sync: int = Field(
        default=0, ge=0, le=_MAX_LINKS, description="Pairs of which both halves know the other's whole address space."
    )
    total: int = Field(default=0, ge=0, le=_MAX_LINKS, description="All pairs that are asked for.")
    selected: int = Field(
        default=0, ge=0, le=_MAX_LINKS, description="Of these, the pairs whose spoke the spokeSelector found."
    )
    left: int = Field(
        default=0,
        ge=0,
        le=_MAX_LINKS,
        description="Pairs whose spoke the spokeSelector found before and does not find any more. They are in no other "
        "number.",
    )


class LinkStatus(Model):
    """The two halves of one link as Azure tells them."""

    virtual_network_id: ArmID = Field(description="ARM id of the spoke.")
    peer_virtual_network_id: ArmID | None = Field(
        default=None,
        description="In a full mesh, the network at the other end; with HubSpoke it is the hub, and absent.",
    )
    selected: bool | None = Field(
        default=None, description="True for a spoke that the spokeSelector found; absent for one that is listed."
    )
    left_at: Timestamp | None = Field(
        default=None, description="Since when the operator has seen the spoke without the tags of the spokeSelector."
    )
    hub_state: Word | None = Field(
        default=None, description="peeringState of the hub's half; absent if there is no such half."
    )
    spoke_state: Word | None = Field(
        default=None, description="peeringState of the spoke's half; absent if there is no such half."
    )
    hub_sync_level: Word | None = Field(default=None, description="peeringSyncLevel of the hub's half.")
    spoke_sync_level: Word | None = Field(default=None, description="peeringSyncLevel of the spoke's half.")
    hub_flags: Annotated[tuple[Word, ...], ATOMIC] | None = Field(
        default=None,
        max_length=_MAX_FLAGS,
        description="The flags of the hub's half that are true in Azure, by their names in hubToSpoke.",
    )
    spoke_flags: Annotated[tuple[Word, ...], ATOMIC] | None = Field(
        default=None,
        max_length=_MAX_FLAGS,
        description="The flags of the spoke's half that are true in Azure, by their names in spokeToHub.",
    )
    reason: Code | None = Field(default=None, description="Code of what is wrong with the link; absent if nothing is.")
    message: ShortMessage | None = Field(default=None, description="What is wrong in words, or Azure's last error.")


class VNetPeeringStatus(CommonStatus):
    """What there is in Azure."""

    connected: str | None = Field(
        default=None, max_length=32, description="Connected links of all that are asked for, as in 3/3."
    )
    counts: LinkCounts | None = Field(default=None, description="Numbers of links by state.")
    spokes: Annotated[tuple[LinkStatus, ...], ATOMIC] = Field(
        default=(),
        max_length=MAX_ROWS,
        description="One row for each link, those with something wrong first, at most 100; counts has all of them.",
    )


class VNetPeering(CustomResource):
    """Virtual networks that the operator joins and keeps joined: around a hub, or all with each other."""

    names: ClassVar[Names] = Names(
        kind="VNetPeering",
        plural="vnetpeerings",
        short="vnp",
        columns=(
            PrinterColumn("Ready", '.status.conditions[?(@.type=="Ready")].status'),
            PrinterColumn("Reason", '.status.conditions[?(@.type=="Ready")].reason'),
            PrinterColumn("Connected", ".status.connected", description="Connected links of all that are asked for."),
            PrinterColumn("Topology", ".spec.topology", priority=1),
            PrinterColumn("Message", '.status.conditions[?(@.type=="Ready")].message', priority=1),
            AGE,
        ),
    )

    kind: Literal["VNetPeering"] = "VNetPeering"
    spec: VNetPeeringSpec = Field(description="What is wanted.")
    status: VNetPeeringStatus | None = Field(default=None, description="What there is. Written by the operator.")
