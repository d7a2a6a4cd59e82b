"""The picture of what the operator has published: networks, states of links and Bastions, and numbers of VMs."""

from typing import Any

from bastion_operator.cli.drawing.graph import Machines, Role, Topology
from bastion_operator.cli.drawing.published import places_of, published_topology
from bastion_operator.cli.drawing.text import as_text
from bastion_operator.cli.published import published_verdicts
from bastion_operator.kube.sharding import build_reports
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.peering import PairState
from bastion_operator.network.reachability import judge_all
from bastion_operator.planning.verdict_rows import rows_by_network
from tests.support.estates import bastion_id, hub_and_spoke, vm_id, vnet_id

Raw = dict[str, Any]


def host(**status: Any) -> Raw:
    spec = {"virtualNetworkID": vnet_id("hub").upper(), "sku": "Standard"}
    return {"kind": "BastionHost", "metadata": {"name": "hub"}, "spec": spec, "status": status}


def peering(*rows: Raw, **spec: Any) -> Raw:
    asked = {"hub": {"virtualNetworkID": vnet_id("hub")}, "spokes": [{"virtualNetworkID": vnet_id("spoke")}]} | spec
    return {"kind": "VNetPeering", "metadata": {"name": "hub"}, "spec": asked, "status": {"spokes": [*rows]}}


def link(name: str, hub: str | None = None, spoke: str | None = None, **more: Any) -> Raw:
    states = {"hubState": hub, "spokeState": spoke}
    return {"virtualNetworkID": vnet_id(name), **{key: value for key, value in states.items() if value}, **more}


def states(topology: Topology) -> dict[str, tuple[PairState, str | None]]:
    names = {network.key: network.name for network in topology.networks}
    return {names[each.other]: (each.state, each.trouble) for each in topology.connections}


def test_links_have_the_state_of_both_halves_and_what_the_operator_says_of_them() -> None:
    rows = (
        link("one", "Connected", "Connected"),
        link("two", "Initiated", message="two has no link to hub"),
        link("three", "Connected", "Disconnected", reason="PeeringDisconnected"),
        link("four", message="the right is missing"),
        link("five", "Connected"),
    )
    topology = published_topology([], [peering(*rows)], [], [])
    assert states(topology) == {
        "one": (PairState.CONNECTED, None),
        "two": (PairState.ONE_SIDED, "two has no link to hub"),
        "three": (PairState.DISCONNECTED, "PeeringDisconnected"),
        "four": (PairState.NOT_PEERED, "the right is missing"),
        "five": (PairState.CONNECTED, None),
    }
    assert (topology.networks[0].name, topology.networks[0].role) == ("hub", Role.HUB)


def test_what_the_operator_has_not_looked_at_yet_is_drawn_as_asked() -> None:
    topology = published_topology([host()], [peering()], [], [])
    assert states(topology) == {"spoke": (PairState.UNKNOWN, "the operator has not looked at it")}
    [hub] = [each for each in topology.networks if each.name.lower() == "hub"]
    assert [(each.name, each.sku, each.state) for each in hub.bastions] == [("hub", "Standard", "not there yet")]


def test_a_full_mesh_has_its_ends_in_its_rows() -> None:
    row = link("b", "Connected", "Connected", peerVirtualNetworkID=vnet_id("a"))
    topology = published_topology([], [peering(row, hub=None, spokes=[])], [], [])
    assert {each.name for each in topology.networks} == {"a", "b"}
    assert [each.state for each in topology.connections] == [PairState.CONNECTED]


def test_vms_are_counted_in_the_networks_of_their_reports() -> None:
    inventory = Inventory.from_rows(hub_and_spoke())
    rows = rows_by_network(inventory, judge_all(inventory), vnet_id("hub"))
    reports = build_reports(namespace="net", bastion_host="hub", rows_by_network=rows)
    verdicts = published_verdicts(reports)
    there = host(bastionID=bastion_id("bas"), sku="Premium", provisioningState="Succeeded")
    topology = published_topology([there, there], [peering(link("spoke", "Connected", "Connected"))], reports, verdicts)
    counts = {each.name.lower(): each.machines for each in topology.networks}
    assert counts == {"hub": Machines(), "spoke": Machines(reachable=1)}
    assert places_of(reports, verdicts) == {vm_id("web"): vnet_id("spoke").lower()}
    told = as_text(topology)
    assert told.count("Bastion bas (Premium)") == 1
    assert "1 of 1 VMs reachable" in told
