"""One cell for each code and each kind of place where it can come: what is sent, and what was seen of it."""

import asyncio
import re
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from arm_emulator.client import ControlClient
from bastion_operator.arm.error_classes import ErrorClass
from bastion_operator.arm.error_codes import CODES, ErrorCode, Place
from bastion_operator.reconcile.keys import Key, Kind
from tests.faults.struck_resources import StruckResource, struck_part
from tests.support.operator_in_process import Manifest, Passes

# A passing error strikes so often, a lasting one until it is healed.
STRIKES = 2
MESSAGE = "Struck by rule, see https://management.azure.com/x/operations/0a-1b?t=1&s=SIGNED-SECRET&h=2."
_NAMES = uuid.UUID("0a1b2c3d-0000-4000-8000-00000000000a")


@dataclass(frozen=True, slots=True)
class Cell:
    """One code at one place, in a subscription of its own: throttling there is no other cell's affair."""

    place: Place
    code: ErrorCode

    @property
    def name(self) -> str:
        return f"{self.place.value}-{self.code.name}".lower()

    @property
    def subscription(self) -> str:
        return str(uuid.uuid5(_NAMES, self.name))

    @property
    def resource(self) -> StruckResource:
        """What is made and deleted, and which of its writes the error strikes."""
        return StruckResource(self.subscription, struck_part(self.code, self.place))

    @property
    def key_kind(self) -> Kind:
        return self.resource.kind

    @property
    def lasting(self) -> bool:
        """Whether it goes on until it is healed: what is told at once is seen while it lasts."""
        return self.code.handling.told_after == 0 and not self.gone

    @property
    def gone(self) -> bool:
        """Whether Azure says by it that there is nothing."""
        return self.code.absent and self.place in {Place.GET, Place.DELETE}

    @property
    def asks_twice(self) -> bool:
        """A 401 is answered by the same request with another token."""
        return self.code.status == 401 and self.place is not Place.OPERATION

    @property
    def fault(self) -> tuple[str, str]:
        """Method and part of the URL of what is struck."""
        if self.place is Place.GET:
            return "GET", self.resource.read
        return "DELETE" if self.place is Place.DELETE else "PUT", self.resource.written

    def action(self) -> Manifest:
        if self.place is Place.OPERATION:
            return {"fail_operation": {"code": self.code.name, "message": MESSAGE}}
        headers = {"Retry-After": "1"} if self.code.error_class is ErrorClass.THROTTLED else {}
        return {"error": {"status": self.code.status, "code": self.code.name, "message": MESSAGE, "headers": headers}}

    def estate(self) -> list[Manifest]:
        row = {"id": f"/subscriptions/{self.subscription}", "type": "Microsoft.Resources/subscriptions"}
        return [row | {"subscriptionId": self.subscription, "name": self.name}, *self.resource.networks()]

    def spec(self) -> Manifest:
        return self.resource.spec()


@dataclass
class Seen:
    """What happened in a cell.

    :ivar told: every condition that was seen while the error struck, or had just struck
    :ivar over: when all had ended, in seconds since the epoch
    """

    ended: str = "not begun"
    told: list[Manifest] = field(default_factory=list)
    requests: list[Manifest] = field(default_factory=list)
    over: float = 0.0

    def sent(self, method: str, part: str) -> list[Manifest]:
        return [each for each in self.requests if each["method"] == method and part in each["url"]]


def cells() -> list[Cell]:
    """Every code at every place where a resource of Azure can answer with it."""
    places = (Place.PUT, Place.GET, Place.DELETE, Place.OPERATION)
    return [Cell(place, code) for place in places for code in CODES.values() if place in code.places]


async def run_cell(passes: Passes, control: ControlClient, cell: Cell, seen: Seen) -> None:
    """Let the error strike, look at what is told, heal it, and wait for the end that was asked for."""
    try:
        await _run(passes, control, cell, seen)
        seen.ended, seen.over = "well", time.time()
    except AssertionError as error:
        seen.ended = f"{error}; {passes.seen.get(Key(cell.key_kind, passes.namespace, cell.name), {}).get('status')}"


async def _run(passes: Passes, control: ControlClient, cell: Cell, seen: Seen) -> None:
    if cell.place is Place.DELETE:
        key = await passes.create(cell.key_kind, cell.name, cell.spec())
        await passes.wait("it is made", lambda: passes.reads(key, "Ready", "True"))
        passes.history[key] = []
        fault = await _strike(control, cell)
        await passes.delete(key)
    else:
        fault = await _strike(control, cell)
        key = await passes.create(cell.key_kind, cell.name, cell.spec())
    if cell.lasting or (cell.gone and cell.place is Place.GET):
        expected = "Stalled" if cell.code.handling.blocking or cell.gone else "Ready"
        status = "True" if expected == "Stalled" else "False"

        def told() -> bool:
            found = passes.reads(key, expected, status)
            return found is not None and (cell.gone or cell.code.name in found["message"])

        await passes.wait("it is told", told)
        # One more look, so that a hot loop would show.
        await asyncio.sleep(0.5)
        seen.told = list(passes.told(key))
        await control.remove_fault(fault)
        if cell.place is Place.DELETE or cell.code.handling.blocking or cell.gone:
            await passes.ask_now(key, "healed")
    if cell.place is Place.DELETE:
        await passes.wait("it is let go", lambda: key not in passes.seen)
        seen.told = seen.told or list(passes.told(key))
        return
    await passes.wait("it is made in the end", lambda: passes.reads(key, "Ready", "True"))
    seen.told = seen.told or list(passes.told(key))


async def _strike(control: ControlClient, cell: Cell) -> str:
    method, part = cell.fault
    count = 0 if cell.lasting or (cell.gone and cell.place is Place.GET) else STRIKES
    return await control.add_fault(
        cell.action(), method=method, url=f"/subscriptions/{cell.subscription}/.*{re.escape(part)}", count=count
    )


def sort_requests(log: Iterable[Manifest], results: dict[Cell, Seen]) -> None:
    """Give each cell the requests that went to its subscription."""
    by_subscription = {cell.subscription: seen for cell, seen in results.items()}
    for entry in log:
        subscription = entry["url"].partition("/subscriptions/")[2][:36]
        if subscription in by_subscription:
            by_subscription[subscription].requests.append(entry)


def texts(conditions: Iterable[dict[str, Any]]) -> str:
    """All that was told, in one text."""
    return "\n".join(f"{each['type']} {each['status']} {each['reason']}: {each['message']}" for each in conditions)
