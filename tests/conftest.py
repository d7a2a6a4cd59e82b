"""Fixtures for all tests; each subject lies in its own file of tests/support."""

pytest_plugins = [
    "tests.support.azure",
    "tests.support.control_plane",
    "tests.support.deployment",
    "tests.support.kube",
    "tests.support.lab",
]
