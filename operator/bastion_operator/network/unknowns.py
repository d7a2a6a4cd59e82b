"""What may come of a decision that hangs on what is not known, and on which of it.

A reduced, ordered decision diagram: two unknowns that are one (the same address in the same service tag, asked by two rules)
are so together or not at all, and one is in the diagram only where the outcome hangs on it.
Source: R. E. Bryant, "Graph-Based Algorithms for Boolean Function Manipulation", 1986.
"""

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from typing import Final, Generic, TypeAlias, TypeVar

from bastion_operator.network.service_tags import Doubt

T = TypeVar("T", bound=Hashable)

MOST_UNKNOWNS: Final = 200
"""Trees are walked by recursion, a step for each unknown."""
MOST_BRANCHES: Final = 10_000
"""A few hundred rules that may match make some hundred; only rules made for it make more."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Something that is so or is not, and nobody can tell. Those ``about`` the same are one; ``doubt``: what people read."""

    about: tuple[Hashable, ...]
    doubt: Doubt = field(compare=False)


Condition = tuple[tuple[Unknown, ...], ...]
"""Holds where of each part at least one unknown is so; an empty condition holds."""


@dataclass(frozen=True, slots=True, eq=False)
class Branch(Generic[T]):
    """What comes of an unknown being so, and of its not being so. ``place``: the unknown's in the order of the diagram."""

    place: int
    so: "Tree[T]"
    otherwise: "Tree[T]"


Tree: TypeAlias = T | Branch[T]
"""An outcome, or the branch that decides about it. Of one diagram, trees that come to the same are one object."""


class TooManyError(ValueError):
    """So much is not known, and so much hangs on it, that it cannot be weighed."""


class Diagram(Generic[T]):
    """The unknowns of one decision and the trees over them. Outcomes are told apart by identity, as members of an enum.

    What makes a tree raises TooManyError for more than :data:`MOST_UNKNOWNS` unknowns or :data:`MOST_BRANCHES` branches.
    """

    def __init__(self) -> None:
        self._places: dict[Unknown, int] = {}
        self._branches: dict[tuple[int, int, int], Branch[T]] = {}
        self._picked: dict[tuple[int, int, int], Tree[T]] = {}

    def expect(self, condition: Condition) -> None:
        """Gives the unknowns of a condition their places. Those that are asked first are best expected first."""
        for part in condition:
            for unknown in part:
                self._places.setdefault(unknown, len(self._places))
        if len(self._places) > MOST_UNKNOWNS:
            raise TooManyError(f"more than {MOST_UNKNOWNS} unknowns")

    def where(self, condition: Condition, so: Tree[T], otherwise: Tree[T]) -> Tree[T]:
        """One tree where an expected condition holds, another where it does not."""
        for part in reversed(condition):
            any_of = otherwise
            for unknown in reversed(part):
                any_of = self._pick(self._places[unknown], so, any_of)
            so = any_of
        return so

    def mapped(self, tree: Tree[T], change: Callable[[T], T]) -> Tree[T]:
        """The tree with other outcomes."""
        known: dict[int, Tree[T]] = {}

        def walk(part: Tree[T]) -> Tree[T]:
            if not isinstance(part, Branch):
                return change(part)
            if (made := known.get(id(part))) is None:
                made = known[id(part)] = self._branch(part.place, walk(part.so), walk(part.otherwise))
            return made

        return walk(tree)

    def outcomes(self, tree: Tree[T]) -> tuple[T, ...]:
        """All that may come of it, each once. First comes what does if none of the unknowns is so; the earlier an unknown was
        expected, the later comes what hangs on its being so.
        """
        return tuple([part for part in _parts(tree) if not isinstance(part, Branch)])

    def doubts(self, tree: Tree[T]) -> tuple[Doubt, ...]:
        """What the outcome hangs on, in the order of the unknowns; each doubt once."""
        deciding = {part.place for part in _parts(tree) if isinstance(part, Branch)}
        found = (unknown.doubt for unknown, place in self._places.items() if place in deciding)
        return tuple(dict.fromkeys(found))

    def _branch(self, place: int, so: Tree[T], otherwise: Tree[T]) -> Tree[T]:
        if so is otherwise:
            return so
        key = (place, id(so), id(otherwise))
        if (made := self._branches.get(key)) is None:
            made = self._branches[key] = Branch(place, so, otherwise)
            if len(self._branches) > MOST_BRANCHES:
                raise TooManyError(f"more than {MOST_BRANCHES} branches")
        return made

    def _pick(self, place: int, so: Tree[T], otherwise: Tree[T]) -> Tree[T]:
        """One tree where the unknown of that place is so, another where it is not; both may ask about any unknown."""
        if so is otherwise:
            return so
        key = (place, id(so), id(otherwise))
        if (made := self._picked.get(key)) is None:
            top = min([place, *(tree.place for tree in (so, otherwise) if isinstance(tree, Branch))])
            if top == place:
                made = self._branch(place, _given(so, place, so=True), _given(otherwise, place, so=False))
            else:
                if_so = self._pick(place, _given(so, top, so=True), _given(otherwise, top, so=True))
                if_not = self._pick(place, _given(so, top, so=False), _given(otherwise, top, so=False))
                made = self._branch(top, if_so, if_not)
            self._picked[key] = made
        return made


def _given(tree: Tree[T], place: int, *, so: bool) -> Tree[T]:
    """What is left of a tree once the unknown of that place, which none in it comes before, is settled."""
    if not isinstance(tree, Branch) or tree.place != place:
        return tree
    return tree.so if so else tree.otherwise


def _parts(tree: Tree[T]) -> Iterator[Tree[T]]:
    """Every branch and every outcome of a tree, once; what comes of an unknown not being so before what comes of its being so."""
    seen: set[int] = set()
    waiting = [tree]
    while waiting:
        part = waiting.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        yield part
        if isinstance(part, Branch):
            waiting += (part.so, part.otherwise)
