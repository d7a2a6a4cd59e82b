"""Spokes that are found by their tags, and a peering that somebody takes away again and again."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml
from azure.mgmt.network.models import TagsObject

from dev.demo.colleague import Colleague
from tests.support.lab import APPS_SUBSCRIPTION, EXAMPLE, HUB, HUB_SUBSCRIPTION, SHOP, Lab, Manifest, path_of

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


def let_grace_pass(lab: Lab) -> None:
    """The status is all that knows when a network left: what it says is an hour earlier now."""
    claims = lab.get("vnp", "found")["status"]["claims"]
    earlier = [
        {**claim, "leftAt": f"{datetime.fromisoformat(claim['leftAt']) - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"}
        for claim in claims
    ]
    lab.api.merge(f"{lab.path('vnp', 'found')}/status", {"status": {"claims": earlier}})


def test_a_spoke_that_appears_is_peered_and_one_that_left_is_parted_after_its_grace_and_a_look(lab: Lab) -> None:
    colleague = Colleague(lab.azure)
    lab.apply(found(leaveGrace="30m"))
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

    tag(colleague, {"network": "another"})
    before = len(lab.azure.request_log())
    lab.wait_for(
        lambda: lab.get("vnp", "found")["status"]["counts"].get("left") == 1, "it is told that the network left"
    )
    (row,) = lab.get("vnp", "found")["status"]["spokes"]
    assert row["reason"] == "LeftSelector"
    assert "is removed after" in row["message"]
    assert len(lab.writes()) == 2, "the grace runs"

    let_grace_pass(lab)
    lab.wait_for(lambda: not links(lab), "both halves are gone")
    lab.wait_for(lambda: not lab.get("vnp", "found")["status"].get("claims"), "and their claims")
    log = [
        (entry["method"], path_of(entry["url"]).lower())
        for entry in lab.azure.request_log()[before:]
        if entry["principal"] == "operator" and entry["status"] < 400
    ]
    deleted = [place for place, (method, _) in enumerate(log) if method == "DELETE"]
    assert len(deleted) == 2
    assert ("GET", LAB.lower()) in log[: deleted[0]], "Azure itself showed the network without the tag"
    assert lab.get("vnp", "found")["status"]["counts"].get("left", 0) == 0


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
