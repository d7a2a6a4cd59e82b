"""What a scalar function declares: how often it takes arguments, the type of its value, the name of its column."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from arm_emulator.graph.values import Value

TypeOf = Callable[[Sequence[str]], str]


@dataclass(frozen=True, slots=True)
class Function:
    """`type` is Kusto's, or comes from the types of the arguments. `most` None: any number of arguments.

    `prefix` stands before the name of the first argument in the name of the column; None: the column has no name of its
    own (the functions' ResultNameKind in github.com/microsoft/Kusto-Query-Language).
    """

    call: Callable[..., Value]
    type: str | TypeOf
    least: int = 1
    most: int | None = 1
    prefix: str | None = None
    grows: bool = False
    """Whether its value may hold its arguments several times over."""

    def type_of(self, arguments: Sequence[str]) -> str:
        """The type of its value for arguments of these types."""
        return self.type if isinstance(self.type, str) else self.type(arguments)


def common(types: Sequence[str]) -> str:
    """The type that values of these types have together."""
    scalars = list(dict.fromkeys(one for one in types if one != "dynamic"))
    if not scalars:
        return "dynamic"
    if len(scalars) == 1:
        return scalars[0]
    if set(scalars) <= {"int", "long"}:
        return "long"
    return "real" if set(scalars) <= {"int", "long", "real"} else "dynamic"


def first(types: Sequence[str]) -> str:
    """The type of the first argument."""
    return types[0] if types else "dynamic"
