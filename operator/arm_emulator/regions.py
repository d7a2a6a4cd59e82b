"""The regions that the local Azure has, as `/subscriptions/{id}/locations` tells them.

Source: https://learn.microsoft.com/azure/reliability/regions-list
"""

from dataclasses import dataclass

from arm_emulator.errors import Json


@dataclass(frozen=True, slots=True)
class Region:
    """A region; `latitude` and `longitude` in degrees as texts, `paired` empty where it has no pair."""

    name: str
    display: str
    geography: str
    group: str
    place: str
    latitude: str
    longitude: str
    paired: str = ""

    def body(self, subscription: str) -> Json:
        """As it is answered."""
        base = f"/subscriptions/{subscription}/locations"
        paired = [{"name": self.paired, "id": f"{base}/{self.paired}"}] if self.paired else []
        return {
            "id": f"{base}/{self.name}",
            "name": self.name,
            "type": "Region",
            "displayName": self.display,
            "regionalDisplayName": f"({self.group}) {self.display}",
            "metadata": {
                "regionType": "Physical",
                "regionCategory": "Other" if self.name in _ALTERNATE else "Recommended",
                "geography": self.geography,
                "geographyGroup": self.group,
                "longitude": self.longitude,
                "latitude": self.latitude,
                "physicalLocation": self.place,
                "pairedRegion": paired,
            },
        }


_ALTERNATE = (
    "westus", "northcentralus", "westcentralus", "ukwest", "francesouth", "germanynorth", "swedensouth", "norwaywest",
    "switzerlandwest", "japanwest", "koreasouth", "australiasoutheast", "southindia", "canadaeast", "uaecentral",
    "southafricawest", "brazilsoutheast", "australiacentral", "australiacentral2", "westindia", "jioindiawest",
    "jioindiacentral", "centraluseuap", "eastus2euap",
)  # fmt: skip
_TABLE = (
    Region("westeurope", "West Europe", "Europe", "Europe", "Netherlands", "52.3667", "4.9", "northeurope"),
    Region("northeurope", "North Europe", "Europe", "Europe", "Ireland", "53.3478", "-6.2597", "westeurope"),
    Region("eastus", "East US", "United States", "US", "Virginia", "37.3719", "-79.8164", "westus"),
    Region("eastus2", "East US 2", "United States", "US", "Virginia", "36.6681", "-78.3889", "centralus"),
    Region("westus", "West US", "United States", "US", "California", "37.783", "-122.417", "eastus"),
    Region("westus2", "West US 2", "United States", "US", "Washington", "47.233", "-119.852", "westcentralus"),
    Region("westus3", "West US 3", "United States", "US", "Phoenix", "33.448376", "-112.074036", "eastus"),
    Region("centralus", "Central US", "United States", "US", "Iowa", "41.5908", "-93.6208", "eastus2"),
    Region("northcentralus", "North Central US", "United States", "US", "Illinois", "41.8819", "-87.6278", "southcentralus"),
    Region("southcentralus", "South Central US", "United States", "US", "Texas", "29.4167", "-98.5", "northcentralus"),
    Region("westcentralus", "West Central US", "United States", "US", "Wyoming", "40.89", "-110.234", "westus2"),
    Region("uksouth", "UK South", "United Kingdom", "UK", "London", "50.941", "-0.799", "ukwest"),
    Region("ukwest", "UK West", "United Kingdom", "UK", "Cardiff", "53.427", "-3.084", "uksouth"),
    Region("francecentral", "France Central", "France", "Europe", "Paris", "46.3772", "2.373", "francesouth"),
    Region("francesouth", "France South", "France", "Europe", "Marseille", "43.8345", "2.1972", "francecentral"),
    Region("germanywestcentral", "Germany West Central", "Germany", "Europe", "Frankfurt", "50.110924", "8.682127", "germanynorth"),
    Region("germanynorth", "Germany North", "Germany", "Europe", "Berlin", "53.073635", "8.806422", "germanywestcentral"),
    Region("swedencentral", "Sweden Central", "Sweden", "Europe", "Gävle", "60.67488", "17.14127", "swedensouth"),
    Region("swedensouth", "Sweden South", "Sweden", "Europe", "Malmö", "55.59985", "13.00015", "swedencentral"),
    Region("norwayeast", "Norway East", "Norway", "Europe", "Norway", "59.913868", "10.752245", "norwaywest"),
    Region("norwaywest", "Norway West", "Norway", "Europe", "Norway", "58.969975", "5.733107", "norwayeast"),
    Region("switzerlandnorth", "Switzerland North", "Switzerland", "Europe", "Zurich", "47.451542", "8.564572", "switzerlandwest"),
    Region("switzerlandwest", "Switzerland West", "Switzerland", "Europe", "Geneva", "46.204391", "6.143158", "switzerlandnorth"),
    Region("italynorth", "Italy North", "Italy", "Europe", "Milan", "45.46888", "9.18109"),
    Region("spaincentral", "Spain Central", "Spain", "Europe", "Madrid", "40.4259", "3.4209"),
    Region("southeastasia", "Southeast Asia", "Asia Pacific", "Asia Pacific", "Singapore", "1.283", "103.833", "eastasia"),
    Region("eastasia", "East Asia", "Asia Pacific", "Asia Pacific", "Hong Kong", "22.267", "114.188", "southeastasia"),
    Region("japaneast", "Japan East", "Japan", "Asia Pacific", "Tokyo, Saitama", "35.68", "139.77", "japanwest"),
    Region("japanwest", "Japan West", "Japan", "Asia Pacific", "Osaka", "34.6939", "135.5022", "japaneast"),
    Region("koreacentral", "Korea Central", "Korea", "Asia Pacific", "Seoul", "37.5665", "126.978", "koreasouth"),
    Region("koreasouth", "Korea South", "Korea", "Asia Pacific", "Busan", "35.1796", "129.0756", "koreacentral"),
    Region("australiaeast", "Australia East", "Australia", "Asia Pacific", "New South Wales", "-33.86", "151.2094", "australiasoutheast"),
    Region("australiasoutheast", "Australia Southeast", "Australia", "Asia Pacific", "Victoria", "-37.8136", "144.9631", "australiaeast"),
    Region("centralindia", "Central India", "India", "Asia Pacific", "Pune", "18.5822", "73.9197", "southindia"),
    Region("southindia", "South India", "India", "Asia Pacific", "Chennai", "12.9822", "80.1636", "centralindia"),
    Region("brazilsouth", "Brazil South", "Brazil", "South America", "Sao Paulo State", "-23.55", "-46.633", "southcentralus"),
    Region("canadacentral", "Canada Central", "Canada", "Canada", "Toronto", "43.653", "-79.383", "canadaeast"),
    Region("canadaeast", "Canada East", "Canada", "Canada", "Quebec", "46.817", "-71.217", "canadacentral"),
    Region("uaenorth", "UAE North", "UAE", "Middle East", "Dubai", "25.266666", "55.316666", "uaecentral"),
    Region("uaecentral", "UAE Central", "UAE", "Middle East", "Abu Dhabi", "24.466667", "54.366669", "uaenorth"),
    Region("southafricanorth", "South Africa North", "South Africa", "Africa", "Johannesburg", "-25.73134", "28.21837", "southafricawest"),
    Region("southafricawest", "South Africa West", "South Africa", "Africa", "Cape Town", "-34.075691", "18.843266", "southafricanorth"),
    Region("polandcentral", "Poland Central", "Poland", "Europe", "Warsaw", "52.23334", "21.01666"),
    Region("austriaeast", "Austria East", "Austria", "Europe", "Vienna", "48.2201449", "16.3798059"),
    Region("belgiumcentral", "Belgium Central", "Belgium", "Europe", "Brussels", "50.8503", "4.3517"),
    Region("israelcentral", "Israel Central", "Israel", "Middle East", "Israel", "31.2655698", "33.4506633"),
    Region("qatarcentral", "Qatar Central", "Qatar", "Middle East", "Doha", "25.551462", "51.439327"),
    Region("mexicocentral", "Mexico Central", "Mexico", "Mexico", "Querétaro State", "20.588818", "-100.389888"),
    Region("chilecentral", "Chile Central", "Chile", "South America", "Santiago", "-33.447487", "-70.673676"),
    Region("brazilsoutheast", "Brazil Southeast", "Brazil", "South America", "Rio", "-22.90278", "-43.2075", "brazilsouth"),
    Region("newzealandnorth", "New Zealand North", "New Zealand", "Asia Pacific", "Auckland", "-36.84853", "174.76349"),
    Region("malaysiawest", "Malaysia West", "Malaysia", "Asia Pacific", "Kuala Lumpur", "3.140853", "101.693207"),
    Region("indonesiacentral", "Indonesia Central", "Indonesia", "Asia Pacific", "Jakarta", "-6.2", "106.816666"),
    Region("australiacentral", "Australia Central", "Australia", "Asia Pacific", "Canberra", "-35.3075", "149.1244", "australiacentral2"),
    Region("australiacentral2", "Australia Central 2", "Australia", "Asia Pacific", "Canberra", "-35.3075", "149.1244", "australiacentral"),
    Region("westindia", "West India", "India", "Asia Pacific", "Mumbai", "19.088", "72.868", "southindia"),
    Region("centraluseuap", "Central US EUAP", "Canary (US)", "US", "", "", "", "eastus2euap"),
    Region("eastus2euap", "East US 2 EUAP", "Canary (US)", "US", "", "", "", "centraluseuap"),
    Region("jioindiawest", "Jio India West", "India", "Asia Pacific", "Jamnagar", "22.470701", "70.05773", "jioindiacentral"),
    Region("jioindiacentral", "Jio India Central", "India", "Asia Pacific", "Nagpur", "21.146633", "79.08886", "jioindiawest"),
)  # fmt: skip
REGIONS = {region.name: region for region in _TABLE}
