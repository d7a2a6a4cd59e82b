"""`kubectl bastion reach`: verdicts on an estate, or those that the operator has published."""

import gc
import re
from collections.abc import Iterable, Iterator, Sequence, Sized
from dataclasses import dataclass, field
from typing import Final

import click

from bastion_operator.cli.errors import Refusal
from bastion_operator.cli.options import ALL, NONE, SOME
from bastion_operator.cli.program import EXIT_CHECK_FAILED
from bastion_operator.cli.progress import counted, progress
from bastion_operator.cli.selection import Choice, bastion_ids
from bastion_operator.cli.sources import Cluster, Source, read_inventory
from bastion_operator.cli.verdicts import Judged, show_verdicts
from bastion_operator.interpreter import keep_to_the_end
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability import Evaluation, Reachability, Verdict, judge_all

MOST_EXPLAINED = 200
"""Verdicts that get fixes unless all were asked for: trying a fix takes some milliseconds."""
_AT_ONCE: Final = 500
"""VMs that are judged between two looks at the progress."""
_OBJECT_ID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ReachOptions:
    """What was given on the command line."""

    source: Source
    output: str
    choice: Choice = field(default_factory=Choice)
    protocol: str | None = None
    port: int | None = None
    fail_on: str | None = None
    fixes: str = SOME
    principals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What there is to show: verdicts, and beside each what the principals asked about may do (empty where nobody was)."""

    verdicts: Sequence[Verdict]
    access: Sequence[Judged] = ()


def run_reach(options: ReachOptions) -> int:
    """Reads, judges and shows; returns the exit code. Raises click.ClickException for what the user can mend."""
    check(options)
    answer = _answer(options)
    keep_to_the_end(answer)
    show_verdicts(answer.verdicts, options.output, answer.access)
    return EXIT_CHECK_FAILED if _fails(answer.verdicts, options.fail_on) else 0


def check(options: ReachOptions) -> None:
    """Raises click.ClickException for what the options alone show to be wrong."""
    for each in options.principals:
        if not _OBJECT_ID.fullmatch(each):
            raise Refusal(f"--principal {each} is no object id", "az ad user show --id NAME --query id tells it")
    if isinstance(options.source, Cluster):
        beyond = (
            ("--tag", options.choice.tags),
            ("--subnet", options.choice.subnets),
            ("--principal", options.principals),
        )
        for option, given in beyond:
            if given:
                raise Refusal(
                    f"{option} asks for what the cluster's reports do not hold",
                    "ask Azure with --azure, or files with --from FILE",
                )


def _answer(options: ReachOptions) -> Answer:
    if isinstance(options.source, Cluster):
        return Answer(_published(options.source, options))
    gc.disable()  # what is read stays in use to the end of a few seconds, and looking through it costs half of them
    inventory = read_inventory(options.source, access=bool(options.principals))
    _refuse_a_check_of_nothing(options, inventory.virtual_machines)
    evaluation = Evaluation(inventory)
    keep_to_the_end(evaluation)
    return judged(evaluation, options)


def _refuse_a_check_of_nothing(options: ReachOptions, every: Sized) -> None:
    if options.fail_on is not None and not every:
        raise Refusal(
            "there is no VM in the data, so --fail-on has nothing to check",
            "see that the query, the file or the subscriptions are the ones you meant",
        )


def judged(evaluation: Evaluation, options: ReachOptions) -> Answer:
    """The answer from an estate."""
    verdicts = options.choice.shown(_judge(evaluation, options))
    access = _access(evaluation.inventory, verdicts, options.principals)
    told = list(_explained(verdicts, evaluation, options))
    if access:
        from bastion_operator.network.access import with_access  # noqa: PLC0415  few ask

        told = [with_access(*pair) for pair in zip(told, access, strict=True)]
    return Answer(told, access)


def _judge(evaluation: Evaluation, options: ReachOptions) -> Iterator[Verdict]:
    inventory, choice = evaluation.inventory, options.choice
    machines = choice.machines(inventory)
    wanted = sorted(inventory.virtual_machines if machines is None else machines, key=str.lower)
    bastions = bastion_ids(inventory, choice.bastions) if choice.bastions else None
    with progress("judging VMs", len(wanted)) as shown:
        for start in range(0, len(wanted), _AT_ONCE):
            some = wanted[start : start + _AT_ONCE]
            yield from judge_all(
                inventory,
                evaluation=evaluation,
                vm_ids=some,
                protocols=(options.protocol.upper() if options.protocol else None,),
                port=options.port,
                bastion_ids=bastions,
            )
            shown.advance(len(some))


def _published(source: Cluster, options: ReachOptions) -> list[Verdict]:
    import asyncio  # noqa: PLC0415  files need none

    from bastion_operator.cli.published import chosen_of, published_verdicts  # noqa: PLC0415  the custom resources' models
    from bastion_operator.cli.sources.cluster import open_cluster  # noqa: PLC0415  kubernetes is loaded when it is asked

    async def read() -> list[Verdict]:
        async with open_cluster(source) as cluster:
            return published_verdicts(await cluster.reports())

    every = asyncio.run(read())
    _refuse_a_check_of_nothing(options, every)
    found = chosen_of(every, options.choice, options.protocol, options.port)
    return options.choice.shown(found)


def _explained(verdicts: list[Verdict], evaluation: Evaluation, options: ReachOptions) -> Iterator[Verdict]:
    """The verdicts, those with reasons with a fix in each where the output shows it."""
    failing = sum(bool(verdict.reasons) for verdict in verdicts)
    shown = options.output in {"json", "yaml"} and options.fixes != NONE
    left = (failing if options.fixes == ALL else min(failing, MOST_EXPLAINED)) if shown else 0
    if not left:
        yield from verdicts
        return
    from bastion_operator.network.fixes import explain  # noqa: PLC0415  a table shows none

    if left < failing:
        click.echo(f"fixes for the first {left} of {failing} verdicts with reasons; --fixes all for each", err=True)
    for verdict in counted("trying fixes", verdicts, len(verdicts)):
        if verdict.reasons and left:
            left -= 1
            yield explain(verdict, evaluation.inventory, evaluation=evaluation, warnings_too=False)
        else:
            yield verdict


def _access(inventory: Inventory, verdicts: Iterable[Verdict], principals: tuple[str, ...]) -> list[Judged]:
    """What each principal may do, for each verdict; nothing where nobody was asked about."""
    if not principals:
        return []
    from bastion_operator.network.access import AccessEvaluation, Principal  # noqa: PLC0415  few ask

    evaluation = AccessEvaluation(inventory, [Principal(each) for each in dict.fromkeys(principals)])
    return [evaluation.judge(verdict) for verdict in verdicts]


def _fails(verdicts: Iterable[Verdict], fail_on: str | None) -> bool:
    if fail_on is None:
        return False
    failing = {Reachability.UNREACHABLE}
    if fail_on.lower() == "unknown":
        failing.add(Reachability.UNKNOWN)
    return any(verdict.verdict in failing for verdict in verdicts)
