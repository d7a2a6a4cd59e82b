"""The guard before deletions in bulk: what it holds back, what it lets pass, and that one plan at a time is allowed."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bastion_operator.api.common import Claim
from bastion_operator.api.conditions import ConditionType
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability import judge_all
from bastion_operator.planning.bastion_host import BastionHostInput, plan_with_targets
from bastion_operator.planning.bastion_status import bastion_states
from bastion_operator.planning.deletion_guard import ALWAYS_ALLOWED, SHARE
from bastion_operator.planning.model import Change, Observed, Plan
from bastion_operator.planning.peering_removal import plan_all_links_removal
from bastion_operator.planning.peering_status import report_peering
from bastion_operator.planning.rule_mark import RuleMark
from bastion_operator.planning.target_findings import TargetFindings
from bastion_operator.planning.target_rules import find_target_rules
from bastion_operator.planning.vnet_peering import VNetPeeringInput, plan_vnet_peering
from tests.support.azure_model import AzureModel
from tests.support.estates import SUBSCRIPTION, Row, bastion, nic, nsg, public_ip, rule, subnet, vm, vnet, vnet_id
from tests.support.plans import HOST, NOW, OWNER, bastion_input, carry_out, codes, marked, peering_input, spokes, told

TAGS = {"network": "spoke"}
SELECTOR = {"subscriptions": [SUBSCRIPTION], "tags": TAGS, "onLeave": "Delete", "leaveGrace": "1m"}


NSG = "microsoft.network/networksecuritygroups"
MANY = 60
"""Passes that are enough for everything."""


def names(number: int, first: int = 0) -> list[str]:
    return [f"s{place:02}" for place in range(first, first + number)]


@dataclass
class Hub:
    """A hub with spokes on a model of Azure, the claims of a VNetPeering, and a clock."""

    every: list[str]
    azure: AzureModel = field(init=False)
    claims: tuple[Claim, ...] = ()
    now: datetime = NOW
    plan: Plan = field(default_factory=Plan)

    def __post_init__(self) -> None:
        networks = [vnet(name, f"10.{place + 1}.0.0/16") for place, name in enumerate(self.every)]
        self.azure = AzureModel([vnet("hub", "10.0.0.0/16"), *networks])

    def asked(self, allow: str | None = None, **spec: Any) -> VNetPeeringInput:
        found = peering_input(*self.azure.rows().values(), claims=self.claims, **spec)
        return replace(found, observed=self.azure.observed(), now=self.now, allow_plan=allow)

    def go(self, allow: str | None = None, *, most: int = MANY, only: str = "", **spec: Any) -> Plan:
        """Passes until nothing is left to do; with ``only`` all requests but those to this network are lost."""
        self.now += timedelta(minutes=5)

        def make_plan(observed: Observed, claims: tuple[Claim, ...]) -> Plan:
            return plan_vnet_peering(replace(self.asked(allow, **spec), observed=observed, claims=claims))

        def lost(change: Change) -> bool:
            return not change.root_id.lower().endswith(only)

        run = carry_out(self.azure, make_plan, self.claims, most=most, lost=lost)
        # As the status keeps them: with times to the second.
        self.claims = tuple(Claim.model_validate(claim.to_json()) for claim in run.plan.claims)
        self.plan = run.plan
        return run.plan

    def lists(self, some: Iterable[str], allow: str | None = None, **how: Any) -> Plan:
        listed = spokes(*some)
        # A list may only be empty beside a selector; nothing has its tags here.
        more: dict[str, Any] = {} if listed else {"spokeSelector": SELECTOR}
        return self.go(allow, **how, spokes=listed or None, **more)

    @property
    def joined(self) -> set[str]:
        return {name for name in self.every if self.azure.joined(vnet_id("hub"), vnet_id(name))}


def hash_of(plan: Plan) -> str:
    """The hash as the message tells it."""
    found = re.search(r"azurebastion\.dev/allow-plan=([0-9a-f]{16})", plan.obstacles[0].message)
    assert found is not None, plan.obstacles
    return found[1]


# --- what is held ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kept", "gone", "held"),
    [(3, 3, False), (4, 4, True), (5, 3, False), (12, 4, True), (16, 4, False), (16, 5, True), (20, 5, False)],
)
def test_more_than_three_and_more_than_a_quarter_are_held(kept: int, gone: int, held: bool) -> None:
    hub = Hub(names(kept))
    hub.lists(hub.every)
    plan = hub.lists(hub.every[gone:])
    assert (codes(plan) == ["DeletionGuarded"]) is held
    assert len(hub.joined) == (kept if held else kept - gone)


def test_what_is_held_is_told_with_what_it_would_do_and_all_else_goes_on() -> None:
    hub = Hub(names(16))
    hub.lists(hub.every[:12])
    plan = hub.lists(hub.every[11:])
    assert hub.joined == set(hub.every), "four new ones are made, and none goes"
    assert plan.settled
    message = plan.obstacles[0].message
    assert "would delete 11 of the 12 that are kept" in message
    assert "the peering of virtual network hub with virtual network s00" in message
    assert message.endswith("; and 1 more")
    assert sorted(plan.guarded) == sorted(claim.id for claim in hub.claims if claim.guarded_plan == hash_of(plan))
    assert len(plan.guarded) == 22
    states = report_peering(hub.asked(spokes=spokes(*hub.every[11:])), plan, []).states
    assert states[ConditionType.CONNECTED].true
    for kind, status in ((ConditionType.READY, "False"), (ConditionType.STALLED, "True")):
        assert (states[kind].status, states[kind].reason) == (status, "DeletionGuarded")


def test_while_others_are_made_their_conditions_tell_of_them_and_ready_of_what_is_held() -> None:
    hub = Hub(names(16))
    hub.lists(hub.every[:12])
    plan = hub.lists(hub.every[11:], most=1)
    states = report_peering(hub.asked(spokes=spokes(*hub.every[11:])), plan, []).states
    assert states[ConditionType.CONNECTED].reason == "Progressing"
    assert "would delete" not in states[ConditionType.CONNECTED].message
    assert states[ConditionType.READY].reason == "DeletionGuarded"


def test_what_is_made_meanwhile_makes_the_share_no_smaller() -> None:
    hub = Hub(names(40))
    hub.lists(hub.every[:10])
    for _ in range(3):
        assert codes(hub.lists(hub.every[10:])) == ["DeletionGuarded"]
    assert hub.joined == set(hub.every)


def test_a_clock_that_goes_back_makes_nothing_older_than_the_deletion_that_is_held() -> None:
    hub = Hub(names(60))
    hub.lists(hub.every[:10])
    hub.lists(hub.every[10:11])
    # Each look comes five minutes after the one before; by Azure's answers this one is seconds earlier.
    hub.now -= timedelta(minutes=5, seconds=3)
    assert codes(hub.lists(hub.every[10:])) == ["DeletionGuarded"]
    assert codes(hub.lists(hub.every[10:])) == ["DeletionGuarded"]
    assert hub.joined == set(hub.every)


def test_a_link_that_is_made_anew_is_no_loss() -> None:
    hub = Hub(names(6))
    hub.lists(hub.every)
    for change in plan_all_links_removal(OWNER, hub.asked().spec, hub.claims, hub.azure.observed()).changes:
        if change.root_id.lower() != vnet_id("hub").lower():
            hub.azure.apply(change)
    assert not hub.joined
    plan = hub.lists(hub.every)
    assert (hub.joined, codes(plan)) == (set(hub.every), [])


def test_deleting_the_resource_itself_is_exempt() -> None:
    hub = Hub(names(6))
    hub.lists(hub.every)
    plan = plan_all_links_removal(OWNER, hub.asked().spec, hub.claims, hub.azure.observed())
    assert [verb for verb, _ in told(plan.changes)] == ["Delete"] * 6, "the spokes' halves go first"
    assert len(plan.going) == 12


def test_a_selector_that_suddenly_matches_nothing_cuts_nothing() -> None:
    hub = Hub(names(6))
    for name in hub.every:
        hub.azure.tag(vnet_id(name), TAGS)
    hub.go(spokes=None, spokeSelector=SELECTOR)
    assert hub.joined == set(hub.every)
    renamed = {**SELECTOR, "tags": {"network": "Spoke"}}
    for _ in range(3):
        plan = hub.go(spokes=None, spokeSelector=renamed)
    assert codes(plan) == ["DeletionGuarded"]
    assert hub.joined == set(hub.every)
    assert not any(claim.guarded_plan for claim in _cured(hub))


def _cured(hub: Hub) -> tuple[Claim, ...]:
    hub.go(spokes=None, spokeSelector=SELECTOR)
    return hub.claims


# --- what lets it pass -------------------------------------------------------------------------------------------


def test_the_hash_lets_just_that_plan_pass_to_its_end() -> None:
    hub = Hub(names(12))
    hub.lists(hub.every)
    told_hash = hash_of(hub.lists(hub.every[8:]))
    hub.lists(hub.every[8:], told_hash, only="/s05", most=1)
    assert hub.joined == set(hub.every) - {"s05"}, "it has begun, and broke off"
    plan = hub.lists(hub.every[8:], told_hash)
    assert (hub.joined, codes(plan), len(hub.claims)) == (set(hub.every[8:]), [], 8)


def test_taking_the_annotation_away_stops_what_is_left() -> None:
    hub = Hub(names(12))
    hub.lists(hub.every)
    told_hash = hash_of(hub.lists([]))
    hub.lists([], told_hash, only="/s05", most=1)
    left = hub.joined
    assert left == set(hub.every) - {"s05"}
    assert codes(hub.lists([])) == ["DeletionGuarded"]
    assert hub.joined == left


def test_what_joins_a_plan_after_it_was_allowed_needs_a_word_of_its_own() -> None:
    hub = Hub(names(20))
    hub.lists(hub.every)
    first = hash_of(hub.lists(hub.every[6:]))
    plan = hub.lists(hub.every[12:], first)
    assert hub.joined == set(hub.every[6:]), "the six that were told are gone, and no others"
    assert codes(plan) == ["DeletionGuarded"]
    assert hash_of(plan) != first
    hub.lists(hub.every[12:], hash_of(plan))
    assert hub.joined == set(hub.every[12:])


def test_an_annotation_that_was_left_behind_allows_nothing_again() -> None:
    hub = Hub(names(8))
    hub.lists(hub.every)
    first = hash_of(hub.lists(hub.every[6:]))
    hub.lists(hub.every[6:], first)
    hub.lists(hub.every, first)
    plan = hub.lists(hub.every[6:], first)
    assert (codes(plan), hub.joined) == (["DeletionGuarded"], set(hub.every))
    assert hash_of(plan) != first


def test_putting_back_enough_of_the_list_ends_it() -> None:
    hub = Hub(names(20))
    hub.lists(hub.every)
    hub.lists(hub.every[10:])
    plan = hub.lists(hub.every[5:])
    assert (codes(plan), hub.joined) == ([], set(hub.every[5:]))
    assert not any(claim.guarded_plan or claim.guarded_at for claim in hub.claims)


# --- any story ---------------------------------------------------------------------------------------------------


@st.composite
def stories(draw: st.DrawFn) -> list[tuple[set[int], str, int]]:
    """Step by step: the spokes that are listed, what the annotation says, and passes before a crash."""
    some = st.sets(st.integers(0, 7))
    said = st.sampled_from(["nothing", "the last hash", "an older hash"])
    return draw(st.lists(st.tuples(some, said, st.sampled_from([1, 2, MANY])), min_size=2, max_size=8))


@given(stories())
@settings(max_examples=80, deadline=None)
def test_whatever_the_list_says_no_more_goes_than_was_allowed(story: list[tuple[set[int], str, int]]) -> None:
    hub = Hub(names(8))
    hub.lists(hub.every)
    hashes = dict[str, frozenset[str]]()
    for listed, said, passes in story:
        known = list(hashes)
        allow = known[-1 if said == "the last hash" else 0] if known and said != "nothing" else None
        before, kept = hub.joined, {spoke_of(claim) for claim in hub.claims}
        plan = hub.lists([hub.every[place] for place in sorted(listed)], allow, most=passes)
        gone = before - hub.joined
        unasked = gone - hashes.get(allow or "", frozenset())
        assert len(unasked) <= max(ALWAYS_ALLOWED, len(kept) / SHARE), (gone, allow)
        assert not {name for name in gone if hub.every.index(name) in listed}, "and nothing that is listed"
        if plan.guarded:
            hashes[hash_of(plan)] = frozenset(
                spoke_of(claim) for claim in hub.claims if claim.guarded_plan == hash_of(plan)
            )
        elif passes == MANY:
            assert plan.settled
            assert hub.joined == {hub.every[place] for place in listed}


def spoke_of(claim: Claim) -> str:
    hub_s = claim.purpose == "HubToSpoke"
    network = (claim.detail or "").partition(" ")[0] if hub_s else claim.id.partition("/virtualNetworkPeerings/")[0]
    return network.rsplit("/", 1)[1]


# --- security rules ----------------------------------------------------------------------------------------------

ENFORCE = {"targets": "Enforce", "subnet": "Off", "overrideDenies": True}


def closed_estate(groups: int) -> list[Row]:
    """A host, and VMs each behind a group of its own that denies all."""
    subnets = [subnet("AzureBastionSubnet", "10.0.0.0/26"), subnet("work", "10.0.1.0/24")]
    rows = [vnet("hub", "10.0.0.0/16", subnets=subnets), marked(bastion("bas", "hub", sku="Standard"))]
    rows.append(marked(public_ip("bas-ip")))
    for place, name in enumerate(names(groups)):
        rows += [nsg(name, rule("closed", 4096, "Deny")), vm(name)]
        rows.append(nic(f"{name}-nic", "hub", "work", f"10.0.1.{place + 4}", nsg=name))
    return rows


@dataclass
class Guarded:
    """Security groups with rules for targets on a model of Azure; ``shown`` is what the inventory has of it."""

    azure: AzureModel
    claims: tuple[Claim, ...] = ()

    def asked(self, claims: tuple[Claim, ...], allow: str | None, **spec: Any) -> BastionHostInput:
        asked = bastion_input(claims=claims, **{"networkSecurity": ENFORCE, **spec})
        return replace(asked, observed=self.azure.observed(), allow_plan=allow)

    def go(self, shown: list[Row], allow: str | None = None, *, hidden: str = "", **spec: Any) -> Plan:
        inventory = Inventory.from_rows(shown)
        verdicts = judge_all(inventory, bastion_ids=[HOST])

        def make_plan(_: Observed, claims: tuple[Claim, ...]) -> Plan:
            asked = self.asked(claims, allow, **spec)
            rules = find_target_rules(inventory, asked.spec, RuleMark(OWNER, HOST), verdicts)
            return plan_with_targets(asked, rules, frozenset({hidden}))

        run = carry_out(self.azure, make_plan, self.claims, most=MANY)
        self.claims = run.plan.claims
        return run.plan

    @property
    def opened(self) -> int:
        """How many groups have a rule of the operator's."""
        groups = [row for row in self.azure.rows().values() if "securityRules" in row["properties"]]
        return sum(len(row["properties"]["securityRules"]) > 1 for row in groups)


def without_machines(group: Guarded, *some: str) -> list[Row]:
    """All that is left after these machines, or all of them, were deleted with their interfaces; Azure is so now."""
    gone = {each for name in some or names(6) for each in (name, f"{name}-nic")}
    rows = [row for row in group.azure.rows().values() if row["name"] not in gone or row["type"] == NSG]
    group.azure = AzureModel(rows)
    return rows


def test_rules_of_all_machines_stay_until_somebody_says_that_so_many_may_go() -> None:
    group = Guarded(AzureModel(closed_estate(6)))
    group.go(list(group.azure.rows().values()))
    assert group.opened == 6
    shown = without_machines(group)
    plan = group.go(shown)
    assert codes(plan) == ["DeletionGuarded"]
    assert group.opened == 6
    asked = group.asked(group.claims, None)
    states = bastion_states(asked, plan, [], TargetFindings(verdicts=[]))
    assert states[ConditionType.HOST_PROVISIONED].true
    for kind in (ConditionType.SECURITY_RULES_IN_SYNC, ConditionType.READY):
        assert (states[kind].status, states[kind].reason) == ("False", "DeletionGuarded")
    assert states[ConditionType.STALLED].reason == "DeletionGuarded"
    assert codes(group.go(shown, hash_of(plan))) == []
    assert group.opened == 0


def test_a_few_machines_that_go_take_their_rules_with_them() -> None:
    group = Guarded(AzureModel(closed_estate(6)))
    group.go(list(group.azure.rows().values()))
    assert codes(group.go(without_machines(group, "s00", "s01"))) == []
    assert group.opened == 4


def test_who_only_watches_is_not_told_of_deletions_that_nobody_makes() -> None:
    group = Guarded(AzureModel(closed_estate(6)))
    group.go(list(group.azure.rows().values()))
    plan = group.go(without_machines(group), managementPolicy="Observe")
    assert (codes(plan), len(plan.audited)) == ([], 6)
