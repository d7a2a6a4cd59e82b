"""Resource Graph's budgets, its 16 MiB, and how far it is behind."""

from typing import Any

import pytest

from tests.support.arm import NET, Arm, Reply, link_body, network_body, subnet_body
from tests.unit.arm_emulator.facts.test_graph_queries import machine

REMAINING, RESETS = "x-ms-user-quota-remaining", "x-ms-user-quota-resets-after"
TENANT = "x-ms-ratelimit-remaining-tenant-resource-requests"
BAD = "where where"


def used_up() -> tuple[Arm, Reply]:
    """Fifteen queries at once, and the answer to the sixteenth 3.2 seconds later."""
    arm = Arm()
    for _ in range(15):
        assert arm.query("count").status == 200
    arm.now += 3.2
    return arm, arm.query("count")


def count(arm: Arm, text: str) -> int:
    (row,) = arm.query(f"{text} | count").body["data"]
    return int(row["Count"])


# -- quota -------------------------------------------------------------------------------------------------------


def test_a_user_has_fifteen_queries_in_five_seconds() -> None:
    arm = Arm()
    assert [arm.query("count").status for _ in range(16)] == [200] * 15 + [429]


def test_the_quota_is_whole_again_after_five_seconds() -> None:
    arm, refused = used_up()
    assert refused.status == 429
    arm.now += 1.8
    assert arm.query("count").headers[REMAINING] == "14"


def test_the_quota_is_a_users_own() -> None:
    arm, _ = used_up()
    assert arm.query("count", by="reader").status == 200


@pytest.mark.parametrize(("query", "status"), [("count", 200), (BAD, 400)])
def test_answers_of_200_and_400_tell_the_quota(query: str, status: int) -> None:
    answer = Arm().query(query)
    assert answer.status == status
    assert [answer.headers[name] for name in (REMAINING, RESETS, TENANT)] == ["14", "00:00:05", "14"]


def test_a_query_that_is_refused_counts() -> None:
    arm = Arm()
    assert [arm.query(text).headers[REMAINING] for text in (BAD, "count")] == ["14", "13"]


def test_a_page_counts_as_a_query() -> None:
    arm = Arm(estate=[machine(n) for n in range(4)])
    text = "resources | project id | order by id asc"
    first = arm.query(text, options={"$top": 2})
    second = arm.query(text, options={"$skipToken": first.body["$skipToken"]})
    assert [first.headers[REMAINING], second.headers[REMAINING]] == ["14", "13"]


def test_a_query_costs_nothing_of_resource_managers_buckets() -> None:
    assert not [name for name in Arm().query("count").headers if "remaining-subscription" in name]


def test_429_has_the_code_rate_limiting_in_the_error_and_in_its_details() -> None:
    _, refused = used_up()
    assert (refused.status, refused.code) == (429, "RateLimiting")
    assert [one["code"] for one in refused.body["error"]["details"]] == ["RateLimiting"]


def test_429_says_what_users_have_published() -> None:
    _, refused = used_up()
    assert refused.message.startswith("Please provide below info when asking for support: timestamp = ")
    assert ", correlationId = " in refused.message
    assert refused.body["error"]["details"][0]["message"] == (
        "Client application has been throttled and should not attempt to repeat the request until an amount of time has "
        "elapsed. Please see https://aka.ms/resourcegraph-throttling for help."
    )


def test_429_tells_when_the_quota_resets() -> None:
    _, refused = used_up()
    told = [refused.headers[name] for name in (REMAINING, TENANT, RESETS, "retry-after")]
    assert told == ["0", "0", "00:00:02", "2"]


# -- 16 MiB ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def heavy() -> Arm:
    return Arm(estate=[machine(n, blob="x" * 17_000) for n in range(1000)])


def ordered(arm: Arm, top: int) -> Reply:
    arm.now += 5
    return arm.query("resources | order by id asc", options={"$top": top})


def test_an_answer_over_16_mib_is_400_response_payload_too_large(heavy: Arm) -> None:
    answer = ordered(heavy, 1000)
    assert (answer.status, answer.code) == (400, "BadRequest")
    assert answer.body["error"]["details"][0]["code"] == "ResponsePayloadTooLarge"


def test_the_refusal_of_a_large_answer_tells_its_size_and_the_limit(heavy: Arm) -> None:
    (detail,) = ordered(heavy, 1000).body["error"]["details"]
    told = [int(word.strip(".,")) for word in detail["message"].split() if word.strip(".,").isdigit()]
    assert told[0] > 17_000_000
    assert told[1] == 16_777_216


def test_pages_do_not_shrink_by_themselves_but_half_a_page_fits(heavy: Arm) -> None:
    assert [ordered(heavy, top).status for top in (1000, 1000, 500)] == [400, 400, 200]


# -- freshness ---------------------------------------------------------------------------------------------------


def test_a_resource_that_was_made_appears_after_the_lag() -> None:
    arm = Arm()
    arm.put(f"{NET}/virtualNetworks/v", network_body("10.0.0.0/16"))
    seen = []
    for _ in range(3):
        seen.append(count(arm, "resources | where name == 'v'"))
        arm.now += 1.1
    assert seen == [0, 0, 1]


def test_a_resource_that_was_deleted_stays_for_the_lag() -> None:
    arm = Arm()
    network = arm.network("v", "10.0.0.0/16")
    assert arm.delete(network).status == 202
    seen = []
    for _ in range(3):
        # The deletion takes ten seconds, and the graph is two behind.
        arm.now += 5.5
        seen.append((arm.get(network).status, count(arm, "resources | where name == 'v'")))
    assert seen == [(200, 1), (404, 1), (404, 0)]


def test_a_peering_shows_in_its_networks_row_after_the_lag() -> None:
    arm = Arm()
    hub, spoke = arm.network("hub", "10.0.0.0/16"), arm.network("spoke", "10.1.0.0/16")
    arm.put(f"{hub}/virtualNetworkPeerings/l", link_body(spoke))
    text = "resources | where name == 'hub' and array_length(properties.virtualNetworkPeerings) == 1"
    assert count(arm, text) == 0
    arm.now += 2.1
    assert count(arm, text) == 1


def test_the_end_of_an_operation_ages_from_that_end_also_when_nobody_has_polled() -> None:
    arm = Arm()
    arm.put(f"{NET}/virtualNetworks/v", network_body("10.0.0.0/16"))
    succeeded = "resources | where name == 'v' and properties.provisioningState == 'Succeeded'"
    seen = []
    for passed in (5.9, 0.2):
        # A network takes four seconds, and the graph is two behind.
        arm.now += passed
        seen.append(count(arm, succeeded))
    assert seen == [0, 1]


def test_the_first_question_after_a_long_silence_finds_what_has_ended_in_it() -> None:
    arm = Arm()
    arm.put(f"{NET}/virtualNetworks/v", network_body("10.0.0.0/16"))
    arm.now += 60
    assert count(arm, "resources | where name == 'v' and properties.provisioningState == 'Succeeded'") == 1


def test_a_get_knows_what_the_graph_does_not_yet() -> None:
    arm = Arm()
    arm.put(f"{NET}/virtualNetworks/v", network_body("10.0.0.0/16"))
    assert count(arm, "resources | where name == 'v'") == 0
    assert arm.get(f"{NET}/virtualNetworks/v").status == 200


def test_the_lag_is_divided_by_the_speed() -> None:
    arm = Arm(speed=10)
    arm.put(f"{NET}/virtualNetworks/v", network_body("10.0.0.0/16"))
    arm.now += 0.1
    assert count(arm, "resources | where name == 'v'") == 0
    arm.now += 0.11
    assert count(arm, "resources | where name == 'v'") == 1


@pytest.mark.parametrize("write", ["subnet", "peering"])
def test_the_etag_inside_a_row_shows_that_it_contains_ones_own_write(write: str) -> None:
    arm = Arm()
    hub = arm.network("hub", "10.0.0.0/16", subnets=[{"name": "s", **subnet_body("10.0.0.0/24")}])
    spoke = arm.network("spoke", "10.1.0.0/16")
    arm.now += 5

    def shown() -> Any:
        (row,) = arm.query("resources | where name == 'hub' | project e = tostring(properties.subnets[0].etag)").body[
            "data"
        ]
        return row["e"]

    assert shown() == arm.get(hub).body["etag"]
    if write == "subnet":
        arm.put(f"{hub}/subnets/t", subnet_body("10.0.1.0/24"))
    else:
        arm.put(f"{hub}/virtualNetworkPeerings/l", link_body(spoke))
    assert shown() != arm.get(hub).body["etag"]
    arm.wait()
    etag = arm.get(hub).body["etag"]
    arm.now += 5
    assert shown() == etag


# -- pages -------------------------------------------------------------------------------------------------------


def test_pages_have_no_snapshot_and_lose_a_row_where_one_went_before_them() -> None:
    arm = Arm()
    for name in "abcd":
        arm.network(name, "10.0.0.0/16")
    arm.now += 5
    text = "resources | project id, name | order by name asc"
    first = arm.query(text, options={"$top": 2}).body
    arm.gone(f"{NET}/virtualNetworks/a")
    arm.now += 5
    second = arm.query(text, options={"$skipToken": first["$skipToken"]}).body
    assert [row["name"] for row in first["data"] + second["data"]] == ["a", "b", "d"], "c was lost"


def test_pages_have_no_snapshot_and_repeat_a_row_where_one_came_before_them() -> None:
    arm = Arm()
    for name in "bcd":
        arm.network(name, "10.0.0.0/16")
    arm.now += 5
    text = "resources | project id, name | order by name asc"
    first = arm.query(text, options={"$top": 2}).body
    arm.network("a", "10.0.0.0/16")
    arm.now += 5
    second = arm.query(text, options={"$skipToken": first["$skipToken"]}).body
    assert [row["name"] for row in first["data"] + second["data"]] == ["b", "c", "c", "d"]
