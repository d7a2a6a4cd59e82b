"""Settings that are wrong, gathered so that all of them are told at once and not the first alone."""

from collections.abc import Callable, Iterable
from typing import TypeVar, cast

Value = TypeVar("Value")


class WrongSettingsError(ValueError):
    """Settings that cannot be used: of ``problems`` each is a line that names a setting and what to write instead."""

    def __init__(self, *problems: str) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class Problems:
    """What is wrong with settings that are read one after the other, whatever was wrong with those before."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        self._lines = list(known)

    def read(self, reading: Callable[[], Value], *errors: type[Exception]) -> Value:
        """What ``reading`` answers, to be used after :meth:`settle` only: it is None where ValueError or one of ``errors`` was raised."""
        kinds: tuple[type[Exception], ...] = (ValueError, *errors)
        try:
            return reading()
        except kinds as error:
            self._lines += error.problems if isinstance(error, WrongSettingsError) else (str(error),)
            return cast("Value", None)

    def settle(self, error: type[WrongSettingsError] = WrongSettingsError) -> None:
        """Raises ``error`` with all problems if there are any."""
        if self._lines:
            raise error(*dict.fromkeys(self._lines))
