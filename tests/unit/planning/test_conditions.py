"""What conditions say: the truth, shortly, with Reconciling and Stalled only while True and never both."""

from itertools import product
from typing import Any

import pytest

from bastion_operator.api.bastion_host import VerdictCounts
from bastion_operator.api.conditions import ConditionType
from bastion_operator.api.vnet_peering import MAX_ROWS
from bastion_operator.planning.bastion_host import plan_bastion_host
from bastion_operator.planning.bastion_status import bastion_states, describe_host
from bastion_operator.planning.conditions import Failure, Refusal, States, deletion_states, stalled_or_reconciling
from bastion_operator.planning.model import Change, Plan, Verb, Wait
from bastion_operator.planning.obstacles import ObstacleCode, obstacle
from bastion_operator.planning.peering_status import PeeringReport, report_peering
from bastion_operator.planning.target_findings import TargetFindings
from bastion_operator.planning.vnet_peering import plan_vnet_peering
from tests.support.estates import Row, bastion, peering, public_ip, public_ip_id, subnet, vnet, vnet_id
from tests.support.plans import HOST, bastion_input, link_claim, link_id, marked, own_name, peering_input, spokes

CHANGE = Change(Verb.UPDATE, HOST, HOST, "the host differs")
WAIT = Wait(HOST, HOST, "Updating")
OBSTACLE = obstacle(ObstacleCode.NOT_OWNED, "it is theirs", HOST)
REFUSED = Failure("QuotaExceeded", "no more", HOST, blocking=True)
PASSING = Failure("ServerIsIll", "later", HOST, blocking=False)


@pytest.mark.parametrize("observe", [True, False])
@pytest.mark.parametrize("present", list(product([0, 1], repeat=5)))
def test_reconciling_and_stalled_are_there_only_while_true_and_never_both(
    present: tuple[int, ...], observe: bool
) -> None:
    changes, waits, obstacles, refused, passing = present
    plan = Plan(changes=(CHANGE,) * changes, waits=(WAIT,) * waits, obstacles=(OBSTACLE,) * obstacles)
    failures = [REFUSED] * refused + [PASSING] * passing
    for states in (stalled_or_reconciling(plan, failures, observe_only=observe), deletion_states(plan, failures)):
        kstatus = [states[each] for each in (ConditionType.RECONCILING, ConditionType.STALLED) if each in states]
        assert len(kstatus) <= 1
        assert all(each.true and each.reason and each.message for each in kstatus)
    if refused or obstacles:
        assert ConditionType.STALLED in stalled_or_reconciling(plan, failures, observe_only=observe)
    if not any(present):
        assert stalled_or_reconciling(plan, failures, observe_only=observe) == {}


def test_what_changes_wait_for_is_told_in_place_of_the_changes_and_beside_what_failed() -> None:
    held = "12 of 40 changes wait for Azure's write budget of subscription s in westeurope until 14:03:07 UTC"
    plan = Plan(changes=(CHANGE,), held=held)
    for failures, told in (([], held), ([PASSING], f"(ServerIsIll); {held}")):
        state = stalled_or_reconciling(plan, failures, observe_only=False)[ConditionType.RECONCILING]
        assert state.message.endswith(told)
        assert CHANGE.summary not in state.message
    assert deletion_states(plan, [])[ConditionType.READY].message == held


def test_a_deletion_that_meets_an_error_names_its_way_out() -> None:
    for failure in (REFUSED, PASSING):
        assert (
            "deletionPolicy: Retain" in deletion_states(Plan(changes=(CHANGE,)), [failure])[ConditionType.READY].message
        )


def bastion_conditions(*rows: Row, failures: tuple[Failure, ...] = (), **spec: Any) -> States:
    asked = bastion_input(*rows, **spec)
    return bastion_states(asked, plan_bastion_host(asked), failures, TargetFindings(verdicts=[]))


HUB = vnet("hub", "10.0.0.0/16", subnets=[subnet("AzureBastionSubnet", "10.0.0.0/26")])


def test_a_host_as_asked_is_ready() -> None:
    states = bastion_conditions(HUB, marked(public_ip("bas-ip")), marked(bastion("bas", "hub")))
    assert states[ConditionType.READY].true
    assert states[ConditionType.HOST_PROVISIONED].message == "the host is Succeeded, at bst-1.bastion.azure.com"
    assert ConditionType.RECONCILING not in states


def test_what_is_being_done_is_told_by_name_and_field() -> None:
    states = bastion_conditions(
        HUB, marked(public_ip("bas-ip")), marked(bastion("bas", "hub", sku="Basic")), sku="Standard"
    )
    message = states[ConditionType.READY].message
    assert message == (
        "Update Bastion host bas: the host differs from the spec; this drops the sessions that are open "
        "(sku.name: Basic → Standard)"
    )
    assert states[ConditionType.RECONCILING].message == message


def test_azures_refusal_is_the_reason_and_its_words_the_message() -> None:
    states = bastion_conditions(HUB, failures=(REFUSED,), subnetPrefix="Auto")
    ready = states[ConditionType.READY]
    assert (ready.reason, ready.message) == ("QuotaExceeded", "Bastion host bas: no more (QuotaExceeded)")
    assert states[ConditionType.STALLED].reason == "QuotaExceeded"


def test_observing_tells_a_missing_host_and_a_difference_without_working_on_it() -> None:
    missing = bastion_conditions(HUB, managementPolicy="Observe")
    assert missing[ConditionType.READY].reason == "NotFound"
    differs = bastion_conditions(HUB, bastion("bas", "hub"), managementPolicy="Observe", sku="Premium")
    assert differs[ConditionType.READY].reason == "OutOfSync"
    for states in (missing, differs):
        assert not {ConditionType.RECONCILING, ConditionType.STALLED} & set(states)


def test_the_status_shows_the_public_ip_that_the_host_has() -> None:
    other = bastion("bas", "hub")
    other["properties"]["ipConfigurations"][0]["properties"]["publicIPAddress"]["id"] = public_ip_id("theirs")
    assert describe_host(bastion_input(HUB, other))["public_ip_id"] == public_ip_id("theirs")


def peering_report(hub: list[Row], spoke: list[Row], **spec: Any) -> PeeringReport:
    rows = [vnet("hub", "10.0.0.0/16", peerings=hub), vnet("spoke", "10.1.0.0/16", peerings=spoke)]
    claims = (link_claim("hub", "spoke"), link_claim("spoke", "hub"))
    asked = peering_input(*rows, claims=claims, **spec)
    return report_peering(asked, plan_vnet_peering(asked), [])


def own(remote: str, space: str, **properties: Any) -> Row:
    return peering(remote, space=[space], name=own_name(remote), **properties)


def test_links_are_connected_only_when_both_sides_say_so() -> None:
    whole = peering_report([own("spoke", "10.1.0.0/16")], [own("hub", "10.0.0.0/16")])
    assert whole.connected == "1/1"
    assert whole.states[ConditionType.READY].true
    assert whole.rows[0].reason is None
    half = peering_report([own("spoke", "10.1.0.0/16", state="Initiated", allowGatewayTransit=True)], [])
    assert half.connected == "0/1"
    assert (half.rows[0].hub_state, half.rows[0].spoke_state) == ("Initiated", None)
    assert half.rows[0].hub_flags == ("allowVirtualNetworkAccess", "allowGatewayTransit")
    assert (half.rows[0].spoke_flags, whole.rows[0].spoke_flags) == (None, ("allowVirtualNetworkAccess",))
    assert not half.states[ConditionType.CONNECTED].true
    assert half.rows[0].reason == "SomeDisconnected"


def test_rows_are_capped_with_what_is_wrong_first_and_counts_have_all() -> None:
    names = [f"spoke{number}" for number in range(MAX_ROWS + 20)]
    spaces = {name: f"10.{number}.0.0/16" for number, name in enumerate(names, 1)}
    links = [own(name, space) for name, space in spaces.items()]
    rows = [vnet(name, space, peerings=[own("hub", "10.0.0.0/16")]) for name, space in spaces.items()][:-1]
    asked = peering_input(vnet("hub", "10.0.0.0/16", peerings=links), *rows, spokes=spokes(*names))
    report = report_peering(asked, plan_vnet_peering(asked), [])
    assert len(report.rows) == MAX_ROWS
    assert (report.rows[0].virtual_network_id, report.rows[0].reason) == (vnet_id(names[-1]), "VirtualNetworkNotFound")
    assert (report.connected, report.counts.total) == (f"{len(names) - 1}/{len(names)}", len(names))


def test_a_link_that_does_not_know_its_other_end_says_so_in_its_row() -> None:
    live = {"addressPrefixes": ["10.0.0.0/16", "10.9.0.0/16"]}
    report = peering_report(
        [own("spoke", "10.1.0.0/16")], [own("hub", "10.0.0.0/16", remoteVirtualNetworkAddressSpace=live)]
    )
    assert report.states[ConditionType.CONNECTED].true
    assert not report.states[ConditionType.ADDRESS_SPACE_IN_SYNC].true
    assert report.rows[0].reason == "OutOfSync"


def test_a_foreign_half_is_told_in_the_row_and_in_ready() -> None:
    report = peering_report([own("spoke", "10.1.0.0/16")], [peering("hub", space=["10.0.0.0/16"], name="theirs")])
    assert report.states[ConditionType.READY].reason == "NotOwned"
    assert report.rows[0].reason == "NotOwned"
    assert link_id("spoke", "theirs") not in report.states[ConditionType.READY].message


def test_a_missing_hub_is_told_in_every_row() -> None:
    asked = peering_input(vnet("spoke", "10.1.0.0/16"))
    report = report_peering(asked, plan_vnet_peering(asked), [])
    assert report.rows[0].reason == "VirtualNetworkNotFound"
    assert vnet_id("hub") in (report.rows[0].message or "")


def test_the_same_azure_makes_the_same_status() -> None:
    arguments = [own("spoke", "10.1.0.0/16")], [own("hub", "10.0.0.0/16", state="Disconnected")]
    assert peering_report(*arguments) == peering_report(*arguments)


def test_without_an_inventory_nothing_is_said_of_the_targets_but_why() -> None:
    asked = bastion_input(HUB, marked(public_ip("bas-ip")), marked(bastion("bas", "hub")))
    blind = Refusal("AzureUnreachable", "the graph does not answer")
    states = bastion_states(asked, plan_bastion_host(asked), [], TargetFindings(blind=blind))
    for condition in (ConditionType.TARGETS_REACHABLE, ConditionType.SECURITY_RULES_IN_SYNC):
        assert (states[condition].status, states[condition].reason) == ("Unknown", "AzureUnreachable")
    assert states[ConditionType.READY].true


@pytest.mark.parametrize(
    ("counts", "hidden", "status", "reason", "words"),
    [
        ({"reachable": 3, "total": 3}, False, "True", "AllReachable", "all 3 VMs can be reached"),
        ({"reachable": 2, "stopped": 2, "total": 4}, False, "True", "AllReachable", "all 2 VMs can be reached, 2 more are stopped"),
        ({"reachable": 1, "unreachable": 2, "total": 3}, False, "False", "SomeUnreachable", "1 of 3 VMs can be reached"),
        ({"unreachable": 2, "stopped": 1, "total": 3}, False, "False", "NoneReachable", "0 of 2 VMs can be reached, 1 more are stopped"),
        ({"reachable": 1, "unreachable": 1, "unknown": 1, "total": 3}, False, "False", "SomeUnreachable", "1 of 3 VMs"),
        ({"reachable": 1, "unknown": 1, "total": 2}, False, "Unknown", "VerdictsUnknown", "of 1 of 2 VMs it is unknown"),
        ({"stopped": 2, "total": 2}, False, "True", "NothingToReach", "no VM that runs is asked for, 2 more are stopped"),
        ({}, False, "True", "NothingToReach", "no VM that runs is asked for"),
        ({"reachable": 3, "total": 3}, True, "Unknown", "PermissionDenied", "3 of 3 VMs can be reached; not shown"),
        ({"reachable": 2, "unreachable": 1, "total": 3}, True, "False", "SomeUnreachable", "; not shown"),
    ],
)  # fmt: skip
def test_all_some_none_and_unknown_are_told_apart(
    counts: dict[str, int], hidden: bool, status: str, reason: str, words: str
) -> None:
    asked = bastion_input(HUB, marked(public_ip("bas-ip")), marked(bastion("bas", "hub")))
    unseen = Refusal("PermissionDenied", "not shown") if hidden else None
    found = TargetFindings([], VerdictCounts.model_validate(counts), hidden=unseen)
    state = bastion_states(asked, plan_bastion_host(asked), [], found)[ConditionType.TARGETS_REACHABLE]
    assert (state.status, state.reason) == (status, reason)
    assert words in state.message
