"""The routes of a table as people wrote them, and what of them cannot be told."""

from dataclasses import dataclass

from arm_emulator.errors import Json
from arm_emulator.evaluation.opinion.addresses import Span, is_ipv6, span
from arm_emulator.evaluation.opinion.facts import states, word
from arm_emulator.evaluation.rows import field

HOPS = ("virtualappliance", "virtualnetworkgateway", "vnetlocal", "internet", "none", "vnetpeering")


@dataclass(frozen=True, slots=True)
class UserRoute:
    """A route: `held` is None where the text is no IPv4 prefix, `hop` where the next hop is no word of Azure's."""

    name: str
    text: str
    held: Span | None
    hop: str | None

    @property
    def tag(self) -> bool:
        """Whether it is for the addresses of a service."""
        return self.held is None and self.text[:1].isalpha() and not is_ipv6(self.text)

    @property
    def anywhere(self) -> bool:
        """Whether nobody can tell for which addresses it is."""
        return self.held is None and not self.tag and not is_ipv6(self.text)

    @property
    def width(self) -> int:
        return 0 if self.held is None else self.held[1] - self.held[0]


def routes_of(table: Json | None) -> list[UserRoute]:
    """All that is listed; what is no object is a route as well."""
    value = field(table or {}, "routes")
    return [_read(one if isinstance(one, dict) else {}) for one in (value if isinstance(value, list) else [])]


def _read(route: Json) -> UserRoute:
    held = route if isinstance(route.get("properties"), dict) else {}
    text, hop = str(field(held, "addressPrefix") or ""), word(held, "nextHopType")
    return UserRoute(str(route.get("name")), text, span(text), hop if hop in HOPS else None)


def out_of_sight(table: Json) -> bool:
    """Whether routes may stand in a table that cannot be seen: it lists none, or does not say for which addresses one is."""
    return not states(table, "routes") or any(route.anywhere for route in routes_of(table))


def cut_off(table: Json | None) -> bool | None:
    """Whether a table keeps learned routes away from its subnets; None where its word on that cannot be read."""
    said = field(table or {}, "disableBgpRoutePropagation")
    if said is None:
        return False
    return {"true": True, "false": False}.get(str(said).lower())


def taker(routes: list[UserRoute], address: int) -> UserRoute | None:
    """The route with the longest prefix that holds the address."""
    fitting = [one for one in routes if one.held is not None and one.held[0] <= address <= one.held[1]]
    return min(fitting, key=lambda one: one.width, default=None)
