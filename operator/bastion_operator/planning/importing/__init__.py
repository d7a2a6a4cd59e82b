"""Custom resources for what stands in Azure: applied, they change nothing, which is proved by planning them."""

from bastion_operator.planning.importing.estate import Import, import_estate
from bastion_operator.planning.importing.model import Imported, LeftOut, Placement

__all__ = ["Import", "Imported", "LeftOut", "Placement", "import_estate"]
