"""Azure in trouble: what the operator waits for, what it tells, and that it goes on."""

import asyncio
import json
import re
import time
from collections.abc import Callable
from typing import Any

from tests.support.faults import fault, heal
from tests.support.lab import APPS_SUBSCRIPTION, HOST, HUB, SHOP, Lab, Manifest, example, path_of, stamp

HUB_BASTION, _DESKTOPS = example("bastion-host.yaml")
(PEERING,) = example("vnet-peering.yaml")
IN_APPS = [each for each in PEERING["spec"]["spokes"] if APPS_SUBSCRIPTION in each["virtualNetworkID"]]
PEERING_PUT = {"method": "PUT", "url": "/virtualNetworkPeerings/"}
# An operator whose clock is so slow that what is waited for in real seconds cannot be its next routine look.
PATIENT = 10.0
AT_ONCE = 25.0
PROMISED = {"vnp": ("Ready", "Connected", "AddressSpaceInSync"), "bh": ("Ready", "HostProvisioned")}


def patient(lab_factory: Callable[..., Lab]) -> Lab:
    """A lab whose operator looks at a refusal again after half a minute, and by routine after a quarter of one."""
    lab = lab_factory(operator_speed=PATIENT)
    lab.operator.start()
    return lab


def fired(lab: Lab) -> int:
    """How often faults have struck."""

    async def read() -> int:
        async with lab.azure.control() as control:
            return sum(one["fired"] for one in await control.faults())

    return asyncio.run(read())


def error(status: int, code: str, **more: Any) -> dict[str, Any]:
    return {"error": {"status": status, "code": code, "message": "Struck by rule.", **more}}


def puts(lab: Lab, marker: str) -> list[int]:
    """The statuses of PUTs on paths with this part."""
    return [status for method, path, status in lab.writes() if method == "PUT" and marker in path]


def created_once(lab: Lab) -> bool:
    created = [path for method, path, status in lab.writes() if method == "PUT" and status == 201]
    return len(created) == len(set(created))


def spec_of(manifest: Manifest, **spec: Any) -> Manifest:
    copy: Manifest = json.loads(json.dumps(manifest))
    copy["spec"] |= spec
    return copy


def named(manifest: Manifest, name: str) -> Manifest:
    """The same custom resource under another name."""
    return {**manifest, "metadata": {**manifest["metadata"], "name": name}}


def test_a_throttled_write_waits_as_long_as_azure_asks_and_nothing_is_sent_meanwhile(lab: Lab) -> None:
    fault(
        lab,
        error(429, "SubscriptionRequestsThrottled", headers={"Retry-After": "3"}),
        method="PUT",
        url=f"{APPS_SUBSCRIPTION}.*/virtualNetworkPeerings/",
    )
    first, second = (named(spec_of(PEERING, spokes=[each]), f"link-{n}") for n, each in enumerate(IN_APPS))
    lab.apply(first)
    lab.wait_for(lambda: 429 in puts(lab, APPS_SUBSCRIPTION), "the fault strikes")
    # Another pass has something to send there, and is to wait as well.
    lab.apply(second)
    lab.wait_ready("vnp/link-0", "vnp/link-1")
    sent = [each for each in lab.sent("PUT") if APPS_SUBSCRIPTION in each["url"]]
    assert sent[0]["status"] == 429
    assert puts(lab, APPS_SUBSCRIPTION).count(429) == 1
    waits = [stamp(each) - stamp(sent[0]) for each in sent[1:]]
    assert min(waits) > 2.9, "not one write to that subscription before the time that Azure named"
    assert created_once(lab)
    warnings = [each for each in lab.events() if each["type"] == "Warning" or each["action"] == "Stalled"]
    assert not warnings, "throttling is everyday life"


def test_server_errors_and_lost_connections_are_outlived_and_nothing_is_made_twice(lab: Lab) -> None:
    fault(lab, error(500, "InternalServerError"), **PEERING_PUT)
    fault(lab, {"reset": "before"}, **PEERING_PUT, nth=3)
    fault(lab, {"reset": "after"}, **PEERING_PUT, nth=5)
    fault(lab, {"reset": "after"}, method="PUT", url="/bastionHosts/")
    lab.apply(PEERING, HUB_BASTION)
    lab.wait_ready("vnp/hub", "bh/hub")
    assert fired(lab) == 4
    assert created_once(lab)
    peerings = [each for each in lab.azure.resources() if "/virtualnetworkpeerings/" in each]
    assert len(peerings) == 6


def test_the_code_of_a_failed_operation_is_the_reason_and_a_changed_spec_is_sent_at_once(
    lab_factory: Callable[..., Lab],
) -> None:
    lab = patient(lab_factory)
    fault(lab, {"fail_operation": {"code": "AllocationFailed"}}, method="PUT", url="/bastionHosts/", count=0)
    lab.apply(HUB_BASTION)
    lab.wait_condition("bh", "hub", "Ready", "False", "AllocationFailed")
    lab.wait_condition("bh", "hub", "Stalled", "True", "AllocationFailed")
    # What Azure has left behind is repaired once; what failed again waits.
    lab.wait_for(lambda: len(puts(lab, "/bastionhosts/")) == 2, "the one repair")
    tries = len(puts(lab, "/bastionhosts/"))
    time.sleep(2.5)
    assert len(puts(lab, "/bastionhosts/")) == tries, "what failed is not sent again and again"
    heal(lab)
    lab.apply(spec_of(HUB_BASTION, sku="Standard"))
    lab.wait_ready("bh/hub", seconds=AT_ONCE)
    assert lab.azure.resources()[HOST.lower()]["sku"]["name"] == "Standard"
    assert lab.condition("bh", "hub", "Stalled") is None


def test_anothers_operation_in_the_way_is_never_a_failure(lab: Lab) -> None:
    fault(lab, error(409, "AnotherOperationInProgress"), **PEERING_PUT, count=6)
    lab.apply(PEERING)
    seen: list[Manifest] = []

    def done() -> bool:
        seen.extend(lab.get("vnp", "hub").get("status", {}).get("conditions", []))
        return any(each["type"] == "Ready" and each["status"] == "True" for each in seen)

    lab.wait_for(done, "the links are made")
    assert fired(lab) == 6
    assert not [each for each in seen if "AnotherOperation" in each["reason"] + each["message"]]
    assert {each["type"] for each in seen} & {"Stalled"} == set()
    assert created_once(lab)


def test_a_missing_right_on_one_spoke_is_told_there_and_the_others_are_connected(
    lab_factory: Callable[..., Lab],
) -> None:
    lab = patient(lab_factory)
    message = (
        "The client has permission to perform action 'Microsoft.Network/virtualNetworks/peer/action' on scope 'hub', "
        "however the linked subscription was not authorized"
    )
    fault(
        lab,
        {"error": {"status": 403, "code": "LinkedAuthorizationFailed", "message": message}},
        method="PUT",
        url="/virtualNetworks/shop/virtualNetworkPeerings/",
        count=0,
    )
    lab.apply(PEERING)
    lab.wait_for(lambda: lab.get("vnp", "hub").get("status", {}).get("connected") == "2/3", "the other two are joined")
    ready = lab.wait_condition("vnp", "hub", "Ready", "False", "LinkedAuthorizationFailed")
    assert "Microsoft.Network/virtualNetworks/peer/action" in ready["message"]
    rows = {row["virtualNetworkID"]: row.get("reason") for row in lab.get("vnp", "hub")["status"]["spokes"]}
    assert rows[SHOP] == "LinkedAuthorizationFailed"
    assert [reason for network, reason in rows.items() if network != SHOP] == [None, None]
    tries = len(puts(lab, "/virtualnetworks/shop/"))
    time.sleep(1.5)
    assert len(puts(lab, "/virtualnetworks/shop/")) <= tries + 1, "a missing right is not asked for again and again"
    heal(lab)
    lab.annotate("vnp", "hub", "mended")
    lab.wait_ready("vnp/hub", seconds=AT_ONCE)


def test_a_spoke_that_may_not_be_read_is_told_there_and_the_others_are_connected(lab: Lab) -> None:
    fault(lab, error(403, "AuthorizationFailed"), method="GET", url=f"{re.escape(SHOP)}\\?", count=0)
    lab.apply(PEERING)
    lab.wait_for(lambda: lab.get("vnp", "hub").get("status", {}).get("connected") == "2/3", "the other two are joined")
    lab.wait_condition("vnp", "hub", "Ready", "False", "AuthorizationFailed")
    rows = {row["virtualNetworkID"]: row.get("reason") for row in lab.get("vnp", "hub")["status"]["spokes"]}
    assert rows[SHOP] == "AuthorizationFailed"
    time.sleep(0.5)
    began, asked = time.monotonic(), gets(lab, SHOP)
    time.sleep(2.4)
    more, intervals = gets(lab, SHOP) - asked, (time.monotonic() - began) / 1.2
    assert more <= 3 * intervals, "refused reads are not hot"


def gets(lab: Lab, resource_id: str) -> int:
    return sum(
        entry["method"] == "GET" and path_of(entry["url"]) == resource_id.lower() for entry in lab.azure.request_log()
    )


def watch_turns(lab: Lab) -> dict[str, list[str]]:
    """The sequences of states of the promised conditions, until all have been True for some intervals."""
    turns: dict[str, list[str]] = {}

    def watch() -> bool:
        for kind, types in PROMISED.items():
            for condition_type in types:
                found = lab.condition(kind, "hub", condition_type)
                history = turns.setdefault(f"{kind}/{condition_type}", [])
                if found is not None and history[-1:] != [found["status"]]:
                    history.append(found["status"])
        return all(history[-1:] == ["True"] for history in turns.values())

    lab.wait_for(watch, "the promises are kept")
    until = time.monotonic() + 3
    while time.monotonic() < until:
        watch()
        time.sleep(0.05)
    return turns


def test_a_graph_that_lags_by_minutes_makes_nothing_twice_and_no_condition_flap(
    lab_factory: Callable[..., Lab],
) -> None:
    # At this speed of Azure the lag outlasts the test.
    lab = lab_factory(graph_lag=60_000.0)
    lab.operator.start()
    lab.apply(PEERING, HUB_BASTION)
    turns = watch_turns(lab)
    assert turns == {name: ["False", "True"] for name in turns} or all(
        history in (["False", "True"], ["True"]) for history in turns.values()
    ), turns
    assert created_once(lab)
    # A link refers to a network whose subnet may be in the making just then: such a refusal makes nothing.
    assert len([status for _, _, status in lab.writes() if status < 300]) == 9, lab.writes()


def test_a_graph_that_fails_at_the_start_does_not_keep_links_from_being_made(lab_factory: Callable[..., Lab]) -> None:
    lab = lab_factory()
    fault(lab, error(500, "InternalServerError"), method="POST", url="Microsoft.ResourceGraph", count=0)
    lab.operator.start()
    lab.apply(PEERING, HUB_BASTION)
    lab.wait_for(lambda: len(lab.writes()) >= 9, "everything is sent")
    reachable = lab.wait_condition("bh", "hub", "TargetsReachable", "Unknown")
    assert reachable["message"]
    assert created_once(lab)
    heal(lab)
    lab.wait_ready("vnp/hub", "bh/hub")
    lab.wait_for(lambda: lab.reasons().get("web-1") == [], "the verdicts come with the inventory")


def test_a_throttled_graph_does_not_keep_links_from_being_made(lab_factory: Callable[..., Lab]) -> None:
    lab = lab_factory()
    fault(
        lab,
        error(429, "RateLimiting", headers={"Retry-After": "2"}),
        method="POST",
        url="Microsoft.ResourceGraph",
        count=0,
    )
    lab.operator.start()
    lab.apply(PEERING, HUB_BASTION)
    lab.wait_for(lambda: len(lab.writes()) >= 9, "everything is sent")
    heal(lab)
    lab.wait_ready("vnp/hub", "bh/hub")
    assert created_once(lab)


def test_two_resources_that_write_to_one_network_do_not_wait_for_an_interval(lab_factory: Callable[..., Lab]) -> None:
    lab = patient(lab_factory)
    spokes = PEERING["spec"]["spokes"]
    pair = []
    for number, spoke in enumerate(spokes[:2]):
        pair.append(named(spec_of(PEERING, spokes=[spoke], interval="1h"), f"link-{number}"))
    lab.apply(*pair, spec_of(HUB_BASTION, interval="1h"))
    # The routine look comes after half an interval: three minutes here.
    lab.wait_ready("vnp/link-0", "vnp/link-1", "bh/hub")
    assert {status for method, path, status in lab.writes() if path.startswith(HUB.lower())} <= {200, 201}
