"""An opinion as the codes that verdicts on Bastion are given in, with the rule to blame."""

from dataclasses import dataclass

from arm_emulator.evaluation.links import OPEN
from arm_emulator.evaluation.reach import Opinion, Step

CODES = {
    "BastionSubnet": "BastionNsgDenies",
    "SecurityAdmin": "SecurityAdminDenies",
    "TargetSubnet": "SubnetNsgDenies",
    "TargetInterface": "NicNsgDenies",
}
PARTIAL = "NsgPartiallyBlocksBastion"
DIVERTED = "ReturnRouteDiverted"


@dataclass(frozen=True, slots=True)
class Reason:
    """A code; the resource, rule and priority are those of what decides for the lowest address that does not get through."""

    code: str
    resource: str | None = None
    rule: str | None = None
    priority: int | None = None


def reasons(found: Opinion) -> list[Reason]:
    """The faults in the order of the way: peering, Bastion's subnet, admin rules, target subnet, interface, route back."""
    listed = [Reason(code) for code in found.topology]
    for step, otherwise in zip(found.steps, found.otherwise, strict=True):
        reason, other = _of_step(step), _of_step(otherwise)
        if (reason and reason.code) != (other and other.code):
            reason = Reason(OPEN, step.resource)
        listed += [] if reason is None else [reason]
    if found.diverted is not None:
        listed.append(Reason(DIVERTED, found.diverted.table, found.diverted.name))
    return listed


def _of_step(step: Step) -> Reason | None:
    denied, blocked = step.addresses("Deny"), step.addresses("Deny", "Partial")
    unknown = step.addresses("Unknown")
    if not blocked:
        return Reason(OPEN, step.resource) if unknown else None
    all_denied = len(denied) == len(step.outcomes)
    # Partly is a group's word only: where an admin rule denies an address, it is the rule that stands in the way.
    code = CODES[step.name] if all_denied or step.name == "SecurityAdmin" else PARTIAL
    rule = step.outcomes[blocked[0]].rule
    assert rule is not None
    return Reason(code, step.resource or rule.resource, rule.name, rule.priority)
