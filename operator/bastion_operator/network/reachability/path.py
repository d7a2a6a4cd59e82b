"""The topology between a Bastion and a VM: the same VNet, a peering, or something that is no path. Steps 10 and 11."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum, auto

from bastion_operator.network.codes import finding
from bastion_operator.network.fields import region
from bastion_operator.network.finding import Finding
from bastion_operator.network.peering import PairState, PeeringLink, PeeringPair, PeeringState, link_to
from bastion_operator.network.prefixes import AddressSet
from bastion_operator.network.reachability.host import SUBNET_NAME, Host
from bastion_operator.network.reachability.ip_connect import NO_ROUTE, RouteKnowledge, RouteToTarget
from bastion_operator.network.reachability.target import Target
from bastion_operator.network.reachability.verdict import Via
from bastion_operator.network.virtual_network import VirtualNetwork


class Topology(Enum):
    """How the two VNets lie to each other."""

    SAME_VNET = auto()
    PEERED = auto()
    APART = auto()
    NOT_KNOWN = auto()


@dataclass(frozen=True, slots=True)
class Path:
    """The way from a Bastion's VNet to a VM's subnet.

    ``sound``: the peering's links are connected and in sync, so that their flags are settings to be taken as they are;
    otherwise what follows is judged as if they were, with access allowed. ``between`` names a VNet that both are peered with, ``route`` what is known of a route without a peering.
    ``findings`` are those of step 11.
    """

    topology: Topology
    via: Via | None = None
    pair: PeeringPair | None = None
    sound: bool = True
    between: str | None = None
    route: RouteToTarget = NO_ROUTE
    findings: tuple[Finding, ...] = ()

    def blocks_access(self, link: PeeringLink | None) -> bool:
        """Whether a side's link keeps the other VNet out of that side's tag VirtualNetwork."""
        return self.sound and link is not None and not link.allow_virtual_network_access


def same_network(host: Host, target: Target) -> bool:
    """Step 10: whether both lie in one VNet."""
    return host.network_key is not None and host.network_key == target.network_key


def find_pair(host: Host, target: Target) -> PeeringPair:
    """The links between the two VNets, the Bastion's side near."""
    near = host.network.links if host.network is not None else ()
    far = target.network.links if target.network is not None else ()
    return PeeringPair(link_to(near, target.network_id or ""), link_to(far, host.network_id or ""))


def peering_via(host: Host, target: Target) -> Via:
    """Peering inside a region, or between regions."""
    here = region(host.network.location if host.network else None) or region(host.bastion.location)
    there = region(target.network.location if target.network else None)
    return Via.GLOBAL_PEERING if here and there and here != there else Via.PEERING


def target_tenant(target: Target) -> str | None:
    """The tenant of the VM's VNet, or where nothing tells it, the VM's own."""
    return (target.network.tenant_id if target.network else None) or target.vm.tenant_id


def tenant_findings(host: Host, target: Target) -> Iterator[Finding]:
    """Step 11: Bastion does not work across tenants, where both are told and differ."""
    here = (host.network.tenant_id if host.network else None) or host.bastion.tenant_id
    there = target_tenant(target)
    if here and there and here.lower() != there.lower():
        yield finding(
            "CrossTenantPeering",
            f"Bastion {host.bastion.name} is in tenant {here}, VNet {target.network_name} in tenant {there}: Bastion does not"
            " connect across tenants; use a Bastion in the VM's own tenant",
            resource=target.network_id,
        )


def developer_findings(host: Host, target: Target) -> Iterator[Finding]:
    """Step 11: the Developer SKU serves its own VNet alone."""
    if host.is_developer:
        yield finding(
            "DeveloperNoPeering",
            f"Developer Bastion {host.bastion.name} serves VNet {host.network_name} alone, not {target.network_name}: upgrade it to"
            " Basic or higher",
            resource=host.bastion.id,
        )


def pair_findings(host: Host, target: Target, pair: PeeringPair) -> Iterator[Finding]:
    """Step 11: what the two links say of themselves; a Disconnected link stands alone, because both are to be made anew."""
    state = pair.state
    if state is PairState.DISCONNECTED:
        dead = next(link for link in pair.links if link.state is PeeringState.DISCONNECTED)
        cure = f"delete the links of both VNets ({host.network_name} and {target.network_name}) and make both again"
        if (waiting := next((link for link in pair.links if link.state is PeeringState.INITIATED), None)) is not None:
            cure = f"delete it and make it again; {waiting.name}, which reads Initiated, waits for it"
        message = f"peering {dead.name} reads Disconnected: {cure}"
        yield finding("PeeringDisconnected", message, resource=dead.id)
        return
    if state is PairState.ONE_SIDED:
        yield from _one_sided(host, target, pair)
    elif state is PairState.UNKNOWN:
        unread = next(link for link in pair.links if link.state is None)
        message = f"the state of peering {unread.name} is missing or none that is known"
        yield finding("EffectiveDataUnavailable", message, resource=unread.id)
    yield from _address_spaces(host, target, pair)
    yield from _subnet_lists(host, target, pair)


def _one_sided(host: Host, target: Target, pair: PeeringPair) -> Iterator[Finding]:
    """A half that waits, or is missing from a VNet that states its links; what a VNet without a row holds is not known."""
    waiting = next((link for link in pair.links if link.state is PeeringState.INITIATED), None)
    link = waiting or next(iter(pair.links))
    if pair.near is None or pair.far is None:
        owner = (target if pair.far is None else host).network
        if owner is not None and owner.states_links:
            message = f"peering {link.name} has no other half: create the link in VNet {owner.id}"
            yield finding("PeeringOneSided", message, resource=link.id)
            return
        if waiting is None:
            if owner is not None:
                yield _unstated(owner, f"whether peering {link.name} has its other half there")
            return
    message = f"peering {link.name} reads Initiated: its other half is not connected to it; write both links again"
    yield finding("PeeringOneSided", message, resource=link.id)


def _unstated(network: VirtualNetwork, what: str) -> Finding:
    message = f"VNet {network.name} does not state its virtualNetworkPeerings: {what} is not known"
    return finding("EffectiveDataUnavailable", message, resource=network.id)


def _address_spaces(host: Host, target: Target, pair: PeeringPair) -> Iterator[Finding]:
    """What each link knows of the other VNet must hold the address that it has to carry; both ends have to be known."""
    if not target.addresses or not host.sources:
        return
    if pair.near is not None:
        yield from _known_target(pair.near, target)
    if pair.far is not None and host.prefix:
        yield from _known(pair.far, host.prefix, f"the Bastion prefix {host.prefix_text}")


def _known_target(link: PeeringLink, target: Target) -> Iterator[Finding]:
    """The VM has one address, though it may not be known which: a link that knows some of them may know that one."""
    space = link.remote_address_space
    if space is not None and target.addresses - space.addresses and target.addresses & space.addresses:
        known = ", ".join(space.texts)
        message = f"which address {target.vm.name} has is not known ({target.address_text}): peering {link.name} knows {known}"
        yield finding("EffectiveDataUnavailable", message, resource=target.vm.id)
        return
    yield from _known(link, target.addresses, f"the VM's address, {target.address_text}")


def _known(link: PeeringLink, addresses: AddressSet, what: str) -> Iterator[Finding]:
    space = link.remote_address_space
    if space is not None and addresses <= space.addresses:
        return
    if space is None or space.malformed:
        message = f"the remoteAddressSpace of peering {link.name} is missing or cannot be read"
        yield finding("EffectiveDataUnavailable", message, resource=link.id)
        return
    yield finding(
        "AddressSpaceNotSynced",
        f"peering {link.name} does not know {what}: it knows {', '.join(space.texts) or 'nothing'}; sync it"
        " (az network vnet peering sync)",
        resource=link.id,
    )


def _subnet_lists(host: Host, target: Target, pair: PeeringPair) -> Iterator[Finding]:
    """Subnet peering: both links must name both subnets, and carry IPv4."""
    partial = [link for link in pair.links if not link.peer_complete_vnets]
    if target.subnet is not None and not host.is_developer:
        name = target.subnet.name
        sides = ((pair.near, SUBNET_NAME, name), (pair.far, name, SUBNET_NAME))
        missing = [link for link, local, remote in sides if link is not None and not link.lists_subnets(local, remote)]
        if missing:
            message = f"peering {missing[0].name} carries named subnets only, and not both {SUBNET_NAME} and {name}"
            yield finding("SubnetNotPeered", f"{message}: add them to the links of both VNets", resource=missing[0].id)
    ipv6 = [link for link in partial if link.only_ipv6]
    if ipv6:
        message = f"peering {ipv6[0].name} carries IPv6 alone, and Bastion connects over IPv4: peer IPv4 as well"
        yield finding("SubnetPeeringIPv6Only", message, resource=ipv6[0].id)


def access_findings(path: Path, *, near_has_group: bool, far_has_group: bool, developer: bool) -> Iterator[Finding]:
    """Step 11: allowVirtualNetworkAccess false takes the peer out of the tag VirtualNetwork.

    Where that side has a security group, its rules decide; where it has none, nothing says what happens.
    """
    if path.pair is None or developer:
        return
    for link, has_group in ((path.pair.near, near_has_group), (path.pair.far, far_has_group)):
        if link is not None and path.blocks_access(link) and not has_group:
            yield finding(
                "PeeringAccessDisabled",
                f"peering {link.name} has allowVirtualNetworkAccess false, and no network security group on that side says"
                " what becomes of the traffic: set it to true",
                resource=link.id,
            )


def encryption_findings(networks: tuple[VirtualNetwork | None, ...]) -> Iterator[Finding]:
    """Step 11: a VNet that drops unencrypted traffic."""
    for network in networks:
        if network is not None and network.drops_unencrypted:
            message = f"VNet {network.name} drops traffic that is not encrypted, which sessions from other VNets may be"
            yield finding("VnetEncryptionEnforced", message, resource=network.id)
            return


def path_edges(path: Path) -> Iterator[int]:
    """Addresses of the VM's VNet at which it changes whether the Bastion's link knows an address."""
    link = path.pair.near if path.pair is not None else None
    if link is not None and link.remote_address_space is not None:
        for first, last in link.remote_address_space.addresses.intervals:
            yield first
            yield last + 1


def with_route(path: Path, route: RouteToTarget) -> Path:
    """The path between VNets that are not peered, where a route is known or may be there."""
    if path.topology is not Topology.APART or route == NO_ROUTE:
        return path
    if route.knowledge is RouteKnowledge.NONE:
        return replace(path, route=route)
    return replace(path, via=Via.IP_CONNECT, sound=True, route=route)


def apart_findings(host: Host, target: Target, path: Path, *, grouped: bool) -> Iterator[Finding]:
    """Step 11: no peering and no route; a third VNet that both are peered with is no path either.

    ``grouped``: a network manager connects the two without peering objects.
    """
    if path.route.knowledge is not RouteKnowledge.NONE:
        return
    between = path.between
    vnets = f"VNet {target.network_name} and VNet {host.network_name} of Bastion {host.bastion.name}"
    if grouped:
        message = f"{vnets} are in one connected group of a network manager, without peerings: Bastion is not known to use that"
        yield finding("ConnectedGroupNoPeering", f"{message}; peer them", resource=target.network_id)
    elif between is not None:
        message = f"{vnets} are both peered with {between}, but peering is not transitive: peer them directly"
        yield finding("PeeringNotTransitive", message, resource=target.network_id)
    else:
        yield finding("NotPeered", f"{vnets} are not peered: peer them", resource=target.network_id)


def find_path(host: Host, target: Target, between: str | None) -> Path:
    """How the two VNets lie to each other, with the findings of step 11. ``between`` names a VNet that both are peered with."""
    if host.network_key is None or target.network_key is None:
        return Path(Topology.NOT_KNOWN)
    if same_network(host, target):
        return Path(Topology.SAME_VNET, Via.SAME_VNET)
    general = (*developer_findings(host, target), *tenant_findings(host, target))
    pair = find_pair(host, target)
    if pair.links:
        return _peered(host, target, pair, general)
    if host.network is None or target.network is None:
        return Path(Topology.NOT_KNOWN, findings=general)
    if not host.network.states_links and not target.network.states_links:
        unstated = _unstated(
            target.network, f"whether it is peered with VNet {host.network.name}, which does not either,"
        )
        return Path(Topology.NOT_KNOWN, sound=False, findings=(*general, unstated))
    findings = (*general, *encryption_findings((host.network, target.network)))
    return Path(Topology.APART, sound=False, between=between, findings=findings)


def _peered(host: Host, target: Target, pair: PeeringPair, general: tuple[Finding, ...]) -> Path:
    faults = tuple(pair_findings(host, target, pair))
    sound = pair.state is PairState.CONNECTED and all(fault.code != "AddressSpaceNotSynced" for fault in faults)
    encryption = tuple(encryption_findings((host.network, target.network)))
    findings = (*general, *faults, *encryption)
    return Path(Topology.PEERED, peering_via(host, target), pair, sound, findings=findings)
