"""Two Bastions and their rules in one group, VMs that come and go, and VMs that the identity may not see for a while."""

import asyncio
import json
from collections.abc import Callable

from tests.support.lab import APPS_SUBSCRIPTION, EXAMPLE, SHOP, Lab, Manifest, example

HUB_BASTION, _ = example("bastion-host.yaml")
(PEERING,) = example("vnet-peering.yaml")
NETWORK = f"/subscriptions/{APPS_SUBSCRIPTION}/resourceGroups/shop/providers/Microsoft.Network"
GROUP = f"{NETWORK}/networkSecurityGroups/web-nsg"
SET = f"{NETWORK.replace('Network', 'Compute')}/virtualMachineScaleSets/workers"
INSTANCE_NIC = f"{SET}/virtualMachines/0/networkInterfaces/nic"
NIC_READ = "Microsoft.Compute/virtualMachineScaleSets/virtualMachines/networkInterfaces/read"
BLIND = {"actions": ["*"], "notActions": ["Microsoft.Compute/virtualMachines/read", NIC_READ]}


def estate() -> list[Manifest]:
    """The example's, in which the group of the shop's subnet keeps everybody out."""
    rows: list[Manifest] = json.loads((EXAMPLE / "estate.json").read_text())
    group = next(row for row in rows if row["id"] == GROUP)
    held = {
        "access": "Deny",
        "direction": "Inbound",
        "priority": 4000,
        "protocol": "*",
        "sourceAddressPrefix": "*",
        "sourcePortRange": "*",
        "destinationAddressPrefix": "*",
        "destinationPortRange": "*",
    }
    group["properties"]["securityRules"] = [{"name": "closed", "properties": held}]
    return [*rows, *scale_set()]


def scale_set() -> list[Manifest]:
    """A uniform scale set with one instance beside the VMs of the shop."""
    subnet = {"id": f"{SHOP}/subnets/web"}
    placed = {"primary": True, "subnet": subnet, "privateIPAddress": "10.1.1.6"}
    interface = {"primary": True, "ipConfigurations": [{"name": "ip", "properties": placed}]}
    part = {"name": "ip", "properties": {"subnet": subnet}}
    nic = {"name": "nic", "properties": {"primary": True, "ipConfigurations": [part]}}
    profile = {"networkProfile": {"networkInterfaceConfigurations": [nic]}}
    sku = {"name": "Standard_B2s", "capacity": 1}
    running = {
        "extended": {"instanceView": {"powerState": {"code": "PowerState/running"}}},
        "storageProfile": {"osDisk": {"osType": "Linux"}},
        "networkProfile": {"networkInterfaces": [{"id": INSTANCE_NIC}]},
    }
    where = {"location": "westeurope"}
    asked = {"orchestrationMode": "Uniform", "virtualMachineProfile": profile}
    return [
        {"id": SET, "type": "Microsoft.Compute/virtualMachineScaleSets", "sku": sku, "properties": asked, **where},
        {"id": f"{SET}/virtualMachines/0", "properties": running, **where},
        {"id": INSTANCE_NIC, "properties": interface},
    ]


def hosts() -> list[Manifest]:
    """The hub's Bastion and one in the shop itself, both of which let themselves in."""
    copy: Manifest = json.loads(json.dumps(HUB_BASTION))
    copy["spec"] |= {"networkSecurity": {"subnet": "Off", "targets": "Enforce", "overrideDenies": True}}
    copy["spec"]["targets"] = {"selectors": {"resourceGroups": ["shop"]}}
    other: Manifest = json.loads(json.dumps(copy))
    other["metadata"]["name"] = "shop"
    other["spec"]["virtualNetworkID"] = SHOP
    return [copy, other]


def own_rules(lab: Lab) -> dict[str, tuple[set[str], int]]:
    """The operator's rules in the group by name: the VMs' addresses and the priority."""
    found = {}
    for rule in lab.azure.resources()[GROUP.lower()]["properties"]["securityRules"]:
        held = rule["properties"]
        if rule["name"].startswith("azurebastion-"):
            several = held.get("destinationAddressPrefixes") or [held["destinationAddressPrefix"]]
            found[rule["name"]] = (set(several), held["priority"])
    return found


def foreign_rules(lab: Lab) -> list[str]:
    rules = lab.azure.resources()[GROUP.lower()]["properties"]["securityRules"]
    theirs = [{key: value for key, value in rule.items() if key != "etag"} for rule in rules]
    return [json.dumps(rule, sort_keys=True) for rule in theirs if not rule["name"].startswith("azurebastion-")]


def rule_writes(lab: Lab, start: int = 0) -> list[str]:
    return [method for method, path, status in lab.writes()[start:] if "/securityrules/" in path and status < 300]


def let_in(lab: Lab) -> list[set[str]]:
    """The addresses that each of the operator's rules is for."""
    return [addresses for addresses, _ in own_rules(lab).values()]


def remove(lab: Lab, *resource_ids: str) -> None:
    """Somebody deletes these."""

    async def act() -> None:
        async with lab.azure.control() as control:
            for each in resource_ids:
                await control.delete_resource(each)

    asyncio.run(act())


def leave(lab: Lab, name: str) -> None:
    """Somebody deletes a VM and its NIC."""
    remove(
        lab,
        f"{NETWORK.replace('Network', 'Compute')}/virtualMachines/{name}",
        f"{NETWORK}/networkInterfaces/{name}-nic",
    )


def told(lab: Lab, name: str) -> str:
    found = lab.condition("bh", name, "SecurityRulesInSync")
    return "" if found is None else str(found["message"])


def test_two_bastions_keep_their_own_rules_for_the_vms_that_are_there_and_for_no_others(
    lab_factory: Callable[..., Lab],
) -> None:
    everything: Manifest = {"actions": ["*"]}
    principals = [{"name": "operator", "assignments": [everything]}, {"name": "blind", "assignments": [BLIND]}]
    lab = lab_factory(estate(), principals=principals)
    before = foreign_rules(lab)
    lab.operator.start()
    lab.apply(*hosts(), {**PEERING, "spec": {**PEERING["spec"], "spokes": [{"virtualNetworkID": SHOP}]}})
    lab.wait_ready("bh/hub", "bh/shop", "vnp/hub")
    lab.wait_for(lambda: let_in(lab) == [{"10.1.1.4/31", "10.1.1.6"}] * 2, "each has one rule for all three")
    assert rule_writes(lab) == ["PUT", "PUT"], "two Bastions on one group do not fight"
    places = [place for _, place in own_rules(lab).values()]
    assert len(set(places)) == 2
    assert max(places) < 4000
    assert not any(
        "/networksecuritygroups/web-nsg" in path and "/securityrules/" not in path for _, path, _ in lab.writes()
    )

    # The identity may not see VMs any more. In the graph they look as if they were gone; nothing is taken from them.
    start, blind = len(lab.writes()), lab.azure.clients["blind"]
    lab.apply_identity(clientID=blind.client_id, client_secret=blind.client_secret)
    for name in ("hub", "shop"):
        for right in (NIC_READ, "Microsoft.Compute/virtualMachines/read"):
            lab.wait_for(lambda: right in told(lab, name), f"{right} is named as missing")  # noqa: B023
    assert rule_writes(lab, start) == []
    lab.apply_identity()
    lab.wait_condition("bh", "hub", "SecurityRulesInSync", "True")
    lab.wait_condition("bh", "shop", "SecurityRulesInSync", "True")
    assert rule_writes(lab, start) == []

    # One VM leaves, and another: each rule is narrowed. The last one leaves, an instance of a scale set: each rule goes.
    leave(lab, "web-1")
    lab.wait_for(lambda: let_in(lab) == [{"10.1.1.5", "10.1.1.6"}] * 2, "the rules are narrowed")
    leave(lab, "web-2")
    lab.wait_for(lambda: let_in(lab) == [{"10.1.1.6"}] * 2, "the rules are narrowed again")
    remove(lab, INSTANCE_NIC, INSTANCE_NIC.partition("/networkInterfaces/")[0])
    lab.wait_for(lambda: not own_rules(lab), "the rules go with the last VM")
    lab.wait_for(lambda: not claims_on_rules(lab), "and the claims on them")
    assert rule_writes(lab, start) == ["PUT"] * 4 + ["DELETE"] * 2
    assert foreign_rules(lab) == before
    assert not {409, 429} & {status for _, _, status in lab.writes()}, "a group has one writer at a time"


def claims_on_rules(lab: Lab) -> list[Manifest]:
    """What the status of both hosts says of rules for targets."""
    claims = (claim for name in ("hub", "shop") for claim in lab.get("bh", name)["status"]["claims"])
    return [claim for claim in claims if claim["purpose"] == "TargetRule"]
