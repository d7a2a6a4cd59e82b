"""The cache of programs: a folder for each version and platform, complete or absent, filled by one process at a time."""

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from dev.control_plane.errors import ProgramsError
from dev.control_plane.settings import Report

WAITING_REPORT_SECONDS = 15.0
LOCK_POLL_SECONDS = 0.2


def has_programs(folder: Path, names: tuple[str, ...]) -> bool:
    """Whether all programs lie in the folder and may be executed."""
    return not missing_programs(folder, names)


def missing_programs(folder: Path, names: tuple[str, ...]) -> list[str]:
    """Those of `names` that are not executable files in `folder`."""
    return [name for name in names if not ((folder / name).is_file() and os.access(folder / name, os.X_OK))]


@contextlib.contextmanager
def exclusive(lock: Path, report: Report) -> Iterator[None]:
    """Hold a lock between processes. The kernel releases it when its holder ends, in whatever way."""
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        opened = lock.open("w")
    except OSError as error:
        raise ProgramsError(
            f"the cache folder {lock.parent} cannot be written: {error.strerror}. "
            "Set BASTION_OPERATOR_CACHE to a folder that can."
        ) from error
    with opened as file:
        started = time.monotonic()
        next_report = started
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                now = time.monotonic()
                if now >= next_report:
                    report(f"another process prepares the control plane's programs; waiting ({now - started:.0f} s)")
                    next_report = now + WAITING_REPORT_SECONDS
                time.sleep(LOCK_POLL_SECONDS)
        yield


@contextlib.contextmanager
def staging(final: Path) -> Iterator[Path]:
    """A folder to fill; it becomes `final` in one step, and only if the block ends without an error.

    For the holder of the lock only: what killed predecessors left half done is removed.
    """
    for left_over in final.parent.glob(f".{final.name}.*"):
        shutil.rmtree(left_over, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{final.name}.", dir=final.parent))
    try:
        yield folder
        folder.chmod(0o755)
        shutil.rmtree(final, ignore_errors=True)  # what lies there under the lock is incomplete
        folder.replace(final)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
