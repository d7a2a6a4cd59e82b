"""Reports on the API server: written where they changed, deleted where nobody wants them."""

from typing import Any

import pytest

from bastion_operator.api import BastionHost, ReachabilityReport
from bastion_operator.api.reachability_report import ReportRow
from bastion_operator.kube.client import APPLY_PATCH, MERGE_PATCH, KubeClient, find_cluster
from bastion_operator.kube.errors import ConflictError
from bastion_operator.kube.reports import ReportPublisher, SyncResult
from bastion_operator.kube.resources import list_objects, path_of
from bastion_operator.kube.sharding import build_reports, report_name
from dev.control_plane import ControlPlane
from tests.support.crd_examples import HUB, SPOKE, host
from tests.support.kube import RecordingClient, arm_id

pytestmark = pytest.mark.usefixtures("crds_served")


def row(vm: str, verdict: str = "Reachable", **fields: Any) -> ReportRow:
    """A row on SSH."""
    whole = {"vm": arm_id("virtualMachines", vm), "protocol": "SSH", "port": 22, "verdict": verdict, **fields}
    return ReportRow.model_validate(whole)


async def create(kube: RecordingClient, namespace: str, name: str = "example") -> dict[str, Any]:
    """Create a BastionHost."""
    return await kube.request("POST", path_of(BastionHost, namespace), body=host(name=name))


def reports(owner: dict[str, Any], **rows: list[ReportRow]) -> tuple[ReachabilityReport, ...]:
    """The reports on the VMs of the networks ``hub`` and ``spoke``."""
    networks = {"hub": HUB, "spoke": SPOKE}
    return build_reports(
        namespace=owner["metadata"]["namespace"],
        bastion_host=owner["metadata"]["name"],
        rows_by_network={networks[name]: each for name, each in rows.items()},
    )


async def stored(kube: RecordingClient, namespace: str) -> dict[str, dict[str, Any]]:
    """The reports as they are, by name."""
    return {raw["metadata"]["name"]: raw for raw in await list_objects(kube, ReachabilityReport, namespace)}


async def test_reports_are_written_and_owned(
    kube: RecordingClient, namespace: str, control_plane: ControlPlane
) -> None:
    owner = await create(kube, namespace)
    blocked = row(
        "b", "Unreachable", reasons=[{"code": "NicNsgDenies", "message": "why", "rule": "deny", "priority": 100}]
    )
    desired = reports(owner, hub=[row("a"), blocked], spoke=[])
    name = report_name("example", HUB, 0)
    result = await ReportPublisher(kube).sync(owner, desired)
    assert set(result.written) == {name, report_name("example", SPOKE, 0)}
    report = (await stored(kube, namespace))[name]
    assert [each["verdict"] for each in report["rows"]] == ["Reachable", "Unreachable"]
    assert report["counts"] == {"reachable": 1, "unreachable": 1, "unknown": 0, "stopped": 0, "total": 2}
    assert report["rows"][1]["reasons"] == [{"code": "NicNsgDenies", "message": "why", "rule": "deny", "priority": 100}]
    (reference,) = report["metadata"]["ownerReferences"]
    assert (reference["kind"], reference["name"], reference["uid"]) == (
        "BastionHost",
        "example",
        owner["metadata"]["uid"],
    )
    shown = control_plane.kubectl("get", "rr", name, "--namespace", namespace).splitlines()
    assert shown[0].split() == ["NAME", "BASTION", "VNET", "REACHABLE", "UNREACHABLE", "UNKNOWN", "AGE"]
    assert shown[1].split()[1:6] == ["example", "hub", "1", "1", "0"]


async def test_the_same_reports_again_are_no_write_and_no_rows_are_read(kube: RecordingClient, namespace: str) -> None:
    owner = await create(kube, namespace)
    desired = reports(owner, hub=[row("a")], spoke=[row("b")])
    publisher = ReportPublisher(kube)
    await publisher.sync(owner, desired)
    before = await stored(kube, namespace)
    kube.sent.clear()
    assert await publisher.sync(owner, desired) == SyncResult()
    assert kube.sent == [("GET", path_of(ReachabilityReport, namespace))]
    # After a restart nothing is remembered: the rows are read, and nothing is written.
    assert await ReportPublisher(kube).sync(owner, desired) == SyncResult()
    assert kube.writes == []
    assert await stored(kube, namespace) == before


async def test_only_the_report_that_changed_is_written(kube: RecordingClient, namespace: str) -> None:
    owner = await create(kube, namespace)
    publisher = ReportPublisher(kube)
    await publisher.sync(owner, reports(owner, hub=[row("a")], spoke=[row("b")]))
    kube.sent.clear()
    result = await publisher.sync(owner, reports(owner, hub=[row("a")], spoke=[row("b", "Unknown")]))
    assert result == SyncResult(written=(report_name("example", SPOKE, 0),))
    assert kube.writes == [("PATCH", path_of(ReachabilityReport, namespace, report_name("example", SPOKE, 0)))]


async def test_what_nobody_wants_any_more_is_deleted(kube: RecordingClient, namespace: str) -> None:
    owner, other = await create(kube, namespace), await create(kube, namespace, "other")
    publisher = ReportPublisher(kube)
    await publisher.sync(owner, reports(owner, hub=[row("a")], spoke=[row("b")]))
    await publisher.sync(other, reports(other, hub=[row("a")]))
    result = await publisher.sync(owner, reports(owner, hub=[row("a")]))
    assert result == SyncResult(deleted=(report_name("example", SPOKE, 0),))
    assert set(await stored(kube, namespace)) == {report_name("example", HUB, 0), report_name("other", HUB, 0)}
    assert await publisher.delete_all(owner) == SyncResult(deleted=(report_name("example", HUB, 0),))
    assert set(await stored(kube, namespace)) == {report_name("other", HUB, 0)}


@pytest.mark.parametrize(
    "change",
    [
        {"rows": []},
        {"metadata": {"ownerReferences": []}},
        {"metadata": {"annotations": {"azurebastion.dev/content-digest": "x"}}},
    ],
    ids=["rows", "owner", "digest"],
)
async def test_a_foreign_change_is_mended(kube: RecordingClient, namespace: str, change: dict[str, Any]) -> None:
    owner = await create(kube, namespace)
    desired = reports(owner, hub=[row("a")])
    name = report_name("example", HUB, 0)
    for publisher in (ReportPublisher(kube), ReportPublisher(kube)):
        await publisher.sync(owner, desired)
        before = (await stored(kube, namespace))[name]
        path = path_of(ReachabilityReport, namespace, name)
        await kube.request("PATCH", path, body=change, content_type=MERGE_PATCH)
        assert await publisher.sync(owner, desired) == SyncResult(written=(name,))
        after = (await stored(kube, namespace))[name]
        assert after["rows"] == before["rows"]
        for part in ("ownerReferences", "annotations", "labels"):
            assert after["metadata"][part] == before["metadata"][part]


async def test_labels_of_others_stay(kube: RecordingClient, namespace: str) -> None:
    owner = await create(kube, namespace)
    publisher = ReportPublisher(kube)
    await publisher.sync(owner, reports(owner, hub=[row("a")]))
    name = report_name("example", HUB, 0)
    path = path_of(ReachabilityReport, namespace, name)
    await kube.request("PATCH", path, body={"metadata": {"labels": {"team": "a"}}}, content_type=MERGE_PATCH)
    assert await publisher.sync(owner, reports(owner, hub=[row("a")])) == SyncResult()
    await publisher.sync(owner, reports(owner, hub=[row("b")]))
    assert (await stored(kube, namespace))[name]["metadata"]["labels"]["team"] == "a"


async def test_a_full_report_is_taken_and_the_number_of_reports_is_read_back(
    kube: RecordingClient, namespace: str
) -> None:
    owner = await create(kube, namespace)
    reasons = [{"code": "NicNsgDenies", "message": "m" * 200, "resource": HUB}]
    rows = [row(f"vm-{number}", "Unreachable", reasons=reasons) for number in range(1500)]
    publisher = ReportPublisher(kube)
    result = await publisher.sync(owner, reports(owner, hub=rows))
    assert len(result.written) == 2
    assert await publisher.shard_counts(owner) == {HUB.lower(): 2}
    kept = await stored(kube, namespace)
    assert sum(len(report["rows"]) for report in kept.values()) == 1500
    assert await ReportPublisher(kube).sync(owner, reports(owner, hub=rows)) == SyncResult()


async def test_the_rows_of_all_reports_are_read_back_a_few_reports_at_a_time(
    kube: RecordingClient, namespace: str
) -> None:
    owner, other = await create(kube, namespace), await create(kube, namespace, "other")
    networks = {f"{SPOKE}-{number}": [row(f"vm-{number}")] for number in range(7)}
    publisher = ReportPublisher(kube)
    assert await publisher.rows(owner) == []
    desired = build_reports(namespace=namespace, bastion_host="example", rows_by_network=networks)
    await publisher.sync(owner, desired)
    await publisher.sync(other, reports(other, hub=[row("theirs")]))
    kube.sent.clear()
    found = await publisher.rows(owner)
    assert {network: [each] for network, each in found} == networks
    assert len(kube.sent) == 2


async def test_reports_of_a_namesake_from_before_a_restore_are_taken_over(
    kube: RecordingClient, namespace: str
) -> None:
    before = await create(kube, namespace)
    await ReportPublisher(kube).sync(before, reports(before, hub=[row("a")], spoke=[row("b")]))
    await kube.request("DELETE", path_of(BastionHost, namespace, "example"))
    owner = await create(kube, namespace)
    result = await ReportPublisher(kube).sync(owner, reports(owner, hub=[row("a")]))
    assert result == SyncResult((report_name("example", HUB, 0),), (report_name("example", SPOKE, 0),))
    (report,) = (await stored(kube, namespace)).values()
    assert [each["uid"] for each in report["metadata"]["ownerReferences"]] == [owner["metadata"]["uid"]]


class Overtaken(KubeClient):
    """The real client; just before each report is applied another process writes it."""

    async def request(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        if options.get("content_type") == APPLY_PATCH:
            await super().request("PATCH", path, body={"rows": []}, content_type=MERGE_PATCH)
        return await super().request(method, path, **options)


async def test_what_another_process_has_written_since_it_was_compared_is_not_written_over(
    kube: RecordingClient, control_plane: ControlPlane, namespace: str
) -> None:
    owner = await create(kube, namespace)
    await ReportPublisher(kube).sync(owner, reports(owner, hub=[row("a")]))
    async with await Overtaken.connect(find_cluster(control_plane.kubeconfig)) as late:
        with pytest.raises(ConflictError):
            await ReportPublisher(late).sync(owner, reports(owner, hub=[row("a", "Unknown")]))
    assert (await stored(kube, namespace))[report_name("example", HUB, 0)]["rows"] == []
