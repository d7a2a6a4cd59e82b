"""Spokes that are found by their tags: who takes part, who has left, and what becomes of a link whose spoke lost its tag."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bastion_operator.api.common import Claim
from bastion_operator.api.conditions import ConditionType
from bastion_operator.planning.model import Change, Observed, Plan, Verb
from bastion_operator.planning.peering_members import matching_networks
from bastion_operator.planning.peering_removal import plan_all_links_removal
from bastion_operator.planning.peering_status import PeeringReport, report_peering
from bastion_operator.planning.vnet_peering import VNetPeeringInput, plan_vnet_peering
from tests.support.azure_model import AzureModel
from tests.support.estates import OTHER_SUBSCRIPTION, SUBSCRIPTION, Row, peering, vnet, vnet_id
from tests.support.plans import (
    NOW,
    OWNER,
    carry_out,
    codes,
    link_claim,
    own_name,
    peering_input,
    spokes,
    told,
    world,
)

HUB, SPOKE, OTHER = ["10.0.0.0/16"], ["10.1.0.0/16"], ["10.2.0.0/16"]
SELECTOR = {"subscriptions": [SUBSCRIPTION], "tags": {"Network": "spoke"}}
TAGS = {"network": "spoke", "team": "shop"}
FOUND = (
    link_claim("hub", "spoke").replace(selected=True),
    link_claim("spoke", "hub").replace(selected=True),
)


def selecting(*rows: Row, claims: tuple[Claim, ...] = (), now: datetime = NOW, **spec: Any) -> VNetPeeringInput:
    """A VNetPeering of ``hub`` whose spokes are found; words of the selector stand beside those of the spec."""
    words = {name: spec.pop(name) for name in ("onLeave", "leaveGrace", "tags", "subscriptions") if name in spec}
    asked: dict[str, Any] = {"spokes": None, "spokeSelector": {**SELECTOR, **words}, **spec}
    return replace(peering_input(*rows, claims=claims, **asked), now=now)


def tagged(name: str, *prefixes: str, tags: Row | None = TAGS, **more: Any) -> Row:
    return {**vnet(name, *prefixes, **more), "tags": tags}


def joined(tags: Row | None, hub: Row | None = None, spoke: Row | None = None) -> list[Row]:
    """Hub and spoke, joined by the operator."""
    to_spoke = peering("spoke", space=SPOKE, **{"name": own_name("spoke"), **(hub or {})})
    to_hub = peering("hub", space=HUB, **{"name": own_name("hub"), **(spoke or {})})
    return [vnet("hub", *HUB, peerings=[to_spoke]), tagged("spoke", *SPOKE, tags=tags, peerings=[to_hub])]


def left_since(moment: datetime) -> tuple[Claim, ...]:
    return tuple(claim.replace(left_at=moment) for claim in FOUND)


def report(asked: VNetPeeringInput) -> tuple[Plan, PeeringReport]:
    plan = plan_vnet_peering(asked)
    return plan, report_peering(replace(asked, claims=plan.claims), plan, [])


# --- who takes part ----------------------------------------------------------------------------------------------


def test_a_network_with_the_tags_is_peered_and_its_claims_say_how_it_was_found() -> None:
    plan = plan_vnet_peering(selecting(vnet("hub", *HUB), tagged("spoke", *SPOKE), vnet("other", *OTHER)))
    assert told(plan.changes) == [
        ("Create", f"virtualNetworkPeerings/{own_name('spoke')}"),
        ("Create", f"virtualNetworkPeerings/{own_name('hub')}"),
    ]
    assert [claim.selected for claim in plan.claims] == [True, True]
    assert not plan.obstacles


@pytest.mark.parametrize(
    ("tags", "matches"),
    [
        ({"NETWORK": "spoke"}, True),
        ({"network": "Spoke"}, False),
        ({"network": "spoke2"}, False),
        ({}, False),
        (None, False),
    ],
)
def test_names_of_tags_are_compared_in_any_case_and_values_in_their_own(tags: Row | None, matches: bool) -> None:
    plan = plan_vnet_peering(selecting(vnet("hub", *HUB), tagged("spoke", *SPOKE, tags=tags)))
    assert bool(plan.changes) is matches


def test_every_tag_must_be_there() -> None:
    rows = [vnet("hub", *HUB), tagged("spoke", *SPOKE), tagged("other", *OTHER, tags={**TAGS, "stage": "prod"})]
    plan = plan_vnet_peering(selecting(*rows, tags={"network": "spoke", "Stage": "prod"}))
    assert {change.root_id for change in plan.changes} == {vnet_id("hub"), vnet_id("other")}


def test_only_the_named_subscriptions_are_looked_in() -> None:
    elsewhere = vnet_id("spoke", subscription=OTHER_SUBSCRIPTION)
    rows = [vnet("hub", *HUB), {**tagged("spoke", *SPOKE), "id": elsewhere}]
    assert not plan_vnet_peering(selecting(*rows)).changes
    plan = plan_vnet_peering(selecting(*rows, subscriptions=[OTHER_SUBSCRIPTION.upper()]))
    assert {change.root_id for change in plan.changes} == {vnet_id("hub"), elsewhere}


def test_a_hub_with_the_tags_is_not_its_own_spoke() -> None:
    plan, told_of = report(selecting(tagged("hub", *HUB)))
    assert plan == Plan()
    assert told_of.counts.total == 0


def test_what_the_inventory_found_is_looked_at_again_before_anything_is_sent() -> None:
    asked = selecting(vnet("hub", *HUB), tagged("spoke", *SPOKE))
    without = world(vnet("hub", *HUB), tagged("spoke", *SPOKE, tags={}))
    assert plan_vnet_peering(replace(asked, observed=without)) == Plan()
    gone = world(vnet("hub", *HUB))
    assert plan_vnet_peering(replace(asked, observed=gone)) == Plan()


def test_a_spoke_that_is_listed_and_found_is_a_listed_one() -> None:
    rows = [vnet("hub", *HUB), tagged("spoke", *SPOKE)]
    plan = plan_vnet_peering(selecting(*rows, spokes=spokes("spoke")))
    assert len(plan.changes) == 2
    assert [claim.selected for claim in plan.claims] == [None, None]


def test_a_spoke_that_was_found_and_is_listed_now_goes_when_it_is_taken_off_the_list() -> None:
    listed = plan_vnet_peering(selecting(*joined({}), claims=FOUND, spokes=spokes("spoke")))
    assert listed.settled
    after = plan_vnet_peering(selecting(*joined({}), claims=listed.claims))
    assert told(after.changes) == [("Delete", f"virtualNetworkPeerings/{own_name('hub')}")]
    assert len(after.going) == 2


def test_a_spoke_that_was_listed_and_is_to_be_found_now_keeps_its_peering_also_where_the_inventory_is_late() -> None:
    claims = tuple(claim.replace(selected=None) for claim in FOUND)
    late = selecting(joined(TAGS)[0], claims=claims)
    unread = plan_vnet_peering(replace(late, observed=Observed({vnet_id("hub"): joined(TAGS)[0]})))
    assert [change.reads for change in unread.changes] == [(vnet_id("hub"), vnet_id("spoke"))]
    assert vnet_id("spoke") in {wait.root_id for wait in unread.waits}
    read = plan_vnet_peering(replace(late, observed=world(*joined(TAGS))))
    assert read.settled
    assert [claim.selected for claim in read.claims] == [True, True]


def test_rows_are_matched_in_the_order_of_their_ids() -> None:
    asked = selecting(vnet("hub", *HUB))
    assert asked.spec.spoke_selector is not None
    rows = {row["id"].lower(): row for row in (tagged("zz", *SPOKE), tagged("aa", *OTHER), vnet("mm", "10.3.0.0/16"))}
    assert matching_networks(asked.spec.spoke_selector, rows) == (vnet_id("aa"), vnet_id("zz"))


# --- what is told beforehand -------------------------------------------------------------------------------------


def test_a_selector_that_finds_nothing_is_told_and_ready() -> None:
    plan, told_of = report(selecting(vnet("hub", *HUB)))
    assert plan.settled
    connected = told_of.states[ConditionType.CONNECTED]
    assert (connected.true, connected.reason) == (True, "NothingSelected")
    assert SUBSCRIPTION in connected.message
    assert told_of.states[ConditionType.READY].true


def test_a_network_that_was_found_and_overlaps_is_told_and_the_others_are_peered() -> None:
    rows = [vnet("hub", *HUB), tagged("aa", *SPOKE), tagged("bb", "10.1.2.0/24")]
    plan = plan_vnet_peering(selecting(*rows))
    assert codes(plan) == ["VnetAddressSpaceOverlapsWithAlreadyPeeredVnet"]
    assert len(plan.changes) == 2


def test_a_hub_with_500_peerings_takes_no_more() -> None:
    full = [peering(f"x{number}", space=[f"11.{number // 256}.{number % 256}.0/24"]) for number in range(499)]
    rows = [vnet("hub", *HUB, peerings=full), tagged("aa", *SPOKE), tagged("bb", *OTHER)]
    plan = plan_vnet_peering(selecting(*rows))
    assert codes(plan) == ["VirtualNetworkPeeringCountLimitReached"]
    assert plan.obstacles[0].resource == vnet_id("bb")
    assert {change.resource_id.rsplit("/", 1)[1] for change in plan.changes} == {own_name("aa"), own_name("hub")}


def test_a_spoke_that_is_full_itself_is_told() -> None:
    full = [peering(f"x{number}", space=[f"11.{number // 256}.{number % 256}.0/24"]) for number in range(500)]
    plan = plan_vnet_peering(selecting(vnet("hub", *HUB), tagged("spoke", *SPOKE, peerings=full)))
    assert codes(plan) == ["VirtualNetworkPeeringCountLimitReached"]
    assert "virtual network spoke" in plan.obstacles[0].message


def test_a_pair_of_an_older_resource_is_told_and_left_alone() -> None:
    asked = selecting(vnet("hub", *HUB), tagged("spoke", *SPOKE), tagged("other", *OTHER))
    pair = f"{vnet_id('hub').lower()} and {vnet_id('spoke').lower()}"
    plan, told_of = report(replace(asked, taken={pair: "VNetPeering/team/older"}))
    assert codes(plan) == ["Conflict"]
    assert "VNetPeering/team/older was first" in plan.obstacles[0].message
    assert {change.root_id for change in plan.changes} == {vnet_id("hub"), vnet_id("other")}
    assert {row.virtual_network_id: row.reason for row in told_of.rows}[vnet_id("spoke")] == "Conflict"


# --- who has left ------------------------------------------------------------------------------------------------


def test_a_spoke_that_lost_its_tag_keeps_its_peering() -> None:
    plan, told_of = report(selecting(*joined({}), claims=FOUND))
    assert plan.settled
    assert not plan.obstacles
    assert {claim.left_at for claim in plan.claims} == {NOW}
    assert (told_of.counts.total, told_of.counts.left) == (0, 1)
    (row,) = told_of.rows
    assert (row.reason, row.left_at, row.hub_state) == ("LeftSelector", NOW, "Connected")
    later = plan_vnet_peering(selecting(*joined({}), claims=plan.claims, now=NOW + timedelta(days=365)))
    assert later.settled
    assert later.claims == plan.claims


def test_nothing_is_written_for_a_spoke_that_left() -> None:
    rows = joined({}, hub={"state": "Disconnected"}, spoke={"allowForwardedTraffic": True})
    plan = plan_vnet_peering(selecting(*rows, claims=FOUND, spokeToHub={"allowForwardedTraffic": False}))
    assert plan.settled


def test_a_spoke_that_has_its_tag_again_has_never_left() -> None:
    plan, told_of = report(selecting(*joined(TAGS), claims=left_since(NOW - timedelta(days=3)), onLeave="Delete"))
    assert plan.settled
    assert plan.claims == FOUND
    assert (told_of.counts.total, told_of.counts.selected, told_of.counts.left) == (1, 1, 0)


def test_with_delete_the_peering_stays_for_the_grace_and_says_until_when() -> None:
    asked = selecting(*joined({}), claims=left_since(NOW - timedelta(minutes=59)), onLeave="Delete")
    plan, told_of = report(asked)
    assert plan.settled
    assert "is removed after 2026-01-01 12:01:00 UTC" in str(told_of.rows[0].message)


def test_with_delete_both_halves_go_after_the_grace_the_spokes_first_which_is_read_before() -> None:
    plan = plan_vnet_peering(selecting(*joined({}), claims=left_since(NOW - timedelta(hours=1)), onLeave="Delete"))
    assert told(plan.changes) == [("Delete", f"virtualNetworkPeerings/{own_name('hub')}")]
    assert len(plan.going) == 2
    assert all(vnet_id("spoke") in change.reads for change in plan.changes)


def test_a_grace_begins_by_the_later_of_two_clocks_and_ends_by_the_earlier() -> None:
    """A wall clock that jumps by hours, or that was wrong and is set right, parts nobody before the grace is over."""
    hour, ahead = timedelta(hours=1), NOW + timedelta(hours=6)
    leaves = replace(selecting(*joined({}), claims=FOUND, onLeave="Delete"), latest=ahead)
    left = plan_vnet_peering(leaves).claims
    assert {claim.left_at for claim in left} == {ahead}
    assert plan_vnet_peering(selecting(*joined({}), claims=left, now=ahead + hour, onLeave="Delete")).changes
    before = selecting(*joined({}), claims=left_since(NOW), now=NOW + hour - timedelta(seconds=1), onLeave="Delete")
    assert plan_vnet_peering(replace(before, latest=ahead)).settled


def test_the_end_of_a_grace_is_told_the_same_before_and_after_its_begin_is_kept() -> None:
    leaves = replace(selecting(*joined({}), claims=FOUND, onLeave="Delete"), latest=NOW + timedelta(seconds=1))
    first = plan_vnet_peering(leaves)
    assert plan_vnet_peering(replace(leaves, claims=first.claims)).told == first.told != ()


def test_the_second_half_goes_also_after_a_crash_behind_the_first() -> None:
    hub, spoke = joined({}, spoke={"state": "Disconnected"})
    hub["properties"]["virtualNetworkPeerings"] = []
    plan = plan_vnet_peering(selecting(hub, spoke, claims=left_since(NOW - timedelta(hours=1)), onLeave="Delete"))
    assert told(plan.changes) == [("Delete", f"virtualNetworkPeerings/{own_name('hub')}")]


@pytest.mark.parametrize("which", ["hub", "spoke"])
@pytest.mark.parametrize("policy", [None, "Delete"])
def test_a_link_with_remote_gateways_stays_whatever_the_policy(which: str, policy: str | None) -> None:
    rows = joined({}, **{which: {"useRemoteGateways": True}})
    claims = left_since(NOW - timedelta(days=9))
    plan, told_of = report(selecting(*rows, claims=claims, onLeave="Delete", deletionPolicy=policy))
    assert plan.settled
    assert plan.claims == claims
    assert "gateway" in str(told_of.rows[0].message)


def test_with_hub_only_the_gateway_of_the_half_that_is_not_the_operators_is_looked_at_as_well() -> None:
    claims = left_since(NOW - timedelta(days=9))[:1]
    lent = {"hub": {"allowGatewayTransit": True}}
    used = joined({}, **lent, spoke={"useRemoteGateways": True, "name": "theirs"})
    assert plan_vnet_peering(selecting(*used, claims=claims, onLeave="Delete", sides="HubOnly")).settled
    unused = joined({}, **lent, spoke={"name": "theirs"})
    plan = plan_vnet_peering(selecting(*unused, claims=claims, onLeave="Delete", sides="HubOnly"))
    assert told(plan.changes) == [("Delete", f"virtualNetworkPeerings/{own_name('spoke')}")]


def test_a_network_that_is_not_shown_has_not_left() -> None:
    hub, _ = joined({})
    claims = left_since(NOW - timedelta(days=9))
    plan, told_of = report(selecting(hub, claims=claims, onLeave="Delete"))
    assert plan.settled
    assert plan.claims == claims
    assert told_of.rows[0].reason == "NetworkNotShown"
    fresh = plan_vnet_peering(selecting(hub, claims=FOUND, onLeave="Delete"))
    assert fresh.claims == FOUND, "and no time runs"


def test_without_a_selector_what_it_had_found_stays() -> None:
    claims = left_since(NOW - timedelta(days=9))
    rows = [*joined({}), vnet("other", *OTHER)]
    plan = plan_vnet_peering(peering_input(*rows, claims=claims, spokes=spokes("other")))
    assert {verb for verb, _ in told(plan.changes)} == {"Create"}
    assert "a spokeSelector that the spec has no more" in plan.told[0].message


def test_a_link_that_somebody_removed_is_nobodys_claim() -> None:
    hub, spoke = vnet("hub", *HUB), tagged("spoke", *SPOKE, tags={})
    plan = plan_vnet_peering(selecting(hub, spoke, claims=FOUND))
    assert plan.claims == ()
    assert plan.settled


def test_an_adopted_link_stays() -> None:
    claims = tuple(
        link_claim(one, other, adopted=True).replace(selected=True, left_at=NOW - timedelta(days=9))
        for one, other in (("hub", "spoke"), ("spoke", "hub"))
    )
    plan = plan_vnet_peering(selecting(*joined({}), claims=claims, onLeave="Delete"))
    assert plan.settled
    assert [finding.code for finding in plan.remains] == ["KeptNotOwned", "KeptNotOwned"]


def test_an_observer_tells_who_left_and_changes_no_claim() -> None:
    claims = left_since(NOW - timedelta(days=9))
    plan = plan_vnet_peering(selecting(*joined({}), claims=claims, onLeave="Delete", managementPolicy="Observe"))
    assert plan.settled
    assert plan.claims == claims
    assert [finding.code for finding in plan.told] == ["LeftSelector"]


def hub_s(change: Change) -> bool:
    return change.root_id.lower() == vnet_id("hub").lower()


def nothing_lost(_: Change) -> bool:
    return False


@st.composite
def stories(draw: st.DrawFn) -> list[tuple[int, set[str], bool]]:
    """Step by step: minutes that pass, the spokes that have the tag then, and whether the last request is lost."""
    some = st.sets(st.sampled_from(["aa", "bb", "cc"]))
    return draw(st.lists(st.tuples(st.integers(0, 90), some, st.booleans()), min_size=1, max_size=6))


@given(stories(), st.sampled_from(["Retain", "Delete"]), st.sampled_from(["aa", "none"]))
@settings(max_examples=150, deadline=None)
def test_whatever_happens_to_tags_no_link_goes_before_its_time(
    story: list[tuple[int, set[str], bool]], on_leave: str, gateway_user: str
) -> None:
    names = ("aa", "bb", "cc")
    azure = AzureModel([vnet("hub", *HUB), *(vnet(name, f"10.{1 + n}.0.0/16") for n, name in enumerate(names))])
    now, claims = NOW, tuple[Claim, ...]()
    seen_without, with_gateway = dict[str, datetime](), set[str]()
    for minutes, with_tag, loses in story:
        now += timedelta(minutes=minutes)
        for name in names:
            azure.tag(vnet_id(name), TAGS if name in with_tag else {})
            if name in with_tag:
                seen_without.pop(name, None)
            else:
                seen_without.setdefault(name, now)

        def make_plan(observed: Observed, claims: tuple[Claim, ...], at: datetime = now) -> Plan:
            asked = selecting(*azure.rows().values(), claims=claims, now=at, onLeave=on_leave)
            plan = plan_vnet_peering(replace(asked, observed=observed))
            for change in plan.changes:
                if change.verb is Verb.DELETE:
                    (spoke,) = {
                        name for name in names for each in change.reads if each.lower() == vnet_id(name).lower()
                    }
                    assert on_leave == "Delete"
                    assert at - seen_without[spoke] >= timedelta(hours=1)
                    assert spoke not in with_gateway
            return plan

        run = carry_out(azure, make_plan, claims, most=1 if loses else 8, lost=hub_s if loses else nothing_lost)
        claims = run.plan.claims
        if loses:
            continue
        assert run.plan.settled
        assert not run.plan.obstacles
        stand = {name for name in names if azure.joined(vnet_id("hub"), vnet_id(name))}
        assert with_tag <= stand
        if gateway_user in stand:
            azure.use_gateway(vnet_id(gateway_user), vnet_id("hub"))
            with_gateway.add(gateway_user)


# --- the end -----------------------------------------------------------------------------------------------------


def test_what_was_found_is_taken_down_with_the_resource_whoever_has_its_tag() -> None:
    asked = selecting(vnet("hub", *HUB))
    plan = plan_all_links_removal(OWNER, asked.spec, FOUND, world(*joined({})))
    assert [verb for verb, _ in told(plan.changes)] == ["Delete"]
    assert len(plan.going) == 2


def test_where_the_status_was_lost_the_hubs_own_links_are_kept_and_told() -> None:
    asked = selecting(vnet("hub", *HUB))
    plan = plan_all_links_removal(OWNER, asked.spec, (), Observed({vnet_id("hub"): joined({})[0]}))
    assert plan.settled
    assert [finding.code for finding in plan.remains] == ["KeptNotCertain"]
