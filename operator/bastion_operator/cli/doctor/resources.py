"""Checks of what the custom resources say: identities, rights in Azure, the inventory, and what is not Ready."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from bastion_operator.api.conditions import Reason
from bastion_operator.cli.doctor.check import Check, failed, ok, warning

Raw = Mapping[str, Any]
_IDENTITY: Final = "apply an AzureIdentity: examples/azure-identity.yaml"
_ROLE: Final = "give the identity the role of deploy/azure/role.json there (deploy/README.md)"
_INVENTORY: Final = "Microsoft.ResourceGraph"
_DENIED: Final = frozenset({Reason.PERMISSION_DENIED, "AuthorizationFailed", "LinkedAuthorizationFailed"})
_AT_WORK: Final = frozenset({Reason.PROGRESSING, Reason.DELETING})


def check_identities(identities: Iterable[Raw]) -> Iterator[Check]:
    """Whether there is one, and whether each works."""
    found = list(identities)
    if not found:
        yield failed("identities", "there is no AzureIdentity: the operator has nobody to act as", _IDENTITY)
    for each in found:
        name = f"AzureIdentity {each['metadata']['name']}"
        ready = _condition(each, "Ready")
        allowed = each.get("spec", {}).get("allowedSubscriptions") or ()
        if ready is None:
            yield failed(name, "the operator has not looked at it", "see the check of the operator")
        elif ready["status"] != "True":
            yield failed(name, f"{ready['reason']}: {ready['message']}", "mend what the message names")
        elif not allowed:
            yield warning(name, "it works, and is allowed no subscription", "list them in spec.allowedSubscriptions")
        else:
            yield ok(name, f"it works, in {len(allowed)} subscription{'s' * (len(allowed) != 1)}")


def check_azure_rights(resources: Iterable[Raw]) -> Iterator[Check]:
    """What Azure refused, as the custom resources tell it, by subscription where that is to be seen."""
    refused: dict[str, list[str]] = defaultdict(list)
    for each in resources:
        for condition in _conditions(each):
            if condition.get("reason") in _DENIED:
                refused[str(condition.get("message"))].append(_name(each))
        rows = each.get("status", {}).get("reasonCounts") or ()
        hidden = sum(row.get("count", 0) for row in rows if row.get("code") == Reason.PERMISSION_DENIED)
        if hidden:
            refused[f"Azure shows the identity nothing of what {hidden} VMs hang on"].append(_name(each))
    for message, names in refused.items():
        yield failed("rights in Azure", f"{_listed(names)}: {message}", _ROLE)
    if not refused:
        yield ok("rights in Azure", "no custom resource tells of one that is missing")


def check_inventory(resources: Iterable[Raw]) -> Iterator[Check]:
    """Whether the operator's inventory is as young as the resources ask: it says so where it is not."""
    late = [
        (each, condition)
        for each in resources
        for condition in _conditions(each)
        if condition.get("status") != "True" and _INVENTORY in str(condition.get("message"))
    ]
    if late:
        _, condition = late[0]
        names = _listed([_name(each) for each, _ in late])
        yield failed(
            "inventory",
            f"{names}: for three intervals it could not be read: {condition['message']}",
            "see the identity's check, and whether the operator reaches Azure",
        )
    else:
        yield ok("inventory", "no custom resource tells that it is older than three of its intervals")


def check_resources(resources: Iterable[Raw]) -> Iterator[Check]:
    """What is not Ready, or not looked at in its newest form."""
    count = 0
    troubled = False
    for each in resources:
        count += 1
        ready = _condition(each, "Ready")
        generation = each["metadata"].get("generation", 0)
        if ready is None or each.get("status", {}).get("observedGeneration", -1) < generation:
            troubled = True
            yield warning(
                _name(each), "the operator has not acted on its newest form yet", "wait, or see the operator's check"
            )
        elif ready["status"] != "True" and ready["reason"] not in _AT_WORK:
            troubled = True
            yield warning(_name(each), f"{ready['reason']}: {ready['message']}", "mend what the message names")
    if count and not troubled:
        yield ok("custom resources", f"all {count} are Ready, or at work")
    elif not count:
        yield ok("custom resources", "there are none yet")


def _conditions(raw: Raw) -> list[Raw]:
    return [each for each in raw.get("status", {}).get("conditions") or () if isinstance(each, dict)]


def _condition(raw: Raw, kind: str) -> Raw | None:
    return next((each for each in _conditions(raw) if each.get("type") == kind), None)


def _name(raw: Raw) -> str:
    return f"{raw.get('kind')} {raw['metadata'].get('namespace')}/{raw['metadata']['name']}"


def _listed(names: list[str]) -> str:
    unique = list(dict.fromkeys(names))
    return unique[0] if len(unique) == 1 else f"{unique[0]} and {len(unique) - 1} more"
