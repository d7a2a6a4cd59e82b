"""Resources as sentences name them: by kind and name, where the whole id would only make the sentence unreadable."""

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


def _one(kind: str, name: str) -> str:
    return f"{_KINDS.get(kind.lower(), kind)} {name}"
