"""Microsoft.Network/virtualNetworks/virtualNetworkPeerings: the two halves of a peering and what they know of each other.

Rules: https://learn.microsoft.com/azure/virtual-network/virtual-network-manage-peering
"""

from arm_emulator.cloud import Cloud, id_of, parsed
from arm_emulator.errors import Json, bad_request, invalid_reference
from arm_emulator.guids import new_guid
from arm_emulator.ids import ResourceId
from arm_emulator.operations import Operation, Timing
from arm_emulator.resource_types import addresses
from arm_emulator.resource_types.base import Link, Put, ResourceType
from arm_emulator.resource_types.bodies import default, missing
from arm_emulator.resource_types.virtual_networks import CONNECTED, HUB_LINK, LINK, PEERINGS, gateways_in, prefixes_of
from arm_emulator.store import Reference, Resource

MOST_PEERINGS = 500
PEER = "Microsoft.Network/virtualNetworks/peer/action"


class Peerings(ResourceType):
    """One half, Initiated until the other is there; what it knows of the other's address space is renewed by a sync only."""

    name = PEERINGS
    tracked = False
    envelope = frozenset({"properties"})
    members = ("name", "id", "etag", "properties", "type")
    order = (
        "provisioningState", "resourceGuid", "peeringState", "peeringSyncLevel", "remoteVirtualNetwork",
        "allowVirtualNetworkAccess", "allowForwardedTraffic", "allowGatewayTransit", "useRemoteGateways",
        "doNotVerifyRemoteGateways", "peerCompleteVnets", "remoteGateways", "remoteAddressSpace",
        "remoteVirtualNetworkAddressSpace",
    )  # fmt: skip
    notifies = False
    create = Timing(10, (10,))
    delete = Timing(10, (10,))
    read_only = frozenset({"provisioningState", "resourceGuid", "peeringState", "peeringSyncLevel", "remoteAddressSpace",
                           "remoteVirtualNetworkAddressSpace", "localAddressSpace", "localVirtualNetworkAddressSpace", "remoteVirtualNetworkEncryption", "remoteBgpCommunities",
                           "remoteGateways"})  # fmt: skip

    unpublished = frozenset({"routeServiceVips"})

    def prepare(self, put: Put) -> None:
        properties = put.properties
        if put.old is not None and _is_hubs(put.cloud, put.id):
            # Azure's own link to a virtual hub: a network that is put back as it was read may name it, and changes nothing.
            properties.clear()
            properties.update(put.before)
            return
        default(
            properties,
            allowVirtualNetworkAccess=True,
            allowForwardedTraffic=False,
            allowGatewayTransit=False,
            useRemoteGateways=False,
            doNotVerifyRemoteGateways=False,
            peerCompleteVnets=True,
        )
        remote_id = parsed(properties.get(LINK))
        if remote_id is None:
            raise missing("remoteVirtualNetwork.id", put.id)
        properties[LINK] = {"id": properties[LINK]["id"]}
        self._refuse_change_of_remote(put)
        remote = put.cloud.find(str(remote_id))
        if remote is None:
            raise invalid_reference(str(remote_id), str(put.id))
        self._refuse_second_link(put, remote)
        self._refuse_beyond_limit(put)
        self._refuse_disconnected(put, remote)
        self._refuse_overlap(put, remote)
        self._refuse_missing_gateway(put, remote)
        self._connect(put, remote)

    def links(self, put: Put) -> list[Link]:
        return [] if put.old is not None and _is_hubs(put.cloud, put.id) else [Link(PEER, put.properties[LINK]["id"])]

    def references(self, item: Resource) -> list[Reference]:
        remote = parsed(item.properties.get(LINK))
        return [] if remote is None else [Reference(LINK, str(remote), str(item.id))]

    def committed(self, cloud: Cloud, item: Resource, put: Put) -> None:
        other = other_half(cloud, item)
        if other is not None and item.properties.get("peeringState") == "Connected":
            other.properties["peeringState"] = "Connected"
            cloud.store.put(other)
            cloud.touch(other.root_key)

    def succeeded(self, cloud: Cloud, item: Resource, operation: Operation) -> None:
        other = other_half(cloud, item)
        if other is None and item.properties.get("peeringState") == "Connected" and not _is_hubs(cloud, item.id):
            # The other half went while this one was being written.
            item.properties["peeringState"] = "Disconnected"

    def check_delete(self, cloud: Cloud, item: Resource) -> None:
        if _is_hubs(cloud, item.id):
            raise bad_request(
                "PeeringBelongsToVirtualHubConnection",
                f"Peering {item.id} cannot be deleted: it belongs to a virtual hub's connection.",
            )

    def deleted(self, cloud: Cloud, item: Resource) -> None:
        other = other_half(cloud, item)
        if other is not None:
            other.properties["peeringState"] = "Disconnected"
            cloud.store.put(other)
            cloud.touch(other.root_key)

    def computed(self, cloud: Cloud, item: Resource) -> Json:
        remote = cloud.find(id_of(item.properties.get(LINK)))
        if remote is None:
            # Deleted, or in a subscription that the estate files left out: what was known last stays.
            level = item.properties.get("peeringSyncLevel", "RemoteNotInSync")
            return {"peeringSyncLevel": level, "routeServiceVips": {}}
        live = prefixes_of(remote.properties)
        gateways = gateways_in(cloud, remote) if item.properties.get("useRemoteGateways") else []
        shown: Json = {"remoteGateways": [{"id": str(gateway.id)} for gateway in gateways]} if gateways else {}
        return {
            **shown,
            "peeringSyncLevel": _sync_level(cloud, item, live),
            "remoteVirtualNetworkAddressSpace": {"addressPrefixes": live},
            "routeServiceVips": {},
        }

    def _refuse_change_of_remote(self, put: Put) -> None:
        before = parsed(put.before.get(LINK))
        wanted = parsed(put.properties[LINK])
        if before is not None and wanted is not None and before.key != wanted.key:
            raise bad_request(
                "RemoteVnetOfPeeringCannotBeChanged",
                f"Remote virtual network of peering {put.id} cannot be changed from {before} to {wanted}.",
            )

    def _refuse_second_link(self, put: Put, remote: Resource) -> None:
        parent = put.id.root
        if parent.key == remote.key:
            raise bad_request(
                "PeeringToSelfNotAllowed", f"Peering {put.id} cannot reference its own virtual network {remote.id}."
            )
        for sibling in put.cloud.store.children(parent.key, PEERINGS):
            other = parsed(sibling.properties.get(LINK))
            if sibling.key != put.id.key and other is not None and other.key == remote.key:
                raise bad_request(
                    "AnotherPeeringAlreadyReferencesRemoteVnet",
                    f"Peering {sibling.id} already references remote virtual network {remote.id}. Cannot add another "
                    "peering referencing the same remote virtual network.",
                )

    def _refuse_beyond_limit(self, put: Put) -> None:
        if put.old is None and len(put.cloud.store.children(put.id.root.key, PEERINGS)) >= MOST_PEERINGS:
            raise bad_request(
                "VirtualNetworkPeeringCountLimitReached",
                f"Cannot create more than {MOST_PEERINGS} peerings for virtual network {put.id.root}.",
                details=[{"code": "QuotaExceeded", "message": f"Limit {MOST_PEERINGS} of virtualNetworkPeerings."}],
            )

    def _refuse_disconnected(self, put: Put, remote: Resource) -> None:
        """A Disconnected half, this one or the other, has to be deleted and made again."""
        other = half_towards(put.cloud, remote, put.id.root.key)
        for half in (put.old, other):
            if half is not None and half.properties.get("peeringState") == "Disconnected":
                raise bad_request(
                    "RemotePeeringIsDisconnected",
                    f"Cannot create or update peering {put.id} because remote peering {half.id} referencing parent "
                    f"virtual network {id_of(half.properties.get(LINK))} is in Disconnected state. Update or re-create the "
                    "remote peering to get it back to Initiated state. Peering gets Disconnected when remote vnet or "
                    "remote peering is deleted and re-created.",
                )

    def _refuse_overlap(self, put: Put, remote: Resource) -> None:
        own = prefixes_of((put.parent or {}).get("properties") or {})
        shared = addresses.overlap(own, prefixes_of(remote.properties))
        if shared:
            raise bad_request(
                "VnetAddressSpacesOverlap",
                f"Cannot create or update peering {put.id}. Virtual networks {put.id.root} and {remote.id} cannot be "
                f"peered because their address spaces overlap. Overlapping address prefixes: {', '.join(shared)}.",
            )
        self._refuse_overlap_with_peers(put, put.id.root.key, remote.key, str(put.id.root), str(remote.id))

    def _refuse_overlap_with_peers(self, put: Put, own: str, remote: str, own_id: str, remote_id: str) -> None:
        for first, second, first_id, second_id in ((own, remote, own_id, remote_id), (remote, own, remote_id, own_id)):
            network = put.cloud.store.get(first)
            space = prefixes_of(
                network.properties if network is not None and first != own else (put.parent or {})["properties"]
            )
            for link in put.cloud.store.children(second, PEERINGS):
                third = put.cloud.find(id_of(link.properties.get(LINK)))
                if third is None or third.key == first:
                    continue
                shared = addresses.overlap(space, prefixes_of(third.properties))
                if shared:
                    raise bad_request(
                        "VnetAddressSpaceOverlapsWithAlreadyPeeredVnet",
                        f"Cannot create or update peering {put.id}. Virtual networks {first_id} and {second_id} cannot "
                        "be peered because address space of the first virtual network overlaps with address space of "
                        f"virtual network {third.id} already peered with the second virtual network. Overlapping "
                        f"address prefixes: {', '.join(shared)}. For more information please refer to "
                        "https://aka.ms/VnetPeeringInfo",
                    )

    def _refuse_missing_gateway(self, put: Put, remote: Resource) -> None:
        if not put.properties["useRemoteGateways"]:
            self._refuse_taking_transit_away(put, remote)
            return
        cannot = f"Peering {put.id} cannot have UseRemoteGateways flag set to true"
        if not gateways_in(put.cloud, remote) and not put.properties["doNotVerifyRemoteGateways"]:
            raise bad_request(
                "RemoteVnetHasNoGateways",
                f"{cannot} because remote virtual network {remote.id} referenced by the peering does not have any gateways.",
            )
        own = put.cloud.store.get(put.id.root.key)
        if own is not None and gateways_in(put.cloud, own):
            raise bad_request(
                "VnetHasGatewaysAndUsesRemoteGateways",
                f"{cannot} because virtual network {own.id} has gateways of its own.",
            )
        other = half_towards(put.cloud, remote, put.id.root.key)
        if other is not None and not other.properties.get("allowGatewayTransit"):
            raise bad_request(
                "RemotePeeringDoesNotAllowGatewayTransit",
                f"{cannot}, because corresponding remote peering {other.id} has AllowGatewayTransit flag set to false.",
            )
        for sibling in put.cloud.store.children(put.id.root.key, PEERINGS):
            if sibling.key != put.id.key and sibling.properties.get("useRemoteGateways"):
                raise bad_request(
                    "AnotherPeeringUsesRemoteGateways",
                    f"{cannot} because peering {sibling.id} of the same virtual network has it already.",
                )

    def _refuse_taking_transit_away(self, put: Put, remote: Resource) -> None:
        other = half_towards(put.cloud, remote, put.id.root.key)
        if other is None or put.properties["allowGatewayTransit"] or not put.before.get("allowGatewayTransit"):
            return
        if other.properties.get("useRemoteGateways"):
            raise bad_request(
                "RemotePeeringUsesRemoteGateways",
                f"Peering {put.id} cannot have AllowGatewayTransit flag set to false because corresponding remote peering "
                f"{other.id} has UseRemoteGateways flag set to true.",
            )

    def _connect(self, put: Put, remote: Resource) -> None:
        properties = put.properties
        other = half_towards(put.cloud, remote, put.id.root.key)
        properties["peeringState"] = "Initiated" if other is None else "Connected"
        sync = str(put.query.get("syncRemoteAddressSpace", "")).lower() == "true"
        known = put.before.get("remoteAddressSpace")
        if known is None or sync:
            known = {"addressPrefixes": prefixes_of(remote.properties)}
        properties["remoteAddressSpace"] = known
        guid = put.before.get("resourceGuid") or (other.properties.get("resourceGuid") if other is not None else None)
        properties["resourceGuid"] = guid or new_guid()


def _is_hubs(cloud: Cloud, link: ResourceId) -> bool:
    """Whether a link is one that a virtual hub's connection has made."""
    return link.name.startswith(HUB_LINK) and bool(cloud.store.referrers(link.root.key, CONNECTED))


def complete(cloud: Cloud, link: Resource) -> None:
    """Fills in what an estate file left out of a link, from how the two networks stand."""
    remote = cloud.find(id_of(link.properties.get(LINK)))
    default(link.properties, peeringState="Initiated" if other_half(cloud, link) is None else "Connected")
    if remote is not None:
        default(link.properties, remoteAddressSpace={"addressPrefixes": prefixes_of(remote.properties)})


def half_towards(cloud: Cloud, network: Resource, target: str) -> Resource | None:
    """The link of `network` to the virtual network with key `target`."""
    for link in cloud.store.children(network.key, PEERINGS):
        remote = parsed(link.properties.get(LINK))
        if remote is not None and remote.key == target and link.state != "Deleting":
            return link
    return None


def other_half(cloud: Cloud, link: Resource) -> Resource | None:
    """The link that comes back."""
    remote = cloud.find(id_of(link.properties.get(LINK)))
    return None if remote is None else half_towards(cloud, remote, link.root_key)


def _sync_level(cloud: Cloud, link: Resource, live: list[str]) -> str:
    """What the link, and the other half, do not know yet; a half that stands alone reads RemoteNotInSync."""
    if link.properties.get("peeringState") != "Connected":
        return "RemoteNotInSync"
    other = other_half(cloud, link)
    own = cloud.store.get(link.root_key)
    local_stale = prefixes_of({"addressSpace": link.properties.get("remoteAddressSpace")}) != live
    remote_stale = (
        other is not None
        and own is not None
        and prefixes_of({"addressSpace": other.properties.get("remoteAddressSpace")}) != prefixes_of(own.properties)
    )
    if local_stale:
        return "LocalAndRemoteNotInSync" if remote_stale else "LocalNotInSync"
    return "RemoteNotInSync" if remote_stale else "FullyInSync"
