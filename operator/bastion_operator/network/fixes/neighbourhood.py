"""The rows that one VM's verdict hangs on: enough to judge it alone, few enough to judge it often."""

from collections.abc import Iterable, Iterator
from typing import Final

from bastion_operator.network.arm_id import normalise_id
from bastion_operator.network.fields import Row
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability.evaluation import Evaluation
from bastion_operator.network.reachability.host import SUBNET_NAME
from bastion_operator.network.reachability.verdict import Verdict
from bastion_operator.network.resource_types import (
    BASTION_HOSTS,
    NETWORK_INTERFACES,
    PEERINGS,
    PUBLIC_IPS,
    ROUTE_TABLES,
    ROUTES,
    SCALE_SET_INTERFACES,
    SCALE_SET_MACHINES,
    SCALE_SETS,
    SECURITY_GROUPS,
    SECURITY_RULES,
    SUBNETS,
    VIRTUAL_MACHINES,
    VIRTUAL_NETWORKS,
)
from bastion_operator.network.virtual_network import VirtualNetwork

_CHOSEN: Final = frozenset(
    {
        BASTION_HOSTS,
        NETWORK_INTERFACES,
        PUBLIC_IPS,
        ROUTE_TABLES,
        SCALE_SETS,
        SCALE_SET_INTERFACES,
        SCALE_SET_MACHINES,
        SECURITY_GROUPS,
        VIRTUAL_MACHINES,
        VIRTUAL_NETWORKS,
    }
)
_STEPS: Final = 2
"""How many peerings away a Bastion may be to come into question."""
_OF_PARENTS: Final = frozenset({PEERINGS, ROUTES, SECURITY_RULES, SUBNETS})


def rows_around(evaluation: Evaluation, verdict: Verdict) -> Iterator[Row]:
    """The VM, the Bastions that come into question, their VNets and those around, and what these refer to.

    Types that an estate has few rows of (hubs, gateways, the administrator's rules) come whole.
    """
    inventory = evaluation.inventory
    chosen = set(map(normalise_id, _chosen(evaluation, verdict)))
    for kind in inventory.types:
        rows = inventory.rows(kind)
        if kind in _CHOSEN:
            yield from (rows[key] for key in rows.keys() & chosen)
        elif kind in _OF_PARENTS:
            yield from (row for key, row in rows.items() if key.rsplit("/", 2)[0] in chosen)
        else:
            yield from rows.values()


def _chosen(evaluation: Evaluation, verdict: Verdict) -> Iterator[str]:
    inventory, neighbours = evaluation.inventory, evaluation.neighbours
    vm = inventory.virtual_machine(verdict.vm)
    if vm is None:
        return
    nics = [reference.id for reference in vm.interfaces or ()]
    yield from (verdict.vm, *nics, *([vm.scale_set_id] if vm.scale_set_id is not None else []))
    target = evaluation.target(vm)
    yield from target.security_group_ids
    key = target.network_key
    asked = {normalise_id(candidate.bastion) for candidate in verdict.candidates}
    around = {key} if key is not None else set()
    for _ in range(_STEPS):
        around |= {other for one in around for other in neighbours.get(one, ())}
    for bastion in inventory.bastions.values():
        network = normalise_id(bastion.virtual_network_id) if bastion.virtual_network_id else None
        if network in around or bastion.key in asked or not verdict.candidates:
            yield bastion.id
            yield bastion.public_ip_id or bastion.id
            around |= {network, *neighbours.get(network, ())} if network is not None else set()
    yield from around
    yield from _used(inventory, key, (inventory.virtual_networks.get(one) for one in around))


def _used(inventory: Inventory, own: str | None, networks: Iterable[VirtualNetwork | None]) -> Iterator[str]:
    """Groups and route tables on the subnets of the VM's VNet and on AzureBastionSubnet, and the NICs in that one."""
    for network in networks:
        for subnet in network.subnets if network is not None else ():
            of_bastion = subnet.name == SUBNET_NAME
            if of_bastion or (network is not None and network.key == own):
                yield from (one for one in (subnet.network_security_group_id, subnet.route_table_id) if one is not None)
            if of_bastion:
                yield from inventory.interfaces_by_subnet.get(subnet.key, ())
