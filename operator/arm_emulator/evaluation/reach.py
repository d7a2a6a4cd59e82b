"""A second opinion on whether Azure Bastion's sessions arrive: the flow by the facts, address by address.

It says which of the Bastion subnet's group, the admin rules, the target subnet's group, the interface's group and the route
back allow or deny each address that Bastion may use, and by which rule. It shares nothing with who else judges this.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from arm_emulator.errors import Json
from arm_emulator.evaluation import admin_rules, links, routes
from arm_emulator.evaluation.rows import (
    Rows,
    field,
    network_of,
    parts,
    primary_configuration,
    referred,
    same,
    subnet_prefixes,
)
from arm_emulator.evaluation.security_rules import UNDECIDED, Flow, Outcome, Rule, decide, rules_of
from arm_emulator.evaluation.tags import HOST, Side, side_of

RESERVED_AT_START, RESERVED_AT_END = 4, 1
"""Azure keeps the first four addresses of a subnet and the last one."""


@dataclass(frozen=True, slots=True)
class Step:
    """What one place on the way says for each source address; `resource` is the id of what was asked."""

    name: str
    resource: str | None
    outcomes: Mapping[IPv4Address, Outcome]

    def addresses(self, *accesses: str) -> list[IPv4Address]:
        """The source addresses with one of these outcomes, lowest first."""
        return sorted(address for address, outcome in self.outcomes.items() if outcome.access in accesses)


@dataclass(frozen=True, slots=True)
class Opinion:
    """The peering's faults by code, the steps in their order, and the route that diverts the reply (None: none does).

    The steps are BastionSubnet, SecurityAdmin, TargetSubnet, TargetInterface. `otherwise` are the same with the default
    route in the tag VirtualNetwork where Azure's pages leave open whether it is.
    """

    topology: tuple[str, ...]
    steps: tuple[Step, ...]
    otherwise: tuple[Step, ...]
    diverted: routes.Route | None


@dataclass(frozen=True, slots=True)
class _Way:
    """Where the flow begins and ends."""

    sources: list[IPv4Address]
    prefixes: list[IPv4Network]
    bastion_subnet: str | None
    bastion_network: str
    target: IPv4Address
    subnet: str
    interface: Json
    port: int
    groups: frozenset[str]

    def flow(self, source: IPv4Address) -> Flow:
        return Flow(IPv4Network(source), IPv4Network(self.target), self.port, destination_groups=self.groups)


def opinion(rows: Rows, bastion_id: str, interface_id: str, port: int) -> Opinion:
    """Judges one Bastion, one interface, one TCP port. Raises LookupError where the rows do not say where either is."""
    way = _way(rows, bastion_id, interface_id, port)
    home = network_of(way.subnet)
    pair = None
    if not same(way.bastion_network, home) and way.bastion_subnet is not None:
        pair = links.pair(rows, way.bastion_network, home, way.bastion_subnet, way.target)
    faults = () if pair is None else links.faults(pair, way.bastion_subnet or "", way.subnet, way.prefixes, way.target)
    sound = not any(fault in links.UNSOUND for fault in faults)
    here = _side(rows, way.bastion_subnet, home, sound)
    there = _side(rows, way.subnet, way.bastion_network, sound)
    steps = _steps(rows, way, here.without_default(), there.without_default())
    otherwise = steps
    if here.doubtful or there.doubtful:
        otherwise = _steps(
            rows,
            way,
            here.with_default() if here.doubtful else here,
            there.with_default() if there.doubtful else there,
        )
    access = (
        ()
        if pair is None or not sound
        else links.access(rows, pair, way.bastion_subnet or "", way.subnet, way.interface)
    )
    return Opinion(
        (*faults, *access), steps, otherwise, _diverted(rows, way, sound=sound, routed=pair is not None and pair.routed)
    )


def _way(rows: Rows, bastion_id: str, interface_id: str, port: int) -> _Way:
    bastion, interface = rows.find(bastion_id), rows.find(interface_id)
    configuration = None if interface is None else primary_configuration(interface)
    if bastion is None or interface is None or configuration is None:
        raise LookupError(f"{bastion_id} or {interface_id} with an IPv4 address is not among the rows")
    subnet, address = referred(configuration, "subnet"), field(configuration, "privateIPAddress")
    if subnet is None or address is None:
        raise LookupError(f"{interface_id} does not say its subnet and address")
    own = next((referred(part, "subnet") for part in parts(bastion, "ipConfigurations")), None)
    prefixes = [HOST] if own is None else subnet_prefixes(rows.find(own) or {})
    home = referred(bastion, "virtualNetwork") if own is None else network_of(own)
    if not prefixes or home is None:
        raise LookupError(f"{bastion_id} does not say its subnet")
    groups = [str(group["id"]).lower() for group in parts(configuration, "applicationSecurityGroups")]
    sources = [HOST.network_address] if own is None else [one for prefix in prefixes for one in usable(prefix)]
    return _Way(sources, prefixes, own, home, IPv4Address(str(address)), subnet, interface, port, frozenset(groups))


def usable(prefix: IPv4Network) -> list[IPv4Address]:
    """The addresses of a subnet but Azure's five."""
    return list(prefix)[RESERVED_AT_START : prefix.num_addresses - RESERVED_AT_END]


def _side(rows: Rows, subnet: str | None, other: str, sound: bool) -> Side:
    """The tags on one side; where the peering is not sound, as they will be once it is."""
    if subnet is None:
        return Side(())
    mended = () if sound else tuple(links.live_space(rows, other))
    return side_of(rows, subnet, mended)


def _steps(rows: Rows, way: _Way, here: Side, there: Side) -> tuple[Step, ...]:
    admin = _admin(rows, way, there)
    passed = {source: admin.outcomes[source].access == "AlwaysAllow" for source in way.sources}
    return (
        _step(rows, "BastionSubnet", way.bastion_subnet, way, here, "Outbound"),
        admin,
        _step(rows, "TargetSubnet", way.subnet, way, there, "Inbound", passed.get),
        _step(rows, "TargetInterface", str(way.interface["id"]), way, there, "Inbound", passed.get),
    )


def _step(
    rows: Rows,
    name: str,
    owner_id: str | None,
    way: _Way,
    side: Side,
    direction: str,
    passed: Callable[[IPv4Address], bool | None] = lambda _: False,
) -> Step:
    """A security group's word on each address; no group allows, and what AlwaysAllow has passed is not asked."""
    owner = rows.find(owner_id) or {}
    group = rows.find(referred(owner, "networkSecurityGroup"))
    if group is None:
        return Step(name, None, dict.fromkeys(way.sources, UNDECIDED))
    rules = [rule for rule in rules_of(group) if rule.direction == direction]
    return Step(
        name,
        str(group["id"]),
        {one: UNDECIDED if passed(one) else decide(rules, way.flow(one), side) for one in way.sources},
    )


def _admin(rows: Rows, way: _Way, side: Side) -> Step:
    rules: Iterable[Rule] = admin_rules.in_force(rows, network_of(way.subnet))
    inbound = [rule for rule in rules if rule.direction == "Inbound"]
    return Step("SecurityAdmin", None, {one: decide(inbound, way.flow(one), side) for one in way.sources})


def _diverted(rows: Rows, way: _Way, *, sound: bool, routed: bool) -> routes.Route | None:
    """The route that takes the reply to some address that Bastion may use elsewhere, for the lowest such address.

    No user route applies to Azure's own address. Where no peering but a route of Bastion's own leads to the target, a route
    to the gateway is as good as any.
    """
    if way.bastion_subnet is None:
        return None
    peers = () if sound else ((way.bastion_network, tuple(links.live_space(rows, way.bastion_network))),)
    known = routes.effective_routes(rows, way.subnet, peers)
    good = (*routes.LOCAL_HOPS, routes.GATEWAY) if routed else routes.LOCAL_HOPS
    for address in way.sources:
        taken = routes.next_hop(known, address)
        if taken is None or taken.hop not in good:
            return taken or routes.Route(routes.DEFAULT, IPv4Network(address), "None")
    return None
