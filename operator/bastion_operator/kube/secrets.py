"""The Secret that an AzureIdentity names, in the operator's own namespace."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from bastion_operator.kube.client import KubeClient
from bastion_operator.kube.errors import InvalidError


@dataclass(frozen=True, slots=True)
class Secret:
    """A Secret's values by key, decoded. They are in no repr, so that no log and no traceback shows them."""

    namespace: str
    name: str
    resource_version: str
    data: Mapping[str, bytes] = field(repr=False)


async def read_secret(client: KubeClient, namespace: str, name: str) -> Secret:
    """Read one Secret. Raises NotFoundError, ForbiddenError and the other errors of ``kube.errors``."""
    path = f"/api/v1/namespaces/{quote(namespace, safe='')}/secrets/{quote(name, safe='')}"
    return decode_secret(await client.request("GET", path))


def decode_secret(raw: Mapping[str, Any]) -> Secret:
    """A Secret from the API server's JSON. Raises InvalidError, without the value, for what is not base64."""
    metadata = raw["metadata"]
    data = {}
    for key, value in (raw.get("data") or {}).items():
        try:
            data[key] = base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            # from None: the error's own text could show a part of the value.
            raise InvalidError(
                f"Secret {metadata['namespace']}/{metadata['name']}: the value of {key} is not base64"
            ) from None
    return Secret(metadata["namespace"], metadata["name"], metadata.get("resourceVersion", ""), data)
