"""Requests that hold bytes which are no UTF-8, or a body that is not what its headers say: refused, and the server goes on."""

import asyncio
import json
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from dev.local_azure import LocalAzure
from tests.component.arm_emulator.conftest import SUB, subscription
from tests.support.arm import network_body
from tests.support.azure import AzureFactory, Wire

GROUP = f"/subscriptions/{SUB}/resourceGroups/rg"
NETWORK = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/v"


async def sent(
    azure: LocalAzure, line: bytes, *headers: bytes, body: bytes = b"", host: bytes = b""
) -> tuple[int, Any]:
    """Status and body of what is answered to a request written byte by byte."""
    where = urlsplit(azure.endpoint)
    reader, writer = await asyncio.open_connection(where.hostname, where.port, ssl=azure.ssl_context())
    told = [
        b"Host: " + (host or where.netloc.encode()),
        *headers,
        b"Connection: close",
        b"Content-Length: %d" % len(body),
    ]
    writer.write(b"\r\n".join([line + b" HTTP/1.1", *told, b"", body]))
    answer = await asyncio.wait_for(reader.read(), timeout=10)
    writer.close()
    head, _, text = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(text) if text else None


async def signed(wire: Wire) -> bytes:
    await wire.call("GET", f"/subscriptions/{SUB}")
    return f"Authorization: Bearer {wire.token}".encode()


def at(path: str) -> bytes:
    return f"{path}?api-version={'2026-03-01' if 'Microsoft.Network' in path else '2024-11-01'}".encode()


@pytest.mark.parametrize("method", [b"PUT", b"DELETE"])
async def test_an_etag_that_is_no_text_fits_nothing_and_the_state_goes_on(
    azure_factory: AzureFactory, method: bytes
) -> None:
    azure = azure_factory([subscription()], state=True)
    async with Wire(azure) as wire:
        await wire.call("PUT", GROUP, {"location": "westeurope"})
        await wire.call("PUT", NETWORK, network_body("10.0.0.0/16"))
        body = json.dumps(network_body("10.0.0.0/16")).encode() if method == b"PUT" else b""
        headers = (await signed(wire), b"Content-Type: application/json", b"If-Match: \xff")
        status, answer = await sent(azure, method + b" " + at(NETWORK), *headers, body=body)
        assert (status, answer["error"]["code"]) == (412, "PreconditionFailed")
        assert (await wire.call("PUT", f"{NETWORK}2", network_body("10.1.0.0/16")))[0] == 201
        azure.kill()
        azure.start()
        assert (await wire.call("GET", f"{NETWORK}2"))[0] == 200


async def test_a_bearer_that_is_no_text_is_no_token(shared: LocalAzure) -> None:
    status, answer = await sent(shared, b"GET " + at(NETWORK), b"Authorization: Bearer \xff")
    assert (status, answer["error"]["code"]) == (401, "InvalidAuthenticationToken")


@pytest.mark.parametrize("shown", [b"\xc3\xa9", b"\xff"])
async def test_a_basic_header_that_is_no_base64_is_refused_as_entra_does(shared: LocalAzure, shown: bytes) -> None:
    line = f"POST /{shared.tenant_id}/oauth2/v2.0/token".encode()
    status, answer = await sent(shared, line, b"Authorization: Basic " + shown, body=b"grant_type=client_credentials")
    assert (status, answer["error"]) == (400, "invalid_request")


async def test_a_token_for_what_is_no_resource_is_for_the_wrong_audience(shared: LocalAzure) -> None:
    async with Wire(shared) as wire:
        _, granted = await wire.grant(scope="https://[/.default")
        wire.token = granted["access_token"]
        status, answer, _ = await wire.call("GET", f"/subscriptions/{SUB}")
    assert (status, answer["error"]["code"]) == (401, "InvalidAuthenticationTokenAudience")


@pytest.mark.parametrize("host", [b"\xff", b"["])
async def test_a_host_that_is_no_name_is_answered_and_logged(shared: LocalAzure, wire: Wire, host: bytes) -> None:
    status, _ = await sent(shared, b"GET " + at(f"/subscriptions/{SUB}"), await signed(wire), host=host)
    assert status < 500
    assert "Traceback" not in shared.said()


async def test_what_is_not_packed_as_it_says_is_refused(shared: LocalAzure, wire: Wire, group: str) -> None:
    path = at(f"{group}/providers/Microsoft.Network/virtualNetworks/v")
    headers = (await signed(wire), b"Content-Type: application/json", b"Content-Encoding: gzip")
    status, answer = await sent(shared, b"PUT " + path, *headers, body=b'{"location": "westeurope"}')
    told = "The request content was invalid and could not be read: 'Can not decode content-encoding: gzip'."
    assert (status, answer["error"]) == (400, {"code": "InvalidRequestContent", "message": told})
    assert "Traceback" not in shared.said()


async def test_a_line_feed_in_a_path_is_answered_in_arms_words(wire: Wire) -> None:
    status, answer, _ = await wire.call("GET", "/subscriptions/a%0Ab")
    assert status == 404
    assert answer["error"]["code"]


@pytest.mark.parametrize("kind", ["text/plain", "application/xml; charset=utf-8", "application/octet-stream"])
async def test_a_body_that_is_not_said_to_be_json_is_refused(wire: Wire, group: str, kind: str) -> None:
    path = f"{group}/providers/Microsoft.Network/virtualNetworks/v"
    body = json.dumps(network_body("10.0.0.0/16")).encode()
    headers = {"Authorization": f"Bearer {wire.token}", "Content-Type": kind}
    status, answer, _ = await wire.call("PUT", path, data=body, headers=headers)
    told = f"The content media type '{kind}' is not supported. Only 'application/json' is supported."
    assert (status, answer["error"]) == (415, {"code": "UnsupportedMediaType", "message": told})
    assert (await wire.call("GET", path))[0] == 404
    headers["Content-Type"] = "Application/JSON; charset=UTF-8"
    assert (await wire.call("PUT", path, data=body, headers=headers))[0] == 201


async def test_the_way_to_the_next_page_can_be_sent_as_it_is(wire: Wire, shared: LocalAzure) -> None:
    group = f"/subscriptions/{SUB}/resourceGroups/{quote('rg-ä')}"
    await wire.call("PUT", group, {"location": "westeurope"})
    networks = f"{group}/providers/Microsoft.Network/virtualNetworks"
    for number in range(3):
        await wire.call("PUT", f"{networks}/v{number}", network_body(f"10.{number}.0.0/16"))
    _, page, _ = await wire.call("GET", f"{networks}?$top=2")
    line = b"GET " + page["nextLink"].removeprefix(shared.endpoint).encode("ascii")
    status, rest = await sent(shared, line, await signed(wire))
    assert (status, [one["name"] for one in rest["value"]]) == (200, ["v2"])


@pytest.mark.parametrize("token", ["LTU=", "wrI=", "MWUz"])
async def test_a_skip_token_that_was_not_given_out_is_refused(wire: Wire, group: str, token: str) -> None:
    networks = f"{group}/providers/Microsoft.Network/virtualNetworks"
    status, answer, _ = await wire.call("GET", f"{networks}?$skipToken={token}")
    assert (status, answer["error"]["code"]) == (400, "InvalidSkipToken")
    assert (await wire.call("GET", f"{networks}?$top=%C2%B2"))[0] == 200
