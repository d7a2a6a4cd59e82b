"""The checker that every status of the end-to-end tests goes through: it lets nothing by that would mislead a GitOps tool."""

from typing import Any

import pytest

from tests.support.kstatus import foreign_fields, kstatus, violations


def condition(kind: str, status: str, **changes: Any) -> dict[str, Any]:
    return {"type": kind, "status": status, "reason": "Some", "message": "words", "observedGeneration": 2, **changes}


def thing(*conditions: dict[str, Any], observed: int | None = 2, **metadata: Any) -> dict[str, Any]:
    status = {"conditions": list(conditions), **({} if observed is None else {"observedGeneration": observed})}
    return {"metadata": {"generation": 2, **metadata}, "spec": {}, "status": status}


READY, NOT_READY = condition("Ready", "True"), condition("Ready", "False")
RECONCILING, STALLED = condition("Reconciling", "True"), condition("Stalled", "True")


@pytest.mark.parametrize(
    ("raw", "computed"),
    [
        (thing(observed=-1), "InProgress"),
        (thing(condition("Ready", "True", observedGeneration=1), observed=1), "InProgress"),
        (thing(READY), "Current"),
        (thing(NOT_READY), "InProgress"),
        (thing(condition("Ready", "Unknown")), "InProgress"),
        (thing(NOT_READY, RECONCILING), "InProgress"),
        (thing(NOT_READY, STALLED), "Failed"),
        (thing(READY, deletionTimestamp="2026-01-01T00:00:00Z"), "Terminating"),
    ],
)
def test_what_conforms_is_let_by_and_reads_as_kstatus_computes_it(raw: dict[str, Any], computed: str) -> None:
    assert violations(raw) == []
    assert kstatus(raw) == computed


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (thing(observed=None), "observedGeneration is absent"),
        (thing(READY, observed=3), "after metadata.generation"),
        (thing(READY, READY), "there twice"),
        (thing(condition("Accepted", "True")), "Ready is absent"),
        (thing(READY, condition("Stalled", "False")), "Stalled is there and False"),
        (thing(condition("Ready", "True", observedGeneration=1)), "Ready is of generation 1"),
        (thing(condition("Ready", "False", message="")), "tells no reason"),
        (thing(NOT_READY, RECONCILING, STALLED), "at once"),
        (thing(READY, RECONCILING), "Ready is True beside Reconciling"),
    ],
)
def test_what_does_not_conform_is_named(raw: dict[str, Any], says: str) -> None:
    assert any(says in each for each in violations(raw)), violations(raw)


def test_fields_that_the_operator_has_come_to_own_are_found_beside_its_status_and_finalizer() -> None:
    finalizer: dict[str, Any] = {"f:metadata": {"f:finalizers": {".": {}, 'v:"azurebastion.dev/cleanup"': {}}}}
    own = [
        {"manager": "kubectl", "fieldsV1": {"f:spec": {"f:sku": {}}}},
        {"manager": "bastion-operator", "subresource": "status", "fieldsV1": {"f:status": {"f:sku": {}}}},
        {"manager": "bastion-operator", "fieldsV1": finalizer},
    ]
    assert foreign_fields(thing(READY, managedFields=own)) == []
    others: list[dict[str, Any]] = [
        {"f:spec": {"f:sku": {}}},
        {"f:metadata": {"f:annotations": {"f:azurebastion.dev/x": {}}}},
    ]
    for fields in others:
        entry = {"manager": "bastion-operator", "fieldsV1": fields}
        assert len(foreign_fields(thing(READY, managedFields=[*own, entry]))) == 1
