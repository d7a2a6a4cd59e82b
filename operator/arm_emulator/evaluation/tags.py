"""What service tags mean where a rule is evaluated.

Rules: https://learn.microsoft.com/azure/virtual-network/service-tags-overview, the prefixes of the own subnet's route table
as users have observed them.
"""

from dataclasses import dataclass
from ipaddress import IPv4Network, collapse_addresses

from arm_emulator.errors import Json
from arm_emulator.evaluation import gateways, managed
from arm_emulator.evaluation.rows import Rows, field, ipv4, network_of, parts, prefix_of, referred, space

HOST = IPv4Network("168.63.129.16/32")
EVERYTHING = IPv4Network("0.0.0.0/0")
NEVER_INTERNET = tuple(
    IPv4Network(prefix)
    for prefix in (
        "0.0.0.0/8", "10.0.0.0/8", "25.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
        "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/3",
    )
)  # fmt: skip
"""What the tag Internet never contains (one recorded list)."""
PRIVATE = tuple(IPv4Network(prefix) for prefix in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"))
ANY = ("*", "any")


@dataclass(frozen=True, slots=True)
class Side:
    """The tag VirtualNetwork as one subnet's rules see it.

    `doubtful` names a default route that Azure's pages leave open: rules are then judged with 0.0.0.0/0 in the tag and
    without it.
    """

    virtual_network: tuple[IPv4Network, ...]
    doubtful: str | None = None

    def with_default(self) -> "Side":
        """The same with 0.0.0.0/0 in the tag."""
        return Side((EVERYTHING,))

    def without_default(self) -> "Side":
        """The same without it."""
        return Side(self.virtual_network)


def side_of(rows: Rows, subnet_id: str, mended: tuple[IPv4Network, ...] = ()) -> Side:
    """The tag on a subnet: own space, peers' and connected groups', learned ones, Azure's host address, and the own route table's prefixes.

    `mended` are spaces of peers that count as peered although their link is not sound.
    """
    network = rows.find(network_of(subnet_id)) or {}
    prefixes = [*space(network), HOST, *mended, *gateways.learned(rows, network), *managed.connected(rows, network)]
    for link in parts(network, "virtualNetworkPeerings"):
        if field(link, "peeringState") == "Connected" and field(link, "allowVirtualNetworkAccess") is not False:
            prefixes += space(link, "remoteAddressSpace")
    doubtful = None
    subnet = rows.find(subnet_id) or {}
    table = rows.find(referred(subnet, "routeTable")) or {}
    for route in parts(table, "routes"):
        for prefix in ipv4([str(field(route, "addressPrefix"))]):
            if prefix != EVERYTHING or field(route, "nextHopType") == "VirtualAppliance":
                prefixes.append(prefix)
            else:
                doubtful = str(route.get("name"))
    if EVERYTHING in prefixes:
        doubtful = None
    return Side(tuple(collapse_addresses(prefixes)), doubtful)


def contains(side: Side, entry: str, flow: IPv4Network) -> bool | None:
    """Whether a rule's address entry (`*`, prefix, tag) holds the whole of `flow`; None where nobody can tell."""
    if entry.lower() in ANY:
        return True
    prefix = prefix_of(entry)
    if prefix is not None:
        return isinstance(prefix, IPv4Network) and flow.subnet_of(prefix)
    return _tag_contains(side, entry.lower(), flow)


def _tag_contains(side: Side, tag: str, flow: IPv4Network) -> bool | None:
    if tag == "virtualnetwork":
        return any(flow.subnet_of(prefix) for prefix in side.virtual_network)
    if tag == "azureloadbalancer":
        return flow == HOST
    if tag == "internet":
        if flow == HOST:
            return None
        return not any(flow.overlaps(prefix) for prefix in (*side.virtual_network, *NEVER_INTERNET))
    # Every other tag stands for public addresses of Azure's services.
    return False if any(flow.subnet_of(prefix) for prefix in (*PRIVATE, HOST)) else None


def expanded(side: Side, entry: str) -> list[str] | None:
    """The prefixes that effective rules show for a tag; None for what is no tag or is not known by prefixes."""
    tag = entry.lower()
    if tag == "virtualnetwork":
        return [str(prefix) for prefix in side.virtual_network]
    if tag == "azureloadbalancer":
        return [str(HOST)]
    if tag == "internet":
        rest: list[IPv4Network] = [EVERYTHING]
        for hole in (*side.virtual_network, *NEVER_INTERNET):
            rest = [piece for prefix in rest for piece in _without(prefix, hole)]
        return [str(prefix) for prefix in sorted(rest)]
    return None


def _without(prefix: IPv4Network, hole: IPv4Network) -> list[IPv4Network]:
    if not prefix.overlaps(hole):
        return [prefix]
    return [] if prefix.subnet_of(hole) else list(prefix.address_exclude(hole))


def tag_map(side: Side, entries: list[str]) -> Json:
    """The tags among the entries with their prefixes, as `tagMap` of effective rules has them."""
    found = {entry: expanded(side, entry) for entry in entries}
    return {tag: prefixes for tag, prefixes in found.items() if prefixes is not None}
