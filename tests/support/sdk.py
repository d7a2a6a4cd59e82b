"""The unmodified SDKs of Azure against the local one, synchronous and asynchronous, called in one way.

`sdk.network.virtual_networks.begin_create_or_update(…)` gives what the call comes to with either client: an operation's result
once its poller has it, a pager's entries once it has read all pages, anything else as it is.
"""

import asyncio
from contextlib import AsyncExitStack
from importlib import import_module
from typing import Any

import aiohttp
import pytest
from azure.core.async_paging import AsyncItemPaged
from azure.core.exceptions import HttpResponseError
from azure.core.paging import ItemPaged
from azure.core.pipeline.transport import AioHttpTransport, RequestsTransport
from azure.core.polling import AsyncLROPoller, LROPoller
from azure.identity import ClientSecretCredential
from azure.identity.aio import ClientSecretCredential as AioClientSecretCredential

from dev.local_azure import LocalAzure

SCOPES = ["https://management.azure.com/.default"]
OF_A_SUBSCRIPTION = {
    "authorization": ("azure.mgmt.authorization", "AuthorizationManagementClient"),
    "compute": ("azure.mgmt.compute", "ComputeManagementClient"),
    "dns": ("azure.mgmt.privatedns", "PrivateDnsManagementClient"),
    "locks": ("azure.mgmt.resource.locks", "ManagementLockClient"),
    "log_analytics": ("azure.mgmt.loganalytics", "LogAnalyticsManagementClient"),
    "monitor": ("azure.mgmt.monitor", "MonitorManagementClient"),
    "network": ("azure.mgmt.network", "NetworkManagementClient"),
    "policy": ("azure.mgmt.resource.policy", "PolicyClient"),
    "resources": ("azure.mgmt.resource.resources", "ResourceManagementClient"),
}
OF_THE_TENANT = {
    "graph": ("azure.mgmt.resourcegraph", "ResourceGraphClient"),
    "management": ("azure.mgmt.managementgroups", "ManagementGroupsMgmtClient"),
    "subscriptions": ("azure.mgmt.resource.subscriptions", "SubscriptionClient"),
}


class Listed(list[Any]):
    """The entries of a list, and on how many pages they came."""

    def __init__(self, pages: list[list[Any]]) -> None:
        super().__init__(entry for page in pages for entry in page)
        self.pages = len(pages)


class Sdk:
    """Clients of one principal by the names above, each made when it is first used. Typed as Any: they take plain dicts."""

    def __init__(self, azure: LocalAzure, subscription: str, *, secret: str | None = None) -> None:
        """Nothing is sent before the first call."""
        self.azure = azure
        self.subscription = subscription
        self._secret = secret or azure.clients["somebody"].client_secret
        self._clients: dict[str, Calls] = {}

    def __getattr__(self, name: str) -> Any:
        if name not in self._clients:
            self._clients[name] = Calls(self, self.opened(*self._kind(name)))
        return self._clients[name]

    def _kind(self, name: str) -> tuple[str, str, tuple[str, ...]]:
        if name in OF_THE_TENANT:
            return (*OF_THE_TENANT[name], ())
        if name in OF_A_SUBSCRIPTION:
            return (*OF_A_SUBSCRIPTION[name], (self.subscription,))
        raise AttributeError(name)

    def options(self) -> dict[str, Any]:
        """What every client of the local Azure is made with, but for its transport."""
        return {"base_url": self.azure.endpoint, "credential_scopes": SCOPES, "polling_interval": 0.02}

    def account(self) -> tuple[str, str, str]:
        """Tenant, client id and secret."""
        return self.azure.tenant_id, self.azure.clients["somebody"].client_id, self._secret

    def entra(self) -> dict[str, Any]:
        """How a credential finds the local Entra."""
        return {"authority": self.azure.authority, "disable_instance_discovery": True}

    def opened(self, module: str, name: str, arguments: tuple[str, ...]) -> Any:
        raise NotImplementedError

    def settled(self, answer: Any) -> Any:
        """What a call of a client comes to."""
        raise NotImplementedError

    def begun(self, answer: Any) -> Any:
        """The poller of a call that begins an operation."""
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError


class SyncSdk(Sdk):
    """The synchronous clients."""

    def __init__(self, azure: LocalAzure, subscription: str, *, secret: str | None = None) -> None:
        super().__init__(azure, subscription, secret=secret)
        self._opened: list[Any] = []
        self.credential = ClientSecretCredential(*self.account(), **self.entra(), transport=self._transport())

    def _transport(self) -> RequestsTransport:
        return RequestsTransport(connection_verify=self.azure.ca_file)

    def opened(self, module: str, name: str, arguments: tuple[str, ...]) -> Any:
        made = getattr(import_module(module), name)
        self._opened.append(made(self.credential, *arguments, **self.options(), transport=self._transport()))
        return self._opened[-1]

    def settled(self, answer: Any) -> Any:
        if isinstance(answer, LROPoller):
            return answer.result()
        if isinstance(answer, ItemPaged):
            return Listed([list(page) for page in answer.by_page()])
        return answer

    def begun(self, answer: Any) -> Any:
        return answer

    def close(self) -> None:
        for client in (*self._opened, self.credential):
            client.close()


class AioSdk(Sdk):
    """The asynchronous clients, on an event loop of their own."""

    def __init__(self, azure: LocalAzure, subscription: str, *, secret: str | None = None) -> None:
        super().__init__(azure, subscription, secret=secret)
        self._runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        self._stack = AsyncExitStack()
        self.credential = self._runner.run(self._logged_in())

    async def _logged_in(self) -> AioClientSecretCredential:
        credential = AioClientSecretCredential(*self.account(), **self.entra(), transport=self._transport())
        return await self._stack.enter_async_context(credential)

    def _transport(self) -> AioHttpTransport:
        connector = aiohttp.TCPConnector(ssl=self.azure.ssl_context())
        return AioHttpTransport(session=aiohttp.ClientSession(connector=connector), session_owner=True)

    def opened(self, module: str, name: str, arguments: tuple[str, ...]) -> Any:
        made = getattr(import_module(f"{module}.aio"), name)

        async def opened() -> Any:
            client = made(self.credential, *arguments, **self.options(), transport=self._transport())
            return await self._stack.enter_async_context(client)

        return self._runner.run(opened())

    def settled(self, answer: Any) -> Any:
        return self._runner.run(self._settled(answer))

    def begun(self, answer: Any) -> Any:
        return self._runner.run(answer)

    async def _settled(self, answer: Any) -> Any:
        if isinstance(answer, AsyncItemPaged):
            return Listed([[entry async for entry in page] async for page in answer.by_page()])
        found = await answer
        return await found.result() if isinstance(found, AsyncLROPoller) else found

    def close(self) -> None:
        self._runner.run(self._stack.aclose())
        self._runner.close()


class Calls:
    """A client, or one of its groups of operations, whose calls give what they come to."""

    def __init__(self, sdk: Sdk, target: Any) -> None:
        self._sdk = sdk
        self._target = target

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._target, name)
        if not callable(found):
            return Calls(self._sdk, found)
        return lambda *arguments, **options: self._sdk.settled(found(*arguments, **options))

    def begun(self, name: str, *arguments: Any) -> Any:
        """The poller of an operation that this call has begun."""
        return self._sdk.begun(getattr(self._target, name)(*arguments))

    def has(self, name: str) -> bool:
        """Whether there is a call of this name."""
        return hasattr(self._target, name)


FLAVOURS: dict[str, type[SyncSdk | AioSdk]] = {"sync": SyncSdk, "aio": AioSdk}


def code(error: pytest.ExceptionInfo[HttpResponseError]) -> str:
    """Azure's code of an error, as the SDK has read it."""
    assert error.value.error is not None
    return str(error.value.error.code)
