"""Tables of rules and routes with what each row does to the connection."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from bastion_operator.network.network_manager import ALWAYS_ALLOW
from bastion_operator.network.prefixes import EVERYTHING, AddressSet
from bastion_operator.network.reachability.flow import bastion_side, target_side
from bastion_operator.network.reachability.question import Question
from bastion_operator.network.reachability.return_route import return_routes
from bastion_operator.network.reachability.security_admin import admin_groups, rules_in_force
from bastion_operator.network.security_group import LAST_PORT, Direction, Endpoints, Ports, SecurityGroup, SecurityRule
from bastion_operator.network.security_rules import Match
from bastion_operator.network.service_tags import spelled
from bastion_operator.network.trace.hop import Mark, RouteRow, RuleRow

_ACCESSES: Final = {"allow": "Allow", "deny": "Deny", ALWAYS_ALLOW: "AlwaysAllow"}
_HOPS: Final = ("VirtualAppliance", "VirtualNetworkGateway", "VnetLocal", "VNetPeering", "Internet", "None")
_HOP_SPELLINGS: Final = {hop.lower(): hop for hop in _HOPS}


def group_rows(question: Question, group: SecurityGroup, direction: Direction) -> tuple[RuleRow, ...]:
    """The rules of a group that can concern TCP, in the order in which they are asked, the default ones last."""
    matches = _matches(question, group, direction)
    return tuple(_rows(group.walk(direction), matches, question.host.sources))


def admin_rows(question: Question) -> tuple[RuleRow, ...]:
    """The security admin rules in force on the VM's VNet; empty where there are none."""
    network = question.target.network
    groups = () if network is None else admin_groups(question, network)
    if network is None or not groups:
        return ()
    accesses = {rule.rule.name: _ACCESSES.get(rule.access or "") for rule in rules_in_force(question, network)}
    matches = [match for match in _matches(question, groups[0], Direction.INBOUND) if match.rule.name in accesses]
    listed = [rule for rule in groups[0].walk(Direction.INBOUND) if rule.name in accesses]
    rows = _rows(listed, matches, question.host.sources)
    return tuple(_with_access(row, accesses.get(row.name)) for row in rows)


def _with_access(row: RuleRow, access: str | None) -> RuleRow:
    return RuleRow(
        row.mark, row.name, row.priority, access, row.protocol, row.source, row.destination, row.ports, row.sources
    )


def route_rows(question: Question) -> tuple[RouteRow, ...]:
    """The routes on the VM's subnet, in the order in which they win, with those that take replies marked."""
    sources = question.host.sources
    rows = []
    for choice in return_routes(question):
        mark = Mark.NO_MATCH if not choice.takes else Mark.DECIDES if choice.takes == sources else Mark.DECIDES_SOME
        some = _text(choice.takes) if mark is Mark.DECIDES_SOME else ""
        rows.append(
            RouteRow(
                mark, choice.name, choice.prefix, _HOP_SPELLINGS.get(choice.next_hop.lower(), choice.next_hop), some
            )
        )
    return tuple(rows)


def _matches(question: Question, group: SecurityGroup, direction: Direction) -> list[Match]:
    side = bastion_side(question) if direction is Direction.OUTBOUND else target_side(question)
    if side is None or not question.target.addresses:
        return []
    target = question.target
    table = question.evaluation.rule_table(group, direction, question.asked.port, question.host, side.meaning)
    return list(table.matches(target.addresses.lowest, side.meaning, target.application_security_groups))


def _rows(rules: Sequence[SecurityRule], matches: Iterable[Match], sources: AddressSet) -> Iterator[RuleRow]:
    found = {id(match.rule): match for match in matches}
    remaining = sources
    for rule in rules:
        match = found.get(id(rule))
        yield _row(rule, match, Mark.NO_MATCH if remaining else Mark.NOT_ASKED, sources)
        if match is not None and not match.some_ports_only:
            remaining -= match.decides


def _row(rule: SecurityRule, match: Match | None, otherwise: Mark, sources: AddressSet) -> RuleRow:
    mark, some = otherwise, ""
    if match is not None and match.decides:
        whole = match.decides == sources and not match.some_ports_only
        mark, some = (Mark.DECIDES, "") if whole else (Mark.DECIDES_SOME, _text(match.decides))
    elif match is not None:
        mark, some = Mark.MAY_MATCH, _text(match.perhaps)
    return RuleRow(
        mark,
        rule.name,
        rule.priority,
        None if rule.access is None else rule.access.value,
        None if rule.protocol is None else rule.protocol.capitalize(),
        _endpoints(rule.source),
        _endpoints(rule.destination),
        _ports(rule.destination_ports),
        some,
    )


def _endpoints(stated: Endpoints) -> str:
    if stated.addresses is EVERYTHING:
        return "*"
    groups = (each.rsplit("/", 1)[-1] for each in sorted(stated.application_security_groups))
    return ", ".join((*stated.addresses.prefixes(), *map(spelled, stated.tags), *groups, *stated.malformed)) or "-"


def _ports(stated: Ports) -> str:
    ranges = ("*" if (first, last) == (0, LAST_PORT) else _range(first, last) for first, last in stated.ranges)
    return ", ".join((*ranges, *stated.malformed)) or "-"


def _range(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"


def _text(addresses: AddressSet) -> str:
    return ", ".join(addresses.prefixes())
