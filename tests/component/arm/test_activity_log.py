"""Who wrote a resource last, asked of the local Azure's activity log."""

from datetime import UTC, datetime, timedelta

from bastion_operator.arm.activity_log import last_writer
from dev.local_azure import LocalAzure
from tests.support.arm_client import Caller, CallerFactory, finish
from tests.support.estates import public_ip_id

ADDRESS = public_ip_id("address")
BODY = {"location": "westeurope", "sku": {"name": "Standard"}, "properties": {"publicIPAllocationMethod": "Static"}}


async def test_the_last_who_wrote_beside_the_operator_is_found(
    caller: Caller, cloud: LocalAzure, caller_factory: CallerFactory
) -> None:
    since = datetime.now(UTC) - timedelta(days=1)
    somebody = await caller_factory(cloud, principal="somebody")
    await finish(caller.client, (await caller.client.put(ADDRESS, BODY)).operation)
    assert await last_writer(caller.client, ADDRESS, since) is None
    for each in (somebody, caller):
        await finish(each.client, (await each.client.put(ADDRESS, BODY)).operation)
    found = await last_writer(caller.client, ADDRESS, since)
    assert found is not None
    assert found.caller == cloud.clients["somebody"].client_id
    assert found.operation.lower() == "microsoft.network/publicipaddresses/write"
    assert await last_writer(caller.client, public_ip_id("other"), since) is None
