"""The verdicts of a BastionHost from pass to pass: those of a fresh look, whatever has changed meanwhile."""

import pytest

from bastion_operator.api.bastion_host import BastionHostSpec
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability import Verdict, judge_all
from bastion_operator.planning.targets import target_machines
from bastion_operator.reconcile.kept_verdicts import KeptVerdicts
from bastion_operator.reconcile.keys import Key, Kind
from tests.support.estates import (
    Estate,
    bastion,
    bastion_id,
    nic,
    nsg,
    peering,
    public_ip,
    rule,
    subnet,
    vm,
    vnet,
    vnet_id,
)

KEY = Key(Kind.BASTION_HOST, "default", "hub")
HOST = bastion_id("b1")
PEERED = vnet(
    "v1",
    "10.1.0.0/16",
    subnets=[subnet("AzureBastionSubnet", "10.1.1.0/26")],
    peerings=[peering("v2", space=["10.2.0.0/16"])],
)
ALONE = vnet("v1", "10.1.0.0/16", subnets=[subnet("AzureBastionSubnet", "10.1.1.0/26")])


def estate() -> Estate:
    work = subnet("w", "10.2.2.0/24", nsg="g")
    return [
        PEERED,
        public_ip("b1-ip"),
        bastion("b1", "v1"),
        vnet("v2", "10.2.0.0/16", subnets=[work], peerings=[peering("v1", space=["10.1.0.0/16"])]),
        nsg("g"),
        nic("m-nic", "v2", "w", "10.2.2.4"),
        vm("m"),
    ]


def spec(**targets: object) -> BastionHostSpec:
    return BastionHostSpec.model_validate(
        {"virtualNetworkID": vnet_id("v1"), "sku": "Standard", "targets": targets}, by_alias=True
    )


def fresh(inventory: Inventory, asked: BastionHostSpec) -> list[Verdict]:
    machines = [machine.id for machine in target_machines(inventory, asked)]
    protocols = asked.targets.protocols or (None,)
    return judge_all(inventory, vm_ids=machines, protocols=protocols, bastion_ids=[HOST])


CHANGES = {
    "nothing": [],
    "a rule": [nsg("g", rule("no", 100, "Deny"))],
    "a new VM": [nic("n-nic", "v2", "w", "10.2.2.5"), vm("n")],
    "the peering": [ALONE],
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("protocols", [[], ["RDP", "SSH"]])
def test_the_second_pass_sees_what_a_fresh_look_sees(change: str, protocols: list[str]) -> None:
    kept, inventory = KeptVerdicts(), Inventory.from_rows(estate())
    asked = spec()
    assert kept.judge(KEY, inventory, asked, HOST) == fresh(inventory, asked)
    later = inventory.patched(CHANGES[change])
    asked = spec(protocols=protocols) if protocols else asked
    assert kept.judge(KEY, later, asked, HOST) == fresh(later, asked)


def test_one_that_is_gone_is_forgotten_and_may_come_back() -> None:
    kept, inventory = KeptVerdicts(), Inventory.from_rows(estate())
    first = kept.judge(KEY, inventory, spec(), HOST)
    kept.forget(KEY)
    kept.forget(KEY)
    assert kept.judge(KEY, inventory, spec(), HOST) == first
