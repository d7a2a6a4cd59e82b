"""Golden files: what a command printed once and is to print again. `make golden` writes them anew."""

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode


class TextFile(SingleFileSnapshotExtension):
    """A golden file for each test, as text that can be read and compared by itself."""

    _write_mode = WriteMode.TEXT
    file_extension = "txt"


@pytest.fixture
def golden(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """``assert text == golden``; a test of several compares with ``golden(name="…")``."""
    return snapshot.use_extension(TextFile)
