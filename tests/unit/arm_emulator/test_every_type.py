"""What holds for each type alike: versions, tags by PATCH, lists by group and subscription, a GET's body put back."""

from typing import Any

import pytest

from arm_emulator.resource_types import TYPES, type_of
from arm_emulator.resource_types.versions import COMPUTE, NETWORK, PRIVATE_DNS
from tests.support.arm import (
    NET,
    PUBLIC_IP,
    RG,
    SUB,
    Arm,
    bastion_body,
    link_body,
    network_body,
    rule_body,
    subnet_body,
)

COMPUTE_RG = f"{RG}/providers/Microsoft.Compute"
VNET = f"{NET}/virtualNetworks/v"
SUBNET = f"{VNET}/subnets/s"
HUB = f"{NET}/virtualHubs/h"
ZONE = f"{NET}/privateDnsZones/z.internal"
PLACED = {"location": "westeurope"}
GLOBAL = {"location": "global"}


def at(**properties: Any) -> dict[str, Any]:
    return {**PLACED, "properties": properties}


def part(subnet: str, **extra: Any) -> list[dict[str, Any]]:
    return [{"name": "c", "properties": {"subnet": {"id": subnet}, **extra}}]


PROFILE = {"networkProfile": {"networkInterfaceConfigurations": [{"name": "n", "properties": {"ipConfigurations": part(SUBNET)}}]}}  # fmt: skip
SUBNETS = [
    {"name": "s", **subnet_body("10.0.0.0/24")},
    {"name": "GatewaySubnet", **subnet_body("10.0.1.0/27")},
    {"name": "AzureBastionSubnet", **subnet_body("10.0.2.0/26")},
    {"name": "AzureFirewallSubnet", **subnet_body("10.0.3.0/26")},
]
GATEWAY_PART = part(f"{VNET}/subnets/GatewaySubnet", publicIPAddress={"id": f"{NET}/publicIPAddresses/gw"})
FIREWALL_PART = part(f"{VNET}/subnets/AzureFirewallSubnet", publicIPAddress={"id": f"{NET}/publicIPAddresses/fw"})
BODIES: dict[str, dict[str, Any]] = {
    VNET: network_body("10.0.0.0/16", subnets=SUBNETS),
    f"{NET}/virtualNetworks/w": network_body("10.1.0.0/16"),
    f"{VNET}/virtualNetworkPeerings/p": link_body(f"{NET}/virtualNetworks/w"),
    f"{NET}/publicIPAddresses/ip": PUBLIC_IP,
    f"{NET}/publicIPAddresses/gw": PUBLIC_IP,
    f"{NET}/publicIPAddresses/fw": PUBLIC_IP,
    f"{NET}/publicIPPrefixes/p": at(prefixLength=30),
    f"{NET}/networkSecurityGroups/n": PLACED,
    f"{NET}/networkSecurityGroups/n/securityRules/r": rule_body(200),
    f"{NET}/routeTables/t": PLACED,
    f"{NET}/routeTables/t/routes/r": {"properties": {"addressPrefix": "10.9.0.0/16", "nextHopType": "None"}},
    f"{NET}/applicationSecurityGroups/a": PLACED,
    f"{NET}/networkInterfaces/nic": at(ipConfigurations=part(SUBNET)),
    f"{NET}/bastionHosts/b": bastion_body(f"{VNET}/subnets/AzureBastionSubnet", f"{NET}/publicIPAddresses/ip"),
    f"{NET}/virtualNetworkGateways/gw": at(gatewayType="Vpn", ipConfigurations=GATEWAY_PART),
    f"{NET}/localNetworkGateways/l": at(gatewayIpAddress="203.0.113.7"),
    f"{NET}/connections/c": at(connectionType="IPsec", virtualNetworkGateway1={"id": f"{NET}/virtualNetworkGateways/gw"}, localNetworkGateway2={"id": f"{NET}/localNetworkGateways/l"}),
    f"{NET}/natGateways/n": at(publicIpPrefixes=[{"id": f"{NET}/publicIPPrefixes/p"}]),
    f"{NET}/privateEndpoints/e": at(subnet={"id": SUBNET}, privateLinkServiceConnections=[{"name": "c", "properties": {"privateLinkServiceId": "/x"}}]),
    f"{NET}/loadBalancers/lb": at(frontendIPConfigurations=part(SUBNET)),
    f"{NET}/ddosProtectionPlans/d": PLACED,
    f"{NET}/ipGroups/g": at(ipAddresses=["10.0.0.0/8"]),
    f"{NET}/azureFirewalls/f": at(ipConfigurations=FIREWALL_PART),
    f"{NET}/virtualWans/w": at(),
    HUB: at(virtualWan={"id": f"{NET}/virtualWans/w"}, addressPrefix="10.100.0.0/24"),
    f"{HUB}/hubRouteTables/t": {"properties": {"labels": ["t"]}},
    f"{HUB}/hubVirtualNetworkConnections/c": link_body(f"{NET}/virtualNetworks/w"),
    f"{HUB}/bgpConnections/b": {"properties": {"peerAsn": 65010, "peerIp": "10.1.0.4"}},
    f"{HUB}/routingIntent/i": {"properties": {"routingPolicies": []}},
    f"{NET}/expressRouteGateways/er": at(virtualHub={"id": HUB}),
    f"{NET}/vpnGateways/v": at(virtualHub={"id": HUB}),
    ZONE: GLOBAL,
    f"{ZONE}/virtualNetworkLinks/l": {**GLOBAL, "properties": {"virtualNetwork": {"id": VNET}}},
    f"{ZONE}/A/www": {"properties": {"aRecords": [{"ipv4Address": "10.0.0.4"}]}},
    f"{COMPUTE_RG}/virtualMachines/vm": at(networkProfile={"networkInterfaces": [{"id": f"{NET}/networkInterfaces/nic"}]}),
    f"{COMPUTE_RG}/virtualMachineScaleSets/s": {**at(virtualMachineProfile=PROFILE), "sku": {"name": "S", "capacity": 1}},
}  # fmt: skip
PATHS = [*BODIES, SUBNET, f"{COMPUTE_RG}/virtualMachineScaleSets/s/virtualMachines/0"]
TRACKED = [path for path in PATHS if "location" in BODIES.get(path, {}) or path.endswith("/virtualMachines/0")]
UNLISTED = ("/virtualNetworkLinks/", "/virtualMachineScaleSets/s/virtualMachines/")


def type_in(path: str) -> str:
    namespace, *segments = path.partition("/providers/")[2].split("/")
    return "/".join([namespace, *segments[::2]])


def version_of(path: str) -> str:
    return type_of(type_in(path)).api_versions[0]


def stocked() -> Arm:
    """An Azure with something of each type."""
    arm = Arm(quota=50)
    for path, body in BODIES.items():
        answer = arm.put(path, body, version=version_of(path))
        assert answer.status in (201, 202), (path, answer.body)
        arm.wait()
    return arm


@pytest.fixture(scope="module")
def arm() -> Arm:
    """One for the tests that look at a resource each; what they change in it is put back by no one."""
    return stocked()


@pytest.mark.parametrize("path", PATHS)
def test_the_body_of_a_get_of_each_type_can_be_put_back_unchanged(arm: Arm, path: str) -> None:
    version = version_of(path)
    before = arm.get(path, version=version)
    assert before.status == 200
    answer = arm.put(path, before.body, version=version)
    assert answer.status in (200, 202), answer.body
    arm.wait()
    after = arm.get(path, version=version)
    ignored = {"etag", "provisioningState"}
    assert _without(after.body, ignored) == _without(before.body, ignored)


def _without(value: Any, names: set[str]) -> Any:
    if isinstance(value, dict):
        return {name: _without(inner, names) for name, inner in value.items() if name not in names}
    return [_without(inner, names) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize("path", [path for path in TRACKED if not path.endswith("/virtualMachines/0")])
def test_patch_of_tags_on_each_tracked_type(arm: Arm, path: str) -> None:
    version = version_of(path)
    before = arm.get(path, version=version).properties
    answer = arm.patch(path, {"tags": {"a": "b"}}, version=version)
    assert answer.status in (200, 202), answer.body
    arm.wait()
    after = arm.get(path, version=version)
    assert after.body["tags"] == {"a": "b"}
    ignored = {"etag"}
    assert _without(after.properties, ignored) == _without(before, ignored), "nothing else has changed"


@pytest.mark.parametrize("path", [path for path in TRACKED if not any(part in path for part in UNLISTED)])
def test_each_tracked_type_is_listed_by_group_and_by_subscription(arm: Arm, path: str) -> None:
    version = version_of(path)
    kind = type_in(path)
    for place in (RG, f"/subscriptions/{SUB}"):
        found = arm.get(f"{place}/providers/{kind}", version=version).body["value"]
        assert path.lower() in [one["id"].lower() for one in found]


@pytest.mark.parametrize(
    "path", [path for path in PATHS if path not in TRACKED or any(part in path for part in UNLISTED)]
)
def test_each_child_is_listed_below_its_parent(arm: Arm, path: str) -> None:
    collection = path.rpartition("/")[0]
    found = arm.get(collection, version=version_of(path)).body["value"]
    assert path.lower() in [one["id"].lower() for one in found]


@pytest.mark.parametrize("path", PATHS)
def test_an_unknown_version_of_each_type_is_refused_with_those_that_there_are(arm: Arm, path: str) -> None:
    refused = arm.get(path, version="2016-01-02")
    assert (refused.status, refused.code) == (400, "NoRegisteredProviderFound")
    assert f"for type '{type_in(path).partition('/')[2]}'" in refused.message
    assert version_of(path) in refused.message
    assert arm.get(path, version="2030-01-01").code == "NoRegisteredProviderFound"
    assert arm.get(path, version="newest").code == "InvalidApiVersionParameter"


SINCE = "2023-11-01"
STABLE = {
    "Microsoft.Network": (
        "2023-11-01", "2024-01-01", "2024-03-01", "2024-05-01", "2024-07-01", "2024-10-01", "2025-01-01", "2025-03-01",
        "2025-05-01", "2025-07-01", "2025-09-01", "2026-01-01", "2026-03-01",
    ),
    "Microsoft.Compute": (
        "2024-03-01", "2024-07-01", "2024-11-01", "2025-04-01", "2025-11-01", "2026-03-01", "2026-04-01",
    ),
}  # fmt: skip
"""By provider: the folders that Azure/azure-rest-api-specs has below `stable`, and the SDKs' lists of versions."""


@pytest.mark.parametrize("path", PATHS)
def test_every_stable_version_of_three_years_is_taken_by_each_type(arm: Arm, path: str) -> None:
    kind = type_in(path)
    versions = ("2024-06-01",) if "privateDnsZones" in kind else STABLE[kind.partition("/")[0]]
    declared = [version for version in type_of(kind).api_versions if version >= SINCE]
    assert sorted(declared) == sorted(versions)
    arm.wait()  # budgets fill up
    for version in versions:
        assert arm.get(path, version=version).status == 200


def test_lists_of_versions_are_newest_first_without_repetition() -> None:
    for versions in (NETWORK, COMPUTE, PRIVATE_DNS):
        assert list(versions) == sorted(set(versions), reverse=True)


def test_there_is_a_body_for_each_type_of_the_virtual_network_family() -> None:
    tested = {type_in(path).lower() for path in PATHS}
    mine = {name for name in TYPES if name.startswith(("microsoft.network/", "microsoft.compute/"))}
    elsewhere = ("networkmanager", "networkwatcher", "networkgroup", "/virtualmachines/networkinterfaces")
    dns = ("/aaaa", "/cname", "/mx", "/ptr", "/soa", "/srv", "/txt")
    assert {name for name in mine - tested if not any(part in name for part in elsewhere) and not name.endswith(dns)} == set()  # fmt: skip


def test_each_type_is_deleted_once_what_needs_it_has_gone() -> None:
    arm = stocked()
    for path in reversed(BODIES):
        version = version_of(path)
        answer = arm.delete(path, version=version)
        assert answer.status in (200, 202), (path, answer.body)
        arm.wait()
        assert arm.get(path, version=version).status == 404
        assert arm.delete(path, version=version).status in (204, 404)
    left = [str(item.id) for item in arm.cloud.store if item.key.startswith(f"{RG.lower()}/")]
    assert left == [], "nothing is left of what Azure made along with them"


def test_what_is_needed_by_another_is_not_deleted() -> None:
    arm = stocked()
    needed = (
        VNET, SUBNET, HUB, ZONE, f"{NET}/virtualWans/w", f"{NET}/publicIPAddresses/ip", f"{NET}/publicIPAddresses/gw",
        f"{NET}/publicIPAddresses/fw", f"{NET}/publicIPPrefixes/p", f"{NET}/networkInterfaces/nic",
        f"{NET}/virtualNetworkGateways/gw", f"{NET}/localNetworkGateways/l",
    )  # fmt: skip
    for path in needed:
        answer = arm.delete(path, version=version_of(path))
        assert answer.status in (400, 409), path
        assert "Cannot" in answer.code or "InUse" in answer.code, answer.code
        assert arm.get(path, version=version_of(path)).status == 200


def test_a_group_with_each_type_is_deleted_with_all_of_them() -> None:
    arm = stocked()
    arm.gone(RG)
    assert [str(item.id) for item in arm.cloud.store if item.key.startswith(f"{RG.lower()}/")] == []
