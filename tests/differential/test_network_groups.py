"""Step 11: which VNets a network manager connects without peering objects. Both opinions must say what the facts say."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.differential.parts import WEB
from tests.differential.random_estates import BAS, Asked, Question
from tests.differential.test_two_opinions import compare, engine
from tests.support.estates import add, change, hub_and_spoke, peering, vnet, vnet_id
from tests.support.network_groups import network_groups

SSH = Question("SSH", 22)
DIRECT, APART = "DirectlyConnected", "None"
GROUPED, NOT_TRANSITIVE = ["ConnectedGroupNoPeering"], ["PeeringNotTransitive"]
MESH = {"connectivityTopology": "Mesh"}
HUB = {"hubs": [{"resourceId": vnet_id("hub"), "resourceType": "Microsoft.Network/virtualNetworks"}]}


@pytest.mark.parametrize(
    ("members", "connected", "configuration", "expected"),
    [
        (("a", "a"), {"a": DIRECT}, {}, GROUPED),
        (("a", "a"), {"a": APART, "b": DIRECT}, {}, NOT_TRANSITIVE),
        (("a", "b"), {"a": DIRECT, "b": APART}, {}, NOT_TRANSITIVE),
        (("a", "b"), {"a": DIRECT, "b": DIRECT}, {}, NOT_TRANSITIVE),
        (("a", None), {"a": DIRECT, "b": APART}, {}, GROUPED),
        (("b", None), {"a": DIRECT, "b": APART}, {}, NOT_TRANSITIVE),
        ((None, None), {"a": DIRECT}, {}, GROUPED),
        ((None, None), {"a": APART}, {}, NOT_TRANSITIVE),
        (("a", "b"), {"a": APART, "b": APART}, MESH, GROUPED),
        (("c", "a"), {"a": DIRECT}, HUB, GROUPED),
        (("c", "b"), {"a": DIRECT, "b": APART}, HUB, NOT_TRANSITIVE),
    ],
    ids=[
        "one group", "one group that is not", "another group that is not", "two groups", "which group is not told",
        "one is in no such group", "neither is told", "no such group", "mesh", "hub", "hub and another group",
    ],
)  # fmt: skip
def test_direct_connectivity_is_of_one_group(
    members: tuple[str | None, str | None],
    connected: Mapping[str, str],
    configuration: dict[str, Any],
    expected: list[str],
) -> None:
    estate = hub_and_spoke()
    for network in ("hub", "spoke"):
        links = [peering("middle", space=["10.2.0.0/16"])]
        estate = change(estate, network, "properties.virtualNetworkPeerings", links)
    both = [peering("hub", space=["10.0.0.0/16"]), peering("spoke", space=["10.1.0.0/16"])]
    groups = network_groups(dict(zip(("hub", "spoke"), members, strict=True)), connected, **configuration)
    one = Asked(add(estate, vnet("middle", "10.2.0.0/16", peerings=both), *groups), questions=(SSH,))
    assert [reason.code for reason in engine(one)(WEB, SSH, BAS).reasons] == expected
    compare(one)
