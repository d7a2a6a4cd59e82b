"""The conditions of a BastionHost: the host, the security rules on the way, and the VMs it reaches."""

from collections.abc import Iterable
from typing import Any

from bastion_operator.api.bastion_host import RequiredForReady
from bastion_operator.api.conditions import ConditionType, Reason
from bastion_operator.planning.bastion_fields import address_of_host
from bastion_operator.planning.bastion_input import BastionHostInput
from bastion_operator.planning.bastion_subnet import SUBNET_NAME, subnet_prefixes
from bastion_operator.planning.body import child, properties, provisioning_state
from bastion_operator.planning.conditions import (
    Failure,
    State,
    States,
    accepted,
    false,
    progress,
    ready,
    stalled_or_reconciling,
    true,
    unknown,
)
from bastion_operator.planning.model import Plan
from bastion_operator.planning.security_status import (
    failures_without_rules,
    rules_count_for_ready,
    security_rules_state,
    without_rules,
)
from bastion_operator.planning.target_findings import TargetFindings
from bastion_operator.planning.wording import named


def bastion_states(asked: BastionHostInput, plan: Plan, failures: Iterable[Failure], found: TargetFindings) -> States:
    """All conditions of the resource."""
    failures = list(failures)
    observe_only = asked.watching
    states: dict[ConditionType, State] = {
        ConditionType.ACCEPTED: accepted(None),
        ConditionType.HOST_PROVISIONED: _provisioned(
            asked, without_rules(asked, plan), failures_without_rules(asked, failures), observe_only
        ),
    }
    rules = security_rules_state(asked, plan, failures, found)
    if rules is not None:
        states[ConditionType.SECURITY_RULES_IN_SYNC] = rules
    states[ConditionType.TARGETS_REACHABLE] = _targets(found)
    if asked.spec.access is not None:
        states[ConditionType.ACCESS_GRANTED] = _access(asked, found)
    needed = [ConditionType.ACCEPTED, ConditionType.HOST_PROVISIONED]
    if rules_count_for_ready(asked, plan, failures):
        needed.append(ConditionType.SECURITY_RULES_IN_SYNC)
    if asked.spec.targets.required_for_ready is RequiredForReady.ALL:
        needed.append(ConditionType.TARGETS_REACHABLE)
    states[ConditionType.READY] = ready(states, needed, "the host is as the spec says")
    return {**states, **stalled_or_reconciling(plan, failures, observe_only=observe_only)}


def _provisioned(asked: BastionHostInput, plan: Plan, failures: list[Failure], observe_only: bool) -> State:
    host = asked.observed.get(asked.ids.host)
    if host is None and observe_only and not plan.obstacles:
        return false(
            Reason.NOT_FOUND,
            f"{named(asked.ids.host)} does not exist, and with managementPolicy: Observe the operator makes none",
        )
    name = properties(host).get("dnsName") if host is not None else None
    state = provisioning_state(host) if host is not None else "absent"
    done = true(
        Reason.OBSERVED if observe_only else Reason.SUCCEEDED,
        f"the host is {state}, {f'at {name}' if name else 'without a DNS name yet'}",
    )
    return progress(plan, failures, done, observe_only=observe_only)


def _access(asked: BastionHostInput, found: TargetFindings) -> State:
    if found.verdicts is None:
        return unknown(found.blind.reason, found.blind.message)
    if asked.observed.get(asked.ids.host) is None:
        return unknown(Reason.NOT_FOUND, "there is no host yet that anybody could connect by")
    return found.access_state


def _targets(found: TargetFindings) -> State:
    """Whether all VMs that run can be reached: what is known to fail goes before what is not known."""
    counts, hidden = found.counts, found.hidden
    if found.verdicts is None:
        return unknown(found.blind.reason, found.blind.message)
    running = counts.total - counts.stopped
    stopped = f", {counts.stopped} more are stopped" if counts.stopped else ""
    unseen = f"; {hidden.message}" if hidden is not None else ""
    if counts.unreachable:
        reason = Reason.SOME_UNREACHABLE if counts.reachable else Reason.NONE_REACHABLE
        text = f"{counts.reachable} of {running} VMs can be reached{stopped}; {_worst(found)}{unseen}"
        return false(reason, text)
    if hidden is not None:
        return unknown(hidden.reason, f"{counts.reachable} of {running} VMs can be reached{stopped}{unseen}")
    if counts.unknown:
        text = f"of {counts.unknown} of {running} VMs it is unknown whether they can be reached{stopped}"
        return unknown(Reason.VERDICTS_UNKNOWN, f"{text}; {_worst(found)}")
    if not running:
        return true(Reason.NOTHING_TO_REACH, f"no VM that runs is asked for{stopped}")
    return true(Reason.ALL_REACHABLE, f"all {running} VMs can be reached{stopped}")


def _worst(found: TargetFindings) -> str:
    """The VM that is first in the status' list as well, with what to fix first."""
    return next((f"{vm.vm}: {vm.message}" for vm in found.worst), "see status.unreachable")


def describe_host(asked: BastionHostInput) -> dict[str, Any]:
    """The fields of the status that say what is in Azure, by their Python names; None for what is not there."""
    host = asked.observed.get(asked.ids.host)
    network = asked.observed.get(asked.ids.virtual_network)
    subnet = child(network, "subnets", SUBNET_NAME) if network is not None else None
    address = asked.observed.get(asked.ids.public_ip)
    found: dict[str, Any] = {
        "subnet_id": asked.ids.subnet if subnet is not None else None,
        "subnet_prefix": next(iter(subnet_prefixes(subnet)), None) if subnet is not None else None,
        "public_ip_id": asked.ids.public_ip if address is not None else None,
    }
    if host is None:
        return {
            **found,
            **dict.fromkeys(("bastion_id", "dns_name", "provisioning_state", "sku", "scale_units")),
        }
    sku = host.get("sku")
    return {
        **found,
        "public_ip_id": address_of_host(host),
        "bastion_id": asked.ids.host,
        "dns_name": properties(host).get("dnsName"),
        "provisioning_state": provisioning_state(host),
        "sku": sku.get("name") if isinstance(sku, dict) else None,
        "scale_units": properties(host).get("scaleUnits"),
    }
