"""What changes about a principal while the emulator runs: its secrets, whether it is disabled, which tokens are revoked."""

import dataclasses
import hmac
import secrets
from collections.abc import Callable, Iterable
from typing import Any

import orjson

from arm_emulator.clock import iso
from arm_emulator.errors import Json, bad_request, not_found
from arm_emulator.principals import Principal


@dataclasses.dataclass(slots=True)
class Account:
    """One principal's account. `secret` None: it has none; `secret_expires` is in seconds since the epoch."""

    secret: str | None
    secret_expires: float | None = None
    disabled: bool = False
    generation: int = 0
    """Tokens that were given out under an earlier one are revoked."""
    revoked_at: float = 0

    def knows(self, secret: str) -> bool:
        """Whether this is its secret, expired or not."""
        return self.secret is not None and hmac.compare_digest(secret.encode(), self.secret.encode())


class Accounts:
    """The accounts by client id. Raises nothing but ArmError."""

    def __init__(
        self, principals: Iterable[Principal], kept: Callable[[str], str | None], keep: Callable[[str, str], None]
    ) -> None:
        """`kept(name)` and `keep(name, text)` reach what outlives a restart; where nothing is kept, the principal counts."""
        self._principals = list(principals)
        self._keep = keep
        self._accounts: dict[str, Account] = {}
        for principal in self._principals:
            text = kept(_name(principal.client_id))
            known = Account(principal.client_secret) if text is None else Account(**orjson.loads(text))
            self._accounts[principal.client_id] = known

    def __getitem__(self, client_id: str) -> Account:
        """The account of a principal."""
        return self._accounts[client_id]

    def described(self, name: str | None = None) -> list[Json]:
        """What the control side shows of all principals, or of one. Secrets are shown: they are in the ready line too."""
        found = [one for one in self._principals if name in (None, one.name)]
        if not found:
            raise not_found("UnknownPrincipal", f"There is no principal '{name}'.")
        return [_described(one, self._accounts[one.client_id]) for one in found]

    def change(self, name: str, body: Json, now: float) -> Json:
        """Applies a change from the control side, whole or not at all; answers what the principal is then.

        `{"revoked": bool}` disables the principal and revokes its tokens, or enables it again; `{"challenge": true}` revokes
        its tokens only; `{"client_secret": text | null}` sets or removes its secret, `{"rotate": true}` makes a new one;
        `{"secret_expires_in": seconds}` counts from now.
        """
        [shown] = self.described(name)
        account = dataclasses.replace(self._accounts[shown["client_id"]])
        for field, value in body.items():
            expected, act = _CHANGES.get(field, (None, None))
            if expected is None or act is None:
                raise bad_request("InvalidPrincipalChange", f"A principal has no '{field}': {', '.join(_CHANGES)}.")
            if not isinstance(value, expected) or value == "":
                raise bad_request("InvalidPrincipalChange", f"The value of '{field}' is not of its type.")
            act(account, value, now)
        self._accounts[shown["client_id"]] = account
        self._keep(_name(shown["client_id"]), orjson.dumps(dataclasses.asdict(account)).decode())
        return self.described(name)[0]


def new_client_secret() -> str:
    """A secret of digits and letters: one that starts with a hyphen would be an option to az."""
    return secrets.token_hex(20)


def _name(client_id: str) -> str:
    return f"account of {client_id}"


def _described(principal: Principal, account: Account) -> Json:
    return {
        "name": principal.name,
        "client_id": principal.client_id,
        "object_id": principal.object_id,
        "client_secret": account.secret,
        "secret_expires": None if account.secret_expires is None else iso(account.secret_expires),
        "revoked": account.disabled,
    }


def _revoke_tokens(account: Account, wanted: bool, now: float) -> None:
    if wanted:
        account.generation += 1
        account.revoked_at = now


def _disable(account: Account, wanted: bool, now: float) -> None:
    account.disabled = wanted
    _revoke_tokens(account, wanted, now)


def _set_secret(account: Account, secret: str | None, _now: float) -> None:
    account.secret, account.secret_expires = secret, None


def _rotate(account: Account, wanted: bool, now: float) -> None:
    if wanted:
        _set_secret(account, new_client_secret(), now)


def _expire(account: Account, seconds: float, now: float) -> None:
    account.secret_expires = now + seconds


_CHANGES: dict[str, tuple[tuple[type, ...], Callable[[Account, Any, float], None]]] = {
    "revoked": ((bool,), _disable),
    "challenge": ((bool,), _revoke_tokens),
    "client_secret": ((str, type(None)), _set_secret),
    "rotate": ((bool,), _rotate),
    "secret_expires_in": ((int, float), _expire),
}
