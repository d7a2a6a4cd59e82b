"""The local Azure as tests use it: a real `arm-emulator serve` process, on a free port, that dies with the test run."""

import json
import signal
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import aiohttp
import pytest
import yarl
from multidict import CIMultiDictProxy

from arm_emulator.client import ControlClient

READY_SECONDS = 30


@dataclass(frozen=True)
class Client:
    """The credentials of one principal."""

    client_id: str
    client_secret: str
    name: str


@dataclass
class LocalAzure:
    """A running emulator. `stop`, `kill` (SIGKILL) and `start` again keep port and state."""

    folder: Path
    arguments: list[str]
    control_enabled: bool = True
    ready: dict[str, Any] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    _listen: str = "127.0.0.1:0"

    @property
    def endpoint(self) -> str:
        return str(self.ready["endpoint"])

    @property
    def authority(self) -> str:
        return str(self.ready["authority"])

    @property
    def ca_file(self) -> str:
        return str(self.ready["ca_file"])

    @property
    def tenant_id(self) -> str:
        return str(self.ready["tenant_id"])

    @property
    def clients(self) -> dict[str, Client]:
        return {entry["name"]: Client(**entry) for entry in self.ready["clients"]}

    @property
    def log_file(self) -> Path:
        return self.folder / "requests.jsonl"

    def ssl_context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.ca_file)

    def control(self) -> ControlClient:
        """A client for the control side; close it, or use it in `async with`."""
        return ControlClient(self.endpoint, str(self.ready["control_token"]), self.ca_file)

    def start(self) -> None:
        command = [sys.executable, "-m", "arm_emulator", "serve", "--listen", self._listen, *self.arguments]
        command += ["--request-log", str(self.log_file), "--exit-with-parent", *(["--control"] * self.control_enabled)]
        with (self.folder / "stderr.txt").open("ab") as errors:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the emulator did not start: {(self.folder / 'stderr.txt').read_text()}")
        self.ready = json.loads(line)
        self._listen = urlsplit(self.endpoint).netloc

    def stop(self) -> int:
        """SIGTERM; returns the exit code."""
        return self._end(signal.SIGTERM)

    def kill(self) -> int:
        """SIGKILL, as a crash would be."""
        return self._end(signal.SIGKILL)

    def restart(self) -> None:
        self.stop()
        self.start()

    def _end(self, number: signal.Signals) -> int:
        if self.process is None:
            return 0
        with suppress(ProcessLookupError):
            self.process.send_signal(number)
        code = self.process.wait(timeout=10)
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.process = None
        return code

    def request_log(self) -> list[dict[str, Any]]:
        lines = self.log_file.read_text().splitlines() if self.log_file.exists() else []
        return [json.loads(line) for line in lines]

    def stderr(self) -> str:
        return (self.folder / "stderr.txt").read_text()


@dataclass
class Wire:
    """Plain HTTP to a running emulator, as one principal."""

    azure: LocalAzure
    name: str = "somebody"
    session: aiohttp.ClientSession | None = None
    token: str | None = None

    async def __aenter__(self) -> Self:
        self.session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=self.azure.ssl_context()))
        return self

    async def __aexit__(self, *_error: object) -> None:
        if self.session is not None:
            await self.session.close()

    async def grant(self, tenant: str | None = None, **changed: str) -> tuple[int, dict[str, Any]]:
        """A token request with client credentials; returns status and body."""
        client = self.azure.clients[self.name]
        form = {
            "grant_type": "client_credentials",
            "client_id": client.client_id,
            "client_secret": client.client_secret,
            "scope": "https://management.azure.com/.default",
            **changed,
        }
        url = f"{self.azure.authority}/{tenant or self.azure.tenant_id}/oauth2/v2.0/token"
        assert self.session is not None
        async with self.session.post(url, data=form) as response:
            return response.status, await response.json()

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        data: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, Any, "CIMultiDictProxy[str]"]:
        """Status, body (None where empty) and headers of the answer; `path` may be a whole URL."""
        if self.token is None:
            _, answer = await self.grant()
            self.token = str(answer["access_token"])
        url = path if path.startswith("https://") else self.azure.endpoint + path
        if "api-version=" not in url:
            version = (
                "2026-03-01"
                if "Microsoft.Network" in url
                else "2024-07-01"
                if "Microsoft.Compute" in url
                else "2024-11-01"
            )
            url += ("&" if "?" in url else "?") + f"api-version={version}"
        assert self.session is not None
        sent = headers if headers is not None else {"Authorization": f"Bearer {self.token}"}
        async with self.session.request(
            method, yarl.URL(url, encoded=True), json=body, data=data, headers=sent
        ) as response:
            text = await response.read()
            return response.status, json.loads(text) if text else None, response.headers


AzureFactory = Callable[..., LocalAzure]


@pytest.fixture
def azure_factory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AzureFactory]:
    """`azure_factory(estate, speed=…, control=…, **options)`: options are the command line's, `graph_lag=0` and so on.

    `state=True` keeps the state over restarts; `throttling=False` is `--no-throttling`; without `start=False` it runs.
    """
    started: list[LocalAzure] = []

    def make(
        estate: list[dict[str, Any]] | None = None, *, speed: float = 1000, control: bool = True, **options: Any
    ) -> LocalAzure:
        folder = tmp_path_factory.mktemp("azure")
        arguments = ["--speed", str(speed)]
        if estate is not None:
            (folder / "estate.json").write_text(json.dumps(estate))
            arguments += ["--estate", str(folder / "estate.json")]
        if options.pop("state", False):
            arguments += ["--state", str(folder / "state.sqlite")]
        if options.pop("throttling", True) is False:
            arguments += ["--no-throttling"]
        for name, value in options.items():
            arguments += [f"--{name.replace('_', '-')}", str(value)]
        azure = LocalAzure(folder, arguments, control)
        started.append(azure)
        azure.start()
        return azure

    yield make
    for azure in started:
        azure.kill()


@pytest.fixture
def azure(azure_factory: AzureFactory) -> LocalAzure:
    """An empty Azure in which waiting takes next to no time."""
    return azure_factory()
