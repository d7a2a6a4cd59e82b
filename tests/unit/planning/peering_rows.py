"""A hub and a spoke with links, and the plan of a VNetPeering: what the tests of its plans start from."""

from bastion_operator.planning.model import Plan
from bastion_operator.planning.vnet_peering import VNetPeeringInput, plan_vnet_peering
from tests.support.estates import Row, peering, subnet, vnet
from tests.support.plans import link_claim, own_name

HUB, SPOKE, OTHER = ["10.0.0.0/16"], ["10.1.0.0/16"], ["10.2.0.0/16"]


def networks(*, hub: list[Row] | None = None, spoke: list[Row] | None = None) -> list[Row]:
    """Hub, with a place for gateways, and spoke, with these links."""
    return [
        vnet("hub", *HUB, peerings=hub or [], subnets=[subnet("GatewaySubnet", "10.0.255.0/27")]),
        vnet("spoke", *SPOKE, peerings=spoke or []),
    ]


def to_spoke(**properties: object) -> Row:
    """The operator's link in the hub."""
    return peering("spoke", space=SPOKE, **{"name": own_name("spoke"), **properties})  # type: ignore[arg-type]


def to_hub(**properties: object) -> Row:
    """The operator's link in the spoke."""
    return peering("hub", space=HUB, **{"name": own_name("hub"), **properties})  # type: ignore[arg-type]


CLAIMS = (link_claim("hub", "spoke"), link_claim("spoke", "hub"))


def plan_of(asked: VNetPeeringInput) -> Plan:
    return plan_vnet_peering(asked)


def body_of(plan: Plan, place: int = 0) -> Row:
    body = plan.changes[place].body
    assert body is not None
    return dict(body)
