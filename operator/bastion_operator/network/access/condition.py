"""Conditions on role assignments, as far as they can be judged without the request that is to be made.

A condition names the actions that it speaks of (``ActionMatches``) and what must hold for them. Which action is asked
about is known here, attributes of the request are not: the answer is yes, no, or that it cannot be told.
Format: https://learn.microsoft.com/azure/role-based-access-control/conditions-format
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from bastion_operator.network.access.actions import matches_any

_TOKEN: Final = re.compile(
    r"""\s*(?:
        (?P<mark>\(|\)|!|&&|\|\||(?:AND|OR|NOT)\b)
        | ActionMatches\s*\{\s*'(?P<action>[^']*)'\s*\}
        | (?P<other>'[^']*'|\{[^{}]*\}|[^\s()!&|'{}]+)
    )""",
    re.VERBOSE | re.IGNORECASE,
)
_WORDS: Final = {"&&": "AND", "||": "OR", "!": "NOT"}


class _MalformedError(ValueError):
    """The text is no condition that this reader knows."""


@dataclass(frozen=True, slots=True)
class _Token:
    """A mark (parenthesis or operator), the wildcard of an ActionMatches, or a word of something else."""

    mark: str = ""
    action: str | None = None


@lru_cache(maxsize=4096)
def condition_allows(condition: str, action: str) -> bool | None:
    """Whether an assignment with this condition grants the action; None where it hangs on what is not known here."""
    try:
        reader = _Reader(_tokens(condition), action)
        answer = reader.either()
    except _MalformedError:
        return None
    return answer if reader.ended else None


def _tokens(condition: str) -> list[_Token]:
    found: list[_Token] = []
    place, text = 0, condition.rstrip()
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise _MalformedError(text[place:])
        place = match.end()
        if (mark := match["mark"]) is not None:
            found.append(_Token(_WORDS.get(mark, mark.upper())))
        else:
            found.append(_Token(action=match["action"]))
    return found


class _Reader:
    """Reads by recursive descent: OR binds less than AND, AND less than NOT. Answers as in Kleene's logic."""

    def __init__(self, tokens: list[_Token], action: str) -> None:
        self._tokens = tokens
        self._place = 0
        self._action = action

    @property
    def ended(self) -> bool:
        return self._place == len(self._tokens)

    def either(self) -> bool | None:
        answers = [self._both()]
        while self._take("OR"):
            answers.append(self._both())
        return True if True in answers else None if None in answers else False

    def _both(self) -> bool | None:
        answers = [self._single()]
        while self._take("AND"):
            answers.append(self._single())
        return False if False in answers else None if None in answers else True

    def _single(self) -> bool | None:
        if self._take("NOT"):
            answer = self._single()
            return None if answer is None else not answer
        if self._take("("):
            answer = self.either()
            if not self._take(")"):
                raise _MalformedError("a parenthesis is not closed")
            return answer
        return self._statement()

    def _statement(self) -> bool | None:
        """An ActionMatches, or a comparison of attributes, which runs up to the next mark."""
        token = self._next()
        if token is None or token.mark:
            raise _MalformedError("a statement is missing")
        if token.action is not None:
            return matches_any((token.action,), self._action)
        while (following := self._next()) is not None and not following.mark and following.action is None:
            pass
        if following is not None:
            self._place -= 1
        return None

    def _next(self) -> _Token | None:
        if self.ended:
            return None
        self._place += 1
        return self._tokens[self._place - 1]

    def _take(self, mark: str) -> bool:
        if not self.ended and self._tokens[self._place].mark == mark:
            self._place += 1
            return True
        return False
