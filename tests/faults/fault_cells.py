"""The fault matrix: every call of the story to Azure, phase by phase, met by every kind of fault that can meet it.

The calls are a table, and the story that nobody disturbs is compared with it: a call that is new has no cell yet, and fails.
"""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

from bastion_operator.arm.error_classes import ErrorClass
from bastion_operator.arm.error_codes import CODES, ErrorCode, Place
from tests.faults.story import Phase, subscription_of

MESSAGE = "Struck by rule, see https://management.azure.com/x/operations/0a-1b?t=1&s=SIGNED-SECRET&h=2."

_GROUP = "@/resourcegroups/net/providers/microsoft.network/"
OPERATIONS = "@/providers/microsoft.network/locations/westeurope/operations/*"
HOST, ADDRESS = f"{_GROUP}bastionhosts/$", f"{_GROUP}publicipaddresses/$-ip"
OWN_GROUP, CLOSED = f"{_GROUP}networksecuritygroups/$-nsg", f"{_GROUP}networksecuritygroups/closed"
HUB, SPOKE = f"{_GROUP}virtualnetworks/hub", f"{_GROUP}virtualnetworks/spoke"
SUBNET = f"{HUB}/subnets/azurebastionsubnet"
HALVES = (f"{HUB}/virtualnetworkpeerings/azurebastion-spoke-#", f"{SPOKE}/virtualnetworkpeerings/azurebastion-hub-#")
TARGET_RULE = f"{CLOSED}/securityrules/azurebastion-#-tcp-22"
CLIENTS_RULE = f"{OWN_GROUP}/securityrules/azurebastion-#-allowhttpsinbound"
_RIGHTS = "providers/microsoft.authorization/permissions"


@dataclass(frozen=True, slots=True)
class Call:
    """A request of the operator, with its path as ``template_of`` has it."""

    method: str
    path: str

    def pattern(self, story: str) -> str:
        """What the URLs of this call of one story look like."""
        own = {"@": subscription_of(story), "$": story, "#": "[0-9a-f]{16}", "*": "[0-9a-f-]{36}"}
        return "/subscriptions/" + "".join(own.get(each, each) for each in self.path) + r"(\?|$)"


def _calls(get: Iterable[str], put: Iterable[str] = (), delete: Iterable[str] = ()) -> tuple[Call, ...]:
    methods = (("GET", get), ("PUT", put), ("DELETE", delete))
    return tuple(Call(method, path) for method, paths in methods for path in paths)


CALLS: Mapping[Phase, tuple[Call, ...]] = {
    Phase.CREATE: _calls(
        (OPERATIONS, HOST, OWN_GROUP, CLOSED, ADDRESS, HUB, SPOKE, f"{HUB}/{_RIGHTS}", f"{SPOKE}/{_RIGHTS}"),
        (HOST, OWN_GROUP, ADDRESS, SUBNET, TARGET_RULE, *HALVES),
    ),
    Phase.UPDATE: _calls(
        (OPERATIONS, HOST, OWN_GROUP, ADDRESS, HUB, SPOKE),
        (HOST, OWN_GROUP, ADDRESS, CLIENTS_RULE, HALVES[1]),
        (f"{CLIENTS_RULE}-internet",),
    ),
    Phase.UPGRADE: _calls((OPERATIONS, HOST), (HOST,)),
    Phase.SCALE: _calls((OPERATIONS, HOST), (HOST,)),
    Phase.REPAIR: _calls((OPERATIONS, HOST, CLOSED, HUB, SPOKE), (HOST, TARGET_RULE, *HALVES), (HALVES[0],)),
    Phase.DELETE: _calls(
        (OPERATIONS, HOST, OWN_GROUP, CLOSED, ADDRESS, HUB, SPOKE),
        delete=(HOST, OWN_GROUP, ADDRESS, SUBNET, TARGET_RULE, *HALVES),
    ),
}
# While the link is broken nothing needs the rule for the VM: one that was made again before that was seen goes once more.
SOMETIMES: Mapping[Phase, frozenset[Call]] = {Phase.REPAIR: frozenset(_calls((), delete=(TARGET_RULE,)))}


@dataclass(frozen=True, slots=True)
class Fault:
    """What meets one call, once.

    :ivar code: the error that is answered, or with which the operation fails; None where there is no answer
    """

    name: str
    action: Mapping[str, Any] = field(hash=False)
    code: ErrorCode | None = None

    @property
    def blocking(self) -> bool:
        """Whether it waits for a person, who must then be told."""
        return self.code is not None and self.code.handling.blocking


_SILENT = (
    Fault("reset-before", {"reset": "before"}),
    Fault("reset-after", {"reset": "after"}),
    Fault("timeout-before", {"hold": "before"}),
    Fault("timeout-after", {"hold": "after"}),
)


def faults_of(method: str) -> tuple[Fault, ...]:
    """Every fault of a method: an answer of each class that it can get, an operation that fails with each, and no answer.

    A GET that says of something that stands that it is not there is no fault but a false statement, and the only proof of
    absence that there is: it is left out.
    """
    place = Place(method)
    answers = [_answered(code) for code in _one_of_each_class(place) if not (code.absent and place is Place.GET)]
    failures = [] if place is Place.GET else [_failing(code) for code in _one_of_each_class(Place.OPERATION, place)]
    return (*answers, *failures, *_SILENT)


def _one_of_each_class(*places: Place) -> list[ErrorCode]:
    """The first code of each class that can come at all of these places."""
    found: dict[ErrorClass, ErrorCode] = {}
    for code in CODES.values():
        if code.places.issuperset(places):
            found.setdefault(code.error_class, code)
    return list(found.values())


def _answered(code: ErrorCode) -> Fault:
    headers = {"Retry-After": "1"} if code.error_class is ErrorClass.THROTTLED else {}
    error = {"status": code.status, "code": code.name, "message": MESSAGE, "headers": headers}
    return Fault(f"answer-{code.name}", {"error": error}, code)


def _failing(code: ErrorCode) -> Fault:
    return Fault(f"operation-{code.name}", {"fail_operation": {"code": code.name, "message": MESSAGE}}, code)


@dataclass(frozen=True, slots=True)
class Cell:
    """One call of one phase, met by one fault."""

    phase: Phase
    call: Call
    fault: Fault

    def __str__(self) -> str:
        return f"{self.phase}: {self.call.method} {self.call.path}: {self.fault.name}"


def matrix() -> tuple[Cell, ...]:
    """Every cell, phase by phase."""
    return tuple(
        Cell(phase, call, fault) for phase, calls in CALLS.items() for call in calls for fault in faults_of(call.method)
    )


Row = Mapping[Phase, Cell]
"""The cells of one run of the story: one for each phase, as far as there are any left."""


def rows(cells: Sequence[Cell], rng: random.Random) -> list[Row]:
    """Cells put together to runs of the story, in an order that ``rng`` decides."""
    by_phase = [[cell for cell in cells if cell.phase is phase] for phase in Phase]
    for each in by_phase:
        rng.shuffle(each)
    return [{cell.phase: cell for cell in row if cell is not None} for row in zip_longest(*by_phase)]
