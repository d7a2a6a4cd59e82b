"""The TCP connection from every address that Bastion may use: security rules on the way, and the route back. Steps 13 to 16."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from arm_emulator.errors import Json
from arm_emulator.evaluation import admin_rules
from arm_emulator.evaluation.opinion.addresses import Span, spans
from arm_emulator.evaluation.opinion.facts import OPEN, Facts, attached, readable_space, states, states_space
from arm_emulator.evaluation.opinion.host import Host, faulty_routes
from arm_emulator.evaluation.opinion.machine import Machine
from arm_emulator.evaluation.opinion.path import SAME, Path
from arm_emulator.evaluation.opinion.rules import PARTIAL, UNDECIDED, Fate, Packet, fate, some_source_ports
from arm_emulator.evaluation.opinion.side import Side, side_of
from arm_emulator.evaluation.opinion.user_routes import UserRoute, cut_off, out_of_sight, routes_of, taker
from arm_emulator.evaluation.rows import space
from arm_emulator.evaluation.security_rules import Rule, rules_of

PARTLY = "NsgPartiallyBlocksBastion"
DENIES = {"Deny", PARTIAL}
INSIDE, TO_GATEWAY = ("vnetlocal", "vnetpeering"), ("virtualnetworkgateway",)
Fates = Mapping[int, Fate]


@dataclass(frozen=True, slots=True)
class Reason:
    """A code; resource, rule and priority are those of what decides for the lowest address that does not get through."""

    code: str
    resource: str | None = None
    rule: str | None = None
    priority: int | None = None


@dataclass(frozen=True, slots=True)
class Way:
    """Where a connection begins and ends."""

    facts: Facts
    host: Host
    machine: Machine
    subnet: Json
    path: Path
    port: int


def flow_reasons(way: Way) -> Iterator[Reason]:
    """Steps 13 to 16; both ends have to be known."""
    home = way.facts.find(way.machine.network_id)
    there = None if home is None else _side(way, home, way.subnet, way.host.network_id, way.path.there)
    if way.host.subnet is not None and not way.host.developer:
        network = way.facts.find(way.host.network_id)
        here = None if network is None else _own_side(way, network, way.host.subnet)
        yield from _group(way, way.host.subnet, "Outbound", here, "BastionNsgDenies")
    past: list[Callable[[int], Fates]] = []
    if home is not None and there is not None:
        rules, unread = _admin_rules(way.facts, str(home["id"]))
        yield from map(Reason, unread)
        if rules:
            # A Deny of some source ports leaves other sessions, of which an AlwaysAllow behind it has the word.
            rest = [rule for rule in rules if not some_source_ports(rule)]
            views = [there, there.with_default()] if there.default else [there]
            past = [partial(_fates, way, rest, view) for view in views]
            yield from _admin(way, [partial(_fates, way, rules, view) for view in views], past[0])
    yield from _group(way, way.subnet, "Inbound", there, "SubnetNsgDenies", past)
    yield from _group(way, way.machine.interface or {}, "Inbound", there, "NicNsgDenies", past)
    yield from _back(way, home)


def _own_side(way: Way, network: Json, subnet: Json) -> Side:
    """The tags on the Bastion's subnet once its own routes are mended."""
    across = way.facts.find(way.machine.network_id) if way.path.mended or way.path.learned else None
    return side_of(way.facts, network, subnet, across, way.path.here, faulty_routes(way.facts, way.host))


def _side(way: Way, network: Json, subnet: Json, other_id: str | None, link: Json | None) -> Side:
    """The tags; the other network is among them where the way is thought mended, or learned from a gateway."""
    across = way.facts.find(other_id) if way.path.mended or way.path.learned else None
    return side_of(way.facts, network, subnet, across, link)


def _fates(way: Way, rules: list[Rule], side: Side, destination: int) -> Fates:
    return {
        source: fate(rules, Packet(source, destination, way.port, way.machine.groups), side)
        for source in way.host.sources
    }


def _admin_rules(facts: Facts, network_id: str) -> tuple[list[Rule], list[str]]:
    """The inbound rules in force, and codes for configurations in force none of whose rules are there."""
    rules = [rule for rule in admin_rules.in_force(facts, network_id) if rule.direction == "Inbound"]
    unread = []
    for configuration in admin_rules.effective_configurations(facts, network_id):
        base = configuration.lower().rpartition("/snapshots/")[0]
        if not any(str(row["id"]).lower().startswith(f"{base}/") for row in facts.of_type(admin_rules.RULES)):
            unread.append(facts.gone(configuration))
    return rules, unread


def _admin(way: Way, admin: list[Callable[[int], Fates]], past: Callable[[int], Fates]) -> Iterator[Reason]:
    """Whether an administrator's rule denies, and that one lets some address past the groups for certain."""
    told = [_told(way, [view(one) for one in way.machine.addresses], "SecurityAdminDenies", _denying) for view in admin]
    yield from _either(told)
    fates = [past(one) for one in way.machine.addresses]
    if any(all(each[source].certain == "AlwaysAllow" for each in fates) for source in way.host.sources):
        yield Reason("SecurityAdminAlwaysAllows")


def _denying(found: Fate) -> frozenset[str]:
    """An administrator's word as far as it denies: that it allows, or has none, comes to the same."""
    return frozenset(one if one in DENIES else UNDECIDED for one in found.outcomes)


@dataclass(frozen=True, slots=True)
class Told:
    """What is said of one place, and what became of each address there: all that a doubtful default route may change."""

    reasons: tuple[Reason, ...]
    outcomes: tuple[frozenset[str], ...]


def _told(
    way: Way, per_destination: list[Fates], code: str, reading: Callable[[Fate], frozenset[str]] | None = None
) -> Told:
    """The code where something is denied, and the codes of what is not known.

    Where the machine's address is not known and the rules tell the addresses apart, nobody can tell.
    """
    read = reading or (lambda found: found.outcomes)
    first = per_destination[0]
    outcomes = [tuple(_at_least(read(fates[source])) for source in way.host.sources) for fates in per_destination]
    if any(one != outcomes[0] for one in outcomes[1:]):
        return Told((Reason(OPEN),), (frozenset({OPEN}),))
    by_source = dict(zip(way.host.sources, outcomes[0], strict=True))
    denied = [source for source, held in by_source.items() if held == {"Deny"}]
    blocked = [source for source, held in by_source.items() if held <= DENIES]
    reasons = []
    if blocked:
        whole = len(denied) == len(by_source) or code == "SecurityAdminDenies"
        rule = first[min(blocked)].rule
        assert rule is not None, "what is denied is denied by a rule"
        reasons.append(Reason(code if whole else PARTLY, rule.resource, rule.name, rule.priority))
    open_to = {
        code
        for source, held in by_source.items()
        if source not in blocked and held & DENIES
        for fates in per_destination
        for code in fates[source].codes
    }
    return Told((*reasons, *map(Reason, sorted(open_to))), outcomes[0])


def _at_least(outcomes: frozenset[str]) -> frozenset[str]:
    """What is denied to some sessions or to all is denied to some for certain."""
    return frozenset({PARTIAL}) if outcomes == DENIES else outcomes


def _either(told: list[Told]) -> Iterator[Reason]:
    """What is said with and without the default route in the tag; where the two differ, that nobody can tell."""
    if any(one.outcomes != told[0].outcomes for one in told[1:]):
        classes = {reason.code for one in told for reason in one.reasons}
        yield from map(Reason, sorted({OPEN} | (classes & {"UnknownServiceTag", "PermissionDenied"})))
        return
    yield from told[0].reasons


def _group(
    way: Way,
    owner: Json,
    direction: str,
    side: Side | None,
    code: str,
    past: list[Callable[[int], Fates]] | None = None,
) -> Iterator[Reason]:
    """A security group's word; no group allows, and what an administrator lets past it is not asked."""
    group_id = attached(owner, "networkSecurityGroup")
    if group_id is None or side is None:
        return
    if past and _all_pass(way, past):
        return
    group = way.facts.find(group_id)
    if group is None or not states(group, "securityRules"):
        yield Reason(OPEN if group is not None else way.facts.gone(group_id))
        return
    rules = [rule for rule in rules_of(group) if rule.direction == direction]
    views = [side, side.with_default()] if side.default else [side]
    told = []
    for place, view in enumerate(views):
        per_destination = []
        for destination in way.machine.addresses:
            fates = _fates(way, rules, view, destination)
            if past:
                before = past[min(place, len(past) - 1)](destination)
                fates = {source: _after(before[source], found) for source, found in fates.items()}
            per_destination.append(fates)
        told.append(_told(way, per_destination, code))
    yield from _either(told)


def _all_pass(way: Way, past: list[Callable[[int], Fates]]) -> bool:
    fates = [view(one) for view in past for one in way.machine.addresses]
    return all(found.certain == "AlwaysAllow" for each in fates for found in each.values())


def _after(before: Fate, found: Fate) -> Fate:
    """A group's word on what an administrator's rules have dealt with: what they always allow is not put before it."""
    if before.certain == "AlwaysAllow":
        return Fate(frozenset({"Allow"}))
    if "AlwaysAllow" in before.outcomes:
        return Fate(found.outcomes | {"Allow"}, found.rule, found.codes | before.codes)
    return found


def _back(way: Way, home: Json | None) -> Iterator[Reason]:
    """The route that takes the replies to some address that Bastion may use elsewhere."""
    if way.host.developer:
        return
    reasons = list(_by_user_routes(way, home))
    if way.path.learned and all(one.code != "ReturnRouteDiverted" for one in reasons):
        yield Reason("NotLookedAt")
    yield from reasons


def _by_user_routes(way: Way, home: Json | None) -> Iterator[Reason]:
    """What the routes on the machine's subnet do to replies."""
    table_id = attached(way.subnet, "routeTable")
    table = way.facts.find(table_id)
    if table_id is None or table is None:
        yield from () if table_id is None else (Reason(way.facts.gone(table_id)),)
        return
    good = TO_GATEWAY if way.path.learned else INSIDE
    routes = routes_of(table)
    # A route that nobody can tell the addresses of may be the one that keeps the replies inside.
    kept = any(route.anywhere and (route.hop is None or route.hop in good) for route in routes)
    diverted: Reason | None = None
    unclear = out_of_sight(table)
    own, told = _system(way, home)
    cut = cut_off(table) if way.path.learned else False
    azures = ([], True, cut) if cut else (own, told, cut)
    for source in sorted(way.host.sources):
        taken = taker(routes, source)
        if taken is None or taken.hop in good:
            continue
        away = _away(way, source, taken, *azures)
        unclear = unclear or away is None
        if away and not kept:
            diverted = diverted or Reason("ReturnRouteDiverted", str(table["id"]), taken.name)
    yield from () if diverted is None else (diverted,)
    if unclear:
        yield Reason(OPEN)


def _away(way: Way, source: int, taken: UserRoute, own: list[Span], told: bool, cut: bool | None) -> bool | None:
    """Whether a user route that does not lead inside takes the reply to an address; None where nobody can tell.

    `told`: whether Azure's `own` routes are all known; `cut`: whether the table keeps them away.
    """
    width = min((last - first for first, last in own if first <= source <= last), default=None)
    if width is not None and taken.width > width:
        return None if cut is None else False
    # Where nobody can tell Azure's own route, it is no longer than the subnet's prefix.
    least = min(last - first for first, last in spans(way.host.prefixes) if first <= source <= last)
    return None if taken.hop is None or (width is None and not told and taken.width > least) else True


def _system(way: Way, home: Json | None) -> tuple[list[Span], bool]:
    """Azure's own routes: the network's, and one for each prefix of the Bastion's as the machine's link knows it.

    Besides, whether these are all.
    """
    own = spans(space(home or {}))
    if way.path.kind == SAME:
        return own, readable_space(home or {})
    link = way.path.there
    if link is not None and not way.path.mended and states_space(link, "remoteAddressSpace"):
        return own + spans(space(link, "remoteAddressSpace")), readable_space(link, "remoteAddressSpace")
    network = way.facts.find(way.host.network_id) or {}
    return own + spans(space(network)), readable_space(network)
