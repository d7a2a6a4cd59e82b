"""When to look again after a pass that did not end in sync."""

import random
from dataclasses import dataclass, field

from bastion_operator.reconcile.keys import Key

_FIRST = 1.0
_LONGEST = 300.0


@dataclass(slots=True)
class Backoff:
    """Exponential per key, with jitter: the n-th failure in a row waits between half and all of ``2^n`` seconds.

    The jitter keeps many keys that failed together from coming back together.
    """

    random: random.Random
    _failures: dict[Key, int] = field(default_factory=dict)

    def next(self, key: Key) -> float:
        """Seconds to wait after one more failure of this key."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        longest: float = min(_FIRST * 2 ** min(failures, 16), _LONGEST)
        return longest * self.random.uniform(0.5, 1.0)

    def failures(self, key: Key) -> int:
        """How often in a row the key's pass has failed."""
        return self._failures.get(key, 0)

    def reset(self, key: Key) -> None:
        """The key's pass ended well."""
        self._failures.pop(key, None)
