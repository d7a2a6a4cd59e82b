"""What a trace is made of. Texts are what people read; ids are in ``resource``."""

from dataclasses import dataclass
from enum import StrEnum

from bastion_operator.network.finding import Finding


class Leg(StrEnum):
    """Which way the packets go."""

    THERE = "there"
    BACK = "back"


class Outcome(StrEnum):
    """What becomes of the connection at a hop."""

    PASSES = "passes"
    STOPS = "stops"
    OPEN = "open"
    NOT_JUDGED = "not judged"


class Mark(StrEnum):
    """What a row of a table has to do with the connection."""

    DECIDES = "decides"
    DECIDES_SOME = "decides for some"
    MAY_MATCH = "may match"
    NO_MATCH = "does not match"
    NOT_ASKED = "not asked"


@dataclass(frozen=True, slots=True)
class RuleRow:
    """A security rule as a person reads it. ``priority`` and ``access`` are None where they cannot be read.

    ``sources``: where it decides for some, or may match, the Bastion's addresses that it does so for.
    """

    mark: Mark
    name: str
    priority: int | None
    access: str | None
    protocol: str | None
    source: str
    destination: str
    ports: str
    sources: str = ""


@dataclass(frozen=True, slots=True)
class RouteRow:
    """A route; ``name`` is None for one of Azure's own. ``sources``: the Bastion's addresses whose replies it takes."""

    mark: Mark
    name: str | None
    prefix: str
    next_hop: str
    sources: str = ""


@dataclass(frozen=True, slots=True)
class Hop:
    """One station of the way. ``facts`` are pairs of a name and what stands there, in the order in which they are told."""

    leg: Leg
    name: str
    outcome: Outcome
    resource: str | None = None
    facts: tuple[tuple[str, str], ...] = ()
    rules: tuple[RuleRow, ...] = ()
    routes: tuple[RouteRow, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Trace:
    """The hops in the order in which a connection meets them, then those of the replies."""

    hops: tuple[Hop, ...]
