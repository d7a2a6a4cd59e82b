"""What Azure tells about a running machine's interface: effective rules, effective routes, Network Watcher's answers."""

from typing import Any

import pytest

from tests.support import estates
from tests.support.arm import LONG, Arm, Reply
from tests.support.estates import (
    SUBSCRIPTION,
    admin_rule,
    asg_id,
    change,
    hub_and_spoke,
    manager_id,
    nic_id,
    nsg_id,
    peering,
    resource_id,
    route,
    route_table_id,
    rule,
    same_vnet,
    security_admin,
    subnet_id,
    vm_id,
    vnet_id,
    with_nsg,
    with_routes,
)

Json = dict[str, Any]
NIC = nic_id("web-nic")
WATCHER = resource_id("Microsoft.Network/networkWatchers", "NetworkWatcher_westeurope", group="NetworkWatcherRG")
BASTION = "10.0.1.0/26"


def asked(arm: Arm, path: str, body: object = None) -> Json:
    """A question that is answered later: 202 with `null` and a Location, where the answer is found in the end."""
    first = arm.call("POST", path, body)
    assert (first.status, first.raw) == (202, b"null"), first.body
    assert "azure-asyncoperation" not in first.headers
    running = arm.get(first.headers["location"])
    assert running.status == 202
    arm.wait(LONG)
    answer = arm.get(first.headers["location"])
    assert answer.status == 200
    found: Json = answer.body
    return found


def groups(arm: Arm) -> list[Json]:
    found: list[Json] = asked(arm, f"{NIC}/effectiveNetworkSecurityGroups")["value"]
    return found


def routes(arm: Arm) -> list[Json]:
    found: list[Json] = asked(arm, f"{NIC}/effectiveRouteTable")["value"]
    return found


def named(group: Json, name: str) -> Json:
    return next(one for one in group["effectiveSecurityRules"] if one["name"] == name)


# -- effective network security groups ---------------------------------------------------------------------------


def test_effective_rules_of_subnet_and_interface_say_what_they_are_associated_with() -> None:
    estate = with_nsg(change(same_vnet(), "web-nic", "properties.networkSecurityGroup", {"id": nsg_id("guard")}), "subnet")  # fmt: skip
    on_subnet, on_interface = groups(Arm(estate=estate))
    assert on_subnet["association"] == {"subnet": {"id": subnet_id("hub", "workload")}}
    assert on_interface["association"] == {"networkInterface": {"id": NIC}}
    assert on_subnet["networkSecurityGroup"] == {"id": nsg_id("guard")}
    assert len(on_subnet["effectiveSecurityRules"]) == 6


def test_an_effective_rule_has_whole_ranges_and_expanded_tags() -> None:
    user = rule("ssh", 300, "Allow", source="VirtualNetwork", ports=["22", "3389-3390"])
    group = groups(Arm(estate=with_nsg(same_vnet(), "nic", user)))[0]
    assert named(group, "securityRules/ssh") == {
        "name": "securityRules/ssh",
        "protocol": "Tcp",
        "sourcePortRange": "0-65535",
        "sourcePortRanges": ["0-65535"],
        "destinationPortRange": "22-22",
        "destinationPortRanges": ["22-22", "3389-3390"],
        "sourceAddressPrefix": "VirtualNetwork",
        "sourceAddressPrefixes": ["VirtualNetwork"],
        "destinationAddressPrefix": "0.0.0.0/0",
        "destinationAddressPrefixes": ["0.0.0.0/0"],
        "expandedSourceAddressPrefix": ["10.0.0.0/16", "168.63.129.16/32"],
        "expandedDestinationAddressPrefix": [],
        "access": "Allow",
        "priority": 300,
        "direction": "Inbound",
    }
    assert named(group, "defaultSecurityRules/DenyAllInBound")["protocol"] == "All"
    assert group["tagMap"]["VirtualNetwork"] == ["10.0.0.0/16", "168.63.129.16/32"]
    assert group["tagMap"]["AzureLoadBalancer"] == ["168.63.129.16/32"]


def test_the_tag_internet_expands_to_what_is_left_of_all_addresses() -> None:
    internet = groups(Arm(estate=with_nsg(same_vnet(), "nic")))[0]["tagMap"]["Internet"]
    assert internet[:5] == ["1.0.0.0/8", "2.0.0.0/7", "4.0.0.0/6", "8.0.0.0/7", "11.0.0.0/8"]
    assert not [prefix for prefix in internet if prefix.startswith(("10.", "192.168.", "224."))]


def test_a_peer_without_access_leaves_the_tag() -> None:
    estate = with_nsg(hub_and_spoke(), "nic")
    assert groups(Arm(estate=estate))[0]["tagMap"]["VirtualNetwork"] == [
        "10.0.0.0/15",
        "168.63.129.16/32",
    ]
    closed = change(estate, "spoke", "properties.virtualNetworkPeerings.0.properties.allowVirtualNetworkAccess", value=False)  # fmt: skip
    assert groups(Arm(estate=closed))[0]["tagMap"]["VirtualNetwork"] == ["10.1.0.0/16", "168.63.129.16/32"]


def test_members_of_an_application_security_group_are_shown_by_address() -> None:
    member = change(same_vnet(), "web-nic", "properties.ipConfigurations.0.properties.applicationSecurityGroups", [{"id": asg_id("web")}])  # fmt: skip
    to_group = rule("web", 300, "Allow", destinationApplicationSecurityGroups=[{"id": asg_id("web")}])
    del to_group["properties"]["destinationAddressPrefix"]
    shown = named(groups(Arm(estate=with_nsg(member, "nic", to_group)))[0], "securityRules/web")
    assert shown["destinationAddressPrefixes"] == ["10.0.2.4/32"]


def test_admin_rules_come_first_and_with_their_network_manager() -> None:
    estate = [*with_nsg(hub_and_spoke(), "nic"), *security_admin("spoke", admin_rule("closed", 10, "Deny"))]
    admin, _ = groups(Arm(estate=estate))
    assert admin["association"] == {"networkManager": {"id": manager_id("x").removesuffix("/x")}}
    assert [(one["name"], one["access"], one["priority"]) for one in admin["effectiveSecurityRules"]] == [
        ("closed", "Deny", 10)
    ]


def test_an_interface_of_no_machine_has_nothing_in_effect() -> None:
    answer = Arm(estate=estates.drop(same_vnet(), "web")).call("POST", f"{NIC}/effectiveRouteTable")
    assert answer.code == "NetworkInterfaceNotAttachedToRunningVm"


def test_a_reader_may_not_ask_for_what_is_in_effect() -> None:
    answer = Arm(estate=same_vnet()).call("POST", f"{NIC}/effectiveRouteTable", by="reader")
    assert (answer.status, answer.code) == (403, "AuthorizationFailed")
    assert "networkInterfaces/effectiveRouteTable/action" in answer.message


def test_asking_stands_in_nobodys_way() -> None:
    arm = Arm(estate=same_vnet())
    assert arm.call("POST", f"{NIC}/effectiveRouteTable").status == 202
    assert arm.call("POST", f"{NIC}/effectiveNetworkSecurityGroups").status == 202
    assert arm.patch(NIC, {"tags": {"a": "b"}}).status == 200


def test_rules_of_an_estate_file_may_say_less_or_nonsense() -> None:
    odd = [
        rule("ports", 300, "Deny", ports="ssh", source="1.2.3.400"),
        {"name": "half", "properties": {"access": "Deny", "protocol": "Tcp"}},
    ]
    (group,) = groups(Arm(estate=with_nsg(same_vnet(), "nic", *odd)))
    assert len(group["effectiveSecurityRules"]) == 7


# -- effective routes --------------------------------------------------------------------------------------------


def shown(found: list[Json]) -> set[tuple[str, str, str, str]]:
    return {(one["source"], one["state"], one["addressPrefix"][0], one["nextHopType"]) for one in found}


def test_system_routes_are_the_network_the_internet_and_nowhere() -> None:
    assert shown(routes(Arm(estate=same_vnet()))) == {
        ("Default", "Active", "10.0.0.0/16", "VnetLocal"),
        ("Default", "Active", "0.0.0.0/0", "Internet"),
        ("Default", "Active", "10.0.0.0/8", "None"),
        ("Default", "Active", "100.64.0.0/10", "None"),
        ("Default", "Active", "172.16.0.0/12", "None"),
        ("Default", "Active", "192.168.0.0/16", "None"),
    }


def test_peers_have_a_route_for_each_prefix_global_where_they_are_in_another_region() -> None:
    estate = hub_and_spoke()
    assert ("Default", "Active", "10.0.0.0/16", "VNetPeering") in shown(routes(Arm(estate=estate)))
    far = change(estate, "hub", "location", "eastus")
    assert ("Default", "Active", "10.0.0.0/16", "VNetGlobalPeering") in shown(routes(Arm(estate=far)))
    apart = change(estate, "spoke", "properties.virtualNetworkPeerings.0.properties.peeringState", "Disconnected")
    assert not [one for one in routes(Arm(estate=apart)) if "Peering" in one["nextHopType"]]


def test_a_user_route_makes_the_system_route_of_its_prefix_invalid() -> None:
    estate = with_routes(same_vnet(), "subnet", route("all", "0.0.0.0/0", "VirtualAppliance", "10.0.9.9"))
    found = routes(Arm(estate=estate))
    assert ("Default", "Invalid", "0.0.0.0/0", "Internet") in shown(found)
    mine = next(one for one in found if one["source"] == "User")
    assert mine == {
        "name": "all",
        "disableBgpRoutePropagation": False,
        "source": "User",
        "state": "Active",
        "addressPrefix": ["0.0.0.0/0"],
        "nextHopType": "VirtualAppliance",
        "nextHopIpAddress": ["10.0.9.9"],
    }


def test_sites_behind_a_gateway_are_learned_unless_the_table_stops_propagation() -> None:
    connection = {
        "virtualNetworkGateway1": {"id": resource_id("Microsoft.Network/virtualNetworkGateways", "gw")},
        "localNetworkGateway2": {"id": resource_id("Microsoft.Network/localNetworkGateways", "site")},
    }
    rows = [
        estates.gateway("gw", "hub"),
        estates.row(resource_id("Microsoft.Network/localNetworkGateways", "site"), {"localNetworkAddressSpace": {"addressPrefixes": ["10.7.0.0/16"]}}),
        estates.row(resource_id("Microsoft.Network/connections", "c"), connection),
    ]  # fmt: skip
    learned = ("VirtualNetworkGateway", "Active", "10.7.0.0/16", "VirtualNetworkGateway")
    assert learned in shown(routes(Arm(estate=[*same_vnet(), *rows])))
    stopped = with_routes(same_vnet(), "subnet", propagates_bgp=False)
    found = routes(Arm(estate=[*stopped, *rows]))
    assert learned not in shown(found)
    assert all(one["disableBgpRoutePropagation"] for one in found)


def test_a_service_endpoint_is_a_route_of_its_own_kind() -> None:
    path = "properties.subnets.1.properties.serviceEndpoints"
    found = routes(Arm(estate=change(same_vnet(), "hub", path, [{"service": "Microsoft.Storage"}])))
    assert "VirtualNetworkServiceEndpoint" in {one["nextHopType"] for one in found}


# -- Network Watcher ---------------------------------------------------------------------------------------------


def watched(estate: list[Json], action: str, body: Json) -> Json:
    return asked(Arm(estate=estate), f"{WATCHER}/{action}", {"targetResourceId": vm_id("web"), **body})


def packet(port: int = 22, remote: str = "10.0.1.5", **changed: Any) -> Json:
    return {"direction": "Inbound", "protocol": "TCP", "localPort": str(port), "remotePort": "50000",
            "localIPAddress": "10.0.2.4", "remoteIPAddress": remote, **changed}  # fmt: skip


def test_a_region_with_networks_has_a_watcher_that_azure_made() -> None:
    arm = Arm(estate=same_vnet())
    assert arm.get(WATCHER).properties == {"provisioningState": "Succeeded"}
    listed = arm.get(f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Network/networkWatchers").body["value"]
    assert [(one["id"], one["location"]) for one in listed] == [(WATCHER, "westeurope")]
    assert arm.get(WATCHER.replace("westeurope", "eastus")).status == 404


def test_a_region_has_one_watcher_only() -> None:
    arm = Arm(estate=same_vnet())
    arm.get(WATCHER)
    own = resource_id("Microsoft.Network/networkWatchers", "mine")
    assert arm.put(own, {"location": "westeurope"}).code == "NetworkWatcherCountLimitReached"
    assert arm.put(own, {"location": "eastus"}).status == 201


def test_ip_flow_verify_names_the_rule_that_decides() -> None:
    guarded = with_nsg(same_vnet(), "nic", rule("no", 200, "Deny", source=BASTION, ports="22"))
    assert watched(guarded, "ipFlowVerify", packet()) == {"access": "Deny", "ruleName": "securityRules/no"}
    allowed = {"access": "Allow", "ruleName": "defaultSecurityRules/AllowVnetInBound"}
    assert watched(guarded, "ipFlowVerify", packet(3389)) == allowed
    outbound = packet(direction="Outbound", remote="13.107.21.200", remotePort="80")
    assert watched(guarded, "ipFlowVerify", outbound)["ruleName"] == "defaultSecurityRules/AllowInternetOutBound"
    private = packet(direction="Outbound", remote="172.31.0.100", remotePort="80")
    assert watched(guarded, "ipFlowVerify", private) == {
        "access": "Deny",
        "ruleName": "defaultSecurityRules/DenyAllOutBound",
    }


def test_ip_flow_verify_knows_the_packets_source_port() -> None:
    some = with_nsg(same_vnet(), "nic", rule("no", 200, "Deny", source_ports="50000-50010"))
    assert watched(some, "ipFlowVerify", packet())["access"] == "Deny"
    assert watched(some, "ipFlowVerify", packet(remotePort="40000"))["access"] == "Allow"


def test_next_hop_names_the_route_table_or_the_system() -> None:
    estate = with_routes(hub_and_spoke(), "subnet", route("far", "10.9.0.0/16", "VirtualAppliance", "10.1.2.9"))
    for destination, expected in (
        ("10.1.2.7", {"nextHopType": "VnetLocal", "routeTableId": "System Route"}),
        ("10.0.1.5", {"nextHopType": "VNetPeering", "routeTableId": "System Route"}),
        ("8.8.8.8", {"nextHopType": "Internet", "routeTableId": "System Route"}),
        ("192.168.4.4", {"nextHopType": "None", "routeTableId": "System Route"}),
        ("10.9.0.1", {"nextHopType": "VirtualAppliance", "nextHopIpAddress": "10.1.2.9", "routeTableId": route_table_id("routes")}),
    ):  # fmt: skip
        body = {"sourceIPAddress": "10.1.2.4", "destinationIPAddress": destination}
        assert watched(estate, "nextHop", body) == expected


def test_nsg_diagnostics_of_microsofts_worked_example() -> None:
    """https://learn.microsoft.com/azure/network-watcher/diagnose-network-security-rules"""
    estate = change(same_vnet(), "hub", "properties.subnets.1.properties.networkSecurityGroup", {"id": nsg_id("mySubnet-nsg")})  # fmt: skip
    estate = change(estate, "web-nic", "properties.networkSecurityGroup", {"id": nsg_id("myVM-nsg")})
    deny = rule("DenyVnetInBound", 1000, "Deny", source="VirtualNetwork", protocol="*")
    estate += [
        estates.nsg("mySubnet-nsg"),
        estates.nsg("myVM-nsg", deny),
        *security_admin("hub", admin_rule("VirtualNetwork", 10, "Allow", source="VirtualNetwork", ports=["0-65535"])),
    ]
    profile = {"direction": "Inbound", "protocol": "TCP", "source": BASTION, "destination": "10.0.2.4", "destinationPort": "*"}  # fmt: skip
    answer = watched(estate, "networkConfigurationDiagnostic", {"profiles": [profile]})
    (result,) = answer["results"]
    assert result["profile"] == profile
    found = result["networkSecurityGroupResult"]
    assert found["securityRuleAccessResult"] == "Deny"
    expected = (
        (manager_id("x").removesuffix("/x"), vnet_id("hub"), "VirtualNetwork", "Allow"),
        (nsg_id("mySubnet-nsg"), subnet_id("hub", "workload"), "DefaultRule_AllowVnetInBound", "Allow"),
        (nsg_id("myVM-nsg"), NIC, "UserRule_DenyVnetInBound", "Deny"),
    )
    for group, (owner, applied_to, name, action) in zip(found["evaluatedNetworkSecurityGroups"], expected, strict=True):
        assert group == {
            "networkSecurityGroupId": owner,
            "appliedTo": applied_to,
            "matchedRule": {"ruleName": name, "action": action},
            "rulesEvaluationResult": [
                {"name": name, "protocolMatched": True, "sourceMatched": True, "sourcePortMatched": True,
                 "destinationMatched": True, "destinationPortMatched": True}
            ],
        }  # fmt: skip


def test_nsg_diagnostics_tell_of_each_rule_what_of_it_fits() -> None:
    rules = (
        rule("other-source", 100, "Deny", source="10.9.0.0/16"),
        rule("other-port", 110, "Deny", ports="80"),
        rule("udp", 120, "Deny", protocol="Udp"),
        rule("other-destination", 130, "Deny", destination="10.0.2.9"),
        rule("fits", 140, "Allow", source="10.0.0.0/16", ports=["22", "3389"]),
        rule("later", 150, "Deny"),
    )
    profile = {"direction": "Inbound", "protocol": "TCP", "source": BASTION, "destination": "*", "destinationPort": "22"}  # fmt: skip
    arm = Arm(estate=with_nsg(same_vnet(), "nic", *rules))
    body = {"targetResourceId": NIC, "profiles": [profile]}

    def evaluated(**more: str) -> list[Json]:
        answer = asked(arm, f"{WATCHER}/networkConfigurationDiagnostic", {**body, **more})
        found: Json = answer["results"][0]["networkSecurityGroupResult"]["evaluatedNetworkSecurityGroups"][0]
        results: list[Json] = found["rulesEvaluationResult"]
        return results

    misses = [[name for name, fits in one.items() if fits is False] for one in evaluated()]
    assert misses == [["sourceMatched"], ["destinationPortMatched"], ["protocolMatched"], ["destinationMatched"], []]
    assert [one["name"] for one in evaluated(verbosityLevel="Minimum")] == ["UserRule_fits"]
    assert len(evaluated(verbosityLevel="Full")) == 9


def test_a_part_of_a_prefix_does_not_make_a_rule_fit() -> None:
    half = with_nsg(same_vnet(), "nic", rule("half", 100, "Deny", source="10.0.1.0/27"))
    profile = {"direction": "Inbound", "protocol": "TCP", "source": BASTION, "destination": "*", "destinationPort": "22"}  # fmt: skip
    answer = watched(half, "networkConfigurationDiagnostic", {"profiles": [profile]})
    assert answer["results"][0]["networkSecurityGroupResult"]["securityRuleAccessResult"] == "Allow"


def refused(body: Json, action: str = "networkConfigurationDiagnostic") -> Reply:
    return Arm(estate=same_vnet()).call("POST", f"{WATCHER}/{action}", {"targetResourceId": vm_id("web"), **body})


@pytest.mark.parametrize(
    ("action", "body"),
    [
        ("networkConfigurationDiagnostic", {}),
        ("networkConfigurationDiagnostic", {"profiles": [{"direction": "Sideways", "protocol": "TCP"}]}),
        ("networkConfigurationDiagnostic", {"profiles": [{"direction": "Inbound", "protocol": "TCP", "source": "Storage"}]}),
        ("networkConfigurationDiagnostic", {"profiles": [{"direction": "Inbound", "protocol": "TCP", "destinationPort": "70000"}]}),
        ("ipFlowVerify", packet(localIPAddress="here")),
        ("ipFlowVerify", packet(protocol="IGMP")),
        ("nextHop", {"sourceIPAddress": "10.0.2.4"}),
    ],
)  # fmt: skip
def test_questions_that_cannot_be_understood_are_refused(action: str, body: Json) -> None:
    answer = refused(body, action)
    assert (answer.status, answer.code) == (400, "InvalidParameter")


def test_a_question_about_nothing_is_refused() -> None:
    answer = refused({"targetResourceId": vm_id("nobody"), **packet()}, "ipFlowVerify")
    assert (answer.status, answer.code) == (400, "InvalidResourceReference")


def test_the_old_security_group_view_lists_the_effective_rules() -> None:
    answer = watched(with_nsg(same_vnet(), "nic"), "securityGroupView", {})
    (interface,) = answer["networkInterfaces"]
    assert interface["id"] == NIC
    assert len(interface["securityRuleAssociations"]["effectiveSecurityRules"]) == 6


def test_a_third_networks_link_is_not_ones_own() -> None:
    estate = change(hub_and_spoke(), "hub", "properties.virtualNetworkPeerings", [peering("spoke", space=["10.1.0.0/16"]), peering("third", space=["10.7.0.0/16"])])  # fmt: skip
    assert not [one for one in routes(Arm(estate=estate)) if one["addressPrefix"] == ["10.7.0.0/16"]]
