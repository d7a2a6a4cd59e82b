"""Rules held against one packet: what they do with it for certain, and what hangs on what nobody can tell.

Every combination of what is not known is tried.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, product

from arm_emulator.evaluation.opinion.facts import OPEN
from arm_emulator.evaluation.opinion.side import Doubt, Side
from arm_emulator.evaluation.security_rules import FIRST, LAST_PORT, NO_PORTS, Rule, port_range

OTHER_PROTOCOLS = ("udp", "icmp", "icmpv6", "esp", "ah")
PARTIAL, UNDECIDED = "Partial", "Undecided"


@dataclass(frozen=True, slots=True)
class Packet:
    """One TCP packet; `groups` are the application security groups of its destination."""

    source: int
    destination: int
    port: int
    groups: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Fate:
    """What may become of a packet: one outcome where that is certain, several with the codes of what they hang on.

    Outcomes are Allow, Deny, AlwaysAllow, Partial (some source ports are denied) and Undecided. `rule` is the one that denies
    some source ports, else the one that decides if nothing in doubt matches.
    """

    outcomes: frozenset[str]
    rule: Rule | None = None
    codes: frozenset[str] = frozenset()

    @property
    def certain(self) -> str | None:
        """The outcome, where there is no other."""
        return next(iter(self.outcomes)) if len(self.outcomes) == 1 else None


Condition = tuple[tuple[Doubt, ...], ...]
"""What has to hold for a rule to match: of each group of doubts one; nothing at all where it matches for certain."""


def fate(rules: Sequence[Rule], packet: Packet, side: Side) -> Fate:
    """The first rule that matches decides. `rules` are those of one direction in their order."""
    met = list(_met(rules, packet, side))
    doubts = list(dict.fromkeys(doubt for _, condition in met for group in condition for doubt in group))
    results = {
        held: _first(met, {doubt for doubt, so in zip(doubts, held, strict=True) if so})
        for held in product((False, True), repeat=len(doubts))
    }
    outcomes = frozenset(outcome for outcome, _ in results.values())
    codes = frozenset(
        doubt.code
        for place, doubt in enumerate(doubts)
        if any(results[held][0] != results[_flipped(held, place)][0] for held in results)
    )
    plain = results[(False,) * len(doubts)][1]
    partly = next((rule for outcome, rule in results.values() if outcome == PARTIAL), None)
    # Where some sessions are denied or all, the rule of some denies for certain.
    return Fate(outcomes, plain if partly is None else partly, codes)


def _met(rules: Sequence[Rule], packet: Packet, side: Side) -> Iterator[tuple[Rule, Condition]]:
    """The rules that match or may match, until one does for certain.

    Azure has no two of one priority. Where a damaged row has, nobody can tell which of those comes first.
    """
    for priority, equal in groupby(rules, key=lambda rule: rule.priority):
        found = [(rule, held) for rule in equal if (held := _condition(rule, packet, side)) is not None]
        for rule, held in found:
            rivals = [one for one, _ in found if one.place != rule.place and one.access != rule.access]
            condition = (*held, (_unread(rule, "order"),)) if rivals and priority != FIRST else held
            yield rule, condition
            if not condition and not some_source_ports(rule):
                return


def _flipped(held: tuple[bool, ...], place: int) -> tuple[bool, ...]:
    return (*held[:place], not held[place], *held[place + 1 :])


def _first(met: list[tuple[Rule, Condition]], true: set[Doubt]) -> tuple[str, Rule | None]:
    partial: Rule | None = None
    for rule, condition in met:
        if not all(true.intersection(group) for group in condition):
            continue
        if rule.access == "Deny" and some_source_ports(rule):
            partial = partial or rule
            continue
        if rule.access == "Deny" or partial is None:
            return rule.access, rule
        return PARTIAL, partial
    return (UNDECIDED, None) if partial is None else (PARTIAL, partial)


def some_source_ports(rule: Rule) -> bool:
    """Whether a rule names source ports: it concerns some of the sessions only."""
    return not any(low <= 1 and high >= LAST_PORT for low, high in map(port_range, rule.source_ports))


def _condition(rule: Rule, packet: Packet, side: Side) -> Condition | None:
    """What the match hangs on; None for no match."""
    parts = (
        *fields_met(rule, packet.port),
        _any(rule, side, rule.sources, packet.source),
        bool(packet.groups & set(rule.destination_groups)) or _any(rule, side, rule.destinations, packet.destination),
    )
    if False in parts:
        return None
    return tuple(part for part in parts if isinstance(part, tuple))


def fields_met(rule: Rule, port: int) -> Iterator[bool | tuple[Doubt, ...]]:
    """Whether what a rule says apart from addresses concerns a session to a port, or the doubts on which that hangs."""
    yield from ((_unread(rule, what),) for what in rule.unread)
    yield protocol_met(rule)
    yield port_met(rule, port)
    if any(port_range(text) == NO_PORTS for text in rule.source_ports):
        yield not some_source_ports(rule) or (_unread(rule, "source ports"),)
    else:
        yield rule.access == "Deny" or not some_source_ports(rule)


def _unread(rule: Rule, what: str) -> Doubt:
    return Doubt(f"{what} of {rule.name} at {rule.place}", OPEN)


def protocol_met(rule: Rule) -> bool | tuple[Doubt, ...]:
    """Whether a rule concerns TCP, or the doubt where its protocol is none that is known."""
    name = rule.protocol.lower()
    if name in {"*", "any", "tcp"}:
        return True
    return False if name in OTHER_PROTOCOLS else (_unread(rule, "protocol"),)


def port_met(rule: Rule, port: int) -> bool | tuple[Doubt, ...]:
    """Whether a rule concerns a port, or the doubt where a range cannot be read."""
    ranges = list(map(port_range, rule.destination_ports))
    if any(low <= port <= high for low, high in ranges):
        return True
    return (_unread(rule, "ports"),) if NO_PORTS in ranges else False


def _any(rule: Rule, side: Side, entries: Iterable[str], address: int) -> bool | tuple[Doubt, ...]:
    """Whether any entry holds the address; what cannot be read is a doubt of that rule alone."""
    doubts = []
    for entry in entries:
        held = side.holds(entry, address)
        if held is True:
            return True
        if isinstance(held, Doubt):
            doubts.append(_unread(rule, held.what) if held.what.startswith("entry ") else held)
    return tuple(doubts) or False
