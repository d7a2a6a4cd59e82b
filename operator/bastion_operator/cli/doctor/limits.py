"""Checks of Azure's limits: by Azure's own word where it can be asked, else by its default limits.

Source: Microsoft's page "Azure subscription and service limits, quotas, and constraints" (networking), and the REST reference
"Usages - List".
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import TYPE_CHECKING, Final

from bastion_operator.cli.doctor.check import Check, failed, ok, unknown, warning
from bastion_operator.cli.progress import Progress, progress
from bastion_operator.network.fields import region, text
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.resource_types import PUBLIC_IPS
from bastion_operator.network.virtual_network import VirtualNetwork
from bastion_operator.planning.hidden import subscription_of

if TYPE_CHECKING:
    from bastion_operator.arm.client import ArmClient
    from bastion_operator.arm.usages import Usage

Place = tuple[str, str]
"""A subscription's id and a region, both lower-cased."""

_PUBLIC_IPS: Final = 10
_PEERINGS: Final = 500
_NEARLY: Final = 0.9
_QUOTA: Final = "az network list-usages -l REGION tells your own limit; ask Azure for a higher one, or free an address"
_DIVIDE: Final = "divide its spokes among two hubs, or use Azure Virtual Network Manager"
_WATCHED: Final = (
    "virtualnetworks",
    "networksecuritygroups",
    "publicipaddresses",
    "staticpublicipaddresses",
    "standardskupublicipaddresses",
    "ipv4standardskupublicipaddresses",
)
"""Usages, lower-cased, of what the operator makes: a Bastion's address, its security group; and of networks."""
_PER_NETWORK: Final = "peeringspervirtualnetwork"


def check_limits(inventory: Inventory) -> Iterator[Check]:
    """Whether there is room for another public IP address and another peering, by Azure's default limits."""
    counts = Counter(_place(key, text(row, "location")) for key, row in inventory.rows(PUBLIC_IPS).items())
    full = [(place, count) for place, count in sorted(counts.items()) if count >= _PUBLIC_IPS]
    for (subscription, location), count in full:
        yield warning(
            "public IP addresses",
            f"{count} in {location} of subscription {subscription}, where Azure's default limit is {_PUBLIC_IPS}",
            _QUOTA,
        )
    if not full:
        yield ok("public IP addresses", f"no region of a subscription has {_PUBLIC_IPS}, Azure's default limit")
    yield from _peerings((network, _PEERINGS) for network in inventory.virtual_networks.values())


async def check_usages(client: "ArmClient", inventory: Inventory) -> AsyncIterator[Check]:
    """The same by what Azure says of each region in which a subscription has a network."""
    networks = [(_place(each.key, each.location), each) for each in inventory.virtual_networks.values()]
    places = sorted({place for place, _ in networks})
    with progress("asking Azure for its limits", len(places)) as shown:
        answers = await asyncio.gather(*(_usages(client, place, shown) for place in places))
    most: dict[Place, int] = {}
    for place, answer in zip(places, answers, strict=True):
        if isinstance(answer, Check):
            yield answer
            continue
        most[place] = next((usage.limit for usage in answer if usage.name.lower() == _PER_NETWORK), _PEERINGS)
        yield limits_of(place, answer)
    for check in _peerings((network, most.get(place, _PEERINGS)) for place, network in networks):
        yield check


async def _usages(client: "ArmClient", place: Place, shown: Progress) -> "tuple[Usage, ...] | Check":
    """What Azure counts in a region of a subscription, or what is known instead."""
    from bastion_operator.arm.errors import AzureError  # noqa: PLC0415  Azure's libraries, for who asks Azure
    from bastion_operator.arm.usages import network_usages  # noqa: PLC0415

    subscription, location = place
    try:
        return await network_usages(client, subscription, location)
    except AzureError as error:
        name = f"limits in {location} of subscription {subscription}"
        told = f"Azure does not say: {error.message or error.code}"
        return unknown(name, told, "ask for Reader on the subscription")
    finally:
        shown.advance()


def limits_of(place: Place, usages: Iterable["Usage"]) -> Check:
    """What is used up, or nearly, of what the operator makes in a region of a subscription."""
    subscription, location = place
    name = f"limits in {location} of subscription {subscription}"
    # A limit of 0 is a kind that the subscription may not have at all, such as Basic addresses: nothing of it is used up.
    watched = [usage for usage in usages if usage.name.lower() in _WATCHED and usage.limit > 0]
    near = [usage for usage in watched if usage.count >= usage.limit * _NEARLY]
    told = ", ".join(f"{usage.words} {usage.count} of {usage.limit}" for usage in near or watched)
    if not watched:
        return unknown(
            name, "Azure names none that the operator needs", f"look at az network list-usages -l {location}"
        )
    if not near:
        return ok(name, told)
    make = failed if any(usage.count >= usage.limit for usage in near) else warning
    fix = f"az quota update, or the portal's page Quotas, asks Azure for more in {location}; or delete what is not used"
    return make(name, f"used up, or nearly: {told}", fix)


def _peerings(networks: Iterable[tuple[VirtualNetwork, int]]) -> Iterator[Check]:
    """Of networks and the most peerings that each may have."""
    near = [(network, most) for network, most in networks if len(network.links) >= most * _NEARLY]
    for network, most in near:
        make = failed if len(network.links) >= most else warning
        yield make("peerings", f"{network.id} has {len(network.links)} of at most {most}", _DIVIDE)
    if not near:
        yield ok("peerings", "no network is near Azure's limit")


def _place(key: str, location: str | None) -> Place:
    return subscription_of(key), region(location) or "?"
