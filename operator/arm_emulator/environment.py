"""The environment variables by which clients find a running emulator, made from its ready line."""

import json
import shlex
from pathlib import Path


class ReadyLineError(Exception):
    """A file that holds no ready line, or one without the client that is asked for."""


def exports(path: Path, client: str | None) -> str:
    """Shell lines that export what azure-identity, the SDKs and `az` read; `client` is a principal's name, else the first.

    Raises ReadyLineError.
    """
    try:
        ready = json.loads(path.read_text(encoding="utf-8"))
        found = [one for one in ready["clients"] if client in (None, one["name"])]
        variables = {
            "AZURE_AUTHORITY_HOST": ready["authority"],
            "AZURE_RESOURCE_MANAGER_ENDPOINT": ready["endpoint"],
            "AZURE_TENANT_ID": ready["tenant_id"],
            "REQUESTS_CA_BUNDLE": ready["ca_file"],
            "SSL_CERT_FILE": ready["ca_file"],
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ReadyLineError(f"{path}: holds no ready line of `arm-emulator serve`: {error}") from error
    if not found:
        names = ", ".join(one["name"] for one in ready["clients"])
        raise ReadyLineError(f"{path}: there is no client {client!r}: {names}")
    variables["AZURE_CLIENT_ID"] = found[0]["client_id"]
    variables["AZURE_CLIENT_SECRET"] = found[0]["client_secret"]
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in sorted(variables.items()))
