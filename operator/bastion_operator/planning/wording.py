"""Resources and values as sentences have them: a resource by kind and name, where the whole id would only make the sentence
unreadable, a value as Azure's JSON writes it.
"""

import json
from collections.abc import Mapping
from typing import Any

_KINDS = {
    "virtualnetworks": "virtual network",
    "subnets": "subnet",
    "virtualnetworkpeerings": "peering",
    "bastionhosts": "Bastion host",
    "publicipaddresses": "public IP",
    "networksecuritygroups": "network security group",
    "securityrules": "security rule",
    "diagnosticsettings": "diagnostic setting",
    "workspaces": "workspace",
}
_CHILD_SEGMENTS = 4


def named(resource_id: str) -> str:
    """``Bastion host bas``, or ``peering to-hub of virtual network spoke``; an id of another shape as it is."""
    provider, found, tail = resource_id.rpartition("/providers/")
    segments = tail.split("/")[1:]
    if not found or not provider or len(segments) % 2 or not segments:
        return resource_id
    own = _one(*segments[-2:])
    return f"{own} of {_one(*segments[-4:-2])}" if len(segments) >= _CHILD_SEGMENTS else own


def shown(value: Any) -> str:
    """``true``, ``["22", "3389"]``, or a text as it is; ``unset`` for None."""
    if value is None:
        return "unset"
    structured = isinstance(value, (bool, list, tuple, Mapping))
    return json.dumps(value, ensure_ascii=False, default=str) if structured else str(value)


def _one(kind: str, name: str) -> str:
    return f"{_KINDS.get(kind.lower(), kind)} {name}"
