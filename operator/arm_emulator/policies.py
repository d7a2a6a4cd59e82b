"""Which assigned policies deny a resource as it would be.

Rules: https://learn.microsoft.com/azure/governance/policy/concepts/effects and
https://learn.microsoft.com/azure/governance/policy/overview (assignment scope, inheritance, excluded scopes).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from arm_emulator import ancestry, policy_rules
from arm_emulator.cloud import Cloud
from arm_emulator.errors import Json
from arm_emulator.ids import ResourceId
from arm_emulator.resource_types.policies import POLICY_ASSIGNMENTS, POLICY_DEFINITIONS, POLICY_SETS, members
from arm_emulator.store import Resource

OWN_TYPES = (POLICY_ASSIGNMENTS, POLICY_DEFINITIONS, POLICY_SETS)


@dataclass(frozen=True, slots=True)
class Violation:
    """A policy that denies, through which assignment, and what it looked at."""

    assignment: Resource
    definition: Resource
    parameters: Mapping[str, Any]
    seen: list[policy_rules.Evaluated]

    @property
    def message(self) -> str:
        """What whoever assigned it has to say to whoever breaks it."""
        listed = self.assignment.properties.get("nonComplianceMessages")
        entries = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
        return str(entries[0].get("message") or "") if entries else ""

    def identifiers(self) -> Json:
        """The two names and ids that the error's message tells."""
        return {
            "policyAssignment": {"name": _shown(self.assignment), "id": str(self.assignment.id)},
            "policyDefinition": {"name": _shown(self.definition), "id": str(self.definition.id)},
        }

    def info(self) -> Json:
        """The error's additional information."""
        return {
            "evaluationDetails": {"evaluatedExpressions": [one.body() for one in self.seen]},
            "policyDefinitionId": str(self.definition.id),
            "policyDefinitionName": self.definition.name,
            "policyDefinitionDisplayName": _shown(self.definition),
            "policyDefinitionEffect": "deny",
            "policyAssignmentId": str(self.assignment.id),
            "policyAssignmentName": self.assignment.name,
            "policyAssignmentDisplayName": _shown(self.assignment),
            "policyAssignmentScope": self.assignment.id.scope or "/",
            "policyAssignmentParameters": {name: {"value": value} for name, value in self.parameters.items()},
            "policyExemptionIds": [],
            "policyEnrollmentIds": [],
        }


def any_assigned(cloud: Cloud) -> bool:
    """Whether there is anything to look at."""
    return bool(cloud.store.listed("/", POLICY_ASSIGNMENTS))


def violations(cloud: Cloud, resource_id: ResourceId, body: Json, *, indexed: bool) -> list[Violation]:
    """The policies that deny `body` at this id; `indexed` says that those of the mode Indexed look at its type."""
    group = cloud.store.get(resource_id.place.lower())
    shown = (
        {} if group is None else {"name": group.name, "location": group.location, "tags": group.body.get("tags") or {}}
    )
    wanted = {**body, "id": str(resource_id), "name": resource_id.name, "type": resource_id.type}
    if isinstance(wanted.get("location"), str):
        wanted["location"] = wanted["location"].lower().replace(" ", "")
    for member in ("tags", "properties"):
        if not isinstance(wanted.get(member), dict):
            wanted[member] = {}
    found = []
    for assignment in _assignments(cloud, resource_id):
        for definition, parameters in _definitions(cloud, assignment):
            if not indexed and str(definition.properties.get("mode", "Indexed")).lower() != "all":
                continue
            if not policy_rules.readable(
                definition.properties.get("policyRule"), definition.properties.get("parameters") or {}
            ):
                continue
            case = policy_rules.Case(wanted, parameters, shown)
            rule, seen = definition.properties["policyRule"], list[policy_rules.Evaluated]()
            if policy_rules.effect(rule, case) == "deny" and policy_rules.holds(rule["if"], case, seen):
                found.append(Violation(assignment, definition, parameters, seen))
    return found


def compact(value: object) -> str:
    """JSON as it stands within messages."""
    return orjson.dumps(value).decode()


def _assignments(cloud: Cloud, resource_id: ResourceId) -> Iterator[Resource]:
    """The enforced assignments that reach a resource."""
    here = set(ancestry.levels(cloud.store, resource_id.key))
    for item in cloud.store.listed("/", POLICY_ASSIGNMENTS):
        excluded = {str(one).lower().rstrip("/") for one in item.properties.get("notScopes") or []}
        enforced = item.properties.get("enforcementMode", "Default") == "Default"
        if enforced and (item.id.scope.lower() or "/") in here and not excluded & here:
            yield item


def _definitions(cloud: Cloud, assignment: Resource) -> Iterator[tuple[Resource, dict[str, Any]]]:
    """The definitions that an assignment is of, each with the values of its parameters."""
    found = cloud.find(str(assignment.properties.get("policyDefinitionId", "")))
    if found is None:
        return
    given = _values(found, assignment.properties.get("parameters"))
    if found.id.type == POLICY_DEFINITIONS:
        yield found, given
        return
    case = policy_rules.Case({"type": ""}, given, {})
    for member in members(found):
        definition = cloud.find(str(member.get("policyDefinitionId", "")))
        if definition is not None:
            passed = _values(definition, member.get("parameters"))
            yield definition, {name: policy_rules.resolved(value, case) for name, value in passed.items()}


def _values(definition: Resource, given: object) -> dict[str, Any]:
    declared: Json = definition.properties.get("parameters") or {}
    values = {name: one["defaultValue"] for name, one in declared.items() if "defaultValue" in one}
    passed = given if isinstance(given, dict) else {}
    return {**values, **{name: one.get("value") for name, one in passed.items() if isinstance(one, dict)}}


def _shown(item: Resource) -> str:
    return str(item.properties.get("displayName") or item.name)
