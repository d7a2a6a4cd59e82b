"""Clients that others wrote, as programs of their own against a local Azure. They fail where they cannot be had."""

import json
import logging
import os
import shlex
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dev.azure_cli import azure_cli
from dev.local_azure import LocalAzure
from dev.programs import program

LOG = logging.getLogger("clients")
SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
OTHER_SUBSCRIPTION = "00000000-0000-0000-0000-000000000002"
LONGEST = 600.0


class ClientError(AssertionError):
    """A client's program ended with an error; the message is what it said."""


def shown(command: str) -> str:
    """A command as it may be told: without a password, and not too long."""
    return command.partition(" --password")[0][:200]


def run(command: Sequence[str], environment: Mapping[str, str], folder: Path) -> str:
    """What a program prints on stdout; it is told in the log with its time. Raises ClientError."""
    started = time.monotonic()
    done = subprocess.run(
        command,
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=LONGEST,
        stdin=subprocess.DEVNULL,
    )
    LOG.info("%.1f s: %s", time.monotonic() - started, shown(shlex.join(command)))
    if done.returncode != 0:
        raise ClientError(f"{shown(shlex.join(command))} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return done.stdout


@dataclass(frozen=True)
class Az:
    """The real az, logged in to a local Azure as a custom cloud, with settings of its own."""

    azure: LocalAzure
    folder: Path
    environment: Mapping[str, str]

    def text(self, *arguments: str) -> str:
        return run(["az", *arguments], self.environment, self.folder)

    def __call__(self, *arguments: str) -> Any:
        """What a command answers, None for nothing. Raises ClientError."""
        said = self.text(*arguments, "--output", "json")
        return json.loads(said) if said.strip() else None

    def refusal(self, *arguments: str) -> str:
        """What a command that has to fail says."""
        with pytest.raises(ClientError) as caught:
            self.text(*arguments)
        return str(caught.value)

    def register(self) -> None:
        """Make the local Azure az's cloud."""
        self.text("config", "set", "core.instance_discovery=false", "core.collect_telemetry=false")
        self.text("cloud", "register", "--name=LocalAzure", f"--endpoint-resource-manager={self.azure.endpoint}")
        self.text("cloud", "set", "--name=LocalAzure")

    def log_in(self, *credentials: str) -> None:
        """Register the cloud and log in."""
        self.register()
        self.text("login", "--tenant", self.azure.tenant_id, *credentials)


def az_environment(folder: Path) -> dict[str, str]:
    """For az and arm-emulator by name, away from the user's own settings."""
    tools = [str(azure_cli(LOG.info)), str(Path(program("arm-emulator")).parent)]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AZURE_", "ARM_"))}
    return kept | {
        "PATH": os.pathsep.join([*tools, os.environ.get("PATH", os.defpath)]),
        "AZURE_CONFIG_DIR": str(folder / "azure-config"),
        "HOME": str(folder),
    }


def az_for(azure: LocalAzure, folder: Path) -> Az:
    """An az that trusts this Azure; it is not logged in yet."""
    return Az(azure, folder, az_environment(folder) | {"REQUESTS_CA_BUNDLE": azure.ca_file})


@pytest.fixture(scope="session")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAzure]:
    """Two subscriptions with nothing in them."""
    folder = tmp_path_factory.mktemp("azure")
    estate = folder / "estate.json"
    rows = [
        {"id": f"/subscriptions/{one}", "type": "microsoft.resources/subscriptions", "name": f"Local {one[-1]}"}
        for one in (SUBSCRIPTION, OTHER_SUBSCRIPTION)
    ]
    estate.write_text(json.dumps(rows))
    azure = LocalAzure(folder, estates=[estate], speed=100, options=["--min-retry-after=1", "--public-ip-quota=100"])
    azure.start()
    yield azure
    azure.kill()


@pytest.fixture(scope="session")
def az(azure: LocalAzure, tmp_path_factory: pytest.TempPathFactory) -> Az:
    """Logged in as somebody who may do everything."""
    az = az_for(azure, tmp_path_factory.mktemp("az"))
    client = azure.clients["somebody"]
    az.log_in("--service-principal", "--username", client.client_id, "--password", client.client_secret)
    return az
