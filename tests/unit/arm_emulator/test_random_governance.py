"""Random bodies, filters and paths of what governs: an ARM error each time, and the state unharmed."""

from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from arm_emulator.rendering import answered
from tests.support.arm import NET, RG, SUB, Arm
from tests.support.governance import AUTHORIZATION, MANAGEMENT, READER, guid

HERE = f"/subscriptions/{SUB}"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 800) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
LEAF = st.one_of(JSON, st.sampled_from(["deny", "ReadOnly", "CanNotDelete", READER, guid(1), RG, HERE, "*", f"{MANAGEMENT}/tenant", f"{HERE}{AUTHORIZATION}/policyDefinitions/p", "[parameters('a')]", "[concat(field('x'), 1)]", "[["]))  # fmt: skip
CONDITION = st.recursive(
    st.dictionaries(st.sampled_from(["field", "value", "equals", "like", "in", "exists", "containsKey", "greater"]), LEAF, max_size=3),
    lambda inner: st.dictionaries(st.sampled_from(["allOf", "anyOf"]), st.lists(inner, max_size=2), max_size=1) | st.fixed_dictionaries({"not": inner}),
    max_leaves=4,
)  # fmt: skip
RULE = st.fixed_dictionaries(
    {}, optional={"if": st.one_of(CONDITION, JSON), "then": st.one_of(JSON, st.fixed_dictionaries({"effect": LEAF}))}
)
MEMBERS = (
    "roleDefinitionId", "principalId", "principalType", "roleName", "assignableScopes", "permissions", "level", "notes", "owners",
    "policyDefinitionId", "parameters", "notScopes", "enforcementMode", "nonComplianceMessages", "policyDefinitions", "displayName",
    "details", "workspaceId", "logs", "metrics", "sku", "retentionInDays", "tags", "scope",
)  # fmt: skip
PROPERTIES = st.dictionaries(st.sampled_from(MEMBERS), LEAF, max_size=5)
BODY = st.one_of(
    JSON,
    st.fixed_dictionaries(
        {
            "properties": st.one_of(
                PROPERTIES, PROPERTIES.flatmap(lambda one: RULE.map(lambda rule: {**one, "policyRule": rule}))
            )
        },
        optional={"location": st.just("westeurope"), "operation": LEAF, "parentId": LEAF, "tags": JSON},
    ),
)
PATHS = (
    f"{RG}{AUTHORIZATION}/roleAssignments/{guid(1)}", f"{AUTHORIZATION}/roleAssignments/{guid(2)}",
    f"{HERE}{AUTHORIZATION}/roleDefinitions/{guid(3)}", f"{HERE}{AUTHORIZATION}/roleDefinitions/{READER}",
    f"{RG}{AUTHORIZATION}/locks/l", f"{HERE}{AUTHORIZATION}/policyDefinitions/p", f"{HERE}{AUTHORIZATION}/policySetDefinitions/s",
    f"{RG}{AUTHORIZATION}/policyAssignments/a", f"{MANAGEMENT}/g", f"{MANAGEMENT}/tenant",
    f"{NET}/virtualNetworks/v/providers/Microsoft.Insights/diagnosticSettings/d",
    f"{RG}/providers/Microsoft.OperationalInsights/workspaces/w", f"{RG}/providers/Microsoft.Resources/tags/default",
    f"{MANAGEMENT}/g/subscriptions/{SUB}", f"{HERE}/providers/Microsoft.Network/register",
)  # fmt: skip
VERSIONS = ("2022-04-01", "2020-05-01", "2023-04-01", "2021-05-01-preview", "2025-07-01", "2024-11-01")


def version_of(path: str) -> str:
    kinds = {"role": 0, "locks": 1, "policy": 2, "managementGroups": 2, "diagnosticSettings": 3, "workspaces": 4}
    return VERSIONS[next((number for kind, number in kinds.items() if f"/{kind}" in path), 5)]


def dump(arm: Arm) -> bytes:
    return orjson.dumps([answered(arm.cloud, item) for item in arm.cloud.store])


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_random_bodies_are_answered_and_harm_nothing(data: st.DataObject) -> None:
    arm = Arm(estate=[{"id": f"{NET}/virtualNetworks/v", "location": "westeurope", "properties": {}}])
    for _ in range(2):
        path, body = data.draw(st.sampled_from(PATHS)), data.draw(BODY)
        before = dump(arm)
        method = data.draw(st.sampled_from(["PUT", "PUT", "PATCH", "DELETE", "POST"]))
        answer = arm.call(method, path, body, version=version_of(path))
        assert answer.status < 500
        if answer.status >= 400:
            assert answer.code
            assert dump(arm) == before
        arm.wait()
        if answer.status in (200, 201) and method == "PUT":
            assert arm.get(path, version=version_of(path)).status == 200
    assert arm.query("authorizationresources | union resourcecontainers | count").status in (200, 400)
    assert arm.put(f"{NET}/virtualNetworks/w", {"location": "westeurope"}).status in (400, 403, 409)


TEXT = st.lists(
    st.sampled_from(["eq", "and", "'x'", "atScope()", "principalId", "eventTimestamp", "ge", "2026-01-01", "tagName", "(", ")", ",", "substringof('a', name)", "assignedTo('y')", "'", " ", "ne", "resourceType"]),
    max_size=7,
).map(" ".join)  # fmt: skip
LISTS = {
    f"{RG}{AUTHORIZATION}/roleAssignments": "2022-04-01", f"{HERE}{AUTHORIZATION}/roleDefinitions": "2022-04-01",
    f"{RG}{AUTHORIZATION}/locks": "2020-05-01", f"{HERE}{AUTHORIZATION}/policyAssignments": "2023-04-01",
    f"{HERE}/resources": "2021-04-01", f"{HERE}/resourcegroups": "2021-04-01",
    f"{HERE}/providers/Microsoft.Insights/eventtypes/management/values": "2015-04-01",
}  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(path=st.sampled_from(sorted(LISTS)), text=st.one_of(TEXT, st.text(max_size=20)))
def test_random_filters_are_answered(path: str, text: str) -> None:
    answer = Arm().get(path, version=LISTS[path], **{"$filter": text})
    assert answer.status in (200, 400)


@settings(max_examples=200, deadline=None)
@given(path=st.lists(st.sampled_from(["providers", "Microsoft.Authorization", "roleAssignments", "locks", "Microsoft.Management", "managementGroups", "g", "subscriptions", SUB, "resourceGroups", "rg", "Microsoft.Resources", "tags", "default", "", "permissions", "Microsoft.Insights", "diagnosticSettingsCategories", "eventtypes", "tagNames", "tagValues", "resourceTypes", "descendants", "register"]), max_size=9), method=st.sampled_from(["GET", "PUT", "DELETE", "POST", "PATCH", "HEAD"]))  # fmt: skip
def test_random_paths_are_answered(path: list[str], method: str) -> None:
    answer = Arm().call(method, "/" + "/".join(path), {}, version="2022-04-01")
    assert answer.status < 500
    body: Any = answer.body
    assert answer.status < 400 or body is None or body["error"]["code"]
