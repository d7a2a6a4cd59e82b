"""An Allow rule as the operator wants it, compared with the one that is there and written into its body."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final

from bastion_operator.network.fixes.rules import allow_rule
from bastion_operator.network.security_group import Direction, SecurityRule, read_security_rule
from bastion_operator.planning.body import properties
from bastion_operator.planning.model import Difference

# Azure answers each of these in the singular or in the plural form.
_FORMS: Final = (
    ("sourceAddressPrefix", "sourceAddressPrefixes"),
    ("destinationAddressPrefix", "destinationAddressPrefixes"),
    ("sourcePortRange", "sourcePortRanges"),
    ("destinationPortRange", "destinationPortRanges"),
)
_WORDS: Final = ("access", "direction", "protocol")
_GROUPS: Final = ("sourceApplicationSecurityGroups", "destinationApplicationSecurityGroups")


@dataclass(frozen=True, slots=True)
class WantedRule:
    """An Allow for TCP. ``preferred`` is the priority that it gets where that is free and does what is wanted."""

    name: str
    direction: Direction
    source: tuple[str, ...]
    destination: tuple[str, ...]
    ports: tuple[int, ...]
    description: str
    preferred: int

    def properties(self, priority: int) -> dict[str, Any]:
        """The rule's properties as ARM has them."""
        ports = [str(port) for port in self.ports]
        held: dict[str, Any] = allow_rule(self.name, self.direction, self.source, self.destination, ports)["properties"]
        return held | {"priority": priority, "description": self.description}

    def body(self, priority: int) -> dict[str, Any]:
        """The body of a new rule."""
        return {"properties": self.properties(priority)}

    def listed(self, priority: int) -> dict[str, Any]:
        """The rule as an entry of a group's list."""
        return {"name": self.name, "properties": self.properties(priority)}

    def as_rule(self, priority: int) -> SecurityRule:
        """The rule as the engine reads it."""
        return read_security_rule(self.listed(priority))

    def differences(self, rule: Mapping[str, Any], priority: int) -> tuple[Difference, ...]:
        """The fields in which a rule that is there is not as wanted."""
        there, wanted = properties(rule), self.properties(priority)
        found = [
            Difference(field, _values(there, *forms), _values(wanted, *forms))
            for forms in _FORMS
            for field in forms[:1]
        ]
        found += [Difference(field, there.get(field), wanted[field]) for field in (*_WORDS, "priority", "description")]
        found += [Difference(field, there[field], None) for field in _GROUPS if there.get(field)]
        return tuple(each for each in found if _plain(each.before) != _plain(each.after))

    def updated(self, rule: Mapping[str, Any], priority: int) -> dict[str, Any]:
        """The body of a rule that is there, made as wanted; what the operator knows nothing of stays."""
        body: dict[str, Any] = deepcopy(dict(rule))
        held = body.setdefault("properties", {})
        for field in (*(form for forms in _FORMS for form in forms), *_GROUPS):
            held.pop(field, None)
        held |= self.properties(priority)
        return body


def _values(held: Mapping[str, Any], singular: str, plural: str) -> str:
    several = held.get(plural) or ()
    one = held.get(singular)
    return ", ".join(sorted({*map(str, several), *([str(one)] if one else [])}))


def _plain(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value
