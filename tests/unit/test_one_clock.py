"""Everything in the operator that waits or measures goes by the one Clock, so that simulated days run in minutes; the Lease alone does not."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "operator" / "bastion_operator"
ALLOWED = {
    "clock.py": "it is the clock",
    "leadership.py": "the Lease is kept in real time, by a clock that goes on while the machine sleeps",
    "kube/lease.py": "the same",
}
# By module or class, what of it tells or waits for the machine's time.
FORBIDDEN = {
    "time": {
        "time",
        "time_ns",
        "monotonic",
        "monotonic_ns",
        "perf_counter",
        "perf_counter_ns",
        "sleep",
        "clock_gettime",
    },
    "datetime": {"now", "utcnow", "today"},
    "date": {"today"},
    "asyncio": {"sleep", "timeout", "timeout_at", "wait_for"},
    "loop": {"time", "call_later", "call_at"},
}
MODULES = {"time", "asyncio"}


def goes_around_the_clock(source: str) -> Iterator[str]:
    """Each use in a module's text of the machine's own time, as ``line: name``."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and node.attr in FORBIDDEN.get(_named(node.value), ()):
            yield f"{node.lineno}: {_named(node.value)}.{node.attr}"
        elif isinstance(node, ast.ImportFrom) and node.module in MODULES:
            for each in node.names:
                if each.name in FORBIDDEN[node.module]:
                    yield f"{node.lineno}: from {node.module} import {each.name}"
        elif isinstance(node, ast.Call) and _named(node.func) == "wait":
            yield from (f"{node.lineno}: wait(timeout=)" for each in node.keywords if each.arg == "timeout")


def _named(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Call):
        return "loop" if _named(node.func) in {"get_running_loop", "get_event_loop"} else ""
    return node.id if isinstance(node, ast.Name) else ""


# The command line waits for people, in their time.
FILES = sorted(path for path in PACKAGE.rglob("*.py") if path.relative_to(PACKAGE).parts[0] != "cli")


def test_no_module_but_the_clock_and_the_lease_asks_the_machine() -> None:
    found = {
        str(path.relative_to(PACKAGE)): uses
        for path in FILES
        if (uses := list(goes_around_the_clock(path.read_text(encoding="utf-8"))))
    }
    assert {name: uses for name, uses in found.items() if name not in ALLOWED} == {}
    assert set(found) == set(ALLOWED), "a permission that nobody needs is none"


@pytest.mark.parametrize(
    "source",
    [
        "import time\ntime.monotonic()",
        "from time import monotonic",
        "import asyncio\nasync def f(): await asyncio.sleep(1)",
        "from asyncio import sleep",
        "import asyncio\nasync def f(x): await asyncio.wait(x, timeout=1)",
        "import asyncio\nasync def f(x): await asyncio.wait_for(x, 1)",
        "import datetime\ndatetime.datetime.now()",
        "from datetime import UTC, datetime\ndatetime.now(UTC)",
        "import asyncio\nasyncio.get_running_loop().call_later(1, print)",
        "def f(loop): return loop.time()",
        "import time\nclock = time.time",
    ],
)
def test_each_way_around_the_clock_is_seen(source: str) -> None:
    assert list(goes_around_the_clock(source))
