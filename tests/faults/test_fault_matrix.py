"""Every call to Azure of a hub's life, met by every kind of fault: it ends as asked for, and nothing else is touched.

In `make test` a tenth of the matrix that a seed chooses, in `make test-long` all of it. `FAULT_SEED=n` repeats a choice.
"""

import os
import random
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dev.control_plane import ControlPlane
from tests.faults.fault_cells import CALLS, SOMETIMES, Cell, matrix, rows
from tests.faults.story_runs import OWN, Seen, StoryRuns, run_stories

CELLS = 720
# Runs of the story side by side, each with a cell in every phase: in `make test` once, a tenth of the matrix.
AT_ONCE = 12
Figure = Callable[[str], None]


def seed() -> int:
    """The day, unless FAULT_SEED says otherwise."""
    return int(os.environ.get("FAULT_SEED") or datetime.now(UTC).toordinal())


def test_the_matrix_has_every_call_and_every_kind_of_fault() -> None:
    every = matrix()
    assert len(every) == len(set(every)) == CELLS
    names = {cell.fault.name.partition("-")[0] for cell in every}
    assert names == {"answer", "operation", "reset", "timeout"}


async def test_a_tenth_of_the_matrix_that_the_day_chooses(
    control_plane: ControlPlane, crds_served: None, namespace: str, tmp_path: Path, figure: Figure
) -> None:
    del crds_served
    chosen = rows(matrix(), random.Random(seed()))[:AT_ONCE]
    runs = await run_stories(control_plane, tmp_path, namespace, chosen)
    figure(f"fault matrix: {len(runs.seen)} of {CELLS} cells, FAULT_SEED={seed()}")
    check(runs)
    assert len(runs.seen) >= CELLS // 10


@pytest.mark.long
@pytest.mark.timeout(5400)
async def test_all_of_the_matrix(
    control_plane: ControlPlane, crds_served: None, namespace: str, tmp_path: Path, figure: Figure
) -> None:
    del crds_served
    every = rows(matrix(), random.Random(seed()))
    done, wrong = 0, []
    for start in range(0, len(every), AT_ONCE):
        folder, own = tmp_path / str(start), f"{namespace}-{start}"
        folder.mkdir()
        control_plane.kubectl("create", "namespace", own)
        runs = await run_stories(control_plane, folder, own, every[start : start + AT_ONCE])
        done += len(runs.seen)
        try:
            check(runs)
        except AssertionError as error:
            # What is wrong in one part hides nothing of the next.
            wrong.append(f"from run {start}: {error}")
    figure(f"fault matrix: {done} of {CELLS} cells, FAULT_SEED={seed()}")
    assert not wrong, "\n\n".join(wrong)
    assert done == CELLS


def check(runs: StoryRuns) -> None:
    """What must be so after any number of cells."""
    assert runs.trouble == "", runs.trouble
    assert not {
        (phase, "seen" if call in runs.calls[phase] else "not seen", call)
        for phase, calls in CALLS.items()
        for call in (runs.calls[phase] ^ set(calls)) - SOMETIMES.get(phase, frozenset())
    }
    assert not bad(runs), f"FAULT_SEED={seed()}\n" + "\n\n".join(bad(runs))
    assert not [text for seen in runs.seen if (text := untrue(seen))]
    assert runs.writes <= OWN, "nothing of others was written to"
    assert runs.leaked[0] == []
    assert runs.leaked[1] <= 0
    for secret in ("SIGNED-SECRET", "&s=", "Bearer ", "eyJ", runs.client_secret):
        assert secret not in runs.text
    assert "Traceback" not in runs.text


def bad(runs: StoryRuns) -> list[str]:
    """The cells that did not end as asked for, or whose fault was not met."""
    ended = [f"{seen.cell}: {seen.ended}" for seen in runs.seen if seen.ended != "well"]
    return [*ended, *(f"{seen.cell}: not met" for seen in runs.seen if seen.ended == "well" and not seen.met)]


def untrue(seen: Seen) -> str:
    """What was told and is not so: that a person must act where nobody must, or another reason than the one that there is."""
    cell: Cell = seen.cell
    code = cell.fault.code if cell.fault.blocking else None
    stalled = [each for each in seen.told if each["type"] == "Stalled"]
    # A host whose operation has failed reads so until the same request was sent once more.
    failed = {"ProvisioningFailed"} if cell.fault.name.startswith("operation-") else set()
    wrong = [
        each["message"]
        for each in stalled
        if each["reason"] not in failed and (code is None or code.name not in each["message"])
    ]
    return f"{cell}: {wrong}" if wrong else ""
