"""What virtual network gateways bring to a network: sites, and other networks."""

from collections.abc import Iterator

from arm_emulator.errors import Json
from arm_emulator.evaluation.opinion.addresses import EVERYTHING, Span, spans
from arm_emulator.evaluation.opinion.facts import (
    OPEN,
    Facts,
    flag,
    key,
    leads_to,
    peerings,
    readable_space,
    states_space,
    word,
)
from arm_emulator.evaluation.rows import SUBNETS, field, network_of, parts, referred, space

GATEWAYS = "Microsoft.Network/virtualNetworkGateways"
CONNECTIONS = "Microsoft.Network/connections"


def used_by(facts: Facts, network: Json) -> list[Json]:
    """The network's own gateways, and those that it uses through a working peering with transit."""
    networks = [str(network["id"])]
    for link in peerings(network):
        remote = facts.find(referred(link, "remoteVirtualNetwork"))
        back = next((one for one in peerings(remote) if leads_to(one, str(network["id"]))), None)
        if remote is None or back is None or not flag(link, "useRemoteGateways"):
            continue
        if (
            flag(back, "allowGatewayTransit")
            and word(link, "peeringState") == word(back, "peeringState") == "connected"
        ):
            networks.append(str(remote["id"]))
    held = {key(one) for one in networks}
    return [one for one in facts.of_type(GATEWAYS) if held & set(_networks_of(one))]


def _networks_of(gateway: Json) -> Iterator[str]:
    for part in parts(gateway, "ipConfigurations"):
        subnet = referred(part, "subnet")
        if subnet and SUBNETS in subnet.lower():
            yield key(network_of(subnet))


def sites(facts: Facts, network: Json) -> list[list[Span]]:
    """The prefixes of each site that is connected to a gateway of the network."""
    own = {key(str(one["id"])) for one in used_by(facts, network)}
    found = []
    for connection in facts.of_type(CONNECTIONS):
        gateway, site = (
            referred(connection, "virtualNetworkGateway1"),
            facts.find(referred(connection, "localNetworkGateway2")),
        )
        if gateway and site and key(gateway) in own:
            found.append(spans(space(site, "localNetworkAddressSpace")))
    return found


def unread_end(facts: Facts, network: Json) -> str | None:
    """The code where a gateway of the network is connected to something whose prefixes nobody can tell."""
    own = {key(str(one["id"])) for one in used_by(facts, network)}
    unread: str | None = None
    for connection in facts.of_type(CONNECTIONS):
        gateway = referred(connection, "virtualNetworkGateway1")
        if gateway is None or key(gateway) not in own:
            continue
        for name in ("localNetworkGateway2", "virtualNetworkGateway2"):
            end_id = referred(connection, name)
            end = facts.find(end_id)
            if end_id is not None and end is None:
                return facts.gone(end_id)
            if end is not None and name == "localNetworkGateway2" and not _readable(end):
                unread = OPEN
    return unread


def _readable(site: Json) -> bool:
    """Whether a site states its prefixes readably, or leaves telling them to BGP."""
    if readable_space(site, "localNetworkAddressSpace"):
        return True
    return not states_space(site, "localNetworkAddressSpace") and bool(field(site, "bgpSettings"))


def tells_all(site: list[Span]) -> bool:
    """Whether the prefixes of a site together are 0.0.0.0/0."""
    reach = 0
    for first, last in sorted(site):
        if first > reach:
            return False
        reach = max(reach, last + 1)
    return reach > EVERYTHING[1]


def besides_default(site: list[Span]) -> list[Span]:
    """A site's prefixes but those that make up 0.0.0.0/0: while all together do, the ones that lie in no other."""
    inner = sorted(set(site))
    while inner and tells_all(inner):
        inner = [one for one in inner if sum(held[0] <= one[0] and one[1] <= held[1] for held in inner) > 1]
    return inner


def joined(facts: Facts, one: Json, other: Json) -> bool:
    """Whether gateways of the two networks are connected to each other."""
    ours, theirs = ({key(str(held["id"])) for held in used_by(facts, network)} for network in (one, other))
    for connection in facts.of_type(CONNECTIONS):
        ends = [referred(connection, f"virtualNetworkGateway{place}") for place in (1, 2)]
        if None in ends:
            continue
        here, there = (key(str(end)) for end in ends)
        if (here in ours and there in theirs) or (there in ours and here in theirs):
            return True
    return False
