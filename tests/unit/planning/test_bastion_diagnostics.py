"""The operator's own diagnostic setting is made, put right and removed; there is nothing else that a plan would touch."""

from dataclasses import replace
from typing import Any

import pytest

from bastion_operator.planning.bastion_diagnostics import diagnostics_id, is_settings, settings_after, settings_of_host
from bastion_operator.planning.bastion_host import plan_bastion_host
from bastion_operator.planning.bastion_removal import plan_bastion_removal
from bastion_operator.planning.model import NOT_READ, Change, Observed, Plan, Verb
from tests.support.crd_examples import WORKSPACE
from tests.support.estates import Row, bastion, public_ip, subnet, vnet
from tests.support.plans import HOST, OWNER, bastion_input, claim, marked, told

SETTING = diagnostics_id(OWNER, HOST)
CLAIM = claim(SETTING, purpose="Diagnostics")
ASKED: dict[str, Any] = {"diagnostics": {"workspaceID": WORKSPACE}}


def standing(**host: Any) -> list[Row]:
    network = vnet("hub", "10.0.0.0/16", subnets=[subnet("AzureBastionSubnet", "10.0.0.0/26")])
    return [network, marked(public_ip("bas-ip")), marked(bastion("bas", "hub", **host))]


def setting(*categories: str, workspace: str = WORKSPACE, metrics: bool = False) -> Row:
    """As Azure answers it: every field is there, what is not enabled as well."""
    logs = [{"category": name, "categoryGroup": None, "enabled": True} for name in categories]
    more = [{"category": "AllMetrics", "enabled": metrics}]
    held = {"workspaceId": workspace, "logs": logs, "metrics": more, "storageAccountId": None}
    return {"id": SETTING, "name": SETTING.rsplit("/", 1)[1], "properties": held}


def listed(*settings: Row) -> Row:
    """The settings of the host, as Azure lists them."""
    return {"id": settings_of_host(HOST), "value": list(settings)}


def foreign(*categories: str, workspace: str = WORKSPACE) -> Row:
    """A setting of somebody else's."""
    return {**setting(*categories, workspace=workspace), "name": "theirs"}


def plan_of(*rows: Row, **asked: Any) -> Plan:
    return plan_bastion_host(bastion_input(*rows, **asked))


def test_a_setting_is_made_and_claimed_once_the_host_stands() -> None:
    plan = plan_of(*standing(), **ASKED)
    (change,) = plan.changes
    assert (change.verb.value, change.resource_id) == ("Create", SETTING)
    assert change.body == {
        "properties": {
            "workspaceId": WORKSPACE,
            "logs": [{"category": "BastionAuditLogs", "enabled": True}],
            "metrics": [],
        }
    }
    assert (SETTING, "Diagnostics") in {(each.id, each.purpose) for each in plan.claims}
    assert not plan_of(*standing(provisioningState="Updating"), **ASKED).changes


@pytest.mark.parametrize(
    ("there", "asked"),
    [
        (setting("BastionAuditLogs"), {}),
        (setting("bastionauditlogs", workspace=WORKSPACE.lower()), {}),
        (setting("BastionAuditLogs", metrics=True), {"categories": ["AllMetrics", "BastionAuditLogs"]}),
        (setting(metrics=True), {"categories": ["AllMetrics"]}),
    ],
)
def test_a_setting_as_asked_for_is_left_alone_in_any_spelling(there: Row, asked: dict[str, Any]) -> None:
    plan = plan_of(*standing(), listed(there), diagnostics={"workspaceID": WORKSPACE, **asked})
    assert plan.settled
    assert not plan.obstacles


def test_a_setting_that_was_changed_is_put_right_and_keeps_what_the_spec_does_not_name() -> None:
    other = f"{WORKSPACE}2"
    there = setting("BastionAuditLogs", workspace=other, metrics=True)
    there["properties"]["logAnalyticsDestinationType"] = "Dedicated"
    (change,) = plan_of(*standing(), listed(there), **ASKED).changes
    assert [str(each) for each in change.differences] == [
        f"diagnostics.workspaceID: {other} → {WORKSPACE}",
        "diagnostics.categories: AllMetrics, BastionAuditLogs → BastionAuditLogs",
    ]
    assert change.body is not None
    assert change.body["properties"]["logAnalyticsDestinationType"] == "Dedicated"
    assert change.body["properties"]["metrics"] == []


def test_a_setting_of_others_that_sends_the_same_is_told_and_nothing_is_sent_against_it() -> None:
    plan = plan_of(*standing(), listed(foreign("bastionauditlogs")), **ASKED)
    assert not plan.changes
    (told_of,) = plan.obstacles
    assert told_of.code == "DiagnosticSettingInTheWay"
    assert (
        "setting theirs of the host, which is not the operator's, sends BastionAuditLogs to workspace"
        in told_of.message
    )
    other_place = listed(foreign("BastionAuditLogs", workspace=f"{WORKSPACE}2"))
    other_logs = listed(foreign("AllMetrics"))
    for there in (other_place, other_logs):
        assert [change.resource_id for change in plan_of(*standing(), there, **ASKED).changes] == [SETTING]


def test_an_own_setting_that_is_right_is_not_compared_with_those_of_others() -> None:
    plan = plan_of(*standing(), listed(foreign("BastionAuditLogs"), setting("BastionAuditLogs")), **ASKED)
    assert plan.settled
    assert not plan.obstacles


def test_it_goes_when_the_spec_asks_for_it_no_more_and_only_then() -> None:
    claims = (*plan_of(*standing()).claims, CLAIM)
    assert told(plan_of(*standing(), listed(setting("BastionAuditLogs")), claims=claims).changes) == [
        ("Delete", "/".join(SETTING.split("/")[-2:]))
    ]
    gone = plan_of(*standing(), claims=claims)
    assert gone.settled
    assert SETTING not in {each.id for each in gone.claims}
    assert plan_of(*standing(), listed(setting("BastionAuditLogs"))).settled, "without a claim nothing is removed"


def test_nothing_is_decided_before_the_setting_was_read() -> None:
    rows = {row["id"].lower(): row for row in standing()}
    late = Observed(rows, source=lambda _: None)
    for asked in (bastion_input(**ASKED), bastion_input(claims=(CLAIM,))):
        plan = plan_bastion_host(replace(asked, observed=late))
        assert not plan.changes
        assert [(wait.root_id, wait.state) for wait in plan.waits] == [(settings_of_host(HOST), NOT_READ)]
    assert plan_bastion_host(replace(bastion_input(), observed=late)).settled, (
        "a host without diagnostics costs no read"
    )


def test_an_observer_tells_and_claims_nothing() -> None:
    plan = plan_of(*standing(), managementPolicy="Observe", **ASKED)
    assert [change.resource_id for change in plan.changes] == [SETTING]
    assert not plan.claims
    assert plan_of(*standing(), listed(setting("X")), claims=(CLAIM,), managementPolicy="Observe").settled


def test_the_setting_of_a_host_that_is_not_the_operators_is_not_made() -> None:
    rows = [*standing()[:2], bastion("bas", "hub")]
    assert not plan_of(*rows, **ASKED).changes
    adopted = plan_of(*rows, adoptionPolicy="IfUnmanaged", **ASKED)
    assert [change.resource_id for change in adopted.changes] == [SETTING]


@pytest.mark.parametrize("adopted", [False, True])
def test_it_is_deleted_before_the_host_and_also_where_the_host_stays(*, adopted: bool) -> None:
    claims = (claim(HOST, adopted=adopted), CLAIM)
    rows = standing() if not adopted else [*standing()[:2], bastion("bas", "hub")]
    first = plan_bastion_removal(bastion_input(*rows, listed(setting("BastionAuditLogs")), claims=claims))
    assert [change.resource_id for change in first.changes] == [SETTING]
    then = plan_bastion_removal(bastion_input(*rows, claims=claims))
    assert SETTING not in {change.resource_id for change in then.changes}
    assert (HOST in {change.resource_id for change in then.changes}) is not adopted


def test_a_collection_after_a_change_holds_the_setting_as_written_or_without_it_and_those_of_others() -> None:
    collection = settings_of_host(HOST)
    assert is_settings(collection.lower())
    assert not is_settings(HOST)
    (made,) = plan_of(*standing(), **ASKED).changes
    after = settings_after(listed(foreign("BastionAuditLogs")), made)
    assert [each["name"] for each in after["value"]] == ["theirs", SETTING.rsplit("/", 1)[1]]
    assert not plan_of(*standing(), {"id": collection, **settings_after({}, made)}, **ASKED).changes
    gone = settings_after(after, Change(Verb.DELETE, SETTING.upper(), collection, "it goes"))
    assert [each["name"] for each in gone["value"]] == ["theirs"]
