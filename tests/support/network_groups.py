"""Hub and spoke of a network manager over network groups, as Resource Graph answers it."""

from collections.abc import Mapping
from typing import Any

from tests.support.estates import Row, manager_id, row, vnet_id


def network_groups(networks: Mapping[str, str | None], connected: Mapping[str, str], **configuration: Any) -> list[Row]:
    """A network manager's hub and spoke over these VNets, each in the group named, of which no row says so where it is None.

    ``connected``: how each group connects its members.
    """
    own = manager_id("connectivityConfigurations/spokes/snapshots/1")
    groups = [
        {"networkGroupId": manager_id(f"networkGroups/{name}"), "groupConnectivity": how, "isGlobal": "True"}
        for name, how in connected.items()
    ]
    held = {"connectivityTopology": "HubAndSpoke", "appliesToGroups": groups} | configuration
    rows = [row(own, held)]
    for network, group in networks.items():
        in_front = f"{vnet_id(network)}/providers/Microsoft.Network"
        listed = {"effectiveConnectivityConfigurations": [{"id": own}]}
        rows.append(row(f"{in_front}/effectiveConnectivityConfigurations/default", listed))
        if group is not None:
            member = {"groupMemberships": [{"networkGroupId": manager_id(f"networkGroups/{group}")}]}
            rows.append(row(f"{in_front}/networkGroupMemberships/default", member))
    return rows
