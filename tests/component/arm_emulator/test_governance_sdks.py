"""The unmodified SDKs of authorization, resources and the graph against the emulator, asynchronous and synchronous."""

import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.core.pipeline.transport import RequestsTransport
from azure.identity import ClientSecretCredential
from azure.mgmt.authorization import AuthorizationManagementClient
from azure.mgmt.authorization.aio import AuthorizationManagementClient as AioAuthorizationManagementClient
from azure.mgmt.loganalytics.aio import LogAnalyticsManagementClient as AioLogAnalyticsManagementClient
from azure.mgmt.managementgroups.aio import ManagementGroupsMgmtClient as AioManagementGroupsMgmtClient
from azure.mgmt.monitor.aio import MonitorManagementClient as AioMonitorManagementClient
from azure.mgmt.resource.locks.aio import ManagementLockClient as AioManagementLockClient
from azure.mgmt.resource.policy.aio import PolicyClient as AioPolicyClient
from azure.mgmt.resource.resources import ResourceManagementClient
from azure.mgmt.resource.resources.aio import ResourceManagementClient as AioResourceManagementClient
from azure.mgmt.resource.subscriptions import SubscriptionClient
from azure.mgmt.resource.subscriptions.aio import SubscriptionClient as AioSubscriptionClient
from azure.mgmt.resourcegraph import ResourceGraphClient
from azure.mgmt.resourcegraph.aio import ResourceGraphClient as AioResourceGraphClient

from dev.local_azure import LocalAzure
from tests.component.arm_emulator.conftest import SUB
from tests.component.arm_emulator.test_sdk_clients import SCOPES, credential, transport
from tests.support.arm import network_body
from tests.support.azure import Wire

READER = f"/subscriptions/{SUB}/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7"
Make = Callable[..., Any]


@pytest.fixture
async def client(shared: LocalAzure) -> AsyncIterator[Make]:
    """`client(Class, …)`: an asynchronous client of the emulator; typed as Any, as the SDKs take plain dicts as bodies."""
    async with AsyncExitStack() as stack:
        identity = await stack.enter_async_context(credential(shared))

        def make(kind: Any, *arguments: str) -> Any:
            made = kind(
                identity,
                *arguments,
                base_url=shared.endpoint,
                credential_scopes=SCOPES,
                transport=transport(shared),
                polling_interval=0.02,
            )
            stack.push_async_exit(made)
            return made

        yield make


@pytest.fixture
def synchronous(shared: LocalAzure) -> Iterator[Make]:
    """The same for synchronous clients."""
    who = shared.clients["somebody"]

    def over() -> RequestsTransport:
        return RequestsTransport(connection_verify=shared.ca_file)

    identity = ClientSecretCredential(
        shared.tenant_id,
        who.client_id,
        who.client_secret,
        authority=shared.authority,
        disable_instance_discovery=True,
        transport=over(),
    )
    with ExitStack() as stack:

        def make(kind: Any, *arguments: str) -> Any:
            made = kind(
                identity,
                *arguments,
                base_url=shared.endpoint,
                credential_scopes=SCOPES,
                transport=over(),
                polling_interval=0.02,
            )
            stack.push(made.__exit__)
            return made

        yield make


def code(error: pytest.ExceptionInfo[HttpResponseError]) -> str:
    assert error.value.error is not None
    return str(error.value.error.code)


async def test_role_assignments_and_definitions(client: Make, group: str) -> None:
    authorization = client(AioAuthorizationManagementClient, SUB)
    principal = str(uuid.uuid4())
    body = {"properties": {"roleDefinitionId": READER, "principalId": principal, "principalType": "ServicePrincipal"}}
    name = str(uuid.uuid4())
    made = await authorization.role_assignments.create(group, name, body)
    assert (made.scope, made.principal_id, made.role_definition_id) == (group, principal, READER)
    assert (await authorization.role_assignments.get(group, name)).name == name
    assert (await authorization.role_assignments.get_by_id(made.id)).name == name
    mine = f"principalId eq '{principal}'"
    rg = group.rpartition("/")[2]
    for pages in (
        authorization.role_assignments.list_for_scope(group, filter=mine),
        authorization.role_assignments.list_for_subscription(filter=mine),
        authorization.role_assignments.list_for_resource_group(rg, filter="atScope() and " + mine),
    ):
        assert [one.name async for one in pages] == [name]
    with pytest.raises(HttpResponseError) as twin:
        await authorization.role_assignments.create(group, str(uuid.uuid4()), body)
    assert code(twin) == "RoleAssignmentExists"
    role_id = str(uuid.uuid4())
    permission = {"actions": ["*/read"], "notActions": []}
    role = {"properties": {"roleName": f"Role {role_id}", "assignableScopes": [group], "permissions": [permission]}}
    defined = await authorization.role_definitions.create_or_update(group, role_id, role)
    assert (defined.role_type, defined.permissions[0].actions) == ("CustomRole", ["*/read"])
    found = authorization.role_definitions.list(group, filter=f"roleName eq 'Role {role_id}'")
    assert [one.name async for one in found] == [role_id]
    assert (await authorization.role_definitions.get_by_id(READER)).role_name == "Reader"
    assert (await authorization.role_definitions.delete(group, role_id)).role_name == f"Role {role_id}"
    assert (await authorization.role_assignments.delete(group, name)).name == name
    with pytest.raises(ResourceNotFoundError):
        await authorization.role_assignments.get(group, name)
    permissions = [one async for one in authorization.permissions.list_for_resource_group(rg)]
    assert permissions[0].actions == ["*"]


async def test_groups_resources_tags_and_providers(client: Make, group: str, wire: Wire) -> None:
    resources = client(AioResourceManagementClient, SUB)
    rg = f"rg-{uuid.uuid4().hex[:8]}"
    made = await resources.resource_groups.create_or_update(rg, {"location": "West Europe", "tags": {"mark": rg}})
    assert (made.location, made.properties.provisioning_state) == ("westeurope", "Succeeded")
    by_tag = resources.resource_groups.list(filter=f"tagName eq 'mark' and tagValue eq '{rg}'")
    assert [one.name async for one in by_tag] == [rg]
    assert (await resources.resource_groups.update(rg, {"tags": {"a": "b"}})).tags == {"a": "b"}
    assert await resources.resource_groups.check_existence(rg)
    network = f"{group}/providers/Microsoft.Network/virtualNetworks/v"
    await wire.call("PUT", network, network_body("10.0.0.0/16"))
    listed = resources.resources.list_by_resource_group(
        group.rpartition("/")[2], filter="resourceType eq 'Microsoft.Network/virtualNetworks'"
    )
    assert [one.id async for one in listed] == [network]
    poller = await resources.tags.begin_update_at_scope(
        network, {"operation": "Merge", "properties": {"tags": {"x": "y"}}}
    )
    assert (await poller.result()).properties.tags == {"x": "y"}
    assert (await resources.tags.get_at_scope(network)).properties.tags == {"x": "y"}
    names = {one.tag_name async for one in resources.tags.list()}
    assert {"a", "x"} <= names
    await (await resources.tags.begin_delete_at_scope(network)).result()
    provider = await resources.providers.get("Microsoft.Network")
    assert (provider.registration_state, provider.namespace) == ("Registered", "Microsoft.Network")
    assert (await resources.providers.register("Microsoft.Compute")).registration_state == "Registered"
    assert "Microsoft.Insights" in {one.namespace async for one in resources.providers.list()}
    await (await resources.resource_groups.begin_delete(rg)).result()
    assert not await resources.resource_groups.check_existence(rg)


async def test_locks(client: Make, group: str, wire: Wire) -> None:
    locks = client(AioManagementLockClient, SUB)
    rg = group.rpartition("/")[2]
    await locks.management_locks.create_or_update_at_resource_group_level(rg, "keep", {"level": "CanNotDelete"})
    assert [one.name async for one in locks.management_locks.list_at_resource_group_level(rg)] == ["keep"]
    assert (await locks.management_locks.get_by_scope(group, "keep")).level == "CanNotDelete"
    status, body, _ = await wire.call("DELETE", group)
    assert (status, body["error"]["code"]) == (409, "ScopeLocked")
    await locks.management_locks.delete_at_resource_group_level(rg, "keep")
    assert [one async for one in locks.management_locks.list_at_resource_group_level(rg)] == []


async def test_policies(client: Make, group: str, wire: Wire) -> None:
    policies = client(AioPolicyClient, SUB)
    name = f"deny-{uuid.uuid4().hex[:8]}"
    rule = {"if": {"field": "type", "equals": "Microsoft.Network/routeTables"}, "then": {"effect": "deny"}}
    body = {"properties": {"mode": "All", "displayName": "No tables", "policyRule": rule}}
    definition = await policies.policy_definitions.create_or_update(name, body)
    assert definition.policy_type == "Custom"
    assigned = await policies.policy_assignments.create(
        group, name, {"properties": {"policyDefinitionId": definition.id}}
    )
    assert assigned.enforcement_mode == "Default"
    table = f"{group}/providers/Microsoft.Network/routeTables/t"
    status, refused, _ = await wire.call("PUT", table, {"location": "westeurope"})
    assert (status, refused["error"]["code"]) == (403, "RequestDisallowedByPolicy")
    assert refused["error"]["additionalInfo"][0]["info"]["policyAssignmentId"] == assigned.id
    here = policies.policy_assignments.list_for_resource_group(group.rpartition("/")[2])
    assert [one.name async for one in here] == [name]
    assert name in {one.name async for one in policies.policy_definitions.list()}
    assert (await policies.policy_assignments.delete(group, name)).name == name
    await policies.policy_definitions.delete(name)
    with pytest.raises(ResourceNotFoundError) as gone:
        await policies.policy_definitions.get(name)
    assert code(gone) == "PolicyDefinitionNotFound"


async def test_subscriptions_and_the_tenant(client: Make, shared: LocalAzure) -> None:
    subscriptions = client(AioSubscriptionClient)
    listed = [one async for one in subscriptions.subscriptions.list()]
    assert SUB in [one.subscription_id for one in listed]
    one = await subscriptions.subscriptions.get(SUB)
    assert (one.state, one.tenant_id) == ("Enabled", shared.tenant_id)
    regions = {place.name: place async for place in subscriptions.subscriptions.list_locations(SUB)}
    assert regions["westeurope"].display_name == "West Europe"
    assert regions["westeurope"].metadata.paired_region[0].name == "northeurope"
    assert [tenant.tenant_id async for tenant in subscriptions.tenants.list()] == [shared.tenant_id]


async def test_management_groups(client: Make, shared: LocalAzure) -> None:
    groups = client(AioManagementGroupsMgmtClient)
    name = f"mg-{uuid.uuid4().hex[:8]}"
    poller = await groups.management_groups.begin_create_or_update(name, {"properties": {"displayName": "Corp"}})
    made = await poller.result()
    assert made.name == name
    found = await groups.management_groups.get(name)
    assert (found.display_name, found.details.parent.name) == ("Corp", shared.tenant_id)
    assert name in {one.name async for one in groups.management_groups.list()}
    await groups.management_group_subscriptions.create(name, SUB)
    below = [one.name async for one in groups.management_groups.get_descendants(name)]
    assert below == [SUB]
    entities = {one.name: one async for one in groups.entities.list()}
    assert entities[SUB].parent_name_chain[-1] == name
    await groups.management_group_subscriptions.delete(name, SUB)
    await (await groups.management_groups.begin_delete(name)).result()
    with pytest.raises(ResourceNotFoundError):
        await groups.management_groups.get(name)


async def test_the_activity_log(client: Make, group: str) -> None:
    monitor = client(AioMonitorManagementClient, SUB)
    text = f"eventTimestamp ge '2020-01-01T00:00:00Z' and resourceGroupName eq '{group.rpartition('/')[2]}'"
    found = [one async for one in monitor.activity_logs.list(filter=text)]
    assert [one.status.value for one in found] == ["Succeeded", "Started"]
    assert found[0].operation_name.value == "Microsoft.Resources/subscriptions/resourceGroups/write"
    assert found[0].resource_id == group


async def test_workspaces(client: Make, group: str) -> None:
    analytics = client(AioLogAnalyticsManagementClient, SUB)
    rg = group.rpartition("/")[2]
    poller = await analytics.workspaces.begin_create_or_update(rg, "logs", {"location": "westeurope"})
    made = await poller.result()
    assert (made.sku.name, made.retention_in_days, made.provisioning_state) == ("PerGB2018", 30, "Succeeded")
    assert [one.name async for one in analytics.workspaces.list_by_resource_group(rg)] == ["logs"]
    await (await analytics.workspaces.begin_delete(rg, "logs")).result()
    with pytest.raises(ResourceNotFoundError):
        await analytics.workspaces.get(rg, "logs")


async def test_the_graph_shows_roles_and_ancestry(client: Make, shared: LocalAzure) -> None:
    graph = client(AioResourceGraphClient)
    query = "authorizationresources | where type =~ 'microsoft.authorization/roledefinitions' | project name = properties.roleName"
    answer = await graph.resources({"query": query})
    assert {"Owner", "Reader", "Network Contributor"} <= {one["name"] for one in answer.data}
    chain = "resourcecontainers | where type =~ 'microsoft.resources/subscriptions' | project c = properties.managementGroupAncestorsChain"
    answer = await graph.resources({"query": chain})
    assert answer.data[0]["c"][-1]["displayName"] == "Tenant Root Group"
    assert answer.data[0]["c"][-1]["name"] == shared.tenant_id


def test_the_synchronous_clients(synchronous: Make) -> None:
    rg = f"rg-{uuid.uuid4().hex[:8]}"
    resources = synchronous(ResourceManagementClient, SUB)
    group = resources.resource_groups.create_or_update(rg, {"location": "westeurope"})
    authorization = synchronous(AuthorizationManagementClient, SUB)
    principal, name = str(uuid.uuid4()), str(uuid.uuid4())
    body = {"properties": {"roleDefinitionId": READER, "principalId": principal, "principalType": "Group"}}
    assert authorization.role_assignments.create(group.id, name, body).principal_type == "Group"
    listed = authorization.role_assignments.list_for_scope(group.id, filter=f"assignedTo('{principal}')")
    assert [one.name for one in listed] == [name]
    assert authorization.role_assignments.delete(group.id, name).name == name
    assert SUB in [one.subscription_id for one in synchronous(SubscriptionClient).subscriptions.list()]
    graph = synchronous(ResourceGraphClient)
    assert graph.resources({"query": "resourcecontainers | take 1"}).count == 1
    resources.resource_groups.begin_delete(rg).result()
    with pytest.raises(ResourceNotFoundError) as gone:
        resources.resource_groups.get(rg)
    assert code(gone) == "ResourceGroupNotFound"
