"""The local Azure as a process beside the demo and the end-to-end tests."""

import asyncio
import json
import os
import ssl
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from arm_emulator.client import ControlClient
from dev.control_plane.child import Child
from dev.control_plane.errors import StartError
from dev.programs import start_program

_READY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Client:
    """Credentials of one of the local Azure's principals, as its ready line names them."""

    client_id: str
    client_secret: str
    name: str


class LocalAzure:
    """A running `arm-emulator serve`. `kill` and `start` again keep its port and, with a state file, all that it holds."""

    def __init__(
        self,
        folder: Path,
        *,
        estates: Sequence[Path] = (),
        speed: float,
        control: bool = True,
        options: Sequence[str] = (),
    ) -> None:
        """Nothing runs before `start`. ``folder`` receives the logs; ``options`` are more of the command line's."""
        self.folder = folder
        self._options = [f"--speed={speed:g}", *(f"--estate={estate}" for estate in estates), *options]
        self._options += ["--control"] * control
        self._listen = "127.0.0.1:0"
        self._child: Child | None = None
        self.ready: dict[str, Any] = {}
        self._log_lock = threading.Lock()
        self._log_read = 0
        self._requests: list[dict[str, Any]] = []

    @staticmethod
    def keep_state(folder: Path) -> str:
        """The option by which what it holds outlives the process."""
        return f"--state={folder / 'azure.sqlite'}"

    def start(self, *, patience: float = _READY_SECONDS) -> None:
        """Start it and wait until it serves, for at most so many seconds. Raises StartError with what it said if it ends instead."""
        before = len(self.said())
        arguments = ["serve", f"--listen={self._listen}", *self._options, f"--request-log={self.request_log_file}"]
        # Killed, it leaves its files of the moment behind: they go with the folder.
        environment = {**os.environ, "TMPDIR": str(self.folder)}
        self._child = start_program("arm-emulator", arguments, log=self._log, environment=environment)
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline and self._child.running:
            for line in self.said()[before:].splitlines():
                if line.startswith("{") and line.endswith("}"):
                    self.ready = json.loads(line)
                    self._listen = urlsplit(self.endpoint).netloc
                    return
            time.sleep(0.02)
        raise StartError(f"the local Azure did not start:\n{self._child.tail()}")

    def stop(self) -> int:
        """Ask it to end; returns its exit code."""
        return self._child.terminate() if self._child is not None else 0

    def kill(self) -> int:
        """End it as a crash would; returns its exit code."""
        return self._child.kill() if self._child is not None else 0

    def restart(self) -> None:
        """End it in order, and start it again."""
        self.stop()
        self.start()

    @property
    def pid(self) -> int:
        """The process. Raises StartError where none was started."""
        if self._child is None:
            raise StartError("the local Azure was not started")
        return self._child.pid

    @property
    def _log(self) -> Path:
        return self.folder / "arm-emulator.log"

    def said(self) -> str:
        """All that it wrote to stdout and stderr."""
        return self._log.read_text(encoding="utf-8", errors="replace") if self._log.exists() else ""

    @property
    def endpoint(self) -> str:
        """The resource manager's URL."""
        return str(self.ready["endpoint"])

    @property
    def authority(self) -> str:
        """The URL of its Entra."""
        return str(self.ready["authority"])

    @property
    def tenant_id(self) -> str:
        """The one tenant."""
        return str(self.ready["tenant_id"])

    @property
    def ca_file(self) -> str:
        """The certificate that its TLS is trusted by."""
        return str(self.ready["ca_file"])

    @property
    def managed_identity(self) -> dict[str, str]:
        """The environment variables by which a machine in Azure or an App Service finds its identity; needs ``--imds``."""
        return dict(self.ready["managed_identity"])

    @property
    def request_log_file(self) -> Path:
        """JSON lines, one for each request."""
        return self.folder / "azure-requests.jsonl"

    @property
    def clients(self) -> dict[str, Client]:
        """Its principals by name, such as ``operator`` or ``somebody``."""
        return {entry["name"]: Client(**entry) for entry in self.ready["clients"]}

    def ssl_context(self) -> ssl.SSLContext:
        """Trusts it and nothing else."""
        return ssl.create_default_context(cafile=self.ca_file)

    def environment(self) -> dict[str, str]:
        """What leads a program that uses the Azure SDKs here."""
        return {
            "AZURE_AUTHORITY_HOST": self.authority,
            "AZURE_RESOURCE_MANAGER_ENDPOINT": self.endpoint,
            "SSL_CERT_FILE": self.ca_file,
        }

    def control(self) -> ControlClient:
        """A client of the control side."""
        return ControlClient(self.endpoint, str(self.ready["control_token"]), self.ca_file)

    def request_log(self) -> list[dict[str, Any]]:
        """Every request that was answered so far. A line that is being written just now is for the next look."""
        with self._log_lock:
            if self.request_log_file.exists():
                with self.request_log_file.open("rb") as log:
                    log.seek(self._log_read)
                    whole, ended, _ = log.read().rpartition(b"\n")
                self._log_read += len(whole + ended)
                self._requests += [json.loads(line) for line in whole.split(b"\n") if line]
            return list(self._requests)

    def resources(self) -> dict[str, dict[str, Any]]:
        """Everything that stands, by lower-cased id. Not to be called from a running event loop."""

        async def read() -> list[dict[str, Any]]:
            async with self.control() as control:
                return await control.resources()

        return {str(resource["id"]).lower(): resource for resource in asyncio.run(read())}
