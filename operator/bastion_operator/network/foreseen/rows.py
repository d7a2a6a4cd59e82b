"""Rows as Azure would answer them after requests that are only thought of. Nothing that is given is changed.

Taken as done well: what is written ends as Succeeded, a VM that is made runs, the links of a peering that was written read
Connected where both exist. A NIC whose address Azure is to choose gets the next that is free, as Microsoft's page "Private
IP addresses" says of dynamic allocation.
"""

import copy
from collections.abc import Iterator, Mapping
from typing import Any, Final

from bastion_operator.network.arm_id import normalise_id, parse_arm_id
from bastion_operator.network.fields import Row, at, objects, text, texts
from bastion_operator.network.foreseen.bodies import COLLECTIONS, WholeBodies
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.peering import HUB_CONNECTION_LINK, PeeringState
from bastion_operator.network.prefixes import PrefixList, format_address
from bastion_operator.network.resource_types import (
    BASTION_HOSTS,
    NETWORK_INTERFACES,
    PEERINGS,
    ROUTE_TABLES,
    SECURITY_GROUPS,
    VIRTUAL_MACHINES,
    VIRTUAL_NETWORKS,
)
from bastion_operator.network.subnet_range import usable_addresses

Json = dict[str, Any]
_RUNNING: Final = {"instanceView": {"powerState": {"code": "PowerState/running", "displayStatus": "VM running"}}}


class ForeseenRows:
    """An inventory under change."""

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory
        self._bodies = WholeBodies(inventory)
        self._changed: dict[str, Json] = {}
        self._gone: dict[str, str] = {}

    def get(self, resource_id: str) -> Row | None:
        """The resource, or the part of one, as it is by now."""
        key = normalise_id(resource_id)
        place = _place(resource_id)
        if place is None:
            return None if key in self._gone else self._changed.get(key) or self._bodies.get(key)
        parent = self.get(place[0])
        return (
            None
            if parent is None
            else next((part for part in objects(parent, "properties", place[1]) if _is(part, key)), None)
        )

    def put(self, resource_id: str, body: Mapping[str, Any], *, merged: bool = False, sync: bool = False) -> None:
        """Writes a resource or a part: in place of what there is, or ``merged`` into it, field by field.

        ``sync``: a peering learns the remote address space anew.
        """
        before = self.get(resource_id)
        written: Json = copy.deepcopy(dict(body))
        if merged and before is not None:
            written = _merged(before, written)
        kind = parse_arm_id(resource_id).resource_type
        written |= {"id": resource_id, "name": resource_id.rsplit("/", 1)[-1], "type": kind}
        properties = written.setdefault("properties", {})
        properties["provisioningState"] = "Succeeded"
        place = _place(resource_id)
        if place is None:
            if kind.lower() == VIRTUAL_MACHINES and before is None:
                properties.setdefault("extended", copy.deepcopy(_RUNNING))
            self._store(resource_id, written)
            if kind.lower() == VIRTUAL_NETWORKS:
                self._name_parts(written)
            for collection in _PARTS_OF.get(kind.lower(), ()) if before is None else ():
                properties.setdefault(collection, [])
        else:
            self._put_part(*place, written, resource_id)
            if kind.lower() == PEERINGS:
                self._join(place[0], written, before, sync=sync)
        if kind.lower() == BASTION_HOSTS:
            self._occupy(resource_id, written)

    def delete(self, resource_id: str) -> None:
        """Takes a resource or a part away; what is not there stays so."""
        before = self.get(resource_id)
        if before is None:
            return
        place = _place(resource_id)
        if place is None:
            key = normalise_id(resource_id)
            self._changed.pop(key, None)
            self._gone[key] = resource_id
            for link in objects(before, "properties", "virtualNetworkPeerings"):
                self._cut(resource_id, link)
            if parse_arm_id(resource_id).resource_type.lower() == BASTION_HOSTS:
                self._leave(resource_id, before)
            return
        parent_id, collection = place
        if (parent := self._writable(parent_id)) is not None:
            key = normalise_id(resource_id)
            parent["properties"][collection] = [
                one for one in objects(parent, "properties", collection) if not _is(one, key)
            ]
        self._cut(parent_id, before)

    def assign(self, resource_id: str, field: str, value: Any) -> None:
        """Sets one field of ``properties``, or takes it away (None). What is not there is not made."""
        body = self.get(resource_id)
        if body is not None:
            properties = {name: held for name, held in body.get("properties", {}).items() if name != field}
            changed = properties if value is None else {**properties, field: value}
            self.put(resource_id, {**body, "properties": changed})

    def inventory(self) -> Inventory:
        """The estate after everything."""
        self._give_addresses()
        parts = [part for key in (*self._changed, *self._gone) for part in self._bodies.parts_of(key)]
        return self._inventory.patched(list(self._changed.values()), [*self._gone.values(), *parts])

    # -- bodies --------------------------------------------------------------------------------------------------

    def _store(self, resource_id: str, body: Json) -> None:
        key = normalise_id(resource_id)
        self._gone.pop(key, None)
        self._changed[key] = body

    def _writable(self, resource_id: str) -> Json | None:
        key = normalise_id(resource_id)
        if key not in self._changed:
            body = self.get(resource_id)
            if body is None:
                return None
            self._changed[key] = copy.deepcopy(dict(body))
        self._changed[key].setdefault("properties", {})
        return self._changed[key]

    def _put_part(self, parent_id: str, collection: str, part: Json, part_id: str) -> None:
        """A part of something that is not there stays away: Azure would refuse it as well."""
        if (parent := self._writable(parent_id)) is None:
            return
        parts = list(objects(parent, "properties", collection))
        key = normalise_id(part_id)
        at_place = next((number for number, one in enumerate(parts) if _is(one, key)), None)
        if at_place is None:
            parts.append(part)
        else:
            parts[at_place] = part
        parent["properties"][collection] = parts

    @staticmethod
    def _name_parts(network: Json) -> None:
        """Gives each part the id that Azure gives it."""
        for collection in _PARTS_OF_NETWORK:
            for part in objects(network, "properties", collection):
                if isinstance(part, dict) and "name" in part:
                    part.setdefault("id", f"{network['id']}/{collection}/{part['name']}")

    # -- peerings ------------------------------------------------------------------------------------------------

    def _join(self, network_id: str, link: Json, before: Row | None, *, sync: bool) -> None:
        properties = link["properties"]
        remote_id = text(link, "properties", "remoteVirtualNetwork", "id")
        other = self._half(remote_id, network_id)
        space = at(self.get(remote_id) if remote_id else None, "properties", "addressSpace")
        known = at(before, "properties", "remoteAddressSpace")
        properties["remoteAddressSpace"] = space if known is None or sync else known
        properties["remoteVirtualNetworkAddressSpace"] = space
        properties["peeringState"] = (PeeringState.CONNECTED if other is not None else PeeringState.INITIATED).value
        properties["peeringSyncLevel"] = "FullyInSync" if other is not None else "RemoteNotInSync"
        if other is not None and remote_id is not None:
            self._set_state(remote_id, other, PeeringState.CONNECTED)

    def _cut(self, network_id: str, link: Row) -> None:
        """The other half of a link that goes reads Disconnected from then on."""
        remote_id = text(link, "properties", "remoteVirtualNetwork", "id")
        other = self._half(remote_id, network_id)
        if remote_id is not None and other is not None:
            self._set_state(remote_id, other, PeeringState.DISCONNECTED)

    def _half(self, network_id: str | None, remote_id: str) -> Row | None:
        network = self.get(network_id) if network_id else None
        links = objects(network, "properties", "virtualNetworkPeerings")
        return next((link for link in links if _leads_to(link, remote_id)), None)

    def _set_state(self, network_id: str, link: Row, state: PeeringState) -> None:
        properties = {**link["properties"], "peeringState": state.value}
        self._put_part(
            network_id, "virtualNetworkPeerings", {**link, "properties": properties}, _part_id(network_id, link)
        )

    # -- what a Bastion takes up ---------------------------------------------------------------------------------

    def _occupy(self, host_id: str, host: Json) -> None:
        for subnet_id in _subnets_of(host):
            users = [{"id": f"{host_id}/bastionHostIpConfigurations/IpConf"}]
            self._with_users(subnet_id, host_id, users)

    def _leave(self, host_id: str, host: Row) -> None:
        for subnet_id in _subnets_of(host):
            self._with_users(subnet_id, host_id, [])

    def _with_users(self, subnet_id: str, host_id: str, users: list[Json]) -> None:
        subnet = self.get(subnet_id)
        if subnet is None:
            return
        prefix = f"{normalise_id(host_id)}/"
        others = [each for each in objects(subnet, "properties", "ipConfigurations") if not _begins(each, prefix)]
        properties = {**subnet["properties"], "ipConfigurations": [*others, *users]}
        place = _place(subnet_id)
        if place is not None:
            self._put_part(*place, {**subnet, "properties": properties}, subnet_id)

    # -- addresses that Azure chooses ----------------------------------------------------------------------------

    def _give_addresses(self) -> None:
        waiting = [configuration for body in self._changed.values() for configuration in _without_address(body)]
        if not waiting:
            return
        taken = set(self._addresses())
        for configuration in waiting:
            subnet = self.get(str(text(configuration, "properties", "subnet", "id")))
            prefixes = texts(subnet, "properties", "addressPrefixes") or ()
            single = text(subnet, "properties", "addressPrefix")
            room = usable_addresses(PrefixList.of(prefixes or ((single,) if single else ())))
            chosen = next((each for first, last in room.intervals for each in _free(first, last, taken)), None)
            if chosen is not None:
                taken.add(chosen)
                configuration["properties"]["privateIPAddress"] = chosen

    def _addresses(self) -> Iterator[str]:
        rows = {**self._inventory.rows(NETWORK_INTERFACES), **self._changed}
        for row in rows.values():
            for configuration in objects(row, "properties", "ipConfigurations"):
                if (address := text(configuration, "properties", "privateIPAddress")) is not None:
                    yield address


def _place(resource_id: str) -> tuple[str, str] | None:
    """For a part of a resource: the resource, and the list that the part is in."""
    collection = COLLECTIONS.get(parse_arm_id(resource_id).resource_type.lower())
    return None if collection is None else (resource_id.rsplit("/", 2)[0], collection)


def _is(part: Row, key: str) -> bool:
    return str(part.get("name") or str(part.get("id")).rsplit("/", 1)[-1]).lower() == key.rsplit("/", 1)[-1]


def _part_id(network_id: str, link: Row) -> str:
    return text(link, "id") or f"{network_id}/virtualNetworkPeerings/{link.get('name')}"


def _leads_to(link: Row, remote_id: str) -> bool:
    remote = text(link, "properties", "remoteVirtualNetwork", "id")
    is_hub = HUB_CONNECTION_LINK.match(str(link.get("name"))) is not None
    return remote is not None and not is_hub and normalise_id(remote) == normalise_id(remote_id)


def _begins(reference: Row, prefix: str) -> bool:
    return normalise_id(str(reference.get("id"))).startswith(prefix)


def _subnets_of(host: Row) -> list[str]:
    found = (text(each, "properties", "subnet", "id") for each in objects(host, "properties", "ipConfigurations"))
    return [each for each in found if each is not None]


def _without_address(body: Json) -> Iterator[Json]:
    """IPv4 configurations of a NIC whose subnet is known and whose address is not."""
    if str(body.get("type")).lower() != NETWORK_INTERFACES:
        return
    for configuration in objects(body, "properties", "ipConfigurations"):
        version = text(configuration, "properties", "privateIPAddressVersion") or "IPv4"
        placed = text(configuration, "properties", "subnet", "id") is not None
        if placed and version.lower() == "ipv4" and text(configuration, "properties", "privateIPAddress") is None:
            assert isinstance(configuration, dict)
            yield configuration


def _free(first: int, last: int, taken: set[str]) -> Iterator[str]:
    return (shown for each in range(first, last + 1) if (shown := format_address(each)) not in taken)


def _merged(before: Row, after: Json) -> Json:
    """After's fields over before's, objects field by field, parts by their names; other lists and values are whole."""
    found = copy.deepcopy(dict(before))
    for name, value in after.items():
        old = found.get(name)
        if isinstance(old, dict) and isinstance(value, dict):
            found[name] = _merged(old, value)
        elif name in _PARTS_WITH_STATE and isinstance(old, list) and isinstance(value, list):
            found[name] = [_merged_part(old, part) for part in value]
        else:
            found[name] = value
    return found


_PARTS_OF_NETWORK: Final = ("subnets", "virtualNetworkPeerings")
# What is made without parts has none, which is another thing than parts that nobody states.
_PARTS_OF: Final[Mapping[str, tuple[str, ...]]] = {
    VIRTUAL_NETWORKS: _PARTS_OF_NETWORK,
    SECURITY_GROUPS: ("securityRules",),
    ROUTE_TABLES: ("routes",),
}
# Parts of which Azure tells more than anybody writes: addresses, states.
_PARTS_WITH_STATE: Final = frozenset({"subnets", "virtualNetworkPeerings", "ipConfigurations"})


def _merged_part(parts: list[Any], part: Any) -> Any:
    named = (each for each in parts if isinstance(each, dict) and isinstance(part, dict))
    old = next((each for each in named if str(each.get("name")).lower() == str(part.get("name")).lower()), None)
    return part if old is None else _merged(old, part)
