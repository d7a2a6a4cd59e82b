"""Which addresses of subnets are held: how full they are, and whether one is free.

Source: the operations Virtual Networks - List Usage and Check IP Address Availability of Microsoft.Network.
"""

import ipaddress
from collections.abc import Iterable

from arm_emulator.cloud import Cloud, items
from arm_emulator.errors import Json, bad_request
from arm_emulator.resource_types import addresses
from arm_emulator.store import Resource

_UNCOUNTED = "gatewaysubnet"
"""Published: its numbers are -1."""
_OFFERED = 5
"""How many free addresses are named in place of one that is taken, as in the published example."""


def subnet_prefixes(properties: Json) -> list[str]:
    """A subnet's prefixes, from whichever of its two fields is used."""
    several = properties.get("addressPrefixes")
    if isinstance(several, list) and several:
        return [str(prefix) for prefix in several]
    one = properties.get("addressPrefix")
    return [str(one)] if one else []


def configured(properties: Json) -> list[Json]:
    """The properties of each ipConfiguration."""
    return [part.get("properties") or {} for part in items(properties, "ipConfigurations")]


def taken_addresses(cloud: Cloud, subnet: Resource, but: str = "") -> dict[str, str]:
    """Addresses of the subnet that are held, and by which configuration; `but` is the key of a holder that does not count."""
    taken: dict[str, str] = {}
    for user in cloud.store.referrers(subnet.key, "subnet"):
        holder = cloud.store.get(user.source)
        if holder is None or holder.key == but:
            continue
        frontends = [part.get("properties") or {} for part in items(holder.properties, "frontendIPConfigurations")]
        for part in (*configured(holder.properties), *frontends):
            if part.get("privateIPAddress"):
                taken[addresses.canonical(str(part["privateIPAddress"]))] = user.element
    return taken


def usages(cloud: Cloud, subnets: Iterable[Resource]) -> Json:
    """For each subnet of a network how many addresses are in use, of how many."""
    return {"value": [_usage(cloud, subnet) for subnet in subnets]}


def availability(cloud: Cloud, subnets: Iterable[Resource], address: str) -> Json:
    """Whether an address of a network with these subnets is free; others where it is not. Raises ArmError."""
    try:
        wanted = ipaddress.ip_address(address)
    except ValueError:
        raise bad_request("InvalidIPAddress", f"The value '{address}' of ipAddress is no IP address.") from None
    for subnet in subnets:
        prefixes = subnet_prefixes(subnet.properties)
        if any(wanted in ipaddress.ip_network(prefix, strict=False) for prefix in prefixes):
            return _in_subnet(str(wanted), prefixes, set(taken_addresses(cloud, subnet)))
    raise bad_request(
        "PrivateIPAddressNotInAnySubnet",
        f"Private static IP address {address} does not belong to the range of any subnet.",
    )


def _in_subnet(wanted: str, prefixes: list[str], taken: set[str]) -> Json:
    usable = addresses.assignable(wanted, prefixes)
    if usable and wanted not in taken:
        return {"available": True, "availableIPAddresses": [], "isPlatformReserved": False}
    offered: list[str] = []
    for prefix in addresses.of_version(prefixes, addresses.IPV4):
        while len(offered) < _OFFERED and (free := addresses.free_address(prefix, taken.union(offered))) is not None:
            offered.append(free)
    return {"available": False, "availableIPAddresses": offered, "isPlatformReserved": not usable}


def _usage(cloud: Cloud, subnet: Resource) -> Json:
    current, limit = -1.0, -1.0
    if subnet.name.lower() != _UNCOUNTED:
        current = float(sum(":" not in address for address in taken_addresses(cloud, subnet)))
        limit = float(
            sum(map(addresses.room, addresses.of_version(subnet_prefixes(subnet.properties), addresses.IPV4)))
        )
    return {
        "currentValue": current,
        "id": str(subnet.id),
        "limit": limit,
        "name": {"localizedValue": "Subnet size and usage", "value": "SubnetSpace"},
        "unit": "Count",
    }
