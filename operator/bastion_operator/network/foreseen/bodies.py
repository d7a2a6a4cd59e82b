"""Bodies as a GET would answer them: with the parts that came as rows of their own inside."""

from collections import defaultdict
from typing import Any, Final

from bastion_operator.network.arm_id import normalise_id
from bastion_operator.network.fields import Row, mapping, objects
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.resource_types import (
    PEERINGS,
    ROUTE_TABLES,
    ROUTES,
    SECURITY_GROUPS,
    SECURITY_RULES,
    SUBNETS,
    VIRTUAL_NETWORKS,
)

_PARTS: Final = (
    (VIRTUAL_NETWORKS, SUBNETS, "subnets"),
    (VIRTUAL_NETWORKS, PEERINGS, "virtualNetworkPeerings"),
    (SECURITY_GROUPS, SECURITY_RULES, "securityRules"),
    (ROUTE_TABLES, ROUTES, "routes"),
)
"""A type, the type of its parts, and the list in its body that holds them."""
COLLECTIONS: Final = {part_kind: collection for _, part_kind, collection in _PARTS}


class WholeBodies:
    """The rows of an inventory, each with its parts."""

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory
        self._parts: dict[str, list[tuple[str, Row]]] = defaultdict(list)
        for _, part_kind, collection in _PARTS:
            for key, row in inventory.rows(part_kind).items():
                self._parts[key.rsplit("/", 2)[0]].append((collection, row))

    def get(self, resource_id: str) -> Row | None:
        """The body, None where there is none."""
        key = normalise_id(resource_id)
        body = self._inventory.row(key)
        parts = self._parts.get(key)
        return body if body is None or parts is None else _with_parts(body, parts)

    def parts_of(self, resource_id: str) -> list[str]:
        """Ids of the parts that came as rows of their own."""
        return [str(row["id"]) for _, row in self._parts.get(normalise_id(resource_id), ())]


def _with_parts(body: Row, parts: list[tuple[str, Row]]) -> Row:
    """The body with these parts; one of the same id gives way, as it does when the inventory is read."""
    properties: dict[str, Any] = dict(mapping(body, "properties"))
    for collection in dict.fromkeys(collection for collection, _ in parts):
        named = {normalise_id(str(each.get("id"))): each for each in objects(properties, collection)}
        named |= {normalise_id(str(row["id"])): row for place, row in parts if place == collection}
        properties[collection] = list(named.values())
    return {**body, "properties": properties}
