"""What Azure Virtual Network Manager does to a VNet, as Resource Graph's table ``networkresources`` tells it.

``effectiveSecurityAdminRules`` of a VNet names snapshots of security admin configurations; the rules are the snapshots of
each rule. Of these rules apply to the VNet what is in a collection for one of its network groups, which its row
``networkGroupMemberships`` names. ``effectiveConnectivityConfigurations`` names connectivity configurations. All occur
with property names in camel and in Pascal case. Source: Microsoft Learn, "Query Azure Virtual Network Manager using
Azure Resource Graph" and "Security admin rules in Azure Virtual Network Manager".
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from bastion_operator.network.arm_id import normalise_id
from bastion_operator.network.fields import Row, flag, mapping, number, objects, text, texts
from bastion_operator.network.security_group import (
    LAST_PORT,
    PROTOCOLS,
    Access,
    Direction,
    Ports,
    SecurityRule,
    read_endpoints,
    read_ports,
)

ALWAYS_ALLOW: Final = "alwaysallow"
_ALLOW_RULES_ONLY: Final = "allowrulesonly"


@dataclass(frozen=True, slots=True)
class AdminRule:
    """A security admin rule. ``access`` is Azure's word, lower-cased: allow, deny, alwaysallow; None if unreadable.

    ``rule`` has all but the access.
    """

    id: str
    access: str | None
    rule: SecurityRule

    def as_rule(self, access: Access | None) -> SecurityRule:
        """The rule with an access that a security group's rule may have."""
        return replace(self.rule, access=access)


@dataclass(frozen=True, slots=True)
class AdminConfiguration:
    """A configuration in force on a VNet with the rules that apply there; None where no rule of it could be found."""

    id: str
    rules: tuple[AdminRule, ...] | None
    allow_rules_only: bool


@dataclass(frozen=True, slots=True)
class ConnectivityConfiguration:
    """A connectivity configuration. ``mesh``: all of its VNets are connected without peering objects.

    ``direct_groups``: the network groups (lower-cased ids) whose members are connected so among themselves, each with the
    ``hubs`` (lower-cased ids of VNets); None for a group that is not named.
    """

    id: str
    mesh: bool
    direct_groups: tuple[str | None, ...]
    hubs: frozenset[str]
    is_global: bool

    def connects(self, one: str, other: str, memberships: Mapping[str, frozenset[str]]) -> bool:
        """Whether two of its VNets (lower-cased ids) are in one connected group, or may be as far as is known."""
        if self.mesh:
            return True
        pair = {one, other}
        return not pair <= self.hubs and any(
            all(self._may_hold(group, key, memberships.get(key)) for key in pair) for group in self.direct_groups
        )

    def _may_hold(self, group: str | None, key: str, groups: frozenset[str] | None) -> bool:
        return groups is None or group is None or group in groups or key in self.hubs


def effective_configurations(rows: Mapping[str, Row], field: str) -> Mapping[str, tuple[str, ...]]:
    """Ids of the configuration snapshots in force, by the VNet's lower-cased id."""
    found: dict[str, tuple[str, ...]] = {}
    for key, row in rows.items():
        network_key, extended, _ = key.partition("/providers/microsoft.network/effective")
        listed = (text(item, "id") for item in objects(camel(mapping(row, "properties")), field))
        if extended:
            found[network_key] = tuple(item for item in listed if item is not None)
    return found


def group_memberships(rows: Mapping[str, Row]) -> Mapping[str, frozenset[str]]:
    """Lower-cased ids of the network groups that a VNet is in, by its lower-cased id; a row without tells nothing."""
    found: dict[str, frozenset[str]] = {}
    for key, row in rows.items():
        network_key = key.partition("/providers/microsoft.network/networkgroupmemberships")[0]
        if groups := _group_ids(objects(camel(mapping(row, "properties")), "groupMemberships")):
            found[network_key] = groups
    return found


def _group_ids(items: Iterable[Row]) -> frozenset[str]:
    named = (text(item, "networkGroupId") for item in items)
    return frozenset(normalise_id(group) for group in named if group is not None)


def collection_groups(rows: Mapping[str, Row]) -> Mapping[str, frozenset[str]]:
    """Lower-cased ids of the network groups that a rule collection is for, by the lower-cased id of its snapshot."""
    read = ((key, camel(mapping(row, "properties"))) for key, row in rows.items())
    return {
        key: _group_ids(objects(properties, "appliesToGroups"))
        for key, properties in read
        if isinstance(properties.get("appliesToGroups"), list)
    }


def admin_configurations(
    snapshot_ids: Iterable[str],
    rules: Mapping[str, tuple[AdminRule, ...]],
    snapshots: Mapping[str, Row],
    elsewhere: Callable[[AdminRule], bool],
) -> Iterator[AdminConfiguration]:
    """The configurations named by snapshot ids, with those of their rules that are not for other VNets alone."""
    for snapshot_id in snapshot_ids:
        key = normalise_id(snapshot_id)
        configuration, _, number_text = key.partition("/snapshots/")
        held = rules.get(configuration, ())
        same = tuple(rule for rule in held if normalise_id(rule.id).endswith(f"/snapshots/{number_text}"))
        row = camel(mapping(snapshots.get(key), "properties"))
        services = {item.lower() for item in texts(row, "applyOnNetworkIntentPolicyBasedServices") or ()}
        every = same or _latest(held)
        here = tuple(rule for rule in every if not elsewhere(rule))
        yield AdminConfiguration(snapshot_id, here if every else None, _ALLOW_RULES_ONLY in services)


def is_for_others(rule: AdminRule, groups: frozenset[str] | None, collections: Mapping[str, frozenset[str]]) -> bool:
    """Whether a rule's collection is for none of a VNet's network groups; where either is not told, it applies."""
    collection, _, number_text = normalise_id(rule.id).partition("/rules/")
    named = collections.get(f"{collection}/snapshots/{number_text.rpartition('/snapshots/')[2]}")
    return groups is not None and named is not None and named.isdisjoint(groups)


def _latest(rules: tuple[AdminRule, ...]) -> tuple[AdminRule, ...]:
    """Of each rule the snapshot with the highest number."""
    newest: dict[str, AdminRule] = {}
    for rule in sorted(rules, key=_snapshot_number):
        newest[normalise_id(rule.id).partition("/snapshots/")[0]] = rule
    return tuple(newest.values())


def _snapshot_number(rule: AdminRule) -> int:
    tail = rule.id.rsplit("/", 1)[-1]
    return int(tail) if tail.isascii() and tail.isdigit() else -1


def admin_rules(rows: Mapping[str, Row]) -> Mapping[str, tuple[AdminRule, ...]]:
    """Snapshots of rules by the lower-cased id of their configuration."""
    found: dict[str, list[AdminRule]] = defaultdict(list)
    for key, row in rows.items():
        found[key.partition("/rulecollections/")[0]].append(_read_admin_rule(row, row["id"]))
    return {key: tuple(rules) for key, rules in found.items()}


def _read_admin_rule(row: Row, row_id: str) -> AdminRule:
    properties = camel(mapping(row, "properties"))
    name = row_id.lower().partition("/snapshots/")[0].rsplit("/", 1)[-1]
    protocol = (text(properties, "protocol") or "").lower()
    direction = (text(properties, "direction") or "").lower()
    access = (text(properties, "access") or "").lower()
    protocol = "*" if protocol == "any" else protocol
    return AdminRule(
        id=row_id,
        access=access if access in {"allow", "deny", ALWAYS_ALLOW} else None,
        rule=SecurityRule(
            name=name,
            priority=number(properties, "priority"),
            direction=next((way for way in Direction if way.value.lower() == direction), None),
            access=None,
            protocol=protocol if protocol in PROTOCOLS else None,
            source=read_endpoints(tuple(_addresses(properties, "sources"))),
            destination=read_endpoints(tuple(_addresses(properties, "destinations"))),
            source_ports=_ports(properties, "sourcePortRanges"),
            destination_ports=_ports(properties, "destinationPortRanges"),
        ),
    )


def _addresses(properties: Row, side: str) -> Iterator[str]:
    """Prefixes and tags; a network group is an id, which reads as malformed: its members are not resolved."""
    stated = list(objects(properties, side))
    if not stated:
        yield "*"
    for item in stated:
        yield text(item, "addressPrefix") or ""


def _ports(properties: Row, field: str) -> Ports:
    stated = texts(properties, field)
    return read_ports(stated) if stated else Ports(((0, LAST_PORT),))


def connectivity_configurations(rows: Mapping[str, Row]) -> Mapping[str, ConnectivityConfiguration]:
    """Connectivity configurations by the lower-cased id of their snapshot."""
    found: dict[str, ConnectivityConfiguration] = {}
    for key, row in rows.items():
        properties = camel(mapping(row, "properties"))
        mesh = (text(properties, "connectivityTopology") or "").lower() == "mesh"
        groups = list(objects(properties, "appliesToGroups"))
        direct = tuple(_direct_groups(groups))
        hubs = (text(hub, "resourceId") for hub in objects(properties, "hubs"))
        wide = flag(properties, "isGlobal") or any(flag(group, "isGlobal") for group in groups)
        named = frozenset(normalise_id(hub) for hub in hubs if hub is not None)
        found[key] = ConnectivityConfiguration(row["id"], mesh, direct, named, wide)
    return found


def _direct_groups(groups: Iterable[Row]) -> Iterator[str | None]:
    """The groups of a configuration whose members are connected directly."""
    for group in groups:
        if (text(group, "groupConnectivity") or "").lower() == "directlyconnected":
            named = text(group, "networkGroupId")
            yield None if named is None else normalise_id(named)


def camel(value: Any) -> Any:
    """The same JSON with the first letter of every property name in lower case."""
    if isinstance(value, Mapping):
        return {key[:1].lower() + key[1:]: camel(held) for key, held in value.items()}
    return [camel(held) for held in value] if isinstance(value, list) else value
