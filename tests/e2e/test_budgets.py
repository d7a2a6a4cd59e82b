"""Azure's budgets, seen from the cluster: what waits is told with the time, costs nothing meanwhile, and goes on by itself."""

import json
import re
import time
import urllib.request
from collections.abc import Callable

from tests.e2e.test_trouble import PEERING, created_once, error, puts
from tests.support.estates import vnet
from tests.support.faults import fault
from tests.support.lab import APPS_SUBSCRIPTION, EXAMPLE, HUB, HUB_SUBSCRIPTION, Lab, stamp

APPS = f"/subscriptions/{APPS_SUBSCRIPTION}/resourceGroups/shop/providers/Microsoft.Network"


def metric(lab: Lab, name: str) -> dict[str, float]:
    """The samples of a metric, by their labels as text."""
    with urllib.request.urlopen(lab.operator.metrics_url, timeout=5) as answer:  # noqa: S310 - loopback
        text = answer.read().decode()
    found = re.findall(rf"^{name}\{{(.*)\}} (.+)$", text, re.MULTILINE)
    return {labels: float(value) for labels, value in found}


def message(lab: Lab) -> str:
    found = lab.condition("vnp", "hub", "Reconciling")
    return "" if found is None else str(found["message"])


RETRY_AFTER = 12
OF_THE_IDENTITY = "/providers/Microsoft.Authorization/permissions"


def test_what_waits_for_a_closed_budget_is_told_with_the_time_and_costs_nothing_meanwhile(lab: Lab) -> None:
    fault(
        lab,
        error(429, "TooManyRequests", headers={"Retry-After": str(RETRY_AFTER)}),
        method="PUT",
        url=f"{APPS_SUBSCRIPTION}.*/virtualNetworkPeerings/",
    )
    lab.apply({**PEERING, "spec": {**PEERING["spec"], "interval": "1h"}})
    told = lab.wait_for(lambda: "wait for Azure" in message(lab) and message(lab), "the wait is told")
    words = rf"\d of \d changes wait for Azure's write budget of subscription {APPS_SUBSCRIPTION} in westeurope until \d\d:\d\d:\d\d UTC"
    assert re.search(words, told), told
    assert lab.condition("vnp", "hub", "Stalled") is None
    # In the middle of a pass nothing is said to wait.
    lab.wait_for(lambda: waiting_calls(lab) >= 1, "calls are said to wait")
    closed = f'budget="network-writes",region="westeurope",subscription="{APPS_SUBSCRIPTION}"'
    assert metric(lab, "azurebastion_azure_calls_left")[closed] == 0
    versions: list[tuple[float, str]] = []

    def watch() -> bool:
        began, found = time.time(), lab.get("vnp", "hub")
        versions.append((began, found["metadata"]["resourceVersion"]))
        return ("Ready", "True") in {(each["type"], each["status"]) for each in found["status"]["conditions"]}

    lab.wait_for(watch, "it goes on by itself")
    struck = stamp(next(each for each in lab.sent("PUT") if each["status"] == 429))
    # What lies elsewhere went on; then there is nothing but to wait.
    assert [each for each in lab.sent("PUT") if HUB_SUBSCRIPTION in each["url"] and stamp(each) < struck + RETRY_AFTER]
    from_, to = struck + RETRY_AFTER / 2, struck + RETRY_AFTER
    calls = [each for each in lab.azure.request_log() if each["principal"] == "operator" and from_ < stamp(each) < to]
    # What the identity may do is looked up at a pace of its own.
    urls = [each["url"] for each in calls if "/providers/" in each["url"]]
    assert not [each for each in urls if OF_THE_IDENTITY not in each], "no call while there is nothing to do"
    assert len({version for at, version in versions if from_ < at < to - 1}) <= 1, "the words stay"
    assert puts(lab, APPS_SUBSCRIPTION).count(429) == 1
    assert created_once(lab)
    lab.wait_for(lambda: waiting_calls(lab) == 0, "nothing is said to wait any more")


def waiting_calls(lab: Lab) -> float:
    return sum(metric(lab, "azurebastion_azure_waiting_calls").values())


SPOKES = 17  # with the hub more networks than are read for a removal without a turn for each


def test_a_hub_of_many_spokes_is_taken_down_in_turns_and_nothing_is_sent_twice(
    lab_factory: Callable[..., Lab],
) -> None:
    networks = [f"{APPS}/virtualNetworks/spoke-{number}" for number in range(SPOKES)]
    rows = [row for row in json.loads((EXAMPLE / "estate.json").read_text()) if row["type"].endswith("/subscriptions")]
    rows += [vnet(HUB, "10.0.0.0/16"), *(vnet(each, f"10.{number + 1}.0.0/16") for number, each in enumerate(networks))]
    lab = lab_factory(rows)
    lab.operator.start()
    lab.apply({**PEERING, "spec": {**PEERING["spec"], "spokes": [{"virtualNetworkID": each} for each in networks]}})
    lab.wait_ready("vnp/hub")
    assert lab.get("vnp", "hub")["status"]["connected"] == f"{SPOKES}/{SPOKES}"
    lab.delete("vnp", "hub")
    assert not [each for each in lab.azure.resources() if "/virtualnetworkpeerings/" in each]
    for method in ("PUT", "DELETE"):
        sent = [path for each, path, _ in lab.writes() if each == method]
        assert len(sent) == len(set(sent)) == 2 * SPOKES
    assert {status for _, _, status in lab.writes()} <= {201, 202}
