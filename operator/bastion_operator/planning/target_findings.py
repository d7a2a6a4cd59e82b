"""What a look at the VMs that a BastionHost is meant to reach has found: what its conditions and counts are made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from bastion_operator.api.bastion_host import ReasonCount, UnreachableVM, VerdictCounts
from bastion_operator.api.conditions import Reason
from bastion_operator.network.access import AccessVerdict
from bastion_operator.network.finding import Finding, FindingClass
from bastion_operator.network.reachability.verdict import Verdict
from bastion_operator.planning.access import access_state
from bastion_operator.planning.conditions import Refusal, State
from bastion_operator.planning.verdict_rows import reason_counts, worst_first

# Codes of verdicts that a rule of a network security group is behind, by whose group it is.
SUBNET_RULE_CODES: Final = frozenset(
    {"BastionNsgMissingRule", "BastionNsgRuleShadowed", "BastionNsgDenies", "BastionNsgRowNotExplicit"}
)
TARGET_RULE_CODES: Final = frozenset({"SubnetNsgDenies", "NicNsgDenies", "NsgPartiallyBlocksBastion"})
_RULE_CODES: Final = SUBNET_RULE_CODES | TARGET_RULE_CODES
_STOPPED: Final = "VMNotRunning"

_NOTHING = VerdictCounts()
_NOT_READ = Refusal(Reason.VERDICTS_UNKNOWN, "the inventory could not be read yet")


@dataclass(frozen=True)
class TargetFindings:
    """The verdicts, and what keeps them from being all. Sums over them are worked out once, when they are first asked for.

    :ivar verdicts: None where there is no inventory to go by; ``blind`` then says why
    :ivar hidden: why some of the VMs may not be among them: a subscription that Azure does not show
    :ivar access: what each principal of ``spec.access`` may do with each VM
    """

    verdicts: Sequence[Verdict] | None = None
    counts: VerdictCounts = _NOTHING
    blind: Refusal = _NOT_READ
    hidden: Refusal | None = None
    access: Sequence[AccessVerdict] = ()

    def work_out(self) -> None:
        """Works out the sums now: of a hundred thousand verdicts each takes longer than an event loop may be kept."""
        _ = self.reason_counts, self.worst, self.rule_findings, self.access_state

    @cached_property
    def reason_counts(self) -> tuple[ReasonCount, ...]:
        """How many VMs each code keeps from being reached."""
        return reason_counts(self.verdicts or ())

    @cached_property
    def worst(self) -> tuple[UnreachableVM, ...]:
        """The VMs that cannot be reached, those with the most to mend first."""
        return worst_first(self.verdicts or ())

    @cached_property
    def rule_findings(self) -> Mapping[str, Sequence[Finding]]:
        """What security rules stand in the way, by code; each rule once.

        Of VMs that something else keeps from being reached as well, their groups are not: no rule there would help them.
        """
        found: dict[str, dict[tuple[str | None, str | None], Finding]] = {}
        for verdict in self.verdicts or ():
            codes = SUBNET_RULE_CODES if any(map(forbids, verdict.reasons)) else _RULE_CODES
            for item in (*verdict.reasons, *verdict.warnings):
                if item.code in codes:
                    found.setdefault(item.code, {}).setdefault((item.resource, item.rule), item)
        return {code: tuple(rules.values()) for code, rules in found.items()}

    @cached_property
    def access_state(self) -> State:
        """The condition AccessGranted, where somebody asks for it."""
        return access_state(self.access)


def forbids(reason: Finding) -> bool:
    """Whether a reason keeps a VM from being reached whatever rules let in; one that is only stopped can be started."""
    unreachable = reason.finding_class is FindingClass.UNREACHABLE
    return unreachable and reason.code != _STOPPED and reason.code not in TARGET_RULE_CODES
