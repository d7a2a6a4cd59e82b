"""Requests that break the rules of HTTP, JSON or ARM, over the wire: an ARM error body each time, and the server goes on."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest

from dev.local_azure import LocalAzure
from tests.component.arm_emulator.conftest import SUB
from tests.support.arm import network_body
from tests.support.azure import Wire

BROKEN = {
    "cut off": b'{"location": "west',
    "no UTF-8": b"\xff\xfe{}",
    "no number": b'{"location": "westeurope", "properties": {"x": NaN}}',
    "half a surrogate": b'{"location": "westeurope", "tags": {"x": "\\ud800"}}',
    "a list": b"[1, 2]",
    "null": b"null",
    "a text": b'"x"',
    "nothing": b"",
    "a member twice, the second wrong": b'{"location": "westeurope", "location": ["x"]}',
    "a number beyond all": b'{"location": "westeurope", "properties": {"flowTimeoutInMinutes": 99999999999999999999}}',
    "900 lists in each other": b'{"location": "westeurope", "tags": {"x": ' + b"[" * 900 + b"]" * 900 + b"}}",
    "5,000 objects in each other": b'{"location": "westeurope", "properties": ' + b'{"a":' * 5000 + b"1" + b"}" * 5001,
    "unknown members": b'{"location": "westeurope", "surprise": true}',
}


@pytest.fixture
async def standing(wire: Wire, group: str) -> AsyncIterator[str]:
    """A network that must be the same after the test."""
    network = f"{group}/providers/Microsoft.Network/virtualNetworks/v"
    await wire.call("PUT", network, network_body("10.0.0.0/16"))
    await asyncio.sleep(0.01)
    _, before, _ = await wire.call("GET", network)
    yield network
    status, after, _ = await wire.call("GET", network)
    assert (status, after) == (200, before)


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN.keys())
async def test_a_broken_body_is_refused_and_changes_nothing(wire: Wire, standing: str, body: bytes) -> None:
    status, answer, _ = await wire.call("PUT", standing, data=body)
    assert status == 400
    assert answer["error"]["code"].startswith(("Invalid", "Missing"))
    assert answer["error"]["message"]


async def test_an_oversized_body_is_refused_with_413(wire: Wire, standing: str) -> None:
    body = b'{"location": "westeurope", "tags": {"x": "' + b"y" * 5_000_000 + b'"}}'
    status, answer, _ = await wire.call("PUT", standing, data=body)
    assert (status, answer["error"]["code"]) == (413, "RequestEntityTooLarge")


@pytest.mark.parametrize("method", ["TRACE", "OPTIONS", "POST"])
async def test_a_verb_that_a_resource_does_not_have_is_refused_with_405(wire: Wire, standing: str, method: str) -> None:
    status, answer, _ = await wire.call(method, standing)
    assert (status, answer["error"]["code"]) == (405, "UnsupportedHttpVerb")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/favicon.ico",
        "/subscriptions/%zz",
        f"/subscriptions/{SUB}/resourceGroups//providers//x",
        f"/subscriptions/{SUB}/resourceGroups/a%20b",
        f"/subscriptions/{SUB}/providers/Microsoft.Network/virtualNetworks/v%00",
        f"/subscriptions/{SUB}/providers/Microsoft.Network/virtualNetworks/{'x' * 6000}",
        f"/subscriptions/{SUB}/providers/Microsoft.Nonsense/things/x",
        "/providers/Microsoft.Nonsense/things/x/providers/Microsoft.Network/virtualNetworks/v",
        f"/subscriptions/{SUB}/resourceGroups?api-version=%FF",
        f"/subscriptions/{SUB}/resourceGroups?api-version=2024-11-01&%24skiptoken=nonsense",
    ],
)
async def test_a_path_that_leads_nowhere_is_answered_as_arm_does(wire: Wire, path: str) -> None:
    status, answer, _ = await wire.call("GET", path)
    assert status in (400, 404)
    assert answer["error"]["code"]
    assert answer["error"]["message"]


async def test_what_is_no_http_ends_that_connection_alone(shared: LocalAzure, wire: Wire, standing: str) -> None:
    where = urlsplit(shared.endpoint)
    for nonsense in (b"FOO / HTTP/1.1\r\n\r\n", b"\x00\x01\x02\r\n\r\n", b"GET / HTTP/9\r\n\r\n"):
        reader, writer = await asyncio.open_connection(where.hostname, where.port, ssl=shared.ssl_context())
        writer.write(nonsense)
        answer = await asyncio.wait_for(reader.read(), timeout=10)
        assert answer.startswith((b"HTTP/1.0 400", b"HTTP/1.1 400"))
        writer.close()
    assert (await wire.call("GET", standing))[0] == 200
    assert "Traceback" not in shared.said()
