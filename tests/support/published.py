"""Reports as the operator publishes them, without an operator."""

import json
from typing import Any

from bastion_operator.kube.sharding import build_reports
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability import judge_all
from bastion_operator.planning.verdict_rows import rows_by_network
from dev.control_plane import ControlPlane
from tests.support.estates import vnet_id


def reports(
    estate: list[dict[str, Any]], namespace: str, host: str = "hub", bastions: list[str] | None = None
) -> list[dict[str, Any]]:
    """The reports that the operator would write of an estate, for one BastionHost; ``bastions``: asked about these alone."""
    inventory = Inventory.from_rows(estate)
    rows = rows_by_network(inventory, judge_all(inventory, bastion_ids=bastions), vnet_id("hub"))
    built = build_reports(namespace=namespace, bastion_host=host, rows_by_network=rows)
    return [report.to_json() | {"metadata": {"name": report.metadata.name, "namespace": namespace}} for report in built]


def publish(control_plane: ControlPlane, objects: list[dict[str, Any]]) -> None:
    """Apply objects to the cluster, whoever wrote them before."""
    listed = {"apiVersion": "v1", "kind": "List", "items": objects}
    control_plane.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", input=json.dumps(listed))
