"""The regions that have Azure Bastion's Developer SKU. They change: for a warning before something is given up, never for a verdict.

Source: Microsoft's page "Quickstart: Deploy Azure Bastion Developer", as of 2025-09-08.
"""

from typing import Final

AS_OF: Final = "2025-09-08"
DEVELOPER_REGIONS: Final = frozenset(
    [
        "australiacentral",
        "australiaeast",
        "australiasoutheast",
        "brazilsouth",
        "canadacentral",
        "canadaeast",
        "centralindia",
        "centralus",
        "centraluseuap",
        "eastasia",
        "eastus2",
        "eastus2euap",
        "francecentral",
        "germanywestcentral",
        "italynorth",
        "japaneast",
        "japanwest",
        "koreacentral",
        "koreasouth",
        "mexicocentral",
        "northcentralus",
        "northeurope",
        "norwayeast",
        "southafricanorth",
        "southindia",
        "spaincentral",
        "swedencentral",
        "switzerlandnorth",
        "southeastasia",
        "uaenorth",
        "uksouth",
        "ukwest",
        "westcentralus",
        "westeurope",
        "westus",
    ]
)


def has_developer(location: str) -> bool:
    """Whether a region, in any spelling (``West Europe``, ``westeurope``), is known to have the Developer SKU."""
    return location.replace(" ", "").lower() in DEVELOPER_REGIONS
