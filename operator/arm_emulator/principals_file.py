"""Principals from a file: names, credentials and rights of one's own in place of the three that there are by default."""

from pathlib import Path
from typing import Any

import orjson

from arm_emulator.built_in_roles import BUILT_IN_ROLES
from arm_emulator.ids import placed
from arm_emulator.principals import Assignment, Principal, stable_guid


class PrincipalsError(Exception):
    """A file that is no list of principals: the message names file, entry and field."""


def read(path: Path, secret_of: dict[str, str]) -> list[Principal]:
    """The principals of a file: a JSON list of `{name, client_id?, client_secret?, object_id?, assignments}`.

    An assignment is `{scope?, role}`, with the name of a built-in role, or `{scope?, actions, notActions?}`, as in a role
    definition; `scope` is `/` where it is left out. What is left out otherwise is made up, the ids from the name; secrets
    are taken from `secret_of`. Raises PrincipalsError.
    """
    try:
        entries = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise PrincipalsError(f"{path}: cannot be read as JSON: {error}") from error
    if not isinstance(entries, list) or not entries:
        raise PrincipalsError(f"{path}: expected a list of principals")
    found = [_principal(path, number, entry, secret_of) for number, entry in enumerate(entries, start=1)]
    if len({one.name for one in found}) < len(found):
        raise PrincipalsError(f"{path}: field name: two principals have the same name")
    return found


def names(path: Path) -> list[str]:
    """The names in a file that `read` takes; whatever is none is left for `read` to complain about."""
    try:
        entries = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return []
    listed = entries if isinstance(entries, list) else []
    return [str(entry["name"]) for entry in listed if isinstance(entry, dict) and "name" in entry]


def _principal(path: Path, number: int, entry: Any, secret_of: dict[str, str]) -> Principal:
    where = f"{path}: entry {number}"
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
        raise PrincipalsError(f"{where}: field name: expected a text")
    name = entry["name"]
    assignments = entry.get("assignments")
    if not isinstance(assignments, list):
        raise PrincipalsError(f"{where}: field assignments: expected a list")
    return Principal(
        name,
        str(entry.get("client_id") or stable_guid(f"client/{name}")),
        str(entry.get("client_secret") or secret_of[name]),
        str(entry.get("object_id") or stable_guid(f"object/{name}")),
        tuple(_assignment(where, one) for one in assignments),
    )


def _assignment(where: str, entry: Any) -> Assignment:
    if not isinstance(entry, dict):
        raise PrincipalsError(f"{where}: field assignments: expected objects")
    lists = {}
    for name in ("actions", "notActions"):
        value = entry.get(name, [])
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise PrincipalsError(f"{where}: field assignments.{name}: expected a list of texts")
        lists[name] = tuple(value)
    scope = str(entry.get("scope", "/"))
    if placed(scope.rstrip("/")) is None:
        raise PrincipalsError(f"{where}: field assignments.scope: expected a scope, not {scope!r}")
    role = str(entry.get("role", ""))
    if role and role.lower() not in {one.name.lower() for one in BUILT_IN_ROLES}:
        raise PrincipalsError(f"{where}: field assignments.role: {role!r} is no built-in role that the emulator has")
    return Assignment(scope, lists["actions"], lists["notActions"], role)
