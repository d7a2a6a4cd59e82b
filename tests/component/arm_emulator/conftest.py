"""One emulator for the tests that need nothing special of it; each takes a resource group of its own."""

import json
import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from dev.local_azure import LocalAzure
from tests.support.azure import Wire
from tests.support.sdk import FLAVOURS, Sdk

SUB = "00000000-0000-0000-0000-000000000001"


def subscription(number: int = 1) -> dict[str, Any]:
    return {
        "id": f"/subscriptions/00000000-0000-0000-0000-{number:012}",
        "type": "microsoft.resources/subscriptions",
        "name": f"sub {number}",
    }


def started(factory: pytest.TempPathFactory, *options: str, speed: float = 1000) -> Iterator[LocalAzure]:
    """The body of a fixture: an emulator with one subscription."""
    folder = factory.mktemp("azure")
    estate = folder / "estate.json"
    estate.write_text(json.dumps([subscription()]))
    more = ["--no-throttling", "--public-ip-quota=1000", *options]
    azure = LocalAzure(folder, estates=[estate], speed=speed, options=more)
    azure.start()
    yield azure
    azure.kill()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAzure]:
    yield from started(tmp_path_factory)


@pytest.fixture(scope="module", params=FLAVOURS)
def sdk(request: pytest.FixtureRequest, shared: LocalAzure) -> Iterator[Sdk]:
    """The SDKs' clients, once the synchronous and once the asynchronous ones."""
    sdk = FLAVOURS[request.param](shared, SUB)
    yield sdk
    sdk.close()


@pytest.fixture
def rg(sdk: Sdk) -> str:
    """The name of a fresh resource group, made by the SDK."""
    name = f"rg-{uuid.uuid4().hex[:8]}"
    sdk.resources.resource_groups.create_or_update(name, {"location": "westeurope"})
    return name


@pytest.fixture
async def wire(shared: LocalAzure) -> AsyncIterator[Wire]:
    async with Wire(shared) as wire:
        yield wire


@pytest.fixture
async def group(wire: Wire) -> str:
    """A fresh resource group's id."""
    path = f"/subscriptions/{SUB}/resourceGroups/rg-{uuid.uuid4().hex[:8]}"
    status, _, _ = await wire.call("PUT", path, {"location": "westeurope"})
    assert status == 201
    return path
