"""The scalar functions of the query language, by name.

Resource Graph's documentation says "a subset" and does not list it; these are Kusto's that make sense for its rows.
https://learn.microsoft.com/kusto/query/scalar-functions
"""

from collections.abc import Mapping
from dataclasses import replace

from arm_emulator.graph.functions import addresses, conversions, dynamics, numbers, texts, times
from arm_emulator.graph.functions.signature import Function

SCALARS: Mapping[str, Function] = {
    **addresses.FUNCTIONS,
    **conversions.FUNCTIONS,
    **{name: replace(function, grows=True) for name, function in dynamics.FUNCTIONS.items()},
    **numbers.FUNCTIONS,
    **texts.FUNCTIONS,
    **times.FUNCTIONS,
}
