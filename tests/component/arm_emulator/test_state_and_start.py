"""Starting, estate files, and what survives the end of the process."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from dev.programs import run_program
from tests.component.arm_emulator.conftest import SUB, subscription
from tests.support.arm import network_body
from tests.support.azure import AzureFactory, Wire

GROUP = f"/subscriptions/{SUB}/resourceGroups/rg"
NETWORK = f"{GROUP}/providers/Microsoft.Network/virtualNetworks"


def estate_network(name: str = "Hub", remote: str = "spoke") -> dict[str, Any]:
    return {
        "id": f"{NETWORK}/{name}",
        "name": name,
        "type": "microsoft.network/virtualnetworks",
        "location": "westeurope",
        "surplus": "ignored",
        "properties": {
            "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
            "subnets": [
                {"name": "s", "id": f"{NETWORK}/{name}/subnets/s", "properties": {"addressPrefix": "10.0.0.0/24"}}
            ],
            "virtualNetworkPeerings": [
                {
                    "name": "l",
                    "properties": {"peeringState": "Initiated", "remoteVirtualNetwork": {"id": f"{NETWORK}/{remote}"}},
                }
            ],
        },
    }


async def test_an_acknowledged_write_survives_kill_9_and_operations_go_on(azure_factory: AzureFactory) -> None:
    azure = azure_factory([subscription()], speed=10, state=True)
    async with Wire(azure) as wire:
        await wire.call("PUT", GROUP, {"location": "westeurope"})
        for number in range(20):
            await wire.call("PUT", f"{NETWORK}/v{number}", network_body("10.0.0.0/16"))
        _, before, headers = await wire.call("PUT", f"{NETWORK}/last", network_body("10.0.0.0/16"))
        azure.kill()
        endpoint = azure.endpoint
        azure.start()
        assert azure.endpoint == endpoint
        _, after, _ = await wire.call("GET", f"{NETWORK}/last")
        assert after["properties"]["resourceGuid"] == before["properties"]["resourceGuid"]
        await asyncio.sleep(0.5)
        status, answer, _ = await wire.call("GET", headers["Azure-AsyncOperation"])
        assert (status, answer["status"]) == (200, "Succeeded")
        _, listed, _ = await wire.call("GET", NETWORK)
        assert [one["name"] for one in listed["value"]] == [f"v{number}" for number in range(20)] + ["last"]
        assert {one["properties"]["provisioningState"] for one in listed["value"]} == {"Succeeded"}
        async with azure.control() as control:
            assert len(await control.audit()) == 22


@pytest.mark.parametrize("after", [0.05, 0.2])
async def test_whatever_was_acknowledged_before_a_kill_at_any_moment_is_there(
    azure_factory: AzureFactory, after: float
) -> None:
    azure = azure_factory([subscription()], state=True, throttling=False)
    acknowledged: list[str] = []
    begun = asyncio.Event()

    async def write(wire: Wire, lane: int) -> None:
        for number in range(10_000):
            name = f"v{lane}-{number}"
            status, _, _ = await wire.call("PUT", f"{NETWORK}/{name}", network_body("10.0.0.0/16"))
            assert status == 201
            acknowledged.append(name)
            begun.set()

    async with Wire(azure) as wire:
        await wire.call("PUT", GROUP, {"location": "westeurope"})
        lanes = [asyncio.create_task(write(wire, lane)) for lane in range(4)]
        await begun.wait()
        await asyncio.sleep(after)
        azure.kill()
        outcomes = await asyncio.gather(*lanes, return_exceptions=True)
    assert all(isinstance(outcome, aiohttp.ClientError) for outcome in outcomes)
    azure.start()
    async with Wire(azure) as wire:
        _, listed, _ = await wire.call("GET", NETWORK)
    found = {one["name"] for one in listed["value"]}
    assert acknowledged
    assert set(acknowledged) <= found
    assert len(found) <= len(acknowledged) + 4


async def test_a_deletion_survives_and_the_estate_is_not_loaded_again(azure_factory: AzureFactory) -> None:
    azure = azure_factory([estate_network()], state=True)
    async with Wire(azure) as wire:
        assert (await wire.call("DELETE", f"{NETWORK}/hub"))[0] == 202
        azure.kill()
        azure.start()
        await asyncio.sleep(0.05)
        assert (await wire.call("GET", f"{NETWORK}/hub"))[0] == 404


async def test_nested_subnets_and_peerings_of_an_estate_are_live_children(azure_factory: AzureFactory) -> None:
    async with Wire(azure_factory([estate_network()])) as wire:
        status, body, _ = await wire.call("GET", f"{NETWORK}/hub/subnets/S")
        assert (status, body["id"], body["properties"]["provisioningState"]) == (
            200,
            f"{NETWORK}/Hub/subnets/s",
            "Succeeded",
        )
        _, link, _ = await wire.call("GET", f"{NETWORK}/hub/virtualNetworkPeerings/l")
        assert link["properties"]["peeringState"] == "Initiated"
        _, subscriptions, _ = await wire.call("GET", "/subscriptions")
        assert [one["subscriptionId"] for one in subscriptions["value"]] == [SUB]
        assert (await wire.call("GET", GROUP))[1]["location"] == "westeurope"
        assert (await wire.call("DELETE", f"{NETWORK}/hub"))[0] == 202


@pytest.mark.parametrize(
    "wrap",
    [lambda rows: rows, lambda rows: {"data": rows}, lambda rows: {"value": rows}],
    ids=["list", "data", "value"],
)
async def test_estates_may_be_wrapped(azure_factory: AzureFactory, wrap: Any) -> None:
    async with Wire(azure_factory(wrap([estate_network()]))) as wire:
        assert (await wire.call("GET", f"{NETWORK}/hub"))[0] == 200


async def test_unknown_types_are_kept_and_machines_keep_their_power_state(azure_factory: AzureFactory) -> None:
    odd = {
        "id": f"{GROUP}/providers/Contoso.Things/widgets/w",
        "type": "contoso.things/widgets",
        "properties": {"a": [1]},
    }
    vm = {
        "id": f"{GROUP}/providers/Microsoft.Compute/virtualMachines/vm",
        "type": "microsoft.compute/virtualmachines",
        "location": "westeurope",
        "properties": {"extended": {"instanceView": {"powerState": {"code": "PowerState/deallocated"}}}},
    }
    async with Wire(azure_factory([odd, vm])) as wire:
        url = "/providers/Microsoft.ResourceGraph/resources?api-version=2024-04-01"
        _, answer, _ = await wire.call("POST", url, {"query": "resources | order by id asc | project type, properties"})
        assert answer["data"][0] == {"type": "contoso.things/widgets", "properties": {"a": [1]}}
        view = answer["data"][1]["properties"]["extended"]["instanceView"]
        assert view["powerState"]["code"] == "PowerState/deallocated"
        _, body, _ = await wire.call("GET", f"{vm['id']}/instanceView")
        assert body["statuses"][1]["code"] == "PowerState/deallocated"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "row 1: neither JSON nor JSON lines"),
        ('[{"id": "/x"}, 5]', "row 2: expected an object"),
        ('[{"name": "x"}]', "row 1: field id"),
        ('{"id": "/subscriptions/s", "properties": 5}', "row 1: field properties"),
        ('{"id": "/subscriptions/a"}\n{"id": 5}', "row 2: field id"),
        ("5", "row 1: expected an ARM resource"),
        (json.dumps([{"id": f"{NETWORK}/v", "properties": {"subnets": 5}}]), "row 1: field properties"),
    ],
)
def test_a_bad_estate_file_gets_one_line_that_names_file_row_and_field_and_exit_2(
    tmp_path: Path, content: str, told: str
) -> None:
    path = tmp_path / "bad.json"
    path.write_text(content)
    ended = run_program("arm-emulator", ["serve", "--estate", str(path)], timeout=60)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.count("\n") == 1
    assert str(path) in ended.stderr
    assert told in ended.stderr


@pytest.mark.parametrize(
    "arguments",
    [["--listen", "nonsense"], ["--speed", "0"], ["--estate", "/no/such/file"], ["--state", "/no/such/folder/state"]],
)
def test_wrong_options_exit_2(arguments: list[str]) -> None:
    ended = run_program("arm-emulator", ["serve", *arguments], timeout=60)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "Traceback" not in ended.stderr


def test_it_is_run_as_a_module_as_well() -> None:
    command = [sys.executable, "-m", "arm_emulator", "serve", "--speed", "0"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "--speed: must be above 0" in ended.stderr


def test_it_dies_cleanly_on_sigterm(azure_factory: AzureFactory) -> None:
    azure = azure_factory()
    assert azure.stop() == 0
    assert azure.said().count("\n") == 1  # the ready line alone


async def test_principals_come_from_a_file(azure_factory: AzureFactory, tmp_path: Path) -> None:
    path = tmp_path / "principals.json"
    path.write_text(
        json.dumps(
            [{"name": "only", "client_secret": "s3cret", "assignments": [{"scope": GROUP, "actions": ["*/read"]}]}]
        )
    )
    azure = azure_factory([estate_network()], principals=path)
    assert azure.clients["only"].client_secret == "s3cret"
    async with Wire(azure, "only") as wire:
        assert (await wire.call("GET", f"{NETWORK}/hub"))[0] == 200
        assert (await wire.call("DELETE", f"{NETWORK}/hub"))[1]["error"]["code"] == "AuthorizationFailed"


@pytest.mark.parametrize(
    ("content", "told"),
    [("5", "expected a list"), ('[{"name": 5}]', "entry 1: field name"), ('[{"name": "a"}]', "field assignments")],
)
def test_a_bad_principals_file_exits_2(tmp_path: Path, content: str, told: str) -> None:
    path = tmp_path / "principals.json"
    path.write_text(content)
    ended = run_program("arm-emulator", ["serve", "--principals", str(path)], timeout=60)
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (2, "", 1)
    assert told in ended.stderr
