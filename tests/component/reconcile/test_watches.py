"""What the watches tell is noted in the event loop: neither the objects nor the queue can be changed from a thread."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any, cast

import kopf
import pytest

from bastion_operator.api.vnet_peering import VNetPeering
from bastion_operator.clock import SystemClock
from bastion_operator.handlers.watches import make_registry, make_settings
from bastion_operator.kube.client import find_cluster
from bastion_operator.kube.resources import path_of
from bastion_operator.reconcile.keys import Key, Kind
from bastion_operator.reconcile.program import ProgramSettings, running
from dev.control_plane import ControlPlane
from tests.support.arm_client import cloud_of
from tests.support.azure import AzureFactory
from tests.support.crd_examples import peering

SECONDS = 30


class Threads(Executor):
    """What kopf gives to threads."""

    def __init__(self) -> None:
        self.given: list[Callable[..., Any]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        self.given.append(fn)
        done: Future[Any] = Future()
        done.set_result(fn(*args, **kwargs))
        return done


async def test_the_watches_give_nothing_to_threads(
    control_plane: ControlPlane,
    crds_served: None,
    azure_factory: AzureFactory,
    namespace: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    del crds_served
    # kopf finds the API server by itself.
    monkeypatch.setenv("KUBECONFIG", str(control_plane.kubeconfig))
    cloud = cloud_of(azure_factory([]))
    program = ProgramSettings(cloud, find_cluster(control_plane.kubeconfig), namespace, installation_id=namespace)
    async with running(program, SystemClock()) as services:
        settings, threads = make_settings(services.clock), Threads()
        settings.execution.executor = threads
        ready, stop = asyncio.Event(), asyncio.Event()
        watches = asyncio.create_task(
            kopf.operator(
                registry=make_registry(services),
                settings=settings,
                namespaces=[namespace],
                standalone=True,
                identity=cast("Any", "bastion-operator"),
                ready_flag=ready,
                stop_flag=stop,
            )
        )
        await asyncio.wait_for(ready.wait(), SECONDS)
        key = Key(Kind.VNET_PEERING, namespace, "example")
        body = peering()
        body["metadata"]["namespace"] = namespace
        await services.kube.request("POST", path_of(VNetPeering, namespace), body=body)
        # Others' AzureIdentities, which lie in no namespace, may come before it.
        while await asyncio.wait_for(services.queue.take(), SECONDS) != key:
            pass
        assert services.objects.known(key)
        assert threads.given == []
        stop.set()
        await watches
