"""Just-in-time access of Defender for Cloud: whether it guards a VM's port, and whether access was granted.

A policy lists the VM with the ports that it keeps closed, and the requests that were made; in the security groups it leaves
rules named ``…JITRule…``, a Deny while the port is closed and an Allow while access is granted.
Source: Microsoft Learn, "Just-in-time machine access" and the REST reference of its policies.
"""

from collections.abc import Iterator
from functools import partial

from bastion_operator.network.arm_id import normalise_id
from bastion_operator.network.fields import Row, number, objects, text, texts
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.prefixes import EVERYTHING, AddressSet
from bastion_operator.network.reachability.evaluation import Evaluation
from bastion_operator.network.reachability.target import Target
from bastion_operator.network.security_group import Access, Direction, SecurityGroup, SecurityRule

_GRANTED = "initiated"


def guard_of(evaluation: Evaluation, target: Target, port: int, sources: AddressSet) -> str | None:
    """The id of what tells that just-in-time access keeps a port closed: a policy, or a group with the rules it leaves.

    None where nothing does, and where access was granted to all of the sources.
    """
    inventory = evaluation.inventory
    if target.vm.key in inventory.just_in_time_policies and (policies := policies_for(inventory, target, port)):
        granted = any(_granted(policy, target.vm.key, port, sources) for policy in policies)
        return None if granted else str(policies[0]["id"])
    for group_id in target.security_group_ids:
        group = inventory.security_group(group_id)
        if group is not None and _keep_closed(_rules_in(evaluation, group), target, port, sources):
            return group.id
    return None


def policies_for(inventory: Inventory, target: Target, port: int) -> list[Row]:
    """The just-in-time access policies that cover a port of a VM."""
    rows = map(inventory.row, inventory.just_in_time_policies.get(target.vm.key, ()))
    return [row for row in rows if row is not None and _covers(row, target.vm.key, port)]


def guards(evaluation: Evaluation, target: Target, group: SecurityGroup, port: int) -> bool:
    """Whether what opens a port of a VM in a group has to be asked for: just-in-time access covers it, granted or not."""
    if policies_for(evaluation.inventory, target, port):
        return True
    return any(port in rule.destination_ports and _may_mean(rule, target) for rule in _rules_in(evaluation, group))


def guards_any(evaluation: Evaluation, target: Target, group: SecurityGroup, port: int) -> bool:
    """The same, or that just-in-time access covers the port of another VM behind the group."""
    if policies_for(evaluation.inventory, target, port):
        return True
    return any(port in rule.destination_ports for rule in _rules_in(evaluation, group))


def guard_edges(evaluation: Evaluation, group: SecurityGroup) -> Iterator[int]:
    """Addresses at which the just-in-time rules of a group begin or cease to be about a VM."""
    for rule in _rules_in(evaluation, group):
        for first, last in rule.destination.addresses.intervals:
            yield first
            yield last + 1


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
            if active and number(item, "number") == port and sources <= _allowed(item):
                return True
    return False


def _allowed(item: Row) -> AddressSet:
    """The sources that a request names, in the one or the other of its two fields."""
    named = ((text(item, "allowedSourceAddressPrefix") or ""), *(texts(item, "allowedSourceAddressPrefixes") or ()))
    return EVERYTHING if "*" in named else AddressSet.readable(*named)


def _rules_of(group: SecurityGroup) -> tuple[SecurityRule, ...]:
    return tuple(rule for rule in group.walk(Direction.INBOUND) if "jitrule" in rule.name.lower())


def _keep_closed(rules: tuple[SecurityRule, ...], target: Target, port: int, sources: AddressSet) -> bool:
    """Whether a group's just-in-time rules are there for the VM's port, and none that lets the sources in for a while."""
    about = [rule for rule in rules if port in rule.destination_ports and _may_mean(rule, target)]
    granted = any(
        rule.access is Access.ALLOW and sources <= rule.source.addresses and _means(rule, target) for rule in about
    )
    return bool(about) and not granted


def _means(rule: SecurityRule, target: Target) -> bool:
    """Whether the VM is what a rule names, by its address or by an application security group."""
    wanted = rule.destination
    if wanted.addresses == EVERYTHING or not wanted.application_security_groups.isdisjoint(
        target.application_security_groups
    ):
        return True
    return bool(target.addresses) and target.addresses <= wanted.addresses


def _may_mean(rule: SecurityRule, target: Target) -> bool:
    """Whether the VM may be what a rule names: it names a tag, or cannot be read, or the VM's address is not known."""
    wanted = rule.destination
    if wanted.tags or wanted.malformed or not target.addresses:
        return True
    return _means(rule, target) or not target.addresses.isdisjoint(wanted.addresses)
