"""What address entries of rules mean on one side of a connection, tags included, for one address at a time."""

from dataclasses import dataclass, replace

from arm_emulator.errors import Json
from arm_emulator.evaluation.opinion import gateways, host
from arm_emulator.evaluation.opinion.addresses import (
    EVERYTHING,
    HOST,
    NOT_PUBLIC,
    Span,
    is_ipv6,
    span,
    spans,
    within,
)
from arm_emulator.evaluation.opinion.facts import (
    OPEN,
    Facts,
    attached,
    flag,
    peerings,
    readable_space,
    states_space,
    word,
)
from arm_emulator.evaluation.opinion.user_routes import cut_off, out_of_sight, routes_of
from arm_emulator.evaluation.rows import referred, space
from arm_emulator.service_tags import SERVICES

UNKNOWN_TAG = "UnknownServiceTag"


@dataclass(frozen=True, slots=True)
class Doubt:
    """Something that nobody can tell: what it is, and the code to say so."""

    what: str
    code: str


@dataclass(frozen=True, slots=True)
class Side:
    """The tag VirtualNetwork on one side. `doubt`: why it may hold more; `default`: a route leaves open whether it holds all."""

    virtual_network: tuple[Span, ...] = ()
    doubt: str | None = None
    default: bool = False

    def with_default(self) -> "Side":
        """The same with 0.0.0.0/0 in the tag."""
        return replace(self, virtual_network=(EVERYTHING,))

    def holds(self, entry: str, address: int) -> bool | Doubt:
        """Whether an entry holds an address."""
        held = span(entry)
        if entry == "*" or held is not None:
            return held is None or held[0] <= address <= held[1]
        if is_ipv6(entry):
            return False
        if not entry[:1].isalpha():
            return Doubt(f"entry {entry}", OPEN)
        return self._tag_holds(entry.lower(), address)

    def _tag_holds(self, tag: str, address: int) -> bool | Doubt:
        if tag == "azureloadbalancer":
            return address == HOST
        if tag in {"virtualnetwork", "internet"}:
            own = within(address, self.virtual_network)
            public = not within(address, NOT_PUBLIC)
            if tag == "internet" and address == HOST:
                # Azure's own address lies in VirtualNetwork; whether Internet has it as well, no page says.
                return Doubt("host in internet", OPEN)
            if self.doubt is not None and not own and (tag == "virtualnetwork" or public):
                return Doubt(f"{address} in {tag}", self.doubt)
            return own if tag == "virtualnetwork" else public and not own
        if tag.partition(".")[0] not in SERVICES:
            return Doubt(f"{address} in {tag}", UNKNOWN_TAG)
        if within(address, NOT_PUBLIC) or address == HOST:
            return False
        return Doubt(f"{address} in {tag}", OPEN)


def side_of(
    facts: Facts,
    network: Json,
    subnet: Json,
    across: Json | None,
    link: Json | None,
    without: tuple[bool, bool] = (False, False),
) -> Side:
    """The tags on a subnet.

    `across` is the other network where it counts although no sound peering brings it, with the `link` to it if there is one.
    `without`: whether the subnet's table is thought away, and whether default routes that it learns are.
    """
    known, doubt = without_routes(facts, network), more_than_told(facts, network)
    if across is not None:
        known += spans(space(across)) + ([] if link is None else spans(space(link, "remoteAddressSpace")))
        doubt = doubt or (None if readable_space(across) else OPEN) or (None if link is None else _untold(facts, link))
    table_id = attached(subnet, "routeTable")
    table = facts.find(table_id)
    default = not without[1] and cut_off(table) is not True and bool(host.learned_defaults(facts, network))
    if without[0]:
        return Side(tuple(known), doubt, default)
    if table_id is not None and table is None:
        doubt = doubt or facts.gone(table_id)
    for route in routes_of(table):
        if route.held == EVERYTHING:
            default = route.hop != "virtualappliance"
            if not default:
                return Side((EVERYTHING,), doubt)
        elif route.held is not None:
            known.append(route.held)
    if table is not None and out_of_sight(table):
        doubt = doubt or OPEN
    return Side(tuple(known), doubt, default)


def without_routes(facts: Facts, network: Json) -> list[Span]:
    """The tag VirtualNetwork without what a route table adds: own space, working peers', sites', Azure's own address."""
    found = [*spans(space(network)), (HOST, HOST)]
    for link in peerings(network):
        if word(link, "peeringState") == "connected" and flag(link, "allowVirtualNetworkAccess", default=True):
            stated = states_space(link, "remoteAddressSpace")
            remote = link if stated else facts.find(referred(link, "remoteVirtualNetwork")) or {}
            found += spans(space(remote, "remoteAddressSpace" if stated else "addressSpace"))
    found += [one for site in gateways.sites(facts, network) for one in gateways.besides_default(site)]
    return found


def more_than_told(facts: Facts, network: Json) -> str | None:
    """The code where that tag may hold more: the network or a working peer does not say its space, or not readably."""
    links = (
        link
        for link in peerings(network)
        if word(link, "peeringState") == "connected" and flag(link, "allowVirtualNetworkAccess", default=True)
    )
    told = [None if readable_space(network) else OPEN, *(_untold(facts, link) for link in links)]
    return next((code for code in told if code is not None), None) or gateways.unread_end(facts, network)


def _untold(facts: Facts, link: Json) -> str | None:
    """The code where nobody can tell what the link knows of the other network."""
    remote_id = referred(link, "remoteVirtualNetwork")
    if states_space(link, "remoteAddressSpace") or remote_id is None:
        return None if readable_space(link, "remoteAddressSpace") else OPEN
    remote = facts.find(remote_id)
    if remote is None:
        return facts.gone(remote_id)
    return None if readable_space(remote) else OPEN
