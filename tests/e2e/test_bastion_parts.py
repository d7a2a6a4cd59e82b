"""What a host is made of: an address that others made, a network whose space a pool governs, rules for further ports."""

import json
from collections.abc import Callable

import pytest

from dev.control_plane import KubectlError
from tests.support.lab import EXAMPLE, HOST, HUB, Lab, Manifest, example

HUB_BASTION, _ = example("bastion-host.yaml")
NETWORK = HUB.rsplit("/", 2)[0]
ADDRESS = f"{NETWORK}/publicIPAddresses/theirs"
SUBNET, GROUP = f"{HUB}/subnets/AzureBastionSubnet", f"{NETWORK}/networkSecurityGroups/hub-nsg"


def estate() -> list[Manifest]:
    """The example's, with an IPAM pool that governs the hub's address space, and a public IP address of somebody's."""
    rows: list[Manifest] = json.loads((EXAMPLE / "estate.json").read_text())
    hub = next(row for row in rows if row["id"] == HUB)
    pool = {"id": f"{NETWORK}/networkManagers/core/ipamPools/all"}
    hub["properties"]["addressSpace"]["ipamPoolPrefixAllocations"] = [{"pool": pool, "numberOfIpAddresses": "1024"}]
    address = {"publicIPAllocationMethod": "Static", "publicIPAddressVersion": "IPv4", "ipAddress": "20.1.2.3"}
    return [
        *rows,
        {
            "id": ADDRESS,
            "name": "theirs",
            "type": "microsoft.network/publicipaddresses",
            "location": "westeurope",
            "sku": {"name": "Standard", "tier": "Regional"},
            "tags": {"owner": "network-team"},
            "properties": address,
        },
    ]


def asking(**spec: object) -> Manifest:
    copy: Manifest = json.loads(json.dumps(HUB_BASTION))
    copy["spec"] |= {"sku": "Standard", "publicIP": {"id": ADDRESS}, **spec}
    return copy


def test_a_host_uses_what_others_made_leaves_their_pool_alone_and_has_the_rules_that_its_ports_need(
    lab_factory: Callable[..., Lab],
) -> None:
    lab = lab_factory(estate())
    before = lab.azure.resources()
    lab.operator.start()
    lab.apply(asking(subnetPrefix="Auto"))
    told = lab.wait_condition("bh", "hub", "HostProvisioned", "False", "NoFreePrefix")
    assert "an IPAM pool governs the virtual network's address space" in told["message"]
    assert lab.writes() == []

    security = {"subnet": "Enforce", "targets": "Off", "ports": {"ssh": [2222]}}
    features = {"nativeClient": True, "kerberos": True, "copyPaste": False}
    # What Azure fixes at creation is refused by the API server, with the way out, which is taken.
    with pytest.raises(
        KubectlError, match="subnetPrefix is fixed by Azure at creation: delete this BastionHost and apply it"
    ):
        lab.apply(asking(subnetPrefix="10.0.3.0/26"))
    lab.delete("bh", "hub")
    lab.apply(asking(subnetPrefix="10.0.3.0/26", zones=["1", "2"], features=features, networkSecurity=security))
    lab.wait_ready("bh/hub")
    made = [path for method, path, status in lab.writes() if (method, status) == ("PUT", 201)]
    assert made == [GROUP.lower(), SUBNET.lower(), HOST.lower()], "group, subnet and host, each once and in this order"
    host = lab.azure.resources()[HOST.lower()]
    assert host["zones"] == ["1", "2"]
    shown = {name: host["properties"].get(name) for name in ("enableTunneling", "enableKerberos", "disableCopyPaste")}
    assert shown == {"enableTunneling": True, "enableKerberos": True, "disableCopyPaste": True}
    (placed,) = host["properties"]["ipConfigurations"]
    assert placed["properties"]["publicIPAddress"]["id"].lower() == ADDRESS.lower()
    rules = {
        rule["name"]: rule["properties"] for rule in lab.azure.resources()[GROUP.lower()]["properties"]["securityRules"]
    }
    assert len(rules) == 8
    sessions = next(rule for name, rule in rules.items() if name.endswith("-AllowSshRdpOutbound"))
    assert set(sessions["destinationPortRanges"]) == {"22", "2222", "3389"}

    lab.delete("bh", "hub")
    after = lab.azure.resources()
    assert after.keys() == before.keys()
    assert after[ADDRESS.lower()]["tags"] == {"owner": "network-team"}
    assert not [path for _, path, _ in lab.writes() if "/publicipaddresses/" in path]
