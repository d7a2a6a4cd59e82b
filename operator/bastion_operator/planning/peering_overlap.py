"""Address spaces that may not meet: those of two networks to be joined, and of the networks joined with either already.

Azure refuses such a link (VnetAddressSpacesOverlap, VnetAddressSpaceOverlapsWithAlreadyPeeredVnet); it is told before
anything is sent. Source: Microsoft's page "Virtual network peering", section on constraints.
"""

from collections import defaultdict
from functools import lru_cache

from bastion_operator.network.finding import Finding
from bastion_operator.network.prefixes import AddressSet, is_ipv6, overlaps
from bastion_operator.planning.body import properties
from bastion_operator.planning.model import Observed
from bastion_operator.planning.obstacles import ObstacleCode, obstacle
from bastion_operator.planning.ownership import id_key
from bastion_operator.planning.peering_link import LinkTable, address_prefixes
from bastion_operator.planning.peering_pairs import Pair
from bastion_operator.planning.wording import named

Space = tuple[str, ...]


class PeerSpaces:
    """What is joined with each network: by the links that exist, and by those that this plan makes."""

    def __init__(self, observed: Observed, links: LinkTable) -> None:
        self._observed = observed
        self._links = links
        self._planned: defaultdict[str, dict[str, Space]] = defaultdict(dict)

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
        self._planned[hub][spoke] = self.space(spoke)
        self._planned[spoke][hub] = self.space(hub)

    def space(self, network_id: str) -> Space:
        """The address space of a network; empty if it is not known."""
        network = self._observed.get(network_id)
        return tuple(address_prefixes(network)) if network is not None else ()

    def _third(self, middle: str, new: str) -> Finding | None:
        """A network that is joined with ``middle`` and overlaps ``new``."""
        space = self.space(new)
        for other, theirs in self._peers(middle).items():
            if other != id_key(new) and _meet(space, theirs):
                return obstacle(
                    ObstacleCode.OVERLAPS_WITH_PEER,
                    f"{named(new)} ({', '.join(space)}) overlaps {named(other)} ({', '.join(theirs)}), which is peered "
                    f"with {named(middle)}, and Azure refuses that: change one of the address spaces, or take one of the "
                    "networks off the spec",
                    new,
                )
        return None

    def _peers(self, network_id: str) -> dict[str, Space]:
        # A link of single subnets may lie beside others that overlap the rest of the network.
        existing = {
            remote: self.space(remote) or link.remote_space
            for remote, link in self._links.of(network_id).items()
            if properties(link.body).get("peerCompleteVnets") is not False
        }
        return {**existing, **self._planned[id_key(network_id)]}


def _meet(one: Space, other: Space) -> bool:
    if any(map(is_ipv6, (*one, *other))):
        return overlaps(one, other)
    return not _addresses(one).isdisjoint(_addresses(other))


@lru_cache(maxsize=1 << 12)
def _addresses(space: Space) -> AddressSet:
    return AddressSet.of(*space)
