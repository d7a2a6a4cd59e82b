"""The rules that let a Bastion into its targets: which are needed is the engine's word, tried before it is taken.

The engine judges the VMs as if no operator had written a rule for targets: what it then finds denied is what rules are
needed for. So the answer is the same before and after they are written, and two custom resources never take each other's
rules for a reason to do without their own. The rules are put into a copy of the inventory and the VMs judged again: for a VM
that they do not help none is written.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from bastion_operator.api.bastion_host import BastionHostSpec, NetworkSecurity
from bastion_operator.network.arm_id import normalise_id
from bastion_operator.network.finding import Finding, FindingClass
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.prefixes import EMPTY, AddressSet
from bastion_operator.network.reachability import Evaluation, Protocol, Verdict
from bastion_operator.network.reachability.candidates import path_between
from bastion_operator.network.reachability.flow import target_group_findings
from bastion_operator.network.reachability.host import Host
from bastion_operator.network.reachability.judge import judge_machine
from bastion_operator.network.reachability.just_in_time import guards_any
from bastion_operator.network.reachability.question import Asked, Question, ask
from bastion_operator.network.reachability.target import Target
from bastion_operator.network.resource_types import SECURITY_RULES
from bastion_operator.network.security_group import Direction, SecurityGroup, SecurityRule
from bastion_operator.network.virtual_machine import VirtualMachine
from bastion_operator.planning.body import children, properties
from bastion_operator.planning.model import Body, Observed
from bastion_operator.planning.obstacles import ObstacleCode, obstacle
from bastion_operator.planning.rule_evidence import HELD, Evidence, find_evidence
from bastion_operator.planning.rule_mark import RuleMark, is_target_rule
from bastion_operator.planning.rule_places import place
from bastion_operator.planning.target_findings import TARGET_RULE_CODES, forbids
from bastion_operator.planning.targets import target_machines
from bastion_operator.planning.wanted_rule import WantedRule
from bastion_operator.planning.wording import named

# Behind what people number from 100 upwards.
_PREFERRED: Final = 4000
# Azure's limit of addresses in one rule.
_MOST_ADDRESSES: Final = 4000
_FIRST_DEFAULT: Final = 65000


@dataclass(frozen=True, slots=True)
class Opening:
    """A connection that a VM's groups deny: the groups to be opened, by id, for its address and one port."""

    vm: VirtualMachine
    asked: Asked
    address: int
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TargetRules:
    """The rules that are wanted, by the id of their group, and what is in the way of others.

    :ivar standing: ids of groups in which this custom resource has rules already
    :ivar lost: by the normalised id of their group, the addresses that rules let the Bastion into and need to no more
    :ivar unsure: normalised ids of groups behind which a VM has such an address of which not all is known
    :ivar inventory: what all this is worked out from; None where nothing is
    """

    wanted: Mapping[str, tuple[WantedRule, ...]] = field(default_factory=dict)
    standing: tuple[str, ...] = ()
    told: tuple[Finding, ...] = ()
    lost: Mapping[str, AddressSet] = field(default_factory=dict)
    unsure: frozenset[str] = frozenset()
    inventory: Inventory | None = field(default=None, compare=False)

    def evidence(self, group_id: str, body: Body, observed: Observed) -> Evidence:
        """What speaks against taking addresses out of the rules of a group, whose body was just read."""
        key = normalise_id(group_id)
        if self.inventory is None or key not in self.inventory.security_groups or key in self.unsure:
            return HELD
        return find_evidence(body, self.lost.get(key, EMPTY), self.inventory, observed)


def find_target_rules(
    inventory: Inventory, spec: BastionHostSpec, mark: RuleMark, verdicts: Iterable[Verdict]
) -> TargetRules | None:
    """The rules that the targets of a BastionHost need; None where the host's addresses are not known.

    ``verdicts`` are those on its targets, which tell whom it is worth to look at.
    """
    bastion = inventory.bastion(mark.host_id)
    host = Evaluation(inventory).host(bastion) if bastion is not None else None
    if host is None or not host.sources:
        return None
    return _Search(inventory, spec, mark, host).result(list(verdicts))


class _Search:
    """One look at all targets."""

    def __init__(self, inventory: Inventory, spec: BastionHostSpec, mark: RuleMark, host: Host) -> None:
        self._inventory = inventory
        self._spec = spec
        self._mark = mark
        self._bastion = host.bastion
        self._source = tuple(prefix.removesuffix("/32") for prefix in (host.prefix or host.sources).prefixes())
        self._bare = without_target_rules(inventory)
        self._evaluation = Evaluation(self._bare)
        self._judged: dict[tuple[str, Protocol, int], tuple[Finding, ...]] = {}
        self._told: dict[tuple[str, str | None, str | None], Finding] = {}

    def result(self, verdicts: Sequence[Verdict]) -> TargetRules:
        """The rules, where this is what is said of the targets now."""
        self._judged = {(normalise_id(each.vm), each.protocol, each.port): each.reasons for each in verdicts}
        openings = list(self._openings(_denied(verdicts)))
        openings = self._helped(openings, self._placed(self._merged(openings)))
        standing = [
            group.id
            for group in self._inventory.security_groups.values()
            if any(self._is_own(rule) for rule in group.rules or ())
        ]
        lost = dict(self._lost(openings))
        return TargetRules(
            wanted=self._merged(openings),
            standing=tuple(standing),
            told=tuple(self._told.values()),
            lost=lost,
            unsure=frozenset(self._unsure(lost)),
            inventory=self._inventory,
        )

    # -- what is denied ------------------------------------------------------------------------------------------

    def _openings(self, denied: frozenset[str]) -> Iterator[Opening]:
        with_rules = {key for key, group in self._inventory.security_groups.items() if _has_target_rules(group)}
        further = self._spec.network_security.ports is not None
        if not (denied or further or with_rules):
            return
        for machine in target_machines(self._bare, self._spec):
            if not (further or with_rules or machine.key in denied):
                continue
            target = self._evaluation.target(machine)
            opened = not with_rules.isdisjoint(map(normalise_id, target.security_group_ids))
            if not (further or opened or machine.key in denied):
                continue
            for asked in _questions(machine, self._spec):
                opening = self._opening(target, asked, opened=opened)
                if opening is not None:
                    yield opening

    def _opening(self, target: Target, asked: Asked, *, opened: bool) -> Opening | None:
        """``opened``: rules for targets stand in one of its groups, so that what is said of it now is not said without them."""
        judged = None if opened else self._judged.get((target.vm.key, asked.protocol, asked.port))
        denials = [reason for reason in judged or () if _is_denial(reason)]
        if judged is None:
            denials = self._denials(self._evaluation, target, asked)
        if not denials:
            return None
        groups = tuple(dict.fromkeys(str(reason.resource) for reason in denials))
        opening = Opening(target.vm, asked, target.addresses.lowest, groups)
        if not self._stands(opening):
            # A rule that alone would not turn the verdict waits for what else is in the way.
            reasons = self._reasons(target, asked) if judged is None else judged
            if any(map(forbids, reasons)):
                return None
        in_the_way = [found for reason in denials if (found := self._in_the_way(target, asked, reason)) is not None]
        self._tell(in_the_way)
        return None if in_the_way else opening

    def _denials(self, evaluation: Evaluation, target: Target, asked: Asked) -> list[Finding]:
        """What the groups of a target deny, whatever else is in the way."""
        host = evaluation.host(self._bastion)
        question = Question(evaluation, host, target, path_between(evaluation, host, target), asked)
        return [reason for reason in target_group_findings(question) if _is_denial(reason)]

    def _reasons(self, target: Target, asked: Asked) -> tuple[Finding, ...]:
        only = (self._mark.host_id,)
        return next(judge_machine(self._evaluation, target.vm, (asked,), only, target)).reasons

    def _in_the_way(self, target: Target, asked: Asked, reason: Finding) -> Finding | None:
        group = self._bare.security_group(reason.resource)
        if group is None or len(target.addresses) != 1:
            message = f"{reason.message}; the VM's address is not known, so that no rule can be written for it alone"
            return replace(reason, finding_class=FindingClass.OBSTACLE, message=message)
        if guards_any(self._evaluation, target, group, asked.port):
            message = f"{reason.message}; the operator puts nothing in front of just-in-time rules"
            return _told_as(ObstacleCode.JUST_IN_TIME, reason, message)
        written_by_others = reason.priority is not None and reason.priority < _FIRST_DEFAULT
        if written_by_others and not self._spec.network_security.override_denies:
            message = f"{reason.message}, or set networkSecurity.overrideDenies: true to have the operator write it"
            return _told_as(ObstacleCode.DENY_IN_THE_WAY, reason, message)
        return None

    def _tell(self, found: Iterable[Finding]) -> None:
        for finding in found:
            self._told.setdefault((finding.code, finding.resource, finding.rule), finding)

    def _stands(self, opening: Opening) -> bool:
        """Whether a rule of this custom resource lets the connection in already."""
        return all(
            any(
                self._is_own(rule)
                and opening.address in rule.destination.addresses
                and opening.asked.port in rule.destination_ports
                for rule in group.rules or ()
            )
            for group_id in opening.groups
            if (group := self._inventory.security_group(group_id)) is not None
        )

    def _is_own(self, rule: SecurityRule) -> bool:
        # The mark's name is worked out: the form, which hardly any rule of an estate has, comes first.
        return is_target_rule(rule.name) and self._mark.names(rule.name)

    # -- what is not denied any more ---------------------------------------------------------------------------------

    def _lost(self, openings: Iterable[Opening]) -> Iterator[tuple[str, AddressSet]]:
        kept: dict[str, set[int]] = defaultdict(set)
        for opening in openings:
            for group_id in opening.groups:
                kept[normalise_id(group_id)].add(opening.address)
        for key, group in self._inventory.security_groups.items():
            let_in = EMPTY
            for rule in group.rules or ():
                let_in |= rule.destination.addresses if self._is_own(rule) else EMPTY
            lost = let_in - AddressSet((each, each) for each in kept[key]) if let_in else EMPTY
            if lost:
                yield key, lost

    def _unsure(self, lost: Mapping[str, AddressSet]) -> Iterator[str]:
        """A VM whose subnet, or one of whose groups, has no row is not denied for want of knowledge alone."""
        for machine in target_machines(self._bare, self._spec) if lost else ():
            target = self._evaluation.target(machine)
            unknown = target.missing or any(
                self._bare.security_group(each) is None for each in target.security_group_ids
            )
            if unknown:
                yield from (key for key, addresses in lost.items() if not addresses.isdisjoint(target.addresses))

    # -- rules ---------------------------------------------------------------------------------------------------

    def _merged(self, openings: Sequence[Opening]) -> dict[str, tuple[WantedRule, ...]]:
        """As few rules as say it: in each group one for each port, or for ports that are asked of the same VMs."""
        addresses: dict[str, dict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
        for opening in openings:
            for group_id in opening.groups:
                addresses[group_id][opening.asked.port].add(opening.address)
        return {group_id: tuple(self._rules(ports)) for group_id, ports in sorted(addresses.items())}

    def _rules(self, addresses: Mapping[int, set[int]]) -> Iterator[WantedRule]:
        ports_of: dict[frozenset[int], list[int]] = defaultdict(list)
        for port, found in sorted(addresses.items()):
            ports_of[frozenset(found)].append(port)
        bastion = self._mark.host_id.rsplit("/", 1)[-1]
        for chosen, ports in ports_of.items():
            prefixes = [each.removesuffix("/32") for each in AddressSet((one, one) for one in chosen).prefixes()]
            for number, start in enumerate(range(0, len(prefixes), _MOST_ADDRESSES)):
                # Named after the lowest port: two ports that part company keep one of the two rules.
                purpose = f"tcp-{ports[0]}" + (f"-{number}" if number else "")
                yield WantedRule(
                    name=self._mark.name(purpose),
                    direction=Direction.INBOUND,
                    source=self._source,
                    destination=tuple(prefixes[start : start + _MOST_ADDRESSES]),
                    ports=tuple(ports),
                    description=self._mark.description(f"sessions from Bastion {bastion}"),
                    preferred=_PREFERRED,
                )

    def _placed(self, wanted: Mapping[str, tuple[WantedRule, ...]]) -> Inventory:
        """The inventory without operators' rules, with these."""
        rows = []
        for group_id, rules in wanted.items():
            row = self._bare.row(group_id)
            if row is None:
                continue
            places = self._places(group_id, rules)
            entries = [rule.listed(priority) for rule in rules if (priority := places[rule.name]) is not None]
            rows.append(_with_rules(row, [*children(row, "securityRules"), *entries]))
        return self._bare.patched(rows)

    def _places(self, group_id: str, rules: tuple[WantedRule, ...]) -> dict[str, int | None]:
        group = self._inventory.security_group(group_id)
        standing = (group.rules or ()) if group is not None else ()
        current = {rule.name: rule.priority for rule in standing if self._is_own(rule) and rule.priority is not None}
        others = [rule for rule in standing if not self._is_own(rule)]
        places = place(rules, current, others, override=self._spec.network_security.override_denies)
        for rule in rules:
            if places[rule.name] is None:
                side = "in front of" if self._spec.network_security.override_denies else "behind"
                ports = ", ".join(map(str, rule.ports))
                message = (
                    f"{named(group_id)} has no free priority {side} the Deny rules of others at which TCP {ports} from "
                    f"{', '.join(rule.source)} could be allowed: free one"
                )
                self._tell([obstacle(ObstacleCode.NO_FREE_PRIORITY, message, group_id)])
        return places

    def _helped(self, openings: Sequence[Opening], inventory: Inventory) -> list[Opening]:
        """Those that the rules open; of the others it is told what denies them still."""
        evaluation = Evaluation(inventory)
        found = []
        for opening in openings:
            left = self._denials(evaluation, evaluation.target(opening.vm), opening.asked)
            if left:
                self._tell(_told_as(ObstacleCode.DENY_IN_THE_WAY, each, each.message) for each in left)
            else:
                found.append(opening)
        return found


def _questions(machine: VirtualMachine, spec: BastionHostSpec) -> Iterator[Asked]:
    """Each protocol of the VM on its own port and on the further ones."""
    for protocol in spec.targets.protocols or (None,):
        asked = ask(machine.operating_system, None if protocol is None else Protocol(protocol), None)
        yield asked
        for port in _further_ports(spec.network_security, asked.protocol):
            if port != asked.port:
                yield ask(machine.operating_system, asked.protocol, port)


def _further_ports(security: NetworkSecurity, protocol: Protocol) -> tuple[int, ...]:
    if security.ports is None:
        return ()
    return security.ports.rdp if protocol is Protocol.RDP else security.ports.ssh


def _denied(verdicts: Iterable[Verdict]) -> frozenset[str]:
    return frozenset(verdict.vm.lower() for verdict in verdicts if any(map(_is_denial, verdict.reasons)))


def _is_denial(reason: Finding) -> bool:
    return reason.code in TARGET_RULE_CODES and reason.direction == Direction.INBOUND


def _told_as(code: ObstacleCode, reason: Finding, message: str) -> Finding:
    return replace(reason, code=code, finding_class=FindingClass.OBSTACLE, message=message)


def without_target_rules(inventory: Inventory) -> Inventory:
    """The inventory without the rules that operators, of any installation, wrote for targets."""
    rows: list[dict[str, Any]] = []
    gone: list[str] = []
    for key, group in inventory.security_groups.items():
        if not _has_target_rules(group):
            continue
        row = inventory.row(key)
        if row is not None:
            left = [rule for rule in children(row, "securityRules") if not is_target_rule(str(rule.get("name", "")))]
            rows.append(_with_rules(row, left))
        prefix = f"{normalise_id(key)}/"
        gone += [rule for rule in inventory.rows(SECURITY_RULES) if rule.startswith(prefix) and _named_for_target(rule)]
    return inventory.patched(rows, gone) if rows or gone else inventory


def _has_target_rules(group: SecurityGroup) -> bool:
    return any(is_target_rule(rule.name) for rule in group.rules or ())


def _named_for_target(rule_id: str) -> bool:
    return is_target_rule(rule_id.rpartition("/")[2])


def _with_rules(row: Mapping[str, Any], rules: list[Mapping[str, Any]]) -> dict[str, Any]:
    return {**row, "properties": {**properties(row), "securityRules": rules}}
