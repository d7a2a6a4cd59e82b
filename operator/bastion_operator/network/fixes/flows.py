"""Fixes of what stands in the flow's way: security rules, the administrator's rules, routes back. Steps 13 to 16."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from bastion_operator.network.arm_id import normalise_id
from bastion_operator.network.finding import Action, Actor, Change, Finding, Fix
from bastion_operator.network.fixes.rules import allow_in_front, allow_rule, first_deny, first_doubtful
from bastion_operator.network.fixes.situation import Situation, free_name
from bastion_operator.network.network_manager import AdminRule
from bastion_operator.network.prefixes import AddressSet, prefix_length
from bastion_operator.network.reachability.just_in_time import guards, policies_for
from bastion_operator.network.reachability.question import Question
from bastion_operator.network.reachability.verdict import Via
from bastion_operator.network.resource_types import JIT_POLICIES
from bastion_operator.network.route_table import Route, RouteTable
from bastion_operator.network.security_group import Direction

_ROUTES = "properties.routes"
_LAST_PRIORITY = 65500
_LAST_ADMIN_PRIORITY = 4096


def open_group(situation: Situation, reason: Finding) -> Iterator[Fix]:
    """A rule for the port asked for, from the Bastion prefix, in front of the one that denies; or access asked for."""
    question = situation.question
    if question is None or reason.resource is None:
        return
    direction = Direction(reason.direction) if reason.direction else _direction(question, reason.resource)
    before = [reason.priority] if reason.priority is not None else []
    group = situation.security_group(reason.resource)
    if group is not None:
        found = (first_deny(group, direction), first_doubtful(group, direction))
        before += sorted((place for place in found if place is not None), reverse=True)
    known = situation.inventory.security_group(reason.resource)
    guarded = (
        direction is Direction.INBOUND
        and known is not None
        and guards(situation.evaluation, situation.target, known, question.asked.port)
    )
    for destination in _destinations(question, direction):
        rule = _bastion_rule(question, direction, destination)
        for fix in allow_in_front(situation, reason.resource, rule, before, guarded=guarded):
            yield _with_request(situation, question, fix) if guarded else fix


def by_default(reason: Finding, group_id: str) -> Finding:
    """The reason as if it were about a group in which nothing but a default rule decides."""
    return replace(reason, resource=group_id, priority=_LAST_PRIORITY, direction=None)


def _direction(question: Question, group_id: str) -> Direction:
    subnet = question.host.subnet
    own = subnet.network_security_group_id if subnet is not None else None
    return Direction.OUTBOUND if own and normalise_id(own) == normalise_id(group_id) else Direction.INBOUND


def _destinations(question: Question, direction: Direction) -> list[list[str]]:
    """Where to: out of the Bastion subnet as Azure's own table has it, into a VM to its address alone."""
    own = [prefix.removesuffix("/32") for prefix in question.target.addresses.prefixes()]
    return [["VirtualNetwork"], own] if direction is Direction.OUTBOUND else [own]


def _bastion_rule(question: Question, direction: Direction, destination: list[str]) -> dict[str, Any]:
    port = str(question.asked.port)
    name = f"AllowBastion{question.asked.protocol}{direction.value}"
    return allow_rule(name, direction, source_prefixes(question), destination, [port])


def source_prefixes(question: Question) -> list[str]:
    """The Bastion prefix, for Developer the address of the Azure host."""
    addresses = question.host.prefix or question.host.sources
    return [prefix.removesuffix("/32") for prefix in addresses.prefixes()]


def _with_request(situation: Situation, question: Question, fix: Fix) -> Fix:
    """The request as Azure keeps it in the policy, beside the rule that it adds."""
    return Fix(fix.summary, (*_requests(situation, question), *fix.changes))


def _requests(situation: Situation, question: Question) -> Iterator[Change]:
    target = situation.target
    covering = policies_for(situation.inventory, target, question.asked.port)
    named = [str(row["id"]) for row in covering] or situation.inventory.just_in_time_policies.get(target.vm.key, ())
    policy = next(iter(named), None)
    sources = source_prefixes(question)
    if policy is None or normalise_id(policy) not in situation.inventory.rows(JIT_POLICIES) or not sources:
        return
    port = {"number": question.asked.port, "status": "Initiated"}
    one, several = {"allowedSourceAddressPrefix": sources[0]}, {"allowedSourceAddressPrefixes": sources}
    request = {"virtualMachines": [{"id": target.vm.id, "ports": [port | (one if len(sources) == 1 else several)]}]}
    yield Change(Action.REQUEST_ACCESS, policy, "properties.requests", None, request, Actor.USER)


def request_access(situation: Situation, reason: Finding) -> Iterator[Fix]:
    """Just-in-time access, asked for the port and from the Bastion prefix alone."""
    question = situation.question
    if question is None or reason.resource is None:
        return
    source = ", ".join(source_prefixes(question))
    summary = f"request just-in-time access to {situation.target.vm.name}, TCP {question.asked.port} from {source}"
    if changes := tuple(_requests(situation, question)):
        yield Fix(summary, changes)
        return
    group = situation.security_group(reason.resource)
    before = first_deny(group, Direction.INBOUND) if group is not None else None
    rule = _bastion_rule(question, Direction.INBOUND, _destinations(question, Direction.INBOUND)[0])
    rule["name"] = f"MicrosoftDefenderForCloud-JITRule_{question.asked.port}_Allow"
    for fix in allow_in_front(situation, reason.resource, rule, [before or _LAST_ADMIN_PRIORITY], guarded=True):
        yield Fix(summary, fix.changes)


def allow_by_administrator(situation: Situation, reason: Finding) -> Iterator[Fix]:
    """An Allow of the administrator's own for the Bastion prefix, in front of the rule that denies; else of the first Deny."""
    question, network = situation.question, situation.target.network
    if question is None or network is None or reason.resource is None or reason.priority is None:
        return
    head, found, snapshot = reason.resource.rpartition("/snapshots/")
    if not found:
        return
    collection = head.rsplit("/", 1)[0]
    listed = situation.inventory.admin_configurations.get(network.key, ())
    rules = [rule for one in listed for rule in one.rules or ()]
    name = free_name(f"allow-bastion-{question.asked.protocol.lower()}", (rule.rule.name for rule in rules))
    for place, moved in _places_in_front(situation, reason.resource, reason.priority, rules):
        body = _admin_rule(question, place)
        created = Change(
            Action.CREATE, f"{collection}/{name}/snapshots/{snapshot}", "", None, body, Actor.ADMINISTRATOR
        )
        what = f"TCP {question.asked.port} from {', '.join(source_prefixes(question))}"
        yield Fix(f"add the security admin rule {name}: Allow {what} at priority {place}", (*moved, created))


def _places_in_front(
    situation: Situation, resource: str, priority: int, rules: list[AdminRule]
) -> Iterator[tuple[int, tuple[Change, ...]]]:
    """Priorities for a rule in front of one that denies, and of the first that does, with what makes room for it."""
    taken = {rule.rule.priority for rule in rules} | _earlier_priorities(situation)
    denies = [(rule.rule.priority, rule.id) for rule in rules if _may_deny(rule) and rule.rule.priority is not None]
    for before, blocking in dict.fromkeys(((priority, resource), min(denies, default=(priority, resource)))):
        place = next((number for number in range(before - 1, 0, -1) if number not in taken), None)
        if place is not None:
            yield place, ()
            continue
        free = next(number for number in range(before + 1, _LAST_ADMIN_PRIORITY + 1) if number not in taken)
        moved = Change(Action.SET, blocking, "properties.priority", before, free, Actor.ADMINISTRATOR)
        yield before, (moved,)


def _may_deny(rule: AdminRule) -> bool:
    return rule.access in {"deny", None} and rule.rule.direction is not Direction.OUTBOUND


def _earlier_priorities(situation: Situation) -> set[int]:
    changes = (change for fix in situation.earlier for change in fix.changes)
    bodies = (change.to_value for change in changes if change.action is Action.CREATE)
    return {body["properties"]["priority"] for body in bodies if "priority" in body.get("properties", {})}


def _admin_rule(question: Question, priority: int) -> dict[str, Any]:
    def prefixes(texts: list[str]) -> list[dict[str, str]]:
        return [{"addressPrefix": text, "addressPrefixType": "IPPrefix"} for text in texts]

    held = {
        "access": "Allow",
        "direction": "Inbound",
        "priority": priority,
        "protocol": "Tcp",
        "sources": prefixes(source_prefixes(question)),
        "destinations": prefixes(_destinations(question, Direction.INBOUND)[0]),
        "sourcePortRanges": ["0-65535"],
        "destinationPortRanges": [str(question.asked.port)],
    }
    return {"properties": held}


def keep_replies(situation: Situation, reason: Finding) -> Iterator[Fix]:
    """A route for the Bastion prefix that keeps replies inside, or the routes for parts of it taken off."""
    question = situation.question
    table = situation.inventory.route_table(reason.resource)
    if question is None or table is None:
        return
    hop = "VirtualNetworkGateway" if question.path.via is Via.IP_CONNECT else "VnetLocal"
    inside = tuple(_taken_off(table, question.host.prefix, hop))
    added = tuple(_routes_home(table, question.host.prefix, hop, gone={change.from_value for change in inside}))
    plain = tuple(_routes_home(table, question.host.prefix, hop, gone=set()))
    name = table.id.rsplit("/", 1)[-1]
    prefix = ", ".join(question.host.prefix.prefixes())
    if plain:
        yield Fix(f"add a route for {prefix} to {hop} to {name}", plain)
    off = ", ".join(str(change.from_value) for change in inside)
    if inside:
        yield Fix(f"take the route {off} out of {name}", inside)
    if inside and added:
        yield Fix(f"take the route {off} out of {name} and add one for {prefix} to {hop}", (*inside, *added))


def _taken_off(table: RouteTable, prefix: AddressSet, hop: str) -> Iterator[Change]:
    """The routes away that hold nothing but addresses of the Bastion prefix."""
    for route in table.routes:
        if _leads_away(route, hop) and route.interval is not None and AddressSet([route.interval]) <= prefix:
            resource = f"{table.id}/routes/{route.name}"
            yield Change(Action.DELETE, resource, "", route.name, None, Actor.NETWORK_OWNER)


def _leads_away(route: Route, hop: str) -> bool:
    good = {"virtualnetworkgateway"} if hop == "VirtualNetworkGateway" else {"vnetlocal", "vnetpeering"}
    return route.next_hop not in good


def _routes_home(table: RouteTable, prefix: AddressSet, hop: str, gone: set[object]) -> Iterator[Change]:
    """A route for each prefix of the Bastion subnet; a table has one route a prefix."""
    kept = [route for route in table.routes if route.name not in gone]
    names = [route.name for route in kept]
    for text in prefix.prefixes():
        interval = AddressSet.of(text).intervals[0]
        if any(route.interval == interval and prefix_length(interval) for route in kept):
            continue
        name = free_name("to-bastion", iter(names))
        names.append(name)
        added = {"name": name, "properties": {"addressPrefix": text, "nextHopType": hop}}
        yield Change(Action.ADD, table.id, _ROUTES, None, added, Actor.NETWORK_OWNER)
