"""The TCP flow from the Bastion's addresses to the VM's, judged by security rules. Steps 13 to 15."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from bastion_operator.network.codes import finding
from bastion_operator.network.finding import Finding
from bastion_operator.network.reachability.default_route import NO_FAULTS, RouteFaults
from bastion_operator.network.reachability.just_in_time import guard_edges, guards
from bastion_operator.network.reachability.question import Question
from bastion_operator.network.reachability.security_admin import (
    NOTHING,
    AdminVerdict,
    admin_findings,
    admin_groups,
    admin_verdict,
    always_table,
    past_admin,
)
from bastion_operator.network.reachability.sides import Opposite, SideMeaning, known_group, side_meaning, space_towards
from bastion_operator.network.reachability.verdict import Via
from bastion_operator.network.security_group import Direction, SecurityGroup, SecurityRule
from bastion_operator.network.security_rules import Decision, decide_for_any
from bastion_operator.network.service_tags import Doubt, TagMeaning
from bastion_operator.network.virtual_network import Subnet, VirtualNetwork


def bastion_group_findings(question: Question) -> Iterator[Finding]:
    """Step 13: the group on AzureBastionSubnet lets the connection out."""
    host = question.host
    if host.is_developer or host.subnet is None or not question.flow_is_known:
        return
    side = bastion_side(question)
    link = question.path.pair.near if question.path.pair is not None else None
    note = _access_note(link.name) if link is not None and question.path.blocks_access(link) else ""
    yield from _group_findings(
        question, host.subnet.network_security_group_id, Direction.OUTBOUND, side, "BastionNsgDenies", note
    )


def target_group_findings(question: Question) -> Iterator[Finding]:
    """Step 15: the groups on the VM's subnet and on its NIC let the connection in."""
    target = question.target
    if not question.flow_is_known or target.subnet is None or target.interface is None:
        return
    side = target_side(question)
    link = question.path.pair.far if question.path.pair is not None else None
    note = _access_note(link.name) if link is not None and question.path.blocks_access(link) else ""
    meanings = [] if side is None else [one for one in (side.meaning, side.otherwise) if one is not None]
    if meanings and all(_admin(question, one).exempt == question.host.sources for one in meanings):
        return
    subnet_group, nic_group = target.subnet.network_security_group_id, target.interface.network_security_group_id
    yield from _group_findings(question, subnet_group, Direction.INBOUND, side, "SubnetNsgDenies", note)
    yield from _group_findings(question, nic_group, Direction.INBOUND, side, "NicNsgDenies", note)


def security_admin_findings(question: Question) -> Iterator[Finding]:
    """Step 14: what the administrator's rules decide before any group is asked."""
    if not question.flow_is_known:
        return
    if (side := target_side(question)) is not None:
        verdict = _admin(question, side.meaning)
        denied = _either(question, side, lambda meaning: _admin(question, meaning).denied)
        yield from admin_findings(question, verdict, denied)


def address_edges(question: Question) -> Iterator[Iterable[int]]:
    """Addresses at which what the rules on the connection do may change: between two of them all targets fare alike.

    Of two VMs that differ in nothing but their addresses and lie between the same edges, steps 13 to 15 say the same, and
    so does what just-in-time access left.
    """
    host, target = question.host, question.target
    if host.subnet is not None and not host.is_developer:
        yield from _edges(question, host.subnet.network_security_group_id, Direction.OUTBOUND, bastion_side(question))
    side = target_side(question)
    for holder in (target.subnet, target.interface):
        if holder is not None:
            yield from _edges(question, holder.network_security_group_id, Direction.INBOUND, side)
            if (group := question.evaluation.inventory.security_group(holder.network_security_group_id)) is not None:
                yield guard_edges(question.evaluation, group)
    if target.network is not None and side is not None:
        for group in admin_groups(question, target.network):
            yield from _group_edges(question, group, Direction.INBOUND, side)


def _edges(
    question: Question, group_id: str | None, direction: Direction, side: SideMeaning | None
) -> Iterator[Iterable[int]]:
    group = question.evaluation.inventory.security_group(group_id)
    if group is not None and group.rules is not None and side is not None:
        yield from _group_edges(question, group, direction, side)


def _group_edges(
    question: Question, group: SecurityGroup, direction: Direction, side: SideMeaning
) -> Iterator[Iterable[int]]:
    for meaning in (side.meaning, side.otherwise):
        if meaning is not None:
            table = question.evaluation.rule_table(group, direction, question.asked.port, question.host, meaning)
            yield table.edges(meaning)


def _admin(question: Question, meaning: TagMeaning) -> AdminVerdict:
    network = question.target.network
    if network is None or network.key not in question.evaluation.inventory.admin_configurations:
        return NOTHING
    target = question.target
    key = ("admin", network.key, question.host.bastion.key, question.asked.port, id(meaning), target.addresses)
    groups = target.application_security_groups
    return question.evaluation.once((*key, groups), lambda: admin_verdict(question, meaning))


def bastion_side(question: Question) -> SideMeaning | None:
    """What the tags mean on AzureBastionSubnet, for this connection; None where the subnet is not known.

    They are those without the routes that steps 4 and 5 find fault with.
    """
    host = question.host
    faults = question.evaluation.route_faults(host)
    return _side(question, host.network, host.subnet, _across(question, near=True), faults)


def target_side(question: Question) -> SideMeaning | None:
    """What the tags mean on the VM's subnet and NIC, for this connection; None where the subnet is not known."""
    target = question.target
    return _side(question, target.network, target.subnet, _across(question, near=False))


def _side(
    question: Question,
    network: VirtualNetwork | None,
    subnet: Subnet | None,
    across: Opposite | None,
    faults: RouteFaults = NO_FAULTS,
) -> SideMeaning | None:
    """What the tags mean on a subnet; the same for all connections that have nothing special across."""
    if network is None or subnet is None:
        return None
    evaluation = question.evaluation
    if across is None and faults == NO_FAULTS:
        return evaluation.plain_side(network, subnet)

    def work() -> SideMeaning:
        known = evaluation.known_space(network)
        space = known if across is None else space_towards(evaluation.inventory, network, across)
        learned = None if faults.learned else evaluation.learned_default(network, subnet)
        without_table = replace(subnet, route_table_id=None) if faults.diverted else subnet
        return side_meaning(evaluation.inventory, without_table, space, learned)

    across_key = across and (across.network and across.network.key, across.mended, across.learned)
    return evaluation.side((subnet.key, across_key, faults), work)


def _across(question: Question, *, near: bool) -> Opposite | None:
    """The VNet across, as the near (the Bastion's) or the far side sees it, where the tags are not as they always are:

    where a peering is judged as if it were mended, or a virtual hub or a gateway lies between.
    """
    path = question.path
    learned = path.via is Via.IP_CONNECT
    if path.sound and not learned:
        return None
    network = question.target.network if near else question.host.network
    return Opposite(network, mended=not path.sound, learned=learned)


def _group_findings(
    question: Question,
    group_id: str | None,
    direction: Direction,
    side: SideMeaning | None,
    code: str,
    note: str,
) -> Iterator[Finding]:
    if group_id is None or side is None:
        return
    group, lost = known_group(question.evaluation.inventory, group_id)
    if lost is not None:
        yield lost
    elif group is not None:
        decision = _decide(question, group, direction, side)
        if not decision.allows_all:
            yield from _told(question, group, direction, decision, code, note)


def _decide(question: Question, group: SecurityGroup, direction: Direction, side: SideMeaning) -> Decision:
    host, target = question.host, question.target

    def under(meaning: TagMeaning) -> Decision:
        table = question.evaluation.rule_table(group, direction, question.asked.port, host, meaning)
        always = None if direction is Direction.OUTBOUND else always_table(question, meaning)
        if always is None:
            return table.decide_all(target.addresses, meaning, target.application_security_groups)

        def decide(address: int) -> Decision:
            answers = (each.decide(address, meaning, target.application_security_groups) for each in (table, always))
            return past_admin(*answers)

        edges = {*table.edges(meaning), *always.edges(meaning)}
        return decide_for_any(target.addresses, edges, decide, among=host.sources, by=group)

    return _either(question, side, under)


def _either(question: Question, side: SideMeaning, under: Callable[[TagMeaning], Decision]) -> Decision:
    """A decision that both meanings of the tags come to, where there are two; else it is open what happens."""
    decision = under(side.meaning)
    if side.otherwise is None or side.doubt is None:
        return decision
    other = under(side.otherwise)
    if decision.comes_to(other):
        return decision
    return Decision(undecided=question.host.sources, doubts=(*decision.doubts, *other.doubts, side.doubt))


def _told(
    question: Question, group: SecurityGroup, direction: Direction, decision: Decision, code: str, note: str
) -> Iterator[Finding]:
    """A decision in words: what is denied by which rule, and what stays open and why."""
    rule = decision.blamed
    if rule is not None:
        host, target = question.host, question.target
        whole = decision.denied == host.sources
        to = f"TCP {question.asked.port} to {target.address_text} of {target.vm.name}"
        what = f"rule {rule.name} (priority {rule.priority}, {direction.value}) of {group.name} denies {to}"
        if whole:
            message = f"{what} from the Bastion addresses {host.prefix_text}{note}"
        else:
            blocked = decision.denied | decision.partly
            some = ", ".join(blocked.prefixes())
            message = f"{what} for some sessions: those from {some} of the Bastion addresses {host.prefix_text}{note}"
        yield finding(
            code if whole else "NsgPartiallyBlocksBastion",
            f"{message}; {_cure(question, group, direction, decision.first)}",
            resource=group.id,
            rule=rule.name,
            priority=rule.priority,
            direction=direction.value,
        )
    for doubt in decision.doubts:
        yield _open(doubt, group)


def _cure(question: Question, group: SecurityGroup, direction: Direction, first: SecurityRule | None) -> str:
    """What to do where rules deny, ``first`` the foremost of them; nothing is ever put in front of just-in-time rules."""
    host, port = question.host, question.asked.port
    if direction is Direction.INBOUND and guards(question.evaluation, question.target, group, port):
        return "just-in-time access guards the VM: request access"
    before = "those that deny" if first is None else first.name
    return f"allow TCP {port} from {host.prefix_text} with a rule in front of {before}"


def _open(doubt: Doubt, group: SecurityGroup) -> Finding:
    message = f"what {group.name} does hangs on what is not known: {doubt.what}"
    return finding(doubt.code, message, resource=doubt.resource or group.id)


def _access_note(link: str) -> str:
    return f"; allowVirtualNetworkAccess is false on peering {link}, which takes the peer out of the tag VirtualNetwork"
