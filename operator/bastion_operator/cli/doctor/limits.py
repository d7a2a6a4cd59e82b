"""Checks of Azure's limits by what stands.

Source: Microsoft's page "Azure subscription and service limits, quotas, and constraints" (networking).
"""

from collections import Counter
from collections.abc import Iterator
from typing import Final

from bastion_operator.cli.doctor.check import Check, failed, ok, warning
from bastion_operator.network.fields import region, text
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.resource_types import PUBLIC_IPS
from bastion_operator.planning.hidden import subscription_of

_PUBLIC_IPS: Final = 10
_PEERINGS: Final = 500
_NEARLY: Final = 0.9
_QUOTA: Final = "az network list-usages -l REGION tells your own limit; ask Azure for a higher one, or free an address"


def check_limits(inventory: Inventory) -> Iterator[Check]:
    """Whether there is room for another public IP address and another peering, by Azure's default limits."""
    yield from _public_ips(inventory)
    yield from _peerings(inventory)


def _public_ips(inventory: Inventory) -> Iterator[Check]:
    counts: Counter[tuple[str, str]] = Counter()
    for key, row in inventory.rows(PUBLIC_IPS).items():
        counts[subscription_of(key), region(text(row, "location")) or "?"] += 1
    full = [(place, count) for place, count in sorted(counts.items()) if count >= _PUBLIC_IPS]
    for (subscription, location), count in full:
        yield warning(
            "public IP addresses",
            f"{count} in {location} of subscription {subscription}, where Azure's default limit is {_PUBLIC_IPS}",
            _QUOTA,
        )
    if not full:
        yield ok("public IP addresses", f"no region of a subscription has {_PUBLIC_IPS}, Azure's default limit")


def _peerings(inventory: Inventory) -> Iterator[Check]:
    near = [each for each in inventory.virtual_networks.values() if len(each.links) >= _PEERINGS * _NEARLY]
    for network in near:
        make = failed if len(network.links) >= _PEERINGS else warning
        yield make(
            "peerings",
            f"{network.id} has {len(network.links)} of at most {_PEERINGS}",
            "divide its spokes among two hubs, or use Azure Virtual Network Manager",
        )
    if not near:
        yield ok("peerings", f"no network is near Azure's limit of {_PEERINGS}")
