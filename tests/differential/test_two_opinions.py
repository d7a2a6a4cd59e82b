"""The operator's engine and the local Azure's evaluators judge the same random flows, and must come to the same."""

from collections.abc import Iterable

import pytest
from hypothesis import HealthCheck, given, settings

from arm_emulator.evaluation.links import OPEN
from arm_emulator.evaluation.reach import opinion
from arm_emulator.evaluation.reasons import Reason, reasons
from arm_emulator.evaluation.rows import Estate as Rows
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability import Protocol, judge_all
from tests.differential.random_flows import Flow, flows
from tests.support.estates import bastion_id, nic_id, vm_id

TOPOLOGY = frozenset(
    {
        "NotPeered", "PeeringNotTransitive", "PeeringOneSided", "PeeringDisconnected", "AddressSpaceNotSynced",
        "SubnetNotPeered", "SubnetPeeringIPv6Only", "PeeringAccessDisabled",
    }
)  # fmt: skip
FLOW = frozenset(
    {
        "BastionNsgDenies", "SecurityAdminDenies", "SubnetNsgDenies", "NicNsgDenies", "NsgPartiallyBlocksBastion",
        "ReturnRouteDiverted",
    }
)  # fmt: skip


UNKNOWN = frozenset({OPEN, "UnknownServiceTag"})
"""Ways to say that nobody can tell; the evaluators have one word for both."""


def engine(flow: Flow) -> list[Reason]:
    """What the operator publishes of the peering and the flow; other steps' codes are not the evaluators' matter."""
    inventory = Inventory.from_rows(flow.estate)
    protocol = Protocol.RDP if flow.port == 3389 else Protocol.SSH
    (verdict,) = judge_all(inventory, vm_ids=[vm_id("web")], protocols=(protocol,), bastion_ids=[bastion_id("bas")])
    (candidate,) = verdict.candidates
    return [
        Reason(one.code, one.resource, one.rule, one.priority)
        for one in candidate.reasons
        if one.code in TOPOLOGY | FLOW | UNKNOWN
    ]


def evaluators(flow: Flow) -> list[Reason]:
    return reasons(opinion(Rows(flow.estate), bastion_id("bas"), nic_id("web-nic"), flow.port))


def said(found: Iterable[Reason]) -> list[tuple[str | None, ...]]:
    """Codes with blame, where there is one: the rule that decides, by name and priority, and its group."""
    return [
        (OPEN if one.code in UNKNOWN else one.code,)
        if one.code in TOPOLOGY | UNKNOWN
        else (one.code, str(one.resource or "").lower(), one.rule, str(one.priority))
        for one in found
    ]


def compare(flow: Flow) -> None:
    assert said(engine(flow)) == said(evaluators(flow))


@settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
@given(flows())
def test_both_come_to_the_same(flow: Flow) -> None:
    compare(flow)


@pytest.mark.long
@pytest.mark.timeout(3600)
@settings(max_examples=20_000, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
@given(flows())
def test_both_come_to_the_same_20000_times(flow: Flow) -> None:
    compare(flow)
