"""Rows of estate files as live resources, however little they say."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from arm_emulator.estate import EstateError, load
from tests.support.arm import NET, PUBLIC_IP, RG, Arm, bastion_body, link_body, network_body, rule_body


def network(
    name: str, prefix: str, *links: dict[str, Any], subnets: list[dict[str, Any]] | None = None
) -> dict[str, Any]:
    return {
        "id": f"{NET}/virtualNetworks/{name}",
        "location": "westeurope",
        "properties": {
            "addressSpace": {"addressPrefixes": [prefix]},
            "virtualNetworkPeerings": list(links),
            "subnets": subnets or [],
        },
    }


def link(remote: str, **properties: Any) -> dict[str, Any]:
    body = link_body(f"{NET}/virtualNetworks/{remote}", **properties)
    return {"name": f"to-{remote}", **body}


def test_links_that_say_little_are_completed_from_how_the_networks_stand() -> None:
    arm = Arm(
        estate=[
            network("hub", "10.0.0.0/16", link("spoke")),
            network("spoke", "10.1.0.0/16", link("hub")),
            network("lone", "10.2.0.0/16", link("hub")),
        ]
    )
    found = arm.get(f"{NET}/virtualNetworks/hub/virtualNetworkPeerings/to-spoke").properties
    assert (found["peeringState"], found["peeringSyncLevel"]) == ("Connected", "FullyInSync")
    assert found["remoteAddressSpace"] == {"addressPrefixes": ["10.1.0.0/16"]}
    assert (
        arm.get(f"{NET}/virtualNetworks/lone/virtualNetworkPeerings/to-hub").properties["peeringState"] == "Initiated"
    )


def test_a_link_that_says_that_it_is_stale_stays_so_until_it_is_synced() -> None:
    stale = link("spoke", peeringState="Connected", remoteAddressSpace={"addressPrefixes": ["10.9.0.0/16"]})
    arm = Arm(estate=[network("hub", "10.0.0.0/16", stale), network("spoke", "10.1.0.0/16", link("hub"))])
    path = f"{NET}/virtualNetworks/hub/virtualNetworkPeerings/to-spoke"
    assert arm.get(path).properties["peeringSyncLevel"] == "LocalNotInSync"
    arm.put(path, link_body(f"{NET}/virtualNetworks/spoke"), syncRemoteAddressSpace="true")
    arm.wait()
    assert arm.get(path).properties["peeringSyncLevel"] == "FullyInSync"


def test_a_link_to_a_network_that_no_file_has_keeps_what_it_says() -> None:
    far = link(
        "elsewhere",
        peeringState="Connected",
        peeringSyncLevel="FullyInSync",
        remoteVirtualNetworkAddressSpace={"addressPrefixes": ["10.5.0.0/16"]},
    )
    arm = Arm(estate=[network("hub", "10.0.0.0/16", far)])
    found = arm.get(f"{NET}/virtualNetworks/hub/virtualNetworkPeerings/to-elsewhere").properties
    assert (found["peeringState"], found["peeringSyncLevel"]) == ("Connected", "FullyInSync")
    assert found["remoteVirtualNetworkAddressSpace"] == {"addressPrefixes": ["10.5.0.0/16"]}
    arm.gone(f"{NET}/virtualNetworks/hub")


BARE = [
    network("hub", "10.0.0.0/16", {"name": "broken", "properties": {}}, subnets=[{"name": "AzureBastionSubnet", "properties": {"addressPrefix": "10.0.1.0/26"}}, {"name": "odd"}]),
    {"id": f"{NET}/networkSecurityGroups/n", "location": "westeurope", "properties": {"securityRules": [{"name": "a"}, {"name": "b", "properties": {}}]}},
    {"id": f"{NET}/routeTables/t", "location": "westeurope", "properties": {"routes": [{"name": "r"}]}},
    {"id": f"{NET}/publicIPAddresses/p", "location": "westeurope"},
    {"id": f"{NET}/networkInterfaces/i", "location": "westeurope", "properties": {"ipConfigurations": [{"name": "c"}]}},
    {"id": f"{NET}/bastionHosts/b", "location": "westeurope", "properties": None},
    {"id": f"{NET}/applicationSecurityGroups/g"},
    {"id": f"{RG}/providers/Microsoft.Compute/virtualMachines/vm", "properties": {"networkProfile": None}},
]  # fmt: skip


@pytest.mark.parametrize("row", BARE, ids=[row["id"].rpartition("/")[2] for row in BARE])
def test_rows_that_say_next_to_nothing_are_served_listed_and_deleted(row: dict[str, Any]) -> None:
    arm = Arm(estate=BARE)
    assert arm.get(row["id"]).properties["provisioningState"] == "Succeeded"
    assert arm.get(row["id"].rpartition("/")[0]).status == 200
    assert arm.query("resources | order by id asc").body["count"] == len(BARE)
    arm.gone(row["id"])


def test_rows_that_say_next_to_nothing_can_be_built_upon() -> None:
    arm = Arm(estate=BARE)
    hub = f"{NET}/virtualNetworks/hub"
    arm.gone(f"{NET}/bastionHosts/b")
    arm.made(f"{NET}/networkSecurityGroups/n/securityRules/new", rule_body(200))
    arm.made(f"{NET}/publicIPAddresses/q", PUBLIC_IP)
    arm.made(f"{NET}/bastionHosts/c", bastion_body(f"{hub}/subnets/AzureBastionSubnet", f"{NET}/publicIPAddresses/q"))
    arm.gone(f"{hub}/virtualNetworkPeerings/broken")
    arm.made(hub, network_body("10.0.0.0/16"))
    arm.made(f"{NET}/virtualNetworks/spoke", network_body("10.1.0.0/16"))
    arm.made(f"{hub}/virtualNetworkPeerings/l", link_body(f"{NET}/virtualNetworks/spoke"))


def test_what_lies_below_a_resource_of_a_type_that_is_not_known_is_listed() -> None:
    device = "/subscriptions/" + RG.split("/")[2] + "/resourceGroups/net/providers/Microsoft.Network/gadgets/one"
    part = {"id": f"{device}/parts/first", "properties": {"size": 1}}
    arm = Arm(estate=[{"id": device, "location": "westeurope", "properties": {}}, part])
    assert [each["id"] for each in arm.get(f"{device}/parts").body["value"]] == [part["id"]]
    assert arm.get(f"{device}/others").body["value"] == []


@pytest.mark.parametrize(
    ("properties", "field"),
    [
        ({"subnets": {"name": "a"}}, "properties.subnets"),
        ({"subnets": "x"}, "properties.subnets"),
        ({"subnets": [None]}, "properties.subnets.0"),
        ({"virtualNetworkPeerings": [{"name": "a", "properties": "x"}]}, "properties.virtualNetworkPeerings.0"),
        ({"virtualNetworkPeerings": False}, "properties.virtualNetworkPeerings"),
    ],
)
def test_what_lies_inside_a_row_and_is_of_a_wrong_type_is_named(
    properties: dict[str, Any], field: str, tmp_path: Path
) -> None:
    path = tmp_path / "estate.json"
    held = {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, **properties}
    path.write_text(json.dumps([{"id": f"{NET}/virtualNetworks/a", "location": "westeurope", "properties": held}]))
    with pytest.raises(EstateError, match=f"estate.json: row 1: field {re.escape(field)}: ") as told:
        load(Arm().cloud, path)
    assert "object has no attribute" not in str(told.value)


def test_of_what_no_field_can_be_named_the_row_and_its_type_are(tmp_path: Path) -> None:
    path = tmp_path / "estate.json"
    row = {"id": f"{RG}/providers/Microsoft.Compute/virtualMachines/a", "properties": {"extended": "x"}}
    path.write_text(json.dumps([row | {"type": "microsoft.compute/virtualmachines"}]))
    with pytest.raises(EstateError, match="row 1: field properties: not as Azure writes those of a "):
        load(Arm().cloud, path)
