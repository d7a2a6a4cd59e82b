"""Reading objects, and changes of metadata that leave alone what belongs to others."""

import asyncio
from typing import Any

import pytest

from bastion_operator.api import BastionHost
from bastion_operator.api.meta import FINALIZER
from bastion_operator.kube.client import MERGE_PATCH
from bastion_operator.kube.errors import InvalidError, NotFoundError
from bastion_operator.kube.resources import (
    add_finalizer,
    get_object,
    list_objects,
    path_of,
    remove_finalizer,
)
from tests.support.crd_examples import host
from tests.support.kube import RecordingClient

pytestmark = pytest.mark.usefixtures("crds_served")

OTHERS = "example.com/hold"


async def create(kube: RecordingClient, namespace: str, name: str = "example", **metadata: Any) -> dict[str, Any]:
    """Create a BastionHost."""
    body = host(name=name)
    body["metadata"] |= metadata
    return await kube.request("POST", path_of(BastionHost, namespace), body=body)


async def set_finalizers(kube: RecordingClient, raw: dict[str, Any], finalizers: list[str]) -> None:
    """What somebody else may do."""
    path = path_of(BastionHost, raw["metadata"]["namespace"], raw["metadata"]["name"])
    await kube.request("PATCH", path, body={"metadata": {"finalizers": finalizers}}, content_type=MERGE_PATCH)


async def test_a_long_list_comes_in_pages_and_whole(kube: RecordingClient, namespace: str) -> None:
    names = [f"host-{number:03}" for number in range(260)]
    for start in range(0, len(names), 20):
        await asyncio.gather(*(create(kube, namespace, name) for name in names[start : start + 20]))
    kube.sent.clear()
    objects = await list_objects(kube, BastionHost, namespace)
    assert [raw["metadata"]["name"] for raw in objects] == names
    assert {(raw["apiVersion"], raw["kind"]) for raw in objects} == {("azurebastion.dev/v1beta1", "BastionHost")}
    assert len(kube.sent) == 2


async def test_one_object(kube: RecordingClient, namespace: str) -> None:
    created = await create(kube, namespace)
    assert await get_object(kube, BastionHost, namespace, "example") == created


class TestTheFinalizer:
    async def test_it_is_set_once(self, kube: RecordingClient, namespace: str) -> None:
        raw = await add_finalizer(kube, BastionHost, await create(kube, namespace))
        assert raw["metadata"]["finalizers"] == [FINALIZER]
        kube.sent.clear()
        assert await add_finalizer(kube, BastionHost, raw) == raw
        assert kube.sent == []

    async def test_it_joins_those_of_others(self, kube: RecordingClient, namespace: str) -> None:
        raw = await add_finalizer(kube, BastionHost, await create(kube, namespace, finalizers=[OTHERS]))
        assert raw["metadata"]["finalizers"] == [OTHERS, FINALIZER]

    @pytest.mark.parametrize("before", [[], ["example.com/first"]])
    async def test_one_that_somebody_adds_in_between_stays(
        self, kube: RecordingClient, namespace: str, before: list[str]
    ) -> None:
        stale = await create(kube, namespace, finalizers=before)
        await set_finalizers(kube, stale, [*before, OTHERS])
        raw = await add_finalizer(kube, BastionHost, stale)
        assert raw["metadata"]["finalizers"] == [*before, OTHERS, FINALIZER]

    async def test_it_is_taken_off_alone_and_the_object_can_go(self, kube: RecordingClient, namespace: str) -> None:
        stale = await create(kube, namespace, finalizers=[FINALIZER, OTHERS])
        await set_finalizers(kube, stale, [OTHERS, FINALIZER])
        raw = await remove_finalizer(kube, BastionHost, stale)
        assert raw["metadata"]["finalizers"] == [OTHERS]
        kube.sent.clear()
        assert await remove_finalizer(kube, BastionHost, raw) == raw
        assert kube.sent == []

    async def test_a_deletion_ends_with_it(self, kube: RecordingClient, namespace: str) -> None:
        await create(kube, namespace, finalizers=[FINALIZER])
        path = path_of(BastionHost, namespace, "example")
        await kube.request("DELETE", path)
        deleting = await get_object(kube, BastionHost, namespace, "example")
        await remove_finalizer(kube, BastionHost, deleting)
        with pytest.raises(NotFoundError):
            await get_object(kube, BastionHost, namespace, "example")

    async def test_it_is_not_set_on_what_is_being_deleted(self, kube: RecordingClient, namespace: str) -> None:
        raw = await create(kube, namespace, finalizers=[OTHERS])
        await kube.request("DELETE", path_of(BastionHost, namespace, "example"))
        with pytest.raises(InvalidError, match="no new finalizers can be added if the object is being deleted"):
            await add_finalizer(kube, BastionHost, raw)
        await set_finalizers(kube, raw, [])

    async def test_another_object_of_the_same_name_is_not_touched(self, kube: RecordingClient, namespace: str) -> None:
        gone = await create(kube, namespace)
        await kube.request("DELETE", path_of(BastionHost, namespace, "example"))
        with pytest.raises(NotFoundError):
            await add_finalizer(kube, BastionHost, gone)
        again = await create(kube, namespace)
        with pytest.raises(NotFoundError, match="another one has its name now"):
            await add_finalizer(kube, BastionHost, gone)
        assert await get_object(kube, BastionHost, namespace, "example") == again
