"""From an inventory to verdicts: candidates, the steps for each, the order of candidates, the answer."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from bastion_operator.network.arm_id import normalise_id
from bastion_operator.network.bastion_host import BastionHost
from bastion_operator.network.codes import finding
from bastion_operator.network.finding import Finding, FindingClass
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.prefixes import parse_address
from bastion_operator.network.reachability.candidates import candidate_bastions, path_between
from bastion_operator.network.reachability.evaluation import Evaluation
from bastion_operator.network.reachability.methods import always_findings, connection_methods
from bastion_operator.network.reachability.question import Asked, Question, ask
from bastion_operator.network.reachability.steps import BLOCKS, Step, target_findings
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
from bastion_operator.network.virtual_machine import VirtualMachine


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
    return _judge(evaluation or Evaluation(inventory), vm, asked, None if bastion_ids is None else tuple(bastion_ids))


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
    chosen = [None if protocol is None else Protocol(protocol) for protocol in protocols]
    verdicts = [
        _judge(shared, vm, asked, only)
        for vm in _chosen(inventory, vm_ids)
        for asked in dict.fromkeys(ask(vm.operating_system, protocol, port) for protocol in chosen)
    ]
    return sorted(verdicts, key=lambda verdict: (verdict.vm.lower(), verdict.protocol, verdict.port))


def _chosen(inventory: Inventory, vm_ids: Iterable[str] | None) -> Iterator[VirtualMachine]:
    if vm_ids is None:
        yield from inventory.virtual_machines.values()
        return
    for key in dict.fromkeys(map(normalise_id, vm_ids)):
        if (vm := inventory.virtual_machines.get(key)) is not None:
            yield vm


def _judge(evaluation: Evaluation, vm: VirtualMachine, asked: Asked, only: tuple[str, ...] | None) -> Verdict:
    target = evaluation.target(vm)
    candidates = list(_candidates(evaluation, target, asked, only))
    if not candidates:
        return _without_candidate(evaluation, target, asked)
    candidates.sort(key=_merit)
    best = candidates[0]
    known = evaluation.inventory.bastion(best.bastion)
    return Verdict(
        vm=vm.id,
        vm_name=vm.name,
        protocol=asked.protocol,
        port=asked.port,
        verdict=best.verdict,
        bastion=best.bastion if known is not None else None,
        via=best.via,
        methods=best.methods,
        reasons=best.reasons,
        warnings=best.warnings,
        candidates=tuple(candidates),
    )


def _candidates(
    evaluation: Evaluation, target: Target, asked: Asked, only: tuple[str, ...] | None
) -> Iterator[Candidate]:
    if only is None:
        for bastion in candidate_bastions(evaluation, target):
            yield _candidate(evaluation, bastion, target, asked)
        return
    for text in {normalise_id(text): text for text in only}.values():
        known = evaluation.inventory.bastion(text)
        yield _absent(evaluation, text, target) if known is None else _candidate(evaluation, known, target, asked)


def _merit(candidate: Candidate) -> tuple[int, int, int, int, str]:
    """The order of candidates: verdict, way, number of methods, number of reasons, id."""
    return (
        VERDICT_ORDER[candidate.verdict],
        VIA_ORDER[candidate.via],
        -len(candidate.methods),
        len(candidate.reasons),
        candidate.bastion.lower(),
    )


def _candidate(evaluation: Evaluation, bastion: BastionHost, target: Target, asked: Asked) -> Candidate:
    host = evaluation.host(bastion)
    question = Question(evaluation, host, target, path_between(evaluation, host, target), asked)
    reasons, warnings = _sorted_out((*_run_steps(question), *always_findings()))
    verdict = verdict_of(reasons)
    methods = tuple(connection_methods(question)) if verdict is Reachability.REACHABLE else ()
    return Candidate(bastion.id, verdict, question.path.via, methods, reasons, warnings)


def _run_steps(question: Question) -> Iterator[Finding]:
    for place, (per, block) in enumerate(BLOCKS):
        if per is None:
            for step in block:
                yield from step.findings(question)
        else:
            key = ("block", place, per(question))
            yield from question.evaluation.once(key, partial(_run_block, block, question))


def _run_block(block: tuple[Step, ...], question: Question) -> tuple[Finding, ...]:
    return tuple(finding for step in block for finding in step.findings(question))


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


def _absent(evaluation: Evaluation, bastion_id: str, target: Target) -> Candidate:
    gone = finding("BastionNotFound", f"Bastion {bastion_id} is not in the data: check the id", resource=bastion_id)
    findings = (gone, *target_findings(evaluation.inventory, target), *always_findings())
    reasons, warnings = _sorted_out(findings)
    return Candidate(bastion_id, verdict_of(reasons), None, (), reasons, warnings)


def _without_candidate(evaluation: Evaluation, target: Target, asked: Asked) -> Verdict:
    """No Bastion is near: step 8 alone, and that there is none."""
    vm = target.vm
    findings = [*target_findings(evaluation.inventory, target), *address_findings(target, asked.address)]
    if not evaluation.inventory.bastions:
        message = "there is no Bastion in the data: create one in the VM's VNet or in a VNet peered with it"
        findings.insert(0, finding("BastionNotFound", message))
    elif target.network is not None:
        message = (
            f"no Bastion is in VNet {target.network_name} of {vm.name} nor in a VNet peered with it: peer it with one"
        )
        findings.append(finding("NotPeered", message, resource=target.network_id))
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
