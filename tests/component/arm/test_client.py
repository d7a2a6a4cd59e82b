"""The operator's client against a local Azure: tokens, reads, writes with their operations, and every kind of refusal."""

import logging

import pytest

from bastion_operator.arm.answers import Operation
from bastion_operator.arm.budgets import CallKind
from bastion_operator.arm.errors import AzureError, ErrorClass, OperationFailedError
from bastion_operator.arm.graph import HUB_COLLECTIONS, INVENTORY_TYPES, query, read_inventory
from bastion_operator.arm.operations import OperationFollower
from bastion_operator.network.held_row import key_of, row_of
from bastion_operator.network.virtual_machine import power_state
from dev.local_azure import LocalAzure
from tests.component.arm.conftest import SUBSCRIPTION_ROW
from tests.support.arm_client import Caller, CallerFactory, failure, finish
from tests.support.azure import AzureFactory
from tests.support.estates import (
    OTHER_SUBSCRIPTION,
    SUBSCRIPTION,
    hub,
    nic,
    nsg,
    public_ip,
    public_ip_id,
    row,
    rule,
    scale_set,
    subnet,
    subnet_id,
    vm,
    vm_id,
    vnet,
    vnet_id,
)

HUB = vnet_id("hub")
ADDRESS = public_ip_id("address")
BODY = {
    "location": "westeurope",
    "sku": {"name": "Standard"},
    "properties": {"publicIPAllocationMethod": "Static", "publicIPAddressVersion": "IPv4"},
}
NETWORKS = "Microsoft.Network/virtualNetworks"


def error(status: int, code: str, **headers: str) -> dict[str, object]:
    return {"error": {"status": status, "code": code, "headers": headers}}


# --- tokens ------------------------------------------------------------------------------------------------------


async def test_a_token_is_had_and_used(caller: Caller) -> None:
    await caller.client.authenticate()
    body = await caller.client.get(HUB)
    assert body is not None
    assert body["properties"]["addressSpace"] == {"addressPrefixes": ["10.0.0.0/16"]}
    assert caller.calls.seen == [(CallKind.READ, "virtualnetworks", "200")]


async def test_a_machine_is_read_with_whether_it_runs(
    azure_factory: AzureFactory, caller_factory: CallerFactory
) -> None:
    work = subnet("work", "10.0.1.0/24")
    machine = vm("web", power="deallocated")
    rows = [SUBSCRIPTION_ROW, vnet("hub", "10.0.0.0/16", subnets=[work]), nic("web-nic", "hub", "work", "10.0.1.4")]
    caller = await caller_factory(azure_factory([*rows, machine], throttling=False))
    body = await caller.client.get(vm_id("web"))
    assert body is not None
    assert power_state(body) == "deallocated"
    assert await caller.client.get(vm_id("other")) is None


async def test_an_instance_of_a_scale_set_is_read_with_its_nic_and_whether_it_runs(
    azure_factory: AzureFactory, caller_factory: CallerFactory
) -> None:
    rows = scale_set("many", "hub", "work")
    nic_of = f"{rows[1]['id']}/networkInterfaces/nic"
    placed = {"subnet": {"id": subnet_id("hub", "work")}, "privateIPAddress": "10.0.1.4"}
    rows.append(row(nic_of, {"ipConfigurations": [{"name": "ip", "properties": placed}]}))
    network = vnet("hub", "10.0.0.0/16", subnets=[subnet("work", "10.0.1.0/24")])
    caller = await caller_factory(azure_factory([SUBSCRIPTION_ROW, network, *rows], throttling=False))
    instance, interface = await caller.client.get(rows[1]["id"]), await caller.client.get(nic_of)
    assert instance is not None
    assert interface is not None
    assert power_state(instance) == "running"
    (part,) = interface["properties"]["ipConfigurations"]
    assert part["properties"]["privateIPAddress"] == "10.0.1.4"
    assert await caller.client.get(nic_of.replace("/0/", "/1/")) is None


async def test_a_wrong_secret_is_told_by_entras_code_and_not_by_the_secret(
    cloud: LocalAzure, caller_factory: CallerFactory
) -> None:
    caller = await caller_factory(cloud, secret="not-the-secret")
    refusals = [await failure(caller.client.authenticate()), await failure(caller.client.get(HUB))]
    for refusal in refusals:
        assert refusal.error_class is ErrorClass.CREDENTIAL
        assert "AADSTS7000215" in refusal.message
        assert "not-the-secret" not in str(refusal)


async def test_an_entra_that_is_ill_is_no_wrong_identity(caller: Caller, cloud: LocalAzure) -> None:
    async with cloud.control() as control:
        await control.add_fault(error(503, "temporarily_unavailable"), url="/oauth2/", count=0)
        refusal = await failure(caller.client.authenticate())
    assert refusal.error_class is ErrorClass.TRANSIENT


# --- reads -------------------------------------------------------------------------------------------------------


async def test_what_is_not_there_is_none_also_with_its_parent_or_group(caller: Caller) -> None:
    for absent in (ADDRESS, subnet_id("hub", "none"), subnet_id("none", "none"), vnet_id("hub", group="none")):
        assert await caller.client.get(absent) is None
        gone = await caller.client.delete(absent)
        assert gone.operation is None


async def test_a_missing_subscription_is_no_evidence_of_absence(caller: Caller) -> None:
    elsewhere = vnet_id("hub", subscription=OTHER_SUBSCRIPTION)
    for call in (caller.client.get, caller.client.delete):
        refusal = await failure(call(elsewhere))
        assert (refusal.code, refusal.error_class) == ("SubscriptionNotFound", ErrorClass.DENIED)


# --- writes ------------------------------------------------------------------------------------------------------


async def test_a_put_that_creates_then_updates_then_a_delete_each_followed_to_the_end(caller: Caller) -> None:
    client = caller.client
    made = await client.put(ADDRESS, BODY)
    assert made.created
    assert made.operation is not None
    await finish(client, made.operation)
    body = await client.get(ADDRESS)
    assert body is not None
    assert body["properties"]["provisioningState"] == "Succeeded"
    changed = await client.put(ADDRESS, {**body, "tags": {"a": "b"}}, if_match=body["etag"])
    assert not changed.created
    await finish(client, changed.operation)
    gone = await client.delete(ADDRESS)
    assert gone.operation is not None
    await finish(client, gone.operation)
    assert await client.get(ADDRESS) is None


async def test_a_stale_etag_is_contention(caller: Caller) -> None:
    refusal = await failure(caller.client.put(HUB, {"location": "westeurope", "properties": {}}, if_match='W/"old"'))
    assert (refusal.status, refusal.error_class) == (412, ErrorClass.CONTENTION)


async def test_a_failed_operation_tells_its_code(caller: Caller, cloud: LocalAzure) -> None:
    async with cloud.control() as control:
        await control.add_fault({"fail_operation": {"code": "AllocationFailed", "message": "no room"}}, method="PUT")
        made = await caller.client.put(ADDRESS, BODY)
        with pytest.raises(OperationFailedError) as caught:
            await finish(caller.client, made.operation)
    assert (caught.value.code, caught.value.message) == ("AllocationFailed", "no room")
    assert caught.value.error_class is ErrorClass.REFUSED
    assert caught.value.target == ADDRESS


# --- refusals ----------------------------------------------------------------------------------------------------


async def test_throttling_closes_the_gate_for_that_kind_and_subscription_alone(
    caller: Caller, cloud: LocalAzure
) -> None:
    async with cloud.control() as control:
        await control.add_fault(error(429, "TooManyRequests", **{"Retry-After": "100"}), method="PUT")
        first = await failure(caller.client.put(ADDRESS, BODY))
    assert (first.error_class, first.retry_after) == (ErrorClass.THROTTLED, 100_000)
    asked = len(cloud.request_log())
    second = await failure(caller.client.put(public_ip_id("other"), BODY))
    assert second.code == "WaitingForAzure"
    assert second.retry_after == pytest.approx(100_000, rel=0.1)
    assert len(cloud.request_log()) == asked
    assert await caller.client.get(HUB) is not None
    elsewhere = await failure(caller.client.put(vnet_id("hub", subscription=OTHER_SUBSCRIPTION), {"location": "x"}))
    assert elsewhere.code == "SubscriptionNotFound"


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (409, "AnotherOperationInProgress"),
        (429, "RetryableErrorDueToAnotherOperation"),
        (429, "RetryableError"),
        (400, "ReferencedResourceNotProvisioned"),
        (409, "ConflictingConcurrentWriteNotAllowed"),
    ],
)
async def test_contention_is_no_throttling_and_closes_no_gate(
    caller: Caller, cloud: LocalAzure, status: int, code: str
) -> None:
    async with cloud.control() as control:
        await control.add_fault(error(status, code, **{"Retry-After": "12"}), method="PUT")
        refusal = await failure(caller.client.put(ADDRESS, BODY))
    assert (refusal.code, refusal.error_class) == (code, ErrorClass.CONTENTION)
    made = await caller.client.put(ADDRESS, BODY)
    assert made.created


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_an_ill_azure_is_asked_once_and_told_as_transient(caller: Caller, cloud: LocalAzure, status: int) -> None:
    async with cloud.control() as control:
        await control.add_fault(error(status, "ServerIsIll"), method="GET", resource_type=NETWORKS, count=0)
        refusal = await failure(caller.client.get(HUB))
        (fault,) = await control.faults()
    assert refusal.error_class is ErrorClass.TRANSIENT
    assert fault["seen"] == 1


async def test_a_connection_that_is_reset_is_transient(caller: Caller, cloud: LocalAzure) -> None:
    await caller.client.authenticate()
    async with cloud.control() as control:
        await control.add_fault({"reset": "before"}, method="GET", resource_type=NETWORKS, count=0)
        refusal = await failure(caller.client.get(HUB))
    assert (refusal.code, refusal.error_class, refusal.status) == ("ConnectionFailed", ErrorClass.TRANSIENT, 0)


async def test_an_azure_that_does_not_answer_is_given_up(cloud: LocalAzure, caller_factory: CallerFactory) -> None:
    caller = await caller_factory(cloud, timeout=0.5)
    async with cloud.control() as control:
        await control.add_fault({"delay": 3}, method="GET", resource_type=NETWORKS)
        refusal = await failure(caller.client.get(HUB))
    assert refusal.error_class is ErrorClass.TRANSIENT


async def test_an_azure_that_is_gone_is_transient(caller: Caller, cloud: LocalAzure) -> None:
    await caller.client.authenticate()
    cloud.stop()
    refusal = await failure(caller.client.get(HUB))
    assert refusal.error_class is ErrorClass.TRANSIENT


# --- operations --------------------------------------------------------------------------------------------------


async def test_the_follower_asks_again_when_only_the_question_failed(caller: Caller, cloud: LocalAzure) -> None:
    follower = OperationFollower(caller.client.clock)
    ends: list[AzureError | None] = []
    async with cloud.control() as control:
        made = await caller.client.put(ADDRESS, BODY)
        await control.add_fault(error(503, "ServerIsIll"), url="/operations/", count=2)
        assert made.operation is not None
        follower.follow(caller.client, made.operation, lambda _, end: ends.append(end))
        assert follower.running(ADDRESS.upper())
        while follower.running(ADDRESS):
            await caller.client.clock.sleep(1)
        (fault,) = await control.faults()
    assert ends == [None]
    assert fault["fired"] == 2
    await follower.close()


async def test_the_url_of_an_operation_is_in_no_log_repr_or_error(
    caller: Caller, cloud: LocalAzure, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        made = await caller.client.put(ADDRESS, BODY)
        assert made.operation is not None
        async with cloud.control() as control:
            await control.add_fault({"reset": "before"}, url="/operations/", count=0)
            refusal = await failure(caller.client.poll(made.operation))
            await control.remove_faults()
        await finish(caller.client, made.operation)
    signature = made.operation.url.partition("&s=")[2].partition("&")[0]
    assert len(signature) > 10
    shown = caplog.text + repr(made) + repr(refusal) + str(refusal)
    assert signature not in shown
    assert made.operation.url not in shown


async def test_a_poll_carries_no_token_to_another_host(caller: Caller) -> None:
    for url in ("https://elsewhere.example/operations/1", caller.connection.cloud.resource_manager.replace("s:", ":")):
        answer = _Answer(url)
        with pytest.raises(AzureError) as caught:
            caller.client._operation(answer, ADDRESS, "PUT")  # type: ignore[arg-type]
        assert caught.value.code == "ForeignUrl"
        assert url not in str(caught.value)


class _Answer:
    status_code = 201

    def __init__(self, url: str) -> None:
        self.headers = {"Azure-AsyncOperation": url}


# --- Resource Graph ----------------------------------------------------------------------------------------------

ALL = "resources | project id, name, type | order by id asc"
WHOLE = "resources | project id, name, type, properties | order by id asc"


@pytest.fixture
def fleet(azure_factory: AzureFactory) -> LocalAzure:
    """2,500 NICs: three pages."""
    network = vnet("hub", "10.0.0.0/8", subnets=[subnet("work", "10.0.0.0/12")])
    nics = [
        nic(f"nic-{number:04}", "hub", "work", f"10.{number // 250}.1.{number % 250 + 4}") for number in range(2500)
    ]
    row = {"id": f"/subscriptions/{SUBSCRIPTION}", "type": "microsoft.resources/subscriptions", "name": "one"}
    return azure_factory([row, network, *nics], graph_lag=0)


async def test_all_pages_are_read_each_row_once(fleet: LocalAzure, caller_factory: CallerFactory) -> None:
    caller = await caller_factory(fleet)
    reading = await read_inventory(caller.client, [SUBSCRIPTION])
    ids = [key_of(row) for row in reading.rows]
    assert len(ids) == len(set(ids)) == 2502
    # The subscription, three pages of resources, the table of scale sets' machines and that of network managers.
    assert [kind for kind, _, _ in caller.calls.seen] == [CallKind.GRAPH] * 6
    assert reading.types == {*INVENTORY_TYPES, *HUB_COLLECTIONS.values()}


async def test_a_hub_whose_parts_are_refused_leaves_a_gap_that_is_known(
    azure_factory: AzureFactory, caller_factory: CallerFactory
) -> None:
    row = {"id": f"/subscriptions/{SUBSCRIPTION}", "type": "microsoft.resources/subscriptions", "name": "one"}
    azure = azure_factory([row, hub("core")], graph_lag=0)
    async with azure.control() as control:
        await control.add_fault(
            {"error": {"status": 403, "code": "AuthorizationFailed"}}, url="(?i)/virtualHubs/", count=0
        )
        reading = await read_inventory((await caller_factory(azure)).client, [SUBSCRIPTION])
    shown = [each for held in reading.rows if (each := row_of(held)) is not None]
    assert [each["name"] for each in shown if each["type"].endswith("/virtualhubs")] == ["core"]
    assert reading.types == set(INVENTORY_TYPES)


async def test_a_page_that_is_too_large_is_read_in_halves_from_where_it_was(
    fleet: LocalAzure, caller_factory: CallerFactory
) -> None:
    caller = await caller_factory(fleet)
    async with fleet.control() as control:
        too_large = {"error": {"status": 400, "code": "BadRequest", "details": [{"code": "ResponsePayloadTooLarge"}]}}
        await control.add_fault(too_large, url="ResourceGraph", nth=2)
        rows = await query(caller.client, ALL, [SUBSCRIPTION])
    assert len(rows) == 2501
    assert [result for _, _, result in caller.calls.seen] == ["200", "ResponsePayloadTooLarge", *["200"] * 3]


async def test_a_page_is_as_large_as_the_weight_of_the_rows_allows(
    azure_factory: AzureFactory, caller_factory: CallerFactory
) -> None:
    """1,000 NICs, then 700 groups of 25 KB, which do not fit into one page, then 2,500 light rows."""
    wide = [f"10.{number // 250}.{number % 250}.0/24" for number in range(1_500)]
    groups = [nsg(f"nsg-{number:04}", rule("wide", 100, "Allow", source=wide)) for number in range(700)]
    network = vnet("hub", "10.0.0.0/8", subnets=[subnet("work", "10.0.0.0/12")])
    nics = [
        nic(f"nic-{number:04}", "hub", "work", f"10.0.{number // 250}.{number % 250 + 4}") for number in range(1000)
    ]
    addresses = [public_ip(f"ip-{number:04}") for number in range(2_500)]
    azure = azure_factory([network, *nics, *groups, *addresses], graph_lag=0)
    caller = await caller_factory(azure)
    found = await query(caller.client, WHOLE, [SUBSCRIPTION])
    assert len(found) == 4201
    results = [result for _, _, result in caller.calls.seen]
    assert results.count("ResponsePayloadTooLarge") == 1
    assert len(results) <= 8


async def test_a_used_up_quota_is_waited_out_and_the_reading_goes_on(
    fleet: LocalAzure, caller_factory: CallerFactory
) -> None:
    caller = await caller_factory(fleet)
    async with fleet.control() as control:
        quota = error(429, "RateLimiting", **{"x-ms-user-quota-resets-after": "00:00:01"})
        await control.add_fault(quota, url="ResourceGraph", nth=2, count=2)
        rows = await query(caller.client, ALL, [SUBSCRIPTION])
    assert len(rows) == 2501


async def test_a_query_that_is_wrong_is_told_at_once(fleet: LocalAzure, caller_factory: CallerFactory) -> None:
    caller = await caller_factory(fleet)
    refusal = await failure(query(caller.client, "resources | where where", [SUBSCRIPTION]))
    assert refusal.error_class is ErrorClass.REFUSED
    assert len(caller.calls.seen) == 1


async def test_rows_that_are_cut_off_are_told(fleet: LocalAzure, caller_factory: CallerFactory) -> None:
    caller = await caller_factory(fleet)
    refusal = await failure(query(caller.client, "resources | order by id asc | limit 1500", [SUBSCRIPTION]))
    assert (refusal.code, refusal.error_class) == ("GraphAnswerIncomplete", ErrorClass.TRANSIENT)


def test_an_operation_shows_no_url() -> None:
    assert "secret" not in repr(Operation(ADDRESS, "PUT", "https://azure/?s=secret", 1.0))
