"""An estate that is known as a whole, as plans see it: what has no row does not exist, and nothing waits to be read."""

from collections import defaultdict
from typing import Any, Final

from bastion_operator.network.arm_id import normalise_id
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.resource_types import PEERINGS, SECURITY_GROUPS, SECURITY_RULES, SUBNETS, VIRTUAL_NETWORKS
from bastion_operator.planning.body import children
from bastion_operator.planning.model import Body, Observed

_PARTS: Final = (
    (VIRTUAL_NETWORKS, SUBNETS, "subnets"),
    (VIRTUAL_NETWORKS, PEERINGS, "virtualNetworkPeerings"),
    (SECURITY_GROUPS, SECURITY_RULES, "securityRules"),
)
"""A type, the type of its parts, and the collection in its body that holds them."""


class Estate(Observed):
    """The rows of an inventory, with the parts that came as rows of their own inside the bodies that they belong to."""

    def __init__(self, inventory: Inventory) -> None:
        whole = _with_parts(inventory)
        super().__init__({}, source=lambda key: whole[key] if key in whole else inventory.row(key))

    def looked_at(self, resource_id: str) -> bool:
        """Always: the estate is all there is."""
        del resource_id
        return True


def _with_parts(inventory: Inventory) -> dict[str, Body]:
    """The bodies that are more than their own row says, by normalised id."""
    found: dict[str, Body] = {}
    for kind, part_kind, collection in _PARTS:
        parts: dict[str, list[Body]] = defaultdict(list)
        for key, row in inventory.rows(part_kind).items():
            parts[key.rsplit("/", 2)[0]].append(row)
        for key, row in inventory.rows(kind).items():
            if key in parts:
                found[key] = _with_collection(found.get(key, row), collection, parts[key])
    return found


def _with_collection(body: Body, collection: str, parts: list[Body]) -> Body:
    """The body with these parts; one of the same id gives way, as it does when the inventory is read."""
    named: dict[str, Any] = {normalise_id(str(each.get("id"))): each for each in children(body, collection)}
    named |= {normalise_id(str(each.get("id"))): each for each in parts}
    return {**body, "properties": {**body.get("properties", {}), collection: list(named.values())}}
