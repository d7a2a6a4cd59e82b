"""How the Bastion's network and the machine's lie to each other. Steps 10 to 12."""

from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field as item

from arm_emulator.errors import Json
from arm_emulator.evaluation import managed
from arm_emulator.evaluation.opinion import gateways, hubs
from arm_emulator.evaluation.opinion.addresses import EVERYTHING, spans, within
from arm_emulator.evaluation.opinion.facts import (
    OPEN,
    Facts,
    any_named,
    attached,
    column,
    flag,
    key,
    leads_to,
    peerings,
    readable_space,
    region,
    tells_links,
    word,
)
from arm_emulator.evaluation.opinion.host import SUBNET_NAME, Host
from arm_emulator.evaluation.opinion.machine import Machine, tenant
from arm_emulator.evaluation.opinion.user_routes import cut_off, out_of_sight, routes_of
from arm_emulator.evaluation.rows import field, parts, referred, space

NETWORKS = "Microsoft.Network/virtualNetworks"
KNOWN_STATES = ("initiated", "connected", "disconnected")
OWN = "own"
SAME, PEERED, APART, UNCLEAR = "SameVNet", "Peered", "Apart", "Unclear"


@dataclass(frozen=True, slots=True)
class Path:
    """The kind of path with the codes of steps 11 and 12. `here` and `there` are the links of a peering.

    `mended`: its faults are to be thought away: the other network counts as peered, with access. `learned`: a gateway or a
    virtual hub lies between. `via` is how verdicts call the way.
    """

    kind: str
    via: str | None = None
    here: Json | None = None
    there: Json | None = None
    mended: bool = False
    learned: bool = False
    codes: tuple[str, ...] = item(default=())

    def closed(self, link: Json | None) -> bool:
        """Whether a link, taken as it is, keeps the other network out of its side's tag."""
        return link is not None and not self.mended and not flag(link, "allowVirtualNetworkAccess", default=True)


def path(facts: Facts, host: Host, machine: Machine) -> Path:
    """Steps 10 to 12 for one Bastion and one machine."""
    if host.network_id is None or machine.network_id is None:
        return Path(UNCLEAR)
    if key(host.network_id) == key(machine.network_id):
        return Path(SAME, "SameVNet")
    general = ["DeveloperNoPeering"] if host.developer else []
    tenants = tenant(facts, host.network_id, host.row), tenant(facts, machine.network_id, machine.row)
    if None not in tenants and tenants[0] != tenants[1]:
        general.append("CrossTenantPeering")
    ours, theirs = facts.find(host.network_id), facts.find(machine.network_id)
    here = next((link for link in peerings(ours) if leads_to(link, machine.network_id)), None)
    there = next((link for link in peerings(theirs) if leads_to(link, host.network_id)), None)
    encryption = ["VnetEncryptionEnforced"] if _encrypted(ours) or _encrypted(theirs) else []
    if here is not None or there is not None:
        faults = list(_faults(facts, host, machine, here, there))
        mended = not _sound(here, there) or "AddressSpaceNotSynced" in faults
        found = Path(PEERED, _via(host, ours, theirs), here, there, mended)
        access = list(_access(host, machine, found))
        return Path(PEERED, found.via, here, there, mended, codes=(*general, *faults, *access, *encryption))
    if ours is None or theirs is None:
        return Path(UNCLEAR, codes=tuple(general))
    if not tells_links(ours) and not tells_links(theirs):
        return Path(UNCLEAR, mended=True, codes=(*general, OPEN))
    ways = _ways(facts, host, machine, ours, theirs)
    usable = flag(host.row, "enableIpConnect") and (host.full or host.sku is None)
    if ways and not (usable or {"route", OWN} & set(ways)):
        # A way that may be there is none for a Bastion that could not use it: the two are to be peered.
        codes = (*general, *encryption, *_no_way(facts, host, ours, theirs), *ways)
        return Path(APART, mended=True, codes=codes)
    if ways:
        codes = (*general, *encryption, *_over_a_gateway(host, ways))
        return Path(APART, "IpConnect", learned=True, codes=codes)
    return Path(APART, mended=True, codes=(*general, *encryption, *_no_way(facts, host, ours, theirs)))


def _encrypted(network: Json | None) -> bool:
    value = field(network or {}, "encryption")
    held = value if isinstance(value, dict) else {}
    return held.get("enabled") is True and str(held.get("enforcement")).lower() == "dropunencrypted"


def _via(host: Host, ours: Json | None, theirs: Json | None) -> str:
    here = region(column(ours or {}, "location")) or region(column(host.row, "location"))
    there = region(column(theirs or {}, "location"))
    return "GlobalPeering" if here and there and here != there else "Peering"


def _sound(here: Json | None, there: Json | None) -> bool:
    return all(link is not None and word(link, "peeringState") == "connected" for link in (here, there))


def _faults(facts: Facts, host: Host, machine: Machine, here: Json | None, there: Json | None) -> Iterator[str]:
    links = [link for link in (here, there) if link is not None]
    states = [word(link, "peeringState") for link in links]
    if "disconnected" in states:
        yield "PeeringDisconnected"
        return
    owner = facts.find(machine.network_id if there is None else host.network_id)
    if "initiated" in states or (len(links) == 1 and owner is not None and tells_links(owner)):
        yield "PeeringOneSided"
    elif (len(links) == 1 and owner is not None) or (
        any(state not in KNOWN_STATES for state in states) and len(links) > 1
    ):
        yield OPEN
    if machine.addresses and host.sources:
        known = {bool(list(_spaces(here, (one,)))) for one in machine.addresses}
        # A machine has one of these addresses: a link that knows some of them may know that one.
        yield from (OPEN,) if len(known) > 1 else _spaces(here, machine.addresses)
        bastion = [end for first, last in spans(host.prefixes) for end in (first, last)]
        yield from _spaces(there, tuple(bastion)) if bastion else ()
    yield from _subnets(host, machine, here, there)


def _spaces(link: Json | None, addresses: tuple[int, ...]) -> Iterator[str]:
    if link is None:
        return
    known = spans(space(link, "remoteAddressSpace"))
    if not all(within(address, known) for address in addresses):
        yield "AddressSpaceNotSynced" if readable_space(link, "remoteAddressSpace") else OPEN


def _subnets(host: Host, machine: Machine, here: Json | None, there: Json | None) -> Iterator[str]:
    """Links that peer some subnets only have to name both, and carry IPv4."""
    partial = [link for link in (here, there) if link and not flag(link, "peerCompleteVnets", default=True)]
    target = str((machine.subnet or {}).get("name"))
    if machine.subnet is not None and not host.developer:
        for link, local, remote in ((here, SUBNET_NAME, target), (there, target, SUBNET_NAME)):
            if link in partial and link is not None:
                names = [field(link, name) or [] for name in ("localSubnetNames", "remoteSubnetNames")]
                if not any_named(names[0], local) or not any_named(names[1], remote):  # type: ignore[arg-type]
                    yield "SubnetNotPeered"
    if any(flag(link, "enableOnlyIPv6Peering") for link in partial):
        yield "SubnetPeeringIPv6Only"


def _access(host: Host, machine: Machine, found: Path) -> Iterator[str]:
    """Where a side keeps the other out of its tag and has no group that would decide, nobody can say what happens."""
    if host.developer:
        return
    near, far = [host.subnet], [machine.subnet, machine.interface]
    for link, owners in ((found.here, near), (found.there, far)):
        # A side that is not known is not held to be without a group.
        guarded = None in owners or any(attached(owner or {}, "networkSecurityGroup") for owner in owners)
        if found.closed(link) and not guarded:
            yield "PeeringAccessDisabled"


def _ways(facts: Facts, host: Host, machine: Machine, ours: Json, theirs: Json) -> list[str]:
    """What leads from one network to the other without a peering: `route` for a known way, codes for what is not known.

    `own` is a route of Bastion's own table, whatever becomes of its traffic.

    Bastion's own route table comes first, as it decides for its subnet; a known way makes doubtful ones idle.
    """
    table_id = attached(host.subnet, "routeTable")
    table = facts.find(table_id)
    if table_id is not None and table is None:
        return [facts.gone(table_id)]
    for route in routes_of(table):
        held = [] if route.held in {None, EVERYTHING} else [route.held]
        if any(within(address, held) for address in machine.addresses):
            return [OWN]
    if table is not None and out_of_sight(table):
        return [OPEN]
    found = _learned(facts, host, machine, ours, theirs)
    if not found or cut_off(table):
        return []
    if cut_off(table) is None:
        return [OPEN]
    return ["route"] if "route" in found else found[:1]


def _learned(facts: Facts, host: Host, machine: Machine, ours: Json, theirs: Json) -> list[str]:
    """The same of what hubs and gateways tell a network."""
    found = hubs.between(facts, ours, theirs, (host.sources, machine.addresses))
    for site in gateways.sites(facts, ours):
        led = gateways.besides_default(site)
        if machine.addresses and all(within(one, led) for one in machine.addresses):
            found.append("route")
    if gateways.joined(facts, ours, theirs):
        found.append("route")
    if (unread := gateways.unread_end(facts, ours)) is not None:
        found.append(unread)
    return found


def _over_a_gateway(host: Host, ways: list[str]) -> Iterator[str]:
    yield "IpConnectRequired"
    if host.sku is not None and not host.full:
        yield "IpConnectSkuTooLow"
    elif not flag(host.row, "enableIpConnect"):
        yield "IpConnectDisabled"
    yield from (OPEN if code == OWN else code for code in ways if code != "route")


def _no_way(facts: Facts, host: Host, ours: Json, theirs: Json) -> Iterator[str]:
    if grouped(facts, str(ours["id"]), str(theirs["id"])):
        yield "ConnectedGroupNoPeering"
        return
    third = neighbours(facts, str(ours["id"])) & neighbours(facts, str(theirs["id"]))
    yield "PeeringNotTransitive" if third else "NotPeered"
    if host.full and flag(host.row, "enableIpConnect"):
        yield "NoRouteToTarget"


def grouped(facts: Facts, one: str, other: str) -> bool:
    """Whether a network manager connects two networks (ids) directly, without peering objects.

    All of a mesh; of hub and spoke those of a group that is connected directly, with the hub. Where nobody says in which
    groups a network is, it may be in any.
    """
    shared = [
        {key(str(held["id"])) for held in managed.listed(facts, network, *[LISTED] * 2)} for network in (one, other)
    ]
    for snapshot in shared[0] & shared[1]:
        configuration = facts.find(snapshot)
        if configuration is None:
            continue
        if word(configuration, "connectivityTopology") == "mesh":
            return True
        here, there = (_direct_groups(facts, configuration, network) for network in (one, other))
        if here & there and HUB not in here & there:
            return True
    return False


HUB = "hub"
"""Stands beside the groups of the network that is the hub of them all."""


def _direct_groups(facts: Facts, configuration: Json, network_id: str) -> set[str]:
    """The groups of a configuration that connect their members directly and that a network is in, or may be."""
    direct = [
        str(item.get("networkGroupId") or UNNAMED).lower()
        for item in managed.applied_to(configuration)
        if str(item.get("groupConnectivity")).lower() == "directlyconnected"
    ]
    if any(key(str(hub.get("resourceId"))) == key(network_id) for hub in parts(configuration, "hubs")):
        return {HUB, *direct}
    own = managed.groups_of(facts, network_id)
    return {one for one in direct if own is None or one in own or one == UNNAMED}


UNNAMED = "?"
LISTED = "effectiveConnectivityConfigurations"


def neighbours(facts: Facts, network_id: str) -> set[str]:
    """Keys of the networks with a link to or from this one, in any state."""
    own = key(network_id)
    found: set[str] = set()
    for network in facts.of_type(NETWORKS):
        remotes = {key(one) for link in peerings(network) if (one := referred(link, "remoteVirtualNetwork"))}
        if key(str(network["id"])) == own:
            found |= remotes
        elif own in remotes:
            found.add(key(str(network["id"])))
    return found - {own}
