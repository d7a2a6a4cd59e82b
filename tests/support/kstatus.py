"""What kstatus (Flux, kpt, `kubectl wait`-like tools) makes of an object, and what it asks of whoever writes its status.

Rules: https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus/README.md and, for the conditions of an object whose
kind kstatus does not know, its source ``pkg/kstatus/status/generic.go`` and ``status.go``.
"""

from collections.abc import Iterator, Mapping
from typing import Any

Manifest = Mapping[str, Any]
# There only while they are True, so that tools that never heard of them are not misled.
ABNORMAL_TRUE = ("Reconciling", "Stalled")
NEVER_LOOKED_AT = -1
_OPERATOR = "bastion-operator"
OWN_FINALIZER = "azurebastion.dev/cleanup"


def kstatus(raw: Manifest) -> str:
    """``Terminating``, ``InProgress``, ``Failed`` or ``Current``, as kstatus computes it for a custom resource."""
    if raw["metadata"].get("deletionTimestamp"):
        return "Terminating"
    status = raw.get("status") or {}
    observed = status.get("observedGeneration")
    if observed is not None and observed != raw["metadata"]["generation"]:
        return "InProgress"
    conditions = {each["type"]: each["status"] for each in status.get("conditions", [])}
    if conditions.get("Reconciling") == "True":
        return "InProgress"
    if conditions.get("Stalled") == "True":
        return "Failed"
    if "Ready" in conditions:
        return "Current" if conditions["Ready"] == "True" else "InProgress"
    return "Current"


def violations(raw: Manifest) -> list[str]:
    """What is wrong with the status of an object of a kind that people write; empty where it conforms."""
    return list(_violations(raw["metadata"]["generation"], raw.get("status") or {}))


def _violations(generation: int, status: Manifest) -> Iterator[str]:
    observed = status.get("observedGeneration")
    listed = status.get("conditions", [])
    conditions = {each["type"]: each for each in listed}
    if observed is None:
        yield "status.observedGeneration is absent: nothing tells whether anybody has looked at the spec"
    elif observed > generation:
        yield f"status.observedGeneration is {observed}, which is after metadata.generation {generation}"
    if len(conditions) < len(listed):
        yield "a type of condition is there twice"
    if observed in {None, NEVER_LOOKED_AT}:
        return
    if "Ready" not in conditions:
        yield "Ready is absent though the object was looked at"
    for each in listed:
        if each["type"] in ABNORMAL_TRUE and each["status"] != "True":
            yield f"{each['type']} is there and {each['status']}"
        if each["observedGeneration"] != observed:
            yield f"{each['type']} is of generation {each['observedGeneration']} and the status of {observed}"
        if not each["message"] or not each["reason"]:
            yield f"{each['type']} tells no reason"
    if all(name in conditions for name in ABNORMAL_TRUE):
        yield "Reconciling and Stalled are there at once"
    if conditions.get("Ready", {}).get("status") == "True":
        for name in set(ABNORMAL_TRUE) & conditions.keys():
            yield f"Ready is True beside {name}"


def foreign_fields(raw: Manifest) -> list[str]:
    """Fields of an object that people wrote which the operator has come to own: a GitOps tool would see them differ.

    Its status and its finalizer are none: no manifest has them.
    """
    found = []
    for entry in raw["metadata"].get("managedFields", []):
        if entry["manager"] != _OPERATOR or entry.get("subresource") == "status":
            continue
        found += [each for each in _paths(entry.get("fieldsV1") or {}) if each not in _EXPECTED]
    return found


_EXPECTED = {"f:metadata/f:finalizers", f'f:metadata/f:finalizers/v:"{OWN_FINALIZER}"'}


def _paths(fields: Manifest, prefix: str = "") -> Iterator[str]:
    for name, below in fields.items():
        if name == ".":
            continue
        path = f"{prefix}/{name}" if prefix else name
        if not below:
            yield path
        yield from _paths(below, path)
