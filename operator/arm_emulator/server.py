"""The HTTP server: TLS, one handler for every path, the request log; what is answered is decided in the services."""

import ssl
import time
import traceback
import uuid
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import parse_qsl

import orjson
from aiohttp import web

from arm_emulator.arm_service import ArmService
from arm_emulator.cloud import Cloud
from arm_emulator.entra_service import EntraService
from arm_emulator.errors import ArmError
from arm_emulator.graph.service import GraphService
from arm_emulator.messages import Answer, Request
from arm_emulator.principals import Principal
from arm_emulator.request_log import RequestLog
from arm_emulator.tokens import Directory, TokenError

LARGEST_BODY = 4 * 1024 * 1024
_COMMON_HEADERS = {
    "Cache-Control": "no-cache",
    "Pragma": "no-cache",
    "Expires": "-1",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(slots=True)
class Seen:
    """What the log will say about a request."""

    principal: str | None = None
    code: str | None = None
    status: int = 0


class Server:
    """Puts the services on one port."""

    def __init__(
        self,
        *,
        cloud: Cloud,
        directory: Directory,
        arm: ArmService,
        graph: GraphService,
        entra: EntraService,
        log: RequestLog,
    ) -> None:
        """Nothing listens until `start`."""
        self._cloud = cloud
        self._directory = directory
        self._arm = arm
        self._graph = graph
        self._entra = entra
        self._log = log
        self._runner: web.AppRunner | None = None

    async def start(self, host: str, port: int, context: ssl.SSLContext) -> int:
        """Listens; returns the port, chosen by the system where `port` is 0."""
        app = web.Application(client_max_size=LARGEST_BODY)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port, ssl_context=context, reuse_address=True)
        await site.start()
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Stops listening and closes the log."""
        if self._runner is not None:
            await self._runner.cleanup()
        self._log.close()

    async def _handle(self, http: web.Request) -> web.StreamResponse:
        started = time.perf_counter()
        at = self._cloud.clock.timestamp()
        seen = Seen()
        try:
            answer = await self._answer(http, seen)
            seen.status = answer.status
            seen.code = seen.code or answer.code
            return _response(answer, http.method)
        finally:
            self._log.write(
                {
                    "time": at,
                    "principal": seen.principal,
                    "method": http.method,
                    "url": f"{http.scheme}://{http.host}{http.raw_path}",
                    "api_version": http.query.get("api-version"),
                    "status": seen.status,
                    "code": seen.code,
                    "ms": round((time.perf_counter() - started) * 1000, 3),
                }
            )

    async def _answer(self, http: web.Request, seen: Seen) -> Answer:
        try:
            request = await _request(http)
            self._cloud.operations.settle()
            if self._entra.serves(request):
                return self._entra.answer(request)
            principal = self._directory.verify(request.headers.get("Authorization"), request.endpoint)
            seen.principal = principal.name
            return await self._authenticated(request, principal)
        except ArmError as error:
            seen.code = error.code
            return Answer(error.status, error.body(), error.headers)
        except TokenError as error:
            seen.code = f"AADSTS{error.number}"
            return Answer(error.status, error.body(self._cloud.clock.timestamp()))
        except Exception:  # noqa: BLE001  (whatever went wrong here, the client gets ARM's body and never a traceback)
            traceback.print_exc()
            seen.code = "InternalServerError"
            failure = ArmError(HTTPStatus.INTERNAL_SERVER_ERROR, seen.code, "The emulator failed to answer.")
            return Answer(failure.status, failure.body())
        finally:
            self._graph.capture()

    async def _authenticated(self, request: Request, principal: Principal) -> Answer:
        if self._graph.serves(request):
            return self._graph.answer(request, principal)
        return self._arm.answer(request, principal)


async def _request(http: web.Request) -> Request:
    try:
        body = await http.read()
    except web.HTTPRequestEntityTooLarge:
        raise ArmError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            "RequestEntityTooLarge",
            f"The request content size exceeds the maximum size of {LARGEST_BODY} bytes.",
        ) from None
    _, _, raw_query = http.raw_path.partition("?")
    return Request(
        method=http.method,
        path=http.path,
        raw_query=raw_query,
        query=dict(parse_qsl(raw_query, keep_blank_values=True)),
        headers=http.headers,
        body=body,
        endpoint=f"{http.scheme}://{http.host}",
    )


def _response(answer: Answer, method: str) -> web.Response:
    request_id = str(uuid.uuid4())
    headers = {
        **_COMMON_HEADERS,
        "x-ms-request-id": request_id,
        "x-ms-correlation-request-id": request_id,
        "x-ms-routing-request-id": f"LOCAL:{request_id}",
        **answer.headers,
    }
    payload = answer.raw
    if payload is None and answer.body is not None:
        payload = orjson.dumps(answer.body)
    if payload is None or method == "HEAD":
        return web.Response(status=answer.status, headers=headers)
    return web.Response(
        status=answer.status, body=payload, headers={**headers, "Content-Type": "application/json; charset=utf-8"}
    )
