"""A Bastion host with all that belongs to it, and its plan: what the tests of plans start from."""

from typing import Any

from bastion_operator.planning.bastion_host import plan_bastion_host
from bastion_operator.planning.model import Plan
from tests.support.estates import Row, bastion, public_ip, subnet, subnet_id, vnet
from tests.support.plans import NOW, bastion_input, marked

SUBNET = subnet_id("hub", "AzureBastionSubnet")
OTHER_TIME = NOW.replace(year=2030)


def hub(*subnets: Row, **properties: Any) -> Row:
    return vnet("hub", "10.0.0.0/16", subnets=subnets, **properties)


BASTION_SUBNET = subnet("AzureBastionSubnet", "10.0.0.0/26")


def standing(**host: Any) -> list[Row]:
    """The operator's host with all that belongs to it."""
    return [hub(BASTION_SUBNET), marked(public_ip("bas-ip")), marked(bastion("bas", "hub", **host))]


def plan_of(*rows: Row, **asked: Any) -> Plan:
    return plan_bastion_host(bastion_input(*rows, **asked))


def body_of(plan: Plan) -> Row:
    (change,) = plan.changes
    assert change.body is not None
    return dict(change.body)
