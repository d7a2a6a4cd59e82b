"""What a look at the VMs that a BastionHost is meant to reach has found: what its conditions and counts are made of."""

from collections.abc import Sequence
from dataclasses import dataclass

from bastion_operator.api.bastion_host import VerdictCounts
from bastion_operator.api.conditions import Reason
from bastion_operator.network.access import AccessVerdict
from bastion_operator.network.reachability.verdict import Verdict
from bastion_operator.planning.conditions import Refusal

_NOTHING = VerdictCounts()
_NOT_READ = Refusal(Reason.VERDICTS_UNKNOWN, "the inventory could not be read yet")


@dataclass(frozen=True, slots=True)
class TargetFindings:
    """The verdicts, and what keeps them from being all.

    :ivar verdicts: None where there is no inventory to go by; ``blind`` then says why
    :ivar hidden: why some of the VMs may not be among them: a subscription that Azure does not show
    :ivar access: what each principal of ``spec.access`` may do with each VM
    """

    verdicts: Sequence[Verdict] | None = None
    counts: VerdictCounts = _NOTHING
    blind: Refusal = _NOT_READ
    hidden: Refusal | None = None
    access: Sequence[AccessVerdict] = ()
