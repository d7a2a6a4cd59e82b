"""The links that a VNetPeering asks for: pairs of virtual networks, each with two halves."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations

from bastion_operator.api.vnet_peering import Sides, Topology, VNetPeeringSpec
from bastion_operator.network.arm_id import normalise_id

HUB_TO_SPOKE = "HubToSpoke"
SPOKE_TO_HUB = "SpokeToHub"


@dataclass(frozen=True, slots=True)
class Half:
    """One side of a link: a peering in the virtual network ``local_id`` that leads to ``remote_id``.

    :ivar flags: those that the spec names, by Azure's names
    :ivar written: whether the operator writes this half; with ``sides: HubOnly`` the spoke's is somebody else's
    """

    local_id: str
    remote_id: str
    flags: Mapping[str, bool]
    purpose: str
    written: bool = True


@dataclass(frozen=True, slots=True)
class Pair:
    """A link: the hub's half (in a mesh, that of the network listed first) and the spoke's."""

    hub: Half
    spoke: Half

    @property
    def halves(self) -> tuple[Half, Half]:
        """Both halves, the hub's first."""
        return (self.hub, self.spoke)

    @property
    def key(self) -> str:
        """The two networks in any order and case: of two custom resources only one may ask for a pair."""
        return " and ".join(sorted(normalise_id(half.local_id) for half in self.halves))


def asked_pairs(spec: VNetPeeringSpec, selected: Iterable[str] = ()) -> tuple[Pair, ...]:
    """Every link of the topology once, in the order of the spec, then those of the spokes that its selector found.

    Ids that differ only in case are one network.
    """
    asked = (*(spoke.virtual_network_id for spoke in spec.spokes), *selected)
    spokes = list({normalise_id(spoke): spoke for spoke in asked}.values())
    if spec.topology is Topology.FULL_MESH:
        ends = list(combinations(spokes, 2))
    else:
        ends = [(spec.hub.virtual_network_id, spoke) for spoke in spokes] if spec.hub else []
    both = spec.sides is Sides.BOTH
    hub_to_spoke, spoke_to_hub = spec.hub_to_spoke.to_json(), spec.spoke_to_hub.to_json()
    return tuple(
        Pair(
            hub=Half(hub, spoke, hub_to_spoke, HUB_TO_SPOKE),
            spoke=Half(spoke, hub, spoke_to_hub, SPOKE_TO_HUB, written=both),
        )
        for hub, spoke in ends
        if normalise_id(hub) != normalise_id(spoke)
    )
