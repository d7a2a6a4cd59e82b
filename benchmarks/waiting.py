"""Waiting for what a benchmark is to see next."""

import time
from collections.abc import Callable


def wait_for(kept: Callable[[], bool], what: str, *, patience: float, every: float) -> None:
    """Asks again and again until it is so. Raises TimeoutError with ``what`` after ``patience`` seconds."""
    deadline = time.monotonic() + patience
    while not kept():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {patience:.0f} s")
        time.sleep(every)
