"""Resource Graph that never shows what was done: no write on its word, nothing concluded from what it does not show."""

from bastion_operator.arm.error_codes import CODES, Place
from bastion_operator.reconcile.keys import Key, Kind
from dev.control_plane import ControlPlane
from dev.local_azure import LocalAzure
from tests.faults.code_cells import Cell
from tests.support.azure import AzureFactory, Wire
from tests.support.operator_in_process import Passes, make_identity, passes_at_work

CELL = Cell(Place.PUT, CODES["InternalServerError"])
# Seconds: longer than any test.
NEVER = 10_000_000.0


def writes(azure: LocalAzure) -> list[str]:
    """The operator's writes, by method."""
    changing = {"PUT", "DELETE"}
    return [
        each["method"] for each in azure.request_log() if each["method"] in changing and each["principal"] == "operator"
    ]


async def ready_link(passes: Passes, namespace: str) -> Key:
    await make_identity(passes, namespace, [CELL.subscription])
    spec = CELL.spec() | {
        "identityRef": {"name": namespace},
        "interval": "1m",
        "hubToSpoke": {"allowForwardedTraffic": False},
    }
    key = await passes.create(Kind.VNET_PEERING, "late", spec)
    await passes.wait("the link is made", lambda: passes.reads(key, "Ready", "True"))
    return key


async def handled(passes: Passes, key: Key, value: str) -> None:
    """A pass that was asked for, with an inventory of its own, has ended."""
    await passes.ask_now(key, value)

    def done() -> bool:
        return bool(passes.seen.get(key, {}).get("status", {}).get("lastHandledReconcileAt") == value)

    await passes.wait("the pass is handled", done)


async def test_what_the_graph_never_shows_stays_made_and_is_deleted_all_the_same(
    control_plane: ControlPlane, crds_served: None, azure_factory: AzureFactory, namespace: str
) -> None:
    del crds_served
    azure = azure_factory(CELL.estate(), graph_lag=NEVER, throttling=False)
    async with passes_at_work(control_plane, azure, namespace, speed=50.0, workers=2) as passes:
        key = await ready_link(passes, namespace)
        passes.history[key] = []
        for number in range(3):
            await handled(passes, key, f"look-{number}")
        assert writes(azure) == ["PUT"]
        assert not [each for each in passes.told(key) if each["status"] == "False"], "no condition flaps"
        await passes.delete(key)
        await passes.wait("it is let go", lambda: key not in passes.seen)
    assert writes(azure) == ["PUT", "DELETE"], "it is not taken for gone because the graph has no row of it"


async def test_a_change_by_hand_that_the_graph_does_not_show_is_repaired_on_the_word_of_a_get(
    control_plane: ControlPlane, crds_served: None, azure_factory: AzureFactory, namespace: str
) -> None:
    del crds_served
    azure = azure_factory(CELL.estate(), graph_lag=NEVER, throttling=False)
    async with passes_at_work(control_plane, azure, namespace, speed=50.0, workers=2) as passes, Wire(azure) as wire:
        key = await ready_link(passes, namespace)
        links = f"{CELL.resource.network('hub')}/virtualNetworkPeerings"
        _, listed, _ = await wire.call("GET", links)
        (link,) = listed["value"]
        link["properties"]["allowForwardedTraffic"] = True
        status, _, _ = await wire.call("PUT", link["id"], link)
        assert status == 200
        # Azure's ten seconds for a link are ten milliseconds here; a pass that comes sooner waits for the link itself.
        await handled(passes, key, "look")
        await passes.wait("it is repaired", lambda: writes(azure) == ["PUT", "PUT"])
        await handled(passes, key, "look again")
        _, found, _ = await wire.call("GET", link["id"])
    assert found["properties"]["allowForwardedTraffic"] is False
    assert writes(azure) == ["PUT", "PUT"]
