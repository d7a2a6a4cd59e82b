"""api-versions: which ones each type takes, where they are told, and how each kind of type refuses the others."""

from typing import Any

import pytest

from arm_emulator.resource_types import TYPES
from arm_emulator.resource_types.versions import API_VERSIONS, versions_of
from tests.support.arm import NET, RG, SUB, Arm, Reply
from tests.support.every_type import COMPUTE_RG, PATHS, VNET, ZONE, at, stocked, type_in

HERE = f"/subscriptions/{SUB}"
MANAGER = f"{NET}/networkManagers/avnm"
SECURITY = f"{MANAGER}/securityAdminConfigurations/baseline"
MANAGED: dict[str, dict[str, Any]] = {
    MANAGER: at(networkManagerScopes={"subscriptions": [HERE]}),
    f"{MANAGER}/networkGroups/spokes": {"properties": {}},
    SECURITY: {"properties": {}},
    f"{SECURITY}/ruleCollections/all": {"properties": {"appliesToGroups": [{"networkGroupId": f"{MANAGER}/networkGroups/spokes"}]}},
}  # fmt: skip
AUTHORIZATION = f"{RG}/providers/Microsoft.Authorization"
MANAGEMENT = "/providers/Microsoft.Management"
GRAPH = "/providers/Microsoft.ResourceGraph"
LISTS = (
    f"{NET}/networkManagers", f"{MANAGER}/networkGroups", f"{MANAGER}/networkGroups/spokes/staticMembers",
    f"{MANAGER}/connectivityConfigurations", f"{MANAGER}/securityAdminConfigurations", f"{SECURITY}/ruleCollections",
    f"{SECURITY}/ruleCollections/all/rules", f"{HERE}/providers/Microsoft.Network/networkWatchers",
    *(f"{ZONE}/{kind}" for kind in ("AAAA", "CNAME", "MX", "PTR", "SOA", "SRV", "TXT")),
    f"{COMPUTE_RG}/virtualMachineScaleSets/s/virtualMachines/0/networkInterfaces",
    *(f"{AUTHORIZATION}/{kind}" for kind in (
        "roleAssignments", "roleDefinitions", "permissions", "locks", "policyAssignments", "policyDefinitions",
        "policySetDefinitions",
    )),
    f"{MANAGEMENT}/managementGroups",
    f"{VNET}/providers/Microsoft.Insights/diagnosticSettings",
    f"{VNET}/providers/Microsoft.Insights/diagnosticSettingsCategories",
    "/providers/Microsoft.Insights/eventCategories",
    f"{HERE}/providers/Microsoft.OperationalInsights/workspaces",
    f"{GRAPH}/operations",
)  # fmt: skip
REQUESTS: dict[str, tuple[str, str, object, dict[str, Any]]] = {
    **{type_in(path): ("GET", path, None, {}) for path in (*PATHS, *LISTS)},
    "Microsoft.Insights/eventtypes": (
        "GET", f"{HERE}/providers/Microsoft.Insights/eventtypes/management/values", None,
        {"$filter": "eventTimestamp ge '2026-01-01T00:00:00Z'"},
    ),
    "Microsoft.Management/getEntities": ("POST", f"{MANAGEMENT}/getEntities", None, {}),
    "Microsoft.ResourceGraph/resources": ("POST", f"{GRAPH}/resources", {"query": "resources", "subscriptions": [SUB]}, {}),
    "Microsoft.Resources/tags": ("GET", f"{RG}/providers/Microsoft.Resources/tags/default", None, {}),
    "Microsoft.Resources/subscriptions": ("GET", "/subscriptions", None, {}),
    "Microsoft.Resources/resourceGroups": ("GET", f"{HERE}/resourceGroups", None, {}),
}  # fmt: skip
"""By type: method, path, body and query of something that is answered with 200."""
REGIONAL = ("Microsoft.Network/", "Microsoft.Compute/", "Microsoft.OperationalInsights/")
OWN = (
    "/subscriptions", HERE, "/tenants", f"{HERE}/locations", f"{HERE}/tagNames", f"{HERE}/resources", f"{HERE}/resourceGroups",
    RG, f"{RG}/resources", "/providers", "/providers/Microsoft.Network", f"{HERE}/providers",
    f"{HERE}/providers/Microsoft.Network",
)  # fmt: skip
"""What ARM answers itself."""


@pytest.fixture(scope="module")
def arm() -> Arm:
    arm = stocked()
    for path, body in MANAGED.items():
        assert arm.put(path, body).status == 201
        arm.wait()
    return arm


def sent(arm: Arm, kind: str, version: str) -> Reply:
    method, path, body, query = REQUESTS[kind]
    return arm.call(method, path, body, version=version, by="operator", **query)


def test_there_is_a_request_for_each_type_and_a_row_above_it() -> None:
    rows = {name.lower() for name in API_VERSIONS if "/" in name}
    assert {kind.lower() for kind in REQUESTS} == set(TYPES) | rows
    assert all(versions_of(kind) for kind in TYPES)


@pytest.mark.parametrize("kind", REQUESTS)
def test_each_type_takes_each_version_of_its_row(arm: Arm, kind: str) -> None:
    arm.wait()  # budgets fill up
    for version in versions_of(kind):
        answer = sent(arm, kind, version)
        assert answer.status == 200, (version, answer.body)
        if kind.startswith("Microsoft.ResourceGraph"):
            arm.wait()


SINCE = "2023-11-01"
NETWORK = (
    "2023-11-01", "2024-01-01", "2024-03-01", "2024-05-01", "2024-07-01", "2024-10-01", "2025-01-01", "2025-03-01",
    "2025-05-01", "2025-07-01", "2025-09-01", "2026-01-01", "2026-03-01",
)  # fmt: skip
COMPUTE = ("2024-03-01", "2024-07-01", "2024-11-01", "2025-04-01", "2025-11-01", "2026-03-01", "2026-04-01")
POLICIES = ("2024-05-01", "2025-01-01", "2025-03-01", "2025-11-01", "2026-06-01")
STABLE = {
    **{kind: NETWORK for kind in REQUESTS if kind.startswith("Microsoft.Network/")},
    **{kind: ("2024-06-01",) for kind in REQUESTS if kind.startswith("Microsoft.Network/privateDnsZones")},
    **{kind: COMPUTE for kind in REQUESTS if kind.startswith("Microsoft.Compute/")},
    "Microsoft.Compute/virtualMachineScaleSets/virtualMachines/networkInterfaces": NETWORK,
    "Microsoft.Authorization/roleAssignments": ("2026-08-01",),
    "Microsoft.Authorization/policyAssignments": ("2024-04-01", *POLICIES),
    "Microsoft.Authorization/policyDefinitions": POLICIES,
    "Microsoft.Authorization/policySetDefinitions": POLICIES,
    "Microsoft.OperationalInsights/workspaces": ("2025-02-01", "2025-07-01", "2026-03-01"),
    "Microsoft.ResourceGraph/resources": ("2024-04-01",),
    "Microsoft.ResourceGraph/operations": ("2024-04-01",),
    "Microsoft.Resources/tags": ("2024-03-01", "2024-07-01", "2024-11-01", "2025-03-01", "2025-04-01"),
    **dict.fromkeys(
        ("Microsoft.Resources/subscriptions", "Microsoft.Resources/resourceGroups"),
        ("2024-03-01", "2024-07-01", "2024-08-01", "2024-11-01", "2025-03-01", "2025-04-01", "2026-06-01"),
    ),
}  # fmt: skip
"""By type: the folders that Azure/azure-rest-api-specs has below `stable`; of ARM's own paths, what ARM told in 2026."""
LATEST = {
    "Microsoft.Authorization/roleDefinitions": "2022-04-01",
    "Microsoft.Authorization/permissions": "2022-04-01",
    "Microsoft.Authorization/locks": "2020-05-01",
    "Microsoft.Management/managementGroups": "2023-04-01",
    "Microsoft.Management/getEntities": "2023-04-01",
    "Microsoft.Insights/eventtypes": "2015-04-01",
    "Microsoft.Insights/eventCategories": "2015-04-01",
    "Microsoft.Insights/diagnosticSettings": "2021-05-01-preview",
    "Microsoft.Insights/diagnosticSettingsCategories": "2021-05-01-preview",
}
"""What has no stable version of these three years, and its last one: a preview where there is none that is used."""


@pytest.mark.parametrize("kind", REQUESTS)
def test_each_type_takes_every_stable_version_of_three_years_or_the_last_one(kind: str) -> None:
    taken = [version for version in versions_of(kind) if version >= SINCE and "preview" not in version]
    assert sorted(taken) == sorted(STABLE.get(kind, ()))
    if not taken:
        assert LATEST[kind] in versions_of(kind)


@pytest.mark.parametrize("kind", REQUESTS)
def test_what_az_and_the_sdks_send_is_taken(kind: str) -> None:
    sent_by_clients = {
        "Microsoft.Network": ("2022-01-01", "2022-05-01", "2022-07-01", "2024-07-01", "2026-03-01"),
        "Microsoft.Compute": ("2022-11-01", "2024-11-01", "2026-04-01"),
        "Microsoft.Authorization/roleDefinitions": ("2022-05-01-preview", "2022-04-01"),
        "Microsoft.Authorization/locks": ("2016-09-01", "2020-05-01"),
        "Microsoft.Authorization/policyAssignments": ("2021-06-01", "2025-11-01", "2026-06-01"),
        "Microsoft.Insights/diagnosticSettings": ("2017-05-01-preview", "2021-05-01-preview"),
        "Microsoft.OperationalInsights/workspaces": ("2025-02-01", "2025-07-01"),
        "Microsoft.Resources/subscriptions": ("2016-06-01", "2019-11-01", "2022-12-01"),
        "Microsoft.Resources/resourceGroups": ("2022-09-01", "2024-11-01", "2025-04-01"),
    }
    of_namespace = () if "privateDnsZones" in kind or kind.endswith("/networkInterfaces") else (
        sent_by_clients.get(kind.partition("/")[0], ())
    )  # fmt: skip
    assert set(versions_of(kind)) >= {*of_namespace, *sent_by_clients.get(kind, ())}


@pytest.mark.parametrize("row", API_VERSIONS)
def test_a_row_names_each_version_once_and_begins_with_the_newest(row: str) -> None:
    versions = API_VERSIONS[row]
    assert len(set(versions)) == len(versions)
    assert versions[0] == max(versions)


@pytest.mark.parametrize("kind", REQUESTS)
@pytest.mark.parametrize("version", ["2016-01-02", "2030-01-01", "newest"])
def test_another_version_is_refused_as_arm_does_with_those_that_there_are(arm: Arm, kind: str, version: str) -> None:
    arm.wait()
    refused = sent(arm, kind, version)
    name = kind.partition("/")[2]
    for one in versions_of(kind):
        assert one in refused.message
    if kind in ("Microsoft.Resources/subscriptions", "Microsoft.Resources/resourceGroups"):
        assert (refused.status, refused.code) == (400, "InvalidApiVersionParameter")
        assert refused.message.startswith(
            f"The api-version '{version}' is invalid. The supported versions are '2026-06-01,"
        )
    elif kind.startswith(REGIONAL):
        assert (refused.status, refused.code) == (400, "NoRegisteredProviderFound")
        assert f"and API version '{version}' for type '{name}'. The supported api-versions are '" in refused.message
    else:
        assert (refused.status, refused.code) == (404, "InvalidResourceType")
        assert f"'{name.partition('/')[0]}" in refused.message
        assert f"for api version '{version}'. The supported api-versions are '" in refused.message


@pytest.mark.parametrize("kind", REQUESTS)
def test_a_request_without_a_version_is_refused(arm: Arm, kind: str) -> None:
    method, path, body, _ = REQUESTS[kind]
    arm.wait()
    refused = arm.call(method, f"{path}?x=y", body)
    assert (refused.status, refused.code) == (400, "MissingApiVersionParameter")


@pytest.mark.parametrize("path", OWN)
def test_what_arm_answers_itself_has_one_list_of_versions(arm: Arm, path: str) -> None:
    arm.wait()
    for version in API_VERSIONS["Microsoft.Resources"]:
        assert arm.get(path, version=version, by="operator").status == 200
    refused = arm.get(path, version="2026-03-01")
    assert (refused.status, refused.code) == (400, "InvalidApiVersionParameter")
    assert arm.get(f"{path}?x=y").code == "MissingApiVersionParameter"


def test_a_registration_takes_arms_versions_and_not_the_providers(arm: Arm) -> None:
    path = f"{HERE}/providers/Microsoft.Network/register"
    assert arm.call("POST", path, version="2025-04-01", by="operator").status == 200
    assert arm.call("POST", path, version="2026-03-01", by="operator").code == "InvalidApiVersionParameter"


@pytest.mark.parametrize(
    ("method", "path", "location"),
    [
        ("GET", VNET, "westeurope"),
        ("GET", f"{VNET}/subnets/s", "westeurope"),
        ("GET", f"{VNET}/subnets", "westeurope"),
        ("GET", f"{ZONE}/A/www", "global"),
        ("PUT", f"{NET}/virtualNetworks/new", "eastus2"),
        ("GET", f"{NET}/virtualNetworks/none", ""),
    ],
)
def test_the_refusal_names_the_location_of_the_resource_or_of_the_body(
    arm: Arm, method: str, path: str, location: str
) -> None:
    body = {"location": "East US 2"} if method == "PUT" else None
    refused = arm.call(method, path, body, version="2000-01-01")
    assert refused.message.startswith(
        f"No registered resource provider found for location '{location}' and API version "
    )


@pytest.mark.parametrize(("path", "locations"), [(VNET, "westeurope, northeurope, eastus"), (ZONE, "global'.")])
def test_the_refusal_names_the_locations_that_a_type_has(arm: Arm, path: str, locations: str) -> None:
    assert f"The supported locations are '{locations}" in arm.get(path, version="2000-01-01").message


def test_a_type_that_its_provider_does_not_have_is_not_found(arm: Arm) -> None:
    refused = arm.get(f"{HERE}/providers/Microsoft.Authorization/classicAdministrators", version="2015-07-01")
    assert (refused.status, refused.code) == (404, "InvalidResourceType")
    expected = (
        "The resource type could not be found in the namespace 'Microsoft.Authorization' for api version '2015-07-01'."
    )
    assert refused.message == expected


def test_providers_tell_the_versions_that_their_types_take(arm: Arm) -> None:
    for path in ("/providers", f"{HERE}/providers"):
        told = {
            f"{provider['namespace']}/{one['resourceType']}": one["apiVersions"]
            for provider in arm.get(path, by="operator").body["value"]
            for one in provider["resourceTypes"]
        }
        assert told == {kind: list(versions_of(kind)) for kind in REQUESTS}


def test_network_managers_came_with_2022(arm: Arm) -> None:
    assert arm.get(f"{NET}/networkManagers", version="2021-08-01").code == "NoRegisteredProviderFound"
    assert arm.get(f"{NET}/virtualNetworks", version="2021-08-01").status == 200
