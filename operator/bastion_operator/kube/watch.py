"""Which objects of a kind have changed since they were read, as the API server tells it.

Source: Kubernetes' page "API Concepts", "Efficient detection of changes".
"""

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass

from bastion_operator.api.meta import CustomResource
from bastion_operator.kube.client import KubeClient
from bastion_operator.kube.errors import ExpiredError
from bastion_operator.kube.resources import path_of

_METADATA_ONLY = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
_SERVED_SECONDS = 300
_SILENCE_SECONDS = 30.0
_DELETED, _ERROR, _BOOKMARK = "DELETED", "ERROR", "BOOKMARK"


@dataclass(frozen=True, slots=True)
class ObjectChange:
    """An object that is new or has changed, or is gone."""

    namespace: str
    name: str
    version: str
    gone: bool


async def watch_objects(
    client: KubeClient, kind: type[CustomResource], namespace: str | None = None
) -> AsyncIterator[ObjectChange]:
    """Every object once as it is at the start, then each change, until the server ends the watch (after some minutes).

    Only names and versions come; the objects are to be read. Raises ExpiredError where the server cannot go on, and the other
    errors of ``kube.errors``.
    """
    query = {"watch": "true", "timeoutSeconds": str(_SERVED_SECONDS)}
    events = client.stream(
        path_of(kind, namespace), query=query, accept=_METADATA_ONLY, seconds=_SERVED_SECONDS + _SILENCE_SECONDS
    )
    async with aclosing(events):
        async for event in events:
            what, told = event.get("type"), event.get("object") or {}
            if what == _ERROR:
                raise ExpiredError(str(told.get("message") or "the watch cannot go on"))
            if what != _BOOKMARK and "metadata" in told:
                metadata = told["metadata"]
                yield ObjectChange(
                    metadata.get("namespace", ""), metadata["name"], metadata["resourceVersion"], what == _DELETED
                )
