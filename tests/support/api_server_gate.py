"""What stands between the operator and the API server, as a proxy or a load balancer would, and can be in the way.

It speaks TLS by the API server's own certificate, so that a kubeconfig changes in nothing but the port.
"""

import asyncio
import json
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import yaml
from aiohttp import web

from dev.control_plane import ControlPlane

_HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "content-encoding", "host"}


Right = tuple[str, str, str]
"""API group, resource with its subresource, verb; of a request that is for no resource the last two are empty."""
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


def right_to(method: str, path: str, *, watching: bool) -> Right:
    """What RBAC asks for before it lets a request through.

    https://kubernetes.io/docs/reference/access-authn-authz/authorization/#determine-the-request-verb
    """
    root, *rest = path.strip("/").split("/")
    group = rest.pop(0) if root == "apis" and rest else ""
    rest = rest[1:]  # the version
    if rest[:1] == ["namespaces"] and len(rest) > 2:
        rest = rest[2:]
    if root not in {"api", "apis"} or not rest:
        return (group, "", "")
    resource, name, *below = [*rest, ""][: len(rest) + 1]
    verb = _VERBS.get(method) or ("watch" if watching else "get" if name else "list")
    return (group, "/".join([resource, *(each for each in below if each)]), verb)


@dataclass
class Refusal:
    """An answer in place of the API server's, to requests whose method and path fit; ``left`` times."""

    status: int
    method: str = ""
    path: str = ""
    left: int = 1_000_000
    headers: Mapping[str, str] = field(default_factory=dict)
    given: int = 0

    def fits(self, request: web.BaseRequest) -> bool:
        return self.left > 0 and self.method in {"", request.method} and self.path in request.path

    def give(self) -> web.Response:
        self.left -= 1
        self.given += 1
        body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": self.status, "message": "in the way"}
        return web.Response(
            status=self.status, text=json.dumps(body), content_type="application/json", headers=self.headers
        )


class ApiServerGate:
    """A reverse proxy in a thread of its own. Its fields say what is in the way; they may be changed at any time."""

    def __init__(self, control_plane: ControlPlane) -> None:
        self._control_plane = control_plane
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.refusals: list[Refusal] = []
        self.delay = 0.0
        self.asked: set[Right] = set()
        """Every right that was needed for what was asked so far."""
        self._silenced = 0
        self.url = ""

    def start(self) -> None:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(30)

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def kubeconfig(self, of: Path, path: Path) -> Path:
        """The same as ``of``, but through here."""
        config = yaml.safe_load(of.read_text())
        config["clusters"][0]["cluster"]["server"] = self.url
        path.write_text(yaml.safe_dump(config))
        return path

    @contextmanager
    def refusing(self, *refusals: Refusal) -> Iterator[None]:
        self.refusals = list(refusals)
        try:
            yield
        finally:
            self.refusals = []

    @contextmanager
    def slow(self, seconds: float) -> Iterator[None]:
        """Every answer comes so many seconds late."""
        self.delay = seconds
        try:
            yield
        finally:
            self.delay = 0.0

    def silence_watches(self) -> None:
        """Not one byte more comes over the watches that are open now, and nobody closes them. New ones are served."""
        self._silenced += 1

    def cut(self) -> None:
        """Close every connection that is open."""
        asyncio.run_coroutine_threadsafe(self._cut(), self._loop).result(10)

    async def _start(self) -> None:
        certificates = self._control_plane.directory / "certificates"
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates / "apiserver.crt", certificates / "apiserver.key")
        trust = ssl.create_default_context(cafile=str(self._control_plane.ca_file))
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trust, limit=0), auto_decompress=False)
        self._server = web.Server(self._answer, access_log=None)
        self._listening = await self._loop.create_server(self._server, "127.0.0.1", 0, ssl=context)
        self.url = f"https://127.0.0.1:{self._listening.sockets[0].getsockname()[1]}"

    async def _stop(self) -> None:
        self._listening.close()
        await self._cut()
        # Watches that were silenced still wait.
        waiting = asyncio.all_tasks() - {asyncio.current_task()}
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        await self._session.close()

    async def _cut(self) -> None:
        for connection in list(self._server.connections):
            if connection.transport is not None:
                connection.transport.abort()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        self.asked.add(right_to(request.method, request.path, watching="watch" in request.query))
        refusal = next((each for each in self.refusals if each.fits(request)), None)
        if refusal is not None:
            return refusal.give()
        await asyncio.sleep(self.delay)
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP_BY_HOP}
        body = await request.read()
        try:
            async with self._session.request(
                request.method,
                f"{self._control_plane.url}{request.path_qs}",
                headers=headers,
                data=body or None,
                skip_auto_headers=("Content-Type", "Accept", "User-Agent"),
                timeout=aiohttp.ClientTimeout(total=None),
            ) as answer:
                if request.method == "PATCH" and answer.status == 201:
                    # An apply that makes the object needs both rights.
                    self.asked.add(right_to("POST", request.path, watching=False))
                return await self._pass_on(request, answer)
        except aiohttp.ClientConnectionError:
            # What a load balancer does whose only backend is away.
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=502)

    async def _pass_on(self, request: web.BaseRequest, answer: aiohttp.ClientResponse) -> web.StreamResponse:
        kept = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP_BY_HOP}
        if "Content-Encoding" in answer.headers:
            kept["Content-Encoding"] = answer.headers["Content-Encoding"]
        response = web.StreamResponse(status=answer.status, headers=kept)
        await response.prepare(request)
        opened, watching = self._silenced, "watch=" in request.query_string
        async for chunk in answer.content.iter_any():
            if watching and opened != self._silenced:
                # The API server may have ended the watch long since: nobody here is told.
                await asyncio.sleep(3600)
            await response.write(chunk)
        await response.write_eof()
        return response
