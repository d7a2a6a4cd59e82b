"""Budgets: Resource Manager's token buckets with their headers, and Microsoft.Network's windows of five minutes."""

import pytest

from arm_emulator.principals import Assignment, Principal
from tests.support.arm import NET, OTHER_SUB, RG, SUB, Arm, Json, Reply

PATH = f"{NET}/virtualNetworks/no"
KINDS = [("GET", "reads", 250, 25), ("PUT", "writes", 200, 10), ("DELETE", "deletes", 200, 10)]
EMPTY = "SubscriptionRequestsThrottled"


def call(arm: Arm, method: str, path: str = PATH, **options: str) -> Reply:
    body: Json | None = {} if method in ("PUT", "PATCH") else None
    return arm.call(method, path, body, by=options.get("by", "somebody"))


def emptied(arm: Arm, method: str, most: int) -> Reply:
    """Takes all that is in a bucket; the answer to the first request that finds nothing."""
    for _ in range(most):
        assert call(arm, method).status != 429
    return call(arm, method)


# -- token buckets -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "kind", "most", "refill"), KINDS)
def test_a_bucket_holds_so_many_requests_of_a_kind(method: str, kind: str, most: int, refill: int) -> None:
    del refill
    refused = emptied(Arm(), method, most)
    assert (refused.status, refused.code) == (429, EMPTY)
    assert f"'{kind}'" in refused.message


@pytest.mark.parametrize(("method", "kind", "most", "refill"), KINDS)
def test_a_bucket_is_refilled_by_so_many_a_second(method: str, kind: str, most: int, refill: int) -> None:
    del kind
    arm = Arm()
    emptied(arm, method, most)
    arm.wait(1)
    assert emptied(arm, method, refill).status == 429


def test_a_bucket_is_refilled_faster_at_speed() -> None:
    arm = Arm(speed=10)
    emptied(arm, "DELETE", 200)
    arm.wait(1)
    assert emptied(arm, "DELETE", 100).status == 429


@pytest.mark.parametrize(("method", "kind", "most", "refill"), KINDS)
def test_the_header_of_a_kind_tells_what_remains_for_the_subscription(
    method: str, kind: str, most: int, refill: int
) -> None:
    del refill
    arm = Arm()
    left = [call(arm, method).headers[f"x-ms-ratelimit-remaining-subscription-{kind}"] for _ in "abc"]
    assert left == [str(most - 1), str(most - 2), str(most - 3)]


@pytest.mark.parametrize(("method", "kind", "most", "refill"), KINDS)
def test_the_global_header_of_a_kind_tells_what_remains_for_all_principals(
    method: str, kind: str, most: int, refill: int
) -> None:
    del refill
    arm = Arm()
    left = [int(call(arm, method).headers[f"x-ms-ratelimit-remaining-subscription-global-{kind}"]) for _ in "ab"]
    assert left == [most * 15 - 1, most * 15 - 2]


@pytest.mark.parametrize(("method", "kind", "most", "refill"), KINDS)
def test_the_global_bucket_is_shared_by_all_principals(method: str, kind: str, most: int, refill: int) -> None:
    del refill
    arm = Arm()
    call(arm, method)
    headers = call(arm, method, by="operator").headers
    assert headers[f"x-ms-ratelimit-remaining-subscription-{kind}"] == str(most - 1)
    assert headers[f"x-ms-ratelimit-remaining-subscription-global-{kind}"] == str(most * 15 - 2)


def test_a_principal_with_a_full_bucket_is_refused_where_the_global_one_is_empty() -> None:
    arm = Arm()
    for number in range(15):
        for _ in range(200):
            arm.throttle.take(f"p{number}", SUB, "DELETE")
    refused = call(arm, "DELETE")
    assert (refused.status, refused.code) == (429, EMPTY)
    assert refused.headers["x-ms-ratelimit-remaining-subscription-global-deletes"] == "0"


@pytest.mark.parametrize(("method", "kind", "most", "refill"), KINDS)
def test_only_the_headers_of_the_requests_own_kind_are_told(method: str, kind: str, most: int, refill: int) -> None:
    del most, refill
    told = {name for name in call(Arm(), method).headers if name.startswith("x-ms-ratelimit")}
    assert told == {
        f"x-ms-ratelimit-remaining-subscription-{kind}",
        f"x-ms-ratelimit-remaining-subscription-global-{kind}",
    }


def test_an_empty_bucket_says_when_to_come_back() -> None:
    arm = Arm()
    refused = emptied(arm, "DELETE", 200)
    arm.wait(int(refused.headers["retry-after"]))
    assert call(arm, "DELETE").status == 204


def test_an_empty_bucket_tells_that_nothing_remains() -> None:
    refused = emptied(Arm(), "DELETE", 200)
    assert refused.headers["x-ms-ratelimit-remaining-subscription-deletes"] == "0"


def test_a_bucket_is_a_principals_own() -> None:
    arm = Arm()
    emptied(arm, "DELETE", 200)
    assert call(arm, "DELETE", by="operator").status == 204


def test_a_bucket_is_a_subscriptions_own() -> None:
    arm = Arm()
    emptied(arm, "DELETE", 200)
    assert call(arm, "DELETE", PATH.replace(SUB, OTHER_SUB)).status == 204


def test_a_bucket_is_a_kinds_own() -> None:
    arm = Arm()
    emptied(arm, "DELETE", 200)
    assert call(arm, "GET").status == 404
    assert call(arm, "PUT").status == 400


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_a_post_counts_as_a_write_as_put_and_patch_do(method: str) -> None:
    vm = f"{RG}/providers/Microsoft.Compute/virtualMachines/vm"
    path = f"{vm}/start" if method == "POST" else vm
    headers = call(Arm(), method, path).headers
    assert headers["x-ms-ratelimit-remaining-subscription-writes"] == "199"


def test_a_request_that_was_refused_costs_as_much() -> None:
    arm = Arm()
    header = "x-ms-ratelimit-remaining-subscription-deletes"
    assert call(arm, "DELETE", by="reader").status == 403
    assert call(arm, "DELETE", by="reader").headers[header] == "198"


# -- windows of Microsoft.Network --------------------------------------------------------------------------------


def spread(arm: Arm, method: str, count: int, rest: float, path: str = PATH) -> Reply:
    """So many requests, each so much later than the one before that no bucket runs dry; the answer to the last."""
    for _ in range(count - 1):
        call(arm, method, path)
        arm.now += rest
    return call(arm, method, path)


def test_microsoft_network_takes_1000_writes_in_five_minutes() -> None:
    arm = Arm()
    assert spread(arm, "PUT", 1000, 0.1).status == 400
    refused = call(arm, "PUT")
    assert (refused.status, refused.code) == (429, "TooManyRequests")


def test_deletes_count_among_the_writes_of_microsoft_network() -> None:
    arm = Arm()
    spread(arm, "PUT", 500, 0.1)
    assert spread(arm, "DELETE", 500, 0.1).status == 204
    assert call(arm, "DELETE").code == "TooManyRequests"


def test_microsoft_network_takes_10000_reads_in_five_minutes() -> None:
    arm = Arm()
    for _ in range(9_999):
        arm.throttle.take_network(SUB, "", "GET")
    assert call(arm, "GET").status == 404
    refused = call(arm, "GET")
    assert (refused.status, refused.code) == (429, "TooManyRequests")


def test_reads_and_writes_of_microsoft_network_are_counted_apart() -> None:
    arm = Arm()
    spread(arm, "DELETE", 1001, 0.1)
    assert call(arm, "GET").status == 404


def test_the_window_says_when_it_is_over_and_is_over_then() -> None:
    arm = Arm()
    refused = spread(arm, "DELETE", 1001, 0.1)
    assert 195 <= int(refused.headers["retry-after"]) <= 205
    arm.now += int(refused.headers["retry-after"])
    assert call(arm, "DELETE").status == 204


def test_the_window_is_a_regions_own() -> None:
    arm = Arm()
    here, there = (f"{NET}/networkSecurityGroups/{region}" for region in ("westeurope", "northeurope"))
    for path in (here, there):
        arm.made(path, {"location": path.rpartition("/")[2]})
    assert spread(arm, "PUT", 1000, 0.1, here).status == 400
    assert call(arm, "PUT", here).status == 429
    assert call(arm, "PUT", there).status == 400


def test_a_put_that_creates_counts_in_the_region_that_it_names() -> None:
    arm = Arm()
    bodies = {region: {"location": region, "tags": {"a": 1}} for region in ("West Europe", "westeurope", "northeurope")}
    for number in range(1000):
        arm.put(PATH, bodies["West Europe" if number % 2 else "westeurope"])
        arm.now += 0.1
    assert arm.put(PATH, bodies["westeurope"]).code == "TooManyRequests"
    assert arm.put(PATH, bodies["northeurope"]).status == 400


def test_the_window_is_a_subscriptions_own() -> None:
    arm = Arm()
    spread(arm, "DELETE", 1001, 0.1)
    assert call(arm, "DELETE", PATH.replace(SUB, OTHER_SUB)).status == 204


def test_the_window_is_shared_by_all_principals() -> None:
    arm = Arm()
    arm.add(Principal("p", "p", "x", "p", (Assignment("/", ("*",)),)))
    spread(arm, "DELETE", 1000, 0.1)
    assert call(arm, "DELETE", by="p").code == "TooManyRequests"


def test_the_window_is_of_microsoft_network_alone() -> None:
    arm = Arm()
    spread(arm, "DELETE", 1001, 0.1)
    assert call(arm, "DELETE", f"{RG}/providers/Microsoft.Compute/virtualMachines/vm").status == 204


def test_the_window_is_one_however_the_subscription_is_spelt() -> None:
    written = "aaaaaaaa-0000-0000-0000-000000000001"
    group = f"/subscriptions/{written}/resourceGroups/rg"
    arm = Arm(estate=[{"id": group, "location": "westeurope"}])
    for _ in range(10_000):
        arm.throttle.take_network(written, "", "GET")
    answer = arm.get(f"{group.replace(written, written.upper())}/providers/Microsoft.Network/virtualNetworks")
    assert (answer.status, answer.code) == (429, "TooManyRequests")
