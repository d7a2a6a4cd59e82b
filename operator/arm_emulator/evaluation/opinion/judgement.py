"""The opinion on one machine, one Bastion, one protocol and port; and which Bastions come into question, in their order."""

from collections.abc import Iterator
from dataclasses import dataclass

from arm_emulator.errors import Json
from arm_emulator.evaluation.opinion import gateways, hubs, just_in_time
from arm_emulator.evaluation.opinion.facts import OPEN, Facts, flag, is_held_by_hub, key, tells_links
from arm_emulator.evaluation.opinion.flow import Reason, Way, flow_reasons
from arm_emulator.evaluation.opinion.host import Host, host, host_codes
from arm_emulator.evaluation.opinion.machine import Machine, address_codes, machine, machine_codes, system
from arm_emulator.evaluation.opinion.own_rules import own_rule_codes
from arm_emulator.evaluation.opinion.path import NETWORKS, Path, grouped, neighbours, path
from arm_emulator.evaluation.rows import field

BASTIONS = "Microsoft.Network/bastionHosts"
PORTS = {"RDP": 3389, "SSH": 22}
OWN_PROTOCOL = {"Windows": "RDP", "Linux": "SSH"}
ALWAYS = ("GuestNotVerified", "RbacNotEvaluated")
UNKNOWN = frozenset(
    {
        "BastionUpdating", "BastionStateFailed", "PeeringAccessDisabled", "ConnectedGroupNoPeering",
        "EffectiveDataUnavailable", "PermissionDenied", "UnknownServiceTag",
    }
)  # fmt: skip
WARNINGS = frozenset(
    {
        "SubnetTooSmall", "SubnetNotDedicated", "BastionNsgRowNotExplicit", "UnsupportedSubnetRouteTable", "RdsOrAvdTarget",
        "VnetEncryptionEnforced", "SecurityAdminAlwaysAllows", "IpConnectRequired", "NativeClientDisabled",
        "GuestNotVerified", "NotLookedAt", "RbacNotEvaluated", "JitMayBlock", "CapacityExceeded",
    }
)  # fmt: skip
"""All other codes make a machine unreachable."""
VERDICTS = ("Reachable", "Unknown", "Unreachable")
WAYS = ("SameVNet", "Peering", "GlobalPeering", "IpConnect", None)
SESSIONS = {"Developer": (1, 1, 1, 1), "Basic": (2, 2, 20, 40), "Standard": (2, 50, 20, 40), "Premium": (2, 50, 20, 40)}
"""Fewest and most instances, and RDP and SSH sessions that each carries."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a machine; `port` is the protocol's own unless named, `address` one that Bastion should use."""

    protocol: str
    port: int
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict with what it comes from: reasons in the order of the steps, those of the flow with what is to blame, and warnings."""

    bastion: str | None
    verdict: str
    via: str | None
    methods: tuple[str, ...]
    reasons: tuple[Reason, ...]
    warnings: frozenset[str]

    @property
    def codes(self) -> frozenset[str]:
        """The codes of the reasons."""
        return frozenset(reason.code for reason in self.reasons)


class Opinion:
    """Opinions on one set of facts."""

    def __init__(self, facts: Facts) -> None:
        """What is found of a Bastion alone is found once."""
        self._facts = facts
        self._host_codes: dict[str, list[str]] = {}
        self._known: dict[tuple[str, str, Asked], Judgement] = {}

    def on(self, machine_id: str, bastion_id: str, asked: Asked) -> Judgement:
        """What one Bastion makes of one machine. Raises LookupError for a machine that is not there."""
        known = (machine_id, bastion_id, asked)
        if known not in self._known:
            self._known[known] = self._on(machine_id, bastion_id, asked)
        return self._known[known]

    def _on(self, machine_id: str, bastion_id: str, asked: Asked) -> Judgement:
        facts = self._facts
        target = machine(facts, machine_id)
        bastion = facts.find(bastion_id)
        if bastion is None:
            return _judgement(bastion_id, None, (), _coded("BastionNotFound", *machine_codes(facts, target), *ALWAYS))
        near = host(facts, bastion)
        if bastion_id not in self._host_codes:
            self._host_codes[bastion_id] = [*host_codes(facts, near), *own_rule_codes(facts, near)]
        between = path(facts, near, target)
        own = [*self._host_codes[bastion_id], *machine_codes(facts, target), *address_codes(target, asked.address)]
        found = _coded(*own, *_sku(near, target, asked), *between.codes)
        if near.sources and target.addresses and target.subnet is not None:
            found += flow_reasons(Way(facts, near, target, target.subnet, between, asked.port))
        if not _native(near):
            found += _coded("NativeClientDisabled")
        found += _coded(*_unseen(facts, near, target, asked), *ALWAYS)
        return _judgement(bastion_id, between.via, tuple(_methods(near, between, asked)), found)

    def best(self, machine_id: str, asked: Asked) -> list[Judgement]:
        """What each Bastion in question makes of a machine, the best first; one without a Bastion where there is none."""
        found = [
            self.on(machine_id, str(one["id"]), asked) for one in self._candidates(machine(self._facts, machine_id))
        ]
        if not found:
            return [self._without(machine_id, asked)]
        return sorted(found, key=_merit)

    def _without(self, machine_id: str, asked: Asked) -> Judgement:
        target = machine(self._facts, machine_id)
        codes = [*machine_codes(self._facts, target), *address_codes(target, asked.address)]
        if not list(self._facts.of_type(BASTIONS)):
            codes.append("BastionNotFound")
        elif self._facts.find(target.network_id) is not None:
            placed = all(network is not None for _, network in self._homes())
            codes.append("NotPeered" if placed else OPEN)
        return _judgement(None, None, (), _coded(*codes, *ALWAYS))

    def _candidates(self, target: Machine) -> list[Json]:
        """Bastions in the machine's network, in its neighbours and on its virtual WAN; if there is none, one network further."""
        if target.network_id is None:
            return []
        facts, own = self._facts, key(target.network_id)
        every = list(facts.of_type(NETWORKS))
        near = neighbours(facts, target.network_id)
        around = near | hubs.mates(facts, target.network_id, every) | {own}
        # What is in force on a network is told beside it: it is known of one whose own row is not in the data.
        held = (network for _, network in self._homes())
        around |= {key(one) for one in held if one and key(one) != own and grouped(facts, target.network_id, one)}
        homeless = [one for one in facts.of_type(BASTIONS) if host(facts, one).homeless]
        if not self._bastions_in(around):
            around = {other for one in near for other in neighbours(facts, one)} - near - {own}
        return self._bastions_in(around | self._perhaps_peered(target.network_id)) + homeless

    def _perhaps_peered(self, network_id: str) -> set[str]:
        """Keys of the networks of Bastions of which neither they nor this one say whether the two are peered."""

        def silent(one: str) -> bool:
            held = self._facts.find(one)
            return held is None or not tells_links(held)

        own = self._facts.find(network_id)
        if own is None or tells_links(own):
            return set()
        return {key(one) for _, one in self._homes() if one is not None and silent(one)}

    def _homes(self) -> Iterator[tuple[Json, str | None]]:
        """Each Bastion with the id of its network."""
        return ((one, host(self._facts, one).network_id) for one in self._facts.of_type(BASTIONS))

    def _bastions_in(self, networks: set[str]) -> list[Json]:
        return [one for one, network in self._homes() if network is not None and key(network) in networks]


def _coded(*codes: str) -> list[Reason]:
    return [Reason(code) for code in codes]


def _judgement(bastion: str | None, via: str | None, methods: tuple[str, ...], found: list[Reason]) -> Judgement:
    warnings = frozenset(one.code for one in found if one.code in WARNINGS)
    reasons = tuple(one for one in found if one.code not in WARNINGS)
    stated = {one.code for one in reasons}
    verdict = "Unreachable" if stated - UNKNOWN else "Unknown" if stated else "Reachable"
    return Judgement(bastion, verdict, via, methods if verdict == "Reachable" else (), reasons, warnings)


def _merit(found: Judgement) -> tuple[int, int, int]:
    """The order as far as verdict, way and methods go; then come fewer reasons and the lower id."""
    return VERDICTS.index(found.verdict), WAYS.index(found.via), -len(found.methods)


def _sku(near: Host, target: Machine, asked: Asked) -> Iterator[str]:
    """Step 9."""
    if near.full:
        return
    own = system(target.row)
    if own is None:
        yield "EffectiveDataUnavailable"
    elif near.sku is not None and OWN_PROTOCOL[own] != asked.protocol:
        yield "ProtocolNotSupportedBySku"
    if near.sku is not None and asked.port != PORTS[asked.protocol]:
        yield "CustomPortNotSupported"


def _native(near: Host) -> bool:
    return near.full and flag(near.row, "enableTunneling") and not flag(near.row, "enableSessionRecording")


def _methods(near: Host, between: Path, asked: Asked) -> Iterator[str]:
    """Step 17."""
    yield "Portal"
    by_address = between.via == "IpConnect"
    if _native(near) and (not by_address or asked.port in PORTS.values()):
        yield "NativeClient"
    if near.full and flag(near.row, "enableShareableLink") and not by_address:
        yield "ShareableLink"


def _unseen(facts: Facts, near: Host, target: Machine, asked: Asked) -> Iterator[str]:
    """Step 18."""
    if just_in_time.kept_closed(facts, near, target, asked.port):
        yield "JitMayBlock"
    elif not list(facts.of_type(just_in_time.POLICIES)):
        yield "NotLookedAt"
    if near.sku is not None:
        fewest, most, rdp, ssh = SESSIONS[near.sku]
        units = min(max(int(field(near.row, "scaleUnits") or 2), fewest), most)  # type: ignore[call-overload]
        if facts.sessions(str(near.row["id"])) >= units * (rdp if asked.protocol == "RDP" else ssh):
            yield "CapacityExceeded"
    for network_id in (near.network_id, target.network_id):
        network = facts.find(network_id)
        if network is None:
            continue
        if is_held_by_hub(network) or hubs.connections(facts, str(network["id"])) or gateways.used_by(facts, network):
            yield "NotLookedAt"
