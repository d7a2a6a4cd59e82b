"""Just-in-time access of Defender for Cloud: whether it guards a VM's port, and whether access was granted.

A policy lists the VM with the ports that it keeps closed, and the requests that were made; in the security groups it leaves
rules named ``…JITRule…``, a Deny while the port is closed and an Allow while access is granted.
Source: Microsoft Learn, "Just-in-time machine access" and the REST reference of its policies.
"""

from collections.abc import Iterator
from functools import partial

from bastion_operator.network.arm_id import normalise_id
from bastion_operator.network.fields import Row, number, objects, text
from bastion_operator.network.prefixes import AddressSet
from bastion_operator.network.reachability.evaluation import Evaluation
from bastion_operator.network.reachability.target import Target
from bastion_operator.network.security_group import Access, Direction, SecurityGroup, SecurityRule

_GRANTED = "initiated"


def guard_of(evaluation: Evaluation, target: Target, port: int, sources: AddressSet) -> str | None:
    """The id of what tells that just-in-time access keeps a port closed: a policy, or a group with the rules it leaves.

    None where nothing does, and where access was granted to all of the sources.
    """
    inventory = evaluation.inventory
    policy_id = inventory.just_in_time_policies.get(target.vm.key)
    policy = None if policy_id is None else inventory.row(policy_id)
    if policy_id is not None and policy is not None and _covers(policy, target.vm.key, port):
        return None if _granted(policy, target.vm.key, port, sources) else policy_id
    for group_id in target.security_group_ids:
        group = inventory.security_group(group_id)
        if group is not None and _keep_closed(_rules_in(evaluation, group), port, sources):
            return group.id
    return None


def guards(evaluation: Evaluation, target: Target, group: SecurityGroup, port: int) -> bool:
    """Whether what opens a port in a group has to be asked for: just-in-time access covers it there, granted or not."""
    policy_id = evaluation.inventory.just_in_time_policies.get(target.vm.key)
    policy = None if policy_id is None else evaluation.inventory.row(policy_id)
    if policy is not None and _covers(policy, target.vm.key, port):
        return True
    return any(port in rule.destination_ports for rule in _rules_in(evaluation, group))


def _rules_in(evaluation: Evaluation, group: SecurityGroup) -> tuple[SecurityRule, ...]:
    return evaluation.once_of_group(group, "just in time", partial(_rules_of, group))


def _covers(policy: Row, vm_key: str, port: int) -> bool:
    """Whether the policy has the port of that VM; one that lists no ports covers all."""
    ports = [number(item, "number") for item in _ports(policy, vm_key)]
    return not ports or port in ports


def _ports(holder: Row, vm_key: str) -> Iterator[Row]:
    for machine in (*objects(holder, "properties", "virtualMachines"), *objects(holder, "virtualMachines")):
        if normalise_id(text(machine, "id") or "") == vm_key:
            yield from objects(machine, "ports")


def _granted(policy: Row, vm_key: str, port: int, sources: AddressSet) -> bool:
    for request in objects(policy, "properties", "requests"):
        for item in _ports(request, vm_key):
            active = (text(item, "status") or "").lower() == _GRANTED
            allowed = text(item, "allowedSourceAddressPrefix") or ""
            if (
                active
                and number(item, "number") == port
                and (allowed == "*" or sources <= AddressSet.readable(allowed))
            ):
                return True
    return False


def _rules_of(group: SecurityGroup) -> tuple[SecurityRule, ...]:
    return tuple(rule for rule in group.walk(Direction.INBOUND) if "jitrule" in rule.name.lower())


def _keep_closed(rules: tuple[SecurityRule, ...], port: int, sources: AddressSet) -> bool:
    """Whether a group's just-in-time rules are there for the port, and none that lets the sources in for a while."""
    about = [rule for rule in rules if port in rule.destination_ports]
    granted = any(rule.access is Access.ALLOW and sources <= rule.source.addresses for rule in about)
    return bool(about) and not granted
