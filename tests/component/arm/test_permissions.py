"""What the identity may do itself, asked of the local Azure."""

import json
from pathlib import Path

from bastion_operator.arm.errors import ErrorClass
from bastion_operator.arm.permissions import own_permissions
from bastion_operator.clock import SystemClock
from bastion_operator.planning.peering_rights import PEER, WRITE
from bastion_operator.reconcile.own_rights import OwnRights
from dev.local_azure import LocalAzure
from tests.component.arm.conftest import SUBSCRIPTION_ROW
from tests.support.arm_client import Caller, CallerFactory, failure
from tests.support.azure import AzureFactory
from tests.support.estates import vnet, vnet_id


async def test_what_the_identity_lacks_on_a_network_is_found_once(
    azure_factory: AzureFactory, caller_factory: CallerFactory, tmp_path: Path
) -> None:
    hub, spoke = vnet_id("hub"), vnet_id("spoke")
    assignments = [
        {"actions": ["*/read", WRITE.upper()], "scope": hub},
        {"actions": ["*/read", "Microsoft.Network/*"], "notActions": [WRITE], "scope": spoke},
    ]
    principals = tmp_path / "principals.json"
    principals.write_text(json.dumps([{"name": "limited", "assignments": assignments}]))
    rows = [SUBSCRIPTION_ROW, vnet("hub", "10.0.0.0/16"), vnet("spoke", "10.1.0.0/16")]
    azure = azure_factory(rows, principals=principals, throttling=False)
    client = (await caller_factory(azure, principal="limited")).client
    rights = OwnRights(SystemClock(1.0), (WRITE, PEER))
    for _ in range(2):
        lacking = await rights.lacking(client, [hub, spoke])
        assert lacking == {hub.lower(): frozenset({PEER}), spoke.lower(): frozenset({WRITE})}
    assert len([entry for entry in azure.request_log() if "/permissions" in entry["url"]]) == 2


async def test_where_azure_does_not_say_nothing_is_known_to_be_missing(caller: Caller, cloud: LocalAzure) -> None:
    async with cloud.control() as control:
        await control.add_fault({"error": {"status": 403, "code": "AuthorizationFailed"}}, url="/permissions", count=0)
        assert (await failure(own_permissions(caller.client, vnet_id("hub")))).error_class is ErrorClass.DENIED
        assert await OwnRights(SystemClock(1.0), (WRITE, PEER)).lacking(caller.client, [vnet_id("hub")]) == {}


async def test_an_identity_with_every_right_lacks_nothing(caller: Caller) -> None:
    rights = OwnRights(SystemClock(1.0), (WRITE, PEER))
    assert await rights.lacking(caller.client, [vnet_id("hub").upper()]) == {vnet_id("hub").lower(): frozenset()}
