"""Spokes that are found by their tags, and a peering that somebody takes away again and again."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml
from azure.mgmt.network.models import TagsObject

from dev.demo.colleague import Colleague
from tests.support.lab import (
    APPS_SUBSCRIPTION,
    EXAMPLE,
    HUB,
    HUB_SUBSCRIPTION,
    OPERATOR_SPEED,
    SHOP,
    Lab,
    Manifest,
    path_of,
)

LAB = SHOP.replace("/resourceGroups/shop/", "/resourceGroups/lab/").rsplit("/", 1)[0] + "/lab"


def found(**selector: object) -> Manifest:
    """The example's VNetPeering with other words in its selector."""
    text = Path(EXAMPLE.parent / "spoke-selector" / "vnet-peering.yaml").read_text()
    manifest: Manifest = yaml.safe_load(text)
    manifest["spec"]["spokeSelector"] |= selector
    return manifest


def tag(colleague: Colleague, tags: dict[str, str]) -> None:
    """Give the network in the apps' subscription these tags and no others."""
    with colleague.network(APPS_SUBSCRIPTION) as client:
        client.virtual_networks.update_tags("lab", "lab", TagsObject(tags=tags))


def links(lab: Lab) -> list[str]:
    return [each for each in lab.azure.resources() if "/virtualnetworkpeerings/" in each]


def test_a_spoke_that_appears_is_peered_without_a_touch_of_the_resource_and_belongs_to_the_older_of_two(
    lab: Lab,
) -> None:
    colleague = Colleague(lab.azure)
    lab.apply(found())
    lab.wait_ready("vnp/found")
    assert lab.wait_condition("vnp", "found", "Connected", "True")["reason"] == "NothingSelected"
    assert lab.writes() == []

    tag(colleague, {"Network": "spoke"})
    lab.wait_for(lambda: lab.get("vnp", "found")["status"]["connected"] == "1/1", "the network with the tag is peered")
    lab.wait_ready("vnp/found")
    assert [(method, status) for method, _, status in lab.writes()] == [("PUT", 201), ("PUT", 201)]
    assert {path.rsplit("/", 2)[0] for _, path, _ in lab.writes()} == {HUB.lower(), LAB.lower()}
    status = lab.get("vnp", "found")["status"]
    assert [claim["selected"] for claim in status["claims"]] == [True, True]
    assert (status["counts"]["selected"], status["counts"].get("left", 0)) == (1, 0)

    first = datetime.fromisoformat(lab.get("vnp", "found")["metadata"]["creationTimestamp"])
    lab.wait_for(lambda: datetime.now(UTC) > first + timedelta(seconds=2), "the next resource is younger by the second")
    younger = found()
    younger["metadata"]["name"] = "listed"
    del younger["spec"]["spokeSelector"]
    lab.apply({**younger, "spec": {**younger["spec"], "spokes": [{"virtualNetworkID": LAB}]}})
    conflict = lab.wait_condition("vnp", "listed", "Ready", "False", "Conflict")
    assert "found was first to ask for the peering" in conflict["message"]
    lab.delete("vnp", "listed")
    assert len(lab.writes()) == 2


def test_who_takes_a_peering_away_again_and_again_is_named_and_the_repair_slows_down(lab: Lab) -> None:
    colleague = Colleague(lab.azure)
    tag(colleague, {"network": "spoke"})
    lab.apply(found())
    lab.wait_for(lambda: len(links(lab)) == 2, "the network is peered")
    for undone in range(3):
        # The spoke's half, which reads Disconnected then, goes as well; both are made anew.
        lab.wait_for(lambda: len(lab.writes()) == 2 + 3 * undone, "the pair is made, or made anew, at once")  # noqa: B023
        lab.wait_ready("vnp/found")
        lab.wait_still(seconds=1.0)
        hub_s = next(each for each in links(lab) if each.startswith(HUB.lower()))
        colleague.delete_peering(HUB_SUBSCRIPTION, "connectivity", "hub", hub_s.rsplit("/", 1)[1])
    contended = lab.wait_for(
        lambda: next(
            (
                each
                for each in lab.get("vnp", "found")["status"]["conditions"]
                if (each["type"], each["reason"]) == ("Ready", "Contended")
            ),
            None,
        ),
        "it is told that something works against it",
    )
    assert lab.azure.clients["somebody"].client_id in contended["message"]
    lab.wait_ready("vnp/found")
    assert last_at(lab, "operator", "PUT") - last_at(lab, "somebody", "DELETE") >= FIRST_WAIT


# The least that the operator waits once it is a fight: a minute of its clock. The log of requests has real time.
FIRST_WAIT = timedelta(minutes=1) / OPERATOR_SPEED


def last_at(lab: Lab, principal: str, method: str) -> datetime:
    """When Azure was last asked for a write of a half of the hub's by somebody."""
    hub_s = f"{HUB}/virtualNetworkPeerings/".lower()
    return max(
        datetime.fromisoformat(entry["time"])
        for entry in lab.azure.request_log()
        if (entry["principal"], entry["method"]) == (principal, method) and path_of(entry["url"]).startswith(hub_s)
    )
