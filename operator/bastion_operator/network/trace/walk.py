"""A verdict's connection walked from the Bastion to the NIC and back.

What a hop comes to is what the steps of docs/reachability.md find there: the walk judges nothing by itself.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from bastion_operator.network.arm_id import normalise_id
from bastion_operator.network.fields import unreadable_reference
from bastion_operator.network.finding import Finding, FindingClass
from bastion_operator.network.peering import PeeringLink
from bastion_operator.network.reachability.candidates import path_between
from bastion_operator.network.reachability.evaluation import Evaluation
from bastion_operator.network.reachability.host import SUBNET_NAME
from bastion_operator.network.reachability.judge import UnknownVirtualMachineError
from bastion_operator.network.reachability.path import Topology
from bastion_operator.network.reachability.question import Question, ask
from bastion_operator.network.reachability.steps import STEPS
from bastion_operator.network.reachability.target import Target
from bastion_operator.network.reachability.verdict import Verdict
from bastion_operator.network.security_group import Direction
from bastion_operator.network.trace.hop import Hop, Leg, Outcome, RouteRow, RuleRow, Trace
from bastion_operator.network.trace.tables import admin_rows, group_rows, route_rows

Found = dict[int, list[Finding]]
"""Findings by the number of the step that found them."""

_METHODS: Final = 17
"""From this step on nothing is said of the way."""


def trace(evaluation: Evaluation, verdict: Verdict, *, named: bool = True) -> Trace:
    """The way of the verdict's best Bastion; where no Bastion is near, the VM alone.

    ``named``: somebody named the protocol, so that it does not hang on the VM's operating system.
    Raises UnknownVirtualMachineError if the VM is not in the inventory.
    """
    inventory = evaluation.inventory
    vm = inventory.virtual_machine(verdict.vm)
    if vm is None:
        raise UnknownVirtualMachineError(f"VM {verdict.vm} is not in the data that its way was asked of")
    target = evaluation.target(vm)
    bastion = inventory.bastion(verdict.bastion)
    if bastion is None:
        return Trace((_machine(target, verdict.reasons),))
    host = evaluation.host(bastion)
    asked = ask(vm.operating_system, verdict.protocol if named else None, verdict.port)
    question = Question(evaluation, host, target, path_between(evaluation, host, target), asked)
    return Trace(tuple(_hops(question)))


def _hops(question: Question) -> Iterator[Hop]:
    found = _found(question)
    yield _host(question, found)
    if not question.host.is_developer:
        yield _bastion_subnet(question, found)
        yield _way_out(question, found)
    yield _between(question, found)
    yield from _administrator(question, found)
    yield from _way_in(question, found)
    yield _machine(question.target, found.pop(8, []))
    yield _way_back(question, found)


def _found(question: Question) -> Found:
    found: Found = {}
    for step in STEPS:
        if step.number < _METHODS:
            found.setdefault(step.number, []).extend(step.findings(question))
    return found


def _taken(found: Found, *numbers: int) -> tuple[Finding, ...]:
    return tuple(finding for number in numbers for finding in found.pop(number, []))


def _hop(
    leg: Leg,
    name: str,
    resource: str | None,
    facts: Iterable[tuple[str, str | None]],
    findings: Iterable[Finding],
    *,
    judged: bool = True,
    rules: tuple[RuleRow, ...] = (),
    routes: tuple[RouteRow, ...] = (),
) -> Hop:
    told = tuple(findings)
    stated = tuple((label, fact) for label, fact in facts if fact)
    return Hop(leg, name, _outcome(told, judged=judged), resource, stated, rules, routes, told)


def _outcome(findings: tuple[Finding, ...], *, judged: bool) -> Outcome:
    classes = {finding.finding_class for finding in findings}
    if FindingClass.UNREACHABLE in classes:
        return Outcome.STOPS
    if FindingClass.UNKNOWN in classes:
        return Outcome.OPEN
    return Outcome.PASSES if judged else Outcome.NOT_JUDGED


def _host(question: Question, found: Found) -> Hop:
    host, bastion, inventory = question.host, question.host.bastion, question.evaluation.inventory
    address = inventory.public_ip(bastion.public_ip_id)
    features = {
        "native client": bastion.tunneling,
        "IP-based connection": bastion.ip_connect,
        "shareable links": bastion.shareable_link,
        "private only": bastion.private_only,
        "session recording": bastion.session_recording,
    }
    facts = (
        ("SKU", bastion.sku_name),
        ("state", bastion.provisioning_state),
        ("region", bastion.location),
        ("features", ", ".join(name for name, on in features.items() if on)),
        ("public IP", None if address is None else _name(address.id)),
        ("VNet", host.network_name),
    )
    numbers = (1, 2, 3, 4, 5, 6, 7, 9) if host.is_developer else (1, 2, 9)
    return _hop(Leg.THERE, f"Bastion {bastion.name}", bastion.id, facts, _taken(found, *numbers))


def _bastion_subnet(question: Question, found: Found) -> Hop:
    host = question.host
    subnet = host.subnet
    facts = (
        ("prefix", host.prefix_text if host.prefix else None),
        ("route table", _name(subnet.route_table_id) if subnet is not None else None),
        (
            "rules that Bastion needs",
            None if subnet is None else _name(subnet.network_security_group_id) or "no group: fine",
        ),
    )
    resource = host.bastion.subnet_id if subnet is None else subnet.id
    return _hop(Leg.THERE, f"subnet {SUBNET_NAME}", resource, facts, _taken(found, 3, 4, 5, 6, 7))


def _way_out(question: Question, found: Found) -> Hop:
    subnet = question.host.subnet
    group = None if subnet is None else subnet.network_security_group_id
    return _group_hop(question, f"out of {SUBNET_NAME}", group, Direction.OUTBOUND, _taken(found, 13))


def _group_hop(
    question: Question, place: str, group_id: str | None, direction: Direction, findings: tuple[Finding, ...]
) -> Hop:
    """A security group, or that there is none, which lets everything pass."""
    asked = ("asked for", f"TCP {question.asked.port} from {question.host.prefix_text} to {_address(question.target)}")
    if group_id is None:
        return _hop(Leg.THERE, f"{place}: no security group", None, (asked,), findings)
    group = question.evaluation.inventory.security_group(group_id)
    rules = () if group is None or group.rules is None else group_rows(question, group, direction)
    name = f"{place}: security group {_name(group_id)}, {direction.value}"
    return _hop(Leg.THERE, name, group_id, (asked,), findings, judged=question.flow_is_known, rules=rules)


def _between(question: Question, found: Found) -> Hop:
    path, host, target = question.path, question.host, question.target
    findings = _taken(found, 11, 12)
    if path.topology is Topology.SAME_VNET:
        return _hop(Leg.THERE, f"inside VNet {host.network_name}", host.network_id, (), findings)
    name = f"from VNet {host.network_name} to VNet {target.network_name}"
    pair = path.pair
    near, far = (None, None) if pair is None else (pair.near, pair.far)
    facts: tuple[tuple[str, str | None], ...] = ()
    if path.topology is Topology.PEERED:
        facts = (
            (f"link in {host.network_name}", _link_facts(near)),
            (f"link in {target.network_name}", _link_facts(far)),
        )
    elif path.via is not None:
        facts = (("over", str(path.via)),)
    elif path.between is not None:
        facts = (("both are peered with", path.between),)
    return _hop(Leg.THERE, name, target.network_id, facts, findings, judged=path.topology is not Topology.NOT_KNOWN)


def _link_facts(link: PeeringLink | None) -> str:
    if link is None:
        return "missing"
    known = link.remote_address_space
    flags = {
        "access": link.allow_virtual_network_access,
        "forwarded traffic": link.allow_forwarded_traffic,
        "gateway transit": link.allow_gateway_transit,
        "remote gateways": link.use_remote_gateways,
    }
    parts = (
        link.name,
        "state unknown" if link.state is None else link.state.value,
        link.sync_level,
        None if known is None else f"knows {', '.join(known.texts)}",
        "allows " + (", ".join(name for name, on in flags.items() if on) or "nothing"),
        None if link.peer_complete_vnets else "named subnets only",
    )
    return "; ".join(part for part in parts if part)


def _administrator(question: Question, found: Found) -> Iterator[Hop]:
    rules, findings = admin_rows(question), _taken(found, 14)
    if rules or findings:
        target = question.target
        name = f"security admin rules on VNet {target.network_name}"
        yield _hop(Leg.THERE, name, target.network_id, (), findings, judged=question.flow_is_known, rules=rules)


def _way_in(question: Question, found: Found) -> Iterator[Hop]:
    target, findings = question.target, list(_taken(found, 15))
    holders = (
        (
            f"into subnet {target.subnet.name}" if target.subnet is not None else "into the subnet",
            target.subnet,
            "Subnet",
        ),
        (
            f"into NIC {_name(target.interface.id)}" if target.interface is not None else "into the NIC",
            target.interface,
            "Nic",
        ),
    )
    for place, holder, kind in holders:
        group_id = None if holder is None else holder.network_security_group_id
        other = "Nic" if kind == "Subnet" else "Subnet"
        own = [one for one in findings if group_id and _is_about(one, group_id) and not one.code.startswith(other)]
        findings = [one for one in findings if one not in own]
        if holder is None:
            yield _hop(Leg.THERE, f"{place}: not known", None, (), own, judged=False)
        else:
            # What names another resource (a group that is not in the data) is told where the groups end.
            left = findings if kind == "Nic" else []
            yield _group_hop(question, place, group_id, Direction.INBOUND, (*own, *left))


def _is_about(finding: Finding, group_id: str) -> bool:
    return normalise_id(finding.resource or "") == normalise_id(group_id)


def _machine(target: Target, findings: Iterable[Finding]) -> Hop:
    vm = target.vm
    facts = (
        ("address", target.address_text if target.addresses else None),
        ("NIC", None if target.interface is None else _name(target.interface.id)),
        ("subnet", None if target.subnet is None else f"{target.network_name}/{target.subnet.name}"),
        ("system", None if vm.operating_system is None else vm.operating_system.value),
        ("power", vm.power_state),
    )
    return _hop(Leg.THERE, f"VM {vm.name}", vm.id, facts, findings)


def _way_back(question: Question, found: Found) -> Hop:
    target = question.target
    subnet = target.subnet
    table = None if subnet is None else subnet.route_table_id
    judged = question.flow_is_known and subnet is not None
    facts = (
        ("security groups", "stateful: replies of a connection that was let in are let out"),
        ("route table", "none" if table is None else _name(table)),
    )
    routes = route_rows(question) if judged and not question.host.is_developer else ()
    name = f"from {_address(target)} to {question.host.prefix_text}"
    # All that is left: whatever a step found is told at some hop.
    findings = _taken(found, 16, *sorted(found))
    return _hop(
        Leg.BACK, name, table or (None if subnet is None else subnet.id), facts, findings, judged=judged, routes=routes
    )


def _address(target: Target) -> str:
    return target.address_text if target.addresses else f"VM {target.vm.name}"


def _name(resource_id: str | None) -> str:
    if resource_id is not None and unreadable_reference(resource_id) is not None:
        return "cannot be read"
    return "" if resource_id is None else resource_id.rstrip("/").rsplit("/", 1)[-1]
