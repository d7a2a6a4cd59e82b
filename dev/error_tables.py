"""The tables in docs/azure-api.md: the classes of Azure's errors and every code, made from the operator's own data."""

from pathlib import Path

from bastion_operator.arm.error_classes import HANDLING, ErrorClass, Handling
from bastion_operator.arm.error_codes import CODES, ErrorCode

PLACE = "docs/azure-api.md"
_BEGIN = "<!-- Made from operator/bastion_operator/arm/error_codes.py by `make generate`; do not edit up to the end mark. -->"
_END = "<!-- end -->"


class MissingMarksError(LookupError):
    """The page has no place for the tables."""


def render_azure_api(root: Path) -> str:
    """The page with its tables up to date. Raises MissingMarksError where it has no place for them."""
    text = (root / PLACE).read_text(encoding="utf-8")
    before, begin, rest = text.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise MissingMarksError(f"{PLACE} has no line {_BEGIN!r} with {_END!r} after it")
    return f"{before}{_BEGIN}\n\n{_tables()}\n{_END}{after}"


def _tables() -> str:
    parts = ["| Class | What the operator does | Looks again after | What the user sees |\n|---|---|---|---|"]
    parts += [_class_row(each, handling) for each, handling in HANDLING.items()]
    parts += ["", "| Code | Class | Comes from | Next step that the message ends with |\n|---|---|---|---|"]
    parts += [
        _code_row(code) for code in sorted(CODES.values(), key=lambda code: (code.error_class, code.name.lower()))
    ]
    return "\n".join(parts) + "\n"


def _class_row(error_class: ErrorClass, handling: Handling) -> str:
    again = f"{_seconds(handling.shortest)} to {_seconds(handling.longest)}, doubling"
    return f"| {error_class} | {handling.does} | {again} | {_seen(handling)} |"


def _seen(handling: Handling) -> str:
    when = f"Once it lasts {_seconds(handling.told_after)}" if handling.told_after else "At once"
    reason = f"`{handling.reason}`" if handling.reason else "Azure's code"
    stalled = "`Ready` False and `Stalled` True" if handling.blocking else "`Ready` False and `Reconciling` True"
    return f"{when}: {stalled}, reason {reason}"


def _code_row(code: ErrorCode) -> str:
    places = ", ".join(sorted(place.value for place in code.places)) or "the operator"
    own = "" if code.shortest is None else f" (again after {_seconds(code.handling.shortest)} at the earliest)"
    return f"| `{code.name}` | {code.error_class}{own} | {places} | {_step(code)} |"


def _step(code: ErrorCode) -> str:
    # The names in braces are filled from Azure's message.
    return code.next_step.replace("{", "*").replace("}", "*") or "none: time, or the operator's next step, mends it"


def _seconds(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 60 else f"{seconds:.0f} s"  # noqa: PLR2004 - a minute
