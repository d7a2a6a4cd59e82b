"""Pictures of an estate: what is in them, where it lies, and that each form is what its reader takes."""

import re
from collections.abc import Iterable
from itertools import combinations
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bastion_operator.cli.drawing.dot import as_dot
from bastion_operator.cli.drawing.graph import Machines, Role, Topology, draw_topology, network_of
from bastion_operator.cli.drawing.html import as_html
from bastion_operator.cli.drawing.layout import BOX_WIDTH, Box, lay_out
from bastion_operator.cli.drawing.mermaid import as_mermaid
from bastion_operator.cli.drawing.svg import as_svg
from bastion_operator.cli.drawing.text import as_text
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.peering import PairState
from bastion_operator.network.reachability import judge_all
from tests.support.estates import Estate, bastion, hub_and_spoke, peering, vm, vnet, vnet_id

SVG = "{http://www.w3.org/2000/svg}"


def networks(count: int, links: Iterable[tuple[int, int]]) -> Estate:
    """Networks n0, n1 …, with sound peerings between the pairs."""
    ends = [*links]
    both = [*ends, *((other, one) for one, other in ends)]
    return [
        vnet(
            f"n{number}",
            f"10.{number}.0.0/16",
            peerings=[peering(f"n{other}", space=[f"10.{other}.0.0/16"]) for one, other in both if one == number],
        )
        for number in range(count)
    ]


def drawn(estate: Estate) -> Topology:
    inventory = Inventory.from_rows(estate)
    return draw_topology(inventory, judge_all(inventory))


def roles(topology: Topology) -> dict[str, Role]:
    return {network.name: network.role for network in topology.networks}


def test_a_hub_has_more_neighbours_than_most_of_them_and_what_hangs_on_it_is_a_spoke() -> None:
    found = roles(drawn(networks(6, [(0, 1), (0, 2), (0, 3), (3, 4)])))
    assert found == {
        "n0": Role.HUB,
        "n1": Role.SPOKE,
        "n2": Role.SPOKE,
        "n3": Role.SPOKE,
        "n4": Role.NETWORK,
        "n5": Role.NETWORK,
    }


def test_two_hubs_that_are_peered_are_both_hubs_and_in_a_mesh_nobody_is_one() -> None:
    hubs = roles(drawn(networks(6, [(0, 1), (0, 2), (0, 3), (1, 4), (1, 5)])))
    assert [name for name, role in hubs.items() if role is Role.HUB] == ["n0", "n1"]
    assert set(roles(drawn(networks(4, combinations(range(4), 2)))).values()) == {Role.NETWORK}


@pytest.mark.parametrize(
    ("near", "far", "state", "told"),
    [
        ({}, {}, PairState.CONNECTED, None),
        ({"state": "Initiated"}, None, PairState.ONE_SIDED, "b has no link to a"),
        ({"state": "Disconnected"}, {}, PairState.DISCONNECTED, "the half in a reads Disconnected"),
        ({"remoteAddressSpace": {"addressPrefixes": ["10.9.0.0/16"]}}, {}, PairState.CONNECTED, "a must sync"),
        ({"peeringState": "Peculiar"}, {}, PairState.UNKNOWN, "Azure does not say"),
    ],
)
def test_a_connection_has_the_state_of_both_halves_and_what_is_wrong(
    near: dict[str, Any], far: dict[str, Any] | None, state: PairState, told: str | None
) -> None:
    estate = [
        vnet("a", "10.0.0.0/16", peerings=[peering("b", space=["10.1.0.0/16"], **near)]),
        vnet("b", "10.1.0.0/16", peerings=[] if far is None else [peering("a", space=["10.0.0.0/16"], **far)]),
    ]
    [connection] = drawn(estate).connections
    assert connection.state is state
    assert (connection.trouble is None) == (told is None)
    assert told is None or told in str(connection.trouble)


def test_a_network_that_is_not_in_the_data_is_drawn_as_such() -> None:
    topology = drawn([vnet("a", "10.0.0.0/16", peerings=[peering("elsewhere", space=["10.1.0.0/16"])])])
    assert roles(topology) == {"a": Role.NETWORK, "elsewhere": Role.NOT_SHOWN}
    assert topology.connections[0].trouble == "of this peering only the half in a is in the data"


def test_vms_are_counted_in_the_network_of_their_address() -> None:
    estate = [row for row in hub_and_spoke() if row["name"] != "web"]
    topology = drawn([*estate, vm("web", power="stopped")])
    assert topology.by_key[vnet_id("spoke").lower()].machines == Machines(stopped=1)
    assert topology.by_key[vnet_id("hub").lower()].machines.total == 0
    assert network_of(Inventory.from_rows(estate), "/subscriptions/s/ghost") is None


pairs = st.integers(2, 12).flatmap(
    lambda count: st.tuples(
        st.just(count),
        st.sets(st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)).filter(lambda pair: pair[0] < pair[1])),
    )
)


@given(pairs)
def test_every_network_has_a_place_of_its_own_and_every_connection_a_line(
    shape: tuple[int, set[tuple[int, int]]],
) -> None:
    count, links = shape
    topology = draw_topology(Inventory.from_rows(networks(count, links)))
    picture = lay_out(topology)
    assert {box.network.key for box in picture.boxes} == set(topology.by_key)
    assert len(picture.boxes) == count
    assert sorted((line.connection.one, line.connection.other) for line in picture.lines) == sorted(
        (each.one, each.other) for each in topology.connections
    )
    assert len(picture.lines) == len(links)
    for one, other in combinations(picture.boxes, 2):
        assert apart(one, other), (one, other)
    for box in picture.boxes:
        assert 0 <= box.x <= picture.width - BOX_WIDTH
        assert 0 <= box.y <= picture.height - box.height
    told = as_text(topology)
    assert all(re.search(rf"(^|─ )n{number} ", told, re.MULTILINE) for number in range(count))
    assert told.count("─ ") == len(links), "every connection is told once"


def apart(one: Box, other: Box) -> bool:
    beside = one.x + BOX_WIDTH <= other.x or other.x + BOX_WIDTH <= one.x
    return beside or one.y + one.height <= other.y or other.y + other.height <= one.y


def test_500_spokes_are_drawn_about_as_wide_as_high() -> None:
    picture = lay_out(draw_topology(Inventory.from_rows(networks(501, [(0, each) for each in range(1, 501)]))))
    assert 0.5 < picture.width / picture.height < 2


HOSTILE = '"]; <script>alert(1)</script> & \\ "x'


def hostile() -> Estate:
    """Names that would end a string, or begin a tag, in one of the languages."""
    estate = [vnet("a", "10.0.0.0/16", peerings=[peering("b", space=["10.1.0.0/16"])]), vnet("b", "10.1.0.0/16")]
    return [row | {"name": HOSTILE} for row in estate]


def test_names_are_text_in_every_form() -> None:
    topology = drawn(hostile())
    image = ET.fromstring(as_svg(topology))  # noqa: S314  our own document
    texts = {element.text for element in image.iter(f"{SVG}text")}
    assert any(text is not None and text.startswith('"]; <script>') for text in texts)
    assert as_html(topology, [], {}).count("<script") == 1
    assert not [line for line in as_mermaid(topology).splitlines() if line.count('"') not in {0, 2}]
    for line in as_dot(topology).splitlines():
        assert len(re.findall(r'(?<!\\)(?:\\\\)*"', line)) % 2 == 0, line


def test_a_mermaid_line_that_is_not_sound_is_dotted_with_its_state_and_red() -> None:
    estate = [vnet("a", "10.0.0.0/16", peerings=[peering("b", space=["10.1.0.0/16"])]), vnet("b", "10.1.0.0/16")]
    lines = as_mermaid(drawn(estate)).splitlines()
    assert lines[-2:] == ["  n1 -. one-sided .- n2", "  linkStyle 0 stroke:#c62828"]


def test_the_page_names_nothing_that_a_browser_would_fetch() -> None:
    inventory = Inventory.from_rows(hub_and_spoke())
    verdicts = judge_all(inventory)
    page = as_html(
        draw_topology(inventory, verdicts), verdicts, {each.vm: network_of(inventory, each.vm) for each in verdicts}
    )
    assert not re.findall(r'(?:src|href)="(?!#|data:,)', page)
    assert not re.findall(r"url\(|@import|https?://(?!www\.w3\.org/2000/svg)", page)
    assert f'data-network="{vnet_id("spoke").lower()}"' in page


def test_a_bastion_is_drawn_with_its_sku_and_with_a_state_that_is_not_succeeded() -> None:
    estate = [row for row in hub_and_spoke() if row["name"] != "bas"]
    told = as_text(drawn([*estate, bastion("bas", "hub", provisioningState="Failed")]))
    assert "Bastion bas (Standard, Failed)" in told
