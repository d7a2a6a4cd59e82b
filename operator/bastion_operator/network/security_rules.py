"""Evaluating a network security group for a set of sources at once.

Azure takes the first rule that matches, lowest priority number first. Bastion connects from any address of its subnet, so
the question is put for all of them together: the answer says which sources are let through and which are not, and which
rule decides. What a rule matches may be uncertain (an unknown service tag, an unreadable field): then both continuations
are followed, and only what differs between them stays open.
Source: Microsoft Learn, "Network security groups" and "How network security groups filter network traffic".
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from functools import partial
from typing import TypeAlias

from bastion_operator.network.narrowed_rule import Entry, comes_first, destination_unknowns, entries_of, rivals_among
from bastion_operator.network.prefixes import EMPTY, AddressSet
from bastion_operator.network.security_group import (
    Access,
    Direction,
    SecurityGroup,
    SecurityRule,
)
from bastion_operator.network.service_tags import Doubt, TagMeaning
from bastion_operator.network.unknowns import Condition, Diagram, TooManyError, Tree


@dataclass(frozen=True, slots=True)
class Decision:
    """What a group does with the sources asked about; ``denied``, ``partly`` and ``undecided`` do not overlap.

    ``partly``: sources of which some connections are denied, because a Deny names source ports. ``stopped``: the sources
    that are denied in whole or in part, with the rule that decides, the lowest first.
    """

    denied: AddressSet = EMPTY
    partly: AddressSet = EMPTY
    undecided: AddressSet = EMPTY
    stopped: tuple[tuple[AddressSet, SecurityRule], ...] = ()
    doubts: tuple[Doubt, ...] = ()

    @property
    def blamed(self) -> SecurityRule | None:
        """The rule that decides for the lowest source that is denied in whole or in part."""
        return self.stopped[0][1] if self.stopped else None

    @property
    def first(self) -> SecurityRule | None:
        """The foremost of the rules that deny some: in front of it, an Allow is in front of all of them."""
        return min((rule for _, rule in self.stopped), key=lambda rule: rule.priority or 0, default=None)

    def comes_to(self, other: "Decision") -> bool:
        """Whether the same becomes of every source, by whatever rule."""
        return (self.denied, self.partly, self.undecided) == (other.denied, other.partly, other.undecided)

    def without(self, exempt: AddressSet, saved: AddressSet, doubts: tuple[Doubt, ...]) -> "Decision":
        """The same where some sources are ``exempt`` from it, and others, of which nobody can tell, may be saved from it."""
        undecided = self.undecided - exempt
        maybe = (self.denied | self.partly | undecided) & saved - exempt
        gone = exempt | saved
        left = ((sources - gone, rule) for sources, rule in self.stopped)
        return Decision(
            denied=self.denied - gone,
            partly=self.partly - gone,
            undecided=undecided | maybe,
            stopped=_lowest_first(one for one in left if one[0]),
            doubts=(*(self.doubts if undecided else ()), *(doubts if maybe else ())),
        )

    @property
    def allows_all(self) -> bool:
        """Whether every source passes, for certain."""
        return not (self.denied or self.partly or self.undecided)


@dataclass(frozen=True, slots=True)
class Match:
    """What a rule has to do with a connection that comes to it.

    ``decides``: the sources on which it has the last word, ``perhaps``: those of which it is not known whether it matches them.
    ``some_ports_only``: a Deny of some source ports, after which the rules behind it are asked as well.
    """

    rule: SecurityRule
    decides: AddressSet
    perhaps: AddressSet
    some_ports_only: bool


class _Outcome(Enum):
    """What may become of a source; ``PARTLY``: some of its connections are denied, the rest is let through."""

    ALLOWED = auto()
    DENIED = auto()
    PARTLY = auto()


_Fate: TypeAlias = _Outcome | SecurityRule
"""What becomes of a source where everything is known. A rule: it denies some connections, and the rest is let through."""


@dataclass(frozen=True, slots=True)
class _Open:
    """A rule that may decide, where it does, and what comes of it then. No ``fate``: a Deny of some source ports, which
    leaves other connections to the rules behind it.
    """

    rule: SecurityRule
    condition: Condition
    fate: _Fate | None


@dataclass(slots=True)
class _Parcel:
    """Sources that no rule has certainly decided yet, and the rules that may have decided already, in their order."""

    sources: AddressSet
    partly: SecurityRule | None = None
    open: tuple[_Open, ...] = ()

    def fate(self, access: Access) -> _Fate:
        """What an access comes to: an Allow lets through what the Deny of some source ports has left."""
        return _Outcome.DENIED if access is Access.DENY else self.partly or _Outcome.ALLOWED

    def passed(self, entry: Entry, sources: AddressSet, condition: Condition) -> "_Parcel":
        """Some of its sources, behind a rule that may have decided."""
        if entry.some_ports_only and self.partly is not None:
            # Whether it denies some connections as well changes nothing: an earlier rule does, and is the one to name.
            return _Parcel(sources, self.partly, self.open)
        one = _Open(entry.rule, condition, None if entry.some_ports_only else self.fate(entry.access))
        return _Parcel(sources, self.partly, (*self.open, one))


@dataclass(frozen=True, slots=True)
class _Weighed:
    """All that may come of some sources, and the doubts that this hangs on.

    ``partly``: the rule that denies some of their connections, where that may come of them; of several the one for which
    the least of what nobody can tell has to be so.
    """

    outcomes: frozenset[_Outcome]
    partly: SecurityRule | None
    doubts: tuple[Doubt, ...]


def _weigh(rules: tuple[_Open, ...], last: _Fate) -> _Weighed:
    """What may come of rules that may decide, and of the last one, which does."""
    diagram: Diagram[_Fate] = Diagram()
    tree: Tree[_Fate] = last
    try:
        for one in rules:
            diagram.expect(one.condition)
        for one in reversed(rules):
            matched = diagram.mapped(tree, partial(_behind, one.rule)) if one.fate is None else one.fate
            tree = diagram.where(one.condition, matched, tree)
        # Which rule it is that denies some is no doubt about what becomes of them.
        doubts = diagram.doubts(diagram.mapped(tree, _outcome))
    except TooManyError:
        return _at_worst(rules, last)
    return _weighed(diagram.outcomes(tree), doubts)


def _at_worst(rules: tuple[_Open, ...], last: _Fate) -> _Weighed:
    """The same as if no two rules had anything to do with each other."""
    fates = [last]
    for one in reversed(rules):
        fates += [one.fate] if one.fate is not None else [_behind(one.rule, fate) for fate in set(map(_outcome, fates))]
    return _weighed(fates, tuple(unknown.doubt for one in rules for part in one.condition for unknown in part))


def _weighed(fates: Sequence[_Fate], doubts: tuple[Doubt, ...]) -> _Weighed:
    partly = next((fate for fate in fates if isinstance(fate, SecurityRule)), None)
    return _Weighed(frozenset(map(_outcome, fates)), partly, doubts)


def _behind(rule: SecurityRule, fate: _Fate) -> _Fate:
    """What becomes of a source of which the rule denies some connections before the others come to their fate."""
    return _Outcome.DENIED if fate is _Outcome.DENIED else rule


def _outcome(fate: _Fate) -> _Outcome:
    """The fate, whichever rule it is that denies some."""
    return _Outcome.PARTLY if isinstance(fate, SecurityRule) else fate


@dataclass(slots=True)
class _Tally:
    """The parcels that were decided."""

    denied: list[tuple[AddressSet, SecurityRule]] = field(default_factory=list)
    partly: list[tuple[AddressSet, SecurityRule]] = field(default_factory=list)
    undecided: list[tuple[AddressSet, tuple[Doubt, ...]]] = field(default_factory=list)

    def settle(self, parcel: _Parcel, sources: AddressSet, rule: SecurityRule, access: Access) -> None:
        """Books sources on which a rule has the last word."""
        if not parcel.open and parcel.partly is None:
            # The short way for what most rules meet: nothing before them is in doubt.
            if access is Access.DENY:
                self.denied.append((sources, rule))
            return
        found = _weigh(parcel.open, parcel.fate(access))
        if found.outcomes == {_Outcome.DENIED}:
            self.denied.append((sources, rule))
        elif _Outcome.ALLOWED not in found.outcomes and found.partly is not None:
            # Some or all: some are denied for certain.
            self.partly.append((sources, found.partly))
        elif found.outcomes != {_Outcome.ALLOWED}:
            self.undecided.append((sources, found.doubts))

    def decision(self) -> Decision:
        """The tally as an answer."""
        return Decision(
            denied=_union(sources for sources, _ in self.denied),
            partly=_union(sources for sources, _ in self.partly),
            undecided=_union(sources for sources, _ in self.undecided),
            stopped=_lowest_first((*self.denied, *self.partly)),
            doubts=tuple(dict.fromkeys(doubt for _, doubts in self.undecided for doubt in doubts)),
        )


def _lowest_first(
    stopped: Iterable[tuple[AddressSet, SecurityRule]],
) -> tuple[tuple[AddressSet, SecurityRule], ...]:
    return tuple(sorted(stopped, key=lambda booked: booked[0].lowest))


@dataclass(slots=True)
class _Parts:
    """The addresses cut at the edges, under one meaning of the tags: within a part all destinations fare alike.

    The meaning is kept, so that its id is nobody else's. ``answers`` is by part and application security groups.
    """

    meaning: TagMeaning
    edges: tuple[int, ...]
    answers: dict[tuple[int, frozenset[str]], Decision] = field(default_factory=dict)


def decide_for_any(
    destinations: AddressSet,
    edges: Iterable[int],
    decide: Callable[[int], Decision],
    *,
    among: AddressSet,
    by: SecurityGroup,
) -> Decision:
    """What happens to connections from ``among`` to an address of which only the range is known.

    Between two of the ``edges``, ``decide`` answers the same. Where it tells the addresses of the range apart, every source
    stays undecided, for that one reason.
    """
    if len(destinations) == 1:
        return decide(destinations.lowest)
    first, *others = [decide(address) for address in _one_of_each_part(destinations, sorted(edges))]
    if all(one == first for one in others):
        return first
    if all(one.comes_to(first) for one in others):
        return replace(first, doubts=tuple(dict.fromkeys(doubt for one in (first, *others) for doubt in one.doubts)))
    what = f"which address the VM has in {', '.join(destinations.prefixes())}, which rules of {by.name} tell apart"
    return Decision(undecided=among, doubts=(Doubt("EffectiveDataUnavailable", what, by.id),))


def _one_of_each_part(destinations: AddressSet, edges: Sequence[int]) -> Iterator[int]:
    """The lowest address of every part of the range that rules may treat alike."""
    for first, last in destinations.intervals:
        yield first
        if first != last:
            yield from (edge for edge in edges if first < edge <= last)


class RuleTable:
    """A group's rules of one direction, narrowed once to TCP, one port, a set of sources and what tags mean for those.

    ``decide`` then answers for any destination; answers are kept by the part of the addresses that it lies in.
    """

    __slots__ = ("_entries", "_parts", "_rivals", "_sources", "group")

    def __init__(
        self, group: SecurityGroup, direction: Direction, port: int, sources: AddressSet, meaning: TagMeaning
    ) -> None:
        self.group = group
        self._sources = sources
        self._entries = tuple(entries_of(group, direction, port, sources, meaning))
        self._rivals = rivals_among(self._entries)
        self._parts: dict[int, _Parts] = {}

    def decide(self, destination: int, meaning: TagMeaning, groups: frozenset[str] = frozenset()) -> Decision:
        """What happens to connections to an address whose ipConfiguration is in these application security groups.

        ``meaning`` is that of the tags as destinations.
        """
        known = self._parts_under(meaning)
        place = (bisect_right(known.edges, destination), groups)
        if (answer := known.answers.get(place)) is None:
            meets = self._meets(destination, meaning, groups)
            answer = known.answers[place] = self._walk(meets, destination, meaning)
        return answer

    def decide_all(
        self, destinations: AddressSet, meaning: TagMeaning, groups: frozenset[str] = frozenset()
    ) -> Decision:
        """What happens to connections to an address of which only the range is known.

        Where the rules tell the addresses of the range apart, every source stays undecided.
        """
        return decide_for_any(
            destinations,
            self.edges(meaning),
            lambda destination: self.decide(destination, meaning, groups),
            among=self._sources,
            by=self.group,
        )

    def matches(self, destination: int, meaning: TagMeaning, groups: frozenset[str] = frozenset()) -> Iterator[Match]:
        """The rules that match connections to an address, in the order in which they are asked, until all are decided."""
        remaining = self._sources
        meets = self._meets(destination, meaning, groups)
        for place, (entry, met) in enumerate(zip(self._entries, meets, strict=True)):
            if entry.rule.access is None and entry.access is Access.ALLOW:
                continue  # it comes again at once, as the Deny that it may be
            certain = remaining & entry.certain - self._contested(place, meets) if met and not entry.applies else EMPTY
            perhaps = EMPTY if met is False else (remaining & (entry.certain | entry.possible)) - certain
            if certain or perhaps:
                yield Match(entry.rule, certain, perhaps, entry.some_ports_only)
            if not entry.some_ports_only:
                remaining -= certain

    def edges(self, meaning: TagMeaning) -> tuple[int, ...]:
        """Addresses at which the answer may change, all else being equal: between two of them it is the same."""
        return self._parts_under(meaning).edges

    def _parts_under(self, meaning: TagMeaning) -> "_Parts":
        if (known := self._parts.get(id(meaning))) is None:
            edges = {edge for entry in self._entries if not entry.anywhere for edge in entry.edges(meaning)}
            known = self._parts[id(meaning)] = _Parts(meaning, tuple(sorted(edges)))
        return known

    def _meets(self, destination: int, meaning: TagMeaning, groups: frozenset[str]) -> tuple[bool | None, ...]:
        return tuple([entry.meets(destination, groups, meaning) for entry in self._entries])

    def _contested(self, place: int, meets: tuple[bool | None, ...]) -> AddressSet:
        """The sources for which it is not known whether an entry or another of its priority comes first."""
        if place not in self._rivals:
            return EMPTY
        rivals = [self._entries[one] for one in self._rivals[place] if meets[one] is not False]
        return _union(one.certain | one.possible for one in rivals)

    def _walk(self, meets: tuple[bool | None, ...], destination: int, meaning: TagMeaning) -> Decision:
        tally = _Tally()
        parcels = [_Parcel(self._sources)] if self._sources else []
        for place, (entry, met) in enumerate(zip(self._entries, meets, strict=True)):
            if met is False:
                continue
            condition = entry.applies
            if met is None:
                condition = (*condition, destination_unknowns(entry.rule, self.group, destination, meaning))
            parts: tuple[tuple[Entry, Condition], ...] = ((entry, condition),)
            if contested := self._contested(place, meets):
                first = comes_first(self.group, entry.rule)
                rest = self._sources - contested
                parts = ((entry.among(contested), (*condition, first)), (entry.among(rest), condition))
            for part, holds in parts:
                parcels = [rest for parcel in parcels for rest in _apply(part, parcel, holds, tally)]
            if not parcels:
                break
        return tally.decision()


def _apply(entry: Entry, parcel: _Parcel, condition: Condition, tally: _Tally) -> Iterator[_Parcel]:
    """Books what the rule decides of a parcel and yields what goes on to the next rule.

    ``condition``: where the rule concerns connections to the destination at all.
    """
    certain, possible = parcel.sources & entry.certain, parcel.sources & entry.possible
    if certain and condition:
        yield parcel.passed(entry, certain, condition)
    elif certain and entry.some_ports_only:
        yield _Parcel(certain, parcel.partly or entry.rule, parcel.open)
    elif certain:
        tally.settle(parcel, certain, entry.rule, entry.access)
    if possible:
        yield parcel.passed(entry, possible, (*condition, *entry.meant))
    if rest := parcel.sources - certain - possible:
        yield _Parcel(rest, parcel.partly, parcel.open)


def _union(sets: Iterable[AddressSet]) -> AddressSet:
    return AddressSet(interval for addresses in sets for interval in addresses.intervals)
