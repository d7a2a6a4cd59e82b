"""The rights that a link takes on both sides, so that a missing one is told before half a link is made.

Source: Microsoft's page "Create, change, or delete a virtual network peering", section on permissions.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from bastion_operator.network.finding import Finding
from bastion_operator.planning.obstacles import ObstacleCode, obstacle
from bastion_operator.planning.ownership import id_key
from bastion_operator.planning.peering_pairs import Half
from bastion_operator.planning.wording import named

WRITE: Final = "Microsoft.Network/virtualNetworks/virtualNetworkPeerings/write"
"""Needed on the network that a half is part of."""
PEER: Final = "Microsoft.Network/virtualNetworks/peer/action"
"""Needed on the network that a half leads to."""

Lacking = Mapping[str, frozenset[str]]
"""The actions that the identity is known to lack, by the normalised id of the network; of others nothing is known."""


def rights_trouble(to_be_made: Iterable[Half], lacking: Lacking) -> Finding | None:
    """The first right that one of the halves takes and the identity is known to lack, or None."""
    for half in to_be_made:
        for network, action in ((half.local_id, WRITE), (half.remote_id, PEER)):
            if action in lacking.get(id_key(network), frozenset()):
                return obstacle(
                    ObstacleCode.PERMISSION_DENIED,
                    f"the identity lacks {action} on {named(network)} ({network}), without which "
                    f"{named(half.local_id)} cannot be peered with {named(half.remote_id)}: assign it a role that holds the "
                    "action there, or take the network off the spec",
                    network,
                )
    return None
