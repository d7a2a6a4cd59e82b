"""Stories side by side in one operator, each with a fault in every phase; and what was seen of it."""

import asyncio
import contextlib
import json
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from arm_emulator.client import ControlClient
from bastion_operator.log import LOG_FORMAT, mark
from bastion_operator.reconcile.keys import Kind
from dev.control_plane import ControlPlane
from dev.local_azure import LocalAzure
from tests.faults.fault_cells import CALLS, Call, Cell, Row
from tests.faults.story import Phase, Story, estate, subscription_of, template_of
from tests.support.api_connection import ApiConnection
from tests.support.azure import Wire
from tests.support.operator_in_process import Manifest, Passes, make_identity, passes_at_work

SPEED = 50.0
# Real seconds after which the operator takes an answer for lost.
REQUEST_TIMEOUT = 2.0
PHASE_SECONDS = 60.0
# Names of one length: Azure cuts descriptions.
CLEAN = "story-clean"
KINDS = (Kind.BASTION_HOST, Kind.VNET_PEERING)


@dataclass
class Seen:
    """What became of a cell: how it ended, whether the fault was met, and every condition that was told meanwhile."""

    cell: Cell
    ended: str = "not begun"
    met: bool = False
    told: list[Manifest] = field(default_factory=list)


@dataclass
class StoryRuns:
    """Runs of the story in one operator.

    :ivar calls: the calls of the undisturbed story, phase by phase
    :ivar trouble: what the undisturbed story itself did not do as it must
    :ivar writes: templates of the ids that the operator wrote to
    :ivar leaked: tasks that were left when the operator had ended, and how many more files are open than before
    :ivar text: everything that was logged or told
    """

    seen: list[Seen] = field(default_factory=list)
    calls: dict[Phase, set[Call]] = field(default_factory=dict)
    trouble: str = ""
    writes: set[str] = field(default_factory=set)
    leaked: tuple[list[str], int] = ([], 0)
    text: str = ""
    client_secret: str = ""


async def run_stories(control_plane: ControlPlane, folder: Path, namespace: str, rows: Sequence[Row]) -> StoryRuns:
    """Each row in a story of its own, all side by side, with one beside them that nobody disturbs.

    Their AzureIdentity is named after the namespace.
    """
    runs = StoryRuns()
    stories = {f"story-{number:05}": row for number, row in enumerate(rows)}
    file = folder / "stories.json"
    file.write_text(json.dumps([each for name in (CLEAN, *stories) for each in estate(name)]))
    azure = LocalAzure(folder, estates=[file], speed=1000, options=["--graph-lag=0", "--no-throttling"])
    azure.start()
    runs.client_secret = azure.clients["operator"].client_secret
    before, files = asyncio.all_tasks(), open_files()
    try:
        with logged() as lines:
            async with (
                passes_at_work(
                    control_plane, azure, namespace, speed=SPEED, kinds=KINDS, request_timeout=REQUEST_TIMEOUT
                ) as passes,
                Wire(azure) as wire,
                azure.control() as control,
            ):
                await make_identity(passes, namespace, map(subscription_of, (CLEAN, *stories)))
                await _tell(passes, wire, control, stories, runs)
                written = [each for each in await control.audit() if each["principal"] == "operator"]
                runs.writes = {template_of_id(str(each["id"]), (CLEAN, *stories)) for each in written}
        left = sorted(task.get_name() for task in asyncio.all_tasks() - before)
        runs.leaked = (left, open_files() - files)
        events = control_plane.kubectl("get", "events", "-n", namespace, "-o", "json")
        runs.text = "\n".join([*lines, events, *(json.dumps(each.told) for each in runs.seen)])
    finally:
        azure.kill()
        with contextlib.closing(ApiConnection(control_plane)) as api:
            api.remove(f"/apis/azurebastion.dev/v1beta1/azureidentities/{namespace}")
    return runs


async def _tell(
    passes: Passes, wire: Wire, control: ControlClient, stories: Mapping[str, Row], runs: StoryRuns
) -> None:
    loop = asyncio.get_running_loop()
    expected: dict[Phase, asyncio.Future[str]] = {phase: loop.create_future() for phase in Phase}
    clean = asyncio.create_task(_undisturbed(Story(passes, wire, CLEAN, passes.namespace), expected, runs))
    await asyncio.gather(
        *(
            disturbed(Story(passes, wire, name, passes.namespace), control, row, expected, runs)
            for name, row in stories.items()
        )
    )
    await clean


async def _undisturbed(story: Story, expected: Mapping[Phase, "asyncio.Future[str]"], runs: StoryRuns) -> None:
    """The story as it must go; it tells all others what each phase leaves."""
    known, read = {Phase.DELETE: await story.state()}, 0
    try:
        for phase in Phase:
            await story.begin(phase)
            left = await story.end(phase, known.get(phase), seconds=PHASE_SECONDS)
            # Ready as it was before: only Azure shows that somebody's damage is repaired.
            known[Phase.REPAIR] = left
            log = story.passes.azure.request_log()
            runs.calls[phase] = _calls_of(story, log[read:])
            read = len(log)
            expected[phase].set_result(left)
    except AssertionError as error:
        runs.trouble = str(error)
    finally:
        for future in expected.values():
            if not future.done():
                future.set_result("the undisturbed story did not come so far")


def _calls_of(story: Story, log: Sequence[Manifest]) -> set[Call]:
    paths = {
        (entry["method"], entry["url"].partition("/subscriptions/")[2].partition("?")[0].lower())
        for entry in log
        if entry["principal"] == "operator" and story.subscription in entry["url"]
    }
    calls = {Call(method, template_of(path, story.name)) for method, path in paths}
    # The AzureIdentity looks into what it may do at its own pace, in whatever phase that falls.
    return calls - {OF_THE_IDENTITY}


async def disturbed(
    story: Story,
    control: ControlClient,
    row: Row,
    expected: Mapping[Phase, "asyncio.Future[str]"],
    runs: StoryRuns,
    *,
    seconds: float = PHASE_SECONDS,
) -> None:
    """The story with a fault in every phase for which the row has one. What becomes of each is added to ``runs.seen``."""
    every = {phase: Seen(cell) for phase, cell in row.items()}
    runs.seen += every.values()
    for phase in Phase:
        seen = every.get(phase)
        for key in story.keys:
            story.passes.history[key] = []
        fault = await strike(control, seen.cell, story.name) if seen is not None else None
        try:
            await story.begin(phase)
            await story.end(phase, await expected[phase], seconds=seconds)
        except AssertionError as error:
            if seen is not None:
                seen.ended = str(error)
            return
        finally:
            if seen is not None and fault is not None:
                seen.met = any(each["id"] == fault and each["fired"] for each in await control.faults())
                seen.told = [each for key in story.keys for each in story.passes.told(key)]
                await control.remove_fault(fault)
        if seen is not None:
            seen.ended = "well"


async def strike(control: ControlClient, cell: Cell, story: str) -> str:
    """Let the fault meet the first such call of this story; returns its id."""
    return await control.add_fault(
        dict(cell.fault.action), method=cell.call.method, url=cell.call.pattern(story), principal="operator"
    )


def template_of_id(resource_id: str, names: Sequence[str]) -> str:
    """An id as ``template_of`` has it; that of none of these stories as it is."""
    text = resource_id.lower().partition("/subscriptions/")[2]
    owner = next((name for name in names if subscription_of(name) in text), None)
    return text if owner is None else template_of(text, owner)


OF_THE_IDENTITY = Call("GET", "@/providers/microsoft.authorization/permissions")
OWN = frozenset(call.path for calls in CALLS.values() for call in calls if call.method != "GET")
"""What the operator may write to."""


@contextmanager
def logged() -> Iterator[list[str]]:
    """What the program logs meanwhile, as it logs it."""
    lines: list[str] = []

    class _Lines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    handler = _Lines(logging.INFO)
    handler.setFormatter(logging.Formatter(LOG_FORMAT))
    handler.addFilter(mark)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    # As the program sets it.
    logging.getLogger("azure").setLevel(logging.WARNING)
    try:
        yield lines
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


def open_files() -> int:
    """File descriptors of this process, sockets included."""
    return psutil.Process(os.getpid()).num_fds()
