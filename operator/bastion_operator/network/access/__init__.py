"""Who may connect through Bastion: roles of principals against what Azure asks of them. Pure, as all of network/."""

from bastion_operator.network.access.evaluation import (
    Access,
    AccessEvaluation,
    AccessVerdict,
    Lack,
    Principal,
    with_access,
)

__all__ = ["Access", "AccessEvaluation", "AccessVerdict", "Lack", "Principal", "with_access"]
