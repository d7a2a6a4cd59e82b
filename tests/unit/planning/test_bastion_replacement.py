"""A host is deleted and made anew for a changed spec that asks for it, once all else is right and it was told; else never."""

import copy
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bastion_operator.api.common import Claim, ClaimOrigin
from bastion_operator.planning.bastion_host import plan_bastion_host
from bastion_operator.planning.model import Change, Observed, Plan
from tests.support.azure_model import AzureModel
from tests.support.estates import Row, bastion, nsg, nsg_id, public_ip, public_ip_id, resource_id, subnet, vnet
from tests.support.plans import ADDRESS, HOST, bastion_input, carry_out, claim, codes, marked, told

Json = dict[str, Any]

NIC = resource_id("Microsoft.Network/networkInterfaces", "nic")
NAMES_ALL: Json = {"sku": "Standard", "replacePolicy": "Recreate"}


def hub(**bastion_subnet: Any) -> Row:
    return vnet("hub", "10.0.0.0/16", subnets=[subnet("AzureBastionSubnet", "10.0.0.0/26", **bastion_subnet)])


def standing(**host: Any) -> list[Row]:
    return [hub(), marked(public_ip("bas-ip", ipAddress="20.1.2.3")), marked(bastion("bas", "hub", **host))]


def plan_of(rows: list[Row], claims: tuple[Claim, ...], **spec: Any) -> Plan:
    return plan_bastion_host(bastion_input(*rows, claims=claims, **spec))


def settled(rows: list[Row], **spec: Any) -> tuple[Claim, ...]:
    """The claims once host and spec have agreed."""
    plan = plan_of(rows, (), **spec)
    assert plan.settled
    assert not plan.obstacles
    return plan.claims


def details(plan: Plan) -> str:
    return next(each.detail or "" for each in plan.claims if each.id == HOST)


# Each: the host that stands and the spec it agreed with; the spec as it is changed.
CHANGES: dict[str, tuple[Json, Json, Json]] = {
    "downgrade": ({"sku": "Premium"}, {"sku": "Premium"}, {"sku": "Standard"}),
    "to Developer": ({"sku": "Basic"}, {"sku": "Basic"}, {"sku": "Developer"}),
    "zones": ({}, {}, {"zones": ["1"]}),
    "another address": ({}, {}, {"publicIP": {"name": "other"}}),
    "private only": ({"sku": "Premium"}, {"sku": "Premium"}, {"sku": "Premium", "features": {"privateOnly": True}}),
    "public again": (
        {"sku": "Premium", "enablePrivateOnlyBastion": True},
        {"sku": "Premium", "features": {"privateOnly": True}},
        {"sku": "Premium", "features": {"privateOnly": False}},
    ),
}


@pytest.mark.parametrize(("host", "before", "after"), CHANGES.values(), ids=CHANGES)
def test_by_default_it_is_refused_with_the_way_out_and_what_that_would_cost(
    host: Json, before: Json, after: Json
) -> None:
    rows = standing(**host)
    plan = plan_of(rows, settled(rows, **before), **after)
    assert plan.settled
    assert codes(plan) in (["DowngradeNotSupported"], ["FixedAtCreation"])
    message = plan.obstacles[0].message
    assert "set replacePolicy: Recreate" in message
    assert "open sessions, the DNS name bst-1.bastion.azure.com" in message


@pytest.mark.parametrize(("host", "before", "after"), CHANGES.values(), ids=CHANGES)
def test_a_changed_spec_is_told_first_then_the_host_is_deleted_and_made_as_asked(
    host: Json, before: Json, after: Json
) -> None:
    rows = standing(**host)
    asked = {**after, "replacePolicy": "Recreate"}
    first = plan_of(rows, settled(rows, **before), **asked)
    assert not first.changes
    assert "lost with the host: open sessions" in first.waits[0].summary
    azure = AzureModel(rows)
    run = carry_out(azure, _plan(asked), first.claims, most=9)
    assert run.plan.settled, run.plan
    assert not run.plan.obstacles
    verbs = [each for each in told(tuple(run.sent)) if each[1] == "bastionHosts/bas"]
    assert verbs == [("Delete", "bastionHosts/bas"), ("Create", "bastionHosts/bas")]
    assert ADDRESS.lower() in azure.ids(), "an address is never deleted with its host"
    again = plan_bastion_host(replace(bastion_input(claims=run.plan.claims, **asked), observed=azure.observed()))
    assert again == run.plan


def _plan(asked: Json) -> Any:
    def make_plan(observed: Observed, claims: tuple[Claim, ...]) -> Plan:
        return plan_bastion_host(replace(bastion_input(claims=claims, **asked), observed=observed))

    return make_plan


def test_the_deletion_is_judged_by_what_was_read_for_it_and_by_the_hosts_etag() -> None:
    rows = standing(sku="Premium")
    rows[2]["etag"] = 'W/"7"'
    first = plan_of(rows, settled(rows, sku="Premium"), **NAMES_ALL)
    (change,) = plan_of(rows, first.claims, **NAMES_ALL).changes
    assert change.if_match == 'W/"7"'
    assert {rows[0]["id"], ADDRESS, HOST} <= set(change.reads)


def test_a_new_address_is_made_before_the_host_is_deleted() -> None:
    rows = standing()
    asked = {"publicIP": {"name": "other"}, "replacePolicy": "Recreate"}
    first = plan_of(rows, settled(rows), **asked)
    assert "its public IP address 20.1.2.3 (public IP bas-ip itself is kept)" in first.waits[0].about
    second = plan_of(rows, first.claims, **asked)
    assert told(second.changes) == [("Create", "publicIPAddresses/other")]


def test_what_the_spec_leaves_out_is_named_among_the_losses() -> None:
    rows = standing(sku="Premium", enableShareableLink=True, enableTunneling=True, scaleUnits=5)
    rows[2]["tags"]["Owner"] = "them"
    rows[2]["zones"] = ["1", "2"]
    asked = {"features": {"nativeClient": True}}
    plan = plan_of(rows, settled(rows, sku="Premium", **asked), **NAMES_ALL, **asked)
    assert "what the spec leaves out (enableShareableLink, scaleUnits 5, zones 1, 2, tag Owner)" in plan.waits[0].about


# --- never ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("host", "before", "after"), CHANGES.values(), ids=CHANGES)
def test_what_others_changed_is_no_reason(host: Json, before: Json, after: Json) -> None:
    """The spec asked for this all the time, and somebody else made the host otherwise."""
    claims = plan_of([hub()], (), **after, replacePolicy="Recreate").claims
    rows = standing(**host)
    plan = plan_of(rows, (*claims, *[claim(HOST)] * (not claims)), **after, replacePolicy="Recreate")
    assert plan.settled
    assert codes(plan) in (["DowngradeNotSupported"], ["FixedAtCreation"])
    assert "a change of the spec that the operator has seen" in plan.obstacles[0].message
    assert before is not after


def test_a_host_of_which_nothing_is_recorded_is_not_made_anew() -> None:
    plan = plan_of(standing(sku="Premium"), (claim(HOST),), **NAMES_ALL)
    assert plan.settled
    assert codes(plan) == ["DowngradeNotSupported"]


def test_a_host_that_azure_made_otherwise_is_not_made_anew_again_and_again() -> None:
    rows = standing(sku="Premium")
    first = plan_of(rows, settled(rows, sku="Premium"), **NAMES_ALL)
    made = plan_of(rows[:2], first.claims, **NAMES_ALL)
    assert "sku: Premium → Standard" in made.changes[0].reason
    plan = plan_of(rows, made.claims, **NAMES_ALL)
    assert plan.settled
    assert codes(plan) == ["DowngradeNotSupported"]


def test_a_spec_that_is_set_back_before_the_deletion_keeps_the_host() -> None:
    rows = standing(sku="Premium")
    agreed = settled(rows, sku="Premium")
    first = plan_of(rows, agreed, **NAMES_ALL)
    back = plan_of(rows, first.claims, sku="Premium", replacePolicy="Recreate")
    assert back.settled
    assert set(back.claims) == set(agreed)
    never = plan_of(rows, first.claims, sku="Standard")
    assert never.settled
    assert details(never) == next(each.detail for each in agreed if each.id == HOST)


HINDRANCES: dict[str, tuple[list[Row], Json, str]] = {
    "a group that lacks rules": (
        [hub(networkSecurityGroup={"id": nsg_id("theirs")}), nsg("theirs")],
        {},
        "NetworkSecurityGroupNotCompliantForAzureBastionSubnet",
    ),
    "a group that cannot be read": (
        [hub(networkSecurityGroup={"id": nsg_id("theirs")})],
        {},
        "NetworkSecurityGroupNotFound",
    ),
    "something else in the subnet": (
        [hub(ipConfigurations=[{"id": f"{NIC}/ipConfigurations/a"}])],
        {},
        "SubnetNotDedicated",
    ),
    "an address in use": (
        [hub(), public_ip("other", ipConfiguration={"id": f"{NIC}/ipConfigurations/a"})],
        {"publicIP": {"id": public_ip_id("other")}},
        "PublicIPAddressInUse",
    ),
    "an address of somebody": ([hub(), public_ip("other")], {"publicIP": {"name": "other"}}, "NotOwned"),
    "an address that is not there": ([hub()], {"publicIP": {"id": public_ip_id("other")}}, "PublicIPNotFound"),
    "a region without Developer": (
        [{**hub(), "location": "West US 2"}],
        {"sku": "Developer"},
        "DeveloperRegionUnsupported",
    ),
    "an address in other zones": (
        [hub(), {**public_ip("other"), "zones": ["1"]}],
        {"publicIP": {"id": public_ip_id("other")}, "zones": ["1", "2"]},
        "PublicIPInvalid",
    ),
}


@pytest.mark.parametrize(("around", "asked", "code"), HINDRANCES.values(), ids=HINDRANCES)
def test_what_would_keep_azure_from_making_the_new_host_keeps_the_old_one(
    around: list[Row], asked: Json, code: str
) -> None:
    rows = standing(sku="Premium")
    claims = settled(rows, sku="Premium")
    host = copy.deepcopy(rows[2])
    plan = plan_of([*around, rows[1], host], claims, **NAMES_ALL | asked)
    assert not plan.changes
    assert code in codes(plan)


def test_a_private_host_does_not_come_to_face_the_internet_because_the_spec_leaves_it_open() -> None:
    rows = standing(sku="Premium", enablePrivateOnlyBastion=True, zones=None)
    claims = settled(rows, sku="Premium")
    asked = {"sku": "Premium", "zones": ["1"], "replacePolicy": "Recreate"}
    plan = plan_of(rows, claims, **asked)
    assert plan.settled
    assert "set features.privateOnly to true" in plan.obstacles[0].message
    first = plan_of(rows, claims, **asked, features={"privateOnly": True})
    assert not first.obstacles
    assert first.waits


def test_nothing_is_announced_before_the_group_was_read() -> None:
    rows = standing(sku="Premium")
    claims = settled(rows, sku="Premium")
    rows[0] = hub(networkSecurityGroup={"id": nsg_id("theirs")})
    late = Observed({row["id"]: row for row in rows}, source=lambda _: None)
    plan = plan_bastion_host(replace(bastion_input(claims=claims, **NAMES_ALL), observed=late))
    assert [wait.root_id for wait in plan.waits] == [nsg_id("theirs")]
    assert set(plan.claims) == set(claims)


def test_a_host_of_somebody_else_is_not_made_anew() -> None:
    rows = [hub(), public_ip("bas-ip"), bastion("bas", "hub", sku="Premium")]
    assert codes(plan_of(rows, (), **NAMES_ALL)) == ["NotOwned"]


def test_an_adopted_host_stays_adopted_after_it_was_made_anew() -> None:
    rows = [hub(), public_ip("bas-ip"), bastion("bas", "hub", sku="Premium")]
    adopt = {"adoptionPolicy": "IfUnmanaged"}
    claims = (*settled(rows, sku="Premium", **adopt), claim(ADDRESS, purpose="PublicIP", adopted=True))
    azure = AzureModel(rows)
    run = carry_out(azure, _plan(NAMES_ALL | adopt), plan_of(rows, claims, **NAMES_ALL, **adopt).claims, most=9)
    assert run.plan.settled
    assert azure.rows()[HOST.lower()]["sku"] == {"name": "Standard"}
    assert azure.rows()[HOST.lower()]["tags"] == {}
    assert {each.origin for each in run.plan.claims} == {ClaimOrigin.ADOPTED}


# --- a failed host -----------------------------------------------------------------------------------------------


def failed(etag: str = 'W/"7"') -> list[Row]:
    rows = standing(provisioningState="Failed")
    rows[2]["etag"] = etag
    return rows


def plan_with(rows: list[Row], claims: tuple[Claim, ...], annotation: str | None, **spec: Any) -> Plan:
    return plan_bastion_host(replace(bastion_input(*rows, claims=claims, **spec), recreate_failed=annotation))


@pytest.mark.parametrize("policy", ["Never", "Recreate"])
@pytest.mark.parametrize("annotation", ['W/"7"', "7", ' "7" '])
def test_a_failed_host_is_made_anew_once_a_person_names_its_etag(policy: str, annotation: str) -> None:
    claims = settled(standing())
    first = plan_with(failed(), claims, annotation, replacePolicy=policy)
    assert not first.changes
    assert "azurebastion.dev/recreate-failed names it; lost with the host: open sessions" in first.waits[0].about
    (change,) = plan_with(failed(), first.claims, annotation, replacePolicy=policy).changes
    assert (change.verb.value, change.resource_id, change.if_match) == ("Delete", HOST, 'W/"7"')


def test_the_annotation_holds_for_one_host_only() -> None:
    first = plan_with(failed(), settled(standing()), "7")
    made = plan_with(failed()[:2], first.claims, "7")
    assert told(made.changes) == [("Create", "bastionHosts/bas")]
    again = plan_with(failed(etag='W/"8"'), made.claims, "7")
    assert told(again.changes) == [("Update", "bastionHosts/bas")]
    assert "the annotation names 7, and the host has changed since" in again.obstacles[0].message
    healthy = standing()
    healthy[2]["etag"] = 'W/"7"'
    assert plan_with(healthy, made.claims, "7").settled


def test_a_failed_host_names_the_last_resort_with_its_etag_and_its_cost() -> None:
    plan = plan_of(failed(), ())
    assert plan.changes[0].once
    message = plan.obstacles[0].message
    assert "annotate this BastionHost with azurebastion.dev/recreate-failed=7" in message
    assert "the DNS name bst-1.bastion.azure.com" in message


def test_an_observed_or_foreign_host_is_not_made_anew_for_an_annotation() -> None:
    assert not plan_with(failed(), (), "7", managementPolicy="Observe").changes
    foreign = [*failed()[:2], {**failed()[2], "tags": {}}]
    plan = plan_with(foreign, (), "7")
    assert codes(plan) == ["NotOwned"]
    assert plan.settled


# --- whatever the order ------------------------------------------------------------------------------------------

_POLICIES = st.sampled_from(["Never", "Recreate"])
_SPECS = st.fixed_dictionaries(
    {"sku": st.sampled_from(["Developer", "Basic", "Standard", "Premium"]), "replacePolicy": _POLICIES},
)
_DEDICATED = st.fixed_dictionaries(
    {},
    optional={
        "zones": st.sampled_from([["1"], ["1", "2"]]),
        "publicIP": st.sampled_from([{"name": "a"}, {"name": "b"}]),
    },
)


@given(st.lists(st.tuples(_SPECS, _DEDICATED), min_size=1, max_size=5), st.data())
@settings(max_examples=200, deadline=None)
def test_specs_one_after_the_other_come_to_rest_and_delete_a_host_at_most_once_each(
    specs: list[tuple[Json, Json]], data: st.DataObject
) -> None:
    """Requests are lost at any place, as after a crash; what goes on is always what stands and the claims."""
    azure = AzureModel([vnet("hub", "10.0.0.0/16")])
    claims: tuple[Claim, ...] = ()
    for base, dedicated in specs:
        spec = base if base["sku"] == "Developer" else {**base, **dedicated, "subnetPrefix": "Auto"}
        losses = data.draw(st.integers(0, 2), label="requests that are lost")

        def lost(_: Change) -> bool:
            nonlocal losses
            losses -= 1
            return losses >= 0

        run = carry_out(azure, _plan(spec), claims, most=20, lost=lost)
        claims = run.plan.claims
        assert run.plan.settled, run.plan
        assert _plan(spec)(azure.observed(), claims) == run.plan
        deleted = [change for change in run.sent if change.verb.value == "Delete"]
        assert {change.resource_id for change in deleted} <= {HOST}
        assert len(deleted) <= (1 if spec["replacePolicy"] == "Recreate" else 0)
        if spec["replacePolicy"] == "Recreate":
            assert not run.plan.obstacles or {"PublicIPInvalid"} >= set(codes(run.plan))
