"""Rules of the decision procedure, step by step, that no other file has: each test is named after its rule."""

import copy
from typing import Any

import pytest

from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability import Protocol, Verdict, judge_all
from bastion_operator.network.reachability.methods import sessions_carried
from tests.support.estates import (
    DELETE,
    Estate,
    Row,
    add,
    admin_rule,
    bastion,
    change,
    connected_group,
    drop,
    gateway,
    hub_and_spoke,
    hub_connection,
    manager_id,
    nic,
    nic_id,
    nsg,
    nsg_id,
    private_zone_link,
    ref,
    resource_id,
    route,
    row,
    rule,
    same_vnet,
    scale_set,
    security_admin,
    subnet_id,
    vnet_id,
    with_nsg,
    with_routes,
)
from tests.unit.network.asking import LINK, ask, codes, link, warned

STATE = "properties.provisioningState"
POWER = "properties.extended.instanceView.powerState.code"
BASTION_SUBNET = "properties.subnets.0"
UNKNOWN = ["EffectiveDataUnavailable"]


# Step 1


@pytest.mark.parametrize(
    ("state", "dns", "expected"),
    [
        ("Succeeded", None, []),
        ("succeeded", "x", []),
        ("Updating", "x", ["BastionUpdating"]),
        ("Creating", None, ["BastionUpdating"]),
        ("Deleting", "x", ["BastionNotSucceeded"]),
        ("Failed", "x", ["BastionStateFailed"]),
        ("Failed", None, ["BastionNotSucceeded"]),
        ("Canceled", "x", ["BastionStateFailed"]),
        ("Canceled", None, ["BastionNotSucceeded"]),
        ("Wondering", "x", UNKNOWN),
    ],
)
def test_the_state_of_the_host(state: str, dns: str | None, expected: list[str]) -> None:
    assert codes(change(change(same_vnet(), "bas", STATE, state), "bas", "properties.dnsName", dns)) == expected


# Step 2


def test_developer_skips_the_subnet_its_table_its_group_its_address_and_zones() -> None:
    estate = add(drop(same_vnet(), "bas", "bas-ip"), bastion("bas", "hub", sku="Developer"))
    estate = with_nsg(estate, "bastion", rule("no", 100, "Deny"), bare=True)
    estate = with_routes(estate, "bastion", route("all", "0.0.0.0/0", "None"))
    estate = add(estate, private_zone_link("azure.com", "hub"))
    assert codes(estate) == []
    assert codes(change(estate, "bas", "properties.virtualNetwork", DELETE)) != []


# Step 3


@pytest.mark.parametrize(("prefix", "small"), [("10.0.1.0/24", False), ("10.0.1.0/26", False), ("10.0.1.0/27", True)])
def test_the_bastion_subnet_is_a_26_or_larger(prefix: str, small: bool) -> None:
    estate = change(same_vnet(), "hub", f"{BASTION_SUBNET}.properties.addressPrefix", prefix)
    assert codes(estate) == []
    assert ("SubnetTooSmall" in warned(estate)) == small


def test_the_bastion_subnet_holds_bastion_alone() -> None:
    own = f"{resource_id('Microsoft.Network/bastionHosts', 'bas')}/bastionHostIpConfigurations/IpConf"
    other = f"{nic_id('other')}/ipConfigurations/ip"
    held = f"{BASTION_SUBNET}.properties.ipConfigurations"
    assert "SubnetNotDedicated" not in warned(change(same_vnet(), "hub", held, [{"id": own}]))
    assert "SubnetNotDedicated" in warned(change(same_vnet(), "hub", held, [{"id": own}, {"id": other}]))


def test_a_bastion_in_another_resource_group_than_its_subnet_is_judged_where_it_is() -> None:
    estate = copy.deepcopy(same_vnet())
    bas = next(one for one in estate if one["name"] == "bas")
    bas["id"] = resource_id("Microsoft.Network/bastionHosts", "bas", group="elsewhere")
    assert codes(estate) == []


# Step 5


def test_a_gateway_alone_is_no_evidence_of_a_default_route() -> None:
    estate = add(same_vnet(), gateway("vpn", "hub"))
    assert codes(estate) == []
    assert "NotLookedAt" in warned(estate)


def test_a_hub_connection_without_internet_security_gives_no_default_route() -> None:
    assert codes(add(same_vnet(), hub_connection("east", "hub", enableInternetSecurity=True))) == []


# Step 6


@pytest.mark.parametrize(
    ("zone", "conflicts"),
    [
        ("management.azure.com", True),
        ("azure.com", True),
        ("core.windows.net", True),
        ("blob.core.windows.net", True),
        ("vaultcore.windows.net", True),
        ("vault.azure.net", True),
        ("VAULT.azure.net", True),
        ("privatelink.vault.azure.net", False),
        ("privatelink.blob.core.windows.net", False),
        ("my.azure.com", False),
        ("contoso.com", False),
    ],
)
def test_private_zones_conflict_by_their_exact_name(zone: str, conflicts: bool) -> None:
    assert (codes(add(same_vnet(), private_zone_link(zone, "hub"))) == ["PrivateDnsZoneConflict"]) == conflicts


def test_a_zone_of_another_vnet_does_not_matter() -> None:
    assert codes(add(hub_and_spoke(), private_zone_link("azure.com", "spoke"))) == []


# Step 8


@pytest.mark.parametrize("word", ["starting", "stopping", "stopped", "deallocating", "deallocated"])
def test_any_power_state_but_running_is_not_running(word: str) -> None:
    assert codes(change(same_vnet(), "web", POWER, f"PowerState/{word}")) == ["VMNotRunning"]


def two_nics(*, first_primary: bool) -> Estate:
    references = [{"id": nic_id("web-nic"), "properties": {"primary": first_primary}},
                  {"id": nic_id("second"), "properties": {"primary": not first_primary}}]  # fmt: skip
    estate = change(hub_and_spoke(), "web", "properties.networkProfile.networkInterfaces", references)
    estate = change(estate, "web-nic", "properties.primary", first_primary)
    guard = nsg("closed", rule("no", 100, "Deny"))
    return add(estate, nic("second", "spoke", "workload", "10.1.2.9", nsg="closed"), guard)


def test_the_primary_nic_counts_and_no_other() -> None:
    assert codes(two_nics(first_primary=True)) == []
    assert codes(two_nics(first_primary=False)) == ["NicNsgDenies"]
    assert codes(two_nics(first_primary=True), address="10.1.2.9") == ["NotPrimaryNic"]
    assert codes(two_nics(first_primary=True), address="10.1.2.4") == []


def test_the_primary_ipv4_configuration_counts_and_no_other() -> None:
    path = "properties.ipConfigurations"
    held = next(one for one in hub_and_spoke() if one["name"] == "web-nic")["properties"]["ipConfigurations"][0]
    second = copy.deepcopy(held)
    second["name"], second["properties"]["primary"] = "second", False
    second["properties"]["privateIPAddress"] = "10.1.2.200"
    estate = change(hub_and_spoke(), "web-nic", path, [second, held])
    assert codes(with_nsg(estate, "nic", rule("no", 100, "Deny", destination="10.1.2.200"))) == []
    assert codes(with_nsg(estate, "nic", rule("no", 100, "Deny", destination="10.1.2.4"))) == ["NicNsgDenies"]


@pytest.mark.parametrize(
    "estate",
    [
        change(same_vnet(), "web", "tags", {"cm-resource-parent": "/subscriptions/s/providers/x/hostpools/pool"}),
        change(same_vnet(), "web", "properties.storageProfile.imageReference", {"sku": "win11-23h2-avd"}),
        add(same_vnet(), row(resource_id("Microsoft.DesktopVirtualization/hostPools", "pool/sessionHosts/web"), {"resourceId": ask(same_vnet()).vm.upper()})),
    ],
    ids=["tag", "image", "session host"],
)  # fmt: skip
def test_session_hosts_are_warned_of_and_still_judged(estate: Estate) -> None:
    assert codes(estate) == []
    assert "RdsOrAvdTarget" in warned(estate)


# Step 9


@pytest.mark.parametrize("sku", ["Developer", "Basic", "Standard", "Premium"])
@pytest.mark.parametrize("system", ["Linux", "Windows"])
@pytest.mark.parametrize("protocol", ["RDP", "SSH"])
@pytest.mark.parametrize("port", [None, 2222])
def test_other_protocols_and_ports_need_standard(sku: str, system: str, protocol: str, port: int | None) -> None:
    estate = change(same_vnet(), "web", "properties.storageProfile.osDisk.osType", system)
    estate = add(drop(estate, "bas"), bastion("bas", "hub", sku=sku))
    own = (system, protocol) in {("Linux", "SSH"), ("Windows", "RDP")}
    free = sku in {"Standard", "Premium"}
    expected = [] if own or free else ["ProtocolNotSupportedBySku"]
    expected += [] if port is None or free else ["CustomPortNotSupported"]
    assert codes(estate, protocol=protocol, port=port) == expected


# Step 11


def subnets_peered(here: list[str], there: list[str]) -> Estate:
    named = {"peerCompleteVnets": False, "localSubnetNames": here, "remoteSubnetNames": there}
    back = {"peerCompleteVnets": False, "localSubnetNames": there, "remoteSubnetNames": here}
    return link(link(hub_and_spoke(), "hub", **named), "spoke", **back)


def test_subnet_peering_is_judged_by_the_lists_of_both_links() -> None:
    assert codes(subnets_peered(["AzureBastionSubnet"], ["workload"])) == []
    assert codes(subnets_peered(["azurebastionsubnet"], ["WORKLOAD"])) == []
    assert codes(subnets_peered(["AzureBastionSubnet"], ["another"])) == ["SubnetNotPeered"]
    assert codes(subnets_peered(["another"], ["workload"])) == ["SubnetNotPeered"]
    one_side = link(subnets_peered(["AzureBastionSubnet"], ["workload"]), "spoke", peerCompleteVnets=True)
    assert codes(one_side) == []


@pytest.mark.parametrize(
    ("network", "encryption", "warns"),
    [
        ("spoke", {"enabled": True, "enforcement": "DropUnencrypted"}, True),
        ("hub", {"enabled": True, "enforcement": "dropunencrypted"}, True),
        ("spoke", {"enabled": True, "enforcement": "AllowUnencrypted"}, False),
        ("spoke", {"enabled": False, "enforcement": "DropUnencrypted"}, False),
    ],
)
def test_encryption_that_drops_is_warned_of_on_either_side(network: str, encryption: Row, warns: bool) -> None:
    estate = change(hub_and_spoke(), network, "properties.encryption", encryption)
    assert codes(estate) == []
    assert ("VnetEncryptionEnforced" in warned(estate)) == warns


def apart() -> Estate:
    estate = change(hub_and_spoke(), "hub", "properties.virtualNetworkPeerings", [])
    return change(estate, "spoke", "properties.virtualNetworkPeerings", [])


@pytest.mark.parametrize("spelling", ["effectiveConnectivityConfigurations", "EffectiveConnectivityConfigurations"])
@pytest.mark.parametrize(
    ("configuration", "connected"),
    [
        ({"connectivityTopology": "Mesh"}, True),
        (
            {"ConnectivityTopology": "HubAndSpoke", "AppliesToGroups": [{"GroupConnectivity": "DirectlyConnected"}]},
            True,
        ),
        ({"connectivityTopology": "HubAndSpoke", "appliesToGroups": [{"groupConnectivity": "None"}]}, False),
    ],
    ids=["mesh", "directly connected spokes", "hub and spoke"],
)
def test_a_connected_group_has_no_peering_objects(spelling: str, configuration: Row, connected: bool) -> None:
    group = connected_group("hub", "spoke")
    group[0]["properties"] = configuration
    for one in group[1:]:
        one["properties"] = {spelling: one["properties"]["effectiveConnectivityConfigurations"]}
    assert codes(add(apart(), *group)) == (["ConnectedGroupNoPeering"] if connected else ["NotPeered"])


# Step 14


@pytest.mark.parametrize("spelling", ["effectiveSecurityAdminConfigurations", "EffectiveSecurityAdminConfigurations"])
def test_effective_rules_are_read_in_both_spellings(spelling: str) -> None:
    rows = security_admin("spoke", admin_rule("no", 10, "Deny"))
    rows[0]["properties"] = {
        spelling: [
            {("Id" if spelling[0] == "E" else "id"): manager_id("securityAdminConfigurations/baseline/snapshots/3")}
        ]
    }
    assert codes(add(hub_and_spoke(), *rows)) == ["SecurityAdminDenies"]


@pytest.mark.parametrize("service", ["Microsoft.Sql/managedInstances", "Microsoft.Databricks/workspaces"])
@pytest.mark.parametrize(("mode", "expected"), [("AllowRulesOnly", []), ("All", ["SecurityAdminDenies"])])
def test_where_such_a_service_lives_allow_rules_only_leaves_denies_out(
    service: str, mode: str, expected: list[str]
) -> None:
    delegated = [{"name": "d", "properties": {"serviceName": service}}]
    estate = change(hub_and_spoke(), "spoke", "properties.subnets.0.properties.delegations", delegated)
    rules = security_admin("spoke", admin_rule("no", 10, "Deny"), applyOnNetworkIntentPolicyBasedServices=[mode])
    assert codes(add(estate, *rules)) == expected


def test_administrators_rules_do_not_apply_to_the_bastion_subnet() -> None:
    outbound = admin_rule("no", 10, "Deny")
    outbound["properties"]["direction"] = "Outbound"
    assert codes(add(hub_and_spoke(), *security_admin("hub", outbound, admin_rule("in", 11, "Deny")))) == []


# Step 15


def test_the_rule_named_decides_for_the_lowest_address_that_is_denied() -> None:
    high = rule("high", 100, "Deny", source="10.0.1.32/27")
    low = rule("low", 200, "Deny", source="10.0.1.0/27")
    [reason] = ask(with_nsg(hub_and_spoke(), "nic", high, low)).reasons
    assert (reason.code, reason.rule) == ("NicNsgDenies", "low")


def test_default_rules_are_named_as_azure_names_them() -> None:
    closed = link(with_nsg(hub_and_spoke(), "nic"), "spoke", allowVirtualNetworkAccess=False)
    [reason] = ask(closed).reasons
    assert (reason.rule, reason.priority, reason.direction) == ("DenyAllInBound", 65500, "Inbound")
    assert "allowVirtualNetworkAccess" in reason.message


def test_the_tag_has_the_prefixes_of_the_table_on_the_own_subnet_only() -> None:
    closed = link(with_nsg(hub_and_spoke(), "nic"), "spoke", allowVirtualNetworkAccess=False)
    home = route("home", "10.0.1.0/26", "VnetLocal")
    assert codes(closed) == ["NicNsgDenies"]
    assert codes(with_routes(closed, "subnet", home)) == []
    other = copy.deepcopy(with_routes(closed, "subnet", home))
    subnets = next(one for one in other if one["name"] == "spoke")["properties"]["subnets"]
    table = subnets[0]["properties"].pop("routeTable")
    subnets.append(
        {
            "name": "x",
            "id": subnet_id("spoke", "x"),
            "properties": {"addressPrefix": "10.1.3.0/24", "routeTable": table},
        }
    )
    assert codes(other) == ["NicNsgDenies"]


def test_both_groups_have_to_allow_and_each_is_named() -> None:
    estate = with_nsg(hub_and_spoke(), "nic", rule("nic", 100, "Deny"))
    other = nsg("second", rule("subnet", 100, "Deny"))
    estate = add(
        change(estate, "spoke", f"{BASTION_SUBNET}.properties.networkSecurityGroup", ref(nsg_id("second"))), other
    )
    assert [(one.code, one.rule) for one in ask(estate).reasons] == [
        ("SubnetNsgDenies", "subnet"),
        ("NicNsgDenies", "nic"),
    ]


# Scale sets


def instances(estate: Estate) -> list[Verdict]:
    return [one for one in judge_all(Inventory.from_rows(estate)) if "virtualMachineScaleSets" in one.vm]


def test_a_uniform_instance_has_the_group_and_the_application_groups_of_its_profile() -> None:
    guard = nsg("profile", rule("no", 100, "Deny"))
    estate = add(hub_and_spoke(), *scale_set("fleet", "spoke", "workload", nsg="profile"), guard)
    assert [[reason.code for reason in one.reasons] for one in instances(estate)] == [["NicNsgDenies"]]


def test_a_uniform_instance_without_its_scale_set_is_unknown() -> None:
    estate = add(hub_and_spoke(), *scale_set("fleet", "spoke", "workload"))
    assert [[reason.code for reason in one.reasons] for one in instances(drop(estate, "fleet"))] == [UNKNOWN]


def test_a_uniform_instance_whose_nic_is_a_row_is_judged_by_that() -> None:
    estate = add(hub_and_spoke(), *scale_set("fleet", "spoke", "workload"))
    instance = next(one for one in estate if "/virtualMachines/0" in one["id"])
    own = nic("nic", "spoke", "workload", "10.1.2.77")
    own["id"] = f"{instance['id']}/networkInterfaces/nic"
    own["type"] = "microsoft.compute/virtualmachinescalesets/virtualmachines/networkinterfaces"
    split = with_nsg(estate, "subnet", rule("some", 100, "Deny", destination="10.1.2.128/25"))
    assert [[reason.code for reason in one.reasons] for one in instances(split)] == [UNKNOWN]
    assert [one.verdict for one in instances(add(split, own))] == ["Reachable"]


def test_a_flexible_instance_is_a_vm_like_any_other() -> None:
    owner = ref(resource_id("Microsoft.Compute/virtualMachineScaleSets", "flex"))
    estate = change(hub_and_spoke(), "web", "properties.virtualMachineScaleSet", owner)
    assert codes(estate) == []
    assert codes(with_nsg(estate, "nic", rule("no", 100, "Deny"))) == ["NicNsgDenies"]


# Step 18 and section 10


@pytest.mark.parametrize(
    ("sku", "units", "rdp", "ssh"),
    [
        ("Developer", 1, 1, 1),
        ("Basic", 2, 40, 80),
        ("Standard", 50, 1000, 2000),
        ("Premium", 3, 60, 120),
        ("Basic", 9, 40, 80),
    ],
)
def test_sessions_that_a_host_carries(sku: str, units: int, rdp: int, ssh: int) -> None:
    held = Inventory.from_rows([bastion("bas", "hub", sku=sku, scaleUnits=units)])
    [host] = held.bastions.values()
    assert [sessions_carried(host, protocol) for protocol in Protocol] == [rdp, ssh]


def test_unreachable_comes_before_unknown_and_both_are_listed() -> None:
    estate = change(with_nsg(hub_and_spoke(), "nic", rule("no", 100, "Deny")), "bas", STATE, "Updating")
    verdict = ask(estate)
    assert ([one.code for one in verdict.reasons], verdict.verdict) == (
        ["BastionUpdating", "NicNsgDenies"],
        "Unreachable",
    )


def test_where_an_ends_address_is_not_known_the_flow_adds_nothing() -> None:
    estate = with_nsg(hub_and_spoke(), "subnet", rule("no", 100, "Deny"))
    estate = with_routes(estate, "subnet", route("b", "10.0.0.0/16", "None"))
    assert codes(estate) == ["SubnetNsgDenies", "ReturnRouteDiverted"]
    assert codes(drop(estate, "web-nic")) == UNKNOWN
    assert codes(change(estate, "hub", f"{BASTION_SUBNET}.name", "bastions")) == ["SubnetMissing"]


def test_a_link_that_is_disconnected_stands_alone_among_the_peerings_reasons() -> None:
    cut = link(hub_and_spoke(), "hub", peeringState="Disconnected", remoteAddressSpace={"addressPrefixes": []})
    assert codes(change(cut, "spoke", f"{LINK}.peeringState", "Initiated")) == ["PeeringDisconnected"]


def test_a_gateways_flags_and_forwarded_traffic_do_not_matter() -> None:
    flags: dict[str, Any] = {"allowForwardedTraffic": True, "allowGatewayTransit": True}
    assert codes(link(hub_and_spoke(), "hub", **flags)) == []


def test_findings_carry_whole_ids() -> None:
    for estate in (apart(), with_nsg(hub_and_spoke(), "nic", rule("no", 100, "Deny"))):
        for reason in ask(estate).reasons:
            assert reason.resource in {vnet_id("spoke"), nsg_id("guard")}
