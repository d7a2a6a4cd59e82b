"""Figures and seeds that tests want told at the end of a run, also of those that other processes have run."""

from collections.abc import Callable

import pytest

_FIGURE = "figure"


@pytest.fixture
def figure(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """`figure("text")` is shown below the results, whatever they are."""
    return lambda text: record_property(_FIGURE, text)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The figures of all tests, in the order of their ends."""
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.getreports(kind)]
    told = [
        value
        for report in reports
        if report.when == "call"
        for name, value in report.user_properties
        if name == _FIGURE
    ]
    if told:
        terminalreporter.section("figures")
        for text in told:
            terminalreporter.write_line(str(text))
