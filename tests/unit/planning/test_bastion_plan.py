"""Given this Azure and this BastionHost, then these requests: parts first, then the host; what stands is kept as asked."""

import copy
from dataclasses import replace
from typing import Any

import pytest

from bastion_operator.planning.bastion_host import plan_bastion_host
from tests.support.estates import Row, bastion, public_ip, public_ip_id, resource_id, subnet, vnet_id
from tests.support.plans import ADDRESS, HOST, OWNER, bastion_input, claim, codes, marked, told
from tests.unit.planning.bastion_rows import BASTION_SUBNET, OTHER_TIME, SUBNET, body_of, hub, plan_of, standing


def used_by(user: str) -> list[Row]:
    return [{"id": f"{user}/bastionHostIpConfigurations/IpConf"}]


# --- from nothing ------------------------------------------------------------------------------------------------


def test_subnet_and_public_ip_come_first_and_all_three_are_claimed() -> None:
    plan = plan_of(hub(subnet("work", "10.0.0.0/24")), subnetPrefix="Auto", tags={"team": "net"}, zones=["1"])
    assert told(plan.changes) == [("Create", "subnets/AzureBastionSubnet"), ("Create", "publicIPAddresses/bas-ip")]
    assert plan.changes[0].body == {"properties": {"addressPrefix": "10.0.1.0/26"}}
    assert plan.changes[1].body == {
        "location": "westeurope",
        "sku": {"name": "Standard"},
        "tags": {"team": "net", **OWNER.tags()},
        "properties": {"publicIPAllocationMethod": "Static", "publicIPAddressVersion": "IPv4"},
        "zones": ["1"],
    }
    record = "sku=Standard;zones=1;features.privateOnly=false;publicIP="
    assert {(each.id, each.detail) for each in plan.claims} == {
        (SUBNET, "10.0.1.0/26"),
        (ADDRESS, None),
        (HOST, record),
    }


def test_no_part_is_made_before_the_host_was_looked_for_again() -> None:
    plan = plan_of(hub(), subnetPrefix="Auto")
    assert plan.changes
    for change in plan.changes:
        assert HOST in change.reads, f"a late source may hide the host, and then nobody needs {change.resource_id}"


def test_the_host_follows_once_its_parts_stand() -> None:
    plan = plan_of(
        hub(BASTION_SUBNET),
        marked(public_ip("bas-ip")),
        scaleUnits=3,
        zones=["1", "2"],
        tags={"team": "net"},
        features={"nativeClient": True, "copyPaste": False, "ipConnect": False},
    )
    assert body_of(plan) == {
        "location": "westeurope",
        "sku": {"name": "Standard"},
        "zones": ["1", "2"],
        "tags": {"team": "net", **OWNER.tags()},
        "properties": {
            "ipConfigurations": [
                {
                    "name": "IpConf",
                    "properties": {
                        "privateIPAllocationMethod": "Dynamic",
                        "subnet": {"id": SUBNET},
                        "publicIPAddress": {"id": ADDRESS},
                    },
                }
            ],
            "scaleUnits": 3,
            "enableTunneling": True,
            "disableCopyPaste": True,
            "enableIpConnect": False,
        },
    }


def test_a_developer_host_is_bound_to_the_network_and_needs_nothing_else() -> None:
    body = body_of(plan_of(hub(), sku="Developer"))
    assert body["sku"] == {"name": "Developer"}
    assert body["properties"] == {"virtualNetwork": {"id": vnet_id("hub")}, "ipConfigurations": []}


def test_a_private_only_host_has_no_public_ip() -> None:
    asked = {"sku": "Premium", "features": {"privateOnly": True}}
    assert told(plan_of(hub(), subnetPrefix="Auto", **asked).changes) == [("Create", "subnets/AzureBastionSubnet")]
    body = body_of(plan_of(hub(BASTION_SUBNET), **asked))
    assert body["properties"]["enablePrivateOnlyBastion"] is True
    assert "publicIPAddress" not in body["properties"]["ipConfigurations"][0]["properties"]


def test_resource_group_and_name_move_host_and_public_ip_but_not_the_subnet() -> None:
    plan = plan_of(hub(), subnetPrefix="Auto", resourceGroup="bastions", azureName="jump")
    address = resource_id("Microsoft.Network/publicIPAddresses", "jump-ip", group="bastions")
    assert [change.resource_id for change in plan.changes] == [SUBNET, address]
    assert resource_id("Microsoft.Network/bastionHosts", "jump", group="bastions") in {each.id for each in plan.claims}


def test_a_public_ip_given_by_id_is_used_and_neither_marked_nor_claimed() -> None:
    given = public_ip_id("theirs", group="addresses")
    row = {**public_ip("theirs"), "id": given}
    plan = plan_of(hub(BASTION_SUBNET), row, publicIP={"id": given})
    assert body_of(plan)["properties"]["ipConfigurations"][0]["properties"]["publicIPAddress"] == {"id": given}
    assert [each.id for each in plan.claims] == [HOST]


def test_a_subnet_that_exists_is_used_and_never_claimed() -> None:
    plan = plan_of(hub(BASTION_SUBNET), subnetPrefix="Auto")
    assert told(plan.changes) == [("Create", "publicIPAddresses/bas-ip")]
    assert SUBNET not in {each.id for each in plan.claims}


def test_parts_that_azure_works_on_are_waited_for() -> None:
    busy = subnet("AzureBastionSubnet", "10.0.0.0/26", provisioningState="Updating")
    plan = plan_of(hub(busy), marked(public_ip("bas-ip")))
    assert not plan.changes
    assert [wait.summary for wait in plan.waits] == ["subnet AzureBastionSubnet of virtual network hub is Updating"]


# --- what hinders ------------------------------------------------------------------------------------------------

NIC = resource_id("Microsoft.Network/networkInterfaces", "nic")
OTHER_HOST = resource_id("Microsoft.Network/bastionHosts", "theirs")
HINDRANCES: dict[str, tuple[list[Row], dict[str, Any], str]] = {
    "no network": ([], {}, "VirtualNetworkNotFound"),
    "no subnet and no prefix": ([hub()], {}, "SubnetPrefixMissing"),
    "prefix outside": ([hub()], {"subnetPrefix": "192.168.0.0/26"}, "SubnetPrefixInvalid"),
    "prefix taken": ([hub(subnet("work", "10.0.0.0/24"))], {"subnetPrefix": "10.0.0.0/26"}, "SubnetPrefixInvalid"),
    "no room": ([hub(subnet("work", "10.0.0.0/16"))], {"subnetPrefix": "Auto"}, "NoFreePrefix"),
    "pool": (
        [hub(addressSpace={"addressPrefixes": ["10.0.0.0/16"], "ipamPoolPrefixAllocations": [{"pool": {"id": "/p"}}]})],
        {"subnetPrefix": "Auto"},
        "NoFreePrefix",
    ),
    "other prefix": ([hub(BASTION_SUBNET)], {"subnetPrefix": "10.0.4.0/26"}, "SubnetDiffers"),
    "too small": ([hub(subnet("AzureBastionSubnet", "10.0.0.0/27"))], {}, "SubnetTooSmall"),
    "name": ([hub(subnet("azurebastionsubnet", "10.0.0.0/26"))], {}, "SubnetNameMustBeAzureBastionSubnet"),
    "not dedicated": (
        [hub(subnet("AzureBastionSubnet", "10.0.0.0/26", ipConfigurations=[{"id": f"{NIC}/ipConfigurations/a"}]))],
        {},
        "SubnetNotDedicated",
    ),
    "another Bastion": (
        [hub(subnet("AzureBastionSubnet", "10.0.0.0/26", ipConfigurations=used_by(OTHER_HOST)))],
        {},
        "AnotherBastionInVirtualNetwork",
    ),
    "address not found": ([hub(BASTION_SUBNET)], {"publicIP": {"id": public_ip_id("none")}}, "PublicIPNotFound"),
    "address Basic": (
        [hub(BASTION_SUBNET), public_ip("theirs", sku="Basic")],
        {"publicIP": {"id": public_ip_id("theirs")}},
        "PublicIPInvalid",
    ),
    "address in use": (
        [hub(BASTION_SUBNET), public_ip("theirs", ipConfiguration={"id": f"{NIC}/ipConfigurations/a"})],
        {"publicIP": {"id": public_ip_id("theirs")}},
        "PublicIPAddressInUse",
    ),
    "address of somebody": ([hub(BASTION_SUBNET), public_ip("bas-ip")], {}, "NotOwned"),
    "host of somebody": ([hub(BASTION_SUBNET), bastion("bas", "hub")], {}, "NotOwned"),
    "host of another resource": (
        [hub(BASTION_SUBNET), {**bastion("bas", "hub"), "tags": {**OWNER.tags(), "azurebastion-name": "else"}}],
        {"adoptionPolicy": "IfUnmanaged"},
        "NotOwned",
    ),
    "host elsewhere": (
        [hub(BASTION_SUBNET), bastion("bas", "spoke")],
        {"adoptionPolicy": "IfUnmanaged"},
        "HostInOtherVirtualNetwork",
    ),
    "recording beside the native client": (
        standing(sku="Premium", enableTunneling=True),
        {"sku": "Premium", "features": {"sessionRecording": True}},
        "SessionRecordingExcludesNativeClient",
    ),
    "downgrade": (standing(sku="Premium"), {"sku": "Standard"}, "DowngradeNotSupported"),
    "zones": (standing(), {"zones": ["1"]}, "FixedAtCreation"),
    "private only": (standing(), {"sku": "Premium", "features": {"privateOnly": True}}, "FixedAtCreation"),
    "other address": (standing(), {"publicIP": {"id": public_ip_id("theirs")}}, "FixedAtCreation"),
}


@pytest.mark.parametrize(("rows", "asked", "code"), HINDRANCES.values(), ids=HINDRANCES)
def test_what_hinders_is_told_before_anything_is_sent(rows: list[Row], asked: dict[str, Any], code: str) -> None:
    plan = plan_of(*rows, **asked)
    assert codes(plan) == [code]
    assert plan.settled
    assert plan.obstacles[0].resource


def test_where_the_subnet_cannot_be_made_no_public_ip_is_paid_for() -> None:
    plan = plan_of(hub(), subnetPrefix="192.168.0.0/26")
    assert not plan.changes
    assert plan.claims == ()


def test_a_downgrade_names_the_ways_out() -> None:
    message = plan_of(*standing(sku="Premium"), sku="Standard").obstacles[0].message
    assert "set sku to Premium" in message
    assert "delete the host in Azure" in message


# --- a host that stands ------------------------------------------------------------------------------------------


def test_in_sync_means_an_empty_plan() -> None:
    plan = plan_of(*standing(enableTunneling=True), features={"nativeClient": True, "copyPaste": True})
    assert plan.settled
    assert not plan.obstacles
    again = plan_bastion_host(replace(bastion_input(*standing(), claims=plan.claims), now=OTHER_TIME))
    assert again.claims == plan.claims


def test_azures_defaults_are_no_difference() -> None:
    rows = standing()
    host = rows[2]
    del host["properties"]["scaleUnits"]
    host["sku"] = None
    assert plan_of(*rows, sku="Basic", scaleUnits=2, features={"fileCopy": False}).settled


def test_a_put_on_a_host_that_stands_is_the_body_that_was_read_with_the_named_fields_changed() -> None:
    rows = standing(enableIpConnect=True, somethingNew={"of": "Azure"})
    rows[2] |= {"etag": 'W/"3"', "identity": {"type": "SystemAssigned"}}
    before = copy.deepcopy(rows[2])
    plan = plan_of(*rows, sku="Premium", scaleUnits=4, features={"copyPaste": False, "fileCopy": False})
    (change,) = plan.changes
    before["sku"]["name"] = "Premium"
    before["properties"] |= {"scaleUnits": 4, "disableCopyPaste": True}
    assert change.body == before
    assert change.if_match == 'W/"3"'
    assert [each.field for each in change.differences] == [
        "sku.name",
        "properties.scaleUnits",
        "properties.disableCopyPaste",
    ]
    assert rows[2]["properties"]["scaleUnits"] == 2


@pytest.mark.parametrize(
    ("asked", "drops"),
    [({"scaleUnits": 3}, True), ({"sku": "Premium"}, True), ({"features": {"fileCopy": True}}, False)],
)
def test_a_change_that_drops_sessions_says_so(asked: dict[str, Any], *, drops: bool) -> None:
    (change,) = plan_of(*standing(), **asked).changes
    assert ("this drops the sessions that are open" in change.summary) is drops


def test_recording_is_turned_on_where_the_native_client_is_turned_off_with_it() -> None:
    asked = {"sku": "Premium", "features": {"sessionRecording": True, "nativeClient": False}}
    body = body_of(plan_of(*standing(sku="Premium", enableTunneling=True), **asked))
    assert body["properties"]["enableSessionRecording"] is True
    assert body["properties"]["enableTunneling"] is False


def test_tags_are_found_in_any_case_and_compared_by_value() -> None:
    rows = standing()
    rows[2]["tags"]["TEAM"] = "net"
    rows[1]["tags"]["Team"] = "net"
    assert plan_of(*rows, tags={"team": "net"}).settled
    plan = plan_of(*rows, tags={"team": "Net"})
    assert body_of(plan)["tags"] == {**OWNER.tags(), "TEAM": "Net"}


def test_the_operators_marks_cannot_be_overwritten_by_tags() -> None:
    assert plan_of(*standing(), tags={"AzureBastion-Name": "other"}).settled
    made = body_of(plan_of(hub(BASTION_SUBNET), marked(public_ip("bas-ip")), tags={"AzureBastion-Name": "other"}))
    assert made["tags"] == OWNER.tags()


def test_tags_that_differ_only_in_case_come_to_rest() -> None:
    rows = standing()
    rows[2]["tags"]["Env"] = rows[1]["tags"]["Env"] = "b"
    assert plan_of(*rows, tags={"ENV": "a", "env": "b"}).settled


def test_tags_of_the_public_ip_follow_the_spec_once_the_host_does() -> None:
    rows = standing()
    rows[2]["tags"]["team"] = "net"
    plan = plan_of(*rows, tags={"team": "net"})
    assert told(plan.changes) == [("Update", "publicIPAddresses/bas-ip")]


def test_a_developer_host_gets_subnet_and_public_ip_before_its_sku_is_raised() -> None:
    host = marked(bastion("bas", "hub", sku="Developer"))
    first = plan_of(hub(), host, subnetPrefix="Auto", zones=["1"])
    assert told(first.changes) == [("Create", "subnets/AzureBastionSubnet"), ("Create", "publicIPAddresses/bas-ip")]
    second = plan_of(hub(BASTION_SUBNET), marked(public_ip("bas-ip")), host, claims=first.claims)
    assert told(second.changes) == [("Update", "bastionHosts/bas")]
    body = body_of(second)
    assert body["sku"] == {"name": "Standard"}
    assert body["properties"]["ipConfigurations"][0]["properties"]["subnet"] == {"id": SUBNET}


def test_a_developer_host_that_is_raised_is_asked_for_what_azure_fixes_then() -> None:
    host = marked(bastion("bas", "hub", sku="Developer"))
    asked = {"sku": "Premium", "zones": ["1"], "features": {"privateOnly": True}}
    (change,) = plan_of(hub(BASTION_SUBNET), host, **asked).changes
    body = dict(change.body or {})
    assert body["zones"] == ["1"]
    assert body["properties"]["enablePrivateOnlyBastion"] is True
    assert "publicIPAddress" not in body["properties"]["ipConfigurations"][0]["properties"]
    assert "zones: none → 1" in [str(each) for each in change.differences]


def test_auto_takes_the_networks_own_space_only_and_no_prefix_of_a_subnet() -> None:
    spaces = {"addressPrefixes": ["fd00::/48", "10.0.0.0/25", "10.9.0.0/16"]}
    taken = [subnet("a", "10.0.0.0/26"), subnet("b", "10.0.0.64/27")]
    taken[1]["properties"] |= {"addressPrefixes": ["10.0.0.64/27", "fd00::/64"]}
    plan = plan_of(hub(*taken, addressSpace=spaces), subnetPrefix="Auto")
    assert plan.changes[0].body == {"properties": {"addressPrefix": "10.9.0.0/26"}}


def test_where_a_pool_governs_the_space_a_given_prefix_is_taken() -> None:
    pool = {"addressPrefixes": ["10.0.0.0/16"], "ipamPoolPrefixAllocations": [{"pool": {"id": "/p"}}]}
    plan = plan_of(hub(addressSpace=pool), subnetPrefix="10.0.3.0/26")
    assert plan.changes[0].body == {"properties": {"addressPrefix": "10.0.3.0/26"}}


def test_a_failed_host_gets_the_identical_put_and_says_so() -> None:
    rows = standing(provisioningState="Failed")
    plan = plan_of(*rows)
    assert body_of(plan) == rows[2]
    assert codes(plan) == ["ProvisioningFailed"]


@pytest.mark.parametrize("state", ["Creating", "Updating", "Deleting"])
def test_a_host_that_azure_works_on_is_waited_for(state: str) -> None:
    plan = plan_of(*standing(provisioningState=state), sku="Premium")
    assert not plan.changes
    assert [wait.state for wait in plan.waits] == [state]


# --- parts that Azure gave up ------------------------------------------------------------------------------------

FAILED = {"provisioningState": "Failed"}


def failed(row: Row) -> Row:
    return {**row, "properties": {**row["properties"], **FAILED}}


def test_a_public_ip_of_the_operators_that_failed_is_sent_again_before_the_host() -> None:
    address = failed(marked(public_ip("bas-ip")))
    plan = plan_of(hub(BASTION_SUBNET), address)
    assert told(plan.changes) == [("Update", "publicIPAddresses/bas-ip")]
    assert body_of(plan) == address


def test_a_subnet_of_the_operators_that_failed_is_sent_again_before_the_host() -> None:
    rows = [hub(failed(BASTION_SUBNET)), marked(public_ip("bas-ip"))]
    own = claim(SUBNET, purpose="Subnet", detail="10.0.0.0/26")
    assert told(plan_of(*rows, claims=(own,), subnetPrefix="Auto").changes) == [
        ("Update", "subnets/AzureBastionSubnet")
    ]
    theirs = plan_of(*rows, subnetPrefix="Auto")
    assert told(theirs.changes) == [("Create", "bastionHosts/bas")], "what others made is theirs to mend"


def test_an_address_of_a_host_that_stands_is_sent_again_if_its_change_failed() -> None:
    rows = [hub(BASTION_SUBNET), marked(bastion("bas", "hub", sku="Standard")), failed(marked(public_ip("bas-ip")))]
    assert told(plan_of(*rows).changes) == [("Update", "publicIPAddresses/bas-ip")]


def test_an_address_that_the_spec_names_is_not_sent_again() -> None:
    plan = plan_of(hub(BASTION_SUBNET), failed(public_ip("shared")), publicIP={"id": public_ip_id("shared")})
    assert told(plan.changes) == [("Create", "bastionHosts/bas")]
