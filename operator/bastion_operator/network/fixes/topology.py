"""Fixes of the way between two VNets: peerings made, completed, synced. Steps 11 and 12."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from bastion_operator.network.arm_id import normalise_id
from bastion_operator.network.finding import Action, Actor, Change, Finding, Fix
from bastion_operator.network.fixes.apply import LINKS
from bastion_operator.network.fixes.hosts import changed_sku, new_host
from bastion_operator.network.fixes.situation import Situation, free_name, set_field
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.peering import PeeringLink, PeeringPair, PeeringState
from bastion_operator.network.reachability.host import SUBNET_NAME
from bastion_operator.network.sku import Sku, lowest_sku
from bastion_operator.network.virtual_network import VirtualNetwork

_NEAREST = 3


def peer(situation: Situation, _: Finding) -> Iterator[Fix]:
    """Both links of a peering with the Bastion's VNet; where that cannot be, a Bastion in the VM's own."""
    theirs = situation.target.network
    if theirs is None:
        return
    for ours in _networks_with_bastion(situation):
        if (changes := both_links(situation.inventory, ours, theirs)) is not None:
            yield Fix(f"peer VNet {ours.name} and VNet {theirs.name}, both ways", changes)
    yield from new_host(situation, theirs)


def _networks_with_bastion(situation: Situation) -> Iterator[VirtualNetwork]:
    """The VNet of the Bastion asked; without one, those of the nearest: same region first, then by id."""
    if situation.host is not None:
        if situation.host.network is not None:
            yield situation.host.network
        return
    theirs, inventory = situation.target.network, situation.inventory
    dedicated = (bastion for bastion in inventory.bastions.values() if bastion.sku is not Sku.DEVELOPER)
    networks = (inventory.virtual_network(bastion.virtual_network_id) for bastion in dedicated)
    known = {network.key: network for network in networks if network is not None}
    here = theirs.location if theirs is not None else None
    yield from sorted(known.values(), key=lambda network: (network.location != here, network.key))[:_NEAREST]


def both_links(
    inventory: Inventory, ours: VirtualNetwork, theirs: VirtualNetwork, pair: PeeringPair | None = None
) -> tuple[Change, ...] | None:
    """The links that are missing between two VNets, with the flags of ``pair`` where there are any; None if the two may not be peered."""
    if _overlap(inventory, ours, theirs) or _overlap(inventory, theirs, ours):
        return None
    near, far = (pair.near, pair.far) if pair is not None else (None, None)
    return (_link(ours, theirs, near), _link(theirs, ours, far))


def _overlap(inventory: Inventory, network: VirtualNetwork, other: VirtualNetwork) -> bool:
    """Whether a VNet shares addresses with another one, or with one that the other is peered with."""
    if network.address_space is None or other.address_space is None:
        return True
    if not network.address_space.addresses.isdisjoint(other.address_space.addresses):
        return True
    for link in other.peerings:
        peer_network = inventory.virtual_network(link.remote_virtual_network_id)
        if peer_network is None or peer_network.key == network.key or peer_network.address_space is None:
            continue
        if not network.address_space.addresses.isdisjoint(peer_network.address_space.addresses):
            return True
    return False


def _link(owner: VirtualNetwork, remote: VirtualNetwork, like: PeeringLink | None) -> Change:
    """A link to be made; one that is made anew keeps its name and flags."""
    name = like.name if like is not None else free_name(f"to-{remote.name}", (link.name for link in owner.links))
    flags: dict[str, Any] = {
        "allowVirtualNetworkAccess": True,
        "allowForwardedTraffic": like is not None and like.allow_forwarded_traffic,
        "allowGatewayTransit": like is not None and like.allow_gateway_transit,
        "useRemoteGateways": like is not None and like.use_remote_gateways,
    }
    if like is not None and not like.peer_complete_vnets:
        flags |= {
            "peerCompleteVnets": False,
            "localSubnetNames": list(like.local_subnet_names),
            "remoteSubnetNames": list(like.remote_subnet_names),
        }
    body = {"name": name, "properties": {"remoteVirtualNetwork": {"id": remote.id}} | flags}
    return Change(Action.ADD, owner.id, LINKS, None, body, Actor.OPERATOR)


def _pair(situation: Situation) -> PeeringPair | None:
    return situation.question.path.pair if situation.question is not None else None


def complete(situation: Situation, _: Finding) -> Iterator[Fix]:
    """The missing half of a peering, or both halves written again."""
    pair, host, target = _pair(situation), situation.host, situation.target
    if pair is None or host is None:
        return
    ours, theirs = host.network, target.network
    if pair.near is not None and pair.far is not None:
        again = tuple(
            Change(Action.REPEAT, link.id, "properties.peeringState", link.state, "Connected", Actor.OPERATOR)
            for link in pair.links
        )
        yield from _opened_too(pair, f"write the links {pair.near.name} and {pair.far.name} again", again)
    elif ours is not None and theirs is not None:
        owner, remote = (theirs, ours) if pair.far is None else (ours, theirs)
        made = (_link(owner, remote, None),)
        yield from _opened_too(pair, f"create the link from VNet {owner.name} to VNet {remote.name}", made)


def _opened_too(pair: PeeringPair, summary: str, changes: tuple[Change, ...]) -> Iterator[Fix]:
    """The changes; and with access switched on, which a link that is closed as well only needs once it is connected."""
    yield Fix(summary, changes)
    closed = [link for link in pair.links if not link.allow_virtual_network_access]
    opened = tuple(_opened(link) for link in closed)
    if opened:
        names = " and ".join(link.name for link in closed)
        yield Fix(f"{summary}, and set allowVirtualNetworkAccess of {names} to true", (*opened, *changes))


def _opened(link: PeeringLink) -> Change:
    return set_field(link.id, "properties.allowVirtualNetworkAccess", False, True, Actor.OPERATOR)


def renew(situation: Situation, _: Finding) -> Iterator[Fix]:
    """Links deleted and made again, as Azure connects a Disconnected one no more; a half that waits for another is kept."""
    pair, host, target = _pair(situation), situation.host, situation.target
    if pair is None or host is None or host.network is None or target.network is None:
        return
    waiting = [link for link in pair.links if link.state is PeeringState.INITIATED]
    ends = ((pair.near, host.network, target.network), (pair.far, target.network, host.network))
    lost = [end for end in ends if end[0] not in waiting]
    gone = tuple(
        Change(Action.DELETE, link.id, "", link.state, None, Actor.OPERATOR) for link, *_ in lost if link is not None
    )
    made = tuple(_link(owner, remote, link) for link, owner, remote in lost)
    what = f"delete the links between VNet {host.network.name} and VNet {target.network.name} and make both again"
    if waiting:
        owner, remote = lost[0][1:]
        what = f"delete the link from VNet {owner.name} to VNet {remote.name} and make it again"
    yield Fix(what, (*gone, *made))
    if waiting:
        opened = tuple(_opened(link) for link in waiting if not link.allow_virtual_network_access)
        yield Fix(f"{what}, and set allowVirtualNetworkAccess of {waiting[0].name} to true", (*opened, *gone, *made))
    if target.subnet is not None:
        names = {host.network.id: SUBNET_NAME, target.network.id: target.subnet.name}
        named = [
            _with_subnets(made[place], names[owner.id], names[remote.id])
            for place, (_, owner, remote) in enumerate(lost)
        ]
        kept = [change for link in waiting for change in _named_both(link, pair, target.subnet.name)]
        yield Fix(f"{what}, with {SUBNET_NAME} and {target.subnet.name} named on them", (*kept, *gone, *named))


def _named_both(link: PeeringLink, pair: PeeringPair, subnet: str) -> Iterator[Change]:
    """Both subnets named on a link that carries named subnets only."""
    if not link.peer_complete_vnets:
        yield from _named(link, *((SUBNET_NAME, subnet) if link is pair.near else (subnet, SUBNET_NAME)))


def _with_subnets(made: Change, local: str, remote: str) -> Change:
    """A link to be made, both subnets among those that it carries; one that carries all stays as it is."""
    body = made.to_value
    if body["properties"].get("peerCompleteVnets", True):
        return made
    named = {
        field: [*body["properties"][field], *_missing(body["properties"][field], name)]
        for field, name in (("localSubnetNames", local), ("remoteSubnetNames", remote))
    }
    return replace(made, to_value=body | {"properties": body["properties"] | named})


def _missing(names: list[str], name: str) -> list[str]:
    return [] if name.lower() in {one.lower() for one in names} else [name]


def sync(situation: Situation, reason: Finding) -> Iterator[Fix]:
    """The link brought up to the other VNet's address space."""
    link = _named_link(situation, reason)
    remote = situation.inventory.virtual_network(link.remote_virtual_network_id) if link is not None else None
    if link is None or remote is None or remote.address_space is None:
        return
    known = list(link.remote_address_space.texts) if link.remote_address_space is not None else []
    field = "properties.remoteAddressSpace.addressPrefixes"
    change = Change(Action.SYNC, link.id, field, known, list(remote.address_space.texts), Actor.OPERATOR)
    if (pair := _pair(situation)) is not None:
        yield from _opened_too(pair, f"sync the link {link.name} (az network vnet peering sync)", (change,))


def _named_link(situation: Situation, reason: Finding) -> PeeringLink | None:
    pair = _pair(situation)
    named = normalise_id(reason.resource or "")
    return next((link for link in pair.links if normalise_id(link.id) == named), None) if pair is not None else None


def name_subnets(situation: Situation, _: Finding) -> Iterator[Fix]:
    """Both subnets named on the links that carry named subnets only."""
    pair, subnet = _pair(situation), situation.target.subnet
    if pair is None or subnet is None:
        return
    sides = ((pair.near, SUBNET_NAME, subnet.name), (pair.far, subnet.name, SUBNET_NAME))
    changes = [
        change
        for link, local, remote in sides
        if link is not None and not link.peer_complete_vnets
        for change in _named(link, local, remote)
    ]
    yield Fix(f"name {SUBNET_NAME} and {subnet.name} on the links of both VNets", tuple(changes))


def _named(link: PeeringLink, local: str, remote: str) -> Iterator[Change]:
    sides = (
        ("localSubnetNames", link.local_subnet_names, local),
        ("remoteSubnetNames", link.remote_subnet_names, remote),
    )
    for field, listed, name in sides:
        if name.lower() not in {one.lower() for one in listed}:
            yield set_field(link.id, f"properties.{field}", list(listed), [*listed, name], Actor.OPERATOR)


def carry_ipv4(situation: Situation, _: Finding) -> Iterator[Fix]:
    """IPv4 on the links that carry IPv6 alone."""
    pair = _pair(situation)
    links = [link for link in pair.links if link.only_ipv6] if pair is not None else []
    changes = (set_field(link.id, "properties.enableOnlyIPv6Peering", True, False, Actor.OPERATOR) for link in links)
    yield Fix(f"let {' and '.join(link.name for link in links)} carry IPv4 as well", tuple(changes))


def allow_access(situation: Situation, reason: Finding) -> Iterator[Fix]:
    """Access switched on again at the link named."""
    if (link := _named_link(situation, reason)) is not None:
        yield Fix(f"set allowVirtualNetworkAccess of {link.name} to true", (_opened(link),))


def leave_developer(situation: Situation, _: Finding) -> Iterator[Fix]:
    """The lowest SKU that serves peered VNets."""
    yield from changed_sku(situation, lowest_sku("peeredVirtualNetworks"))


def bastion_of_its_own(situation: Situation, _: Finding) -> Iterator[Fix]:
    """A Bastion in the VM's own VNet: nothing leads from one tenant to the other."""
    if situation.target.network is not None:
        yield from new_host(situation, situation.target.network)


def connect_by_address(situation: Situation, _: Finding) -> Iterator[Fix]:
    """IP-based connection switched on, with the SKU that has it."""
    yield from changed_sku(situation, lowest_sku("ipConnect"), {"enableIpConnect": True})


def allow_unencrypted(_: Situation, reason: Finding) -> Iterator[Fix]:
    """A VNet that takes traffic that is not encrypted."""
    if reason.resource is not None:
        field = "properties.encryption.enforcement"
        change = set_field(reason.resource, field, "DropUnencrypted", "AllowUnencrypted", Actor.NETWORK_OWNER)
        yield Fix(f"set the encryption of VNet {reason.resource.rsplit('/', 1)[-1]} to AllowUnencrypted", (change,))
