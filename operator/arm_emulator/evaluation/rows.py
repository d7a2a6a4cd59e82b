"""ARM resources as the evaluators read them: whole bodies by id, whatever holds them."""

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Protocol

from arm_emulator.errors import Json

SUBNETS = "/subnets/"
NESTED = ("subnets", "virtualNetworkPeerings")


class Rows(Protocol):
    """Bodies with `id`, `location` and `properties`; a virtual network's carry its subnets and links, a group's its rules."""

    def find(self, resource_id: str | None) -> Json | None:
        """The resource with this id, in any casing; None where there is none."""

    def of_type(self, kind: str) -> Iterable[Json]:
        """All of a type, such as Microsoft.Network/virtualNetworks, in any casing."""


class Estate:
    """Rows of an estate file or of Resource Graph."""

    def __init__(self, rows: Iterable[Json]) -> None:
        """Indexes the rows, and the subnets and links inside them."""
        self._rows: dict[str, Json] = {}
        for row in rows:
            self._rows[str(row["id"]).lower()] = row
            for name in NESTED:
                for child in parts(row, name):
                    self._rows[f"{row['id']}/{name}/{child['name']}".lower()] = child

    def find(self, resource_id: str | None) -> Json | None:
        return None if resource_id is None else self._rows.get(resource_id.lower().rstrip("/"))

    def of_type(self, kind: str) -> Iterator[Json]:
        return (row for row in self._rows.values() if str(row.get("type", "")).lower() == kind.lower())


def parts(body: Json, name: str) -> list[Json]:
    """A list of objects in a body's properties; absent or null counts as empty."""
    value = (body.get("properties") or {}).get(name)
    return [part for part in value if isinstance(part, dict)] if isinstance(value, list) else []


def field(body: Json, name: str) -> object:
    """A member of a body's properties."""
    return (body.get("properties") or {}).get(name)


def referred(body: Json, name: str) -> str | None:
    """The id in a `{"id": …}` property."""
    value = field(body, name)
    return str(value["id"]) if isinstance(value, dict) and value.get("id") else None


def same(one: str | None, other: str | None) -> bool:
    """Whether two ids name one resource."""
    return one is not None and other is not None and one.lower().rstrip("/") == other.lower().rstrip("/")


def network_of(subnet_id: str) -> str:
    """The id of the virtual network that a subnet is in."""
    return subnet_id[: subnet_id.lower().rindex(SUBNETS)]


def subnet_prefixes(subnet: Json) -> list[IPv4Network]:
    """A subnet's IPv4 prefixes, from whichever of its two fields is used."""
    several = field(subnet, "addressPrefixes")
    one = field(subnet, "addressPrefix")
    return ipv4([str(text) for text in several] if isinstance(several, list) and several else [str(one)] if one else [])


def space(body: Json, name: str = "addressSpace") -> list[IPv4Network]:
    """The IPv4 prefixes of an address space, such as a network's `addressSpace` or a link's `remoteAddressSpace`."""
    held = field(body, name)
    prefixes = held.get("addressPrefixes") if isinstance(held, dict) else None
    return ipv4([str(prefix) for prefix in prefixes or []])


def prefix_of(text: str) -> IPv4Network | IPv6Network | None:
    """The prefix or address in a text; None for tags and for whatever else stands in its place."""
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


def ipv4(prefixes: Iterable[str]) -> list[IPv4Network]:
    """Those of the prefixes that are IPv4."""
    networks = map(prefix_of, prefixes)
    return [network for network in networks if isinstance(network, IPv4Network)]


def primary_configuration(interface: Json) -> Json | None:
    """The primary IPv4 configuration of an interface: the one marked so, otherwise the first."""
    configurations = [
        part
        for part in parts(interface, "ipConfigurations")
        if str(field(part, "privateIPAddressVersion") or "IPv4") == "IPv4"
    ]
    marked = [part for part in configurations if field(part, "primary") is True]
    return next(iter(marked or configurations), None)
