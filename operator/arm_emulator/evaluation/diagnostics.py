"""Network Watcher's questions about a flow: IP flow verify, next hop, NSG diagnostics.

Rules: https://learn.microsoft.com/azure/network-watcher/nsg-diagnostics-overview
"""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from arm_emulator.errors import Json
from arm_emulator.evaluation.effective import rule_name
from arm_emulator.evaluation.placement import Placement, RuleSet
from arm_emulator.evaluation.routes import effective_routes, next_hop
from arm_emulator.evaluation.rows import Rows
from arm_emulator.evaluation.security_rules import Flow, Match, Rule, decide, match
from arm_emulator.evaluation.tags import ANY, EVERYTHING, Side, expanded

SYSTEM_ROUTE = "System Route"


@dataclass(frozen=True, slots=True)
class Packet:
    """IP flow verify's packet: what is local is the interface's."""

    direction: str
    protocol: str
    local: IPv4Address
    local_port: int
    remote: IPv4Address
    remote_port: int


def verify(place: Placement, packet: Packet) -> Json:
    """Access, and the name of the rule that decides: the first that denies, or the last that allows."""
    flow = _packet_flow(place, packet)
    last: Json = {"access": "Allow", "ruleName": ""}
    for held in place.met_by(packet.direction):
        outcome = decide(held.towards(packet.direction), flow, place.side.without_default())
        if outcome.rule is None:
            continue
        last = {
            "access": "Deny" if outcome.access == "Deny" else "Allow",
            "ruleName": rule_name(outcome.rule, held.kind),
        }
        if outcome.access in ("Deny", "AlwaysAllow"):
            break
    return last


def _packet_flow(place: Placement, packet: Packet) -> Flow:
    local, remote = IPv4Network(packet.local), IPv4Network(packet.remote)
    if packet.direction == "Inbound":
        return Flow(
            remote,
            local,
            packet.local_port,
            packet.protocol,
            destination_groups=place.groups,
            source_port=packet.remote_port,
        )
    return Flow(
        local,
        remote,
        packet.remote_port,
        packet.protocol,
        source_groups=place.groups,
        source_port=packet.local_port,
    )


def hop(rows: Rows, place: Placement, destination: IPv4Address) -> Json:
    """The next hop of what the interface sends to an address."""
    route = next_hop(effective_routes(rows, place.subnet), destination)
    if route is None:
        return {"nextHopType": "None", "routeTableId": SYSTEM_ROUTE}
    answer: Json = {"nextHopType": route.hop, "routeTableId": route.table or SYSTEM_ROUTE}
    return answer if route.address is None else {**answer, "nextHopIpAddress": route.address}


@dataclass(frozen=True, slots=True)
class Profile:
    """The flow of an NSG diagnostics query: addresses, prefixes or tags, several separated by commas; `*` for all."""

    direction: str
    protocol: str
    source: str
    destination: str
    port: int | None


def diagnose(place: Placement, profile: Profile, verbosity: str = "Normal") -> Json:
    """What each rule set on the way makes of the flow, rule by rule up to the one that matches.

    Raises ValueError for addresses that are neither prefixes nor tags with known prefixes.
    """
    flows = _flows(place, profile)
    evaluated = []
    access = "Allow"
    for held in place.met_by(profile.direction):
        matched, results = _evaluate(held.towards(profile.direction), flows, place.side, verbosity)
        if matched is None and held.kind == "networkManager":
            continue
        evaluated.append(_evaluated(held, matched, results))
        if matched is None or matched.access == "Deny":
            access = "Deny"
        elif matched.access == "AlwaysAllow":
            break
        if access == "Deny" and held.kind == "networkManager":
            break
    return {"securityRuleAccessResult": access, "evaluatedNetworkSecurityGroups": evaluated}


def _evaluated(held: RuleSet, matched: Rule | None, results: list[Json]) -> Json:
    return {
        "networkSecurityGroupId": held.owner,
        "appliedTo": held.applied_to,
        "matchedRule": {"ruleName": diagnostic_name(matched, held.kind), "action": matched.access} if matched else None,
        "rulesEvaluationResult": results,
    }


def _evaluate(rules: list[Rule], flows: list[Flow], side: Side, verbosity: str) -> tuple[Rule | None, list[Json]]:
    """The first rule that fits all of the flow, and what was found about each rule that was looked at."""
    matched, results = None, []
    for rule in rules:
        found = [match(rule, flow, side.without_default()) for flow in flows]
        result = _result(rule, found)
        fits = all(value for name, value in result.items() if name != "name")
        if matched is None and fits:
            matched = rule
        if verbosity != "Minimum" or rule is matched:
            results.append(result)
        if matched is not None and verbosity != "Full":
            break
    return matched, results


def _result(rule: Rule, found: list[Match]) -> Json:
    kind = "networkManager" if "/securityAdminConfigurations/" in rule.resource else "group"
    return {
        "name": diagnostic_name(rule, kind),
        "protocolMatched": all(one.protocol for one in found),
        "sourceMatched": all(bool(one.source) for one in found),
        "sourcePortMatched": all(one.source_port or one.some_source_ports for one in found),
        "destinationMatched": all(bool(one.destination) for one in found),
        "destinationPortMatched": all(one.destination_port for one in found),
    }


def diagnostic_name(rule: Rule, kind: str) -> str:
    """`UserRule_…` and `DefaultRule_…`; a network manager's rules have their name alone."""
    if kind == "networkManager":
        return rule.name
    return f"{'DefaultRule' if rule.is_default else 'UserRule'}_{rule.name}"


def _flows(place: Placement, profile: Profile) -> list[Flow]:
    inbound = profile.direction == "Inbound"
    own = [IPv4Network(place.address)] if place.address else [EVERYTHING]
    sources = own if not inbound and profile.source in ANY else _networks(place.side, profile.source)
    destinations = own if inbound and profile.destination in ANY else _networks(place.side, profile.destination)
    return [
        Flow(
            source,
            destination,
            profile.port,
            profile.protocol,
            source_groups=frozenset() if inbound else place.groups,
            destination_groups=place.groups if inbound else frozenset(),
        )
        for source in sources
        for destination in destinations
    ]


def _networks(side: Side, text: str) -> list[IPv4Network]:
    found: list[IPv4Network] = []
    for entry in (part.strip() for part in text.split(",")):
        prefixes = [str(EVERYTHING)] if entry.lower() in ANY else expanded(side, entry) or [entry]
        found += [IPv4Network(prefix, strict=False) for prefix in prefixes]
    return found
