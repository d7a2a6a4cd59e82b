"""Every error code at each kind of place where it can come, sent by the local Azure: what the operator does next.

All cells run side by side in one run of the operator's passes, each in a subscription of its own; the tests then look at
the request log and at what was told.
"""

import asyncio
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest

from bastion_operator.arm.error_classes import ErrorClass
from bastion_operator.arm.error_codes import Place
from bastion_operator.correlation import ANNOTATION
from bastion_operator.log import LOG_FORMAT, mark
from dev.control_plane import ControlPlane
from dev.local_azure import LocalAzure
from tests.faults.code_cells import MESSAGE, STRIKES, Cell, Seen, cells, run_cell, sort_requests, texts
from tests.faults.struck_resources import IDENTITY
from tests.support.operator_in_process import Manifest, make_identity, passes_at_work

SPEED = 20.0
# Cells that are under way at once.
AT_ONCE = 24
NAMESPACE = "every-code"
CELLS = cells()
KINDS = sorted({cell.key_kind for cell in CELLS})
# Waits are stretched or shortened by this at most.
JITTER = 0.75


@dataclass
class Run:
    """What all cells saw, and what the operator wrote to its log meanwhile."""

    seen: dict[Cell, Seen] = field(default_factory=dict)
    log: str = ""
    events: str = ""
    objects: str = ""
    client_secret: str = ""
    correlations: set[str] = field(default_factory=set)


class _Log(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []
        self.setFormatter(logging.Formatter(LOG_FORMAT))
        self.addFilter(mark)

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture(scope="module")
def run(
    control_plane: ControlPlane, crds_installed: list[str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Run]:
    """One run of all cells."""
    assert crds_installed
    folder: Path = tmp_path_factory.mktemp("every-code")
    estate = folder / "estate.json"
    estate.write_text(json.dumps([row for cell in CELLS for row in cell.estate()]))
    azure = LocalAzure(folder, estates=[estate], speed=1000, options=["--graph-lag=0", "--no-throttling"])
    azure.start()
    control_plane.kubectl("create", "namespace", NAMESPACE)
    log = _Log()
    root = logging.getLogger()
    level = root.level
    root.addHandler(log)
    root.setLevel(logging.INFO)
    # As the program sets it.
    logging.getLogger("azure").setLevel(logging.WARNING)
    try:
        result = asyncio.run(_run_all(control_plane, azure))
        result.log = "\n".join(log.lines)
        result.events = control_plane.kubectl("get", "events", "-n", NAMESPACE, "-o", "json")
        yield result
    finally:
        root.removeHandler(log)
        root.setLevel(level)
        azure.kill()


async def _run_all(control_plane: ControlPlane, azure: LocalAzure) -> Run:
    result = Run({cell: Seen() for cell in CELLS})
    async with (
        passes_at_work(control_plane, azure, NAMESPACE, speed=SPEED, kinds=KINDS) as passes,
        azure.control() as control,
    ):
        await make_identity(passes, IDENTITY, [cell.subscription for cell in CELLS])
        limit = asyncio.Semaphore(AT_ONCE)

        async def one(cell: Cell, seen: Seen) -> None:
            async with limit:
                await run_cell(passes, control, cell, seen)

        await asyncio.gather(*(one(cell, seen) for cell, seen in result.seen.items()))
        result.objects = json.dumps(list(passes.seen.values()))
        result.client_secret = azure.clients["operator"].client_secret
        result.correlations = {str(each["correlation"]) for each in await control.audit()}
    sort_requests(azure.request_log(), result.seen)
    return result


def at(entry: dict[str, str]) -> float:
    return datetime.fromisoformat(entry["time"]).timestamp()


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.name)
def test_an_error_is_handled_as_its_class_says(run: Run, cell: Cell) -> None:
    seen = run.seen[cell]
    assert seen.ended == "well"
    what_is_told(cell, seen)
    what_is_sent(cell, seen)
    made = [each["url"].partition("?")[0].lower() for each in seen.sent("PUT", "/") if each["status"] == 201]
    assert len(made) == len(set(made)), "nothing is made twice"


def what_is_told(cell: Cell, seen: Seen) -> None:
    handling, told = cell.code.handling, texts(seen.told)
    assert "SIGNED-SECRET" not in told
    if cell.gone:
        return
    if not cell.lasting:
        # It was over before: a slow machine may take so long about it that it must be told.
        if seen.over - at(struck_by(cell, seen)[0]) < handling.told_after / SPEED:
            assert cell.code.name not in told, "what passes is nobody's business"
        assert "Stalled" not in told
        return
    assert cell.code.name in told
    stalled = [each["reason"] for each in seen.told if each["type"] == "Stalled"]
    ready = {each["reason"] for each in seen.told if each["type"] == "Ready" and each["status"] == "False"}
    reason = handling.reason or cell.code.name
    if handling.blocking and cell.place is Place.DELETE:
        assert "DeletionBlocked" in ready
    elif handling.blocking:
        assert reason in stalled
        assert reason in ready
    else:
        assert not stalled
        assert ready & ({"Deleting"} if cell.place is Place.DELETE else {reason})
    if handling.blocking:
        assert "AzureIdentity codes" in told or "{identity}" not in cell.code.next_step


def asked_in(cell: Cell, seen: Seen) -> list[Manifest]:
    """The requests that the fault looks at."""
    return seen.sent(*cell.fault)


def struck_by(cell: Cell, seen: Seen) -> list[Manifest]:
    """The requests that met the error, or whose operation did: of a lasting one all but the last, which is after it."""
    asked = asked_in(cell, seen)
    if cell.place is Place.OPERATION:
        taken = [each for each in asked if each["status"] in {200, 201}]
        return taken[:-1] if cell.lasting else taken[:STRIKES]
    return [each for each in asked if each["code"] == cell.code.name and each["status"] == cell.code.status]


def what_is_sent(cell: Cell, seen: Seen) -> None:
    asked, struck = asked_in(cell, seen), struck_by(cell, seen)
    assert struck, "the error was met"
    if cell.asks_twice:
        struck = struck[::2]
    if cell.place is Place.GET and cell.code.absent:
        first = at(struck[0])
        assert not [each for each in seen.sent("PUT", "/") if first < at(each) < at(struck[-1])], "no write in the dark"
    shortest = cell.code.handling.shortest
    if cell.code.error_class is ErrorClass.THROTTLED and cell.place is not Place.OPERATION:
        # The header said one second; a client that counted in the clock's seconds would be back twenty times as soon.
        shortest = SPEED / JITTER
    # What an operation has left behind is repaired at once.
    skipped = 1 if cell.place is Place.OPERATION else 0
    gaps = [at(later) - at(sooner) for sooner, later in pairwise(struck[skipped:])]
    if cell.place is not Place.GET and not cell.gone:
        assert all(gap > shortest * JITTER / SPEED * 0.9 for gap in gaps), gaps
    lasted = at(struck[-1]) - at(struck[0])
    assert len(struck) <= 12 + 2 * lasted, "no hot loop"
    if not cell.lasting and not cell.gone and cell.place in {Place.PUT, Place.DELETE}:
        assert len(struck) == STRIKES
        assert len(asked) == STRIKES + 1, "and once more, with success"


def test_no_secret_and_no_signed_url_is_in_any_log_status_or_event(run: Run) -> None:
    everything = [run.log, run.events, run.objects, *(texts(seen.told) for seen in run.seen.values())]
    assert len(run.log) > 10_000, "the log was watched"
    assert "SIGNED-SECRET" in MESSAGE
    assert len(run.client_secret) > 10
    for text in everything:
        assert "SIGNED-SECRET" not in text
        assert "&s=" not in text
        assert "Bearer " not in text
        assert "eyJ" not in text, "how a token begins"
        assert run.client_secret not in text


def test_log_lines_and_events_name_the_correlation_id_of_the_requests(run: Run) -> None:
    lines = [line for line in run.log.splitlines() if ".change_run " in line or ".change_requests " in line]
    named = {line.partition("[")[2].partition("]")[0] for line in lines}
    assert len(run.correlations) >= len([cell for cell in CELLS if cell.place is Place.PUT])
    assert run.correlations <= named, "every write is of a pass that the log names"
    events = json.loads(run.events)["items"]
    done = {each["metadata"]["annotations"][ANNOTATION] for each in events if each["reason"] == "Created"}
    assert done
    assert done <= run.correlations
    assert done <= named
