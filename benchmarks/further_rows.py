"""What a fleet has beside VMs and their networks: virtual hubs, rules of network managers, roles, sign-in, scale sets."""

import uuid
from collections.abc import Iterator
from typing import Final

from benchmarks.estate import NETWORKS_A_HUB, TENANT, Row, Shape, machine_id, network_id, resource_id, subscription

HUBS: Final = 6
INSTANCES: Final = 1_000
SIGN_INS: Final = 1_000
ASSIGNMENTS: Final = 2_000
_READER: Final = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
_NETWORK: Final = "Microsoft.Network"


def further_rows(shape: Shape) -> Iterator[Row]:
    """Six virtual hubs that connect a VNet each, two rows of network managers on every VNet, and so on."""
    yield from _wan()
    for number in range(shape.networks):
        yield from _managed(number)
    yield from _assignments(shape)
    yield from _sign_ins(shape)
    yield from _scale_set()


def _row(row_id: str, kind: str, properties: Row, **columns: object) -> Row:
    name = row_id.rpartition("/")[2]
    return {"id": row_id, "name": name, "type": kind, "location": "westeurope", "properties": properties, **columns}


def _wan() -> Iterator[Row]:
    wan = resource_id(f"{_NETWORK}/virtualWans", "corporate", 0)
    yield _row(wan, "microsoft.network/virtualwans", {"type": "Standard"})
    for number in range(HUBS):
        hub = resource_id(f"{_NETWORK}/virtualHubs", f"hub-{number}", 0)
        state = {"provisioningState": "Succeeded", "routingState": "Provisioned"}
        space = {"addressPrefix": f"172.20.{number}.0/24", "virtualWan": {"id": wan}, "sku": "Standard"}
        yield _row(hub, "microsoft.network/virtualhubs", space | state)
        table = f"{hub}/hubRouteTables/defaultRouteTable"
        yield _row(table, "microsoft.network/virtualhubs/hubroutetables", {"labels": ["default"], "routes": []})
        connection = f"{hub}/hubVirtualNetworkConnections/one"
        routing = {"associatedRouteTable": {"id": table}, "propagatedRouteTables": {"ids": [{"id": table}]}}
        remote = {"id": network_id(number * NETWORKS_A_HUB)}
        yield _row(
            connection,
            "microsoft.network/virtualhubs/hubvirtualnetworkconnections",
            {"remoteVirtualNetwork": remote, "routingConfiguration": routing},
        )


def _managed(number: int) -> Iterator[Row]:
    for kind, listed in (
        ("effectiveSecurityAdminRules", "effectiveSecurityAdminConfigurations"),
        ("effectiveConnectivityConfigurations", "effectiveConnectivityConfigurations"),
    ):
        row_id = f"{network_id(number)}/providers/{_NETWORK}/{kind}/default"
        yield _row(row_id, f"microsoft.network/{kind}".lower(), {listed: []})


def _assignments(shape: Shape) -> Iterator[Row]:
    for number in range(ASSIGNMENTS):
        scope = f"/subscriptions/{subscription(number % shape.networks)}"
        provider = "providers/Microsoft.Authorization"
        properties = {
            "roleDefinitionId": f"{scope}/{provider}/roleDefinitions/{_READER}",
            "principalId": str(uuid.UUID(int=number)),
            "principalType": "User",
            "scope": scope,
        }
        row_id = f"{scope}/{provider}/roleAssignments/{uuid.UUID(int=number)}"
        yield _row(row_id, "microsoft.authorization/roleassignments", properties)


def _sign_ins(shape: Shape) -> Iterator[Row]:
    spokes = [number for number in range(shape.networks) if number % NETWORKS_A_HUB]
    for number in spokes[:SIGN_INS]:
        row_id = f"{machine_id(number, 0)}/extensions/AADSSHLoginForLinux"
        properties = {"publisher": "Microsoft.Azure.ActiveDirectory", "type": "AADSSHLoginForLinux"}
        yield _row(row_id, "microsoft.compute/virtualmachines/extensions", properties)


def _scale_set() -> Iterator[Row]:
    kind = "microsoft.compute/virtualmachinescalesets"
    owner = resource_id("Microsoft.Compute/virtualMachineScaleSets", "workers", 1)
    address = {"name": "ip", "properties": {"primary": True, "subnet": {"id": f"{network_id(1)}/subnets/workload"}}}
    nic = {"name": "nic", "properties": {"primary": True, "ipConfigurations": [address]}}
    profile = {
        "osProfile": {"computerNamePrefix": "worker"},
        "storageProfile": {"osDisk": {"osType": "Linux", "createOption": "FromImage"}},
        "networkProfile": {"networkInterfaceConfigurations": [nic]},
    }
    uniform = {"orchestrationMode": "Uniform", "virtualMachineProfile": profile}
    yield _row(owner, kind, uniform, sku={"name": "Standard_D2s_v5", "capacity": INSTANCES})
    for number in range(INSTANCES):
        properties = {"vmId": TENANT, "osProfile": {"computerName": f"worker-{number}"}}
        yield _row(f"{owner}/virtualMachines/{number}", f"{kind}/virtualmachines", properties)
