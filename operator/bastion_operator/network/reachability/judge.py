"""From an inventory to verdicts: candidates, the steps for each, the order of candidates, the answer."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

from bastion_operator.network.arm_id import normalise_id
from bastion_operator.network.bastion_host import BastionHost
from bastion_operator.network.codes import finding
from bastion_operator.network.finding import Finding, FindingClass
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.prefixes import parse_address
from bastion_operator.network.reachability.alike import (
    Answer,
    Part,
    SharedAnswers,
    TargetClass,
    class_key,
    groups_of,
    names_any,
    own_names,
)
from bastion_operator.network.reachability.candidates import candidate_bastions, path_between
from bastion_operator.network.reachability.evaluation import Evaluation
from bastion_operator.network.reachability.flow import address_edges
from bastion_operator.network.reachability.methods import always_findings, connection_methods
from bastion_operator.network.reachability.path import Topology, path_edges
from bastion_operator.network.reachability.question import Asked, Question, ask
from bastion_operator.network.reachability.steps import STEPS_AFTER_TARGET, STEPS_BEFORE_TARGET, Step, target_findings
from bastion_operator.network.reachability.target import Target, address_findings
from bastion_operator.network.reachability.verdict import (
    VERDICT_ORDER,
    VIA_ORDER,
    Candidate,
    Protocol,
    Reachability,
    Verdict,
    verdict_of,
)
from bastion_operator.network.virtual_machine import OperatingSystem, VirtualMachine


class UnknownVirtualMachineError(LookupError):
    """The VM asked about is not in the inventory."""


def judge(
    inventory: Inventory,
    vm_id: str,
    *,
    protocol: Protocol | str | None = None,
    port: int | None = None,
    address: str | None = None,
    bastion_ids: Iterable[str] | None = None,
    evaluation: Evaluation | None = None,
) -> Verdict:
    """The verdict for one VM.

    ``protocol`` and ``port`` default to those of its operating system. ``address`` asks about this private IPv4 address of
    the VM in place of its primary one. ``bastion_ids`` asks about these Bastions and no
    other. ``evaluation`` keeps what was worked out for earlier questions about the same inventory.
    Raises UnknownVirtualMachineError if the inventory has no VM of that id, PrefixError if the address is none.
    """
    vm = inventory.virtual_machine(vm_id)
    if vm is None:
        raise UnknownVirtualMachineError(
            f"VM {vm_id} is not in the data: check the id, or that the data holds its subscription"
        )
    wanted = None if address is None else parse_address(address)
    asked = ask(vm.operating_system, None if protocol is None else Protocol(protocol), port, wanted)
    only = None if bastion_ids is None else tuple(bastion_ids)
    return next(judge_machine(evaluation or Evaluation(inventory), vm, (asked,), only))


def judge_all(
    inventory: Inventory,
    *,
    vm_ids: Iterable[str] | None = None,
    protocols: Sequence[Protocol | str | None] = (None,),
    port: int | None = None,
    bastion_ids: Iterable[str] | None = None,
    evaluation: Evaluation | None = None,
) -> list[Verdict]:
    """The verdicts for all VMs, or those asked for, sorted by VM (its id without case), protocol and port.

    ``protocols``: each is asked of each VM; None stands for the protocol of the VM's operating system. VMs asked for that
    the inventory does not have are left out.
    """
    shared = evaluation or Evaluation(inventory)
    only = None if bastion_ids is None else tuple(bastion_ids)
    chosen = tuple(None if protocol is None else Protocol(protocol) for protocol in protocols)
    return [
        verdict
        for vm in sorted(_chosen(inventory, vm_ids), key=lambda vm: vm.id.lower())
        for verdict in judge_machine(shared, vm, questions(vm.operating_system, chosen, port), only)
    ]


@lru_cache
def questions(
    operating_system: OperatingSystem | None, protocols: tuple[Protocol | None, ...], port: int | None
) -> tuple[Asked, ...]:
    """What is asked of a VM, each question once, in the order of the answers."""
    asked = {ask(operating_system, protocol, port) for protocol in protocols}
    return tuple(sorted(asked, key=lambda each: (each.protocol, each.port)))


def _chosen(inventory: Inventory, vm_ids: Iterable[str] | None) -> Iterator[VirtualMachine]:
    if vm_ids is None:
        yield from inventory.virtual_machines.values()
        return
    for key in dict.fromkeys(map(normalise_id, vm_ids)):
        if (vm := inventory.virtual_machines.get(key)) is not None:
            yield vm


def judge_machine(
    evaluation: Evaluation,
    vm: VirtualMachine,
    asked: Iterable[Asked],
    only: tuple[str, ...] | None,
    target: Target | None = None,
) -> Iterator[Verdict]:
    """The verdicts for one VM. ``only``: ids of the Bastions in question; None stands for all that are near.

    ``target``: what ``evaluation.target`` says of the VM, where the caller has it.
    """
    target = target or evaluation.target(vm)
    own = tuple(target_findings(evaluation.inventory, target))
    for each in asked:
        candidates = _ranked(evaluation, target, own, each, only)
        if candidates:
            yield _verdict(evaluation, vm, each, candidates)
        else:
            yield _without_candidate(evaluation, target, each)


def _verdict(evaluation: Evaluation, vm: VirtualMachine, asked: Asked, candidates: tuple[Candidate, ...]) -> Verdict:
    best = candidates[0]
    absent = best.via is None and evaluation.inventory.bastion(best.bastion) is None
    return Verdict(
        vm=vm.id,
        vm_name=vm.name,
        protocol=asked.protocol,
        port=asked.port,
        verdict=best.verdict,
        bastion=None if absent else best.bastion,
        via=best.via,
        methods=best.methods,
        reasons=best.reasons,
        warnings=best.warnings,
        candidates=candidates,
    )


def _ranked(
    evaluation: Evaluation, target: Target, own: tuple[Finding, ...], asked: Asked, only: tuple[str, ...] | None
) -> tuple[Candidate, ...]:
    """What each Bastion makes of the target, the best first. ``own`` are the findings of the target itself (step 8)."""
    shared = _shared_answers(evaluation, target, asked, only)
    if shared is not None and shared.candidates is not None and not own:
        return shared.candidates
    if shared is None:
        bastions = _known_bastions(evaluation, target, only)
        each: Iterable[Answer] = (_answer(_question(evaluation, bastion, target, asked)) for bastion in bastions)
    else:
        each = shared.each
    candidates = [_candidate(evaluation, answer, own, target, asked) for answer in each]
    if only is not None:
        candidates += [_absent(text, own) for text in _named(only) if evaluation.inventory.bastion(text) is None]
    return tuple(sorted(candidates, key=by_merit))


def by_merit(candidate: Candidate) -> tuple[int, int, int, int, str]:
    """The order of candidates: verdict, way, number of methods, number of reasons, id."""
    return (
        VERDICT_ORDER[candidate.verdict],
        VIA_ORDER[candidate.via],
        -len(candidate.methods),
        len(candidate.reasons),
        candidate.bastion.lower(),
    )


def _shared_answers(
    evaluation: Evaluation, target: Target, asked: Asked, only: tuple[str, ...] | None
) -> SharedAnswers | None:
    """What is said of all targets that are alike; None where this one has to be judged by itself."""
    key = class_key(target, (asked.protocol is Protocol.RDP, asked.port, asked.assumed, only))
    if key is None or asked.address is not None or target.vm.key in evaluation.inventory.just_in_time_policies:
        return None
    questions: list[Question] = []
    kind = evaluation.target_class(key, lambda: _target_class(evaluation, target, asked, only, questions))
    part = kind.part(target.addresses.lowest)
    try:
        return kind.answers[part]
    except KeyError:
        answers = kind.answers[part] = _work_out(evaluation, target, asked, only, questions)
        return answers


def _target_class(
    evaluation: Evaluation, target: Target, asked: Asked, only: tuple[str, ...] | None, questions: list[Question]
) -> TargetClass:
    """The class of a target that is the first of it; ``questions`` are filled in on the way, for its answers."""
    edges: set[int] = set()
    questions += _questions(evaluation, target, asked, only)
    for question in questions:
        edges.update(path_edges(question.path), *address_edges(question))
    return TargetClass(tuple(sorted(edges)), groups_of(target))


def _questions(evaluation: Evaluation, target: Target, asked: Asked, only: tuple[str, ...] | None) -> list[Question]:
    return [_question(evaluation, bastion, target, asked) for bastion in _known_bastions(evaluation, target, only)]


def _work_out(
    evaluation: Evaluation, target: Target, asked: Asked, only: tuple[str, ...] | None, known: list[Question]
) -> SharedAnswers | None:
    questions = known or _questions(evaluation, target, asked, only)
    if only is not None and len(questions) < len(_named(only)):
        return None
    each: list[Answer] = []
    for question in questions:
        # Whether a route leads to a VM whose VNet is not peered is a matter of its own address.
        if question.path.topology is Topology.APART:
            return None
        each.append(_shared(_answer(question), target))
    if not each or not all(answer.whole for answer in each):
        return SharedAnswers(tuple(each), None)
    candidates = (_candidate(evaluation, answer, (), target, asked) for answer in each)
    return SharedAnswers(tuple(each), tuple(sorted(candidates, key=by_merit)))


def _shared(answer: Answer, target: Target) -> Answer:
    """The answer with the steps that name this target in place of what they found."""
    parts: list[Part] = []
    names = own_names(target)
    for step, part in zip(STEPS_AFTER_TARGET, answer.after, strict=True):
        named = isinstance(part, tuple) and any(names_any(item, names) for item in part)
        parts.append(step.findings if named else part)
    return replace(answer, after=tuple(parts))


def _known_bastions(evaluation: Evaluation, target: Target, only: tuple[str, ...] | None) -> tuple[BastionHost, ...]:
    if only is None:
        return candidate_bastions(evaluation, target)
    named = (evaluation.inventory.bastion(text) for text in _named(only))
    return tuple(bastion for bastion in named if bastion is not None)


def _named(only: tuple[str, ...]) -> list[str]:
    """The ids, each Bastion once."""
    return list({normalise_id(text): text for text in only}.values())


def _question(evaluation: Evaluation, bastion: BastionHost, target: Target, asked: Asked) -> Question:
    host = evaluation.host(bastion)
    return Question(evaluation, host, target, path_between(evaluation, host, target), asked)


def _answer(question: Question) -> Answer:
    evaluation = question.evaluation
    key = ("host findings", question.host.bastion.key)
    before = evaluation.once(
        key, lambda: tuple(item for step in STEPS_BEFORE_TARGET for item in step.findings(question))
    )
    after = tuple(_found(step, question) for step in STEPS_AFTER_TARGET)
    methods = tuple(connection_methods(question))
    return Answer(question.host.bastion, question.path.via, methods, before, after)


def _found(step: Step, question: Question) -> tuple[Finding, ...]:
    if step.per is None:
        return tuple(step.findings(question))
    key = ("step", step.name, step.per(question))
    return question.evaluation.once(key, lambda: tuple(step.findings(question)))


def _candidate(
    evaluation: Evaluation, answer: Answer, own: tuple[Finding, ...], target: Target, asked: Asked
) -> Candidate:
    found = [*answer.before, *own]
    question = None if answer.whole else _question(evaluation, answer.bastion, target, asked)
    for part in answer.after:
        found += part if isinstance(part, tuple) else part(question)
    reasons, warnings = _sorted_out((*found, *always_findings()))
    verdict = verdict_of(reasons)
    methods = answer.methods if verdict is Reachability.REACHABLE else ()
    return Candidate(answer.bastion.id, verdict, answer.via, methods, reasons, warnings)


def _sorted_out(findings: Iterable[Finding]) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """Reasons and warnings apart, each reason said once."""
    reasons: list[Finding] = []
    warnings: list[Finding] = []
    for item in findings:
        if item.finding_class is FindingClass.WARNING:
            warnings.append(item)
        elif item not in reasons:
            reasons.append(item)
    return tuple(reasons), tuple(warnings)


def _absent(bastion_id: str, own: tuple[Finding, ...]) -> Candidate:
    gone = finding("BastionNotFound", f"Bastion {bastion_id} is not in the data: check the id", resource=bastion_id)
    reasons, warnings = _sorted_out((gone, *own, *always_findings()))
    return Candidate(bastion_id, verdict_of(reasons), None, (), reasons, warnings)


def _none_near(inventory: Inventory, target: Target) -> Finding:
    """That no Bastion is near, unless one of them points to no VNet at all: every Bastion is in one."""
    lost = next((one for one in inventory.bastions.values() if one.virtual_network_id is None), None)
    if lost is not None:
        message = f"Bastion {lost.name} does not state in which VNet it is, and no other is near {target.vm.name}"
        return finding("EffectiveDataUnavailable", message, resource=lost.id)
    where = f"in VNet {target.network_name} of {target.vm.name} nor in a VNet peered with it"
    return finding("NotPeered", f"no Bastion is {where}: peer it with one", resource=target.network_id)


def _without_candidate(evaluation: Evaluation, target: Target, asked: Asked) -> Verdict:
    """No Bastion is near: step 8 alone, and that there is none."""
    vm = target.vm
    findings = [*target_findings(evaluation.inventory, target), *address_findings(target, asked.address)]
    if not evaluation.inventory.bastions:
        message = "there is no Bastion in the data: create one in the VM's VNet or in a VNet peered with it"
        findings.insert(0, finding("BastionNotFound", message))
    elif target.network is not None:
        findings.append(_none_near(evaluation.inventory, target))
    reasons, warnings = _sorted_out((*findings, *always_findings()))
    return Verdict(
        vm=vm.id,
        vm_name=vm.name,
        protocol=asked.protocol,
        port=asked.port,
        verdict=verdict_of(reasons),
        bastion=None,
        via=None,
        methods=(),
        reasons=reasons,
        warnings=warnings,
        candidates=(),
    )
