"""What the operator knows of a resource goes with it, whether a watch tells that it has gone or not.

A watch that broke off and lists anew shows what is there, and says nothing of what is not.
"""

import asyncio
import json
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from bastion_operator.reconcile.keys import Key, Kind
from bastion_operator.reconcile.services import Services
from dev.control_plane import ControlPlane
from dev.local_azure import LocalAzure
from tests.support.azure import AzureFactory
from tests.support.lab import APPS_SUBSCRIPTION, EXAMPLE, HUB, HUB_SUBSCRIPTION, SHOP
from tests.support.operator_in_process import Manifest, Passes, make_identity, passes_at_work

SUBSCRIPTIONS = [HUB_SUBSCRIPTION, APPS_SUBSCRIPTION]
KINDS = (Kind.VNET_PEERING, Kind.BASTION_HOST)
# The five minutes until a look at what was let go pass in three seconds.
SPEED = 100.0
SECONDS = 30.0
# Of two that were created in one second nobody can tell which is the older.
CREATION_SECOND = 1.0
# Of these parts each keeps something by resource. Events are kept by time and number, metrics by kind.
KEEPING = (
    "attempts",
    "objects",
    "operations",
    "planned",
    "read_ahead",
    "reports",
    "standings",
    "statuses",
    "target_rules",
    "verdicts",
    "writes",
)


@pytest.fixture
def azure(azure_factory: AzureFactory) -> LocalAzure:
    rows = json.loads((EXAMPLE / "estate.json").read_text())
    return azure_factory(rows, throttling=False, graph_lag=0)


def link(identity: str, **spec: object) -> Manifest:
    spokes = [{"virtualNetworkID": SHOP}]
    return {"identityRef": {"name": identity}, "hub": {"virtualNetworkID": HUB}, "spokes": spokes, **spec}


def is_gone(passes: Passes, key: Key) -> bool:
    return key not in passes.seen


def kept(services: Services, *words: object) -> list[str]:
    """Where one of these words stands among what the parts keep."""
    return [each for part in KEEPING for each in _where(getattr(services, part), set(words), part)]


def _where(value: Any, words: set[object], path: str) -> Iterator[str]:
    if isinstance(value, Key | str):
        if value in words:
            yield path
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _where(key, words, path)
            yield from _where(each, words, path)
    elif isinstance(value, list | tuple | set | frozenset):
        for each in value:
            yield from _where(each, words, path)
    elif type(value).__module__.startswith("bastion_operator.reconcile") or path in KEEPING:
        names = getattr(type(value), "__slots__", None) or vars(value)
        for name in names:
            yield from _where(getattr(value, name), words, f"{path}.{name}")


async def uid_of(passes: Passes, key: Key) -> str:
    await passes.wait("it is seen", lambda: passes.seen.get(key))
    return str(passes.seen[key]["metadata"]["uid"])


async def test_what_went_unseen_is_in_nobodys_way(
    control_plane: ControlPlane, crds_served: None, azure: LocalAzure, namespace: str
) -> None:
    del crds_served
    async with passes_at_work(control_plane, azure, namespace, speed=SPEED) as passes:
        identity = await make_identity(passes, namespace, SUBSCRIPTIONS)
        old = await passes.create(Kind.VNET_PEERING, "old", link(namespace))
        await passes.wait("it is made", lambda: passes.reads(old, "Ready", "True"))
        # Nobody tells that it has gone at the end of this.
        await asyncio.sleep(CREATION_SECOND)
        await passes.delete(old)
        await passes.wait("it is gone", lambda: old not in passes.seen)
        new = await passes.create(Kind.VNET_PEERING, "new", link(namespace))
        assert passes.services.objects.known(old)
        await passes.wait("the other has its place", lambda: passes.reads(new, "Ready", "True"), seconds=SECONDS)
        using = passes.services.objects.using_identity
        await passes.wait("one uses the identity", lambda: using(namespace) == [new], seconds=SECONDS)

        await passes.delete(new)
        await passes.wait("it is gone as well", lambda: new not in passes.seen)
        await passes.delete(identity)
        await passes.wait("nobody uses the identity", lambda: not kept(passes.services, identity), seconds=SECONDS)


@pytest.mark.parametrize("policy", ["Manage", "Observe"])
async def test_nothing_is_kept_of_resources_that_came_and_went(
    control_plane: ControlPlane, crds_served: None, azure: LocalAzure, namespace: str, policy: str
) -> None:
    del crds_served
    async with passes_at_work(control_plane, azure, namespace, speed=SPEED, kinds=KINDS) as passes:
        await make_identity(passes, namespace, SUBSCRIPTIONS)
        host = {
            "identityRef": {"name": namespace},
            "virtualNetworkID": HUB,
            "sku": "Basic",
            "subnetPrefix": "Auto",
            "managementPolicy": policy,
        }
        keys = [
            await passes.create(Kind.VNET_PEERING, "net", link(namespace, managementPolicy=policy)),
            await passes.create(Kind.BASTION_HOST, "hub", host),
        ]
        words = [word for key in keys for word in (key, key.name, await uid_of(passes, key))]
        for key in keys:
            await passes.wait("it was looked at", partial(passes.condition, key, "Ready"))
        if policy == "Manage":
            for key in keys:
                await passes.wait("it is made", partial(passes.reads, key, "Ready", "True"))
        assert kept(passes.services, *words)
        for key in keys:
            await passes.delete(key)
            await passes.wait("it is gone", partial(is_gone, passes, key))
            await passes.touch(key)
        await passes.wait("nothing is kept", lambda: not kept(passes.services, *words), seconds=SECONDS)


@pytest.mark.parametrize("change", [{"suspend": True}, {"identityRef": {"name": "nobody"}}])
async def test_a_host_that_is_not_acted_on_keeps_no_inventory(
    control_plane: ControlPlane, crds_served: None, azure: LocalAzure, namespace: str, change: Manifest
) -> None:
    del crds_served
    async with passes_at_work(control_plane, azure, namespace, speed=SPEED, kinds=KINDS) as passes:
        await make_identity(passes, namespace, SUBSCRIPTIONS)
        spec = {"identityRef": {"name": namespace}, "virtualNetworkID": HUB, "managementPolicy": "Observe"}
        host = await passes.create(Kind.BASTION_HOST, "hub", spec)
        await passes.wait("it was looked at", lambda: passes.condition(host, "TargetsReachable"))
        # Each of these holds the inventory that it was worked out from.
        holding = {"verdicts._kept", "target_rules._kept"}
        assert holding & set(kept(passes.services, host))
        await passes.change_spec(host, **change)
        await passes.wait("it rests", lambda: passes.reads(host, "Accepted", "False"))
        await passes.wait("it is let go", lambda: not holding & set(kept(passes.services, host)), seconds=SECONDS)
