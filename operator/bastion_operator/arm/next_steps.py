"""What a person can do about an error of Azure: the table's sentence, with the facts that Azure's message gives."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bastion_operator.arm.error_codes import known_code

_LINKED_ACTION = "Microsoft.Network/virtualNetworks/peer/action"


@dataclass(frozen=True, slots=True)
class CredentialHolder:
    """Whose credential a client uses, in the user's words.

    :ivar identity: such as ``AzureIdentity prod``
    :ivar secret: where the credential is kept and until when it is valid; never the credential itself
    """

    identity: str = "the identity"
    secret: str = "its credential"  # noqa: S105 - words, no secret


# The message's own words, by fact. The first that fits is taken.
_PATTERNS: Mapping[str, tuple[str, ...]] = {
    "action": (r"not have permission to perform action\(s\) '([^']+)'", r"to perform action '([^']+)' over scope"),
    "scope": (r"on the linked scope\(s\) '([^']+)'", r"over scope '([^']+)'"),
    "linked_subscription": (r"linked subscription '([^']+)'",),
    "locks": (r"scope\(s\) are locked: '([^']+)'",),
    "policies": (r'"policyAssignment":\{"name":"([^"]+)"',),
    "namespace": (r"to use namespace '([^']+)'",),
    "subscription": (r"[Ss]ubscription '([^']+)'",),
    "group": (r"[Rr]esource group '([^']+)'",),
}
_DEFAULTS = {
    "action": "that the message names",
    "scope": "the scope that it names",
    "locks": "the lock at the scope that the message names (`az lock list`)",
    "policies": "the policy that the message names",
    "namespace": "Microsoft.Network",
    "subscription": "the subscription",
    "group": "the resource group",
}


def next_step(code: str, error: Mapping[str, Any], holder: CredentialHolder, **known: str) -> str:
    """The next step for an error's body ``{code, message, additionalInfo[]}``; empty where there is none.

    What the message does not tell is left in general words. ``known``: facts by name that were found out elsewhere.
    """
    row = known_code(code)
    if row is None or not row.next_step:
        return ""
    facts = {**_DEFAULTS, **_facts(error), "identity": holder.identity, "secret": holder.secret, **known}
    return row.next_step.format_map(facts)


def locked_scopes(message: str) -> list[str]:
    """The scopes that an error of Azure names as locked; empty for any other error."""
    return [scope for scope in _first(_PATTERNS["locks"], message).split(", ") if scope.startswith("/")]


def _facts(error: Mapping[str, Any]) -> dict[str, str]:
    message = str(error.get("message") or "")
    found = {name: match for name, patterns in _PATTERNS.items() if (match := _first(patterns, message))}
    if linked := found.pop("linked_subscription", None):
        found |= {"action": _LINKED_ACTION, "scope": f"/subscriptions/{linked}"}
    if "locks" in found:
        found["locks"] = f"the lock at {found['locks']} (`az lock list`)"
    if "subscription" in found:
        found["subscription"] = f"subscription {found['subscription']}"
    if "group" in found:
        found["group"] = f"resource group {found['group']}"
    policies = list(_policies(error.get("additionalInfo"))) or [found[each] for each in ("policies",) if each in found]
    if policies:
        found["policies"] = f"policy assignment {', '.join(dict.fromkeys(policies))}"
    return found


def _first(patterns: Iterable[str], message: str) -> str:
    matches = (re.search(pattern, message) for pattern in patterns)
    return next((match.group(1) for match in matches if match), "")


def _policies(info: Any) -> Iterable[str]:
    """The assignments that ``additionalInfo`` names, by the names that people see."""
    for each in info if isinstance(info, list) else []:
        told = each.get("info") if isinstance(each, Mapping) else None
        if isinstance(told, Mapping) and each.get("type") == "PolicyViolation":
            name = told.get("policyAssignmentDisplayName") or told.get("policyAssignmentName")
            place = told.get("policyAssignmentScope")
            if name:
                yield f"{name} at {place}" if place else str(name)
