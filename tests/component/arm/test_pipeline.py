"""What stands between a call and the wire: the proxy that the environment names, and nothing that acts on its own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import pytest

from bastion_operator.arm.errors import ErrorClass
from bastion_operator.arm.transport import PooledTransport
from bastion_operator.leadership import Leadership
from dev.local_azure import LocalAzure
from tests.component.arm.conftest import SUBSCRIPTION_ROW
from tests.support.arm_client import Caller, CallerFactory, failure
from tests.support.azure import AzureFactory
from tests.support.estates import SUBSCRIPTION, public_ip_id, vnet_id

HUB = vnet_id("hub")


@asynccontextmanager
async def tunnels(seen: list[str]) -> AsyncIterator[int]:
    """A proxy that answers CONNECT only, on a port of its own; ``seen`` is where it was asked to lead."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        method, target, _ = (await reader.readuntil(b"\r\n\r\n")).decode().split(" ", 2)
        assert method == "CONNECT"
        seen.append(target)
        there = await asyncio.open_connection(*target.split(":"))
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await asyncio.gather(carry(reader, there[1]), carry(there[0], writer))

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                writer.write(data)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize(("excepted", "led"), [("", True), ("azure.example,127.0.0.1", False)])
async def test_azure_is_reached_by_the_proxy_of_the_environment_unless_it_is_excepted(
    cloud: LocalAzure,
    caller_factory: CallerFactory,
    monkeypatch: pytest.MonkeyPatch,
    excepted: str,
    led: bool,
) -> None:
    for name in ("https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    seen: list[str] = []
    async with tunnels(seen) as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        monkeypatch.setenv("NO_PROXY", excepted)
        caller = await caller_factory(cloud)
        await caller.client.authenticate()
        for_tokens = len(seen)
        assert await caller.client.get(HUB)
        await caller.client.close()
        await caller.connection.close()
    assert len(seen) - for_tokens == int(led)
    assert {cloud.endpoint.removeprefix("https://")}.issuperset(seen)


@pytest.mark.parametrize(
    ("named", "reached"), [("127.0.0.1:{port}", True), ("http://me:word@host:port", False), ("ftp://host:21", False)]
)
async def test_a_proxy_may_lack_its_scheme_and_what_names_none_is_told_without_its_password(
    cloud: LocalAzure, caller_factory: CallerFactory, monkeypatch: pytest.MonkeyPatch, named: str, *, reached: bool
) -> None:
    for name in ("https_proxy", "all_proxy", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    caller = await caller_factory(cloud)
    await caller.client.authenticate()
    seen: list[str] = []
    async with tunnels(seen) as port:
        monkeypatch.setenv("HTTPS_PROXY", named.format(port=port))
        by_proxy = PooledTransport(cloud.ca_file, 10, Leadership.undisputed())
        client = replace(caller.client, transport=by_proxy)
        if reached:
            assert await client.get(HUB)
        else:
            refusal = await failure(client.get(HUB))
            assert "HTTPS_PROXY does not name a proxy" in refusal.message
            assert "word" not in str(refusal)
        await by_proxy.close()
    assert len(seen) == int(reached)


async def test_a_users_netrc_is_not_read(
    caller_factory: CallerFactory,
    cloud: LocalAzure,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    netrc = tmp_path_factory.mktemp("home") / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    caller = await caller_factory(cloud)
    assert await caller.client.get(HUB)


async def test_a_provider_that_is_not_registered_is_told_and_registered_by_nobody(
    azure_factory: AzureFactory, caller_factory: CallerFactory
) -> None:
    provider = {
        "id": f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Network",
        "namespace": "Microsoft.Network",
        "registrationState": "NotRegistered",
    }
    azure = azure_factory([SUBSCRIPTION_ROW, provider], throttling=False)
    caller: Caller = await caller_factory(azure)
    body = {"location": "westeurope", "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}}
    refusal = await failure(caller.client.put(HUB, body))
    assert (refusal.code, refusal.error_class) == ("MissingSubscriptionRegistration", ErrorClass.DENIED)
    assert [entry["method"] for entry in azure.request_log() if "/subscriptions/" in entry["url"]] == ["PUT"]


async def test_nobody_is_followed_to_another_place(caller: Caller, cloud: LocalAzure) -> None:
    elsewhere = {
        "error": {"status": 307, "code": "Moved", "headers": {"Location": f"{cloud.endpoint}{public_ip_id('x')}"}}
    }
    async with cloud.control() as control:
        await control.add_fault(elsewhere, method="GET", url="/virtualNetworks/hub")
    refusal = await failure(caller.client.get(HUB))
    assert (refusal.status, refusal.error_class) == (307, ErrorClass.TRANSIENT)
    assert not any("/publicIPAddresses/" in entry["url"] for entry in cloud.request_log())
