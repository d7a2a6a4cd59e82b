"""Rules that let Bastion through, put in front of what blocks it.

Never in front of just-in-time rules, which are security and no obstacles: there the way is to request access. Rules that
Azure Policy puts in place (``NRMS-``) are not moved either. Source: Microsoft Learn, "Just-in-time machine access".
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from bastion_operator.network.finding import Action, Actor, Change, Fix
from bastion_operator.network.fixes.situation import Situation, free_name, set_field
from bastion_operator.network.security_group import Access, Direction, SecurityGroup

FIRST_PRIORITY: Final = 100
LAST_PRIORITY: Final = 4096
MOST_RULES: Final = 1000
"""Azure's limit for a group: one that is full takes no rule more."""
RULES: Final = "properties.securityRules"
_OWN_TAGS: Final = frozenset({"virtualnetwork", "internet", "azureloadbalancer"})


def allow_rule(
    name: str, direction: Direction, source: Sequence[str], destination: Sequence[str], ports: Sequence[str]
) -> dict[str, Any]:
    """An Allow rule for TCP as ARM has it, without its priority."""
    held: dict[str, Any] = {"access": "Allow", "direction": direction.value, "protocol": "Tcp", "sourcePortRange": "*"}
    for field, values in (("sourceAddressPrefix", source), ("destinationAddressPrefix", destination)):
        held |= {field: values[0]} if len(values) == 1 else {f"{field}es": list(values)}
    held |= {"destinationPortRange": ports[0]} if len(ports) == 1 else {"destinationPortRanges": list(ports)}
    return {"name": name, "properties": held}


def allow_in_front(
    situation: Situation, group_id: str, rule: dict[str, Any], before: Sequence[int], *, guarded: bool
) -> Iterator[Fix]:
    """Fixes that put the rule in front of a priority, for each of those priorities.

    ``guarded``: just-in-time access guards the VM; the rule then is what Azure adds when access is granted.
    """
    group = situation.security_group(group_id)
    if group is None or len(group.rules or ()) >= MOST_RULES:
        return
    direction = Direction(rule["properties"]["direction"])
    name = free_name(rule["name"], (one.name for one in group.rules or ()))
    for limit in dict.fromkeys(before):
        place, moved = _place(group, direction, limit)
        if place is None:
            continue
        added = {"name": name, "properties": {"priority": place} | rule["properties"]}
        action, actor = (Action.REQUEST_ACCESS, Actor.USER) if guarded else (Action.ADD, Actor.NETWORK_OWNER)
        changes = (*moved, Change(action, group_id, RULES, None, added, actor))
        yield Fix(_summary(group, added, guarded=guarded), changes)


def _summary(group: SecurityGroup, rule: dict[str, Any], *, guarded: bool) -> str:
    held = rule["properties"]
    ports = ", ".join(_stated(held, "destinationPortRange", "destinationPortRanges"))
    source = ", ".join(_stated(held, "sourceAddressPrefix", "sourceAddressPrefixes"))
    destination = ", ".join(_stated(held, "destinationAddressPrefix", "destinationAddressPrefixes"))
    what = f"TCP {ports} from {source} to {destination}"
    if guarded:
        return f"request just-in-time access for {what}"
    return (
        f"add the rule {rule['name']} to {group.name}: allow {what} at priority {held['priority']}, {held['direction']}"
    )


def _stated(held: dict[str, Any], singular: str, plural: str) -> list[str]:
    return [held[singular]] if singular in held else list(held[plural])


def _place(group: SecurityGroup, direction: Direction, before: int) -> tuple[int | None, tuple[Change, ...]]:
    """The nearest free priority in front of another one; where there is none, that one itself, its rules moved back by one."""
    rules = {rule.priority: rule for rule in group.rules or () if rule.direction is direction and rule.priority}
    start = min(before, LAST_PRIORITY + 1)
    free = next((place for place in range(start - 1, FIRST_PRIORITY - 1, -1) if place not in rules), None)
    if free is not None:
        return free, ()
    end = next((place for place in range(start, LAST_PRIORITY + 1) if place not in rules), None)
    if end is None or any(is_protected(rules[place].name) for place in range(start, end)):
        return None, ()
    moved = tuple(
        set_field(
            f"{group.id}/securityRules/{rules[place].name}",
            "properties.priority",
            place,
            place + 1,
            Actor.NETWORK_OWNER,
        )
        for place in range(end - 1, start - 1, -1)
    )
    return start, moved


def is_protected(name: str) -> bool:
    """Whether a rule was put there by just-in-time access or by policy."""
    return "jitrule" in name.lower() or name.lower().startswith("nrms-")


def first_deny(group: SecurityGroup, direction: Direction) -> int | None:
    """The priority of the first rule of a direction that does not allow, or of which that is not known."""
    denies = (rule.priority for rule in group.walk(direction) if rule.access is not Access.ALLOW and not rule.default)
    return min((priority for priority in denies if priority is not None), default=None)


def first_doubtful(group: SecurityGroup, direction: Direction) -> int | None:
    """The priority of the first rule that names a tag or has a field that leaves its meaning open."""
    open_rules = (
        rule.priority
        for rule in group.walk(direction)
        if rule.malformed or not _OWN_TAGS.issuperset((*rule.source.tags, *rule.destination.tags))
    )
    return min((priority for priority in open_rules if priority is not None), default=None)
