"""What keeps a half from using the other side's gateway, looked at before Azure is asked.

Only what is certain from the bodies of the two networks: a gateway or a route server stands in a subnet of a fixed name, a
network with a gateway of its own uses no other, and a network uses the gateway of one peering at most. Azure answers
RemoteVnetHasNoGateways, VnetHasGatewaysAndUsesRemoteGateways and AnotherPeeringUsesRemoteGateways. Source: Microsoft's
page "Configure VPN gateway transit for virtual network peering".
"""

from typing import Final

from bastion_operator.network.finding import Finding
from bastion_operator.planning.body import child, children, properties
from bastion_operator.planning.model import Observed
from bastion_operator.planning.obstacles import ObstacleCode, obstacle
from bastion_operator.planning.peering_link import PEERINGS, Link
from bastion_operator.planning.peering_pairs import Half
from bastion_operator.planning.peering_settings import USE_REMOTE_GATEWAYS
from bastion_operator.planning.wording import named

_SUBNETS: Final = "subnets"
_OF_GATEWAYS: Final = "GatewaySubnet"
_PLACES: Final = (_OF_GATEWAYS, "RouteServerSubnet")
_GATEWAY: Final = "/virtualnetworkgateways/"


def gateway_trouble(half: Half, link: Link | None, link_id: str, observed: Observed) -> Finding | None:
    """Why Azure would refuse ``useRemoteGateways`` on this half now; None also where that is not certain.

    ``link_id``: the id that the half has or would have.
    """
    local, remote = observed.get(half.local_id), observed.get(half.remote_id)
    if local is None or remote is None:
        return None
    verified = link is None or not properties(link.body).get("doNotVerifyRemoteGateways")
    if verified and not any(child(remote, _SUBNETS, name) for name in _PLACES):
        return _trouble(
            ObstacleCode.NO_REMOTE_GATEWAY,
            half,
            link_id,
            f"{named(half.remote_id)} has no gateway and no subnet for one: make the gateway first, or leave "
            "useRemoteGateways out",
        )
    own = child(local, _SUBNETS, _OF_GATEWAYS)
    occupants = properties(own).get("ipConfigurations") if own is not None else None
    if any(_GATEWAY in str(each.get("id")).lower() for each in occupants or []):
        return _trouble(
            ObstacleCode.OWN_GATEWAY,
            half,
            link_id,
            f"{named(half.local_id)} has a gateway of its own, and Azure lets it use no other beside it",
        )
    other = next((each for each in children(local, PEERINGS) if _uses(each) and not _same(each, link)), None)
    if other is not None:
        return _trouble(
            ObstacleCode.OTHER_GATEWAY_USED,
            half,
            link_id,
            f"{named(half.local_id)} uses the gateway at the other end of its peering {other.get('name')} already, and "
            "Azure lets it use one",
        )
    return None


def _uses(body: object) -> bool:
    return isinstance(body, dict) and bool(properties(body).get(USE_REMOTE_GATEWAYS))


def _same(body: object, link: Link | None) -> bool:
    name = str(body.get("name")).lower() if isinstance(body, dict) else ""
    return link is not None and link.id.rsplit("/", 1)[-1].lower() == name


def _trouble(code: ObstacleCode, half: Half, link_id: str, why: str) -> Finding:
    message = f"{named(half.local_id)} is to use the gateway of {named(half.remote_id)}, which cannot be: {why}"
    return obstacle(code, message, link_id)
