"""The condition SecurityRulesInSync, and what Ready and HostProvisioned make of rules."""

from dataclasses import replace
from typing import Any

import pytest

from bastion_operator.api.conditions import ConditionType
from bastion_operator.network.codes import finding
from bastion_operator.network.reachability.verdict import Protocol, Reachability, Verdict
from bastion_operator.planning.bastion_status import bastion_states
from bastion_operator.planning.conditions import Failure
from bastion_operator.planning.model import Change, Plan, Verb
from bastion_operator.planning.obstacles import ObstacleCode, obstacle
from bastion_operator.planning.target_findings import TargetFindings
from tests.support.estates import bastion, nsg_id, public_ip, vm_id, vnet, vnet_id
from tests.support.plans import bastion_input, marked

GROUP = nsg_id("web-nsg")
RULE = f"{GROUP}/securityRules/azurebastion-x-tcp-22"
WORK = Plan(changes=(Change(Verb.CREATE, RULE, GROUP, "TCP 22 is to be allowed", {}),))
AUDITED = Plan(audited=WORK.changes)
TOLD = Plan(told=(obstacle(ObstacleCode.DENY_IN_THE_WAY, "rule no-ssh denies", GROUP),))
DENIED = finding("SubnetNsgDenies", "rule no-ssh denies TCP 22", resource=GROUP, rule="no-ssh", direction="Inbound")
APART = finding("NotPeered", "nothing leads there", resource=vnet_id("far"))
STOPPED = finding("VMNotRunning", "web is deallocated", resource=vm_id("web"))
HIDDEN = Failure("AuthorizationFailed", "grant virtualMachines/read", vm_id("web"), blocking=True)
REFUSED = Failure("AuthorizationFailed", "grant securityRules/write", RULE, blocking=True)


def look(*reasons: Any) -> TargetFindings:
    verdict = Verdict(
        vm=vm_id("web"),
        vm_name="web",
        protocol=Protocol.SSH,
        port=22,
        verdict=Reachability.UNREACHABLE if reasons else Reachability.REACHABLE,
        bastion=None,
        via=None,
        methods=(),
        reasons=reasons,
        warnings=(),
        candidates=(),
    )
    return TargetFindings(verdicts=[verdict])


def states(plan: Plan, found: TargetFindings, *failures: Failure, **security: str) -> dict[str, tuple[str, str, str]]:
    rows = [vnet("hub", "10.0.0.0/16"), marked(bastion("bas", "hub", sku="Standard")), marked(public_ip("bas-ip"))]
    asked = bastion_input(*rows, networkSecurity=security)
    found_states = bastion_states(asked, plan, list(failures), found)
    return {key.value: (each.status.value, each.reason, each.message) for key, each in found_states.items()}


@pytest.mark.parametrize(
    ("plan", "found", "failures", "targets", "expected", "ready"),
    [
        (Plan(), look(), (), "Enforce", ("True", "InSync", "no security rule stands"), "True"),
        (
            WORK,
            look(DENIED),
            (),
            "Enforce",
            ("False", "Progressing", "Create security rule azurebastion-x-tcp-22"),
            "False",
        ),
        (TOLD, look(DENIED), (), "Enforce", ("False", "SecurityRuleShadowed", "rule no-ssh denies"), "False"),
        (WORK, look(DENIED), (REFUSED,), "Enforce", ("False", "AuthorizationFailed", "securityRules/write"), "False"),
        (WORK, look(), (HIDDEN,), "Enforce", ("False", "AuthorizationFailed", "virtualMachines/read"), "False"),
        (AUDITED, look(DENIED), (), "Audit", ("False", "OutOfSync", "with Enforce: Create security rule"), "True"),
        (Plan(), look(DENIED), (), "Audit", ("False", "OutOfSync", "rule no-ssh denies TCP 22"), "True"),
        (Plan(), look(DENIED, STOPPED), (), "Enforce", ("False", "OutOfSync", "rule no-ssh denies TCP 22"), "False"),
        # No rule would help a VM that nothing leads to.
        (Plan(), look(APART, DENIED), (), "Enforce", ("True", "InSync", "no security rule stands"), "True"),
    ],
)
def test_what_rules_lack_is_told_and_counts_for_ready_where_it_is_enforced(
    plan: Plan,
    found: TargetFindings,
    failures: tuple[Failure, ...],
    targets: str,
    expected: tuple[str, str, str],
    ready: str,
) -> None:
    shown = states(plan, found, *failures, subnet="Off", targets=targets)
    status, reason, message = shown[ConditionType.SECURITY_RULES_IN_SYNC]
    assert (status, reason) == expected[:2]
    assert expected[2] in message
    assert shown[ConditionType.READY][0] == ready
    assert shown[ConditionType.HOST_PROVISIONED][0] == "True", "a host that stands is no worse for rules"


def test_with_one_part_audited_ready_asks_only_for_what_is_written() -> None:
    told = states(TOLD, look(DENIED), subnet="Enforce", targets="Audit")
    assert (told[ConditionType.SECURITY_RULES_IN_SYNC][0], told[ConditionType.READY][0]) == ("False", "True")
    at_work = states(replace(TOLD, changes=WORK.changes), look(DENIED), subnet="Enforce", targets="Audit")
    assert at_work[ConditionType.READY][0] == "False"


def test_nobody_looks_where_both_are_off() -> None:
    assert ConditionType.SECURITY_RULES_IN_SYNC not in states(TOLD, look(DENIED), subnet="Off", targets="Off")
