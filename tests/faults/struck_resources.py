"""What the error codes are sent for: one half of a link, or the parts of a BastionHost.

Some codes of each part are sent where Azure sends them: what is said of a subnet as the answer to the write of a subnet.
All others strike a link, which is made by a single write: a host takes several, and many hosts take minutes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bastion_operator.arm.error_classes import ErrorClass
from bastion_operator.arm.error_codes import ErrorCode, Place
from bastion_operator.reconcile.keys import Kind

IDENTITY = "codes"
LINK, HOST, ADDRESS, SUBNET, GROUP = (
    "virtualNetworkPeerings",
    "bastionHosts",
    "publicIPAddresses",
    "subnets",
    "networkSecurityGroups",
)
_STRUCK: Mapping[str, str] = {
    "FeatureNotSupportedForDeveloperBastionSku": HOST,
    "BastionUpdateNotSupported": HOST,
    "PublicIPSkuMismatch": HOST,
    "AllocationFailed": HOST,
    "SkuNotAvailable": HOST,
    "QuotaExceeded": HOST,
    "PublicIPCountLimitReached": ADDRESS,
    "PublicIPAddressCannotBeDeleted": ADDRESS,
    "SubnetNameMustBeAzureBastionSubnet": SUBNET,
    "NetworkSecurityGroupNotCompliantForAzureBastionSubnet": SUBNET,
    "InUseSubnetCannotBeDeleted": SUBNET,
    "SecurityRuleConflict": GROUP,
    "InUseNetworkSecurityGroupCannotBeDeleted": GROUP,
}


@dataclass(frozen=True, slots=True)
class StruckResource:
    """A custom resource in a subscription of its own, and which of its writes is struck.

    :ivar part: the segment of the type in the URL of what is struck
    """

    subscription: str
    part: str

    @property
    def kind(self) -> Kind:
        return Kind.VNET_PEERING if self.part == LINK else Kind.BASTION_HOST

    def network(self, which: str) -> str:
        return (
            f"/subscriptions/{self.subscription}/resourceGroups/net/providers/Microsoft.Network/virtualNetworks/{which}"
        )

    @property
    def written(self) -> str:
        """What the URL of each struck write has in it."""
        return "/virtualNetworks/hub/virtualNetworkPeerings/" if self.part == LINK else f"/{self.part}/"

    @property
    def read(self) -> str:
        """What the URL of each struck reading has in it: of the network."""
        return "/virtualNetworks/hub?"

    def networks(self) -> list[dict[str, Any]]:
        """The rows of the estate. A link's other half is there already: one write makes it."""
        if self.part != LINK:
            return [self._row("hub", "10.0.0.0/16", [])]
        there = {
            "name": "to-hub",
            "properties": {
                "remoteVirtualNetwork": {"id": self.network("hub")},
                "peeringState": "Initiated",
                "peeringSyncLevel": "RemoteNotInSync",
                "allowVirtualNetworkAccess": True,
            },
        }
        return [self._row("hub", "10.0.0.0/16", []), self._row("spoke", "10.1.0.0/16", [there])]

    def _row(self, name: str, prefix: str, peerings: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "id": self.network(name),
            "name": name,
            "type": "Microsoft.Network/virtualNetworks",
            "location": "westeurope",
            "properties": {"addressSpace": {"addressPrefixes": [prefix]}, "virtualNetworkPeerings": peerings},
        }

    def spec(self) -> dict[str, Any]:
        common = {"identityRef": {"name": IDENTITY}, "interval": "24h"}
        if self.part != LINK:
            security = {"subnet": "Enforce" if self.part == GROUP else "Off", "targets": "Off"}
            # A Developer host is made by a single write.
            size = {"sku": "Developer"} if self.part == HOST else {"sku": "Basic", "subnetPrefix": "Auto"}
            return common | size | {"virtualNetworkID": self.network("hub"), "networkSecurity": security}
        link = {
            "hub": {"virtualNetworkID": self.network("hub")},
            "spokes": [{"virtualNetworkID": self.network("spoke")}],
        }
        return common | link | {"sides": "HubOnly"}


def struck_part(code: ErrorCode, place: Place) -> str:
    """The part whose requests a code is sent for; for all that is read, a network.

    An operation is that of a write, also for codes of deletions: those strike a link. So does what fails the operation of
    a host: what that leaves behind is replaced, not only sent again.
    """
    part = _STRUCK.get(code.name, LINK)
    if place is Place.GET:
        return LINK
    if place is Place.OPERATION and (part == HOST or code.error_class is ErrorClass.DELETE_ORDER):
        return LINK
    return part
