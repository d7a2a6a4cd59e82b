"""The local Azure as a process beside the demo and the end-to-end tests."""

import asyncio
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from arm_emulator.client import ControlClient
from dev.control_plane.child import Child
from dev.control_plane.errors import StartError
from dev.programs import program

_READY_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Principal:
    """Credentials of one of the local Azure's clients."""

    name: str
    client_id: str
    client_secret: str


class LocalAzure:
    """A running `arm-emulator serve`. `kill` and `start` again keep its port and, with `state`, all that it holds."""

    def __init__(self, folder: Path, *, estates: list[Path], speed: float, graph_lag: float = 2.0) -> None:
        """Nothing runs before `start`. ``folder`` receives the log, the request log and the state."""
        self._folder = folder
        self._estates = estates
        self._speed = speed
        self._graph_lag = graph_lag
        self._listen = "127.0.0.1:0"
        self._child: Child | None = None
        self.ready: dict[str, Any] = {}

    def start(self) -> None:
        """Start it and wait until it serves. Raises StartError with what it said if it ends instead."""
        log = self._folder / "arm-emulator.log"
        before = log.stat().st_size if log.exists() else 0
        command = [
            program("arm-emulator"),
            "serve",
            "--control",
            "--listen",
            self._listen,
            "--speed",
            f"{self._speed:g}",
        ]
        command += [f"--estate={estate}" for estate in self._estates]
        command += ["--state", str(self._folder / "azure.sqlite"), "--request-log", str(self.request_log_file)]
        command += ["--graph-lag", f"{self._graph_lag:g}"]
        self._child = Child.start(command, log=log)
        deadline = time.monotonic() + _READY_SECONDS
        while time.monotonic() < deadline and self._child.running:
            for line in log.read_bytes()[before:].splitlines():
                if line.startswith(b"{") and b'"endpoint"' in line:
                    self.ready = json.loads(line)
                    self._listen = urlsplit(self.endpoint).netloc
                    return
            time.sleep(0.05)
        raise StartError(f"the local Azure did not start:\n{self._child.tail()}")

    def stop(self) -> None:
        """Ask it to end."""
        if self._child is not None:
            self._child.terminate()

    def kill(self) -> None:
        """End it as a crash would."""
        if self._child is not None:
            self._child.kill()

    @property
    def endpoint(self) -> str:
        """The resource manager's URL."""
        return str(self.ready["endpoint"])

    @property
    def tenant_id(self) -> str:
        """The one tenant."""
        return str(self.ready["tenant_id"])

    @property
    def ca_file(self) -> str:
        """The certificate that its TLS is trusted by."""
        return str(self.ready["ca_file"])

    @property
    def request_log_file(self) -> Path:
        """JSON lines, one for each request."""
        return self._folder / "azure-requests.jsonl"

    def principal(self, name: str) -> Principal:
        """A client by its name, such as ``operator`` or ``somebody``."""
        entry = next(client for client in self.ready["clients"] if client["name"] == name)
        return Principal(**entry)

    def environment(self) -> dict[str, str]:
        """What leads a program that uses the Azure SDKs here."""
        return {
            "AZURE_AUTHORITY_HOST": str(self.ready["authority"]),
            "AZURE_RESOURCE_MANAGER_ENDPOINT": self.endpoint,
            "SSL_CERT_FILE": self.ca_file,
        }

    def control(self) -> ControlClient:
        """A client of the control side."""
        return ControlClient(self.endpoint, str(self.ready["control_token"]), self.ca_file)

    def request_log(self) -> list[dict[str, Any]]:
        """Every request that was answered so far."""
        if not self.request_log_file.exists():
            return []
        return [json.loads(line) for line in self.request_log_file.read_text(encoding="utf-8").splitlines()]

    def resources(self) -> dict[str, dict[str, Any]]:
        """Everything that stands, by lower-cased id. Not to be called from a running event loop."""

        async def read() -> list[dict[str, Any]]:
            async with self.control() as control:
                return await control.resources()

        return {str(resource["id"]).lower(): resource for resource in asyncio.run(read())}
