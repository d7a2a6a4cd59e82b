"""The environment variables by which clients find a running emulator, made from its ready line."""

import json
import shlex
from pathlib import Path

from arm_emulator.errors import Json


class ReadyLineError(Exception):
    """A file that holds no ready line, or one without the client that is asked for."""


def exports(path: Path, client: str | None) -> str:
    """Shell lines that export what azure-identity, the SDKs and `az` read; `client` is a principal's name, else the first.

    Raises ReadyLineError.
    """
    try:
        ready = json.loads(path.read_text(encoding="utf-8"))
        environments = {one["name"]: _variables(ready, one) for one in ready["clients"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ReadyLineError(f"{path}: holds no ready line of `arm-emulator serve`: {error!r}") from error
    if not environments:
        raise ReadyLineError(f"{path}: holds no ready line of `arm-emulator serve` with a client")
    found = environments.get(client or next(iter(environments)))
    if found is None:
        raise ReadyLineError(f"{path}: there is no client {client!r}: {', '.join(environments)}")
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in found.items())


def _variables(ready: Json, client: Json) -> dict[str, str]:
    return {
        "AZURE_AUTHORITY_HOST": str(ready["authority"]),
        "AZURE_CLIENT_ID": str(client["client_id"]),
        "AZURE_CLIENT_SECRET": str(client["client_secret"]),
        "AZURE_RESOURCE_MANAGER_ENDPOINT": str(ready["endpoint"]),
        "AZURE_TENANT_ID": str(ready["tenant_id"]),
        "NODE_EXTRA_CA_CERTS": str(ready["ca_file"]),
        "REQUESTS_CA_BUNDLE": str(ready["ca_file"]),
        "SSL_CERT_FILE": str(ready["ca_file"]),
    }
