"""An estate that is known as a whole, as plans see it: what has no row does not exist, and nothing waits to be read."""

from collections.abc import Mapping

from bastion_operator.network.foreseen.bodies import WholeBodies
from bastion_operator.network.inventory import Inventory
from bastion_operator.planning.model import Body, Observed


class Estate(Observed):
    """The rows of an inventory, with the parts that came as rows of their own inside the bodies that they belong to.

    ``beside``, by id: what no inventory holds, such as the diagnostic settings of a host.
    """

    def __init__(self, inventory: Inventory, beside: Mapping[str, Body] | None = None) -> None:
        super().__init__(beside or {}, source=WholeBodies(inventory).get)

    def looked_at(self, resource_id: str) -> bool:
        """Always: the estate is all there is."""
        del resource_id
        return True
