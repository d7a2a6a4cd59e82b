"""Role assignments as they apply to resources: inherited from everything above, and how sure each of them is."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from bastion_operator.network.access.actions import Action
from bastion_operator.network.access.builtin_roles import BUILTIN_ROLES
from bastion_operator.network.access.condition import condition_allows
from bastion_operator.network.access.role_assignment import (
    MANAGEMENT_GROUPS,
    RoleAssignment,
    read_role_assignment,
    scopes_of,
    subscription_of,
)
from bastion_operator.network.access.role_definition import RoleDefinition, read_role_definition, role_key
from bastion_operator.network.fields import Row, at, objects, text
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.resource_types import ROLE_ASSIGNMENTS, ROLE_DEFINITIONS, SUBSCRIPTIONS

Options = tuple[tuple[Action, ...], ...]
"""Sets of actions, any one of which suffices whole."""


@dataclass(frozen=True, slots=True)
class Grant:
    """An assignment that applies to a resource, with its role; ``doubt`` says why it may not count for the person."""

    assignment: RoleAssignment
    role: RoleDefinition | None
    doubt: str | None

    def allows(self, action: Action) -> bool | None:
        """Whether it allows the action; None where that hangs on what is not known here."""
        if self.role is not None and not self.role.grants(action):
            return False
        condition = self.assignment.condition
        held = True if condition is None else condition_allows(condition, action.name)
        if held is False:
            return False
        return None if held is None or self.role is None or self.doubt is not None else True

    @property
    def why_unsure(self) -> str:
        """Why its answer can be None, in words."""
        shown = self.role.name if self.role is not None else self.assignment.role_key
        where = self.assignment.scope
        if self.doubt is not None:
            return self.doubt
        if self.role is None:
            return f"role definition {shown}, assigned at {where}, is not in the data"
        return f"the assignment of {shown} at {where} has a condition that hangs on the request"


class Lacking(NamedTuple):
    """The actions that nothing grants, and why it cannot be told of others."""

    missing: tuple[str, ...]
    doubts: tuple[str, ...]


class GrantTable:
    """All role assignments of an inventory, by what they apply to. Shared by all principals that are asked about."""

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory
        self._by_principal: dict[str, list[RoleAssignment]] = defaultdict(list)
        self._of_groups: list[RoleAssignment] = []
        for row in inventory.rows(ROLE_ASSIGNMENTS).values():
            if (assignment := read_role_assignment(row, row["id"])) is not None:
                self._by_principal[assignment.principal_key].append(assignment)
                if assignment.may_hold_others:
                    self._of_groups.append(assignment)

    def of(self, principal_id: str) -> "PrincipalGrants":
        """What applies to one principal, by its object id."""
        key = principal_id.lower()
        own = self._by_principal.get(key, [])
        others = [each for each in self._of_groups if each.principal_key != key]
        return PrincipalGrants(self, own, others)

    def evaluable(self, subscription: str | None) -> bool:
        """Whether any assignment at, above or below the subscription is in the data.

        Whoever may read a subscription has a role there. Where not one assignment is shown, they were not read, or
        their reader may not see them: then their absence says nothing.
        """
        if not self._seen:
            return False
        above = self.management_groups(subscription)
        return bool(self._seen & {"/", f"/subscriptions/{subscription}", *(above or ())}) or (
            above is None and any(scope.startswith(MANAGEMENT_GROUPS) for scope in self._seen)
        )

    @cached_property
    def _seen(self) -> frozenset[str]:
        """The outermost scopes of all assignments: what lies below a subscription counts as it."""
        scopes = (each.scope for listed in self._by_principal.values() for each in listed)
        return frozenset(f"/subscriptions/{own}" if (own := subscription_of(scope)) else scope for scope in scopes)

    @cached_property
    def _definitions(self) -> Mapping[str, RoleDefinition]:
        rows = self._inventory.rows(ROLE_DEFINITIONS)
        return {role_key(row["id"]): read_role_definition(row, row["id"]) for row in rows.values()}

    def role(self, assignment: RoleAssignment) -> RoleDefinition | None:
        """The assignment's role as its row says, else as Microsoft documents it; None for one that is not known."""
        return self._definitions.get(assignment.role_key) or BUILTIN_ROLES.get(assignment.role_key)

    def management_groups(self, subscription: str | None) -> frozenset[str] | None:
        """The scopes of the management groups above a subscription; None where the data does not tell them."""
        return self._ancestors.get(subscription or "")

    @cached_property
    def _ancestors(self) -> Mapping[str, frozenset[str]]:
        found: dict[str, frozenset[str]] = {}
        for key, row in self._inventory.rows(SUBSCRIPTIONS).items():
            if isinstance(at(row, "properties", "managementGroupAncestorsChain"), list):
                found[subscription_of(key) or ""] = frozenset(_chain(row))
        return found


def _chain(row: Row) -> Iterator[str]:
    for group in objects(row, "properties", "managementGroupAncestorsChain"):
        if (name := text(group, "name")) is not None:
            yield MANAGEMENT_GROUPS + name.lower()


class PrincipalGrants:
    """The assignments that apply, or may apply, to one principal, looked up by resource."""

    def __init__(self, table: GrantTable, own: Iterable[RoleAssignment], of_groups: Iterable[RoleAssignment]) -> None:
        self._table = table
        self._by_scope: dict[str, list[Grant]] = defaultdict(list)
        for each in own:
            self._by_scope[each.scope].append(Grant(each, table.role(each), None))
        for each in of_groups:
            doubt = (
                f"{_shown(table.role(each), each)} is assigned to group {each.principal_key} at {each.scope}, and whether "
                "the principal is a member is not to be seen in Azure's resources"
            )
            self._by_scope[each.scope].append(Grant(each, table.role(each), doubt))
        self._inherited: dict[str, tuple[Grant, ...]] = {}
        self._lacking: dict[tuple[str, Options], Lacking | None] = {}

    def lacking(self, resource_id: str, options: Options) -> "Lacking | None":
        """What the principal lacks of the best of the options on a resource; None if one of them is granted whole."""
        containers: list[str] = []
        own: list[str] = []
        for scope in scopes_of(resource_id):
            (own if "/providers/" in scope else containers).append(scope)
        inherited = self._of_containers(containers)
        extra = [grant for scope in own for grant in self._by_scope.get(scope, ())]
        if extra:
            return _lacking((*inherited, *extra), options)
        # Of thousands of resources in one group no assignment tells most apart.
        key = (containers[-1] if containers else "", options)
        if key not in self._lacking:
            self._lacking[key] = _lacking(inherited, options)
        return self._lacking[key]

    def _of_containers(self, containers: list[str]) -> tuple[Grant, ...]:
        key = containers[-1] if containers else ""
        if key not in self._inherited:
            self._inherited[key] = tuple(self._collect(containers))
        return self._inherited[key]

    def _collect(self, containers: list[str]) -> Iterator[Grant]:
        yield from self._by_scope.get("/", ())
        subscription = subscription_of(containers[0]) if containers else None
        above = self._table.management_groups(subscription)
        for scope in sorted(self._by_scope):
            if not scope.startswith(MANAGEMENT_GROUPS):
                continue
            if above is None:
                unsure = f"whether subscription {subscription} lies below {scope} is not in the data"
                yield from (Grant(grant.assignment, grant.role, unsure) for grant in self._by_scope[scope])
            elif scope in above:
                yield from self._by_scope[scope]
        for scope in containers:
            yield from self._by_scope.get(scope, ())


def _lacking(grants: tuple[Grant, ...], options: Options) -> Lacking | None:
    found = [_lacking_of(grants, option) for option in options]
    if any(each is None for each in found):
        return None
    lacking = [each for each in found if each is not None]
    return next((each for each in lacking if not each.missing), lacking[0])


def _lacking_of(grants: tuple[Grant, ...], option: tuple[Action, ...]) -> Lacking | None:
    missing: list[str] = []
    doubts: dict[str, None] = {}
    for action in option:
        answers = {grant: grant.allows(action) for grant in grants}
        if True in answers.values():
            continue
        unsure = [grant.why_unsure for grant, answer in answers.items() if answer is None]
        doubts.update(dict.fromkeys(unsure))
        if not unsure:
            missing.append(action.name)
    return Lacking(tuple(missing), tuple(doubts)) if missing or doubts else None


def _shown(role: RoleDefinition | None, assignment: RoleAssignment) -> str:
    return f"role {assignment.role_key}" if role is None else role.name
