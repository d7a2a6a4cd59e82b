"""What a plan's parts that were not considered do to verdicts: those that could hang on them are Unknown."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from bastion_operator.network.arm_id import normalise_id
from bastion_operator.network.codes import finding
from bastion_operator.network.finding import Finding
from bastion_operator.network.foreseen.plan import ForeignPlan, NotConsidered
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability import Reachability, Verdict
from bastion_operator.network.reachability.target import find_target

_PART: Final = re.compile(r"/(subnets|virtualnetworkpeerings|securityrules|routes)/[^/]+$")


def doubted(verdicts: Iterable[Verdict], inventory: Inventory, plan: ForeignPlan) -> Iterator[Verdict]:
    """The verdicts, those that could hang on what was not considered as Unknown, with its name before the other reasons."""
    doubts = [each for each in plan.not_considered if not each.harmless]
    for verdict in verdicts:
        keys = _rests_on(verdict, inventory) if doubts else frozenset()
        reasons = tuple(_doubt(each) for each in doubts if each.anything or _touches(each, keys))
        if reasons:
            yield replace(verdict, verdict=Reachability.UNKNOWN, methods=(), reasons=(*reasons, *verdict.reasons))
        else:
            yield verdict


def _doubt(left_out: NotConsidered) -> Finding:
    message = f"{left_out.name} ({left_out.kind}) of the plan was not considered, {left_out.why}: what it does to this VM is not known"
    return finding("EffectiveDataUnavailable", message, resource=next(iter(left_out.about), None))


def _touches(left_out: NotConsidered, keys: frozenset[str]) -> bool:
    """Whether one of the ids is that of something that the verdict rests on, or of a group or subscription around it."""
    for each in map(normalise_id, left_out.about):
        # A rule is part of its group, a peering of its network; what comes into one subnet changes its network's routes.
        holder = each.rsplit("/", 2)[0] if _PART.search(each) else each
        if each in keys or holder in keys or any(key.startswith(f"{each}/") for key in keys):
            return True
    return False


def _rests_on(verdict: Verdict, inventory: Inventory) -> frozenset[str]:
    """Keys of what a verdict was made of: the VM, its NIC, networks, subnets, groups, tables, and those of its Bastions."""
    found: set[str | None] = {verdict.vm}
    vm = inventory.virtual_machine(verdict.vm)
    subnets = []
    if vm is not None:
        target = find_target(inventory, vm)
        interface = target.interface.id if target.interface is not None else None
        found |= {interface, target.network_id, *target.security_group_ids, *target.application_security_groups}
        subnets.append(target.subnet)
    for candidate in verdict.candidates:
        host = inventory.bastion(candidate.bastion)
        if host is not None:
            found |= {host.id, host.virtual_network_id, host.public_ip_id, host.subnet_id}
            subnets.append(inventory.subnet(host.subnet_id))
    for subnet in subnets:
        if subnet is not None:
            found |= {subnet.id, subnet.network_security_group_id, subnet.route_table_id}
    return frozenset(normalise_id(each) for each in found if each)
