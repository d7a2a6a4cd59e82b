"""Microsoft.Authorization's policy definitions, sets of them, and assignments; what they refuse is told by `policies.py`.

Rules: https://learn.microsoft.com/azure/governance/policy/concepts/definition-structure-basics and
https://learn.microsoft.com/azure/governance/policy/concepts/assignment-structure
"""

from collections.abc import Mapping

from arm_emulator import ancestry, odata, policy_rules
from arm_emulator.cloud import Cloud
from arm_emulator.errors import Json, bad_request, conflict, not_found
from arm_emulator.resource_types.base import IMMEDIATE, Put, ResourceType, Statuses
from arm_emulator.resource_types.bodies import default
from arm_emulator.store import Resource

POLICY_DEFINITIONS = "Microsoft.Authorization/policyDefinitions"
POLICY_SETS = "Microsoft.Authorization/policySetDefinitions"
POLICY_ASSIGNMENTS = "Microsoft.Authorization/policyAssignments"
MODES = ("All", "Indexed")
ENFORCEMENT_MODES = ("Default", "DoNotEnforce")


class _Policy(ResourceType):
    """What the three have in common."""

    tracked = has_etag = has_state = False
    envelope = frozenset({"properties", "location", "identity", "sku", "systemData"})
    create = delete = IMMEDIATE
    statuses = Statuses(updated=201)
    merges_patch = True

    def listed(self, cloud: Cloud, place: str, query: Mapping[str, str]) -> list[Resource]:
        """At the place and above it, and for assignments below it as well; `atExactScope()` leaves both out."""
        text = query.get("$filter", "")
        terms = odata.only(
            odata.terms(text), text, "atscope", "atexactscope", "policytype", "policydefinitionid", "category"
        )
        names = {term.name for term in terms}
        here = set(ancestry.levels(cloud.store, place))
        found = []
        for item in cloud.store.listed("/", self.name):
            scope = item.id.scope.lower() or "/"
            below = self.name == POLICY_ASSIGNMENTS and not names & {"atscope", "atexactscope"}
            near = scope == place if "atexactscope" in names else scope in here
            if (near or (below and place in ancestry.levels(cloud.store, scope))) and all(
                _fits(item, one) for one in terms
            ):
                found.append(item)
        return found

    def _assigned(self, cloud: Cloud, item: Resource) -> list[Resource]:
        return [
            one
            for one in cloud.store.listed("/", POLICY_ASSIGNMENTS)
            if str(one.properties.get("policyDefinitionId", "")).lower() == item.key
        ]


class PolicyDefinitions(_Policy):
    """A rule and its parameters, checked when it is written; kept while it is assigned or part of a set."""

    name = POLICY_DEFINITIONS
    not_found = ("PolicyDefinitionNotFound", "The policy definition '{name}' could not be found.")

    def prepare(self, put: Put) -> None:
        wanted = put.properties
        default(wanted, mode="Indexed", policyType="Custom", parameters={}, metadata={}, displayName=put.id.name)
        _check_metadata(wanted)
        policy_rules.check(wanted.get("policyRule"), wanted["parameters"])

    def check_delete(self, cloud: Cloud, item: Resource) -> None:
        sets = cloud.store.listed("/", POLICY_SETS)
        named = {str(one.get("policyDefinitionId", "")).lower() for each in sets for one in members(each)}
        if self._assigned(cloud, item) or item.key in named:
            raise conflict(
                "PolicyDefinitionDeletionNotAllowed",
                f"The policy definition '{item.name}' cannot be deleted: it is assigned, or part of a policy set definition.",
            )


class PolicySetDefinitions(_Policy):
    """A list of definitions that all exist; kept while it is assigned."""

    name = POLICY_SETS
    not_found = ("PolicySetDefinitionNotFound", "The policy set definition '{name}' could not be found.")

    def prepare(self, put: Put) -> None:
        default(put.properties, policyType="Custom", parameters={}, metadata={}, displayName=put.id.name)
        _check_metadata(put.properties)
        listed = put.properties.get("policyDefinitions")
        if not isinstance(listed, list) or not listed or not all(isinstance(one, dict) for one in listed):
            raise bad_request("InvalidPolicySetDefinition", "A policy set definition needs policyDefinitions.")
        for one in listed:
            _definition(put.cloud, one.get("policyDefinitionId"), POLICY_DEFINITIONS)

    def check_delete(self, cloud: Cloud, item: Resource) -> None:
        if self._assigned(cloud, item):
            raise conflict(
                "PolicySetDefinitionDeletionNotAllowed",
                f"The policy set definition '{item.name}' cannot be deleted: it is assigned.",
            )


class PolicyAssignments(_Policy):
    """Answers 201 to every PUT and a deletion with what was deleted; parameters are those that the definition declares."""

    name = POLICY_ASSIGNMENTS
    statuses = Statuses(updated=201, deletion_has_body=True)
    not_found = ("PolicyAssignmentNotFound", "The policy assignment '{name}' is not found.")
    read_only = frozenset({"scope"})

    def prepare(self, put: Put) -> None:
        wanted = put.properties
        found = _definition(put.cloud, wanted.get("policyDefinitionId"), POLICY_DEFINITIONS, POLICY_SETS)
        default(wanted, enforcementMode="Default", displayName=put.id.name, notScopes=[], parameters={})
        spelt = {one.lower(): one for one in ENFORCEMENT_MODES}.get(str(wanted["enforcementMode"]).lower())
        _check_metadata(wanted)
        excluded, given = wanted["notScopes"], wanted["parameters"]
        if spelt is None or not isinstance(excluded, list) or not all(isinstance(one, str) for one in excluded):
            raise bad_request(
                "InvalidPolicyAssignment",
                f"A policy assignment has the enforcementMode {' or '.join(ENFORCEMENT_MODES)} and notScopes as texts.",
            )
        if not isinstance(given, dict) or not all(isinstance(one, dict) for one in given.values()):
            raise bad_request("InvalidPolicyParameters", "Parameters of a policy assignment are objects with a value.")
        wanted["enforcementMode"] = spelt
        wanted["scope"] = put.id.scope or "/"
        declared: Json = found.properties.get("parameters") or {}
        missing = [name for name, one in declared.items() if name not in given and "defaultValue" not in one]
        if missing:
            raise bad_request(
                "MissingPolicyParameter",
                f"The policy assignment '{put.id.name}' is missing the parameter(s) '{', '.join(missing)}' of the policy "
                f"definition '{found.name}'.",
            )
        if set(given) - set(declared):
            raise bad_request(
                "UndefinedPolicyParameter",
                f"The policy assignment '{put.id.name}' has the parameter(s) '{', '.join(sorted(set(given) - set(declared)))}' "
                f"that policy definition '{found.name}' does not define.",
            )


def _check_metadata(properties: Json) -> None:
    """Raises InvalidRequestContent for metadata that is no object."""
    if not isinstance(properties.get("metadata") or {}, dict):
        raise bad_request(
            "InvalidRequestContent",
            "The request content was invalid and could not be deserialized: 'Expected metadata to be an object.'.",
        )


def members(item: Resource) -> list[Json]:
    """The references of a stored policy set."""
    listed = item.properties.get("policyDefinitions")
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def _definition(cloud: Cloud, reference: object, *types: str) -> Resource:
    found = cloud.find(reference) if isinstance(reference, str) else None
    if found is None or found.id.type not in types:
        raise not_found("PolicyDefinitionNotFound", f"The policy definition '{reference}' could not be found.")
    return found


def _fits(item: Resource, term: odata.Term) -> bool:
    if term.name in ("policytype", "policydefinitionid"):
        member = "policyType" if term.name == "policytype" else "policyDefinitionId"
        return str(item.properties.get(member, "")).lower() == term.value.lower()
    if term.name == "category":
        metadata = item.properties.get("metadata")
        category = metadata.get("category", "") if isinstance(metadata, dict) else ""
        return str(category).lower() == term.value.lower()
    return True
