"""Azure's actions, and the wildcards by which role definitions name them.

Rules: https://learn.microsoft.com/azure/role-based-access-control/role-definitions
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple


class Action(NamedTuple):
    """An operation that a role may allow, such as Microsoft.Compute/virtualMachines/read.

    ``data``: it is one of the data plane, which only ``dataActions`` grant. ``with_reader``: Microsoft lists it for
    custom roles and says as well that Reader suffices, whose ``*/read`` does not name it.
    """

    name: str
    data: bool = False
    with_reader: bool = False


def matches_any(wildcards: Iterable[str], action: str) -> bool:
    """Whether one of the wildcards (``*`` stands for any text, slashes too) names the action, without case."""
    return any(_pattern(wildcard).fullmatch(action.lower()) for wildcard in wildcards)


@lru_cache(maxsize=4096)
def _pattern(wildcard: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in wildcard.lower().split("*")), re.DOTALL)
