"""The control side of change: what differs from a starting point and by whom, snapshots, foreign changes, restarts."""

import json
from pathlib import Path
from typing import Any

import pytest

from arm_emulator.client import ControlError
from dev.local_azure import LocalAzure
from tests.component.arm_emulator.conftest import SUB, subscription
from tests.support.arm import link_body, network_body
from tests.support.azure import AzureFactory, Wire

RG = f"/subscriptions/{SUB}/resourceGroups/rg"
HUB, SPOKE = (f"{RG}/providers/Microsoft.Network/virtualNetworks/{name}" for name in ("hub", "spoke"))
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
ROLES = "?api-version=2022-04-01"


def row(path: str, prefix: str, **properties: Any) -> dict[str, Any]:
    return {"id": path, "location": "westeurope", "properties": network_body(prefix, **properties)["properties"]}


@pytest.fixture
def azure(azure_factory: AzureFactory) -> LocalAzure:
    return azure_factory([subscription(), row(HUB, "10.0.0.0/16"), row(SPOKE, "10.1.0.0/16")], graph_lag=0)


async def settled(wire: Wire, path: str) -> dict[str, Any]:
    while True:
        _, body, _ = await wire.call("GET", path)
        if body["properties"]["provisioningState"] == "Succeeded":
            found: dict[str, Any] = body
            return found


async def test_changes_since_the_start_are_told_with_before_after_and_by_whom(azure: LocalAzure) -> None:
    async with Wire(azure) as wire, Wire(azure, "operator") as operator, azure.control() as control:
        nothing = await control.changes()
        assert (nothing["created"], nothing["deleted"], nothing["changed"]) == ([], [], [])
        await operator.call("PUT", f"{HUB}/subnets/s", {"properties": {"addressPrefix": "10.0.0.0/24"}})
        await settled(wire, f"{HUB}/subnets/s")
        await wire.call("PATCH", SPOKE, {"tags": {"a": "b"}})
        await wire.call("PUT", f"{RG}2", {"location": "westeurope"})
        found = await control.changes()
        assert {one["id"] for one in found["created"]} == {f"{HUB}/subnets/s", f"{RG}2"}
        made = next(one for one in found["created"] if one["id"].endswith("/s"))
        assert [(one["principal"], one["method"]) for one in made["by"]] == [("operator", "PUT")]
        assert made["after"]["properties"]["addressPrefix"] == "10.0.0.0/24"
        (changed,) = found["changed"]
        assert (changed["id"], changed["paths"]) == (SPOKE, ["tags"])
        assert ("tags" in changed["before"], changed["after"]["tags"]) == (False, {"a": "b"})
        assert [one["principal"] for one in changed["by"]] == ["somebody"]
        await wire.call("DELETE", SPOKE)
        while (await wire.call("GET", SPOKE))[0] != 404:
            pass
        (gone,) = (await control.changes())["deleted"]
        assert (gone["id"], gone["before"]["properties"]["addressSpace"]) == (
            SPOKE,
            {"addressPrefixes": ["10.1.0.0/16"]},
        )


async def test_a_snapshot_is_a_starting_point_and_a_way_back(azure: LocalAzure) -> None:
    async with Wire(azure) as wire, azure.control() as control:
        await wire.call("PUT", f"{HUB}/subnets/kept", {"properties": {"addressPrefix": "10.0.0.0/24"}})
        await settled(wire, f"{HUB}/subnets/kept")
        taken = await control.snapshot("before")
        assert [one["name"] for one in await control.snapshots()] == ["start", "before"]
        before = await control.resources()
        assert taken["resources"] == len(before)
        await wire.call("DELETE", f"{HUB}/subnets/kept")
        await wire.call("PUT", f"{SPOKE}/subnets/new", {"properties": {"addressPrefix": "10.1.0.0/24"}})
        await wire.call("PATCH", HUB, {"tags": {"x": "y"}})
        await control.restore("before")
        assert await control.resources() == before
        since = await control.changes("before")
        assert (since["created"], since["deleted"], since["changed"]) == ([], [], [])
        assert (await wire.call("GET", f"{HUB}/subnets/kept"))[0] == 200
        assert (await wire.call("GET", f"{SPOKE}/subnets/new"))[0] == 404
        again = await wire.call("PUT", f"{SPOKE}/subnets/new", {"properties": {"addressPrefix": "10.1.0.0/24"}})
        assert again[0] == 201, "no operation of before stands in the way"
        with pytest.raises(ControlError, match="SnapshotNotFound"):
            await control.restore("no such")


async def test_an_operation_that_ran_in_a_snapshot_runs_on_after_its_restore(azure_factory: AzureFactory) -> None:
    azure = azure_factory([subscription(), row(HUB, "10.0.0.0/16")], speed=1)
    async with Wire(azure) as wire, azure.control() as control:
        await wire.call("PUT", f"{HUB}/subnets/s", {"properties": {"addressPrefix": "10.0.0.0/24"}})
        await control.snapshot("running")
        await control.advance(60)
        assert (await wire.call("GET", f"{HUB}/subnets/s"))[1]["properties"]["provisioningState"] == "Succeeded"
        await control.restore("running")
        await control.advance(60)
        assert (await wire.call("GET", f"{HUB}/subnets/s"))[1]["properties"]["provisioningState"] == "Succeeded"


async def test_a_foreign_change_is_made_whatever_refuses_clients_and_bears_a_name(azure: LocalAzure) -> None:
    async with Wire(azure) as wire, azure.control() as control:
        lock = f"{RG}/providers/Microsoft.Authorization/locks/l?api-version=2020-05-01"
        assert (await wire.call("PUT", lock, {"properties": {"level": "ReadOnly"}}))[0] == 201
        etag = (await wire.call("GET", HUB))[1]["etag"]
        subnets = [{"name": "theirs", "properties": {"addressPrefix": "10.0.9.0/24"}}]
        await control.put_resource(row(HUB, "10.0.0.0/16", subnets=subnets), "colleague")
        _, hub, _ = await wire.call("GET", HUB)
        assert [one["name"] for one in hub["properties"]["subnets"]] == ["theirs"]
        assert hub["etag"] != etag
        await control.put_resource(row(HUB, "10.0.0.0/16", subnets=[]), "colleague")
        assert (await wire.call("GET", HUB))[1]["properties"]["subnets"] == []
        await control.delete_resource(SPOKE, "another")
        assert (await wire.call("GET", SPOKE))[0] == 404
        assert [(one["principal"], one["method"]) for one in (await control.audit())[-3:]] == [
            ("colleague", "PUT"),
            ("colleague", "PUT"),
            ("another", "DELETE"),
        ]
        with pytest.raises(ControlError, match="ResourceNotFound"):
            await control.delete_resource(SPOKE)
        with pytest.raises(ControlError, match="InvalidResource"):
            await control.put_resource({"id": "nothing"})
        before = await control.resources()
        for broken in (row(HUB, "10.0.0.0/16", subnets=[{}]), {**row(HUB, "10.0.0.0/16"), "properties": [1]}):
            with pytest.raises(ControlError, match="InvalidResource"):
                await control.put_resource(broken)
        assert await control.resources() == before


async def test_the_other_half_of_a_peering_learns_of_foreign_changes(azure: LocalAzure) -> None:
    async with Wire(azure) as wire, azure.control() as control:
        for one, other in ((HUB, SPOKE), (SPOKE, HUB)):
            await wire.call("PUT", f"{one}/virtualNetworkPeerings/l", link_body(other))
            await settled(wire, f"{one}/virtualNetworkPeerings/l")
        link = (await settled(wire, f"{HUB}/virtualNetworkPeerings/l"))["properties"]
        assert link["peeringState"] == "Connected"
        await control.delete_resource(f"{SPOKE}/virtualNetworkPeerings/l", "colleague")
        link = (await wire.call("GET", f"{HUB}/virtualNetworkPeerings/l"))[1]["properties"]
        assert link["peeringState"] == "Disconnected"


async def test_the_state_of_a_subscription_and_its_registrations_are_switched(azure: LocalAzure) -> None:
    async with Wire(azure) as wire, azure.control() as control:
        await control.set_subscription(SUB, providers={"Microsoft.Network": "NotRegistered"})
        _, body, _ = await wire.call("PUT", HUB, network_body("10.0.0.0/16"))
        assert body["error"]["code"] == "MissingSubscriptionRegistration"
        await control.set_subscription(SUB, state="Disabled", providers={"Microsoft.Network": "Registered"})
        _, body, _ = await wire.call("PUT", HUB, network_body("10.0.0.0/16"))
        assert body["error"]["code"] == "ReadOnlyDisabledSubscription"
        await control.set_subscription(SUB, state="Enabled")
        assert (await wire.call("PUT", HUB, network_body("10.0.0.0/16")))[0] == 200
        with pytest.raises(ControlError, match="InvalidSubscription"):
            await control.set_subscription(SUB, state="Tired")


async def test_rights_that_were_given_and_taken_stay_so_over_a_kill(
    azure_factory: AzureFactory, tmp_path: Path
) -> None:
    azure = azure_factory([subscription(), row(HUB, "10.0.0.0/16")], state=True)
    async with Wire(azure) as wire, Wire(azure, "reader") as reader:
        path = f"/subscriptions/{SUB}/providers/Microsoft.Authorization/roleAssignments"
        _, listed, _ = await wire.call("GET", path + ROLES)
        mine = [one for one in listed["value"] if one["properties"]["roleDefinitionId"].endswith(READER)]
        for one in mine:
            assert (await wire.call("DELETE", one["id"] + ROLES))[0] == 200
        assert (await reader.call("GET", HUB))[0] == 403
        azure.kill()
        azure.start()
    async with Wire(azure) as wire, Wire(azure, "reader") as reader:
        assert (await reader.call("GET", HUB))[0] == 403
        assert (await wire.call("GET", HUB))[0] == 200


async def test_a_principal_of_a_file_starts_with_a_built_in_role_at_a_scope(
    azure_factory: AzureFactory, tmp_path: Path
) -> None:
    file = tmp_path / "principals.json"
    entries = [{"name": "limited", "assignments": [{"role": "Reader", "scope": RG}]}]
    file.write_text(json.dumps(entries))
    azure = azure_factory([subscription(), row(HUB, "10.0.0.0/16")], principals=file)
    async with Wire(azure, "limited") as wire:
        assert (await wire.call("GET", HUB))[0] == 200
        assert (await wire.call("DELETE", HUB))[0] == 403
        assert (await wire.call("GET", f"/subscriptions/{SUB}"))[0] == 403
