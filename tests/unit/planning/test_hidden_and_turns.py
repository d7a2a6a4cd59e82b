"""VMs that Azure does not show any more, and verdicts that turn."""

from typing import Any

import pytest

from bastion_operator.api.bastion_host import BastionHostSpec
from bastion_operator.api.reachability_report import ReportRow
from bastion_operator.network.inventory import Inventory
from bastion_operator.planning.hidden import hidden_from, hidden_subscriptions, hidden_verdicts
from bastion_operator.planning.turns import Turn, rest_of, standings, turns
from bastion_operator.planning.verdict_rows import rows_by_network
from tests.support.estates import OTHER_SUBSCRIPTION, SUBSCRIPTION, peering, vm_id, vnet, vnet_id

FAR = vnet_id("far", subscription=OTHER_SUBSCRIPTION)


def row(name: str, verdict: str = "Reachable", *codes: str, **where: str) -> ReportRow:
    reasons = [{"code": code, "message": f"{code} is in the way"} for code in codes]
    return ReportRow.model_validate(
        {"vm": vm_id(name, **where), "protocol": "SSH", "port": 22, "verdict": verdict, "reasons": reasons}
    )


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        ({}, {OTHER_SUBSCRIPTION}),
        ({"scope": "VirtualNetwork"}, set()),
        ({"scope": "All"}, {OTHER_SUBSCRIPTION, "third"}),
    ],
)
def test_only_subscriptions_in_which_targets_may_lie_matter(targets: dict[str, Any], expected: set[str]) -> None:
    hub = vnet("hub", "10.0.0.0/16", peerings=[peering(FAR, space=["10.1.0.0/16"])])
    spec = BastionHostSpec.model_validate({"virtualNetworkID": vnet_id("hub"), "sku": "Basic", "targets": targets})
    assert hidden_from(Inventory.from_rows([hub]), spec, [OTHER_SUBSCRIPTION.upper(), "third"]) == expected


def test_what_is_hidden_is_what_the_inventory_itself_was_not_shown() -> None:
    refused = [f"/subscriptions/{OTHER_SUBSCRIPTION.upper()}", vnet_id("closed")]
    assert hidden_subscriptions(Inventory.from_rows([], refused=refused)) == {OTHER_SUBSCRIPTION}
    assert hidden_subscriptions(Inventory.from_rows([])) == set()


def test_a_vm_that_is_not_shown_any_more_stays_as_unknown_and_the_others_as_they_are() -> None:
    here, there = row("here"), row("there", subscription=OTHER_SUBSCRIPTION)
    stored = [(vnet_id("hub"), here), (FAR, there)]
    hidden = hidden_verdicts(stored, frozenset({OTHER_SUBSCRIPTION}), "default")
    assert list(hidden) == [FAR]
    [verdict] = hidden[FAR]
    assert (verdict.vm, verdict.verdict, verdict.protocol, verdict.port) == (there.vm, "Unknown", "SSH", 22)
    [reason] = verdict.reasons
    assert (reason.code, reason.resource) == ("PermissionDenied", f"/subscriptions/{OTHER_SUBSCRIPTION}")
    assert "grant it Reader there" in reason.message
    grouped = rows_by_network(Inventory.from_rows([]), [], vnet_id("hub"), hidden)
    assert [(network, [each.vm for each in rows]) for network, rows in grouped.items()] == [(FAR, [there.vm])]
    # What was told stays told: the next pass reads the same from the report.
    again = hidden_verdicts([(FAR, each) for each in grouped[FAR]], frozenset({OTHER_SUBSCRIPTION}), "default")
    assert again == hidden


STOPPED = ("Unreachable", "VMNotRunning")
BLOCKED = ("Unreachable", "VMNotRunning", "NicNsgDenies")


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (("Reachable",), ("Unreachable", "NicNsgDenies"), True),
        (("Unreachable", "NicNsgDenies"), ("Reachable",), True),
        (("Reachable",), ("Unknown", "PermissionDenied"), True),
        (("Unreachable", "NicNsgDenies"), ("Unreachable", "SubnetNsgDenies"), False),
        (("Reachable",), ("Reachable",), False),
        (("Reachable",), STOPPED, False),
        (STOPPED, ("Reachable",), False),
        (("Unreachable", "NicNsgDenies"), STOPPED, False),
        (STOPPED, BLOCKED, True),
        (STOPPED, ("Unknown", "EffectiveDataUnavailable"), True),
    ],
)
def test_a_turn_is_told_but_not_that_a_vm_stops_or_starts(
    before: tuple[str, ...], after: tuple[str, ...], told: bool
) -> None:
    found = turns(standings([row("web", *before)]), [row("WEB", *after)])
    assert [turn.row.verdict for turn in found] == [after[0]] * told


def test_a_vm_that_is_new_or_gone_has_not_turned() -> None:
    assert turns(standings([row("gone")]), [row("new", "Unreachable", "NicNsgDenies")]) == []


def test_while_the_host_itself_is_in_the_way_nothing_turns_and_nothing_is_forgotten() -> None:
    before = standings([row("web"), row("new", "Unknown", "BastionUpdating")])
    at_work = [row("web", "Unknown", "BastionUpdating"), row("new", "Unreachable", "BastionNotFound", "NicNsgDenies")]
    assert turns(before, at_work) == []
    kept = standings(at_work, before)
    assert kept == before == standings([row("web")])
    after = [row("web", "Unreachable", "NicNsgDenies"), row("new", "Unreachable", "NicNsgDenies")]
    assert [turn.row.vm for turn in turns(kept, after)] == [vm_id("web")]


def test_turns_are_told_worst_first_with_what_to_mend_and_the_rest_by_number() -> None:
    before = standings([row("a"), row("b", "Unknown", "X"), row("c"), row("d")])
    found = turns(
        before, [row("a", "Unknown", "Y"), row("b"), row("d", "Unreachable", "N"), row("c", "Unreachable", "M")]
    )
    assert [turn.row.vm for turn in found] == [vm_id(name) for name in "cdab"]
    assert found[0].note == f"{vm_id('c')} by SSH on port 22 is Unreachable now: M: M is in the way"
    assert found[3].note == f"{vm_id('b')} by SSH on port 22 can be reached now"
    assert rest_of(found).startswith("4 more verdicts turned (1 to Reachable, 1 to Unknown, 2 to Unreachable)")
    assert SUBSCRIPTION in found[0].note
    assert isinstance(found[0], Turn)
