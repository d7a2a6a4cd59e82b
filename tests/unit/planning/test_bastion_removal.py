"""Taking a Bastion down: the host, then public IP and subnet; what was adopted, is in use or is not certain stays."""

from typing import Any

import pytest

from bastion_operator.api.common import Claim
from bastion_operator.planning.bastion_host import BastionHostInput
from bastion_operator.planning.bastion_removal import plan_bastion_removal
from bastion_operator.planning.model import Observed, Plan
from tests.support.estates import Row, bastion, public_ip, resource_id, subnet, subnet_id, vnet
from tests.support.plans import ADDRESS, HOST, NOW, OWNER, bastion_input, claim, marked, told, world

SUBNET = subnet_id("hub", "AzureBastionSubnet")
CONFIGURATION = f"{HOST}/bastionHostIpConfigurations/IpConf"
CLAIMS = (
    claim(SUBNET, purpose="Subnet", detail="10.0.0.0/26"),
    claim(ADDRESS, purpose="PublicIP"),
    claim(HOST),
)


def hub(**properties: Any) -> Row:
    return vnet("hub", "10.0.0.0/16", subnets=[subnet("AzureBastionSubnet", "10.0.0.0/26", **properties)])


def attached() -> list[Row]:
    """All three, as the operator made them."""
    return [
        hub(ipConfigurations=[{"id": CONFIGURATION}]),
        marked(public_ip("bas-ip", ipConfiguration={"id": CONFIGURATION})),
        marked(bastion("bas", "hub")),
    ]


def removal(*rows: Row, claims: tuple[Claim, ...] = CLAIMS, **spec: Any) -> Plan:
    return plan_bastion_removal(bastion_input(*rows, claims=claims, **{"subnetPrefix": "Auto", **spec}))


def kept(plan: Plan) -> list[tuple[str, str | None]]:
    return [(str(finding.code), finding.resource) for finding in plan.remains]


def test_the_host_goes_first_then_public_ip_and_subnet_then_the_claims() -> None:
    first = removal(*attached())
    assert told(first.changes) == [("Delete", "bastionHosts/bas")]
    assert first.claims == CLAIMS
    second = removal(hub(), marked(public_ip("bas-ip")))
    assert told(second.changes) == [("Delete", "publicIPAddresses/bas-ip"), ("Delete", "subnets/AzureBastionSubnet")]
    last = removal(vnet("hub", "10.0.0.0/16"))
    assert last == Plan()


def test_back_references_to_a_host_that_is_gone_are_waited_out() -> None:
    plan = removal(*attached()[:2])
    assert not plan.changes
    assert {wait.resource_id for wait in plan.waits} == {ADDRESS, SUBNET}


def test_a_host_that_is_being_deleted_is_waited_for() -> None:
    rows = attached()
    rows[2]["properties"]["provisioningState"] = "Deleting"
    plan = removal(*rows)
    assert not plan.changes
    assert [wait.state for wait in plan.waits] == ["Deleting"]


def test_without_status_host_and_public_ip_are_found_by_their_marks_and_the_subnet_is_kept_and_told() -> None:
    assert told(removal(*attached(), claims=()).changes) == [("Delete", "bastionHosts/bas")]
    plan = removal(hub(), marked(public_ip("bas-ip")), claims=())
    assert told(plan.changes) == [("Delete", "publicIPAddresses/bas-ip")]
    assert not plan.remains
    last = removal(hub(), claims=())
    assert last.settled
    assert kept(last) == [("KeptNotCertain", SUBNET)]


@pytest.mark.parametrize("asked", [{"subnetPrefix": None}, {"subnetPrefix": "10.0.4.0/26"}])
def test_a_subnet_that_the_operator_cannot_have_made_is_not_told(asked: dict[str, Any]) -> None:
    assert not removal(hub(), claims=(), **asked).remains


def test_an_adopted_host_stays_and_so_does_what_it_uses() -> None:
    claims = (*CLAIMS[:2], claim(HOST, adopted=True))
    plan = removal(*attached(), claims=claims)
    assert not plan.changes
    assert kept(plan) == [("KeptNotOwned", HOST), ("KeptInUse", ADDRESS), ("KeptInUse", SUBNET)]
    assert plan.claims == ()


def test_a_host_without_the_mark_is_not_deleted_whatever_the_claim_says() -> None:
    rows = attached()
    rows[2]["tags"] = {"azurebastion-installation": "installation-1"}
    plan = removal(*rows)
    assert not plan.changes
    assert plan.settled


def test_the_mark_of_another_installation_is_not_ours() -> None:
    rows = attached()
    rows[2]["tags"] = {**OWNER.tags(), "azurebastion-installation": "another"}
    assert not removal(*rows).changes


def test_the_uid_is_information_only() -> None:
    rows = attached()
    rows[2]["tags"] = {**OWNER.tags(), "azurebastion-uid": "of-the-object-before-the-restore"}
    assert told(removal(*rows, claims=()).changes) == [("Delete", "bastionHosts/bas")]


def test_a_public_ip_that_something_else_uses_is_kept() -> None:
    other = resource_id("Microsoft.Network/networkInterfaces", "nic")
    plan = removal(hub(), marked(public_ip("bas-ip", ipConfiguration={"id": f"{other}/ipConfigurations/a"})))
    assert told(plan.changes) == [("Delete", "subnets/AzureBastionSubnet")]
    assert kept(plan) == [("KeptInUse", ADDRESS)]


def test_a_public_ip_given_by_id_stays_also_if_it_carries_an_old_mark_of_ours() -> None:
    plan = removal(vnet("hub", "10.0.0.0/16"), marked(public_ip("bas-ip")), claims=(), publicIP={"id": ADDRESS})
    assert plan.settled


@pytest.mark.parametrize("name", ["networkInterfaces", "bastionHosts"])
def test_a_subnet_that_something_else_uses_is_kept_whatever_its_name(name: str) -> None:
    other = resource_id(f"Microsoft.Network/{name}", "bas", group="other")
    plan = removal(hub(ipConfigurations=[{"id": f"{other}/ipConfigurations/a"}]))
    assert plan.settled
    assert kept(plan) == [("KeptInUse", SUBNET)]


def test_a_subnet_with_another_prefix_than_was_claimed_is_somebody_elses() -> None:
    plan = removal(hub(), claims=(claim(SUBNET, purpose="Subnet", detail="10.0.8.0/26"),))
    assert not plan.changes
    assert kept(plan) == [("KeptNotOwned", SUBNET)]


def test_what_was_not_read_is_neither_deleted_nor_taken_for_gone() -> None:
    asked = bastion_input(claims=CLAIMS, subnetPrefix="Auto")
    unread = BastionHostInput(asked.owner, asked.spec, asked.ids, CLAIMS, Observed({}), NOW)
    plan = plan_bastion_removal(unread)
    assert not plan.settled
    assert not plan.changes
    assert plan.claims == CLAIMS


def test_a_claim_under_an_id_that_the_spec_no_longer_means_is_followed_up() -> None:
    old = resource_id("Microsoft.Network/publicIPAddresses", "old-ip")
    rows = [vnet("hub", "10.0.0.0/16"), marked(public_ip("old-ip"))]
    plan = removal(*rows, claims=(claim(old, purpose="PublicIP"),))
    assert told(plan.changes) == [("Delete", "publicIPAddresses/old-ip")]
    assert world(*rows).get(old) is not None
