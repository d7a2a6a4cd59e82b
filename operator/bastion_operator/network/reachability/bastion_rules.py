"""Step 7: the rules that Bastion itself needs in the security group of AzureBastionSubnet.

Azure asks for eight. The one that lets sessions out to VMs is judged with each VM (step 13). Each of the others is walked
through the group: what explicit Allow rules let through together is as it should be, what passes without them
works and may be refused by Azure later, what is denied breaks the host. The addresses behind a service tag are not known
to this program, so each is one stand-in beyond the IPv4 range. Rules that name public addresses decide about it once
those that allow, or those that deny, have named every one together: wherever the tag's addresses lie, they have met one.
Source: Microsoft Learn, "Working with NSG access and Azure Bastion".
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum, auto
from functools import cache, lru_cache
from itertools import chain, combinations
from typing import Final

from bastion_operator.network.codes import finding
from bastion_operator.network.finding import Finding
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.prefixes import EMPTY, EVERYTHING, LAST_ADDRESS, AddressSet
from bastion_operator.network.reachability.host import SUBNET_NAME, Host
from bastion_operator.network.reachability.sides import known_addresses, known_group
from bastion_operator.network.security_group import (
    DEFAULT_RULES,
    Access,
    Direction,
    Endpoints,
    SecurityGroup,
    SecurityRule,
)
from bastion_operator.network.service_tags import (
    CLASSIC_SPELLING,
    HOST,
    KNOWN_SERVICES,
    NOT_INTERNET,
    Doubt,
    spelled,
)

_GATEWAY_MANAGER: Final = AddressSet([(LAST_ADDRESS + 2, LAST_ADDRESS + 2)])
_AZURE_CLOUD: Final = AddressSet([(LAST_ADDRESS + 4, LAST_ADDRESS + 4)])
_STAND_INS: Final = _GATEWAY_MANAGER | _AZURE_CLOUD
_OF_SERVICE: Final = {"gatewaymanager": _GATEWAY_MANAGER, "azurecloud": _AZURE_CLOUD}
_PUBLIC: Final = EVERYTHING - NOT_INTERNET - HOST
_HTTPS: Final = (443,)
_DATA: Final = (8080, 5701)
# Sources and destinations of the rules that Azure asks for.
_ANYWHERE: Final = ("*",)
_NETWORK: Final = ("VirtualNetwork",)
_INTERNET: Final = ("Internet",)
# So many doubts are tried in every combination; of more, each beside none and beside all of the others.
_TRIED_TOGETHER: Final = 5
_DOUBTS_TOLD: Final = 5
_KEPT: Final = 256
_PRIVATE: Final = AddressSet.of("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")


class _Fate(Enum):
    """What becomes of a part of a row's traffic."""

    EXPLICIT = auto()
    PASSES = auto()
    USER_DENY = auto()
    DEFAULT_DENY = auto()


@dataclass(frozen=True, slots=True)
class NeededRow:
    """One row of Azure's table.

    ``any_source``: some sources are enough for each destination, because the user chooses who may come in. ``vital``: what breaks the host when
    denied, where that is less than all. ``rule``: name, source and destination of the rule that Azure asks for. ``own_tag``: the tag that Azure wants named; Internet holds its addresses as well.
    """

    name: str
    direction: Direction
    source: AddressSet
    destination: AddressSet
    ports: tuple[int, ...]
    rule: tuple[str, tuple[str, ...], tuple[str, ...]]
    any_source: bool = False
    vital: AddressSet | None = None
    own_tag: str | None = None


@dataclass(frozen=True, slots=True)
class _Part:
    """A rectangle of traffic between Bastion's own addresses and far ones, the fate it met and the rule that decided."""

    own: AddressSet
    far: AddressSet
    fate: _Fate
    rule: SecurityRule


@dataclass(frozen=True, slots=True)
class _Rest:
    """A rectangle of traffic that goes on to the next rule.

    ``passed``: a wider Allow has already let it through. ``not_allowed``, ``not_denied``: the public addresses that no Allow,
    and no Deny, has named yet. ``denier``: the first Deny that named some.
    """

    own: AddressSet
    far: AddressSet
    passed: bool = False
    not_allowed: AddressSet = _PUBLIC
    not_denied: AddressSet = _PUBLIC
    denier: SecurityRule | None = None

    def unnamed(self, access: Access) -> AddressSet:
        """The public addresses that no rule of this access has named yet."""
        return self.not_allowed if access is Access.ALLOW else self.not_denied

    def behind(self, rule: SecurityRule, access: Access, named: AddressSet) -> "_Rest":
        """The same behind a rule that names these addresses; of interest for stand-ins alone."""
        if self.far.isdisjoint(_STAND_INS) or self.unnamed(access).isdisjoint(named):
            return self
        if access is Access.ALLOW:
            return replace(self, not_allowed=self.not_allowed - named)
        return replace(self, not_denied=self.not_denied - named, denier=self.denier or rule)

    def without(self, hit: AddressSet, met: AddressSet, behind: "_Rest") -> "Iterator[_Rest]":
        """What is left after a smaller rectangle of own and far addresses is cut out by a rule, behind which it is as told."""
        if own := self.own - hit:
            yield replace(self, own=own)
        if far := self.far - met:
            yield replace(behind, own=hit, far=far)


@dataclass(frozen=True, slots=True)
class _Meaning:
    """What tags mean in this group. What cannot be known or read counts as everything if it is in ``true``, else as nothing;
    an access denies then, but for where nothing is weighed (None): there the rule counts for nothing.
    """

    virtual_network: AddressSet
    true: frozenset[Doubt] | None = None

    def of(self, endpoints: Endpoints, doubts: list[Doubt]) -> AddressSet:
        """The addresses and stand-ins of one side of a rule. Tags of services that Azure does not ask for count as none."""
        found = endpoints.addresses
        for tag in endpoints.tags:
            found |= self._tag(CLASSIC_SPELLING.get(tag, tag), doubts)
        for item in endpoints.malformed:
            found |= self._unknown(Doubt("EffectiveDataUnavailable", f"{item!r} cannot be read"), doubts)
        return found

    def _tag(self, name: str, doubts: list[Doubt]) -> AddressSet:
        known = {
            "virtualnetwork": self.virtual_network,
            "azureloadbalancer": HOST,
            "internet": (_PUBLIC - self.virtual_network) | _STAND_INS,
            **_OF_SERVICE,
        }
        if name in known:
            return known[name]
        if name.partition(".")[0] in KNOWN_SERVICES:
            return EMPTY
        return self._unknown(Doubt("UnknownServiceTag", f"service tag {name!r} is none that is known"), doubts)

    def denied_services(self, endpoints: Endpoints, needed: AddressSet, doubts: list[Doubt]) -> AddressSet:
        """What of the stand-ins that a row needs a Deny takes by tags of services.

        A part of a tag (a region) is enough to break a row. Whether another service has addresses that the row needs is not known.
        """
        found = EMPTY
        for tag in endpoints.tags:
            service = tag.partition(".")[0]
            own = _OF_SERVICE.get(service, EMPTY) & needed
            if service in KNOWN_SERVICES and not own:
                what = f"whether service tag {spelled(tag)} has addresses that Bastion needs there"
                own = needed if self.holds(Doubt("EffectiveDataUnavailable", what), doubts) else EMPTY
            found |= own
        return found

    def _unknown(self, doubt: Doubt, doubts: list[Doubt]) -> AddressSet:
        return EVERYTHING | _STAND_INS if self.holds(doubt, doubts) else EMPTY

    def holds(self, doubt: Doubt, doubts: list[Doubt]) -> bool:
        """Whether something in doubt is so."""
        doubts.append(doubt)
        return self.true is not None and doubt in self.true


def needed_rules(inventory: Inventory, host: Host) -> Iterator[Finding]:
    """What is missing of Azure's rows; no group at all is fine."""
    _, lost = _group_of(inventory, host)
    if lost is not None:
        yield lost
    for _, told in unmet_rows(inventory, host):
        yield told


def unmet_rows(inventory: Inventory, host: Host) -> Iterator[tuple[NeededRow, Finding]]:
    """The rows of Azure's table that are not met, with what is said of each."""
    group, _ = _group_of(inventory, host)
    if group is not None and host.network is not None:
        network = known_addresses(inventory, host.network)
        yield from _unmet(group, host.prefix, network, private_only=host.bastion.private_only)


def _group_of(inventory: Inventory, host: Host) -> tuple[SecurityGroup | None, Finding | None]:
    if host.subnet is None or host.network is None or not host.prefix:
        return None, None
    group_id = host.subnet.network_security_group_id
    return (None, None) if group_id is None else known_group(inventory, group_id)


# A suggested change is tried on an estate of its own, which most often leaves these as they are.
@lru_cache(maxsize=_KEPT)
def _unmet(
    group: SecurityGroup, prefix: AddressSet, virtual_network: AddressSet, *, private_only: bool
) -> tuple[tuple[NeededRow, Finding], ...]:
    rows = _rows(prefix, virtual_network, private_only=private_only)
    return tuple([(row, told) for row in rows for told in _said(group, row, virtual_network)])


def _said(group: SecurityGroup, row: NeededRow, virtual_network: AddressSet) -> Iterator[Finding]:
    """What is said of a row: what it hangs on, or that it is not met."""
    doubts: list[Doubt] = []
    told = _judge(group, row, _Meaning(virtual_network), doubts)
    hangs_on = _hangs_on(group, row, virtual_network, tuple(dict.fromkeys(doubts))) if doubts else ()
    for code in dict.fromkeys(doubt.code for doubt in hangs_on):
        what = [doubt.what for doubt in hangs_on if doubt.code == code]
        more = f"; and {len(what) - _DOUBTS_TOLD} more" if len(what) > _DOUBTS_TOLD else ""
        message = f"whether {group.name} lets Bastion's own traffic through ({row.name}) hangs on this: "
        yield finding(code, f"{message}{'; '.join(what[:_DOUBTS_TOLD])}{more}", resource=group.id)
    if told is not None and not hangs_on:
        yield told


def _hangs_on(
    group: SecurityGroup, row: NeededRow, virtual_network: AddressSet, doubts: tuple[Doubt, ...]
) -> tuple[Doubt, ...]:
    """The doubts that decide whether the row breaks the host, whatever else is true.

    A tag may hold one address and not another. But a row breaks by one part of its traffic, or holds by one, and for that part
    the tag is everything or nothing.
    """

    @cache
    def breaks(true: frozenset[Doubt]) -> bool:
        return _breaks(_judge(group, row, _Meaning(virtual_network, true), []))

    few = len(doubts) <= _TRIED_TOGETHER
    cases = [frozenset(case) for case in _subsets(doubts)] if few else [frozenset(), frozenset(doubts)]
    return tuple(one for one in doubts if any(breaks(case | {one}) != breaks(case - {one}) for case in cases))


def _subsets(doubts: tuple[Doubt, ...]) -> Iterator[tuple[Doubt, ...]]:
    return chain.from_iterable(combinations(doubts, count) for count in range(len(doubts) + 1))


def _breaks(told: Finding | None) -> bool:
    return told is not None and told.code != "BastionNsgRowNotExplicit"


def _rows(prefix: AddressSet, network: AddressSet, *, private_only: bool) -> Iterator[NeededRow]:
    yield _clients(prefix, network, private_only=private_only)
    yield from _inbound(prefix, network)
    yield from _outbound(prefix, network)


def _clients(prefix: AddressSet, network: AddressSet, *, private_only: bool) -> NeededRow:
    who = "VirtualNetwork or private ranges" if private_only else "Internet or public ranges"
    return NeededRow(
        f"inbound 443 from {who}",
        Direction.INBOUND,
        (network | _PRIVATE) - HOST if private_only else _PUBLIC - network,
        prefix,
        _HTTPS,
        ("AllowHttpsInbound", _NETWORK if private_only else _INTERNET, _ANYWHERE),
        any_source=True,
    )


def _inbound(prefix: AddressSet, network: AddressSet) -> Iterator[NeededRow]:
    yield NeededRow(
        "inbound 443 from GatewayManager",
        Direction.INBOUND,
        _GATEWAY_MANAGER,
        prefix,
        _HTTPS,
        ("AllowGatewayManagerInbound", ("GatewayManager",), _ANYWHERE),
        own_tag="gatewaymanager",
    )
    yield NeededRow(
        "inbound 443 from AzureLoadBalancer",
        Direction.INBOUND,
        HOST,
        prefix,
        _HTTPS,
        ("AllowAzureLoadBalancerInbound", ("AzureLoadBalancer",), _ANYWHERE),
    )
    yield NeededRow(
        "inbound 8080 and 5701 from VirtualNetwork",
        Direction.INBOUND,
        network,
        prefix,
        _DATA,
        ("AllowBastionHostCommunicationInbound", _NETWORK, _NETWORK),
        vital=prefix,
    )


def _outbound(prefix: AddressSet, network: AddressSet) -> Iterator[NeededRow]:
    yield NeededRow(
        "outbound 443 to AzureCloud",
        Direction.OUTBOUND,
        prefix,
        _AZURE_CLOUD,
        _HTTPS,
        ("AllowAzureCloudOutbound", _ANYWHERE, ("AzureCloud",)),
        own_tag="azurecloud",
    )
    yield NeededRow(
        "outbound 8080 and 5701 to VirtualNetwork",
        Direction.OUTBOUND,
        prefix,
        network,
        _DATA,
        ("AllowBastionHostCommunicationOutbound", _NETWORK, _NETWORK),
        vital=prefix,
    )
    yield NeededRow(
        "outbound 80 to Internet",
        Direction.OUTBOUND,
        prefix,
        (_PUBLIC - network) | _STAND_INS,
        (80,),
        ("AllowGetSessionInformationOutbound", _ANYWHERE, _INTERNET),
        vital=_STAND_INS,
    )


def _judge(group: SecurityGroup, row: NeededRow, meaning: _Meaning, doubts: list[Doubt]) -> Finding | None:
    """What is wrong with a row, None where it is met."""
    parts = [part for port in row.ports for part in _walk(group, row, port, meaning, doubts)]
    if row.any_source:
        return _judge_choice(group, row, parts)
    denied = [part for part in parts if part.fate in {_Fate.USER_DENY, _Fate.DEFAULT_DENY}]
    # A user's Deny is named before a default one: it is the one to put a rule in front of.
    denied.sort(key=lambda part: part.fate is _Fate.DEFAULT_DENY)
    vital = next((part for part in denied if _is_vital(part, row)), None)
    if vital is not None:
        return _denied(group, row, vital)
    if denied:
        return _partly_denied(group, row, denied[0].rule)
    unmet = any(part.fate is not _Fate.EXPLICIT for part in parts)
    return _not_explicit(group, row) if unmet else None


def _judge_choice(group: SecurityGroup, row: NeededRow, parts: list[_Part]) -> Finding | None:
    """The same where some sources are enough: any address that Bastion may have must be open to one of them."""
    closed = row.destination - _own_addresses(parts, _Fate.EXPLICIT)
    if not closed:
        return None
    closed -= _own_addresses(parts, _Fate.PASSES)
    if not closed:
        return _not_explicit(group, row)
    denied = [part for part in parts if not part.own.isdisjoint(closed)]
    last_word = next((part for part in denied if part.fate is _Fate.DEFAULT_DENY), None)
    return _denied(group, row, last_word or denied[0]) if denied else None


def _own_addresses(parts: list[_Part], fate: _Fate) -> AddressSet:
    return AddressSet(one for part in parts if part.fate is fate for one in part.own.intervals)


def _is_vital(part: _Part, row: NeededRow) -> bool:
    return row.vital is None or not part.far.isdisjoint(row.vital)


def _denied(group: SecurityGroup, row: NeededRow, part: _Part) -> Finding:
    rule = part.rule
    shadowed = part.fate is _Fate.USER_DENY
    message = f"{group.name} on {SUBNET_NAME} denies what Bastion itself needs, {row.name}, by rule {rule.name}"
    cure = "put an Allow rule in front of it" if shadowed else "add an Allow rule"
    return finding(
        "BastionNsgRuleShadowed" if shadowed else "BastionNsgMissingRule",
        f"{message} (priority {rule.priority}, {row.direction.value}): {cure}",
        resource=group.id,
        rule=rule.name,
        priority=rule.priority,
        direction=row.direction.value,
    )


def _partly_denied(group: SecurityGroup, row: NeededRow, rule: SecurityRule) -> Finding:
    message = (
        f"{group.name} on {SUBNET_NAME} denies a part of what Azure asks for, {row.name}, by rule {rule.name} (priority"
        f" {rule.priority}, {row.direction.value}): Bastion works without that part"
    )
    cure = "to have the row met in full, put an Allow rule in front of it"
    return finding("BastionNsgRowNotExplicit", f"{message}; {cure}", resource=group.id)


def _not_explicit(group: SecurityGroup, row: NeededRow) -> Finding:
    message = f"{group.name} on {SUBNET_NAME} lets what Bastion itself needs, {row.name}, through by a default or a wider rule only"
    return finding("BastionNsgRowNotExplicit", f"{message}: add an Allow rule for it", resource=group.id)


def _walk(group: SecurityGroup, row: NeededRow, port: int, meaning: _Meaning, doubts: list[Doubt]) -> Iterator[_Part]:
    """The fates of a row's traffic to one port, rule by rule."""
    inbound = row.direction is Direction.INBOUND
    remaining = [_Rest(row.destination, row.source) if inbound else _Rest(row.source, row.destination)]
    needed = (row.source if inbound else row.destination) & _STAND_INS
    rules = sorted((*(group.rules or ()), *DEFAULT_RULES), key=lambda rule: rule.priority or 0)
    for rule in rules:
        if not _may_apply(rule, row.direction, port):
            continue
        # What a rule hangs on is asked of all of it, also where a part of it is taken not to be so.
        access = _access(rule, port, meaning, doubts)
        near_end, far_end = (rule.destination, rule.source) if inbound else (rule.source, rule.destination)
        own, far = meaning.of(near_end, doubts), meaning.of(far_end, doubts)
        denied = EMPTY if rule.access is Access.ALLOW else meaning.denied_services(far_end, needed, doubts)
        if access is None:
            continue
        if access is Access.DENY:
            far |= denied
        rest: list[_Rest] = []
        for one in remaining:
            hit, behind = one.own & own, one.behind(rule, access, far_end.addresses)
            named = not behind.unnamed(access)
            met = one.far & (far | _STAND_INS if named else far)
            untouched = not hit or (not met and behind is one)
            if untouched or (one.passed and access is Access.DENY and not rule.default):
                rest.append(one)
                continue
            rest += one.without(hit, met, behind)
            fate = _fate(rule, access, row, passed=one.passed, named=named) if met else None
            if fate is not None:
                # Only in front of all that deny by naming public addresses together does an Allow help.
                alone = met <= far or far_end.addresses >= _PUBLIC
                yield _Part(hit, met, fate, rule if alone else behind.denier or rule)
            elif met:
                rest.append(replace(behind, own=hit, far=met, passed=True))
        remaining = rest


def _may_apply(rule: SecurityRule, direction: Direction, port: int) -> bool:
    """Whether a rule concerns connections to a port, as far as it can be read. An Allow of some source ports never counts."""
    if rule.direction not in {direction, None} or rule.protocol not in {"tcp", "*", None}:
        return False
    if port not in rule.destination_ports and not rule.destination_ports.malformed:
        return False
    return rule.access is not Access.ALLOW or not _names_some_source_ports(rule)


def _names_some_source_ports(rule: SecurityRule) -> bool:
    return not rule.source_ports.every and not rule.source_ports.malformed


def _access(rule: SecurityRule, port: int, meaning: _Meaning, doubts: list[Doubt]) -> Access | None:
    """What a rule that may apply does; None where it does not apply."""
    unreadable = [field for field in ("priority", "direction", "protocol") if getattr(rule, field) is None]
    if port not in rule.destination_ports:
        unreadable.append("destinationPortRange")
    if not rule.source_ports.every and rule.source_ports.malformed:
        unreadable.append("sourcePortRange")
    access = rule.access
    if access is None:
        allows = meaning.holds(_unread(rule, "access"), doubts)
        access = Access.ALLOW if allows else None if meaning.true is None else Access.DENY
    applies = not unreadable or meaning.holds(_unread(rule, unreadable[0]), doubts)
    return access if applies and not (access is Access.ALLOW and _names_some_source_ports(rule)) else None


def _unread(rule: SecurityRule, field: str) -> Doubt:
    return Doubt("EffectiveDataUnavailable", f"{field} of rule {rule.name} cannot be read")


def _fate(rule: SecurityRule, access: Access, row: NeededRow, *, passed: bool, named: bool) -> _Fate | None:
    """What a rule makes of traffic; None where it passes, and a later rule may still be the one that Azure asks for.

    ``named``: it and the rules of its access before it name every public address.
    """
    if rule.default:
        return _Fate.PASSES if passed or access is Access.ALLOW else _Fate.DEFAULT_DENY
    if access is Access.DENY:
        return _Fate.USER_DENY
    return _Fate.EXPLICIT if named or _names(rule, row) else None


def _names(rule: SecurityRule, row: NeededRow) -> bool:
    """Whether the rule names the tag that the row asks for, if it asks for one."""
    far = rule.source if row.direction is Direction.INBOUND else rule.destination
    return row.own_tag is None or row.own_tag in far.tags
