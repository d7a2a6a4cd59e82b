"""Objects of this group on the API server: get, list, our finalizer, an annotation taken off.

Everything is keyed by what was read: an object of the same name that was made anew (another UID) is not touched.
"""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from bastion_operator.api.meta import API_VERSION, FINALIZER, CustomResource
from bastion_operator.kube.client import JSON_PATCH, KubeClient
from bastion_operator.kube.errors import ConflictError, ExpiredError, InvalidError, NotFoundError

Raw = dict[str, Any]
Patch = list[dict[str, Any]]

_PAGE = "250"
_TRIES = 5


def path_of(
    kind: type[CustomResource], namespace: str | None = None, name: str | None = None, subresource: str | None = None
) -> str:
    """The path of an object, of one of its subresources, or (without a name) of all objects of a kind."""
    parts = [f"/apis/{API_VERSION}"]
    if namespace:
        parts.append(f"namespaces/{quote(namespace, safe='')}")
    parts += [quote(part, safe="") for part in (kind.names.plural, name, subresource) if part]
    return "/".join(parts)


def path_of_object(kind: type[CustomResource], raw: Mapping[str, Any], subresource: str | None = None) -> str:
    """The path of an object that was read."""
    metadata = raw["metadata"]
    return path_of(kind, metadata.get("namespace"), metadata["name"], subresource)


async def get_object(client: KubeClient, kind: type[CustomResource], namespace: str | None, name: str) -> Raw:
    """The object as it is now. Raises NotFoundError and the other errors of ``kube.errors``."""
    return await client.request("GET", path_of(kind, namespace, name))


async def served_kinds(client: KubeClient) -> set[str]:
    """The plurals of this group that the API server serves. Raises NotFoundError if none of its CRDs is installed."""
    answer = await client.request("GET", f"/apis/{API_VERSION}")
    return {str(each["name"]) for each in answer["resources"]}


async def list_objects(client: KubeClient, kind: type[CustomResource], namespace: str | None = None) -> list[Raw]:
    """All objects of a kind, in one namespace or in all."""
    try:
        return await _list(client, path_of(kind, namespace), {"limit": _PAGE})
    except ExpiredError:
        # The list took longer than the server keeps old states: all of it in one answer.
        return await _list(client, path_of(kind, namespace), {})


async def _list(client: KubeClient, path: str, query: Mapping[str, str]) -> list[Raw]:
    objects: list[Raw] = []
    token = ""
    while True:
        answer = await client.request("GET", path, query={**query, "continue": token} if token else query)
        # The items of a list come without these two.
        kind = answer["kind"].removesuffix("List")
        objects += [{"apiVersion": answer["apiVersion"], "kind": kind, **item} for item in answer["items"]]
        token = answer["metadata"].get("continue", "")
        if not token:
            return objects


async def add_finalizer(client: KubeClient, kind: type[CustomResource], raw: Mapping[str, Any]) -> Raw:
    """Set the finalizer ``azurebastion.dev/cleanup``; returns the object as it is afterwards.

    No request if it is set already. Raises NotFoundError if the object is gone, and InvalidError if it is being
    deleted: the API server takes no new finalizer then.
    """
    return await _patch_metadata(client, kind, raw, _addition)


async def remove_finalizer(client: KubeClient, kind: type[CustomResource], raw: Mapping[str, Any]) -> Raw:
    """Take the finalizer off; returns the object as it is afterwards. No request if it is not set.

    Raises NotFoundError if the object is gone.
    """
    return await _patch_metadata(client, kind, raw, _removal)


# JSON patches whose tests pin the list as it was read: a finalizer that somebody else adds or removes in between makes
# the patch fail, and it is made again from a fresh read. A merge patch would write the whole list over theirs.
# Server-side apply would merge the list, but it creates an object that is gone, and leaves the finalizer where
# another applier has come to own it as well.


def _addition(metadata: Mapping[str, Any]) -> Patch:
    finalizers = metadata.get("finalizers") or []
    if FINALIZER in finalizers:
        return []
    if not finalizers:
        # A test against null holds only while there is no list.
        return [
            {"op": "test", "path": "/metadata/finalizers", "value": None},
            {"op": "add", "path": "/metadata/finalizers", "value": [FINALIZER]},
        ]
    return [
        {"op": "test", "path": "/metadata/finalizers", "value": finalizers},
        {"op": "add", "path": "/metadata/finalizers/-", "value": FINALIZER},
    ]


def _removal(metadata: Mapping[str, Any]) -> Patch:
    finalizers = metadata.get("finalizers") or []
    if FINALIZER not in finalizers:
        return []
    path = f"/metadata/finalizers/{finalizers.index(FINALIZER)}"
    return [{"op": "test", "path": path, "value": FINALIZER}, {"op": "remove", "path": path}]


async def _patch_metadata(
    client: KubeClient, kind: type[CustomResource], raw: Mapping[str, Any], change: Callable[[Mapping[str, Any]], Patch]
) -> Raw:
    """Make the patch from what was read; where the object has changed in between, from what it is now."""
    path, uid, sent = path_of_object(kind, raw), raw["metadata"]["uid"], None
    current = dict(raw)
    for _ in range(_TRIES):
        patch = change(current["metadata"])
        if not patch:
            return current
        if patch == sent:
            break
        sent = patch
        try:
            same_object = {"op": "test", "path": "/metadata/uid", "value": uid}
            return await client.request("PATCH", path, body=[same_object, *patch], content_type=JSON_PATCH)
        except (ConflictError, InvalidError) as error:
            refusal = error
            current = await client.request("GET", path)
        if current["metadata"]["uid"] != uid:
            raise NotFoundError(f"{path}: the object with UID {uid} is gone, another one has its name now")
    raise refusal
