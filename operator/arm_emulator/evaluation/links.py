"""The two links of a peering and what is wrong with them."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from arm_emulator.errors import Json
from arm_emulator.evaluation.rows import Rows, field, ipv4, parts, referred, same, space


@dataclass(frozen=True, slots=True)
class Pair:
    """The links between a Bastion's network and a target's; None where one side has none.

    `through` says that a third network is linked with both, `routed` that a table on Bastion's subnet leads to the target.
    """

    here: Json | None
    there: Json | None
    through: bool = False
    routed: bool = False


OPEN = "EffectiveDataUnavailable"
HOPS_ON = ("VirtualAppliance", "VirtualNetworkGateway")
UNSOUND = (OPEN, "NotPeered", "PeeringNotTransitive", "PeeringDisconnected", "PeeringOneSided", "AddressSpaceNotSynced")
"""Faults of which the flow is judged as if they were mended. That a subnet is not peered leaves the links as they are."""


def pair(rows: Rows, here: str, there: str, bastion_subnet: str, target: IPv4Address) -> Pair:
    """The links of two networks to each other, and what else could lead from one to the other."""
    own, other = rows.find(here) or {}, rows.find(there) or {}
    to, back = _link(own, there), _link(other, here)
    if to is not None or back is not None:
        return Pair(to, back)
    through = bool(_neighbours(rows, own) & _neighbours(rows, other))
    return Pair(None, None, through, _routed(rows, bastion_subnet, target))


def _routed(rows: Rows, subnet_id: str, target: IPv4Address) -> bool:
    """Whether a route of the subnet's table, other than the default, leads on to the target."""
    table = rows.find(referred(rows.find(subnet_id) or {}, "routeTable")) or {}
    return any(
        target in prefix and prefix.prefixlen > 0 and field(route, "nextHopType") in HOPS_ON
        for route in parts(table, "routes")
        for prefix in ipv4([str(field(route, "addressPrefix"))])
    )


def _link(network: Json, remote: str) -> Json | None:
    links = parts(network, "virtualNetworkPeerings")
    return next((link for link in links if same(referred(link, "remoteVirtualNetwork"), remote)), None)


def _neighbours(rows: Rows, network: Json) -> set[str]:
    """Networks with a link to or from this one, in lower case."""
    own = str(network.get("id"))
    found = {str(referred(link, "remoteVirtualNetwork")).lower() for link in parts(network, "virtualNetworkPeerings")}
    for other in rows.of_type("Microsoft.Network/virtualNetworks"):
        if _link(other, own) is not None:
            found.add(str(other["id"]).lower())
    return found


def live_space(rows: Rows, network_id: str) -> list[IPv4Network]:
    """A network's address space as it is now."""
    return space(rows.find(network_id) or {})


def faults(
    links: Pair, bastion_subnet: str, subnet: str, prefixes: list[IPv4Network], target: IPv4Address
) -> tuple[str, ...]:
    """Codes of what keeps the peering from carrying the flow, in their order."""
    both = [link for link in (links.here, links.there) if link is not None]
    if not both:
        if links.routed:
            return (OPEN,)
        return ("PeeringNotTransitive",) if links.through else ("NotPeered",)
    states = [str(field(link, "peeringState")) for link in both]
    if "Disconnected" in states:
        return ("PeeringDisconnected",)
    found = []
    if len(both) == 1 or "Initiated" in states:
        found.append("PeeringOneSided")
    stale = [
        link is not None and not _knows(link, there)
        for link, there in ((links.here, [IPv4Network(target)]), (links.there, prefixes))
    ]
    return (*found, *(["AddressSpaceNotSynced"] * sum(stale)), *_subnet_faults(links, bastion_subnet, subnet))


def _knows(link: Json, prefixes: list[IPv4Network]) -> bool:
    """Whether the other side's addresses are in the space that the link knows."""
    known = space(link, "remoteAddressSpace")
    return all(any(prefix.subnet_of(one) for one in known) for prefix in prefixes)


def _subnet_faults(links: Pair, bastion_subnet: str, subnet: str) -> list[str]:
    """Links that peer some subnets only have to name both subnets, and carry IPv4."""
    here, there = bastion_subnet.rpartition("/")[2].lower(), subnet.rpartition("/")[2].lower()
    found: list[str] = []
    for link, local, remote in ((links.here, here, there), (links.there, there, here)):
        if link is None or field(link, "peerCompleteVnets") is not False:
            continue
        if local not in _names(link, "localSubnetNames") or remote not in _names(link, "remoteSubnetNames"):
            found.append("SubnetNotPeered")
        if field(link, "enableOnlyIPv6Peering") is True:
            found.append("SubnetPeeringIPv6Only")
    return sorted(set(found))


def _names(link: Json, name: str) -> list[str]:
    value = field(link, name)
    return [str(entry).lower() for entry in value] if isinstance(value, list) else []


def access(rows: Rows, links: Pair, bastion_subnet: str, subnet: str, interface: Json) -> tuple[str, ...]:
    """For each side without access and without a security group of its own: nobody can say what happens there."""
    guards = (
        (links.here, [rows.find(bastion_subnet) or {}]),
        (links.there, [rows.find(subnet) or {}, interface]),
    )
    return tuple(
        "PeeringAccessDisabled"
        for link, owners in guards
        if link is not None
        and field(link, "allowVirtualNetworkAccess") is False
        and not any(referred(owner, "networkSecurityGroup") for owner in owners)
    )
