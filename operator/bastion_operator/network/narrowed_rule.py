"""A security group's rules narrowed to one question: TCP to one port, from a set of sources, under one meaning of the tags.

What of a rule cannot be read, or hangs on a tag that nobody knows, is in its narrowed form as a condition.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from bastion_operator.network.prefixes import EMPTY, EVERYTHING, AddressSet
from bastion_operator.network.security_group import Access, Direction, SecurityGroup, SecurityRule
from bastion_operator.network.service_tags import CLASSIC_SPELLING, Doubt, TagMeaning
from bastion_operator.network.unknowns import Condition, Unknown


@dataclass(frozen=True, slots=True)
class Entry:
    """A rule narrowed to the question: the sources that it means and which destinations it asks for.

    ``certain``: the sources that it means for certain, ``possible``: those that it may mean beyond them, and ``meant`` when
    it does. ``applies``: when it applies at all. A rule of which nobody can read what it does is two: it may allow, else it
    denies.
    """

    rule: SecurityRule
    certain: AddressSet
    possible: AddressSet
    meant: Condition
    applies: Condition
    access: Access
    some_ports_only: bool
    anywhere: bool

    def among(self, sources: AddressSet) -> "Entry":
        """The same for some of the sources."""
        return replace(self, certain=self.certain & sources, possible=self.possible & sources)

    def meets(self, address: int, groups: frozenset[str], meaning: TagMeaning) -> bool | None:
        """Whether the destination is met; None where that is not known."""
        if self.anywhere:
            return True
        wanted = self.rule.destination
        if address in wanted.addresses or not wanted.application_security_groups.isdisjoint(groups):
            return True
        perhaps = bool(wanted.malformed)
        for tag in wanted.tags:
            meant = meaning.range_of(tag)
            if address in meant.certain:
                return True
            perhaps = perhaps or address in meant.possible
        return None if perhaps else False

    def edges(self, meaning: TagMeaning) -> Iterator[int]:
        """Addresses at which the answer of ``meets`` may change."""
        wanted = self.rule.destination
        parts = [wanted.addresses]
        for tag in wanted.tags:
            parts += [meaning.range_of(tag).certain, meaning.range_of(tag).possible]
        for part in parts:
            for first, last in part.intervals:
                yield first
                yield last + 1


def entries_of(
    group: SecurityGroup, direction: Direction, port: int, sources: AddressSet, meaning: TagMeaning
) -> Iterator[Entry]:
    """The rules of one direction that can concern connections to the port from these sources, in their order."""
    contenders = [
        rule for rule in group.walk(direction) if port in rule.destination_ports or rule.destination_ports.malformed
    ]
    for rule in contenders:
        if rule.access is not None:
            yield from _entry(rule, rule.access, (), group, port, sources, meaning)
            continue
        either = ((_unread(group, rule, "access", "access"),),)
        allows = list(_entry(rule, Access.ALLOW, either, group, port, sources, meaning))
        yield from allows
        # One that never counts as an Allow may be a Deny.
        yield from _entry(rule, Access.DENY, () if allows else either, group, port, sources, meaning)


def rivals_among(entries: tuple[Entry, ...]) -> dict[int, list[int]]:
    """By place: the entries of the same priority that do not do the same; Azure has none, a damaged file may."""
    found: dict[int, list[int]] = {}
    start = 0
    for place, entry in enumerate(entries):
        if entry.rule.priority != entries[start].rule.priority:
            start = place
        for other in range(start, place) if entry.rule.priority is not None else ():
            if entries[other].access is not entry.access and entries[other].rule is not entry.rule:
                found.setdefault(place, []).append(other)
                found.setdefault(other, []).append(place)
    return found


def comes_first(group: SecurityGroup, rule: SecurityRule) -> tuple[Unknown, ...]:
    """What it hangs on whether a rule comes before another of its priority."""
    what = f"which of the rules with priority {rule.priority} in {group.name} comes first"
    return (Unknown(("clash", rule), Doubt("EffectiveDataUnavailable", what, group.id)),)


def _entry(
    rule: SecurityRule,
    access: Access,
    condition: Condition,
    group: SecurityGroup,
    port: int,
    sources: AddressSet,
    meaning: TagMeaning,
) -> Iterator[Entry]:
    """The rule as an Allow or a Deny, where it can concern the sources; ``condition``: where it is that."""
    some_ports_only = not rule.source_ports.every
    if some_ports_only and access is Access.ALLOW and not rule.source_ports.malformed:
        return
    certain, possible, meant = _sources_of(rule, group, sources, meaning)
    if certain or possible:
        yield Entry(
            rule=rule,
            certain=certain,
            possible=possible,
            meant=(meant,) if meant else (),
            applies=(*condition, *_in_doubt(rule, group, port)),
            access=access,
            some_ports_only=some_ports_only and access is Access.DENY,
            anywhere=rule.destination.addresses is EVERYTHING,
        )


def _in_doubt(rule: SecurityRule, group: SecurityGroup, port: int) -> Condition:
    """Where the rule applies at its place, apart from its access and its endpoints."""
    if rule.readable and port in rule.destination_ports:
        return ()
    fields = [
        name
        for name, unreadable in (
            ("priority", rule.priority is None),
            ("direction", rule.direction is None),
            ("protocol", rule.protocol is None),
            ("sourcePortRange", bool(rule.source_ports.malformed) and not rule.source_ports.every),
            ("destinationPortRange", port not in rule.destination_ports),
        )
        if unreadable
    ]
    return tuple((_unread(group, rule, name, name),) for name in fields)


def _sources_of(
    rule: SecurityRule, group: SecurityGroup, sources: AddressSet, meaning: TagMeaning
) -> tuple[AddressSet, AddressSet, tuple[Unknown, ...]]:
    """The sources that a rule means for certain, those that it may mean beyond them, and what that hangs on.

    A rule whose source is an application security group never means Bastion.
    """
    stated = rule.source
    if stated.addresses is EVERYTHING:
        return sources, EMPTY, ()
    certain = stated.addresses & sources
    if not stated.tags and not stated.malformed:
        return certain, EMPTY, ()
    possible, unknown = EMPTY, list[Unknown]()
    for tag in stated.tags:
        meant = meaning.range_of(tag)
        certain |= meant.certain & sources
        for part, doubt in meant.open:
            if open_to := part & sources:
                possible |= open_to
                unknown.append(Unknown(("source", CLASSIC_SPELLING.get(tag, tag)), doubt))
    for item in stated.malformed:
        possible = sources
        unknown.append(_unread(group, rule, "source", item))
    return certain, possible - certain, tuple(unknown)


def _unread(group: SecurityGroup, rule: SecurityRule, where: str, what: str) -> Unknown:
    """Something of a rule that cannot be read: no other rule hangs on it, not even one of its name."""
    doubt = Doubt("EffectiveDataUnavailable", f"{what!r} of rule {rule.name} in {group.name} cannot be read", group.id)
    return Unknown((where, rule, what), doubt)


def destination_unknowns(
    rule: SecurityRule, group: SecurityGroup, destination: int, meaning: TagMeaning
) -> tuple[Unknown, ...]:
    """What of the rule's destination may be the address asked about."""
    tags = (
        Unknown(("destination", CLASSIC_SPELLING.get(tag, tag)), doubt)
        for tag in rule.destination.tags
        for part, doubt in meaning.range_of(tag).open
        if destination in part
    )
    return (*tags, *(_unread(group, rule, "destination", item) for item in rule.destination.malformed))
