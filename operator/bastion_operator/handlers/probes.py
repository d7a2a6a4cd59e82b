"""What the kubelet and Prometheus ask: ``/healthz``, ``/readyz`` and ``/metrics``."""

from collections.abc import Awaitable, Callable

from aiohttp import web
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from bastion_operator.reconcile.metrics import Metrics

Check = Callable[[], str | None]
"""None if all is well, else one line of what is not."""


def probe_app(healthy: Check, ready: Check) -> web.Application:
    """``/healthz`` turns red only where a restart would help, ``/readyz`` until the watches are up."""
    app = web.Application()
    app.router.add_get("/healthz", _answer(healthy))
    app.router.add_get("/readyz", _answer(ready))
    return app


def metrics_app(metrics: Metrics) -> web.Application:
    """``/metrics`` in Prometheus' text format."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application()
    app.router.add_get("/metrics", answer)
    return app


def _answer(check: Check) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(_: web.Request) -> web.StreamResponse:
        trouble = check()
        return web.Response(text=trouble or "ok", status=503 if trouble else 200)

    return answer
