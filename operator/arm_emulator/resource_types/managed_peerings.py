"""The peerings that network managers make of hubs and spokes, and what follows when deployments or members change."""

import hashlib
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from arm_emulator.cloud import Cloud, id_of
from arm_emulator.errors import Json
from arm_emulator.ids import ResourceId
from arm_emulator.network_manager import deployments
from arm_emulator.network_manager.membership import in_scope, members
from arm_emulator.network_manager.names import CONNECTIVITY, MANAGED, NETWORKS, PEERING_PREFIX
from arm_emulator.network_manager.networks import write_rows
from arm_emulator.resource_types import addresses
from arm_emulator.resource_types.virtual_networks import LINK, PEERINGS, gateways_in, prefixes_of
from arm_emulator.store import Resource, resource


def refresh(cloud: Cloud, networks: Iterable[Resource]) -> None:
    """Brings the rows on these networks, and all peerings of network managers, to what is deployed."""
    for network in networks:
        write_rows(cloud, network)
    _connect(cloud)


def forget(cloud: Cloud, network: Resource) -> None:
    """Removes the links of others that network managers have made to a network that is going away."""
    for reference in cloud.store.referrers(network.key, LINK):
        link = cloud.store.get(reference.source)
        if link is not None and link.root_key != network.key and link.body.get(MANAGED):
            _remove(cloud, link)


def refresh_all(cloud: Cloud) -> None:
    """The same for every network."""
    refresh(cloud, cloud.store.listed("/", NETWORKS))


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One half of a peering between a hub and a spoke."""

    owner: Resource
    remote: Resource
    transit: bool
    use_remote: bool

    @property
    def id(self) -> ResourceId:
        digest = hashlib.sha256(f"{self.owner.key} {self.remote.key}".encode()).hexdigest()[:16].upper()
        return self.owner.id.child("virtualNetworkPeerings", f"{PEERING_PREFIX}{digest}_{self.remote.name}")


def _connect(cloud: Cloud) -> None:
    """Makes the links of hub-and-spoke deployments, and removes those that nothing asks for any more."""
    wanted: dict[str, _Wanted] = {}
    for copy, hub, spoke, item in _spokes(cloud):
        uses_gateway = item.get("useHubGateway") == "True" and bool(gateways_in(cloud, hub))
        halves = (
            _Wanted(hub, spoke, transit=item.get("useHubGateway") == "True", use_remote=False),
            _Wanted(spoke, hub, transit=False, use_remote=uses_gateway),
        )
        if copy.properties.get("deleteExistingPeering") == "True":
            _remove_foreign_links(cloud, spoke)
        if not _already_linked(cloud, hub, spoke) and not _overlap(hub, spoke):
            wanted |= {half.id.key: half for half in halves}
    for link in [*cloud.store.listed("/", PEERINGS)]:
        if link.body.get(MANAGED) and link.key not in wanted:
            _remove(cloud, link)
    for half in wanted.values():
        _link(cloud, half)


def _spokes(cloud: Cloud) -> Iterator[tuple[Resource, Resource, Resource, Json]]:
    """Copy of the configuration, hub, spoke, and how the spoke's group is attached."""
    for deployment in deployments.everywhere(cloud, CONNECTIVITY):
        for copy in filter(None, map(cloud.store.get, deployment.snapshots)):
            hubs = copy.properties.get("hubs") or []
            hub = cloud.find(str(hubs[0].get("resourceId"))) if hubs else None
            if copy.properties.get("connectivityTopology") != "HubAndSpoke" or hub is None:
                continue
            for item in copy.properties.get("appliesToGroups") or []:
                for spoke in members(cloud, str(item.get("networkGroupId", "")).lower()):
                    here = spoke.location == deployment.region and in_scope(cloud, deployment.manager, spoke)
                    if here and spoke.key != hub.key:
                        yield copy, hub, spoke, item


def _already_linked(cloud: Cloud, hub: Resource, spoke: Resource) -> bool:
    """Whether somebody else's link joins the two: it stays, and one of a network manager's cannot stand beside it."""
    return any(
        not link.name.startswith(PEERING_PREFIX) and _leads_to(link, other)
        for one, other in ((hub, spoke), (spoke, hub))
        for link in cloud.store.children(one.key, PEERINGS)
    )


def _leads_to(link: Resource, network: Resource) -> bool:
    return (id_of(link.properties.get(LINK)) or "").lower() == network.key


def _overlap(one: Resource, other: Resource) -> bool:
    return bool(addresses.overlap(prefixes_of(one.properties), prefixes_of(other.properties)))


def _remove_foreign_links(cloud: Cloud, network: Resource) -> None:
    """Removes both halves of the peerings of a network that no network manager has made."""
    for link in [*cloud.store.children(network.key, PEERINGS)]:
        if link.name.startswith(PEERING_PREFIX):
            continue
        remote = cloud.find(id_of(link.properties.get(LINK)))
        back = [] if remote is None else [*cloud.store.children(remote.key, PEERINGS)]
        for half in (link, *(one for one in back if _leads_to(one, network))):
            _remove(cloud, half)


def _remove(cloud: Cloud, link: Resource) -> None:
    cloud.store.remove(link.key)
    cloud.touch(link.root_key)


def _link(cloud: Cloud, half: _Wanted) -> None:
    old = cloud.store.get(half.id.key)
    guid = str(uuid.uuid5(uuid.NAMESPACE_URL, " ".join(sorted((half.owner.key, half.remote.key)))))
    properties: Json = {
        "provisioningState": "Succeeded",
        "peeringState": "Connected",
        LINK: {"id": str(half.remote.id)},
        "allowVirtualNetworkAccess": True,
        "allowForwardedTraffic": True,
        "allowGatewayTransit": half.transit,
        "useRemoteGateways": half.use_remote,
        "doNotVerifyRemoteGateways": False,
        "peerCompleteVnets": True,
        "remoteAddressSpace": {"addressPrefixes": prefixes_of(half.remote.properties)},
        "resourceGuid": guid,
    }
    if old is None or old.properties != properties:
        cloud.store.put(resource(half.id, {"properties": properties, MANAGED: True}))
        cloud.touch(half.owner.key)
