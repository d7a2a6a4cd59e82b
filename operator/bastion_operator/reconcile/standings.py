"""How every VM stood when a BastionHost last looked, so that a turn can be told."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bastion_operator.planning.turns import Asked, Standing
from bastion_operator.reconcile.keys import Key


@dataclass(slots=True)
class Standings:
    """Kept in memory by BastionHost. After a restart the reports that stand tell it."""

    _known: dict[Key, tuple[str, Mapping[Asked, Standing]]] = field(default_factory=dict)

    def of(self, key: Key, uid: str) -> Mapping[Asked, Standing] | None:
        """The last look of this BastionHost; None if there was none, or it was another's of the same name."""
        known = self._known.get(key)
        return known[1] if known is not None and known[0] == uid else None

    def note(self, key: Key, uid: str, standings: Mapping[Asked, Standing]) -> None:
        """Remember a look."""
        self._known[key] = (uid, standings)

    def forget(self, key: Key) -> None:
        """The BastionHost is gone."""
        self._known.pop(key, None)
