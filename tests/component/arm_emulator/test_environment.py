"""What leads other programs to the emulator: `arm-emulator env`, a least Retry-After, slashes as `az resource` writes them."""

import json
import subprocess
from pathlib import Path

import pytest

from dev.local_azure import LocalAzure
from dev.programs import run_program
from tests.component.arm_emulator.conftest import SUB, subscription
from tests.support.azure import AzureFactory, Wire


def exported(ready: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return run_program("arm-emulator", ["env", str(ready), *options], timeout=60)


@pytest.fixture
def ready(shared: LocalAzure, tmp_path: Path) -> Path:
    path = tmp_path / "ready.json"
    path.write_text(json.dumps(shared.ready))
    return path


def test_a_shell_gets_what_clients_read(shared: LocalAzure, ready: Path) -> None:
    said = exported(ready, "--client", "somebody").stdout
    shell = subprocess.run(["bash", "-c", f"{said} env"], capture_output=True, text=True, check=True).stdout
    variables = dict(line.split("=", 1) for line in shell.splitlines() if "=" in line)
    client = shared.clients["somebody"]
    assert variables["AZURE_CLIENT_ID"] == client.client_id
    assert variables["AZURE_CLIENT_SECRET"] == client.client_secret
    assert variables["AZURE_TENANT_ID"] == shared.tenant_id
    assert variables["AZURE_AUTHORITY_HOST"] == shared.authority
    assert variables["AZURE_RESOURCE_MANAGER_ENDPOINT"] == shared.endpoint
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"):
        assert variables[name] == shared.ca_file


def test_without_a_name_it_is_the_first_client(shared: LocalAzure, ready: Path) -> None:
    assert f"AZURE_CLIENT_ID={shared.ready['clients'][0]['client_id']}" in exported(ready).stdout


@pytest.mark.parametrize("content", ["", "[]", "{}", "5", '{"clients": 5}', '{"clients": [{}]}', '{"clients": []}'])
def test_a_file_without_a_ready_line_exits_2_with_one_line(tmp_path: Path, content: str) -> None:
    path = tmp_path / "ready.json"
    path.write_text(content)
    ended = exported(path)
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (2, "", 1)
    assert "holds no ready line" in ended.stderr


def test_a_client_that_is_not_there_is_told_with_those_that_are(ready: Path) -> None:
    ended = exported(ready, "--client", "nobody")
    assert ended.returncode == 2
    assert "there is no client 'nobody': operator, somebody, reader" in ended.stderr


@pytest.mark.parametrize(("least", "expected"), [(0, "0"), (1, "1"), (7, "7")])
async def test_retry_after_has_a_least_value(azure_factory: AzureFactory, least: int, expected: str) -> None:
    azure = azure_factory([subscription()], speed=100, min_retry_after=least)
    group = f"/subscriptions/{SUB}/resourceGroups/rg"
    async with Wire(azure) as wire:
        await wire.call("PUT", group, {"location": "westeurope"})
        body = {"location": "westeurope", "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}}
        _, _, headers = await wire.call("PUT", f"{group}/providers/Microsoft.Network/virtualNetworks/hub", body)
    assert headers["Retry-After"] == expected


async def test_several_slashes_are_read_as_one(wire: Wire, group: str) -> None:
    status, body, _ = await wire.call("GET", f"{group}/providers/Microsoft.Network//virtualNetworks/none")
    assert (status, body["error"]["code"]) == (404, "ResourceNotFound")
    assert (await wire.call("GET", group.replace("/resourceGroups", "//resourceGroups")))[0] == 200
