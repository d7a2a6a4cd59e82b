"""A fleet in which everything is in sync: hubs with their spokes, joined by links of the names that the operator would choose.

Each VNetPeering has a hub and spokes of its own; each BastionHost lies in one of the hubs and only watches.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from bastion_operator.planning.ownership import Owner

Row = dict[str, Any]

INSTALLATION: Final = "load"
REGION: Final = "westeurope"
_LINK: Final = {
    "provisioningState": "Succeeded",
    "peeringState": "Connected",
    "peeringSyncLevel": "FullyInSync",
    "allowVirtualNetworkAccess": True,
    "allowForwardedTraffic": False,
    "allowGatewayTransit": False,
    "useRemoteGateways": False,
    "peerCompleteVnets": True,
}


@dataclass(frozen=True, slots=True)
class Fleet:
    """How many there are of everything."""

    peerings: int
    spokes: int
    hosts: int
    subscriptions: int

    def subscription(self, hub: int) -> str:
        """The subscription of a hub and its spokes."""
        return f"00000000-0000-4000-8000-{hub % self.subscriptions:012x}"

    def all_subscriptions(self) -> list[str]:
        """Every one."""
        return [self.subscription(number) for number in range(self.subscriptions)]

    def network(self, hub: int, spoke: int | None = None) -> str:
        """The ARM id of a hub, or of one of its spokes."""
        name = f"hub-{hub}" if spoke is None else f"spoke-{hub}-{spoke}"
        return self._id(hub, "Microsoft.Network/virtualNetworks", name)

    def spec(self, hub: int, **more: Any) -> Row:
        """The spec of a hub's VNetPeering."""
        spokes = [{"virtualNetworkID": self.network(hub, number)} for number in range(self.spokes)]
        return {"hub": {"virtualNetworkID": self.network(hub)}, "spokes": spokes, **more}

    def host_spec(self, hub: int) -> Row:
        """The spec of a hub's BastionHost."""
        return {"virtualNetworkID": self.network(hub), "azureName": f"host-{hub}", "managementPolicy": "Observe"}

    def rows(self, namespace: str) -> Iterator[Row]:
        """The whole estate, with links that custom resources of this namespace own."""
        for number in self.all_subscriptions():
            group = f"/subscriptions/{number}/resourceGroups/net"
            yield {
                "id": f"/subscriptions/{number}",
                "name": number,
                "subscriptionId": number,
                "type": "microsoft.resources/subscriptions",
            }
            yield {
                "id": group,
                "name": "net",
                "type": "microsoft.resources/subscriptions/resourcegroups",
                "location": REGION,
            }
        for hub in range(self.peerings):
            yield from self._hub(hub, Owner(INSTALLATION, namespace, f"hub-{hub}", ""))
        for hub in range(self.hosts):
            yield from self._host(hub)

    def _hub(self, hub: int, owner: Owner) -> Iterator[Row]:
        own, prefix = self.network(hub), "10.250.0.0/24"
        spokes = [(self.network(hub, number), f"10.{number}.0.0/24") for number in range(self.spokes)]
        links = [_link(own, owner, spoke, space) for spoke, space in spokes]
        bastion = "10.250.0.0/26"
        subnet = {"id": f"{own}/subnets/AzureBastionSubnet", "name": "AzureBastionSubnet"}
        subnets = [subnet | {"properties": {"addressPrefix": bastion}}]
        yield _row(
            own, {"addressSpace": {"addressPrefixes": [prefix]}, "subnets": subnets, "virtualNetworkPeerings": links}
        )
        for spoke, space in spokes:
            back = [_link(spoke, owner, own, prefix)]
            yield _row(
                spoke, {"addressSpace": {"addressPrefixes": [space]}, "subnets": [], "virtualNetworkPeerings": back}
            )

    def _host(self, hub: int) -> Iterator[Row]:
        address = self._id(hub, "Microsoft.Network/publicIPAddresses", f"host-{hub}")
        fixed = {"publicIPAllocationMethod": "Static", "publicIPAddressVersion": "IPv4", "ipAddress": "20.1.2.3"}
        yield _row(address, fixed, sku={"name": "Standard", "tier": "Regional"})
        place = {
            "subnet": {"id": f"{self.network(hub)}/subnets/AzureBastionSubnet"},
            "publicIPAddress": {"id": address},
        }
        host = {"scaleUnits": 2, "ipConfigurations": [{"name": "ip", "properties": place}]}
        yield _row(self._id(hub, "Microsoft.Network/bastionHosts", f"host-{hub}"), host, sku={"name": "Standard"})

    def _id(self, hub: int, kind: str, name: str) -> str:
        return f"/subscriptions/{self.subscription(hub)}/resourceGroups/net/providers/{kind}/{name}"


def _link(local: str, owner: Owner, remote: str, space: str) -> Row:
    name, known = owner.peering_name(remote), {"addressPrefixes": [space]}
    spaces = {"remoteAddressSpace": known, "remoteVirtualNetworkAddressSpace": known}
    return {
        "id": f"{local}/virtualNetworkPeerings/{name}",
        "name": name,
        "type": "Microsoft.Network/virtualNetworks/virtualNetworkPeerings",
        "properties": {**_LINK, **spaces, "remoteVirtualNetwork": {"id": remote}},
    }


def _row(row_id: str, properties: Row, **columns: Any) -> Row:
    parts = row_id.split("/")
    kind = f"{parts[6]}/{parts[7]}".lower()
    return {"id": row_id, "name": parts[-1], "type": kind, "location": REGION, "properties": properties, **columns}
