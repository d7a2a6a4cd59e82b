"""Connectivity configurations: hubs with spokes by peerings of the manager's own, and meshes without any."""

from typing import Any

from tests.support.arm import NET, Arm, link_body, network_body
from tests.support.network_managers import (
    CONFIGURATIONS,
    CONNECTIVITY,
    GROUP,
    MANAGER,
    NIC,
    SECURITY,
    answer_of,
    commit,
    connectivity,
    effective,
    join,
    links,
    listed,
    managed,
    with_machine,
)

Json = dict[str, Any]


def test_a_hub_and_its_spokes_are_peered_by_links_with_a_prefix_of_their_own() -> None:
    arm = managed("a", "b")
    connectivity(arm, "HubAndSpoke")
    from_hub, from_spoke = links(arm, "hub"), links(arm, "a")
    assert len(from_hub) == 2
    assert len(from_spoke) == 1
    assert all(name.startswith("ANM_") for name in (*from_hub, *from_spoke))
    (link,) = from_spoke.values()
    assert (link["peeringState"], link["peeringSyncLevel"]) == ("Connected", "FullyInSync")
    assert link["remoteAddressSpace"] == {"addressPrefixes": ["10.0.0.0/16"]}
    assert effective(arm, "hub", CONFIGURATIONS) == ["net"]
    assert effective(arm, "a", CONFIGURATIONS) == ["net"]


def test_links_go_when_the_deployment_or_the_membership_does() -> None:
    arm = managed("a", "b")
    connectivity(arm, "HubAndSpoke")
    arm.delete(f"{GROUP}/staticMembers/b")
    assert links(arm, "b") == {}
    assert len(links(arm, "hub")) == 1
    commit(arm, kind="Connectivity")
    assert links(arm, "hub") == links(arm, "a") == {}


def test_links_follow_a_network_that_goes_comes_back_or_grows() -> None:
    arm = managed("a")
    connectivity(arm, "HubAndSpoke")
    network = f"{NET}/virtualNetworks/a"
    arm.made(network, network_body("10.1.0.0/16", "10.2.0.0/16"))
    (link,) = links(arm, "hub").values()
    assert link["remoteAddressSpace"] == {"addressPrefixes": ["10.1.0.0/16", "10.2.0.0/16"]}
    arm.gone(network)
    assert links(arm, "hub") == {}
    arm.made(network, network_body("10.1.0.0/16"))
    assert [one["peeringState"] for one in links(arm, "hub").values()] == ["Connected"]
    assert effective(arm, "a", CONFIGURATIONS) == ["net"]


def test_what_an_estate_file_says_of_network_managers_stays() -> None:
    network = f"{NET}/virtualNetworks/a"
    far = {"remoteVirtualNetwork": {"id": f"{NET}/virtualNetworks/far"}, "peeringState": "Connected"}
    row = f"{network}/providers/Microsoft.Network/effectiveSecurityAdminRules/default"
    listed_there = {"effectiveSecurityAdminConfigurations": [{"id": f"{SECURITY}/snapshots/7"}]}
    properties = {
        "addressSpace": {"addressPrefixes": ["10.1.0.0/16"]},
        "virtualNetworkPeerings": [{"name": "ANM_1_far", "properties": far}],
    }
    estate = [
        {"id": network, "location": "westeurope", "properties": properties},
        {"id": MANAGER, "location": "westeurope", "properties": {}},
        {"id": row, "properties": listed_there},
    ]
    arm = Arm(estate=estate)
    arm.made(network, network_body("10.1.0.0/16", "10.2.0.0/16"))
    assert list(links(arm, "a")) == ["ANM_1_far"]
    assert arm.get(row).properties["effectiveSecurityAdminConfigurations"]


def test_existing_peerings_stay_unless_the_configuration_deletes_them() -> None:
    arm = managed("a", "b")
    arm.made(f"{NET}/virtualNetworks/hub/virtualNetworkPeerings/mine", link_body(f"{NET}/virtualNetworks/a"))
    arm.made(f"{NET}/virtualNetworks/a/virtualNetworkPeerings/mine", link_body(f"{NET}/virtualNetworks/hub"))
    connectivity(arm, "HubAndSpoke")
    assert list(links(arm, "a")) == ["mine"]
    assert [name[:4] for name in links(arm, "b")] == ["ANM_"]
    connectivity(arm, "HubAndSpoke", deleteExistingPeering="True")
    assert [name[:4] for name in links(arm, "a")] == ["ANM_"]
    assert "mine" not in links(arm, "hub")


def test_spokes_use_the_hubs_gateway_where_there_is_one() -> None:
    arm = managed("a")
    connectivity(arm, "HubAndSpoke", item={"useHubGateway": "True"})
    (link,) = links(arm, "a").values()
    assert (link["useRemoteGateways"], link["allowGatewayTransit"]) == (False, False)
    (link,) = links(arm, "hub").values()
    assert link["allowGatewayTransit"] is True


def test_a_mesh_connects_without_peerings_those_of_one_region_unless_global() -> None:
    arm = managed("a", "b")
    far = f"{NET}/virtualNetworks/far"
    arm.made(far, {**network_body("10.8.0.0/16"), "location": "eastus"})
    join(arm, far)
    with_machine(arm, "a")

    def reached() -> set[str]:
        found = answer_of(arm, f"{NIC}/effectiveRouteTable")["value"]
        return {one["addressPrefix"][0] for one in found if one["nextHopType"] == "ConnectedGroup"}

    assert reached() == set()
    connectivity(arm, "Mesh")
    commit(arm, CONNECTIVITY, kind="Connectivity", regions=("westeurope", "eastus"))
    assert links(arm, "a") == {}
    assert reached() == {"10.2.0.0/16"}
    connectivity(arm, "Mesh", isGlobal="True")
    commit(arm, CONNECTIVITY, kind="Connectivity", regions=("westeurope", "eastus"))
    assert reached() == {"10.2.0.0/16", "10.8.0.0/16"}


def test_active_connectivity_is_listed_by_region() -> None:
    arm = managed("a")
    connectivity(arm, "HubAndSpoke")
    (active,) = listed(arm, f"{MANAGER}/listActiveConnectivityConfigurations", {"regions": ["westeurope"]})
    assert (active["id"], active["region"]) == (CONNECTIVITY, "westeurope")
    assert active["properties"]["connectivityTopology"] == "HubAndSpoke"
    assert [group["id"] for group in active["configurationGroups"]] == [GROUP]
