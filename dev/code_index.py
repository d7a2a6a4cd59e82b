"""The index of docs/codes: every code of the engine with its step and the first sentence of its page."""

import re
from pathlib import Path

from bastion_operator.network.codes import ANY_STEP, CODES, Code
from bastion_operator.network.finding import FindingClass

PLACE = "docs/codes"
_HEADINGS = {
    FindingClass.UNREACHABLE: "Reasons that make a VM Unreachable",
    FindingClass.UNKNOWN: "Reasons that leave it Unknown",
    FindingClass.WARNING: "Warnings and information",
}
_INTRODUCTION = """\
<!-- Made from the pages beside it by `make generate`; do not edit. -->
# Codes

What each code of a verdict means, how to see it with `az`, and how to mend it. In the commands `$BASTION`, `$VM`, `$NSG`
and so on stand for the `resource` of the reason, `$NAME` and `$GROUP` for its name and resource group. With `-o json`,
`kubectl bastion reach` tells for each reason the very change that mends it, tried before it is told. [Reachability](../reachability.md)
has the steps and the rules behind them.
"""


class MissingPageError(LookupError):
    """A code has no page in docs/codes."""


def render_code_index(root: Path) -> str:
    """The index as Markdown. Raises MissingPageError for a code without a page."""
    parts = [_INTRODUCTION]
    for finding_class, heading in _HEADINGS.items():
        rows = [_row(root, code) for code in CODES.values() if code.finding_class is finding_class]
        parts += [f"## {heading}\n", "| Code | Step | What it means |\n|---|---|---|\n" + "\n".join(rows) + "\n"]
    return "\n".join(parts)


def _row(root: Path, code: Code) -> str:
    step = "any" if code.step == ANY_STEP else str(code.step)
    return f"| [`{code.name}`]({code.name}.md) | {step} | {first_sentence(root, code.name)} |"


def first_sentence(root: Path, name: str) -> str:
    """The first sentence below a page's title, its lines joined."""
    page = root / PLACE / f"{name}.md"
    if not page.is_file():
        raise MissingPageError(f"code {name} has no page: write {PLACE}/{name}.md")
    paragraph = " ".join(page.read_text(encoding="utf-8").split("\n\n", 2)[1].split())
    return re.split(r"(?<=\.) (?=[A-Z`])", paragraph, maxsplit=1)[0]
