"""Microsoft's worked example: "Diagnose network security rules" (Network Watcher), written from the article's facts.

VNet 10.0.0.0/16 with mySubnet 10.0.0.0/24 and AzureBastionSubnet 10.0.1.0/26; myVM is a Windows VM at 10.0.0.4. A security
admin rule of the manager GlobalRules and the subnet's group mySubnet-nsg let the Bastion subnet in, the NIC's group myVM-nsg
denies by DenyVnetInBound (1000, from VirtualNetwork). The article's cure is AllowBastionConnections (900, from 10.0.1.0/26).
"""

from bastion_operator.network.fixes import apply_fix, explain
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability import Verdict, judge
from tests.support.estates import (
    Estate,
    admin_rule,
    bastion,
    change,
    nic,
    nsg,
    nsg_id,
    public_ip,
    rule,
    security_admin,
    subnet,
    vm,
    vm_id,
    vnet,
)

DENY = rule("DenyVnetInBound", 1000, "Deny", source="VirtualNetwork", protocol="*", ports="*")
CURE = rule("AllowBastionConnections", 900, "Allow", source="10.0.1.0/26", protocol="*", ports="*")


def estate(*rules: dict[str, object]) -> Estate:
    return [
        vnet(
            "myVNet",
            "10.0.0.0/16",
            subnets=[
                subnet("mySubnet", "10.0.0.0/24", nsg="mySubnet-nsg"),
                subnet("AzureBastionSubnet", "10.0.1.0/26"),
            ],
        ),
        public_ip("myVNet-Bastion-ip"),
        bastion("myVNet-Bastion", "myVNet", sku="Basic"),
        nsg("mySubnet-nsg"),
        nsg("myVM-nsg", *rules),
        nic("myVM-nic", "myVNet", "mySubnet", "10.0.0.4", nsg="myVM-nsg"),
        vm("myVM", os="Windows"),
        *security_admin(
            "myVNet", admin_rule("VirtualNetwork", 10, "Allow", source="VirtualNetwork", ports=["0-65535"])
        ),
    ]


def ask(rows: Estate) -> Verdict:
    return judge(Inventory.from_rows(rows), vm_id("myVM"))


def test_the_rule_on_the_nic_denies_and_is_named() -> None:
    verdict = ask(estate(DENY))
    [reason] = verdict.reasons
    assert (verdict.verdict, verdict.protocol, verdict.port) == ("Unreachable", "RDP", 3389)
    assert (reason.code, reason.resource, reason.rule) == ("NicNsgDenies", nsg_id("myVM-nsg"), "DenyVnetInBound")
    assert (reason.priority, reason.direction) == (1000, "Inbound")
    assert "10.0.1.0/26" in reason.message


def test_without_that_rule_the_vm_is_reachable() -> None:
    assert ask(estate()).verdict == "Reachable"


def test_the_articles_cure_works() -> None:
    assert ask(estate(DENY, CURE)).verdict == "Reachable"


def test_our_cure_is_narrower_than_the_articles_and_works_as_well() -> None:
    inventory = Inventory.from_rows(estate(DENY))
    [reason] = explain(ask(estate(DENY)), inventory).reasons
    assert reason.fix is not None
    added = reason.fix.changes[0].to_value["properties"]
    assert (added["sourceAddressPrefix"], added["destinationAddressPrefix"]) == ("10.0.1.0/26", "10.0.0.4")
    assert (added["protocol"], added["destinationPortRange"], added["priority"]) == ("Tcp", "3389", 999)
    assert ask(apply_fix(estate(DENY), reason.fix)).verdict == "Reachable"


def test_an_always_allow_of_the_manager_would_pass_by_the_rule() -> None:
    rows = change(estate(DENY), "3", "properties", {})
    rules = [one for one in rows if "/rules/" in one["id"]]
    for one in rules:
        one["properties"] = admin_rule("VirtualNetwork", 10, "AlwaysAllow", source="VirtualNetwork")["properties"]
    assert ask(rows).verdict == "Reachable"
