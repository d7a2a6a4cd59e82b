"""What would make a VM reachable: a fix for each reason, as data, and rows as a fix leaves them.

``explain`` gives a verdict's reasons their fixes, each tried before it is told; ``apply_fix`` is what it tries them with, ``az_commands`` says how a
person makes them.
"""

from bastion_operator.network.fixes.apply import FixNotApplicableError, apply_fix
from bastion_operator.network.fixes.az_commands import az_commands
from bastion_operator.network.fixes.explain import explain
from bastion_operator.network.fixes.table import PROPOSERS, WITHOUT_FIX

__all__ = ["PROPOSERS", "WITHOUT_FIX", "FixNotApplicableError", "apply_fix", "az_commands", "explain"]
