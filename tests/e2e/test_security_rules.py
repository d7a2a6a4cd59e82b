"""Security rules: a subnet that is born with its group, VMs let in where a rule is needed, and foreign rules untouched."""

import json
from collections.abc import Callable
from typing import Any

from dev.demo.colleague import Colleague
from tests.support.lab import APPS_SUBSCRIPTION, EXAMPLE, HOST, HUB, HUB_SUBSCRIPTION, Lab, Manifest, example

HUB_BASTION, _ = example("bastion-host.yaml")
(PEERING,) = example("vnet-peering.yaml")
SUBNET = f"{HUB}/subnets/AzureBastionSubnet"
OWN_GROUP = f"{HUB.rsplit('/', 2)[0]}/networkSecurityGroups/hub-nsg"
ADDRESS = f"{HUB.rsplit('/', 2)[0]}/publicIPAddresses/theirs"
DB_GROUP = (
    f"/subscriptions/{APPS_SUBSCRIPTION}/resourceGroups/billing/providers/Microsoft.Network/networkSecurityGroups/"
    "db-nic-nsg"
)
GROUPS = "/networksecuritygroups/"


def host(**security: Any) -> Manifest:
    """The example's Bastion with these fields of networkSecurity."""
    copied: Manifest = json.loads(json.dumps(HUB_BASTION))
    copied["spec"]["networkSecurity"] = security
    return copied


def writes_to_groups(lab: Lab) -> list[tuple[str, str]]:
    return [(method, path) for method, path, status in lab.writes() if GROUPS in path and status < 300]


def foreign_rules(lab: Lab, group: str) -> list[str]:
    """The rules that are not the operator's, byte for byte but for the etag, which is the whole group's."""
    rules = lab.azure.resources()[group.lower()]["properties"]["securityRules"]
    theirs = [{key: value for key, value in rule.items() if key != "etag"} for rule in rules]
    return sorted(json.dumps(rule, sort_keys=True) for rule in theirs if not rule["name"].startswith("azurebastion-"))


def test_a_new_subnet_is_born_with_its_group_and_both_go_in_azures_order(lab_factory: Callable[..., Lab]) -> None:
    lab = lab_factory([*json.loads((EXAMPLE / "estate.json").read_text()), foreign_address()])
    before = lab.azure.resources()
    lab.operator.start()
    asked = host(subnet="Enforce", targets="Off", allowedSources=["203.0.113.0/24"], ports={"ssh": [2222]})
    asked["spec"] |= {
        "sku": "Standard",
        "publicIP": {"id": ADDRESS},
        "zones": ["1", "2"],
        "features": {"nativeClient": True, "kerberos": True, "copyPaste": False},
    }
    lab.apply(asked)
    lab.wait_ready("bh/hub")
    lab.wait_condition("bh", "hub", "SecurityRulesInSync", "True")
    resources = lab.azure.resources()
    (bastion_subnet,) = [
        each for each in resources[HUB.lower()]["properties"]["subnets"] if each["name"] == "AzureBastionSubnet"
    ]
    assert bastion_subnet["properties"]["networkSecurityGroup"]["id"].lower() == OWN_GROUP.lower()
    rules = resources[OWN_GROUP.lower()]["properties"]["securityRules"]
    assert len(rules) == 8
    (https,) = [each["properties"] for each in rules if each["name"].endswith("-AllowHttpsInbound")]
    assert (https["sourceAddressPrefix"], https["priority"]) == ("203.0.113.0/24", 120)
    (sessions,) = [each["properties"] for each in rules if each["name"].endswith("-AllowSshRdpOutbound")]
    assert set(sessions["destinationPortRanges"]) == {"22", "2222", "3389"}
    made = [(method, path) for method, path, status in lab.writes() if status < 300]
    assert made == [("PUT", OWN_GROUP.lower()), ("PUT", SUBNET.lower()), ("PUT", HOST.lower())]
    bastion = resources[HOST.lower()]
    assert bastion["zones"] == ["1", "2"]
    features = ("enableTunneling", "enableKerberos", "disableCopyPaste")
    assert [bastion["properties"].get(each) for each in features] == [True, True, True]
    (placed,) = bastion["properties"]["ipConfigurations"]
    assert placed["properties"]["publicIPAddress"]["id"].lower() == ADDRESS.lower()
    lab.delete("bh", "hub")
    deleted = [path for method, path, status in lab.writes() if method == "DELETE" and status == 202]
    assert deleted == [HOST.lower(), SUBNET.lower(), OWN_GROUP.lower()], "and the address of others stays"
    assert lab.azure.resources().keys() == before.keys()


def foreign_address() -> Manifest:
    """Somebody's public IP address."""
    return {
        "id": ADDRESS,
        "name": "theirs",
        "type": "microsoft.network/publicipaddresses",
        "location": "westeurope",
        "sku": {"name": "Standard", "tier": "Regional"},
        "properties": {"publicIPAllocationMethod": "Static", "publicIPAddressVersion": "IPv4", "ipAddress": "20.1.2.3"},
    }


def test_a_foreign_deny_is_told_overridden_when_asked_and_the_rule_goes_with_the_resource(lab: Lab) -> None:
    before = foreign_rules(lab, DB_GROUP)
    lab.apply(PEERING, host())
    lab.wait_ready("bh/hub", "vnp/hub")
    lab.wait_condition("bh", "hub", "SecurityRulesInSync", "False", says="DenyRemoteAccess")
    lab.apply(host(targets="Enforce"))
    told = lab.wait_condition("bh", "hub", "SecurityRulesInSync", "False", "SecurityRuleShadowed")
    assert "DenyRemoteAccess" in told["message"]
    assert "overrideDenies: true" in told["message"]
    assert not writes_to_groups(lab)

    lab.apply(host(targets="Enforce", overrideDenies=True))
    lab.wait_for(lambda: lab.reasons().get("db-1") == [], "the database can be reached")
    lab.wait_condition("bh", "hub", "SecurityRulesInSync", "True")
    ((method, path),) = writes_to_groups(lab)
    assert (method, path.rpartition("/securityrules/")[0]) == ("PUT", DB_GROUP.lower())

    with Colleague(lab.azure).network(APPS_SUBSCRIPTION) as client:
        client.security_rules.begin_delete("billing", "db-nic-nsg", path.rpartition("/")[2]).result()
    lab.annotate("bh", "hub", "once")
    lab.wait_for(lambda: len(writes_to_groups(lab)) > 1, "a rule that somebody deleted is written again")
    lab.wait_for(lambda: lab.reasons().get("db-1") == [], "the database can be reached again")

    lab.delete("bh", "hub")
    assert [each[0] for each in writes_to_groups(lab)] == ["PUT", "PUT", "DELETE"]
    assert foreign_rules(lab, DB_GROUP) == before
    assert len(lab.azure.resources()[DB_GROUP.lower()]["properties"]["securityRules"]) == len(before)


def test_only_what_a_foreign_group_lacks_is_added_rule_by_rule(lab_factory: Callable[..., Lab]) -> None:
    estate = json.loads((EXAMPLE / "estate.json").read_text())
    rows = estate if isinstance(estate, list) else estate["data"]
    lab = lab_factory([*with_foreign_group(rows)])
    group = f"{HUB.rsplit('/', 2)[0]}/networkSecurityGroups/theirs"
    before = foreign_rules(lab, group)
    lab.operator.start()
    lab.apply(host(subnet="Enforce", targets="Off", allowedSources=["198.51.100.0/24"]))
    lab.wait_ready("bh/hub")
    lab.wait_condition("bh", "hub", "SecurityRulesInSync", "True")
    ((method, path),) = writes_to_groups(lab)
    assert method == "PUT"
    assert path.startswith(f"{group.lower()}/securityrules/azurebastion-")
    assert path.endswith("-allowhttpsinbound")
    assert foreign_rules(lab, group) == before

    # Somebody denies in front of it what it allows: told by name, and gone in front of once that is asked for.
    office = "198.51.100.0/24"
    Colleague(lab.azure).deny(
        HUB_SUBSCRIPTION, "connectivity", "theirs", "no-office", priority=110, port=443, source=office
    )
    before = foreign_rules(lab, group)
    told = lab.wait_condition("bh", "hub", "SecurityRulesInSync", "False", "SecurityRuleShadowed")
    assert "rule no-office (priority 110)" in told["message"]
    assert "overrideDenies: true" in told["message"]
    assert len(writes_to_groups(lab)) == 1
    lab.apply(host(subnet="Enforce", targets="Off", allowedSources=[office], overrideDenies=True))
    lab.wait_condition("bh", "hub", "SecurityRulesInSync", "True")
    assert writes_to_groups(lab) == [("PUT", path)] * 2
    assert foreign_rules(lab, group) == before
    rules = lab.azure.resources()[group.lower()]["properties"]["securityRules"]
    assert [each["properties"]["priority"] for each in rules if each["name"].startswith("azurebastion-")] == [109]


def with_foreign_group(rows: list[Manifest]) -> list[Manifest]:
    """The estate with somebody's AzureBastionSubnet and group, which lets in the office alone."""
    rows = json.loads(json.dumps(rows))
    group = f"{HUB.rsplit('/', 2)[0]}/networkSecurityGroups/theirs"
    network = next(row for row in rows if row["id"].lower() == HUB.lower())
    network["properties"]["subnets"].append(
        {
            "id": SUBNET,
            "name": "AzureBastionSubnet",
            "properties": {"addressPrefix": "10.0.3.0/26", "networkSecurityGroup": {"id": group}},
        }
    )
    table = [
        ("clients", "Inbound", 120, "203.0.113.0/24", "*", ["443"]),
        ("manager", "Inbound", 130, "GatewayManager", "*", ["443"]),
        ("probes", "Inbound", 140, "AzureLoadBalancer", "*", ["443"]),
        ("data-in", "Inbound", 150, "VirtualNetwork", "VirtualNetwork", ["8080", "5701"]),
        ("sessions", "Outbound", 100, "*", "VirtualNetwork", ["22", "3389"]),
        ("cloud", "Outbound", 110, "*", "AzureCloud", ["443"]),
        ("data-out", "Outbound", 120, "VirtualNetwork", "VirtualNetwork", ["8080", "5701"]),
        ("information", "Outbound", 130, "*", "Internet", ["80"]),
    ]
    rules = [
        {
            "id": f"{group}/securityRules/{name}",
            "name": name,
            "properties": {
                "access": "Allow",
                "protocol": "Tcp",
                "direction": way,
                "priority": priority,
                "sourceAddressPrefix": source,
                "destinationAddressPrefix": destination,
                "sourcePortRange": "*",
                "destinationPortRanges": ports,
            },
        }
        for name, way, priority, source, destination, ports in table
    ]
    row = {
        "id": group,
        "name": "theirs",
        "type": "microsoft.network/networksecuritygroups",
        "location": network["location"],
        "properties": {"securityRules": rules},
    }
    return [*rows, row]
