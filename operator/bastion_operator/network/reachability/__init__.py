"""Whether Azure Bastion reaches a VM, how, and every reason if not: pure functions over an inventory.

``judge`` answers for one VM, ``judge_all`` for many; docs/reachability.md gives the rules with their sources.
"""

from bastion_operator.network.reachability.evaluation import Evaluation
from bastion_operator.network.reachability.judge import UnknownVirtualMachineError, judge, judge_all
from bastion_operator.network.reachability.standing import StandingVerdicts, Turn
from bastion_operator.network.reachability.verdict import (
    DEFAULT_PORTS,
    Candidate,
    Method,
    Protocol,
    Reachability,
    Verdict,
    Via,
)

__all__ = [
    "DEFAULT_PORTS",
    "Candidate",
    "Evaluation",
    "Method",
    "Protocol",
    "Reachability",
    "StandingVerdicts",
    "Turn",
    "UnknownVirtualMachineError",
    "Verdict",
    "Via",
    "judge",
    "judge_all",
]
