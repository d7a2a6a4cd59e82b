"""Faults, holds, the dump, the audit, the clock and the request log."""

import asyncio
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
import pytest

from arm_emulator.client import ControlClient, ControlError, canonical
from dev.local_azure import LocalAzure
from tests.component.arm_emulator.conftest import SUB, subscription
from tests.support.arm import network_body
from tests.support.azure import AzureFactory, Wire


def vnet(group: str, name: str = "v") -> str:
    return f"{group}/providers/Microsoft.Network/virtualNetworks/{name}"


async def settled(wire: Wire, path: str) -> dict[str, Any]:
    for _ in range(200):
        _, body, _ = await wire.call("GET", path)
        if body["properties"]["provisioningState"] not in ("Updating", "Creating", "Deleting"):
            found: dict[str, Any] = body
            return found
        await asyncio.sleep(0.01)
    raise AssertionError(body)


async def test_an_error_by_rule_strikes_the_nth_fitting_request_as_often_as_told(
    wire: Wire, shared: LocalAzure, group: str
) -> None:
    action = {"error": {"status": 429, "code": "TooManyRequests", "message": "m", "headers": {"Retry-After": "7"}}}
    async with shared.control() as control:
        rule = await control.add_fault(
            action,
            method=["GET"],
            url=group,
            resource_type="Microsoft.Network/virtualNetworks",
            principal="somebody",
            nth=2,
            count=2,
        )
        codes = []
        for _ in range(4):
            status, _, headers = await wire.call("GET", vnet(group))
            codes.append((status, headers.get("Retry-After")))
        assert codes == [(404, None), (429, "7"), (429, "7"), (404, None)]
        counts = next(one for one in await control.faults() if one["id"] == rule)
        assert (counts["seen"], counts["fired"]) == (4, 2)
        await control.remove_fault(rule)
    async with Wire(shared, "reader") as reader:
        assert (await reader.call("GET", vnet(group)))[0] == 404


@pytest.mark.parametrize(("side", "written"), [("before", False), ("after", True)])
async def test_a_reset_before_or_after_the_act(
    wire: Wire, shared: LocalAzure, group: str, side: str, written: bool
) -> None:
    async with shared.control() as control:
        # Always: aiohttp itself sends an idempotent request again when a kept connection breaks.
        rule = await control.add_fault({"reset": side}, method="PUT", url=group, count=0)
        with pytest.raises(aiohttp.ClientError):
            await wire.call("PUT", vnet(group), network_body("10.0.0.0/16"))
        await control.remove_fault(rule)
    assert ((await wire.call("GET", vnet(group)))[0] == 200) is written
    lost = [one for one in shared.request_log() if one["method"] == "PUT" and vnet(group) in one["url"]]
    assert {one["status"] for one in lost} == {0}


@pytest.mark.parametrize(("side", "stands"), [("before", False), ("after", True)])
async def test_a_hold_stops_the_world_at_a_write(
    wire: Wire, shared: LocalAzure, group: str, side: str, stands: bool
) -> None:
    async with shared.control() as control:
        rule = await control.add_fault({"hold": side}, method="PUT", url=group)
        put = asyncio.create_task(wire.call("PUT", vnet(group), network_body("10.0.0.0/16")))
        held = await control.wait_held(rule)
        assert (held["method"], held["url"], held["principal"], held["side"]) == ("PUT", vnet(group), "somebody", side)
        assert ((await wire.call("GET", vnet(group)))[0] == 200) is stands
        assert await control.release(rule) == 1
        assert (await put)[0] == 201
        await control.remove_fault(rule)


async def test_a_request_whose_client_died_while_held_before_the_act_never_reached_azure(
    wire: Wire, shared: LocalAzure, group: str
) -> None:
    async with shared.control() as control, Wire(shared, "operator") as dying:
        rule = await control.add_fault({"hold": "before"}, method="PUT", url=group)
        put = asyncio.create_task(dying.call("PUT", vnet(group), network_body("10.0.0.0/16")))
        await control.wait_held(rule)
        put.cancel()
        await asyncio.gather(put, return_exceptions=True)
        assert dying.session is not None
        await dying.session.close()
        await asyncio.sleep(0.1)
        await control.release(rule)
        await control.remove_fault(rule)
    assert (await wire.call("GET", vnet(group)))[0] == 404


async def test_a_delay_by_rule(wire: Wire, shared: LocalAzure, group: str) -> None:
    async with shared.control() as control:
        rule = await control.add_fault({"delay": 0.3}, url=group)
        started = asyncio.get_running_loop().time()
        await wire.call("GET", vnet(group))
        assert asyncio.get_running_loop().time() - started >= 0.3
        await control.remove_fault(rule)


@pytest.mark.parametrize(
    "rule",
    [
        {},
        {"action": {"explode": True}},
        {"action": {"reset": "sometimes"}},
        {"action": {"delay": -1}},
        {"action": {"error": {}}},
    ],
)
async def test_rules_that_are_none_are_refused(shared: LocalAzure, rule: dict[str, Any]) -> None:
    async with shared.control() as control:
        with pytest.raises(ControlError, match="InvalidFault"):
            await control.add_fault(rule.get("action", {}))


async def test_dump_and_audit_tell_who_wrote_what(wire: Wire, shared: LocalAzure, group: str) -> None:
    async with shared.control() as control:
        before = [one for one in await control.resources() if one["id"].startswith(group)]
        async with Wire(shared, "operator") as operator:
            await operator.call(
                "PUT",
                vnet(group),
                network_body("10.0.0.0/16", subnets=[{"name": "s", "properties": {"addressPrefix": "10.0.0.0/24"}}]),
            )
        await settled(wire, vnet(group))
        after = [one for one in await control.resources() if one["id"].startswith(group)]
        assert [one["id"] for one in before] == [group]
        assert [one["id"] for one in after] == [group, vnet(group), f"{vnet(group)}/subnets/s"]
        assert "resourceGuid" not in str(canonical(after))
        mine = [
            (one["principal"], one["method"], one["status"])
            for one in await control.audit()
            if one["id"] == vnet(group)
        ]
        assert mine == [("operator", "PUT", 201)]


async def test_the_clock_can_be_moved_ahead(azure_factory: AzureFactory) -> None:
    azure = azure_factory([subscription()], speed=1)
    group = f"/subscriptions/{SUB}/resourceGroups/rg"
    async with Wire(azure) as wire, azure.control() as control:
        await wire.call("PUT", group, {"location": "westeurope"})
        await wire.call("PUT", vnet(group), network_body("10.0.0.0/16"))
        _, body, before = await wire.call("GET", vnet(group))
        assert body["properties"]["provisioningState"] == "Updating"
        await control.advance(60)
        _, body, after = await wire.call("GET", vnet(group))
        assert body["properties"]["provisioningState"] == "Succeeded"
        first, second = (parsedate_to_datetime(each["Date"]) for each in (before, after))
        assert second - first >= timedelta(seconds=60)
        assert [one["status"] for one in await control.operations()] == ["Succeeded"]


async def test_the_control_side_is_closed_without_its_flag_and_without_its_token(azure_factory: AzureFactory) -> None:
    closed = azure_factory(control=False)
    assert "control_token" not in closed.ready
    async with Wire(closed) as wire:
        status, body, _ = await wire.call("GET", "/_emulator/resources")
        assert (status, body["error"]["code"]) == (404, "ControlSideClosed")
    opened = azure_factory()
    async with ControlClient(opened.endpoint, "wrong", opened.ca_file) as control:
        with pytest.raises(ControlError, match="InvalidControlToken"):
            await control.resources()


async def test_the_request_log_has_a_line_for_each_request(wire: Wire, shared: LocalAzure, group: str) -> None:
    await wire.call("GET", vnet(group))
    line = shared.request_log()[-1]
    assert set(line) == {"time", "principal", "method", "url", "api_version", "status", "code", "ms"}
    assert (line["principal"], line["method"], line["status"], line["code"]) == (
        "somebody",
        "GET",
        404,
        "ResourceNotFound",
    )
    assert line["url"].startswith(shared.endpoint + vnet(group))
    assert line["api_version"] == "2026-03-01"
    assert not [one for one in shared.request_log() if "/_emulator" in one["url"]]


async def test_requests_that_are_nonsense_get_arms_body_and_never_a_traceback(
    wire: Wire, shared: LocalAzure, group: str
) -> None:
    for data in (b"", b"{", b"[]", b'"x"', b"\xff\xfe", b"null", b'{"a":' * 2000):
        status, body, _ = await wire.call("PUT", vnet(group), data=data)
        assert (status, set(body["error"]) >= {"code", "message"}) == (400, True), data[:20]
    status, body, _ = await wire.call("PUT", vnet(group), data=b"x" * (5 * 1024 * 1024))
    assert (status, body["error"]["code"]) == (413, "RequestEntityTooLarge")
    for method, path in (("GET", "/"), ("GET", "/favicon.ico"), ("POST", group), ("TRACE", group), ("GET", f"{group}/providers/X"), ("PUT", f"{group}/providers/Microsoft.Network/virtualNetworks")):  # fmt: skip
        status, body, _ = await wire.call(method, path)
        assert 400 <= status < 500, path
        assert body["error"]["code"], path
    assert shared.said().count("\n") == 1  # the ready line alone


async def test_the_best_time_within_the_budgets_is_told_at_the_emulators_speed(shared: LocalAzure) -> None:
    async with shared.control() as control:
        calls = {"subscription": SUB, "region": "westeurope", "kind": "writes"}
        speed = (await control._call("GET", "clock"))["speed"]
        assert await control.best_time([{**calls, "count": 500}]) == pytest.approx(30 / speed)
        assert await control.best_time([{**calls, "count": 1500}]) == pytest.approx(330 / speed)
        for wrong in ({**calls, "count": -1}, {**calls, "kind": "puts", "count": 1}, "many"):
            with pytest.raises(ControlError, match="InvalidCalls"):
                await control.best_time([wrong])  # type: ignore[list-item]


async def test_the_graph_is_as_far_behind_as_it_was_set(azure_factory: AzureFactory) -> None:
    url = "/providers/Microsoft.ResourceGraph/resources?api-version=2024-04-01"
    query, group = {"query": "resources | project name"}, f"/subscriptions/{SUB}/resourceGroups/rg"
    azure = azure_factory([subscription()], graph_lag=0)
    async with azure.control() as control, Wire(azure) as wire:
        await control.set_graph_lag(1_000_000)
        await wire.call("PUT", f"{group}?api-version=2024-11-01", {"location": "westeurope"})
        await wire.call("PUT", vnet(group), network_body("10.0.0.0/16"))
        await settled(wire, vnet(group))
        _, behind, _ = await wire.call("POST", url, query)
        await control.set_graph_lag(0)
        _, level, _ = await wire.call("POST", url, query)
        with pytest.raises(ControlError, match="InvalidLag"):
            await control.set_graph_lag(-1)
    assert (behind["data"], level["data"]) == ([], [{"name": "v"}])
