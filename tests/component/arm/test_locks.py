"""A lock that keeps Azure from taking a change is named with its level and its notes, asked of the local Azure."""

from bastion_operator.arm.errors import AzureError, ErrorClass
from bastion_operator.arm.locks import with_names_of_locks
from dev.local_azure import LocalAzure
from tests.support.arm_client import Caller, failure
from tests.support.estates import public_ip_id, row

ADDRESS = public_ip_id("address")
GROUP = ADDRESS.partition("/providers/")[0]
BODY = {"location": "westeurope", "sku": {"name": "Standard"}, "properties": {"publicIPAllocationMethod": "Static"}}


async def lock(cloud: LocalAzure, scope: str, name: str, level: str, **more: str) -> None:
    async with cloud.control() as control:
        await control.put_resource(
            row(f"{scope}/providers/Microsoft.Authorization/locks/{name}", {"level": level, **more})
        )


async def test_the_lock_is_named_where_the_message_names_only_its_scope(caller: Caller, cloud: LocalAzure) -> None:
    await lock(cloud, GROUP, "audit", "ReadOnly", notes="until the audit is over")
    await lock(cloud, "/".join(GROUP.split("/")[:3]), "keep", "CanNotDelete")
    refused = await failure(caller.client.put(ADDRESS, BODY))
    assert refused.error_class is ErrorClass.DENIED
    named = await with_names_of_locks(caller.client, refused)
    assert named.next_step == (
        f"remove lock audit (ReadOnly: until the audit is over) at {GROUP}, at least for as long as the change takes"
    )
    assert (named.code, named.message, named.handling) == (refused.code, refused.message, refused.handling)


async def test_where_locks_may_not_be_listed_the_scope_must_do(caller: Caller, cloud: LocalAzure) -> None:
    await lock(cloud, GROUP, "audit", "ReadOnly")
    refused = await failure(caller.client.put(ADDRESS, BODY))
    async with cloud.control() as control:
        await control.add_fault({"error": {"status": 403, "code": "AuthorizationFailed"}}, url="/locks", count=0)
        assert await with_names_of_locks(caller.client, refused) is refused
    assert f"the lock at {GROUP} (`az lock list`)" in refused.next_step


async def test_of_another_error_nothing_is_asked(caller: Caller, cloud: LocalAzure) -> None:
    other = AzureError("AllocationFailed", "there is no room", ErrorClass.REFUSED)
    asked = len(cloud.request_log())
    assert await with_names_of_locks(caller.client, other) is other
    assert len(cloud.request_log()) == asked
