"""Step 14: security admin rules of Azure Virtual Network Manager, inbound on the VM's VNet.

They come before security groups: Deny ends it, AlwaysAllow ends it and passes by the groups, Allow and none go on to them.
Source: Microsoft Learn, "Security admin rules in Azure Virtual Network Manager".
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bastion_operator.network.codes import finding
from bastion_operator.network.finding import Finding
from bastion_operator.network.network_manager import ALWAYS_ALLOW, AdminConfiguration, AdminRule
from bastion_operator.network.prefixes import AddressSet, format_address
from bastion_operator.network.reachability.host import Host
from bastion_operator.network.reachability.lost import lost
from bastion_operator.network.reachability.question import Question
from bastion_operator.network.reachability.target import Target
from bastion_operator.network.security_group import (
    ANY_ENDPOINT,
    ANY_PORT,
    Access,
    Direction,
    SecurityGroup,
    SecurityRule,
)
from bastion_operator.network.security_rules import Decision, RuleTable
from bastion_operator.network.service_tags import Doubt, TagMeaning
from bastion_operator.network.virtual_network import VirtualNetwork

_GO_ON: Final = SecurityRule(
    "go on", 60000, Direction.INBOUND, Access.ALLOW, "*", ANY_ENDPOINT, ANY_ENDPOINT, ANY_PORT, ANY_PORT
)
_INTENT_SERVICES: Final = frozenset({"microsoft.sql/managedinstances", "microsoft.databricks/workspaces"})


@dataclass(frozen=True, slots=True)
class AdminVerdict:
    """What the rules do with the Bastion's addresses; ``exempt`` are those that pass by the security groups."""

    denied: Decision
    always: Decision
    unknown: tuple[AdminConfiguration, ...] = ()

    @property
    def exempt(self) -> AddressSet:
        """The sources that AlwaysAllow lets past the security groups."""
        return self.always.denied


NOTHING: Final = AdminVerdict(Decision(), Decision())


def admin_verdict(question: Question, meaning: TagMeaning) -> AdminVerdict:
    """The rules in force on the VM's VNet, applied to the connection under one meaning of the tags."""
    target = question.target
    if target.network is None:
        return NOTHING
    configurations = question.evaluation.inventory.admin_configurations.get(target.network.key, ())
    if not configurations:
        return NOTHING
    addresses, groups = target.addresses, target.application_security_groups
    denied, always = (
        _table(question, group, meaning).decide_all(addresses, meaning, groups)
        for group in admin_groups(question, target.network)
    )
    return AdminVerdict(denied, always, tuple(one for one in configurations if one.rules is None))


def always_table(question: Question, meaning: TagMeaning) -> RuleTable | None:
    """What it denies is what AlwaysAllow lets past the security groups; None where nothing is in force on the VM's VNet."""
    network = question.target.network
    groups = () if network is None else admin_groups(question, network)
    return _table(question, groups[1], meaning) if groups else None


def admin_groups(question: Question, network: VirtualNetwork) -> tuple[SecurityGroup, ...]:
    """The rules in force on a VNet as two groups, what is denied and what is let past the security groups; or none."""
    configurations = question.evaluation.inventory.admin_configurations.get(network.key, ())
    if not configurations:
        return ()
    return question.evaluation.once(("admin groups", network.key), lambda: _groups(network, configurations))


def rules_in_force(question: Question, network: VirtualNetwork) -> list[AdminRule]:
    """The administrator's rules that apply to a VNet, of all configurations."""
    configurations = question.evaluation.inventory.admin_configurations.get(network.key, ())
    return [rule for one in configurations for rule in _in_force(one, network)]


def _groups(
    network: VirtualNetwork, configurations: tuple[AdminConfiguration, ...]
) -> tuple[SecurityGroup, SecurityGroup]:
    """The rules in force as two groups: what is denied, and what is let past the security groups."""
    rules = [rule for one in configurations for rule in _in_force(one, network)]
    denies = _group(network, "denies", [rule.as_rule(_denying(rule)) for rule in rules])
    exempting = [rule.as_rule(_exempting(rule)) for rule in rules]
    return denies, _group(network, "always", [rule for rule in exempting if not _is_part_of_an_allow(rule)])


def _is_part_of_an_allow(rule: SecurityRule) -> bool:
    """Whether an AlwaysAllow is of some source ports only: as any such Allow it never counts."""
    return rule.access is Access.DENY and not rule.source_ports.every and not rule.source_ports.malformed


def _in_force(configuration: AdminConfiguration, network: VirtualNetwork) -> Iterator[AdminRule]:
    """Where a VNet holds SQL Managed Instance or Databricks, a configuration may apply its Allow rules alone."""
    holds = any(name.lower() in _INTENT_SERVICES for subnet in network.subnets for name in subnet.delegations)
    for rule in configuration.rules or ():
        if not (holds and configuration.allow_rules_only and rule.access == "deny"):
            yield rule


def _denying(rule: AdminRule) -> Access | None:
    if rule.access is None:
        return None
    return Access.DENY if rule.access == "deny" else Access.ALLOW


def _exempting(rule: AdminRule) -> Access | None:
    """Read upside down: what a table built of these denies is what AlwaysAllow lets through."""
    if rule.access is None:
        return None
    return Access.DENY if rule.access == ALWAYS_ALLOW else Access.ALLOW


def _group(network: VirtualNetwork, purpose: str, rules: list[SecurityRule]) -> SecurityGroup:
    name = f"security admin rules of {network.name}"
    return SecurityGroup(network.id, f"{network.key}#{purpose}", name, (*rules, _GO_ON))


def _table(question: Question, group: SecurityGroup, meaning: TagMeaning) -> RuleTable:
    return question.evaluation.rule_table(group, Direction.INBOUND, question.asked.port, question.host, meaning)


def admin_findings(question: Question, verdict: AdminVerdict, denied: Decision) -> Iterator[Finding]:
    """Step 14 in words. ``denied`` is what both meanings of the tags come to, where there are two.

    Whether AlwaysAllow lets something past the groups is told where a group would stop it.
    """
    host, target = question.host, question.target
    port = question.asked.port
    for configuration in verdict.unknown:
        message = f"the rules of security admin configuration {configuration.id}, in force on {target.network_name}, are not in"
        yield lost(question.evaluation.inventory, configuration.id, f"{message} the data")
    rule = denied.blamed
    if rule is not None:
        yield _denies(host, rule, denied, _resource(question, rule), port)
    for doubt in dict.fromkeys(denied.doubts):
        yield _open(doubt, target)
    if verdict.exempt and verdict.always.blamed is not None:
        name = verdict.always.blamed.name
        message = f"security admin rule {name} always allows TCP {port} from {', '.join(verdict.exempt.prefixes())}"
        yield finding(
            "SecurityAdminAlwaysAllows",
            f"{message}: the security groups of {target.vm.name} are not asked",
            resource=_resource(question, verdict.always.blamed),
            rule=name,
            priority=verdict.always.blamed.priority,
            direction=Direction.INBOUND.value,
        )


def _denies(host: Host, rule: SecurityRule, decision: Decision, resource: str | None, port: int) -> Finding:
    blocked = decision.denied | decision.partly
    some = "" if blocked == host.sources else f" (for {', '.join(blocked.prefixes())})"
    lowest = format_address(blocked.lowest)
    what = f"security admin rule {rule.name} (priority {rule.priority}, {Direction.INBOUND.value}) denies TCP {port}"
    return finding(
        "SecurityAdminDenies",
        f"{what} from the Bastion addresses {host.prefix_text}{some}, {lowest} first: ask the administrator of the network"
        " manager to allow it in front of that rule",
        resource=resource,
        rule=rule.name,
        priority=rule.priority,
        direction=Direction.INBOUND.value,
    )


def _resource(question: Question, rule: SecurityRule) -> str | None:
    """The id of the admin rule of that name and priority."""
    network = question.target.network
    if network is None:
        return None
    for configuration in question.evaluation.inventory.admin_configurations.get(network.key, ()):
        for one in configuration.rules or ():
            if (one.rule.name, one.rule.priority) == (rule.name, rule.priority):
                return one.id
    return network.id


def _open(doubt: Doubt, target: Target) -> Finding:
    message = f"what the security admin rules on {target.network_name} do hangs on what is not known: {doubt.what}"
    return finding(doubt.code, message, resource=doubt.resource or target.network_id)


def past_admin(decision: Decision, always: Decision) -> Decision:
    """A security group's decision without the sources that AlwaysAllow lets past it; where that is open, so is what it stops."""
    if not always.denied and not always.undecided:
        return decision
    return decision.without(always.denied, always.undecided, always.doubts)
