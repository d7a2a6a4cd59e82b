"""Every error code of Resource Graph and of Entra, and contention that lasts: what is done, and what is told."""

import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from bastion_operator.arm.error_classes import ErrorClass
from bastion_operator.arm.error_codes import CODES, ErrorCode, Place
from bastion_operator.reconcile.keys import Kind
from dev.control_plane import ControlPlane
from dev.local_azure import LocalAzure
from tests.faults.code_cells import Cell
from tests.support.azure import AzureFactory
from tests.support.operator_in_process import Passes, make_identity, passes_at_work

# Seconds of the operator's clock in one of the test's.
SPEED = 100.0
# Waits are stretched or shortened by this at most.
JITTER = 0.75
GRAPH = [code for code in CODES.values() if Place.GRAPH in code.places]
TOKEN = [code for code in CODES.values() if Place.TOKEN in code.places]
CELLS = [Cell(Place.PUT, code) for code in (*GRAPH, CODES["AnotherOperationInProgress"])]
ENTRA = "/oauth2/v2.0/token"


def lasted(requests: list[dict[str, Any]]) -> float:
    """Seconds from the first to the last; 0 where there is none."""
    times = [datetime.fromisoformat(each["time"]).timestamp() for each in requests]
    return times[-1] - times[0] if times else 0.0


def no_hot_loop(requests: list[dict[str, Any]]) -> None:
    """A few close together, and then at most so many a second as the longest wait of contention lets come."""
    least_gap = CODES["AnotherOperationInProgress"].handling.longest * JITTER / SPEED
    assert len(requests) <= 12 + lasted(requests) / least_gap, "no hot loop"


def name_of(code: ErrorCode) -> str:
    return code.name


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAzure]:
    folder: Path = tmp_path_factory.mktemp("codes-elsewhere")
    estate = folder / "estate.json"
    estate.write_text(json.dumps([row for cell in CELLS for row in cell.estate()]))
    azure = LocalAzure(folder, estates=[estate], speed=1000, options=["--graph-lag=0", "--no-throttling"])
    azure.start()
    yield azure
    azure.kill()


Start = Callable[[], Any]


@pytest.fixture
def at_work(control_plane: ControlPlane, crds_served: None, azure: LocalAzure, namespace: str) -> Start:
    del crds_served

    @asynccontextmanager
    async def start() -> AsyncIterator[Passes]:
        async with (
            passes_at_work(control_plane, azure, namespace, speed=SPEED, workers=2) as passes,
            azure.control() as control,
        ):
            yield passes
            await control.remove_faults()

    return start


@pytest.mark.parametrize("code", GRAPH, ids=name_of)
async def test_an_inventory_that_cannot_be_read_is_told_and_the_link_is_made_all_the_same(
    at_work: Start, azure: LocalAzure, namespace: str, code: ErrorCode
) -> None:
    cell = Cell(Place.PUT, code)
    lasting = code.error_class is not ErrorClass.TOO_LARGE
    headers = {"Retry-After": "1"} if code.error_class is ErrorClass.THROTTLED else {}
    error = {"error": {"status": code.status, "code": code.name, "message": "Struck.", "headers": headers}}
    async with at_work() as passes, azure.control() as control:
        began = len(azure.request_log())
        await control.add_fault(error, url="Microsoft.ResourceGraph", count=0 if lasting else 2)
        await make_identity(passes, namespace, [cell.subscription])
        spec = cell.spec() | {"identityRef": {"name": namespace}, "interval": "10m"}
        key = await passes.create(Kind.VNET_PEERING, code.name.lower(), spec)
        if lasting:
            found = await passes.wait("the link is made", lambda: passes.reads(key, "Connected", "True"))
            reasons = {code.handling.reason or code.name}
            if code.error_class is ErrorClass.THROTTLED:
                reasons.add("Retrying")

            def told() -> bool:
                # On a slow machine it may be told before that the graph has not answered yet.
                ready = passes.reads(key, "Ready", "False")
                return ready is not None and ready["reason"] in reasons

            await passes.wait("the missing inventory is told", told)
            await control.remove_faults()
            await passes.ask_now(key, "healed")
            assert found
        await passes.wait("it is ready in the end", lambda: passes.reads(key, "Ready", "True"))
    log = azure.request_log()[began:]
    queries = [each for each in log if "Microsoft.ResourceGraph" in each["url"]]
    assert [each for each in queries if each["code"] in {code.name, None}]
    no_hot_loop([each for each in queries if each["status"] >= 400])
    made = [each for each in log if each["method"] == "PUT" and each["status"] == 201]
    assert len(made) == 1


@pytest.mark.parametrize("code", TOKEN, ids=name_of)
async def test_a_refused_token_is_told_by_the_name_of_the_identity_with_its_next_step(
    at_work: Start, azure: LocalAzure, namespace: str, code: ErrorCode
) -> None:
    async with at_work() as passes, azure.control() as control:
        began = len(azure.request_log())
        error = {"status": code.status, "code": code.name, "message": "Struck by rule."}
        await control.add_fault({"error": error}, url=ENTRA, count=0)
        key = await make_identity(passes, namespace, [CELLS[0].subscription])
        ready = await wait_identity(passes, namespace, "False")
        assert ready["reason"] == (
            "AuthenticationFailed" if code.error_class is ErrorClass.CREDENTIAL else "AzureUnreachable"
        )
        assert f"AzureIdentity {namespace}" in ready["message"]
        assert code.name in ready["message"]
        step = code.next_step.partition("{")[0]
        assert step in ready["message"]
        if "{secret}" in code.next_step:
            assert f"Secret {namespace} in namespace {namespace}, key clientSecret" in ready["message"]
        assert azure.clients["operator"].client_secret not in json.dumps(ready)
        await control.remove_faults()
        await passes.ask_now(key, "healed")
        await wait_identity(passes, namespace, "True")
        no_hot_loop([each for each in azure.request_log()[began:] if ENTRA in each["url"]])


async def wait_identity(passes: Passes, name: str, status: str) -> dict[str, Any]:
    """The Ready condition of an AzureIdentity once it has this status."""
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        raw = await passes.kube.request("GET", f"/apis/azurebastion.dev/v1beta1/azureidentities/{name}")
        for each in raw.get("status", {}).get("conditions", []):
            if each["type"] == "Ready" and each["status"] == status:
                found: dict[str, Any] = each
                return found
        await passes.services.clock.sleep(5)
    raise AssertionError(f"AzureIdentity {name} is not Ready={status} within 90 s: {raw.get('status')}")


async def test_contention_that_lasts_is_told_after_minutes_and_goes_on_being_tried(
    at_work: Start, azure: LocalAzure, namespace: str
) -> None:
    code = CODES["AnotherOperationInProgress"]
    cell = Cell(Place.PUT, code)
    error = {"error": {"status": code.status, "code": code.name, "message": "Another one runs."}}
    async with at_work() as passes, azure.control() as control:
        await control.add_fault(error, method="PUT", url=f"{cell.resource.network('hub')}/", count=0)
        await make_identity(passes, namespace, [cell.subscription])
        key = await passes.create(Kind.VNET_PEERING, "lasting", cell.spec() | {"identityRef": {"name": namespace}})

        def told() -> bool:
            ready = passes.reads(key, "Ready", "False")
            return ready is not None and code.name in ready["message"]

        await passes.wait("it is told", told)
        assert {each["reason"] for each in passes.told(key) if code.name in each["message"]} <= {
            "Retrying",
            "Progressing",
        }
        assert not passes.condition(key, "Stalled")
        puts = [each for each in azure.request_log() if each["method"] == "PUT" and cell.subscription in each["url"]]
        assert lasted(puts) >= code.handling.told_after / SPEED - 1
        no_hot_loop(puts)
        await control.remove_faults()
        await passes.wait("it is made in the end", lambda: passes.reads(key, "Ready", "True"))


async def test_an_operation_that_does_not_end_is_told_after_its_usual_time_and_never_sent_twice(
    control_plane: ControlPlane, crds_served: None, azure_factory: AzureFactory, namespace: str
) -> None:
    del crds_served
    cell = CELLS[0]
    # Azure's ten seconds for a link take four here, and to the operator more than an hour.
    azure = azure_factory(cell.estate(), speed=2.5, graph_lag=0, throttling=False)
    async with passes_at_work(control_plane, azure, namespace, speed=1000.0, workers=2) as passes:
        await make_identity(passes, namespace, [cell.subscription])
        spec = cell.spec() | {"identityRef": {"name": namespace}}
        key = await passes.create(Kind.VNET_PEERING, "endless", spec)

        def told() -> dict[str, Any] | None:
            ready = passes.reads(key, "Ready", "False")
            return ready if ready is not None and ready["reason"] == "OperationOverdue" else None

        ready = await passes.wait("it is told", told)
        assert "Create under way" in ready["message"]
        assert "usually it takes at most 10 minutes" in ready["message"]
        assert not passes.condition(key, "Stalled")
        await passes.ask_now(key, "impatient")
        await passes.wait("it ends", lambda: passes.reads(key, "Ready", "True"))
    sent = [each for each in azure.request_log() if each["method"] == "PUT"]
    assert [each["status"] for each in sent] == [201]
