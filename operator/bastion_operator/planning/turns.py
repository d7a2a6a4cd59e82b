"""VMs whose verdict turned since the last look, for Events.

VMs that are only stopped turn nothing: estates are shut down at night. Nor do those whose Bastion is not there, or at work:
the host's own conditions tell that, once for all.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from bastion_operator.api.reachability_report import ReportRow, Verdict
from bastion_operator.network.codes import CODES

MAX_TOLD = 10
"""Turns that are told one by one in a pass; more than these are told by their number."""
_STOPPED = "VMNotRunning"
_HOST_STEP = 1
_HOST_CODES = frozenset(code.name for code in CODES.values() if code.step == _HOST_STEP)

Asked = tuple[str, str, int]
"""What a row is about: the VM's id in lower case, protocol and port."""


class Standing(StrEnum):
    """How a VM stands: its verdict, or that it is only stopped."""

    REACHABLE = "Reachable"
    UNREACHABLE = "Unreachable"
    UNKNOWN = "Unknown"
    STOPPED = "Stopped"


@dataclass(frozen=True, slots=True)
class Turn:
    """One row of a report whose verdict is another than before."""

    row: ReportRow
    standing: Standing

    @property
    def note(self) -> str:
        """The turn in words: which VM, and what to mend first."""
        asked = f"{self.row.vm} by {self.row.protocol} on port {self.row.port}"
        if not self.row.reasons:
            return f"{asked} can be reached now"
        first = self.row.reasons[0]
        return f"{asked} is {self.standing} now: {first.code}: {first.message}"


def standings(
    rows: Iterable[ReportRow], before: Mapping[Asked, Standing] = MappingProxyType({})
) -> dict[Asked, Standing]:
    """How each row stands; as before where the host itself is what is in the way."""
    found: dict[Asked, Standing] = {}
    for row in rows:
        asked = _asked(row)
        now = before.get(asked) if _is_the_hosts(row) else _standing(row)
        if now is not None:
            found[asked] = now
    return found


def turns(before: Mapping[Asked, Standing], rows: Iterable[ReportRow]) -> list[Turn]:
    """The rows that turned, unreachable ones first. One that was not there before, or only starts or stops, did not."""
    found = []
    for row in rows:
        known, now = before.get(_asked(row)), _standing(row)
        if known is None or known is now or now is Standing.STOPPED or _is_the_hosts(row):
            continue
        if known is Standing.STOPPED and now is Standing.REACHABLE:
            continue
        found.append(Turn(row, now))
    order = [Standing.UNREACHABLE, Standing.UNKNOWN, Standing.REACHABLE]
    return sorted(found, key=lambda turn: (order.index(turn.standing), turn.row.vm.lower(), turn.row.protocol))


def rest_of(told: Iterable[Turn]) -> str:
    """Turns that are too many to be told one by one, as one note."""
    numbers = Counter(turn.standing for turn in told)
    parts = ", ".join(f"{number} to {standing}" for standing, number in sorted(numbers.items()))
    return f"{sum(numbers.values())} more verdicts turned ({parts}): the ReachabilityReports have them all"


def _asked(row: ReportRow) -> Asked:
    return row.vm.lower(), row.protocol, row.port


def _is_the_hosts(row: ReportRow) -> bool:
    return any(reason.code in _HOST_CODES for reason in row.reasons)


def _standing(row: ReportRow) -> Standing:
    only_stopped = bool(row.reasons) and all(reason.code == _STOPPED for reason in row.reasons)
    return Standing.STOPPED if only_stopped and row.verdict is Verdict.UNREACHABLE else Standing(row.verdict.value)
