"""The local Azure as tests use it: a real `arm-emulator serve` process, on a free port, that dies with the test run."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import aiohttp
import jwt
import pytest
import yarl
from multidict import CIMultiDictProxy

from dev.local_azure import LocalAzure


@dataclass
class Wire:
    """Plain HTTP to a running emulator, as one principal."""

    azure: LocalAzure
    name: str = "somebody"
    session: aiohttp.ClientSession | None = None
    token: str | None = None

    async def __aenter__(self) -> Self:
        self.session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=self.azure.ssl_context()))
        return self

    async def __aexit__(self, *_error: object) -> None:
        if self.session is not None:
            await self.session.close()

    async def grant(self, tenant: str | None = None, **changed: str | None) -> tuple[int, dict[str, Any]]:
        """A token request with client credentials; returns status and body. A field that is None is left out."""
        client = self.azure.clients[self.name]
        form = {
            "grant_type": "client_credentials",
            "client_id": client.client_id,
            "client_secret": client.client_secret,
            "scope": "https://management.azure.com/.default",
            **changed,
        }
        url = f"{self.azure.authority}/{tenant or self.azure.tenant_id}/oauth2/v2.0/token"
        assert self.session is not None
        sent = {name: value for name, value in form.items() if value is not None}
        async with self.session.post(url, data=sent) as response:
            return response.status, await response.json()

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        data: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, Any, "CIMultiDictProxy[str]"]:
        """Status, body (None where empty) and headers of the answer; `path` may be a whole URL."""
        if self.token is None:
            _, answer = await self.grant()
            self.token = str(answer["access_token"])
        url = path if path.startswith("https://") else self.azure.endpoint + path
        if "api-version=" not in url:
            version = (
                "2026-03-01"
                if "Microsoft.Network" in url
                else "2024-07-01"
                if "Microsoft.Compute" in url
                else "2024-11-01"
            )
            url += ("&" if "?" in url else "?") + f"api-version={version}"
        assert self.session is not None
        sent = headers if headers is not None else {"Authorization": f"Bearer {self.token}"}
        if data is not None:
            sent = {"Content-Type": "application/json", **sent}
        async with self.session.request(
            method, yarl.URL(url, encoded=True), json=body, data=data, headers=sent
        ) as response:
            text = await response.read()
            return response.status, json.loads(text) if text else None, response.headers


def claims_of(token: str) -> dict[str, Any]:
    """What a token says; nobody checks here who signed it."""
    return dict(jwt.decode(token, options={"verify_signature": False}))


def run_azure(folder: Path, principals: list[dict[str, Any]], *options: str) -> Iterator[LocalAzure]:
    """The body of a fixture: an emulator with these principals in place of the usual ones."""
    path = folder / "principals.json"
    path.write_text(json.dumps(principals))
    azure = LocalAzure(folder, speed=1000, options=[f"--principals={path}", *options])
    azure.start()
    yield azure
    azure.kill()


def one_azure(folder: Path, rows: list[dict[str, Any]], *options: str) -> Iterator[LocalAzure]:
    """The body of a module's fixture: an emulator with these rows, unthrottled, for tests that clean up behind them."""
    estate = folder / "estate.json"
    estate.write_text(json.dumps(rows))
    azure = LocalAzure(folder, estates=[estate], speed=1000, options=["--no-throttling", *options])
    azure.start()
    yield azure
    azure.kill()


AzureFactory = Callable[..., LocalAzure]


@pytest.fixture
def azure_factory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AzureFactory]:
    """`azure_factory(estate, speed=…, control=…, **options)`: options are the command line's, `graph_lag=0` and so on.

    `state=True` keeps the state over restarts; `throttling=False` is `--no-throttling`; without `start=False` it runs.
    """
    started: list[LocalAzure] = []

    def make(
        estate: list[dict[str, Any]] | None = None, *, speed: float = 1000, control: bool = True, **options: Any
    ) -> LocalAzure:
        folder = tmp_path_factory.mktemp("azure")
        more = [LocalAzure.keep_state(folder)] if options.pop("state", False) else []
        if options.pop("throttling", True) is False:
            more.append("--no-throttling")
        more += [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
        estates = []
        if estate is not None:
            estates = [folder / "estate.json"]
            estates[0].write_text(json.dumps(estate))
        azure = LocalAzure(folder, estates=estates, speed=speed, control=control, options=more)
        started.append(azure)
        azure.start()
        return azure

    yield make
    for azure in started:
        azure.kill()


@pytest.fixture
def azure(azure_factory: AzureFactory) -> LocalAzure:
    """An empty Azure in which waiting takes next to no time."""
    return azure_factory()
