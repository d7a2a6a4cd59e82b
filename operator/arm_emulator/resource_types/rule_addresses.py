"""What a security rule may name as source or destination: an address, a prefix without host bits, `*`, a service tag.

Tags: https://learn.microsoft.com/azure/virtual-network/service-tags-overview
"""

import ipaddress
import re

from arm_emulator.errors import bad_request
from arm_emulator.resource_types.base import Put
from arm_emulator.resource_types.bastion_rules import both

_TAGS = frozenset(
    [
        "internet",
        "virtualnetwork",
        "azureloadbalancer",
        "virtual_network",
        "azure_loadbalancer",
        "actiongroup",
        "apimanagement",
        "appconfiguration",
        "applicationinsightsavailability",
        "appservice",
        "appservicemanagement",
        "autonomousdevelopmentplatform",
        "azureactivedirectory",
        "azureactivedirectorydomainservices",
        "azureadvancedthreatprotection",
        "azureapiforfhir",
        "azurearcinfrastructure",
        "azureattestation",
        "azurebackup",
        "azurebotservice",
        "azurecloud",
        "azurecognitivesearch",
        "azureconnectors",
        "azurecontainerappsservice",
        "azurecontainerregistry",
        "azurecosmosdb",
        "azuredatabricks",
        "azuredataexplorermanagement",
        "azuredatalake",
        "azuredeviceupdate",
        "azuredevops",
        "azuredevspaces",
        "azuredigitaltwins",
        "azureeventgrid",
        "azurefrontdoor",
        "azurehealthcareapis",
        "azureidentity",
        "azureinformationprotection",
        "azureiothub",
        "azurekeyvault",
        "azureloadtestinginstancemanagement",
        "azuremachinelearning",
        "azuremachinelearninginference",
        "azuremanagedgrafana",
        "azuremonitor",
        "azuremonitorforsap",
        "azureopendatasets",
        "azureplatformdns",
        "azureplatformimds",
        "azureplatformlkm",
        "azureresourcemanager",
        "azuresecuritycenter",
        "azuresentinel",
        "azuresignalr",
        "azuresiterecovery",
        "azuresphere",
        "azurespringcloud",
        "azurestack",
        "azuretrafficmanager",
        "azureupdatedelivery",
        "azurevideoanalyzerformedia",
        "azurewebpubsub",
        "batchnodemanagement",
        "chaosstudio",
        "cognitiveservicesfrontend",
        "cognitiveservicesmanagement",
        "datafactory",
        "datafactorymanagement",
        "dynamics365businesscentral",
        "dynamics365formarketingemail",
        "eopexternalpublishedips",
        "eventhub",
        "gatewaymanager",
        "genevaactions",
        "grafana",
        "guestandhybridmanagement",
        "hdinsight",
        "kustoanalytics",
        "logicapps",
        "logicappsmanagement",
        "m365managementactivityapi",
        "m365managementactivityapiwebhook",
        "marketplace",
        "microsoftazurefluidrelay",
        "microsoftcloudappsecurity",
        "microsoftcontainerregistry",
        "microsoftdefenderforendpoint",
        "microsoftpurviewpolicydistribution",
        "onedscollector",
        "powerbi",
        "powerplatforminfra",
        "powerplatformplex",
        "powerqueryonline",
        "scuba",
        "sccservice",
        "serialconsole",
        "servicebus",
        "servicefabric",
        "sql",
        "sqlmanagement",
        "storage",
        "storagemover",
        "storagesyncservice",
        "videoindexer",
        "windowsadmincenter",
        "windowsvirtualdesktop",
    ]
)
_REGIONAL = re.compile(r"(\w+)(?:\.\w+)?", re.ASCII)
"""A tag, of one region or of one part of its service where it says so: `Storage.WestEurope`, `AzureFrontDoor.Backend`."""


def check(put: Put, field: str) -> None:
    """Raises SecurityRuleInvalidAddressPrefix for a new value that is none of these: what stands may stay."""
    standing = both(put.before, field)
    for value in both(put.properties, field):
        if value not in standing and not _is_address(value) and not _is_tag(value):
            raise bad_request(
                "SecurityRuleInvalidAddressPrefix",
                f"Security rule {put.id} has invalid Address prefix. Value provided: {value}",
            )


def _is_address(value: str) -> bool:
    try:
        ipaddress.ip_network(value)
    except ValueError:
        return value == "*"
    return True


def _is_tag(value: str) -> bool:
    found = _REGIONAL.fullmatch(value)
    return found is not None and found[1].lower() in _TAGS
