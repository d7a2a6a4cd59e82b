"""What wakes a pass, and who was first."""

from typing import Any

import pytest

from bastion_operator.api.meta import ALLOW_PLAN, FINALIZER, RECONCILE_REQUESTED_AT, RECREATE_FAILED
from bastion_operator.reconcile.access import refuse_conflict
from bastion_operator.reconcile.keys import Key, Kind
from bastion_operator.reconcile.object_store import ObjectStore

KEY = Key(Kind.BASTION_HOST, "team", "hub")


def raw(*, spec: dict[str, Any] | None = None, status: dict[str, Any] | None = None, **metadata: Any) -> dict[str, Any]:
    identified = {
        "name": "hub",
        "namespace": "team",
        "uid": "1",
        "generation": 1,
        "creationTimestamp": "2026-01-01T00:00:00Z",
    }
    return {"metadata": identified | metadata, "spec": spec or {}, "status": status or {}}


@pytest.mark.parametrize(
    "change",
    [
        {"generation": 2},
        {"deletionTimestamp": "2026-01-02T00:00:00Z"},
        {"annotations": {RECONCILE_REQUESTED_AT: "now"}},
        {"annotations": {RECREATE_FAILED: "7"}},
        {"annotations": {ALLOW_PLAN: "0123456789abcdef"}},
        {"uid": "2"},
    ],
)
def test_a_change_that_somebody_made_wakes(change: dict[str, Any]) -> None:
    store = ObjectStore()
    assert store.seen(KEY, raw())
    assert store.seen(KEY, raw(**change))
    assert not store.seen(KEY, raw(**change))


@pytest.mark.parametrize(
    "own",
    [
        raw(status={"conditions": []}, resourceVersion="9"),
        raw(finalizers=[FINALIZER]),
        raw(annotations={"somebody.else/annotation": "1"}),
    ],
)
def test_the_operators_own_writes_wake_nothing(own: dict[str, Any]) -> None:
    store = ObjectStore()
    store.seen(KEY, raw())
    assert not store.seen(KEY, own)


def test_an_object_that_went_wakes_once() -> None:
    store = ObjectStore()
    store.seen(KEY, raw())
    assert store.seen(KEY, None)
    assert not store.seen(KEY, None)
    assert not store.known(KEY)


def test_users_of_an_identity_are_found_by_name_default_included() -> None:
    store = ObjectStore()
    named = Key(Kind.VNET_PEERING, "team", "named")
    store.seen(KEY, raw())
    store.seen(named, raw(spec={"identityRef": {"name": "other"}}))
    store.seen(Key(Kind.AZURE_IDENTITY, "", "default"), raw())
    assert store.using_identity("default") == [KEY]
    assert store.using_identity("other") == [named]


def test_the_older_has_what_both_ask_for_and_of_the_same_age_the_lower_uid() -> None:
    younger = raw(creationTimestamp="2026-02-01T00:00:00Z", uid="0")
    twin = raw(uid="2")
    rival = Key(Kind.BASTION_HOST, "team", "rival")

    def refused(own: dict[str, Any], other: dict[str, Any]) -> bool:
        return refuse_conflict(KEY, own, ["/Hosts/A"], [(rival, other, ["/hosts/a"])]) is not None

    assert refused(younger, raw())
    assert not refused(raw(), younger)
    assert refused(twin, raw())
    assert not refused(raw(), twin)
    assert refuse_conflict(KEY, younger, ["/hosts/b"], [(rival, raw(), ["/hosts/a"])]) is None
