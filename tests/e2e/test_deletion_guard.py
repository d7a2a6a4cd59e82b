"""Deletions in bulk are held back, told with their hash, and done once somebody has allowed just them."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from tests.faults.kill_run import was_taken
from tests.support.lab import APPS_SUBSCRIPTION, EXAMPLE, SHOP, Lab, Manifest, example

(PEERING,) = example("vnet-peering.yaml")
SPOKES = [SHOP.replace("/shop", f"/more{place}") for place in range(5)]


def more_networks() -> list[Manifest]:
    """The example's estate, and five networks that nothing joins yet."""
    rows: list[Manifest] = json.loads((EXAMPLE / "estate.json").read_text())
    group = {"location": "westeurope", "type": "Microsoft.Resources/resourceGroups"}
    for place, network_id in enumerate(SPOKES):
        group_id, name = network_id.partition("/providers/")[0], network_id.rsplit("/", 1)[1]
        rows.append({**group, "id": group_id, "name": name, "subscriptionId": APPS_SUBSCRIPTION})
        space = {"addressSpace": {"addressPrefixes": [f"10.10{place}.0.0/16"]}}
        network = {"id": network_id, "name": name, "type": "Microsoft.Network/virtualNetworks"}
        rows.append({**network, "location": "westeurope", "properties": space})
    return rows


def peering(*spokes: str) -> Manifest:
    manifest: Manifest = json.loads(json.dumps(PEERING))
    manifest["spec"]["spokes"] = [{"virtualNetworkID": each} for each in spokes]
    return manifest


def test_a_list_that_lost_most_of_its_lines_cuts_nothing_before_its_plan_is_allowed(
    lab_factory: Callable[..., Lab],
) -> None:
    lab = lab_factory(more_networks())
    lab.operator.start()
    lab.apply(peering(*SPOKES))
    lab.wait_for(lambda: lab.get("vnp", "hub").get("status", {}).get("connected") == "5/5", "all are joined")
    lab.wait_ready("vnp/hub")
    # Kept is what was there before the second in which a deletion is held, and Azure's answers tell the time to a second.
    last = max(datetime.fromisoformat(claim["claimedAt"]) for claim in lab.get("vnp", "hub")["status"]["claims"])
    lab.wait_for(lambda: datetime.now(UTC) - last > timedelta(seconds=4), "that was seconds ago")

    lab.apply(peering(SHOP, SPOKES[0]))
    told_first = lab.wait_condition("vnp", "hub", "Ready", "False", "DeletionGuarded")
    assert "would delete 4 of the 5 that are kept" in told_first["message"]
    lab.wait_for(lambda: lab.get("vnp", "hub")["status"]["connected"] == "2/2", "the new one is made all the same")
    lab.wait_condition("vnp", "hub", "Stalled", "True", "DeletionGuarded")
    lab.wait_still(seconds=1.0)
    ready = lab.condition("vnp", "hub", "Ready")
    assert ready is not None
    assert not [method for method, _, _ in lab.writes() if method == "DELETE"]
    marks = {claim.get("guardedPlan") for claim in lab.get("vnp", "hub")["status"]["claims"]}
    (told,) = marks - {None}
    assert f"azurebastion.dev/allow-plan={told}" in ready["message"]

    # A restart forgets nothing and allows nothing.
    lab.operator.kill()
    lab.operator.start()
    lab.annotate("vnp", "hub", "after the restart")
    lab.wait_for(
        lambda: lab.get("vnp", "hub")["status"].get("lastHandledReconcileAt") == "after the restart", "it was looked at"
    )
    assert not [method for method, _, _ in lab.writes() if method == "DELETE"]
    assert lab.condition("vnp", "hub", "Ready") == ready

    lab.api.merge(lab.path("vnp", "hub"), {"metadata": {"annotations": {"azurebastion.dev/allow-plan": told}}})
    lab.wait_ready("vnp/hub")
    left = {
        each.partition("/virtualnetworkpeerings/")[0]
        for each in lab.azure.resources()
        if "/virtualnetworkpeerings/" in each
    }
    assert {SHOP.lower(), SPOKES[0].lower()} == {each for each in left if not each.endswith("/hub")}
    deleted = [path for method, path, status in lab.writes() if method == "DELETE" and was_taken(status)]
    assert len(deleted) == len(set(deleted)) == 8, deleted
    lab.delete("vnp", "hub")
    assert not [each for each in lab.azure.resources() if "/virtualnetworkpeerings/" in each]
