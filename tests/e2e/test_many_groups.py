"""A BastionHost whose rules lie in more groups than are read and written at once: it is taken down to the last of them."""

from collections.abc import Callable
from functools import partial

import pytest

from tests.support.estates import SUBSCRIPTION, Row, nic, nsg, rule, subnet, vm, vnet, vnet_id
from tests.support.lab import Lab, Manifest

GROUPS = 24


def network(*, bastion_subnet: bool) -> list[Row]:
    """A VNet with as many subnets, each with a VM and a group that keeps everybody out."""
    numbers = range(1, GROUPS + 1)
    parts = [subnet(f"s{each}", f"10.0.{each}.0/24", nsg=f"g{each}") for each in numbers]
    if bastion_subnet:
        parts.append(subnet("AzureBastionSubnet", "10.0.0.0/26"))
    rows = [vnet("many", "10.0.0.0/16", subnets=parts)]
    for each in numbers:
        rows += [
            nsg(f"g{each}", rule("closed", 4000, "Deny", protocol="*")),
            nic(f"vm{each}-nic", "many", f"s{each}", f"10.0.{each}.4"),
            vm(f"vm{each}"),
        ]
    return rows


def asking(namespace: str) -> Manifest:
    spec: Manifest = {
        "virtualNetworkID": vnet_id("many"),
        "sku": "Basic",
        "subnetPrefix": "Auto",
        "networkSecurity": {"targets": "Enforce", "overrideDenies": True},
        "interval": "1m",
    }
    return {
        "apiVersion": "azurebastion.dev/v1beta1",
        "kind": "BastionHost",
        "metadata": {"name": "many", "namespace": namespace},
        "spec": spec,
    }


Content = tuple[set[str], dict[str, list[str]]]


def opened(lab_factory: Callable[..., Lab], *, bastion_subnet: bool) -> tuple[Lab, Content]:
    """The network with a Bastion and its rule in each group, and what there was before."""
    lab = lab_factory(network(bastion_subnet=bastion_subnet), identity=False)
    lab.apply_identity(allowedSubscriptions=[SUBSCRIPTION])
    before = content(lab)
    lab.operator.start()
    lab.apply(asking(lab.namespace))
    lab.wait_ready("bh/many")
    lab.wait_for(lambda: len(own_rules(lab)) == GROUPS, "each group has its rule")
    return lab, before


@pytest.mark.parametrize("subnet_of_others", [True, False])
def test_rules_in_many_groups_go_with_the_host(lab_factory: Callable[..., Lab], subnet_of_others: bool) -> None:
    lab, before = opened(lab_factory, bastion_subnet=subnet_of_others)
    # A subnet that somebody else made has no claim, and is still part of what the order of deletion hangs on.
    claims = [each["purpose"] for each in lab.get("bh", "many")["status"]["claims"]]
    assert ("Subnet" in claims) is not subnet_of_others

    lab.delete("bh", "many")
    assert not own_rules(lab)
    assert content(lab) == before


def test_an_operator_that_is_killed_again_and_again_while_rules_go_leaves_none(lab_factory: Callable[..., Lab]) -> None:
    lab, before = opened(lab_factory, bastion_subnet=True)
    lab.begin_delete("bh", "many")
    for left in (GROUPS - 4, GROUPS // 2, 1):
        lab.wait_for(partial(_down_to, lab, left), f"{left} rules are left")
        lab.operator.kill()
        lab.operator.start()
    lab.wait_for(lambda: not lab.objects("bh"), "it is let go")
    assert content(lab) == before


def _down_to(lab: Lab, left: int) -> bool:
    return len(own_rules(lab)) <= left or not lab.objects("bh")


def own_rules(lab: Lab) -> list[str]:
    return [rule for held in groups(lab).values() for rule in held if rule.startswith("azurebastion-")]


def groups(lab: Lab) -> dict[str, list[str]]:
    """The names of the rules of each group."""
    return {
        resource_id: [each["name"] for each in body["properties"]["securityRules"]]
        for resource_id, body in lab.azure.resources().items()
        if "/networksecuritygroups/" in resource_id and "/securityrules/" not in resource_id
    }


def content(lab: Lab) -> Content:
    return set(lab.azure.resources()), groups(lab)
