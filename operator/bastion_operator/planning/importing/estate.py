"""Custom resources for all Bastions and peerings of an estate."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from bastion_operator.network.inventory import Inventory
from bastion_operator.planning.estate import Estate
from bastion_operator.planning.hidden import subscription_of
from bastion_operator.planning.importing.hosts import import_hosts
from bastion_operator.planning.importing.model import Imported, LeftOut, Names, Placement
from bastion_operator.planning.importing.peerings import import_peerings


@dataclass(frozen=True, slots=True)
class Import:
    """Custom resources in the order in which to apply them, what was left out, and the subscriptions that they name."""

    resources: tuple[Imported, ...]
    left_out: tuple[LeftOut, ...]
    subscriptions: tuple[str, ...]


def import_estate(inventory: Inventory, placement: Placement, now: datetime) -> Import:
    """A BastionHost for each Bastion, and VNetPeerings for all peerings; ``now`` is the time at which they are planned.

    Links of one kind around one network become one VNetPeering; networks that are all joined with one another, in one way,
    a full mesh. Every custom resource is planned as if it managed what it names.
    """
    estate, names = Estate(inventory), Names()
    found = [
        *import_hosts(inventory, estate, placement, names, now),
        *import_peerings(inventory, estate, placement, names, now),
    ]
    resources = tuple(each for each in found if isinstance(each, Imported))
    left_out = tuple(each for each in found if isinstance(each, LeftOut))
    return Import(resources, left_out, tuple(sorted(set(_subscriptions(resources)))))


def _subscriptions(resources: Iterable[Imported]) -> Iterable[str]:
    for each in resources:
        spec = each.manifest["spec"]
        networks = [spec, spec.get("hub", {}), *spec.get("spokes", ())]
        ids = [network["virtualNetworkID"] for network in networks if "virtualNetworkID" in network]
        yield from map(subscription_of, [*ids, *filter(None, [spec.get("publicIP", {}).get("id")])])
