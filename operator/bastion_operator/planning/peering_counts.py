"""How many peerings a virtual network has: Azure takes no more than 500, which is told before anything is sent.

Source: Microsoft's page "Azure subscription and service limits", virtual network peerings per virtual network.
"""

from collections import Counter
from typing import Final

from bastion_operator.network.finding import Finding
from bastion_operator.planning.obstacles import ObstacleCode, obstacle
from bastion_operator.planning.ownership import id_key
from bastion_operator.planning.peering_link import LinkTable
from bastion_operator.planning.peering_pairs import Half, Pair
from bastion_operator.planning.wording import named

MOST_PEERINGS: Final = 500


class PeeringCounts:
    """The peerings of each network: those that exist, and those that this plan makes."""

    def __init__(self, links: LinkTable) -> None:
        self._links = links
        self._planned: Counter[str] = Counter()

    def obstacle(self, pair: Pair) -> Finding | None:
        """What keeps the pair from being joined, or None."""
        full = next((half.local_id for half in self._missing(pair) if self._count(half) >= MOST_PEERINGS), None)
        if full is None:
            return None
        return obstacle(
            ObstacleCode.TOO_MANY_PEERINGS,
            f"{named(full)} has, or is about to have, {MOST_PEERINGS} peerings, and Azure takes no more: remove those that "
            f"nobody needs, or take {named(pair.spoke.local_id)} off the spec",
            pair.spoke.local_id,
        )

    def join(self, pair: Pair) -> None:
        """The plan makes this link: what comes after has less room."""
        self._planned.update(id_key(half.local_id) for half in self._missing(pair))

    def _missing(self, pair: Pair) -> list[Half]:
        """The halves that are to be made, somebody else's as well."""
        return [half for half in pair.halves if self._links.find(half.local_id, half.remote_id) is None]

    def _count(self, half: Half) -> int:
        return len(self._links.of(half.local_id)) + self._planned[id_key(half.local_id)]
