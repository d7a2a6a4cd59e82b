"""Microsoft.Authorization/locks: CanNotDelete and ReadOnly at a subscription, a group or a resource. `gate.py` holds to them.

Rules: https://learn.microsoft.com/azure/azure-resource-manager/management/lock-resources
"""

from collections.abc import Mapping

from arm_emulator import ancestry, odata
from arm_emulator.cloud import Cloud
from arm_emulator.errors import bad_request
from arm_emulator.resource_types.base import IMMEDIATE, Put, ResourceType
from arm_emulator.store import Resource

LOCKS = "Microsoft.Authorization/locks"
LEVELS = ("CanNotDelete", "ReadOnly")
LONGEST_NOTES = 512


class Locks(ResourceType):
    """Without etag, state or operation; listed at a place and below it, or with `atScope()` at it and above."""

    name = LOCKS
    tracked = has_etag = has_state = False
    envelope = frozenset({"properties"})
    members = ("properties", "id", "type", "name")
    create = delete = IMMEDIATE
    not_found = ("LockNotFound", "The lock '{name}' could not be found.")

    def prepare(self, put: Put) -> None:
        spelt = {one.lower(): one for one in LEVELS}
        level = spelt.get(str(put.properties.get("level", "")).lower())
        notes, owners = put.properties.get("notes"), put.properties.get("owners")
        if level is None:
            raise bad_request(
                "InvalidLockLevel",
                f"The lock level '{put.properties.get('level')}' is not valid. It must be one of {', '.join(LEVELS)}.",
            )
        if notes is not None and (not isinstance(notes, str) or len(notes) > LONGEST_NOTES):
            raise bad_request("InvalidLockNotes", f"The notes of a lock have at most {LONGEST_NOTES} characters.")
        if not put.id.scope:
            raise bad_request("InvalidLockScope", "A lock is at a subscription, a resource group or a resource.")
        kept = {"notes": notes, "owners": owners if isinstance(owners, list) else None}
        put.body["properties"] = {"level": level, **{name: one for name, one in kept.items() if one is not None}}

    def listed(self, cloud: Cloud, place: str, query: Mapping[str, str]) -> list[Resource]:
        """At the place and below; `atScope()` asks for those at the place and above."""
        text = query.get("$filter", "")
        above = any(term.name == "atscope" for term in odata.only(odata.terms(text), text, "atscope"))
        here = set(ancestry.levels(cloud.store, place))
        return [
            lock
            for lock in cloud.store.listed("/", LOCKS)
            if (above and lock.id.scope.lower() in here)
            or (not above and (lock.id.scope.lower() == place or lock.id.scope.lower().startswith(f"{place}/")))
        ]
