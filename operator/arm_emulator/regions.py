"""The regions that the local Azure has, by their names."""

REGIONS = (
    "westeurope", "northeurope", "eastus", "eastus2", "westus", "westus2", "westus3", "centralus", "northcentralus",
    "southcentralus", "uksouth", "ukwest", "francecentral", "germanywestcentral", "swedencentral", "norwayeast",
    "switzerlandnorth", "italynorth", "spaincentral", "southeastasia", "eastasia", "japaneast", "japanwest",
    "koreacentral", "australiaeast", "australiasoutheast", "centralindia", "southindia", "brazilsouth", "canadacentral",
    "canadaeast", "uaenorth", "southafricanorth",
)  # fmt: skip
