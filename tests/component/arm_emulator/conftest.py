"""One emulator for the tests that need nothing special of it; each takes a resource group of its own."""

import json
import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from dev.local_azure import LocalAzure
from tests.support.azure import Wire

SUB = "00000000-0000-0000-0000-000000000001"


def subscription(number: int = 1) -> dict[str, Any]:
    return {
        "id": f"/subscriptions/00000000-0000-0000-0000-{number:012}",
        "type": "microsoft.resources/subscriptions",
        "name": f"sub {number}",
    }


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAzure]:
    folder = tmp_path_factory.mktemp("azure")
    estate = folder / "estate.json"
    estate.write_text(json.dumps([subscription()]))
    azure = LocalAzure(folder, estates=[estate], speed=1000, options=["--no-throttling", "--public-ip-quota=1000"])
    azure.start()
    yield azure
    azure.kill()


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
