"""Two sets of verdicts side by side: which VMs gain or lose reachability, and why."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bastion_operator.network.arm_id import normalise_id
from bastion_operator.network.reachability import Reachability, Verdict


class Turn(StrEnum):
    """What becomes of a VM's reachability."""

    LOST = "Lost"
    GAINED = "Gained"
    CHANGED = "Changed"
    NEW = "New"
    GONE = "Gone"


@dataclass(frozen=True, slots=True)
class Compared:
    """A VM and protocol before and after; None where it is not there."""

    before: Verdict | None
    after: Verdict | None

    @property
    def turn(self) -> Turn:
        """Lost counts whatever was Reachable and is not any more, for whatever reason."""
        if self.before is None:
            return Turn.NEW
        if self.after is None:
            return Turn.GONE
        was, will_be = (each.verdict is Reachability.REACHABLE for each in (self.before, self.after))
        return Turn.CHANGED if was == will_be else Turn.LOST if was else Turn.GAINED

    @property
    def shown(self) -> Verdict:
        """The later of the two."""
        verdict = self.after or self.before
        assert verdict is not None
        return verdict


def compare_verdicts(before: Iterable[Verdict], after: Iterable[Verdict]) -> list[Compared]:
    """What differs in verdict, Bastion, way, methods or reasons; losses first, then by VM."""
    old, new = _by_question(before), _by_question(after)
    pairs = (Compared(old.get(key), new.get(key)) for key in sorted(old.keys() | new.keys()))
    order = {turn: place for place, turn in enumerate(Turn)}
    return sorted((pair for pair in pairs if _differs(pair)), key=lambda pair: order[pair.turn])


def losses(compared: Sequence[Compared]) -> list[Compared]:
    """Those that lose reachability; a VM that is deleted has nothing to lose."""
    return [each for each in compared if each.turn is Turn.LOST]


def _by_question(verdicts: Iterable[Verdict]) -> dict[tuple[str, str, int], Verdict]:
    return {(normalise_id(each.vm), each.protocol.value, each.port): each for each in verdicts}


def _differs(pair: Compared) -> bool:
    if pair.before is None or pair.after is None:
        return True
    return _essence(pair.before) != _essence(pair.after)


def _essence(verdict: Verdict) -> tuple[object, ...]:
    bastion = None if verdict.bastion is None else normalise_id(verdict.bastion)
    reasons = tuple((reason.code, (reason.resource or "").lower()) for reason in verdict.reasons)
    return verdict.verdict, bastion, verdict.via, verdict.methods, reasons
