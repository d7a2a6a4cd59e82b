"""A local Azure with one network, and the operator's client for it."""

import pytest

from dev.local_azure import LocalAzure
from tests.support.arm_client import Caller, CallerFactory, caller_factory
from tests.support.azure import AzureFactory
from tests.support.estates import SUBSCRIPTION, vnet

__all__ = ["caller_factory"]

SUBSCRIPTION_ROW = {
    "id": f"/subscriptions/{SUBSCRIPTION}",
    "type": "microsoft.resources/subscriptions",
    "name": "one",
}


@pytest.fixture
def cloud(azure_factory: AzureFactory) -> LocalAzure:
    return azure_factory([SUBSCRIPTION_ROW, vnet("hub", "10.0.0.0/16")], throttling=False)


@pytest.fixture
async def caller(cloud: LocalAzure, caller_factory: CallerFactory) -> Caller:
    return await caller_factory(cloud)
