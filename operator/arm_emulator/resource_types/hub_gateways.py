"""Gateways that stand in virtual hubs: ExpressRoute's and site-to-site VPN's, as far as hubs show and routes name them."""

from arm_emulator.cloud import Cloud, id_of
from arm_emulator.errors import bad_request
from arm_emulator.operations import Timing
from arm_emulator.resource_types.base import Put
from arm_emulator.resource_types.bodies import default, refuse_used
from arm_emulator.resource_types.pointers import Pointer, Pointing
from arm_emulator.resource_types.virtual_hubs import AZURE_ASN, HUBS
from arm_emulator.store import Resource

_HUB = Pointer("virtualHub", "virtualHub", HUBS, required=True)


class _HubGateways(Pointing):
    create = Timing(1500, (10,))
    update = Timing(120, (10,))
    delete = Timing(600, (10,))
    pointers = (_HUB,)

    def prepare(self, put: Put) -> None:
        super().prepare(put)
        put.properties["virtualHub"] = {"id": put.properties["virtualHub"]["id"]}
        hub = put.cloud.find(id_of(put.properties["virtualHub"]))
        assert hub is not None, "its pointer is required"
        segment = f"/{self.name.rpartition('/')[2]}/".lower()
        for other in put.cloud.store.referrers(hub.key, "virtualHub"):
            if other.source != put.id.key and segment in other.source:
                raise bad_request(
                    "VirtualHubAlreadyHasGatewayOfThisType",
                    f"Virtual hub {hub.id} of {put.id} has {other.element} already.",
                )

    def check_delete(self, cloud: Cloud, item: Resource) -> None:
        refuse_used(cloud, item, ("nextHop",), "InUseHubGatewayCannotBeDeleted")


class ExpressRouteGateways(_HubGateways):
    """One a hub, 25 minutes in the making; lists of them come on one page."""

    name = "Microsoft.Network/expressRouteGateways"
    next_link = ""

    def prepare(self, put: Put) -> None:
        super().prepare(put)
        default(
            put.properties,
            autoScaleConfiguration={"bounds": {"min": 1}},
            expressRouteConnections=[],
            allowNonVirtualWanTraffic=False,
        )


class VpnGateways(_HubGateways):
    """Site-to-site VPN's, one a hub, 25 minutes in the making, with Azure's own ASN."""

    name = "Microsoft.Network/vpnGateways"

    def prepare(self, put: Put) -> None:
        super().prepare(put)
        default(put.properties, connections=[], vpnGatewayScaleUnit=1, isRoutingPreferenceInternet=False)
        default(put.properties, bgpSettings={"asn": AZURE_ASN, "peerWeight": 0}, enableBgpRouteTranslationForNat=False)
