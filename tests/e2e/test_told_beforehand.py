"""What keeps two networks from being joined is told before anything is sent, pair by pair, and the others are joined.

So is what keeps a host from being made.
"""

import json
from collections.abc import Callable

from tests.support.estates import peering, subnet, vnet
from tests.support.lab import APPS_SUBSCRIPTION, HUB, HUB_SUBSCRIPTION, Lab, Manifest

CLUSTER = {"sigs.k8s.io_cluster-api-provider-azure_cluster_prod-1": "owned"}
EVERYTHING, READING = ["*"], ["*/read"]


def network(name: str) -> str:
    """The id of a spoke: each lies in a resource group of its own."""
    return (
        f"/subscriptions/{APPS_SUBSCRIPTION}/resourceGroups/{name}/providers/Microsoft.Network/virtualNetworks/{name}"
    )


def estate() -> list[Manifest]:
    """A hub, and spokes with each of which something else is the matter."""
    subscriptions = [
        {"id": f"/subscriptions/{each}", "name": each, "type": "microsoft.resources/subscriptions"}
        for each in (HUB_SUBSCRIPTION, APPS_SUBSCRIPTION)
    ]
    theirs = peering(HUB, space=["10.0.0.0/16"], state="Initiated", name="ANM_0123456789ABCDEF_hub")
    clusters = peering(HUB, space=["10.0.0.0/16"], state="Disconnected", name="cluster-To-hub")
    others = [
        peering(
            network(f"other-{number}"), space=[f"172.{16 + number // 250}.{number % 250}.0/28"], name=f"to-{number}"
        )
        for number in range(500)
    ]
    lock = f"{network('locked').partition('/providers/')[0]}/providers/Microsoft.Authorization/locks/audit"
    return [
        *subscriptions,
        vnet(HUB, "10.0.0.0/16"),
        vnet(network("sound"), "10.1.0.0/16"),
        vnet(network("twin"), "10.0.128.0/17"),
        vnet(network("second-twin"), "10.1.64.0/18"),
        vnet(network("full"), "10.2.0.0/16", peerings=others),
        vnet(network("managed"), "10.3.0.0/16", peerings=[theirs]),
        vnet(network("cluster"), "10.4.0.0/16", peerings=[clusters]) | {"tags": CLUSTER},
        vnet(network("closed"), "10.5.0.0/16"),
        vnet(network("locked"), "10.6.0.0/16"),
        {"id": lock, "name": "audit", "type": "Microsoft.Authorization/locks", "properties": {"level": "ReadOnly"}},
        vnet(network("gateways"), "10.7.0.0/16", subnets=[subnet("work", "10.7.0.0/24")]),
        pooled(vnet(network("pooled"), "10.8.0.0/16")),
        vnet(network("small"), "10.9.0.0/16", subnets=[subnet("AzureBastionSubnet", "10.9.0.0/27")]),
    ]


def pooled(row: Manifest) -> Manifest:
    """The network with an IPAM pool that governs its address space."""
    pool = f"{HUB.rsplit('/', 2)[0]}/networkManagers/core/ipamPools/all"
    row["properties"]["addressSpace"]["ipamPoolPrefixAllocations"] = [{"pool": {"id": pool}}]
    return row


def bastion(name: str) -> Manifest:
    """A Bastion in the network of that name, whose subnet is to be chosen."""
    spec = {"virtualNetworkID": network(name), "sku": "Basic", "subnetPrefix": "Auto", "interval": "1m"}
    return {
        "apiVersion": "azurebastion.dev/v1beta1",
        "kind": "BastionHost",
        "metadata": {"name": name},
        "spec": spec,
    }


def principals() -> list[Manifest]:
    """An operator that may read everything, and write everywhere but in the network named closed."""
    spokes = ("sound", "twin", "second-twin", "full", "managed", "cluster", "locked", "gateways")
    groups = [f"/subscriptions/{APPS_SUBSCRIPTION}/resourceGroups/{name}" for name in spokes]
    assignments = [
        {"actions": EVERYTHING, "scope": f"/subscriptions/{HUB_SUBSCRIPTION}"},
        {"actions": READING, "scope": f"/subscriptions/{APPS_SUBSCRIPTION}"},
        *({"actions": EVERYTHING, "scope": group} for group in groups),
    ]
    return [{"name": "operator", "assignments": assignments}]


def asking(name: str, *spokes: str, **spec: object) -> Manifest:
    return {
        "apiVersion": "azurebastion.dev/v1beta1",
        "kind": "VNetPeering",
        "metadata": {"name": name},
        "spec": {
            "hub": {"virtualNetworkID": HUB},
            "spokes": [{"virtualNetworkID": network(each)} for each in spokes],
            "interval": "1m",
            **spec,
        },
    }


# By network: the reason in its row, and what the message must name.
TOLD = {
    "twin": ("VnetAddressSpacesOverlap", "10.0.128.0/17"),
    "second-twin": ("VnetAddressSpaceOverlapsWithAlreadyPeeredVnet", "sound"),
    "full": ("VirtualNetworkPeeringCountLimitReached", "500"),
    "managed": ("NotOwned", "Azure Virtual Network Manager keeps it"),
    "cluster": ("NotOwned", "Cluster API (cluster prod-1) keeps it"),
    "closed": ("PermissionDenied", "lacks Microsoft.Network/virtualNetworks/peer/action on virtual network closed"),
    "absent": ("VirtualNetworkNotFound", "does not exist, or the identity may not read it"),
}


def rows(lab: Lab, name: str) -> dict[str, Manifest]:
    """The rows of a VNetPeering by the name of their network."""
    found = lab.get("vnp", name).get("status", {}).get("spokes", [])
    return {row["virtualNetworkID"].rsplit("/", 1)[-1]: row for row in found}


def test_each_obstacle_is_told_with_its_way_out_and_not_one_request_is_sent_for_it(
    lab_factory: Callable[..., Lab],
) -> None:
    lab = lab_factory(estate(), principals=principals())
    before = lab.azure.resources()
    links = {key: body for key, body in before.items() if "/virtualnetworkpeerings/" in key}
    states = {key.split("/")[8]: body["properties"]["peeringState"] for key, body in links.items()}
    # A half of others is not even made anew.
    assert (states["managed"], states["cluster"]) == ("Initiated", "Disconnected")
    lab.operator.start()
    lab.apply(
        asking("hub", "sound", *TOLD, "locked", adoptionPolicy="IfUnmanaged"),
        asking("gateway", "gateways", hubToSpoke={"allowGatewayTransit": True}, spokeToHub={"useRemoteGateways": True}),
        bastion("pooled"),
        bastion("small"),
    )
    lab.wait_for(lambda: "hubState" in rows(lab, "hub").get("sound", {}), "the sound one is joined")
    lab.wait_for(
        lambda: "lock audit (ReadOnly) at" in rows(lab, "hub").get("locked", {}).get("message", ""), "the lock is named"
    )
    for name, (reason, words) in TOLD.items():
        row = lab.wait_for(
            lambda: next((each for key, each in rows(lab, "hub").items() if key == name and "reason" in each), None),  # noqa: B023
            f"a word on {name}",
        )
        assert (row["reason"], words in row["message"]) == (reason, True), row
    lab.wait_condition("vnp", "gateway", "Ready", "False", "RemoteVnetHasNoGateways")
    pool = lab.wait_condition("bh", "pooled", "HostProvisioned", "False", "NoFreePrefix")
    assert "an IPAM pool governs the virtual network's address space" in pool["message"]
    small = lab.wait_condition("bh", "small", "HostProvisioned", "False", "SubnetTooSmall")
    assert "10.9.0.0/27" in small["message"]
    assert rows(lab, "hub")["sound"].get("reason") is None
    lab.wait_for(lambda: lab.get("vnp", "hub")["status"]["connected"] == "1/9", "one is joined, and the others are not")
    lab.wait_still(seconds=1.3)

    sent = [
        (method, path.split("/")[8], path.split("/")[10].split("-")[1], status) for method, path, status in lab.writes()
    ]
    made = [each[:3] for each in sent if each[3] == 201]
    assert sorted(made) == [("PUT", "hub", "locked"), ("PUT", "hub", "sound"), ("PUT", "sound", "hub")]
    assert {each[:2] for each in sent if each[3] != 201} == {("PUT", "locked")}, "Azure shows no lock beforehand"
    lab.delete("bh,vnp")
    links = {key: body for key, body in lab.azure.resources().items() if "/virtualnetworkpeerings/" in key}
    assert links.keys() == {key for key in before if "/virtualnetworkpeerings/" in key}
    assert json.dumps(links, sort_keys=True) == json.dumps({key: before[key] for key in links}, sort_keys=True)
