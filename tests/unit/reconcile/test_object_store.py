"""What wakes a pass, and who was first."""

from collections.abc import Mapping
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


def asks(raw: Mapping[str, Any]) -> list[str]:
    asked: list[str] = raw["spec"]["asks"]
    if not asked:
        raise ValueError("cannot be read")
    return asked


def test_who_asks_for_a_thing_is_found_by_it_as_long_as_the_spec_asks() -> None:
    store, rival = ObjectStore(), Key(Kind.BASTION_HOST, "team", "rival")
    other_kind = Key(Kind.VNET_PEERING, "team", "hub")

    def askers(*wanted: str) -> list[Key]:
        return [key for key, _, _ in store.askers(Kind.BASTION_HOST, wanted, asks)]

    store.seen(rival, raw(spec={"asks": ["/hosts/A", "/hosts/b"]}))
    store.seen(KEY, raw(spec={"asks": ["/Hosts/a"]}))
    store.seen(other_kind, raw(spec={"asks": ["/hosts/a"]}))
    assert askers("/hosts/a") == [KEY, rival]
    assert askers("/HOSTS/B", "/hosts/c") == [rival]
    store.seen(rival, raw(spec={"asks": ["/hosts/c"]}, generation=2))
    assert askers("/hosts/a", "/hosts/b") == [KEY]
    assert askers("/hosts/c") == [rival]
    store.seen(rival, raw(spec={"asks": []}, generation=3))
    assert askers("/hosts/c") == [], "one that cannot be read asks for nothing"
    store.seen(KEY, None)
    assert askers("/hosts/a") == []
    store.seen(KEY, raw(spec={"asks": ["/hosts/b"]}, uid="anew"))
    assert askers("/hosts/a", "/hosts/b") == [KEY]


def test_what_an_object_asks_for_is_read_once_for_each_generation() -> None:
    store, reads = ObjectStore(), list[Any]()

    def read(raw: Mapping[str, Any]) -> list[str]:
        reads.append(raw["metadata"]["generation"])
        return asks(raw)

    store.seen(KEY, raw(spec={"asks": ["/hosts/a"]}))
    for version in ("7", "8"):
        store.seen(KEY, raw(spec={"asks": ["/hosts/a"]}, resourceVersion=version))
        store.askers(Kind.BASTION_HOST, ["/hosts/a"], read)
        assert store.asked_for(Kind.BASTION_HOST, read)[0][2] == ["/hosts/a"]
    store.seen(KEY, raw(spec={"asks": ["/hosts/b"]}, generation=2))
    assert store.asked_for(Kind.BASTION_HOST, read)[0][2] == ["/hosts/b"]
    assert reads == [1, 2]


def test_those_that_look_for_their_spokes_are_known_by_their_specs() -> None:
    store, peering = ObjectStore(), Key(Kind.VNET_PEERING, "team", "hub")
    store.seen(peering, raw(spec={"spokes": []}))
    assert store.selecting() == []
    selecting = raw(spec={"spokeSelector": {}}, generation=2)
    store.seen(peering, selecting)
    assert store.selecting() == [(peering, selecting)]
    store.seen(peering, raw(generation=3))
    assert store.selecting() == []
    store.seen(peering, raw(spec={"spokeSelector": {}}, generation=4))
    store.seen(peering, None)
    assert store.selecting() == []
