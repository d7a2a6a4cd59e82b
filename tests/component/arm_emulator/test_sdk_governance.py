"""The unmodified SDKs, synchronous and asynchronous, for what governs: roles, groups, tags, locks, policies, the tenant, the graph."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from dev.local_azure import LocalAzure
from tests.component.arm_emulator.conftest import SUB, started
from tests.component.arm_emulator.sdk_types.row import inner
from tests.support.arm import network_body
from tests.support.sdk import Sdk, code

READER = f"/subscriptions/{SUB}/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAzure]:
    yield from started(tmp_path_factory, speed=10_000)


@pytest.fixture
def group(rg: str) -> str:
    """A fresh resource group's id."""
    return f"/subscriptions/{SUB}/resourceGroups/{rg}"


def test_role_assignments_by_filter(sdk: Sdk, rg: str, group: str) -> None:
    assignments = sdk.authorization.role_assignments
    principal, name = str(uuid.uuid4()), str(uuid.uuid4())
    body = inner(roleDefinitionId=READER, principalId=principal, principalType="ServicePrincipal")
    made = assignments.create(group, name, body)
    assert assignments.get_by_id(made.id).name == name
    mine = f"principalId eq '{principal}'"
    for found in (
        assignments.list_for_scope(group, filter=mine),
        assignments.list_for_scope(group, filter=f"assignedTo('{principal}')"),
        assignments.list_for_subscription(filter=mine),
        assignments.list_for_resource_group(rg, filter="atScope() and " + mine),
    ):
        assert [one.name for one in found] == [name]
    with pytest.raises(HttpResponseError) as twin:
        assignments.create(group, str(uuid.uuid4()), body)
    assert code(twin) == "RoleAssignmentExists"
    assert assignments.delete_by_id(made.id).name == name


def test_role_definitions_by_filter(sdk: Sdk, rg: str, group: str) -> None:
    definitions, name = sdk.authorization.role_definitions, str(uuid.uuid4())
    permission = {"actions": ["*/read"], "notActions": []}
    role = inner(roleName=f"Role {name}", assignableScopes=[group], permissions=[permission])
    definitions.create_or_update(group, name, role)
    assert [one.name for one in definitions.list(group, filter=f"roleName eq 'Role {name}'")] == [name]
    assert definitions.get_by_id(READER).role_name == "Reader"
    assert definitions.delete(group, name).role_name == f"Role {name}"
    assert sdk.authorization.permissions.list_for_resource_group(rg)[0].actions == ["*"]


def test_groups_and_all_that_is_in_them(sdk: Sdk, rg: str, group: str) -> None:
    groups = sdk.resources.resource_groups
    assert groups.update(rg, {"tags": {"mark": rg}}).tags == {"mark": rg}
    assert [one.name for one in groups.list(filter=f"tagName eq 'mark' and tagValue eq '{rg}'")] == [rg]
    sdk.network.virtual_networks.begin_create_or_update(rg, "v", network_body("10.0.0.0/16"))
    kind = "resourceType eq 'Microsoft.Network/virtualNetworks'"
    (found,) = sdk.resources.resources.list_by_resource_group(rg, filter=kind)
    assert (found.id, found.type) == (f"{group}/providers/Microsoft.Network/virtualNetworks/v", kind.split("'")[1])
    assert found.id in [one.id for one in sdk.resources.resources.list(filter=kind)]
    assert sdk.resources.resources.get_by_id(found.id, api_version="2024-05-01").name == "v"
    assert groups.check_existence(rg)
    groups.begin_delete(rg)
    assert not groups.check_existence(rg)


def test_tags_at_a_scope(sdk: Sdk, rg: str, group: str) -> None:
    tags = sdk.resources.tags
    asked = {"operation": "Merge", "properties": {"tags": {"x": "y"}}}
    assert tags.begin_update_at_scope(group, asked).properties.tags == {"x": "y"}
    asked = {"properties": {"tags": {"a": "b"}}}
    assert tags.begin_create_or_update_at_scope(group, asked).properties.tags == {"a": "b"}
    assert tags.get_at_scope(group).properties.tags == {"a": "b"}
    assert "a" in {one.tag_name for one in tags.list()}
    assert tags.create_or_update("made-before").tag_name == "made-before"
    assert tags.create_or_update_value("made-before", "v").tag_value == "v"
    tags.delete_value("made-before", "v")
    tags.delete("made-before")
    tags.begin_delete_at_scope(group)
    assert not sdk.resources.resource_groups.get(rg).tags


def test_providers(sdk: Sdk) -> None:
    providers = sdk.resources.providers
    provider = providers.get("Microsoft.Network")
    assert (provider.registration_state, provider.namespace) == ("Registered", "Microsoft.Network")
    assert "bastionHosts" in {one.resource_type for one in provider.resource_types}
    types = sdk.resources.provider_resource_types.list("Microsoft.Network").value
    assert "bastionHosts" in {one.resource_type for one in types}
    assert providers.register("Microsoft.Compute").registration_state == "Registered"
    assert "Microsoft.Insights" in {one.namespace for one in providers.list()}


def test_a_lock_keeps_its_group(sdk: Sdk, rg: str) -> None:
    locks = sdk.locks.management_locks
    locks.create_or_update_at_resource_group_level(rg, "keep", {"level": "CanNotDelete"})
    assert locks.get_at_resource_group_level(rg, "keep").level == "CanNotDelete"
    with pytest.raises(HttpResponseError) as locked:
        sdk.resources.resource_groups.begin_delete(rg)
    assert (locked.value.status_code, code(locked)) == (409, "ScopeLocked")
    locks.delete_at_resource_group_level(rg, "keep")
    assert locks.list_at_resource_group_level(rg) == []
    sdk.resources.resource_groups.begin_delete(rg)


def test_a_policy_denies(sdk: Sdk, rg: str, group: str) -> None:
    rule = {"if": {"field": "type", "equals": "Microsoft.Network/routeTables"}, "then": {"effect": "deny"}}
    definition = sdk.policy.policy_definitions.create_or_update(f"deny-{rg}", inner(mode="All", policyRule=rule))
    assigned = sdk.policy.policy_assignments.create(group, "deny", inner(policyDefinitionId=definition.id))
    with pytest.raises(HttpResponseError) as denied:
        sdk.network.route_tables.begin_create_or_update(rg, "t", {"location": "westeurope"})
    assert (denied.value.status_code, code(denied)) == (403, "RequestDisallowedByPolicy")
    error: Any = denied.value.error  # ARM's format of errors, of which azure-core knows less
    (told,) = error.additional_info
    assert told.info["policyAssignmentId"] == assigned.id
    assert sdk.policy.policy_assignments.get_by_id(assigned.id).name == "deny"


def test_subscriptions_and_the_tenant(sdk: Sdk, shared: LocalAzure) -> None:
    subscriptions = sdk.subscriptions.subscriptions
    assert SUB in [one.subscription_id for one in subscriptions.list()]
    one = subscriptions.get(SUB)
    assert (one.state, one.tenant_id) == ("Enabled", shared.tenant_id)
    regions = {place.name: place for place in subscriptions.list_locations(SUB)}
    assert regions["westeurope"].display_name == "West Europe"
    assert regions["westeurope"].metadata.paired_region[0].name == "northeurope"
    assert [tenant.tenant_id for tenant in sdk.subscriptions.tenants.list()] == [shared.tenant_id]


def test_subscriptions_in_management_groups(sdk: Sdk, shared: LocalAzure) -> None:
    groups, members, name = sdk.management.management_groups, sdk.management.management_group_subscriptions, "corp"
    groups.begin_create_or_update(name, inner(displayName="Corp"))
    assert groups.get(name).details.parent.name == shared.tenant_id
    members.create(name, SUB)
    assert [one.name for one in groups.get_descendants(name)] == [SUB]
    assert [one.name for one in members.get_subscriptions_under_management_group(name)] == [SUB]
    entities = {one.name: one for one in sdk.management.entities.list()}
    assert entities[SUB].parent_name_chain[-1] == name
    members.delete(name, SUB)
    groups.begin_delete(name)
    with pytest.raises(ResourceNotFoundError):
        groups.get(name)


def test_the_activity_log(sdk: Sdk, rg: str, group: str) -> None:
    text = f"eventTimestamp ge '2020-01-01T00:00:00Z' and resourceGroupName eq '{rg}'"
    found = sdk.monitor.activity_logs.list(filter=text)
    assert [one.status.value for one in found] == ["Succeeded", "Started"]
    assert found[0].operation_name.value == "Microsoft.Resources/subscriptions/resourceGroups/write"
    assert found[0].resource_id == group


def test_the_graph(sdk: Sdk, shared: LocalAzure) -> None:
    query = "authorizationresources | where type =~ 'microsoft.authorization/roledefinitions' | project name = properties.roleName"
    roles = {one["name"] for one in sdk.graph.resources({"query": query}).data}
    assert {"Owner", "Reader", "Network Contributor"} <= roles
    paged = {"query": "authorizationresources | project id | order by id asc", "options": {"$top": 2}}
    first = sdk.graph.resources(paged)
    second = sdk.graph.resources({**paged, "options": {"$top": 2, "$skipToken": first.skip_token}})
    assert (first.count, second.count) == (2, 2)
    assert first.data[1]["id"] < second.data[0]["id"]
    chain = "resourcecontainers | where type =~ 'microsoft.resources/subscriptions' | project c = properties.managementGroupAncestorsChain"
    root = sdk.graph.resources({"query": chain}).data[0]["c"][-1]
    assert (root["displayName"], root["name"]) == ("Tenant Root Group", shared.tenant_id)
    with pytest.raises(HttpResponseError) as refused:
        sdk.graph.resources({"query": "resources | nonsense"})
    assert code(refused) == "BadRequest"
