"""Fixtures for all tests; each subject lies in its own file of tests/support.

Property tests draw the same examples in each run of `make test`, so that a change is judged by what it changed;
`make test-long` draws new ones and prints how to draw them again.
"""

from collections.abc import Iterator

import pytest
from hypothesis import settings

from dev.programs import forking

pytest_plugins = [
    "tests.support.azure",
    "tests.support.command",
    "tests.support.control_plane",
    "tests.support.deployment",
    "tests.support.figures",
    "tests.support.golden",
    "tests.support.kube",
    "tests.support.lab",
]

# How long an example takes is the machine's affair: no test is timed.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("new-examples", derandomize=False, deadline=None, print_blob=True)
settings.load_profile("repeatable")


@pytest.fixture(scope="session", autouse=True)
def programs_are_forked() -> Iterator[None]:
    """Loading the operator and the local Azure anew for each test would take a third of the run."""
    with forking():
        yield
