"""Virtual network gateways, what they are connected to, and the on-premises prefixes told to Azure, read from ARM JSON."""

from dataclasses import dataclass
from functools import cached_property

from bastion_operator.network.arm_id import normalise_id
from bastion_operator.network.fields import Row, mapping, objects, text, texts
from bastion_operator.network.prefixes import EMPTY, EVERYTHING, AddressSet, PrefixList


@dataclass(frozen=True, slots=True)
class VirtualNetworkGateway:
    """A gateway and the VNets (lower-cased ids) that its ipConfigurations lie in."""

    id: str
    key: str
    name: str
    network_keys: frozenset[str]


@dataclass(frozen=True)
class LocalNetworkGateway:
    """A site as told to Azure: the prefixes behind it, None where it neither states any nor tells them by BGP."""

    id: str
    key: str
    name: str
    prefixes: PrefixList | None

    @property
    def addresses(self) -> AddressSet:
        """What of the prefixes can be read."""
        return EMPTY if self.prefixes is None else self.prefixes.addresses

    @cached_property
    def routes(self) -> AddressSet:
        """The same without a default route: 0.0.0.0/0, or prefixes that together are as good, such as its two halves."""
        kept = set() if self.prefixes is None else set(self.prefixes.intervals())
        while AddressSet(kept) == EVERYTHING:
            kept = {one for one in kept if any(_lies_in(one, other) for other in kept)}
        return AddressSet(kept)

    @property
    def is_read(self) -> bool:
        """Whether that is all."""
        return self.prefixes is not None and not self.prefixes.malformed


@dataclass(frozen=True, slots=True)
class GatewayConnection:
    """A connection of a gateway to a site or to another gateway, by their lower-cased ids; ExpressRoute has neither."""

    id: str
    gateway_key: str
    local_gateway_key: str | None
    other_gateway_key: str | None


def _lies_in(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether a prefix is a part of a wider one."""
    return one != other and other[0] <= one[0] and one[1] <= other[1]


def read_gateway(row: Row, row_id: str) -> VirtualNetworkGateway:
    """A gateway out of its ARM JSON."""
    subnets = (text(item, "properties", "subnet", "id") for item in objects(row, "properties", "ipConfigurations"))
    keys = (normalise_id(subnet) for subnet in subnets if subnet)
    networks = frozenset(key[: key.rfind("/subnets/")] for key in keys if "/subnets/" in key)
    return VirtualNetworkGateway(row_id, normalise_id(row_id), text(row, "name") or row_id.rsplit("/", 1)[-1], networks)


def read_local_gateway(row: Row, row_id: str) -> LocalNetworkGateway:
    """A site out of its ARM JSON."""
    prefixes = texts(row, "properties", "localNetworkAddressSpace", "addressPrefixes")
    if prefixes is None and mapping(row, "properties", "bgpSettings"):
        prefixes = ()
    name = text(row, "name") or row_id.rsplit("/", 1)[-1]
    return LocalNetworkGateway(
        row_id, normalise_id(row_id), name, None if prefixes is None else PrefixList.of(prefixes)
    )


def read_gateway_connection(row: Row, row_id: str) -> GatewayConnection | None:
    """A connection out of its ARM JSON; None for one without a gateway."""
    properties = mapping(row, "properties")
    gateway = text(properties, "virtualNetworkGateway1", "id")
    site = text(properties, "localNetworkGateway2", "id")
    other = text(properties, "virtualNetworkGateway2", "id")
    if gateway is None:
        return None
    keys = [normalise_id(end) if end else None for end in (site, other)]
    return GatewayConnection(row_id, normalise_id(gateway), keys[0], keys[1])
