"""Principals from a file: names, credentials and rights of one's own in place of the three that there are by default."""

from pathlib import Path
from typing import Any

import orjson

from arm_emulator.built_in_roles import BUILT_IN_ROLES
from arm_emulator.entra.credentials import (
    TOKEN_EXCHANGE_AUDIENCE,
    Certificate,
    Credentials,
    FederatedCredential,
    ManagedIdentity,
    certificate,
)
from arm_emulator.entra.issuer_keys import refused_issuer
from arm_emulator.ids import placed
from arm_emulator.principals import Assignment, Principal, stable_guid

_FIELDS = {
    "name",
    "client_id",
    "client_secret",
    "object_id",
    "assignments",
    "certificates",
    "federated_credentials",
    "managed_identity",
}
_ASSIGNMENT_FIELDS = {"scope", "role", "actions", "notActions"}
_FEDERATED_FIELDS = {"name", "issuer", "subject", "audiences", "keys_file", "ca_file"}
_PEM_START = "-----BEGIN CERTIFICATE-----"


class PrincipalsError(Exception):
    """A file that is no list of principals: the message names file, entry and field."""


def read(path: Path, secret_of: dict[str, str]) -> list[Principal]:
    """The principals of a file: a JSON list of objects with the fields

    - `name`, and if wanted `client_id`, `client_secret`, `object_id`: made up where left out, the ids from the name, the
      secret from `secret_of`;
    - `assignments`: a list of `{scope?, role}`, with the name of a built-in role, or `{scope?, actions, notActions?}` as in a
      role definition; `scope` is `/` where left out;
    - `certificates`: a list of PEM texts, or of files;
    - `federated_credentials`: a list of `{issuer, subject, audiences?, keys_file?, ca_file?}`;
    - `managed_identity`: `"SystemAssigned"`, or the resource id of a user-assigned identity.

    Files are looked for beside this one. Raises PrincipalsError.
    """
    try:
        entries = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise PrincipalsError(f"{path}: cannot be read as JSON: {error}") from error
    if not isinstance(entries, list) or not entries:
        raise PrincipalsError(f"{path}: expected a list of principals")
    found = [_Entry(path, number, entry).principal(secret_of) for number, entry in enumerate(entries, start=1)]
    for field in ("name", "client_id", "object_id"):
        if len({getattr(one, field).lower() for one in found}) < len(found):
            raise PrincipalsError(f"{path}: field {field}: two principals have the same {field}")
    if sum(one.credentials.managed_identity == ManagedIdentity() for one in found) > 1:
        raise PrincipalsError(f"{path}: field managed_identity: two principals are SystemAssigned, a machine has one")
    return found


def names(path: Path) -> list[str]:
    """The names in a file that `read` takes; whatever is none is left for `read` to complain about."""
    try:
        entries = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return []
    listed = entries if isinstance(entries, list) else []
    return [str(entry["name"]) for entry in listed if isinstance(entry, dict) and "name" in entry]


class _Entry:
    """One entry while it is read: where it stands, and what it says."""

    def __init__(self, path: Path, number: int, entry: Any) -> None:
        self._path = path
        self._where = f"{path}: entry {number}"
        if not isinstance(entry, dict) or not isinstance(entry.get("name"), str) or not entry["name"]:
            raise self._error("name", "expected a text")
        self._entry = entry
        self._only(entry, _FIELDS, "")

    def principal(self, secret_of: dict[str, str]) -> Principal:
        name = self._entry["name"]
        if "assignments" not in self._entry:
            raise self._error("assignments", "expected a list")
        return Principal(
            name,
            self._text(self._entry, "client_id") or stable_guid(f"client/{name}"),
            self._text(self._entry, "client_secret") or secret_of[name],
            self._text(self._entry, "object_id") or stable_guid(f"object/{name}"),
            tuple(self._assignment(one) for one in self._list(self._entry, "assignments")),
            Credentials(
                tuple(self._certificate(one) for one in self._list(self._entry, "certificates")),
                tuple(self._federated(one) for one in self._list(self._entry, "federated_credentials")),
                self._managed_identity(),
            ),
        )

    def _assignment(self, entry: Any) -> Assignment:
        if not isinstance(entry, dict):
            raise self._error("assignments", "expected objects")
        self._only(entry, _ASSIGNMENT_FIELDS, "assignments.")
        scope = self._text(entry, "scope", "assignments.") or "/"
        if placed(scope.rstrip("/")) is None:
            raise self._error("assignments.scope", f"expected a scope, not {scope!r}")
        role = self._text(entry, "role", "assignments.") or ""
        if role and role.lower() not in {one.name.lower() for one in BUILT_IN_ROLES}:
            raise self._error("assignments.role", f"{role!r} is no built-in role that the emulator has")
        return Assignment(
            scope,
            self._texts(entry, "actions", "assignments."),
            self._texts(entry, "notActions", "assignments."),
            role,
        )

    def _certificate(self, entry: Any) -> Certificate:
        if not isinstance(entry, str):
            raise self._error("certificates", "expected PEM texts or names of files")
        try:
            pem = entry.encode() if entry.lstrip().startswith(_PEM_START) else self._beside(entry).read_bytes()
            return certificate(pem)
        except (OSError, ValueError) as error:
            raise self._error("certificates", f"no certificate: {error}") from error

    def _federated(self, entry: Any) -> FederatedCredential:
        field = "federated_credentials."
        if not isinstance(entry, dict):
            raise self._error("federated_credentials", "expected objects")
        self._only(entry, _FEDERATED_FIELDS, field)
        issuer, subject = (self._text(entry, name, field) for name in ("issuer", "subject"))
        if not issuer or not subject:
            raise self._error(field + ("subject" if issuer else "issuer"), "expected a text")
        keys_file, ca_file = (self._file(entry, name, field) for name in ("keys_file", "ca_file"))
        reason = None if keys_file is not None else refused_issuer(issuer)
        if reason is not None:
            raise self._error(field + "issuer", f"{reason}, as its keys are fetched from there (or give keys_file)")
        audiences = self._texts(entry, "audiences", field) or (TOKEN_EXCHANGE_AUDIENCE,)
        return FederatedCredential(issuer, subject, audiences, keys_file, ca_file)

    def _managed_identity(self) -> ManagedIdentity | None:
        value = self._text(self._entry, "managed_identity")
        if value is None or value.lower() == "systemassigned":
            return None if value is None else ManagedIdentity()
        if not value.startswith("/subscriptions/"):
            raise self._error("managed_identity", "expected 'SystemAssigned' or a resource id")
        return ManagedIdentity(value)

    # -- fields ------------------------------------------------------------------------------------------------------

    def _text(self, entry: dict[str, Any], name: str, prefix: str = "") -> str | None:
        """A text that is not empty, or None where there is none."""
        value = entry.get(name)
        if value is None or (isinstance(value, str) and value):
            return value
        raise self._error(prefix + name, "expected a text")

    def _list(self, entry: dict[str, Any], name: str) -> list[Any]:
        value = entry.get(name, [])
        if not isinstance(value, list):
            raise self._error(name, "expected a list")
        return value

    def _texts(self, entry: dict[str, Any], name: str, prefix: str) -> tuple[str, ...]:
        value = entry.get(name, [])
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise self._error(prefix + name, "expected a list of texts")
        return tuple(value)

    def _file(self, entry: dict[str, Any], name: str, prefix: str) -> Path | None:
        value = self._text(entry, name, prefix)
        if value is None:
            return None
        path = self._beside(value)
        if not path.is_file():
            raise self._error(prefix + name, f"{path} is no file")
        return path

    def _beside(self, name: str) -> Path:
        return self._path.absolute().parent / name

    def _only(self, entry: dict[str, Any], known: set[str], prefix: str) -> None:
        for name in entry:
            if name not in known:
                raise self._error(prefix + name, f"is none of {', '.join(sorted(known))}")

    def _error(self, field: str, text: str) -> PrincipalsError:
        return PrincipalsError(f"{self._where}: field {field}: {text}")
