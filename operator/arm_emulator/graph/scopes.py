"""What a query is limited to: subscriptions, management groups, or the whole tenant; and what is assigned above."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from arm_emulator.errors import ArmError, Json
from arm_emulator.graph.options import Options, Version, names_of, refused

MOST_SUBSCRIPTIONS = 1000
MOST_SUBSCRIPTIONS_UNDER_SCOPE = 10_000
SUBSCRIPTION, MANAGEMENT_GROUP = "microsoft.resources/subscriptions", "microsoft.management/managementgroups"
_GROUP_ID = "/providers/microsoft.management/managementgroups/"
_SCOPED_TABLES = ("authorizationresources", "policyresources")
"""The tables that authorizationScopeFilter is for."""
_EVERYWHERE = "microsoft.authorization/roledefinitions"
"""Built-in definitions stand at the tenant and are in every scope."""


@dataclass(frozen=True, slots=True)
class Scope:
    """`subscriptions` None is the whole tenant. `groups` are the management groups at and below those asked for, `above`
    those that everything asked for is below of, `asked` the ids of what was asked for. All in lower case.
    """

    subscriptions: frozenset[str] | None
    groups: frozenset[str] = frozenset()
    above: frozenset[str] = frozenset()
    asked: frozenset[str] = frozenset()
    filter: str = "AtScopeAndBelow"
    cut: bool = False

    def holds(self, table: str, row: Json) -> bool:
        """Whether a table's row is within."""
        if self.subscriptions is None:
            return True
        if table in _SCOPED_TABLES:
            return self._assigned(row)
        subscription = row["subscriptionId"].lower()
        return subscription in self.subscriptions if subscription else _group_of(row["id"].lower()) in self.groups

    def _assigned(self, row: Json) -> bool:
        """Whether what is assigned somewhere is at, below or above the scope, as the filter asks."""
        place, _, _ = row["id"].lower().rpartition("/providers/")
        if row["type"] == _EVERYWHERE and not place:
            return True
        if place in self.asked:
            return True
        group = _group_of(place)
        subscription = row["subscriptionId"].lower()
        below = subscription in (self.subscriptions or ()) if subscription else group in self.groups
        if below:
            return self.filter in ("AtScopeAndBelow", "AtScopeAboveAndBelow")
        above = not subscription and (not group or group in self.above)
        return above and self.filter in ("AtScopeAndAbove", "AtScopeAboveAndBelow")


def scope_of(
    body: Json, options: Options, version: Version, containers: Iterable[Json], may_read: Callable[[str, Json], bool]
) -> Scope:
    """The scope that a body asks for; `containers` are the rows of resourcecontainers. Raises ArmError."""
    subscriptions = names_of(body, "subscriptions", MOST_SUBSCRIPTIONS)
    groups = names_of(body, "managementGroups", MOST_SUBSCRIPTIONS)
    if groups is None and isinstance(body.get("managementGroupId"), str):
        groups = frozenset({body["managementGroupId"].lower()})
    if subscriptions is not None and groups is not None:
        raise refused("InvalidScope", "managementGroups cannot be used at the same time as subscriptions.")
    if subscriptions is None and not version.tenant_wide:
        raise refused("MissingSubscriptions", "This api-version needs a list of subscriptions.")
    rows = list(containers)
    chains = dict(_chains(rows))
    if subscriptions is not None:
        above = [set(chains.get(f"/subscriptions/{one}", ())) for one in subscriptions]
        asked = frozenset(f"/subscriptions/{one}" for one in subscriptions)
        return Scope(subscriptions, above=frozenset(set().union(*above)), asked=asked, filter=options.scope_filter)
    within = {key: chain for key, chain in chains.items() if groups is None or groups & {_group_of(key), *chain}}
    listed = [key.removeprefix("/subscriptions/") for key in within if key.startswith("/subscriptions/")]
    cut = False
    if len(listed) > MOST_SUBSCRIPTIONS_UNDER_SCOPE:
        readable = {row["subscriptionId"].lower() for row in rows if may_read(row["id"].lower(), row)}
        listed = [one for one in listed if one in readable]
        cut = len(listed) > MOST_SUBSCRIPTIONS_UNDER_SCOPE
    if cut and not options.partial_scopes:
        raise _too_many()
    if groups is None and not cut:
        return Scope(None, filter=options.scope_filter)
    below = frozenset(_group_of(key) for key in within if key.startswith(_GROUP_ID))
    above = [set(chains.get(_GROUP_ID + group, ())) for group in groups or ()]
    return Scope(
        frozenset(listed[:MOST_SUBSCRIPTIONS_UNDER_SCOPE]),
        groups=below | (groups or frozenset()),
        above=frozenset(set().union(*above)) if above else frozenset(),
        asked=frozenset(_GROUP_ID + group for group in groups or ()),
        filter=options.scope_filter,
        cut=cut,
    )


def _too_many() -> ArmError:
    """The words of Azure/cosmos-explorer #1986, whose limit was another one."""
    return refused(
        "TooManySubscriptionsUnderScope",
        "The number of subscriptions under provided tenant or management groups in the request has exceeded the allowed "
        f"limit {MOST_SUBSCRIPTIONS_UNDER_SCOPE}. Please select a more granular scope or allow partial scopes results by "
        "passing AllowPartialScopes flag in the query options.",
    )


def _chains(rows: Iterable[Json]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """For each subscription and management group the management groups above it, nearest first."""
    parents: dict[str, str] = {}
    containers = [row for row in rows if row["type"] in (SUBSCRIPTION, MANAGEMENT_GROUP)]
    for row in containers:
        parent = _parent(row)
        if parent:
            parents[row["id"].lower()] = parent
    for row in containers:
        key = row["id"].lower()
        yield key, _listed_chain(row) or tuple(_climbed(key, parents))


def _listed_chain(row: Json) -> tuple[str, ...]:
    properties = row.get("properties") or {}
    details = properties.get("details")
    chain = properties.get("managementGroupAncestorsChain") or (
        details.get("managementGroupAncestorsChain") if isinstance(details, dict) else None
    )
    entries = chain if isinstance(chain, list) else []
    return tuple(str(one.get("name", "")).lower() for one in entries if isinstance(one, dict))


def _parent(row: Json) -> str:
    details = (row.get("properties") or {}).get("details")
    parent = details.get("parent") if isinstance(details, dict) else None
    return str(parent.get("id", "")).rpartition("/")[2].lower() if isinstance(parent, dict) else ""


def _climbed(key: str, parents: Mapping[str, str]) -> Iterator[str]:
    seen: set[str] = set()
    parent = parents.get(key, "")
    while parent and parent not in seen:
        seen.add(parent)
        yield parent
        parent = parents.get(_GROUP_ID + parent, "")


def _group_of(key: str) -> str:
    """The name of the management group that an id is; empty where it is none."""
    return key.removeprefix(_GROUP_ID) if key.startswith(_GROUP_ID) and "/" not in key[len(_GROUP_ID) :] else ""
