"""The rules that Bastion itself needs in its subnet's security group. The rest of step 7.

Table: https://learn.microsoft.com/azure/bastion/bastion-nsg. What is behind a service tag is one stand-in each. It may lie at
any public address: rules that let through, or deny, by prefixes decide about it once they have named every one.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

from arm_emulator.evaluation.opinion.addresses import (
    EVERYTHING,
    HOST,
    LAST,
    NOT_PUBLIC,
    Span,
    samples,
    span,
    spans,
    within,
)
from arm_emulator.evaluation.opinion.facts import OPEN, Facts, attached, states
from arm_emulator.evaluation.opinion.host import Host
from arm_emulator.evaluation.opinion.rules import Packet, fields_met
from arm_emulator.evaluation.opinion.side import Doubt, Side, without_routes
from arm_emulator.evaluation.security_rules import Rule, rules_of
from arm_emulator.service_tags import SERVICES

GATEWAY_MANAGER, AZURE_CLOUD = LAST + 1, LAST + 2
STAND_INS = {GATEWAY_MANAGER: "gatewaymanager", AZURE_CLOUD: "azurecloud"}
PRIVATE = tuple(
    held for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10") if (held := span(text))
)
EXPLICIT, PASSES, USER_DENY, DEFAULT_DENY = "explicit", "passes", "denied by a user", "denied by default"
DENIED = {USER_DENY, DEFAULT_DENY}
SESSION_INFORMATION = 80
"""The port of the row whose far side is the Internet, whatever the tag."""
MISSING, SHADOWED, NOT_EXPLICIT = "BastionNsgMissingRule", "BastionNsgRuleShadowed", "BastionNsgRowNotExplicit"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table as packets. `any_of`: from one address to all of Bastion's is enough, because the user chooses who
    may come in.

    `vital` are those without which Bastion does not work; where others are denied, the row is merely not met in full.
    """

    direction: str
    packets: tuple[Packet, ...]
    vital: frozenset[Packet]
    any_of: bool = False


@dataclass(frozen=True, slots=True)
class World:
    """What rules are held against: the tags on the subnet, and samples of all public addresses."""

    side: Side
    public: frozenset[int]


def own_rule_codes(facts: Facts, host: Host) -> Iterator[str]:
    """What is wrong with the rows of the table; nothing where the subnet has no group."""
    network, group_id = facts.find(host.network_id), attached(host.subnet or {}, "networkSecurityGroup")
    if network is None or group_id is None or not host.prefixes:
        return
    group = facts.find(group_id)
    if group is None or not states(group, "securityRules"):
        yield facts.gone(group_id) if group is None else "EffectiveDataUnavailable"
        return
    side = Side(tuple(without_routes(facts, network)))
    rules = rules_of(group)
    entries = [held for rule in rules for text in (*rule.sources, *rule.destinations) if (held := span(text))]
    public = [
        one for one in samples(entries, NOT_PUBLIC, [(HOST, HOST)]) if not within(one, NOT_PUBLIC) and one != HOST
    ]
    world = World(side, frozenset(public))
    for row in _rows(host, side, entries):
        yield from _judged(rules, row, world)


def _rows(host: Host, side: Side, entries: list[Span]) -> Iterator[Row]:
    prefix = spans(host.prefixes)
    every = samples(entries, side.virtual_network, prefix, NOT_PUBLIC, PRIVATE, [(HOST, HOST)])
    own = [one for one in every if within(one, prefix)]
    network = [one for one in every if within(one, side.virtual_network)]
    public = [one for one in every if not within(one, [*NOT_PUBLIC, *side.virtual_network]) and one != HOST]
    private = [one for one in every if (one in network or within(one, PRIVATE)) and one != HOST]
    clients = private if host.private_only else public
    yield _row("Inbound", clients, own, (443,), any_of=True)
    yield _row("Inbound", [GATEWAY_MANAGER], own, (443,))
    yield _row("Inbound", [HOST], own, (443,))
    yield _row("Inbound", network, own, (8080, 5701), vital=own)
    yield _row("Outbound", [AZURE_CLOUD], own, (443,))
    yield _row("Outbound", network, own, (8080, 5701), vital=own)
    yield _row("Outbound", [*public, *STAND_INS], own, (SESSION_INFORMATION,), vital=list(STAND_INS))


def _row(
    direction: str,
    far: list[int],
    own: list[int],
    ports: tuple[int, ...],
    *,
    any_of: bool = False,
    vital: list[int] | None = None,
) -> Row:
    def packets(others: list[int]) -> list[Packet]:
        pairs = [(one, other) for one in others for other in own]
        pairs = pairs if direction == "Inbound" else [(own_one, other) for other, own_one in pairs]
        return [Packet(source, destination, port) for source, destination in pairs for port in ports]

    return Row(
        direction,
        tuple(packets(far)),
        frozenset(packets(far if vital is None else [one for one in vital if one in far])),
        any_of,
    )


def _judged(rules: list[Rule], row: Row, world: World) -> Iterator[str]:
    """One code for the row, or those of what it hangs on."""
    towards = [rule for rule in rules if rule.direction == row.direction]
    surely, codes = _weighed_together(towards, row, world) if row.any_of else _weighed_apart(towards, row, world)
    if codes:
        yield from codes
        return
    # What is told holds whatever the rules may do of which nobody can say whether they allow or deny.
    either_way = {rule.place for rule in towards if "access" in rule.unread}
    certain = [rule for rule in towards if rule.place not in either_way]
    plain = {packet: _fate_of(certain, packet, world, frozenset()) for packet in row.packets}
    if surely:
        told = dict(_nowhere_but(plain, DENIED)) if row.any_of else plain
        denied = [fate for packet, fate in told.items() if packet in row.vital and fate in DENIED]
        if row.any_of:
            # It is missing where nothing but the last default rule stands in the way of some.
            yield MISSING if DEFAULT_DENY in denied else SHADOWED
        else:
            yield SHADOWED if USER_DENY in denied else MISSING
    elif row.any_of and not list(_nowhere_but(plain, {PASSES, *DENIED})):
        return
    elif any(fate != EXPLICIT for fate in plain.values()):
        yield NOT_EXPLICIT


def _nowhere_but(fates: Mapping[Packet, str], wanted: Collection[str]) -> Iterator[tuple[Packet, str]]:
    """The packets to addresses to which every packet has one of these fates."""
    better = {packet.destination for packet, fate in fates.items() if fate not in wanted}
    return ((packet, fate) for packet, fate in fates.items() if packet.destination not in better)


def _weighed_apart(rules: list[Rule], row: Row, world: World) -> tuple[bool, set[str]]:
    """Whether a row breaks for certain, or the codes of what that hangs on. One packet that is denied breaks it.

    A tag that nobody knows may hold any of the packets or none: each may go either way by itself.
    """
    fates = [_fates(rules, packet, world) for packet in row.vital]
    if any(found <= DENIED for found, _ in fates):
        return True, set()
    return False, {code for _, codes in fates for code in codes}


def _weighed_together(rules: list[Rule], row: Row, world: World) -> tuple[bool, set[str]]:
    """The same of a row that one packet to each address is enough for: it breaks where all to one of them are denied, and all
    hang on the same tags.
    """
    doubts = {doubt for packet in row.packets for rule in rules for doubt in _doubts(rule, packet, world)}
    subjects = sorted({_subject(doubt) for doubt in doubts})

    def breaks(true: frozenset[tuple[str, str]]) -> bool:
        so = frozenset(doubt for doubt in doubts if _subject(doubt) in true)
        return any(_nowhere_but({packet: _fate_of(rules, packet, world, so) for packet in row.packets}, DENIED))

    cases = [frozenset(case) for count in range(len(subjects) + 1) for case in combinations(subjects, count)]
    broken = {case: bool(row.packets) and breaks(case) for case in cases}
    return all(broken.values()), {
        code for what, code in subjects if any(broken[case] != broken[case ^ {(what, code)}] for case in cases)
    }


def _subject(doubt: Doubt) -> tuple[str, str]:
    """What a doubt is about, whatever the address."""
    address, _, tag = doubt.what.partition(" in ")
    return (tag if address.isdigit() else doubt.what, doubt.code)


def _fates(rules: list[Rule], packet: Packet, world: World) -> tuple[set[str], set[str]]:
    """All fates that a packet may have, and the codes of what they hang on."""
    doubts = list(dict.fromkeys(doubt for rule in rules for doubt in _doubts(rule, packet, world)))
    cases = [
        frozenset(doubt for place, doubt in enumerate(doubts) if number >> place & 1)
        for number in range(2 ** len(doubts))
    ]
    fates = {true: _fate_of(rules, packet, world, true) for true in cases}
    return set(fates.values()), {
        doubt.code
        for doubt in doubts
        if any((fates[true] in DENIED) != (fates[true ^ {doubt}] in DENIED) for true in fates)
    }


def _doubts(rule: Rule, packet: Packet, world: World) -> Iterator[Doubt]:
    for part in fields_met(rule, packet.port):
        if isinstance(part, tuple):
            yield from part
    for end in _ends(rule, packet, world):
        yield from (held for held in end if isinstance(held, Doubt))


def _ends(rule: Rule, packet: Packet, world: World) -> tuple[list[bool | Doubt], list[bool | Doubt]]:
    """Which entries of a rule hold the source of a packet, and which its destination."""
    sources, destinations = (
        [_holds(world.side, entry, address, rule, packet) for entry in entries]
        for entries, address in ((rule.sources, packet.source), (rule.destinations, packet.destination))
    )
    return sources, destinations


def _fate_of(rules: list[Rule], packet: Packet, world: World, true: frozenset[Doubt]) -> str:
    """What becomes of a packet where these doubts are so and the others are not.

    An Allow for something wider that does not name the tag lets it through, and a later one may still name it.
    """
    passed, unnamed = False, {"Allow": world.public, "Deny": world.public}
    far = 0 if packet.source in STAND_INS else 1
    stands_in = packet.source in STAND_INS or packet.destination in STAND_INS
    for rule in rules:
        if passed and rule.access == "Deny" and not rule.is_default:
            continue
        if not _applies(rule, packet, true) or not _so((ends := _ends(rule, packet, world))[1 - far], true):
            continue
        kind = "Allow" if rule.access == "Allow" else "Deny"
        if stands_in:
            unnamed[kind] -= _named((rule.sources, rule.destinations)[far], unnamed[kind])
        every = stands_in and not unnamed[kind]
        if not every and not _so(ends[far], true):
            continue
        if rule.access == "Allow" and not rule.is_default and (every or _names(rule, packet)):
            return EXPLICIT
        if passed and rule.is_default:
            return PASSES
        if rule.access == "Allow":
            if rule.is_default:
                return PASSES
            passed = True
        else:
            return DEFAULT_DENY if rule.is_default else USER_DENY
    return PASSES


def _named(entries: tuple[str, ...], among: frozenset[int]) -> frozenset[int]:
    """Those of the addresses that a rule names by prefix."""
    held = [EVERYTHING if entry == "*" else span(entry) for entry in entries]
    prefixes = [one for one in held if one is not None]
    return frozenset(one for one in among if within(one, prefixes))


def _so(held: list[bool | Doubt], true: frozenset[Doubt]) -> bool:
    return any(one is True or one in true for one in held)


def _applies(rule: Rule, packet: Packet, true: frozenset[Doubt]) -> bool:
    """Whether what a rule says apart from addresses concerns the packet."""
    for part in fields_met(rule, packet.port):
        if part is False or (isinstance(part, tuple) and not any(one in true for one in part)):
            return False
    return True


def _holds(side: Side, entry: str, address: int, rule: Rule, packet: Packet) -> bool | Doubt:
    name = STAND_INS.get(address)
    if name is None:
        held = side.holds(entry, address)
        if isinstance(held, Doubt):
            of_service = entry.lower().partition(".")[0] in SERVICES
            # The ranges of a service's tag count as none here: Azure asks for the tags of its table.
            return False if of_service or entry.lower() == "internet" else Doubt(held.what, held.code)
        return held
    tag = entry.lower()
    if entry == "*" or span(entry) is not None:
        return entry == "*"
    if not entry[:1].isalpha():
        unreadable = side.holds(entry, 0)
        return Doubt(entry, unreadable.code) if isinstance(unreadable, Doubt) else False
    if tag in {name, "internet"}:
        return True
    if tag in {"virtualnetwork", "azureloadbalancer"}:
        return False
    service = tag.partition(".")[0]
    if service not in SERVICES:
        return Doubt(f"{address} in {tag}", "UnknownServiceTag")
    if rule.access == "Allow" or service == name:
        # A part of what the table asks for does not do where it is let through, and is missed where it is denied.
        return rule.access == "Deny"
    of_the_table = packet.port == SESSION_INFORMATION and service in STAND_INS.values()
    return False if of_the_table else Doubt(f"{address} in {tag}", OPEN)


def _names(rule: Rule, packet: Packet) -> bool:
    """Whether a rule names the tag that a stand-in stands for, or everything."""
    for address, entries in ((packet.source, rule.sources), (packet.destination, rule.destinations)):
        name = STAND_INS.get(address)
        if name is not None and packet.port != SESSION_INFORMATION:
            return any(entry.lower() == name or entry == "*" for entry in entries)
    return True
