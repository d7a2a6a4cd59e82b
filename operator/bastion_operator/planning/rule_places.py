"""Priorities for the operator's Allow rules among the rules of others.

A rule of the operator stands behind every Deny that others wrote and that it might override; in front of them only if the
spec says so, and never in front of rules of just-in-time access. Two rules of one direction never share a priority, so that
two which change places take turns: one goes out of the way first.
Sources: Microsoft Learn, "Network security groups" and "Just-in-time machine access".
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bastion_operator.network.fixes.rules import FIRST_PRIORITY, LAST_PRIORITY
from bastion_operator.network.prefixes import EVERYTHING
from bastion_operator.network.security_group import Access, Direction, Endpoints, SecurityRule
from bastion_operator.network.service_tags import NOT_INTERNET
from bastion_operator.planning.wanted_rule import WantedRule

_TCP: Final = frozenset({"tcp", "*", None})


@dataclass(frozen=True, slots=True)
class Window:
    """The priorities, both ends included, at which a rule may stand."""

    first: int = FIRST_PRIORITY
    last: int = LAST_PRIORITY

    def __contains__(self, priority: int) -> bool:
        return self.first <= priority <= self.last

    def nearest(self, preferred: int, taken: Collection[int]) -> int | None:
        """The free priority that is nearest to the preferred one, or None."""
        start = min(max(preferred, self.first), self.last)
        for distance in range(self.last - self.first + 1):
            for place in (start - distance, start + distance):
                if place in self and place not in taken:
                    return place
        return None


def window(wanted: WantedRule, foreign: Iterable[SecurityRule], *, override: bool) -> Window:
    """Where a rule may stand among the rules of others; an empty window if nowhere."""
    denies = [rule for rule in foreign if _may_stop(rule, wanted)]
    if any(rule.priority is None for rule in denies):
        # What cannot be read may stand anywhere.
        return Window(LAST_PRIORITY + 1, LAST_PRIORITY)
    fixed = [rule for rule in denies if not override or is_just_in_time(rule.name)]
    first = max((rule.priority + 1 for rule in fixed if rule.priority is not None), default=FIRST_PRIORITY)
    overridden = (rule.priority - 1 for rule in denies if rule not in fixed and rule.priority is not None)
    return Window(first, min(overridden, default=LAST_PRIORITY))


def is_just_in_time(name: str) -> bool:
    """Whether a rule is one that just-in-time access left."""
    return "jitrule" in name.lower()


def shadow_of(wanted: WantedRule, foreign: Iterable[SecurityRule]) -> SecurityRule | None:
    """The first Deny of others that decides about all that the rule is for, on one of its ports at least."""
    asked = wanted.as_rule(LAST_PRIORITY)
    for rule in sorted(foreign, key=lambda rule: rule.priority or 0):
        if not _may_stop(rule, wanted) or not _holds(rule.source, asked.source):
            continue
        if _holds(rule.destination, asked.destination) and any(port in rule.destination_ports for port in wanted.ports):
            return rule
    return None


def covered(wanted: WantedRule, foreign: Iterable[SecurityRule]) -> bool:
    """Whether Allow rules of others let through, piece by piece, all that the rule is for."""
    allows = [rule for rule in foreign if _explicit(rule, wanted.direction)]
    pieces = [
        (WantedRule(wanted.name, wanted.direction, (source,), (destination,), (port,), "", wanted.preferred), port)
        for source in wanted.source
        for destination in wanted.destination
        for port in wanted.ports
    ]
    return all(any(_lets(rule, piece.as_rule(LAST_PRIORITY), port) for rule in allows) for piece, port in pieces)


def place(
    wanted: Sequence[WantedRule], current: Mapping[str, int], foreign: Sequence[SecurityRule], *, override: bool
) -> dict[str, int | None]:
    """A priority for each rule by its name, None where there is none.

    ``current``: where the operator's rules stand now. One that stands well stays; it is moved only to make room for another
    that has no other place.
    """
    found: dict[str, int | None] = {}
    for direction in Direction:
        mine = [rule for rule in wanted if rule.direction is direction]
        others = [rule for rule in foreign if rule.direction in {direction, None}]
        windows = {rule.name: window(rule, others, override=override) for rule in mine}
        taken = {rule.priority for rule in others if rule.priority is not None}
        found |= _assigned(mine, windows, current, taken)
    return found


def _assigned(
    mine: Sequence[WantedRule], windows: Mapping[str, Window], current: Mapping[str, int], taken: set[int]
) -> dict[str, int | None]:
    kept = {rule.name: current[rule.name] for rule in mine if current.get(rule.name, 0) in windows[rule.name]}
    found: dict[str, int] = dict(kept)
    left: list[WantedRule] = []
    moving = {place for name, place in current.items() if name not in kept}
    for rule in mine:
        if rule.name in found:
            continue
        free = windows[rule.name].nearest(rule.preferred, taken | moving | set(found.values()))
        if free is None:
            left.append(rule)
        else:
            found[rule.name] = free
    for rule in left:
        _make_room(rule, mine, windows, found, taken)
    return {rule.name: found.get(rule.name) for rule in mine}


def _make_room(
    rule: WantedRule,
    mine: Sequence[WantedRule],
    windows: Mapping[str, Window],
    found: dict[str, int],
    taken: set[int],
) -> None:
    """A place that another rule of the operator's leaves or can do without, if there is one."""
    used = taken | set(found.values())
    if (free := windows[rule.name].nearest(rule.preferred, used)) is not None:
        found[rule.name] = free
        return
    for other in mine:
        place_of_other = found.get(other.name)
        if place_of_other is None or place_of_other not in windows[rule.name]:
            continue
        elsewhere = windows[other.name].nearest(other.preferred, used)
        if elsewhere is not None:
            found[rule.name], found[other.name] = place_of_other, elsewhere
            return


def _may_stop(rule: SecurityRule, wanted: WantedRule) -> bool:
    """Whether a rule of others may deny a part of what the wanted one is for; what cannot be read may."""
    asked = wanted.as_rule(LAST_PRIORITY)
    if rule.default or rule.access is Access.ALLOW or rule.protocol not in _TCP:
        return False
    if rule.direction not in {wanted.direction, None}:
        return False
    ports = rule.destination_ports
    if not ports.malformed and not any(port in ports for port in wanted.ports):
        return False
    return _may_meet(rule.source, asked.source) and _may_meet(rule.destination, asked.destination)


def _may_meet(one: Endpoints, other: Endpoints) -> bool:
    if _literal(one) and _literal(other):
        return not one.addresses.isdisjoint(other.addresses)
    for tagged, plain in ((one, other), (other, one)):
        outside = tagged.tags == ("internet",) and not tagged.addresses and not tagged.malformed
        if outside and _literal(plain) and plain.addresses <= NOT_INTERNET:
            return False
    return True


def _literal(ends: Endpoints) -> bool:
    return not ends.tags and not ends.application_security_groups and not ends.malformed


def _explicit(rule: SecurityRule, direction: Direction) -> bool:
    return (
        rule.readable
        and not rule.default
        and rule.access is Access.ALLOW
        and rule.direction is direction
        and rule.protocol in _TCP
        and rule.source_ports.every
    )


def _lets(rule: SecurityRule, piece: SecurityRule, port: int) -> bool:
    return (
        port in rule.destination_ports
        and _holds(rule.source, piece.source)
        and _holds(rule.destination, piece.destination)
    )


def _holds(wide: Endpoints, narrow: Endpoints) -> bool:
    """Whether one side of a rule names all that another names."""
    if wide.addresses >= EVERYTHING:
        return True
    return narrow.addresses <= wide.addresses and set(narrow.tags) <= set(wide.tags)
