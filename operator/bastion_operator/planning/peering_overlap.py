"""Address spaces that may not meet: those of two networks to be joined, and of the networks joined with either already.

Azure refuses such a link (VnetAddressSpacesOverlap, VnetAddressSpaceOverlapsWithAlreadyPeeredVnet); it is told before
anything is sent. Source: Microsoft's page "Virtual network peering", section on constraints.
"""

from dataclasses import dataclass, field
from functools import lru_cache

from bastion_operator.network.finding import Finding
from bastion_operator.network.prefixes import EMPTY, AddressSet, is_ipv6, overlaps
from bastion_operator.planning.body import properties
from bastion_operator.planning.model import Observed
from bastion_operator.planning.obstacles import ObstacleCode, obstacle
from bastion_operator.planning.ownership import id_key
from bastion_operator.planning.peering_link import LinkTable, address_prefixes
from bastion_operator.planning.peering_pairs import Pair
from bastion_operator.planning.wording import named

Space = tuple[str, ...]


@dataclass(slots=True)
class _Peers:
    """The networks that are joined with one network, and what all of them hold together.

    :ivar addresses: of the IPv4 spaces
    :ivar in_both_families: whether a space among them holds IPv6 as well, which ``addresses`` does not tell
    """

    spaces: dict[str, Space] = field(default_factory=dict)
    addresses: AddressSet = EMPTY
    in_both_families: bool = False

    def add(self, network: str, space: Space) -> None:
        """One more network, by its normalised id."""
        self.spaces[network] = space
        if any(map(is_ipv6, space)):
            self.in_both_families = True
        else:
            self.addresses |= _addresses(space)

    def meeting(self, network: str, space: Space) -> str | None:
        """The first of them, but for the network itself, that the space meets; None if there is none."""
        alike = network in self.spaces or self.in_both_families or any(map(is_ipv6, space))
        if not alike and self.addresses.isdisjoint(_addresses(space)):
            # What nearly every network answers: a hub's hundreds of spokes are not looked at one by one for it.
            return None
        others = (other for other, theirs in self.spaces.items() if other != network and _meet(space, theirs))
        return next(others, None)


class PeerSpaces:
    """What is joined with each network: by the links that exist, and by those that this plan makes."""

    def __init__(self, observed: Observed, links: LinkTable) -> None:
        self._observed = observed
        self._links = links
        self._peers: dict[str, _Peers] = {}
        self._spaces: dict[str, Space] = {}

    def conflict(self, pair: Pair) -> Finding | None:
        """What keeps the pair from being joined, or None."""
        hub, spoke = pair.hub.local_id, pair.spoke.local_id
        spaces = self.space(hub), self.space(spoke)
        if _meet(*spaces):
            return obstacle(
                ObstacleCode.ADDRESS_SPACES_OVERLAP,
                f"{named(spoke)} ({', '.join(spaces[1])}) overlaps {named(hub)} ({', '.join(spaces[0])}), and Azure "
                "peers no networks that overlap: change one of the address spaces, or take the spoke off the spec",
                spoke,
            )
        return self._third(hub, spoke) or self._third(spoke, hub)

    def join(self, pair: Pair) -> None:
        """The plan makes this link: what comes after must not overlap it."""
        hub, spoke = id_key(pair.hub.local_id), id_key(pair.spoke.local_id)
        self._of(hub).add(spoke, self.space(spoke))
        self._of(spoke).add(hub, self.space(hub))

    def space(self, network_id: str) -> Space:
        """The address space of a network; empty if it is not known."""
        found = self._spaces.get(network_id)
        if found is None:
            network = self._observed.get(network_id)
            found = self._spaces[network_id] = tuple(address_prefixes(network)) if network is not None else ()
        return found

    def _third(self, middle: str, new: str) -> Finding | None:
        """A network that is joined with ``middle`` and overlaps ``new``."""
        space, peers = self.space(new), self._of(middle)
        other = peers.meeting(id_key(new), space)
        if other is None:
            return None
        return obstacle(
            ObstacleCode.OVERLAPS_WITH_PEER,
            f"{named(new)} ({', '.join(space)}) overlaps {named(other)} ({', '.join(peers.spaces[other])}), which is "
            f"peered with {named(middle)}, and Azure refuses that: change one of the address spaces, or take one of the "
            "networks off the spec",
            new,
        )

    def _of(self, network_id: str) -> _Peers:
        key = id_key(network_id)
        if key not in self._peers:
            self._peers[key] = peers = _Peers()
            for remote, link in self._links.of(key).items():
                # A link of single subnets may lie beside others that overlap the rest of the network.
                if properties(link.body).get("peerCompleteVnets") is not False:
                    peers.add(remote, self.space(remote) or link.remote_space)
        return self._peers[key]


def _meet(one: Space, other: Space) -> bool:
    if any(map(is_ipv6, (*one, *other))):
        return overlaps(one, other)
    return not _addresses(one).isdisjoint(_addresses(other))


@lru_cache(maxsize=1 << 12)
def _addresses(space: Space) -> AddressSet:
    # A prefix that cannot be read is Azure's to judge: it must not keep all other pairs from being planned.
    return AddressSet.readable(*space)
