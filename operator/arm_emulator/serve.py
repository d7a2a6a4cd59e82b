"""Puts the parts together and runs them until a signal comes."""

import asyncio
import contextlib
import gc
import os
import secrets
import signal
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from arm_emulator import estate, principals_file, starting_rights
from arm_emulator.arm_service import ArmService
from arm_emulator.clock import Clock
from arm_emulator.cloud import PAGE_SIZE, Cloud, Settings
from arm_emulator.control_service import ControlService
from arm_emulator.entra.access_tokens import AccessTokens, new_signing_key
from arm_emulator.entra.accounts import Accounts, new_client_secret
from arm_emulator.entra.directory import Directory
from arm_emulator.entra.managed_identity import APP_SERVICE_PATH, ManagedIdentityService
from arm_emulator.entra.microsoft_graph import MicrosoftGraph
from arm_emulator.entra.service import EntraService
from arm_emulator.errors import Json
from arm_emulator.faults import Faults
from arm_emulator.graph.service import GraphService
from arm_emulator.graph.view import GraphView
from arm_emulator.operations import Operations
from arm_emulator.principals import DEFAULT_NAMES, Principal, default_principals, stable_guid
from arm_emulator.request_log import RequestLog
from arm_emulator.resource_types import type_of
from arm_emulator.server import Server, Services
from arm_emulator.state import StateFile
from arm_emulator.store import Store
from arm_emulator.throttling import Throttle
from arm_emulator.tls import Identity, new_identity, server_context, write_ca

_TENANT_ID = stable_guid("tenant")


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
    principals: Path | None = None
    min_retry_after: int = 0
    imds: tuple[str, int] | None = None
    """Host and port of the machine's own endpoints, which serve managed identities over plain http."""
    quotas: Mapping[str, int] = field(default_factory=dict)
    """How many resources of a type (lower-case) a subscription may have in a region, in place of Azure's limits."""
    page_size: int = PAGE_SIZE


@dataclass(frozen=True, slots=True)
class Secrets:
    """What has to be the same after a restart for clients to go on: made once, kept in the state file."""

    operations: str
    signing_key: str
    clients: dict[str, str]
    identity: Identity
    control: str
    identity_header: str


async def serve(options: Options) -> None:
    """Serves until SIGTERM or SIGINT. Raises EstateError, PrincipalsError or StateError before anything listens."""
    state = None if options.state is None else StateFile(options.state)
    kept = _secrets(options, state)
    clock = Clock(options.speed, offset=0 if state is None else state.offset, min_retry_after=options.min_retry_after)
    settings = Settings(_TENANT_ID, options.public_ip_quota, options.graph_lag, options.page_size, options.quotas)
    cloud = Cloud(
        clock,
        Store(lambda item: type_of(item.id.type).references(item)),
        Operations(clock, kept.operations.encode()),
        settings,
    )
    view = GraphView(cloud)
    # Everything that is loaded stays: looking for garbage among it again and again would take longer than the loading.
    gc.disable()
    principals = _principals(options, kept)
    _fill(options, cloud, state, principals)
    view.load_everything()
    gc.freeze()
    gc.enable()
    # Nearly all that a request makes stays (resources, rows, entries of the audit) or goes without the collector.
    gc.set_threshold(10_000, 5, 100)
    accounts = _accounts(principals, state)
    tokens = AccessTokens(
        tenant_id=settings.tenant_id,
        principals=principals,
        accounts=accounts,
        signing_key=kept.signing_key,
        clock=clock,
        lifetime=options.token_lifetime,
    )
    faults = Faults()
    control_token = kept.control if options.control else None
    services = Services(
        arm=ArmService(cloud, Throttle(clock, enabled=options.throttling)),
        graph=GraphService(cloud, view, throttling=options.throttling),
        entra=EntraService(
            Directory(
                tenant_id=settings.tenant_id, principals=principals, accounts=accounts, tokens=tokens, clock=clock
            )
        ),
        managed_identity=ManagedIdentityService(
            principals=principals, accounts=accounts, tokens=tokens, identity_header=kept.identity_header
        ),
        microsoft_graph=MicrosoftGraph(principals),
        control=ControlService(cloud=cloud, view=view, faults=faults, accounts=accounts, token=control_token),
    )
    server = Server(
        cloud=cloud,
        tokens=tokens,
        services=services,
        faults=faults,
        state=state,
        log=RequestLog(options.request_log),
    )
    await _run(server, options, kept, accounts)


async def _run(server: Server, options: Options, kept: Secrets, accounts: Accounts) -> None:
    """Listens, tells that on stdout, and serves until a signal comes."""
    with tempfile.TemporaryDirectory(prefix="arm-emulator-") as folder:
        ca_file = write_ca(Path(folder) if options.state is None else options.state.absolute(), kept.identity)
        stopped = _stop_on_signal()
        port = await server.start(options.host, options.port, server_context(kept.identity))
        ready = _ready(f"https://{_authority(options.host)}:{port}", ca_file, accounts)
        if options.control:
            ready["control_token"] = kept.control
        if options.imds is not None:
            host, port = options.imds[0], await server.start_metadata(*options.imds)
            ready["managed_identity"] = _managed_identity(f"http://{_authority(host)}:{port}", kept.identity_header)
        _announce(ready)
        await _until(stopped, with_parent=options.exit_with_parent)
        await server.stop()


def _secrets(options: Options, state: StateFile | None) -> Secrets:
    def kept(name: str, new: str) -> str:
        return new if state is None else state.meta(name, new)

    names = DEFAULT_NAMES if options.principals is None else principals_file.names(options.principals)
    identity = new_identity(options.host)
    return Secrets(
        operations=kept("operations secret", secrets.token_urlsafe(32)),
        signing_key=kept("signing key", new_signing_key()),
        clients={name: kept(f"secret of {name}", new_client_secret()) for name in names},
        identity=Identity(
            kept("certificate authority", identity.ca),
            kept("certificate", identity.certificate),
            kept("certificate key", identity.key),
        ),
        control=kept("control token", secrets.token_urlsafe(24)),
        identity_header=kept("identity header", secrets.token_urlsafe(24)),
    )


def _principals(options: Options, kept: Secrets) -> list[Principal]:
    if options.principals is None:
        return default_principals(kept.clients)
    return principals_file.read(options.principals, kept.clients)


def _accounts(principals: list[Principal], state: StateFile | None) -> Accounts:
    """Of these principals, as the state file knows them; without one, nothing outlives the process."""
    if state is not None:
        return Accounts(principals, state.kept, state.keep)
    return Accounts(principals, lambda _name: None, lambda _name, _text: None)


def _fill(options: Options, cloud: Cloud, state: StateFile | None, principals: list[Principal]) -> None:
    """What stands at the start: the state file's Azure if it holds one, else that of the estate files.

    A principal gets its starting rights once: what was taken from it since stays taken over a restart.
    """
    cloud.rights.directory.update(one.object_id.lower() for one in principals)
    if state is not None and not state.fresh:
        state.restore(cloud)
        state.follow(cloud)
        starting_rights.complete(cloud)
        for one in principals:
            if state.first(_given(one)):
                starting_rights.give(cloud, one)
    else:
        for path in options.estates:
            estate.load(cloud, path)
        estate.complete(cloud)
        for one in principals:
            starting_rights.give(cloud, one)
        if state is not None:
            state.loaded(cloud)
            for one in principals:
                state.first(_given(one))
            state.follow(cloud)


def _given(principal: Principal) -> str:
    return f"starting rights of {principal.object_id}"


def _authority(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _ready(endpoint: str, ca_file: Path, accounts: Accounts) -> Json:
    return {
        "endpoint": endpoint,
        "authority": endpoint,
        "ca_file": str(ca_file),
        "tenant_id": _TENANT_ID,
        "clients": [
            {"client_id": one["client_id"], "client_secret": one["client_secret"] or "", "name": one["name"]}
            for one in accounts.described()
        ],
    }


def _managed_identity(metadata: str, identity_header: str) -> Json:
    """What a machine in Azure, or an App Service, would hand to its programs in these environment variables."""
    return {
        "AZURE_POD_IDENTITY_AUTHORITY_HOST": metadata,
        "IDENTITY_ENDPOINT": metadata + APP_SERVICE_PATH,
        "IDENTITY_HEADER": identity_header,
    }


def _announce(ready: Json) -> None:
    """The one line on stdout that says that the emulator is ready, and how to reach it."""
    sys.stdout.buffer.write(orjson.dumps(ready, option=orjson.OPT_APPEND_NEWLINE))
    sys.stdout.flush()


def _stop_on_signal() -> asyncio.Event:
    """An event that SIGTERM and SIGINT set; has to stand before anybody is told that the emulator is ready."""
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    return stopped


async def _until(stopped: asyncio.Event, *, with_parent: bool) -> None:
    parent = os.getppid()
    while not stopped.is_set() and (not with_parent or os.getppid() == parent):
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopped.wait(), timeout=1)
