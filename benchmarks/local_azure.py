"""The local Azure under load: how fast a fleet is loaded, how much memory it takes, how many GETs it answers."""

import asyncio
import contextlib
import json
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import psutil

from benchmarks.estate import Shape, rows
from benchmarks.measure import Figure, seconds
from dev.local_azure import LocalAzure

NAME = "local_azure"
MACHINES, NETWORKS, GROUPS = 10_000, 2_000, 3_000
CONNECTIONS, REQUESTS = 8, 8_000
VERSIONS = {"microsoft.compute": "2024-07-01", "microsoft.network": "2026-03-01"}


def run() -> Iterator[Figure]:
    """Loading against parsing the same file, GETs against an empty handler, and memory."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / "fleet.json"
        estate = fleet()
        file.write_text(json.dumps(estate), encoding="utf-8")
        parse = seconds(lambda: json.loads(file.read_bytes()), times=3)
        azure = LocalAzure(folder, estates=[file], speed=1, control=False, options=["--no-throttling"])
        try:
            load = seconds(azure.start)
            yield Figure(NAME, f"start with {MACHINES} VMs, {NETWORKS} VNets, {GROUPS} NSGs", load, "s", at_most=10)
            yield Figure(NAME, "the same", load / parse, "ratio", "json.loads of the file")
            answered = asyncio.run(_gets(azure, [row["id"] for row in estate]))
            yield Figure(NAME, "GET of any resource", answered, "a second", at_least=1_000)
            yield Figure(NAME, "memory", _megabytes(azure), "MB", at_most=1_024)
        finally:
            azure.kill()
        with _empty_server(folder) as (port, context):
            nothing = asyncio.run(_answers("127.0.0.1", port, context, ["/nothing"], ""))
        yield Figure(NAME, "GET of any resource", nothing / answered, "ratio", "an empty aiohttp handler over TLS")


def fleet() -> list[dict[str, Any]]:
    """The rows of an estate of that size, in 100 subscriptions."""
    return list(rows(Shape(MACHINES, NETWORKS, GROUPS - NETWORKS)))


async def _gets(azure: LocalAzure, ids: Sequence[str]) -> float:
    client = azure.clients["reader"]
    form = {
        "grant_type": "client_credentials",
        "client_id": client.client_id,
        "client_secret": client.client_secret,
        "scope": "https://management.azure.com/.default",
    }
    context = azure.ssl_context()
    url = f"{azure.authority}/{azure.tenant_id}/oauth2/v2.0/token"
    async with aiohttp.ClientSession() as session, session.post(url, data=form, ssl=context) as answer:
        token = (await answer.json())["access_token"]
    where = urlsplit(azure.endpoint)
    namespaces = [one.lower().rpartition("/providers/")[2].partition("/")[0] for one in ids]
    paths = [
        f"{one}?api-version={VERSIONS[namespace]}"
        for one, namespace in zip(ids, namespaces, strict=True)
        if namespace in VERSIONS
    ]
    step = max(1, len(paths) // REQUESTS)
    return await _answers(
        str(where.hostname), int(where.port or 0), context, paths[::step], f"Authorization: Bearer {token}\r\n"
    )


async def _answers(host: str, port: int, context: ssl.SSLContext, paths: Sequence[str], header: str) -> float:
    """Answers a second, over connections that each wait for one answer before the next request."""
    share = REQUESTS // CONNECTIONS
    loop = asyncio.get_running_loop()
    started = loop.time()
    lanes = (
        _lane(host, port, context, paths[lane::CONNECTIONS] or paths, header, share) for lane in range(CONNECTIONS)
    )
    await asyncio.gather(*lanes)
    return share * CONNECTIONS / (loop.time() - started)


async def _lane(host: str, port: int, context: ssl.SSLContext, paths: Sequence[str], header: str, times: int) -> None:
    """One connection, spoken to by hand: a client library would take longer than the server."""
    reader, writer = await asyncio.open_connection(host, port, ssl=context)
    for number in range(times):
        path = paths[number % len(paths)]
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\n{header}\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise AssertionError(f"GET {path} was answered {head[:60]!r}")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        await reader.readexactly(length)
    writer.close()


def _megabytes(azure: LocalAzure) -> float:
    """What the process holds after all that. It was started by a launcher, whose only child it is."""
    (server,) = psutil.Process(azure.pid).children()
    return float(server.memory_info().rss) / 1024 / 1024


@contextlib.contextmanager
def _empty_server(folder: Path) -> Iterator[tuple[int, ssl.SSLContext]]:
    """The yardstick's port, and what trusts it."""
    command = [sys.executable, "-m", "benchmarks.empty_server", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            port = int(process.stdout.readline())
            yield port, ssl.create_default_context(cafile=str(folder / "ca.pem"))
        finally:
            process.kill()
