"""Killing the operator at chosen writes, and what must be the same afterwards."""

import asyncio
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from arm_emulator.client import ControlClient, canonical
from bastion_operator.planning.ownership import UID_TAG
from tests.support.lab import Lab

BEFORE, AFTER = "before", "after"


@dataclass(frozen=True, slots=True)
class Boundary:
    """The moment just before or just after Azure carries out one write."""

    method: str
    path: str
    side: str


@dataclass(frozen=True, slots=True)
class WorldState:
    """What a run leaves: Azure without GUIDs, etags and times, and every condition without its times and texts."""

    azure: dict[str, dict[str, Any]]
    conditions: dict[str, list[tuple[str, str, str]]]


def world(lab: Lab) -> WorldState:
    """The state of the lab now."""
    resources = lab.azure.resources()
    conditions = {
        f"{item['kind']}/{item['metadata']['name']}": sorted(
            (condition["type"], condition["status"], condition["reason"])
            for condition in item.get("status", {}).get("conditions", [])
        )
        for item in lab.objects("bh,vnp")
    }
    bodies = canonical(list(resources.values()))
    return WorldState({body["id"].lower(): comparable(body) for body in bodies}, conditions)


def comparable(value: Any) -> Any:
    """A body without the order in which parts were made, and without the UID of a custom resource that was applied anew."""
    if isinstance(value, dict):
        return {name: comparable(inner) for name, inner in value.items() if name != UID_TAG}
    if isinstance(value, list):
        return sorted((comparable(inner) for inner in value), key=str)
    return value


def was_taken(status: int) -> bool:
    """Whether Azure carried the request out; 0 stands for one that was lost on its way."""
    return 200 <= status < 300


def boundaries(writes: list[tuple[str, str, int]]) -> list[Boundary]:
    """Both sides of every write that Azure took, in the order of the request log."""
    taken = list(dict.fromkeys((method, path) for method, path, status in writes if was_taken(status)))
    return [Boundary(method, path, side) for method, path in taken for side in (BEFORE, AFTER)]


def run_with_kills(
    lab: Lab, at: list[Boundary], begin: Callable[[], object], ended: Callable[[], bool], *, seconds: float = 240.0
) -> int:
    """``begin``, then kill -9 the operator whenever it is at one of the boundaries, start it again, until ``ended``.

    A write that was held before the act never reached Azure; of one held after it the answer never reached the
    operator. Returns the number of kills. Raises AssertionError if a boundary was not met or the end not reached.
    """
    return asyncio.run(_run_with_kills(lab, at, begin, ended, seconds))


async def _run_with_kills(
    lab: Lab, at: list[Boundary], begin: Callable[[], object], ended: Callable[[], bool], seconds: float
) -> int:
    kills = 0
    deadline = time.monotonic() + seconds
    async with lab.azure.control() as control:
        faults = {await _hold(control, at, boundary): boundary for boundary in at}
        # Not before all are in place: the operator's first writes come within milliseconds.
        await asyncio.to_thread(begin)
        try:
            while time.monotonic() < deadline:
                if held := await control.held():
                    lab.operator.kill()
                    kills += 1
                    for request in held:
                        # Held before the act, it is lost on its way; held after it, only its answer is.
                        await control.release(request["fault"], act=request["side"] == AFTER)
                    await asyncio.to_thread(lab.operator.start)
                fired = {one["id"] for one in await control.faults() if one["fired"]}
                if fired == set(faults) and await asyncio.to_thread(ended):
                    return kills
                await asyncio.sleep(0.02)
            unmet = [faults[one["id"]] for one in await control.faults() if not one["fired"]]
            raise AssertionError(f"not ended within {seconds:.0f} s; boundaries not met: {unmet}\n{lab.describe()}")
        finally:
            await control.remove_faults()


async def _hold(control: ControlClient, at: list[Boundary], boundary: Boundary) -> str:
    # Where a write is met on both sides, it is held before the act the first time and after it the second.
    both = boundary.side == AFTER and Boundary(boundary.method, boundary.path, BEFORE) in at
    return await control.add_fault(
        {"hold": boundary.side},
        method=boundary.method,
        url=f"(?i){re.escape(boundary.path)}\\?",
        principal="operator",
        nth=2 if both else 1,
    )
