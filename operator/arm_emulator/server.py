"""The HTTP server: TLS, one handler for every path, the request log; what is answered is decided in the services."""

import asyncio
import logging
import ssl
import time
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus

import orjson
from aiohttp import web
from aiohttp.http import HttpProcessingError

from arm_emulator.arm_service import ArmService
from arm_emulator.cloud import Cloud
from arm_emulator.control_service import PREFIX, ControlService
from arm_emulator.entra.access_tokens import AccessTokens
from arm_emulator.entra.errors import TokenError
from arm_emulator.entra.managed_identity import ManagedIdentityService
from arm_emulator.entra.microsoft_graph import MicrosoftGraph
from arm_emulator.entra.service import EntraService
from arm_emulator.errors import ArmError, Json
from arm_emulator.faults import Fault, Faults
from arm_emulator.graph.service import GraphService
from arm_emulator.guids import new_guid
from arm_emulator.messages import Answer, Request
from arm_emulator.operations import Operation
from arm_emulator.principals import Principal
from arm_emulator.received import LARGEST_BODY, query_of, readable, received, refuse_other_media
from arm_emulator.request_log import RequestLog
from arm_emulator.requests import type_in
from arm_emulator.state import StateFile

_COMMON_HEADERS = {
    "Cache-Control": "no-cache",
    "Pragma": "no-cache",
    "Expires": "-1",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(slots=True)
class Seen:
    """What the log will say about a request; the status stays 0 where the client got no answer."""

    principal: str | None = None
    api_version: str | None = None
    code: str | None = None
    status: int = 0


@dataclass(frozen=True, slots=True)
class Services:
    """Who answers what."""

    arm: ArmService
    graph: GraphService
    entra: EntraService
    managed_identity: ManagedIdentityService
    microsoft_graph: MicrosoftGraph
    control: ControlService


_NO_HTTP = (HttpProcessingError, web.RequestPayloadError)


class ClientLostError(Exception):
    """There is nobody to answer: the connection was reset by rule, or the client went while it was held."""


_Route = Callable[[web.Request, Seen], Awaitable[Answer]]


class Server:
    """Puts the services on one port."""

    def __init__(
        self,
        *,
        cloud: Cloud,
        tokens: AccessTokens,
        services: Services,
        faults: Faults,
        state: StateFile | None,
        log: RequestLog,
    ) -> None:
        """Nothing listens until `start`."""
        self._cloud = cloud
        self._tokens = tokens
        self._services = services
        self._faults = faults
        self._state = state
        self._log = log
        self._runners: list[web.AppRunner] = []

    async def start(self, host: str, port: int, context: ssl.SSLContext) -> int:
        """Listens; returns the port, chosen by the system where `port` is 0."""
        return await self._listen(self._routed, host, port, context)

    async def start_metadata(self, host: str, port: int) -> int:
        """Listens over plain http as a machine's own endpoints do; returns the port."""
        return await self._listen(self._routed_metadata, host, port, None)

    async def _listen(self, route: _Route, host: str, port: int, context: ssl.SSLContext | None) -> int:
        async def handle(http: web.Request) -> web.StreamResponse:
            return await self._handle(http, route)

        app = web.Application(client_max_size=LARGEST_BODY)
        app.router.add_route("*", "/{path:(?s:.*)}", handle)
        runner = web.AppRunner(
            app, access_log=None, logger=_one_line_logger(), handle_signals=False, shutdown_timeout=1
        )
        self._runners.append(runner)
        await runner.setup()
        site = web.TCPSite(runner, host, port, ssl_context=context, reuse_address=True)
        await site.start()
        return int(runner.addresses[0][1])

    async def stop(self) -> None:
        """Stops listening; writes the state and closes state and log."""
        self._faults.remove()
        for runner in self._runners:
            await runner.cleanup()
        if self._state is not None:
            self._state.close()
        self._log.close()

    async def _handle(self, http: web.Request, route: _Route) -> web.StreamResponse:
        started = time.perf_counter()
        at = self._cloud.clock.timestamp()
        seen = Seen()
        try:
            return await self._answered(http, seen, route)
        except ClientLostError:
            if http.transport is not None:
                http.transport.abort()
            return web.Response(status=HTTPStatus.SERVICE_UNAVAILABLE)
        finally:
            if not http.path.startswith(PREFIX):
                self._log.write(_entry(http, at, seen, time.perf_counter() - started))

    async def _answered(self, http: web.Request, seen: Seen, route: _Route) -> web.Response:
        try:
            answer = await self._answer(http, seen, route)
            seen.status = answer.status
            return _response(answer, http.method, self._cloud.clock.now())
        except ClientLostError:
            raise
        except Exception:  # noqa: BLE001  (whatever went wrong here, the client gets ARM's body and never a traceback)
            traceback.print_exc()
            seen.status, seen.code = HTTPStatus.INTERNAL_SERVER_ERROR, "InternalServerError"
            failure = ArmError(HTTPStatus.INTERNAL_SERVER_ERROR, seen.code, "The emulator failed to answer.")
            return _response(Answer(failure.status, failure.body()), http.method, self._cloud.clock.now())

    async def _answer(self, http: web.Request, seen: Seen, route: _Route) -> Answer:
        try:
            return await route(http, seen)
        except ArmError as error:
            seen.code = error.code
            return Answer(error.status, error.body(), error.headers)
        except TokenError as error:
            seen.code = f"AADSTS{error.number}"
            return Answer(error.status, error.body(self._cloud.clock.timestamp()))

    async def _routed(self, http: web.Request, seen: Seen) -> Answer:
        seen.api_version = query_of(http).get("api-version")
        request = await received(http)
        if self._services.control.serves(request):
            return self._act(lambda: self._services.control.answer(request))
        principal: Principal | None = None
        if not self._services.entra.serves(request):
            principal = self._tokens.verify(request.headers.get("Authorization"), request.endpoint)
            seen.principal = principal.name
        else:
            await self._services.entra.prepare(request)
        return await self._with_faults(http, seen, request, lambda: self._served(request, principal))

    async def _routed_metadata(self, http: web.Request, seen: Seen) -> Answer:
        seen.api_version = query_of(http).get("api-version")
        request = await received(http)
        answer = await self._with_faults(http, seen, request, lambda: self._services.managed_identity.answer(request))
        if isinstance(answer.body, dict):
            seen.code = answer.body.get("error")
        return answer

    async def _with_faults(
        self, http: web.Request, seen: Seen, request: Request, serve: Callable[[], Answer]
    ) -> Answer:
        struck = self._faults.taken(request, type_in(request.path), seen.principal)
        if not struck:
            return self._act(serve)
        for fault in struck:
            await self._before(fault, request, http, seen)
        try:
            answer = self._act(serve)
        except ArmError as refusal:
            for fault in struck:
                await self._after(fault, request, None, seen)
            raise refusal from None
        for fault in struck:
            await self._after(fault, request, answer.operation, seen)
        return answer

    def _act(self, act: Callable[[], Answer]) -> Answer:
        """Lets due operations end, acts, and puts what has changed into the state file before anybody hears of it."""
        try:
            self._cloud.operations.settle()
            self._services.graph.capture()
            return act()
        finally:
            self._services.graph.capture()
            if self._state is not None:
                self._state.save()

    def _served(self, request: Request, principal: Principal | None) -> Answer:
        if principal is None:
            return self._services.entra.answer(request)
        if self._services.microsoft_graph.serves(request):
            return self._services.microsoft_graph.answer(request)
        if self._services.graph.serves(request):
            return self._services.graph.answer(request, principal)
        refuse_other_media(request)
        answer = self._services.arm.answer(request, principal)
        if answer.write is not None:
            self._services.graph.capture(principal.client_id)
        return answer

    # -- faults --------------------------------------------------------------------------------------------------

    async def _before(self, fault: Fault, request: Request, http: web.Request, seen: Seen) -> None:
        action = fault.action
        if action.delay:
            await asyncio.sleep(action.delay)
        if action.error is not None:
            raise action.error
        if action.reset == "before":
            raise ClientLostError
        if action.hold == "before":
            act = await self._faults.hold(fault, "before", request, seen.principal, self._cloud.clock.timestamp())
            gone = http.transport is None or http.transport.is_closing()
            if act is False or (act is None and gone):
                # It never reached Azure.
                raise ClientLostError

    async def _after(self, fault: Fault, request: Request, operation: Operation | None, seen: Seen) -> None:
        action = fault.action
        if action.fail_operation is not None and operation is not None:
            operation.fails_with = action.fail_operation
            self._cloud.operations.changed(operation)
            if self._state is not None:
                self._state.save()
        if action.reset == "after":
            raise ClientLostError
        if action.hold == "after":
            await self._faults.hold(fault, "after", request, seen.principal, self._cloud.clock.timestamp())


def _one_line_logger() -> logging.Logger:
    """Where aiohttp complains of what is no HTTP: a line on stderr, as a stack trace of its parser tells nobody anything."""

    def without_trace(record: logging.LogRecord) -> bool:
        if record.exc_info is not None and isinstance(record.exc_info[1], _NO_HTTP):
            record.exc_info = None
        return True

    logger = logging.getLogger("arm_emulator.http")
    logger.addFilter(without_trace)
    return logger


def _entry(http: web.Request, at: str, seen: Seen, seconds: float) -> Json:
    return {
        "time": at,
        "principal": seen.principal,
        "method": http.method,
        "url": readable(f"{http.scheme}://{http.host}{http.raw_path}"),
        "api_version": seen.api_version,
        "status": seen.status,
        "code": seen.code,
        "ms": round(seconds * 1000, 3),
    }


def _response(answer: Answer, method: str, at: float) -> web.Response:
    request_id = new_guid()
    headers = {
        **_COMMON_HEADERS,
        "Date": _http_date(int(at)),
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


@lru_cache(maxsize=64)
def _http_date(seconds: int) -> str:
    return formatdate(seconds, usegmt=True)
