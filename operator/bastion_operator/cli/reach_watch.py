"""`kubectl bastion reach --watch`: the verdicts once, then those that turn."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click
import orjson

from bastion_operator.cli.errors import NotThere, warn
from bastion_operator.cli.reach import Answer, ReachOptions, check, judged
from bastion_operator.cli.sources import Cluster, Files
from bastion_operator.cli.sources.files import STANDARD_INPUT
from bastion_operator.cli.table import GrowingTable
from bastion_operator.cli.verdicts import columns, documents, rows
from bastion_operator.network.reachability import Evaluation

if TYPE_CHECKING:
    from bastion_operator.api.reachability_report import ReachabilityReport

T = TypeVar("T")
GONE: Final = "Gone"


def run_watch(options: ReachOptions, interval: float) -> None:
    """Shows until it is interrupted. Raises click.ClickException for what the user can mend."""
    check(options)
    if options.fail_on is not None:
        raise click.UsageError("--fail-on has no end to fail at with --watch: leave one of them out")
    if isinstance(options.source, Files) and STANDARD_INPUT in options.source.names:
        raise click.UsageError("the standard input can be read once only: --watch needs files by name")
    asyncio.run(_watch(options, interval))


async def _watch(options: ReachOptions, interval: float) -> None:
    shown = Shown(options.output)
    answers = _published(options.source, options) if isinstance(options.source, Cluster) else _judged(options, interval)
    async for answer in answers:
        shown.show(answer)


async def _published(source: Cluster, options: ReachOptions) -> AsyncIterator[Answer]:
    from bastion_operator.cli.published import chosen_of, published_verdicts  # noqa: PLC0415  the custom resources' models
    from bastion_operator.cli.watched_reports import watched_reports  # noqa: PLC0415  kubernetes is loaded when it is asked

    def answer(reports: "Sequence[ReachabilityReport]") -> Answer:
        found = chosen_of(published_verdicts(reports), options.choice, options.protocol, options.port)
        return Answer(options.choice.shown(found))

    async for one in _answered(watched_reports(source), answer):
        yield one


async def _judged(options: ReachOptions, interval: float) -> AsyncIterator[Answer]:
    from bastion_operator.cli.watched_estate import watched_inventories  # noqa: PLC0415

    assert not isinstance(options.source, Cluster)
    inventories = watched_inventories(options.source, interval, access=bool(options.principals))
    async for one in _answered(inventories, lambda inventory: judged(Evaluation(inventory), options)):
        yield one


async def _answered(facts: AsyncIterator[T], answer: Callable[[T], Answer]) -> AsyncIterator[Answer]:
    """The answers from facts. What a name does not fit any more is told after the first time, and does not end the watch."""
    begun = False
    async for each in facts:
        try:
            found = answer(each)
        except NotThere as refusal:
            if not begun:
                raise
            warn(refusal)
            # What was asked about is gone.
            found = Answer(())
        begun = True
        yield found


Question = tuple[str, str, int]


class Shown:
    """What has been shown so far: of each answer only the rows that are new or otherwise are written."""

    def __init__(self, output: str) -> None:
        self._output = output
        self._known: dict[Question, Any] = {}
        self._table: GrowingTable | None = None
        self._begun = False

    def show(self, answer: Answer) -> None:
        """Writes what has turned since the answer before; of the first, all."""
        keys = [(one.vm.lower(), one.protocol.value, one.port) for one in answer.verdicts]
        if self._output in {"json", "yaml"}:
            told = documents(answer.verdicts, answer.access)
            self._write(self._news(dict(zip(keys, told, strict=True)), _gone_document))
            return
        cells = rows(answer.verdicts, answer.access, wide=self._output == "wide")
        found = self._news(dict(zip(keys, cells, strict=True)), _gone_row)
        if self._table is None:
            self._table = GrowingTable(columns(access=bool(answer.access)))
        self._table.add(found)

    def _news(self, now: dict[Question, Any], gone: Any) -> list[Any]:
        found = [row for key, row in now.items() if self._known.get(key) != row]
        found += [gone(row) for key, row in self._known.items() if key not in now]
        self._known = now
        return found

    def _write(self, found: Sequence[Any]) -> None:
        """JSON lines, an array on each; of YAML a document. Nothing where nothing has turned."""
        if not found and self._begun:
            return
        self._begun = True
        if self._output == "json":
            click.echo(orjson.dumps(found))
            return
        import yaml  # noqa: PLC0415  only when YAML is asked

        click.echo("---\n" + yaml.safe_dump(found, sort_keys=False, allow_unicode=True), nl=False)


def _gone_document(known: dict[str, Any]) -> dict[str, Any]:
    return {"vm": known["vm"], "protocol": known["protocol"], "port": known["port"], "verdict": None}


def _gone_row(known: tuple[str, ...]) -> tuple[str, ...]:
    return (*known[:3], GONE, *("-" for _ in known[4:]))
