"""IPv4 prefixes as fields, judged alike by the API server and by pydantic."""

import re
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Final

from pydantic_core import PydanticCustomError

from bastion_operator.api.model import JudgedText, Rule

_ONE_ADDRESS: Final = 32
# Python alone takes an address without a length, a mask in its place, and zeros in front of it; Go, and so CEL, do not.
_FORM: Final = re.compile(r"[0-9.]+/(0|[1-9][0-9]?)")


@dataclass(frozen=True, slots=True)
class IPv4Prefix(JudgedText):
    """A string must be an IPv4 prefix without host bits, or one of a few words.

    :ivar smallest: the longest length that is allowed
    :ivar message: what to say of anything else
    """

    message: str
    or_one_of: tuple[str, ...]
    smallest: int = _ONE_ADDRESS

    def rule(self) -> Rule:
        """The CEL rule on the string."""
        length = f"cidr(self).prefixLength() <= {self.smallest} && " if self.smallest < _ONE_ADDRESS else ""
        prefix = f"isCIDR(self) && cidr(self).ip().family() == 4 && {length}cidr(self) == cidr(self).masked()"
        words = [f"'{each}'" for each in self.or_one_of]
        word = f"self == {words[0]}" if len(words) == 1 else f"self in [{', '.join(words)}]"
        return Rule(f"{word} || ({prefix})", self.message)

    def check(self, value: str) -> str:
        """A prefix or one of the words, or the message."""
        if value not in self.or_one_of and not self._is_prefix(value):
            raise PydanticCustomError("no_prefix", "{message}", {"message": self.message})
        return value

    def _is_prefix(self, value: str) -> bool:
        if _FORM.fullmatch(value) is None:
            return False
        try:
            return IPv4Network(value).prefixlen <= self.smallest
        except ValueError:
            return False
