"""Private addresses for the configurations of one resource: each keeps the one that it has, and none is given out twice."""

from arm_emulator.cloud import Cloud, items
from arm_emulator.errors import Json
from arm_emulator.ids import ResourceId
from arm_emulator.resource_types import addresses
from arm_emulator.resource_types.address_use import subnet_prefixes, taken_addresses
from arm_emulator.resource_types.base import Put
from arm_emulator.store import Resource


class Allocation:
    """What the parts of a PUT hold, hold already and ask for; `element` is the id of the part with a name."""

    def __init__(self, put: Put, name: str, segment: str) -> None:
        """`name` is the property that lists the parts, `segment` the type segment of their ids."""
        self._cloud = put.cloud
        self._id = put.id
        self._segment = segment
        self._held = _addresses(items(put.before, name), static=False)
        asked = items(put.properties, name)
        staying = {_name(part) for part in asked if not _is_static(part)}
        kept = {held: address for held, address in self._held.items() if held in staying}
        # A part that comes first must not take what another one keeps or is to get.
        self._reserved = {*kept.values(), *_addresses(asked, static=True).values()}
        self._given: dict[str, str] = {}
        self._others: dict[str, dict[str, str]] = {}

    def element(self, name: str) -> ResourceId:
        """The id of the part with this name."""
        return self._id.child(self._segment, name)

    def holder(self, subnet: Resource, address: str) -> str | None:
        """Who holds an address of a subnet: another resource, or a part of this one that came before."""
        return self._given.get(address) or self._taken(subnet).get(address)

    def give(self, name: str, address: str) -> str:
        """Notes that the part with this name has the address."""
        self._given[address] = str(self.element(name))
        return address

    def next(self, subnet: Resource, name: str, version: str) -> str | None:
        """The address that a part keeps, or the next that is free; None where the subnet has none."""
        prefixes = addresses.of_version(subnet_prefixes(subnet.properties), version)
        held = self._held.get(name.lower())
        if held and addresses.assignable(held, prefixes) and self.holder(subnet, held) is None:
            return self.give(name, held)
        taken = {*self._taken(subnet), *self._given, *self._reserved}
        free = addresses.next_free(prefixes, taken)
        return None if free is None else self.give(name, free)

    def _taken(self, subnet: Resource) -> dict[str, str]:
        """What other resources hold there: read once, as a subnet may have many."""
        if subnet.key not in self._others:
            self._others[subnet.key] = taken_addresses(self._cloud, subnet, self._id.key)
        return self._others[subnet.key]


def next_free_in(cloud: Cloud, subnet: Resource, version: str = addresses.IPV4) -> str | None:
    """The next free address of a subnet; None where it is full or has no prefix of that version."""
    return addresses.next_free(
        addresses.of_version(subnet_prefixes(subnet.properties), version), taken_addresses(cloud, subnet)
    )


def _name(part: Json) -> str:
    return str(part.get("name") or "").lower()


def _is_static(part: Json) -> bool:
    return (part.get("properties") or {}).get("privateIPAllocationMethod") == "Static"


def _addresses(parts: list[Json], *, static: bool) -> dict[str, str]:
    """The addresses of the parts with that method, by lower-cased name."""
    return {
        _name(part): addresses.canonical(str(address))
        for part in parts
        if _is_static(part) is static and (address := (part.get("properties") or {}).get("privateIPAddress"))
    }
