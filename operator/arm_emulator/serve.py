"""Puts the parts together and runs them until a signal comes."""

import asyncio
import contextlib
import os
import secrets
import signal
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import orjson

from arm_emulator import estate
from arm_emulator.arm_service import ArmService
from arm_emulator.clock import Clock
from arm_emulator.cloud import Cloud, Settings
from arm_emulator.entra_service import EntraService
from arm_emulator.errors import Json
from arm_emulator.graph.service import GraphService
from arm_emulator.graph.view import GraphView
from arm_emulator.operations import Operations
from arm_emulator.principals import default_principals, stable_guid
from arm_emulator.request_log import RequestLog
from arm_emulator.resource_types import type_of
from arm_emulator.server import Server
from arm_emulator.store import Store
from arm_emulator.throttling import Throttle
from arm_emulator.tls import new_identity, server_context, write_ca
from arm_emulator.tokens import Directory, new_signing_key


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says."""

    host: str
    port: int
    estates: tuple[Path, ...]
    speed: float
    request_log: Path | None
    state: Path | None
    control: bool
    token_lifetime: float
    graph_lag: float
    public_ip_quota: int
    throttling: bool
    exit_with_parent: bool


async def serve(options: Options) -> None:
    """Serves until SIGTERM or SIGINT. Raises EstateError before anything listens."""
    rows = [row for path in options.estates for row in estate.read(path)]
    clock = Clock(options.speed)
    settings = Settings(stable_guid("tenant"), options.public_ip_quota, options.graph_lag)
    cloud = Cloud(
        clock,
        Store(lambda item: type_of(item.id.type).references(item)),
        Operations(clock, secrets.token_bytes(32)),
        settings,
    )
    principals = default_principals({name: secrets.token_urlsafe(24) for name in ("operator", "somebody", "reader")})
    directory = Directory(
        tenant_id=settings.tenant_id,
        principals=principals,
        signing_key=new_signing_key(),
        clock=clock,
        lifetime=options.token_lifetime,
    )
    view = GraphView(cloud)
    estate.load(cloud, rows)
    view.load_everything()
    identity = new_identity(options.host)
    server = Server(
        cloud=cloud,
        directory=directory,
        arm=ArmService(cloud, Throttle(clock, enabled=options.throttling)),
        graph=GraphService(cloud, view),
        entra=EntraService(directory),
        log=RequestLog(options.request_log),
    )
    with tempfile.TemporaryDirectory(prefix="arm-emulator-") as folder:
        ca_file = write_ca(Path(folder), identity)
        port = await server.start(options.host, options.port, server_context(identity))
        endpoint = f"https://{options.host}:{port}"
        ready: Json = {
            "endpoint": endpoint,
            "authority": endpoint,
            "ca_file": str(ca_file),
            "tenant_id": settings.tenant_id,
            "clients": [
                {"client_id": one.client_id, "client_secret": one.client_secret, "name": one.name} for one in principals
            ],
        }
        sys.stdout.buffer.write(orjson.dumps(ready, option=orjson.OPT_APPEND_NEWLINE))
        sys.stdout.flush()
        await _until_signalled(with_parent=options.exit_with_parent)
        await server.stop()


async def _until_signalled(*, with_parent: bool) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    parent = os.getppid()
    while not stopped.is_set() and (not with_parent or os.getppid() == parent):
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopped.wait(), timeout=1)
