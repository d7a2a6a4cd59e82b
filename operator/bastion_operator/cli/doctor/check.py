"""A check and what came of it."""

from dataclasses import dataclass
from enum import StrEnum


class Result(StrEnum):
    """What a check says. Unknown: it could not be looked at, which is not a no."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; ``fix`` is what to do, empty where nothing is wrong."""

    name: str
    result: Result
    message: str
    fix: str = ""


def ok(name: str, message: str) -> Check:
    """All is well."""
    return Check(name, Result.OK, message)


def warning(name: str, message: str, fix: str) -> Check:
    """It works, and something about it is worth mending."""
    return Check(name, Result.WARNING, message, fix)


def failed(name: str, message: str, fix: str) -> Check:
    """It does not work."""
    return Check(name, Result.FAILED, message, fix)


def unknown(name: str, message: str, fix: str) -> Check:
    """It could not be looked at."""
    return Check(name, Result.UNKNOWN, message, fix)
