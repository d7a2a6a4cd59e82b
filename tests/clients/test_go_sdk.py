"""The unmodified Go SDKs: the tests in tests/clients/go, built and run against a local Azure."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev.control_plane.toolchain import find_go, go_environment
from dev.local_azure import LocalAzure
from tests.clients.conftest import LOG, LONGEST, SUBSCRIPTION

pytestmark = [pytest.mark.clients, pytest.mark.timeout(1800)]
MODULE = Path(__file__).parent / "go"
LONGEST_BUILD = 1500.0


def said(command: list[str], environment: dict[str, str], seconds: float, *, telling: str = "") -> str:
    """What a program writes while it ends well; lines that start with `telling` are told at once."""
    with subprocess.Popen(
        command, env=environment, cwd=MODULE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as started:
        assert started.stdout is not None
        lines = []
        for line in started.stdout:
            lines.append(line)
            if line.startswith(telling):
                LOG.info("%s", line.rstrip())
        assert started.wait(timeout=seconds) == 0, "".join(lines)
    return "".join(lines)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tests as a program. The SDK of Azure's network is large: its first build takes minutes."""
    go = find_go((1, 25, 0), os.environ)
    built = tmp_path_factory.mktemp("go") / "local_azure.test"
    LOG.info("building tests/clients/go with %s: a minute or more the first time", go)
    environment = go_environment(os.environ, bundled=go.bundled)
    said([str(go.path), "test", "-c", "-vet=off", "-o", str(built), "."], environment, LONGEST_BUILD)
    return built


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAzure]:
    """With one principal that has a secret and is the machine's managed identity as well."""
    folder = tmp_path_factory.mktemp("azure")
    estate, principals = folder / "estate.json", folder / "principals.json"
    subscription = {"id": f"/subscriptions/{SUBSCRIPTION}", "type": "microsoft.resources/subscriptions", "name": "one"}
    estate.write_text(json.dumps([subscription]))
    app = {"name": "app", "assignments": [{"role": "Owner"}], "managed_identity": "SystemAssigned"}
    principals.write_text(json.dumps([app]))
    options = [f"--principals={principals}", "--imds=127.0.0.1:0", "--public-ip-quota=100"]
    azure = LocalAzure(folder, estates=[estate], speed=100, options=options)
    azure.start()
    yield azure
    azure.kill()


def test_the_go_sdks_take_it_for_azure(program: Path, azure: LocalAzure) -> None:
    client = azure.clients["app"]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AZURE_", "IDENTITY_", "MSI_"))}
    environment = {
        **kept,
        **azure.environment(),
        "AZURE_TENANT_ID": azure.tenant_id,
        "AZURE_CLIENT_ID": client.client_id,
        "AZURE_CLIENT_SECRET": client.client_secret,
        "LOCAL_AZURE_CONTROL_TOKEN": str(azure.ready["control_token"]),
        **{name: azure.managed_identity[name] for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER")},
    }
    told = said([str(program), "-test.v", "-test.timeout=5m"], environment, LONGEST, telling="---")
    written = re.findall(r"^func (Test\w+)\(", (MODULE / "local_azure_test.go").read_text(), re.MULTILINE)
    assert re.findall(r"^--- PASS: (\w+)", told, re.MULTILINE) == written
    challenged = [entry for entry in azure.request_log() if entry["status"] == 401 and "/providers/" in entry["url"]]
    assert challenged, "the revoked token was never used"
