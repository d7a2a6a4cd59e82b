"""Errors that Azure gives for reasons of its own: no request brings them about, a fault rule does."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from dev.local_azure import LocalAzure
from tests.component.arm_emulator.conftest import SUB, subscription
from tests.support.arm import network_body
from tests.support.azure import Wire

REFUSED: tuple[tuple[int, str, dict[str, str]], ...] = (
    (409, "ConflictingConcurrentWriteNotAllowed", {}),
    (429, "SubscriptionRequestsThrottled", {"Retry-After": "446"}),
    (429, "ResourceRequestsThrottled", {"Retry-After": "778"}),
    (400, "SkuNotAvailable", {}),
    (400, "QuotaExceeded", {}),
    (408, "RequestTimeout", {}),
    (500, "InternalServerError", {}),
    (502, "BadGateway", {}),
    (503, "ServerTimeout", {"Retry-After": "1"}),
    (504, "GatewayTimeout", {}),
)
FAILED = (
    "AllocationFailed",
    "GatewayAllocationFailed",
    "ZonalAllocationFailed",
    "QuotaExceeded",
    "InternalServerError",
)


@pytest.mark.parametrize(("status", "code", "headers"), REFUSED)
async def test_a_rule_refuses_a_request_with_any_status_code_and_headers(
    wire: Wire, shared: LocalAzure, group: str, status: int, code: str, headers: dict[str, str]
) -> None:
    path = f"{group}/providers/Microsoft.Network/virtualNetworks/v"
    async with shared.control() as control:
        await control.add_fault(
            {"error": {"status": status, "code": code, "headers": headers}}, method="PUT", url=group
        )
        answered, body, received = await wire.call("PUT", path, network_body("10.0.0.0/16"))
    assert (answered, body["error"]["code"]) == (status, code)
    assert {name: received[name] for name in headers} == headers
    assert (await wire.call("GET", path))[0] == 404, "what was refused was not done"
    assert (await wire.call("PUT", path, network_body("10.0.0.0/16")))[0] == 201, "the rule struck once"


@pytest.mark.parametrize("code", FAILED)
async def test_a_rule_lets_an_operation_fail_with_any_code(
    wire: Wire, shared: LocalAzure, group: str, code: str
) -> None:
    path = f"{group}/providers/Microsoft.Network/virtualNetworks/v"
    async with shared.control() as control:
        await control.add_fault({"fail_operation": {"code": code, "message": "m"}}, method="PUT", url=group)
        status, _, headers = await wire.call("PUT", path, network_body("10.0.0.0/16"))
    assert status == 201
    ended: dict[str, Any] = {}
    for _ in range(200):
        status, ended, _ = await wire.call("GET", headers["Azure-AsyncOperation"])
        assert status == 200, "a failed operation is answered with 200"
        if ended["status"] != "InProgress":
            break
        await asyncio.sleep(0.01)
    assert (ended["status"], ended["error"]["code"]) == ("Failed", code)


async def test_the_quota_of_a_type_is_an_option(tmp_path: Path) -> None:
    estate = tmp_path / "estate.json"
    estate.write_text(json.dumps([subscription()]))
    azure = LocalAzure(
        tmp_path, estates=[estate], speed=1000, options=["--quota", "Microsoft.Network/virtualNetworks=1"]
    )
    azure.start()
    try:
        async with Wire(azure) as wire:
            group = f"/subscriptions/{SUB}/resourceGroups/rg"
            await wire.call("PUT", group, {"location": "westeurope"})
            networks = f"{group}/providers/Microsoft.Network/virtualNetworks"
            assert (await wire.call("PUT", f"{networks}/a", network_body("10.0.0.0/16")))[0] == 201
            status, body, _ = await wire.call("PUT", f"{networks}/b", network_body("10.1.0.0/16"))
    finally:
        azure.kill()
    assert (status, body["error"]["code"]) == (400, "VnetCountLimitReached")
    assert body["error"]["details"][0]["code"] == "QuotaExceeded"
