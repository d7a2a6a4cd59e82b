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
from typing import Any
from urllib.parse import urlsplit

import pytest

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
