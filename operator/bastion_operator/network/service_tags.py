"""Service tags: which exist, and what those mean whose ranges decide about private addresses.

Source: Microsoft Learn, "Virtual network service tags". The ranges of ``Internet`` leave out what a recorded effective
rule list of Azure leaves out.
"""

from dataclasses import dataclass, field
from typing import Final

from bastion_operator.network.prefixes import EMPTY, EVERYTHING, AddressSet, parse_address

HOST_ADDRESS: Final = parse_address("168.63.129.16")
"""The virtual address of the Azure host: source of health probes, and of the Developer SKU's sessions."""

HOST: Final = AddressSet([(HOST_ADDRESS, HOST_ADDRESS)])

NOT_INTERNET: Final = AddressSet.of(
    "0.0.0.0/8",
    "10.0.0.0/8",
    "25.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.2.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "224.0.0.0/3",
)

CLASSIC_SPELLING: Final = {
    "virtual_network": "virtualnetwork",
    "azure_loadbalancer": "azureloadbalancer",
}

_SERVICES: Final = """
ActionGroup ApiManagement AppConfiguration ApplicationInsightsAvailability AppService AppServiceManagement
AutonomousDevelopmentPlatform AzureActiveDirectory AzureActiveDirectoryDomainServices AzureAdvancedThreatProtection
AzureApiForFHIR AzureArcInfrastructure AzureAttestation AzureBackup AzureBotService AzureCloud AzureCognitiveSearch
AzureConnectors AzureContainerAppsService AzureContainerRegistry AzureCosmosDB AzureDatabricks
AzureDataExplorerManagement AzureDataLake AzureDeviceUpdate AzureDevOps AzureDevSpaces AzureDigitalTwins AzureEventGrid
AzureFrontDoor AzureHealthcareAPIs AzureIdentity AzureInformationProtection AzureIoTHub AzureKeyVault
AzureLoadTestingInstanceManagement AzureMachineLearning AzureMachineLearningInference AzureManagedGrafana AzureMonitor
AzureMonitorForSAP AzureOpenDatasets AzurePlatformDNS AzurePlatformIMDS AzurePlatformLKM AzureResourceManager
AzureSecurityCenter AzureSentinel AzureSignalR AzureSiteRecovery AzureSphere AzureSpringCloud AzureStack
AzureTrafficManager AzureUpdateDelivery AzureVideoAnalyzerForMedia AzureWebPubSub BatchNodeManagement ChaosStudio
CognitiveServicesFrontend CognitiveServicesManagement DataFactory DataFactoryManagement Dynamics365BusinessCentral
Dynamics365ForMarketingEmail EOPExternalPublishedIPs EventHub GatewayManager GenevaActions Grafana
GuestAndHybridManagement HDInsight KustoAnalytics LogicApps LogicAppsManagement M365ManagementActivityApi
M365ManagementActivityApiWebhook Marketplace MicrosoftAzureFluidRelay MicrosoftCloudAppSecurity
MicrosoftContainerRegistry MicrosoftDefenderForEndpoint MicrosoftPurviewPolicyDistribution OneDsCollector PowerBI
PowerPlatformInfra PowerPlatformPlex PowerQueryOnline Scuba SCCservice SerialConsole ServiceBus ServiceFabric Sql
SqlManagement Storage StorageMover StorageSyncService VideoIndexer WindowsAdminCenter WindowsVirtualDesktop
"""

_SPELLINGS: Final = {
    name.lower(): name for name in (*_SERVICES.split(), "VirtualNetwork", "AzureLoadBalancer", "Internet")
}
KNOWN_SERVICES: Final = frozenset(name.lower() for name in _SERVICES.split())


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why a decision stays open: the code to report, and what is not known. ``resource`` is the id to look at."""

    code: str
    what: str
    resource: str | None = None


def spelled(tag: str) -> str:
    """A tag (lower-cased) as Azure writes it; one that is not known as it stands. A region behind it keeps its place."""
    name, dot, region = CLASSIC_SPELLING.get(tag, tag).partition(".")
    return _SPELLINGS.get(name, name) + dot + region


_OUTSIDE: Final = EVERYTHING - NOT_INTERNET - HOST


@dataclass(frozen=True, slots=True)
class TagRange:
    """The addresses that a tag surely has, and those that it may have beyond them: each part with why that is not known."""

    certain: AddressSet
    open: tuple[tuple[AddressSet, Doubt], ...] = ()
    possible: AddressSet = field(init=False)

    def __post_init__(self) -> None:
        parts = (part for part, _ in self.open)
        object.__setattr__(self, "possible", AddressSet(each for part in parts for each in part.intervals))


@dataclass(frozen=True, slots=True, eq=False)
class TagMeaning:
    """What the tags mean to one evaluating side: its own and its peers' address spaces decide two of them.

    ``virtual_network_doubt``: why the tag VirtualNetwork may hold more than ``virtual_network``, if it may.
    """

    virtual_network: AddressSet
    virtual_network_doubt: Doubt | None = None
    _ranges: dict[str, TagRange] = field(default_factory=dict, repr=False)

    def range_of(self, tag: str) -> TagRange:
        """The range of a tag (lower-cased)."""
        if (found := self._ranges.get(tag)) is None:
            found = self._ranges[tag] = self._range_of(tag)
        return found

    def towards(self, addresses: AddressSet) -> "TagMeaning":
        """The same tags as far as these addresses are concerned: all that rules on them can tell apart."""
        return TagMeaning(self.virtual_network & addresses, self.virtual_network_doubt)

    def _range_of(self, tag: str) -> TagRange:
        name = CLASSIC_SPELLING.get(tag, tag)
        if name == "virtualnetwork":
            doubt = self.virtual_network_doubt
            return TagRange(self.virtual_network, () if doubt is None else ((EVERYTHING, doubt),))
        if name == "azureloadbalancer":
            return TagRange(HOST)
        if name == "internet":
            return self._internet()
        if name.partition(".")[0] in KNOWN_SERVICES:
            what = f"the addresses of service tag {tag} (public ranges that change weekly)"
            return TagRange(EMPTY, ((_OUTSIDE, Doubt("EffectiveDataUnavailable", what)),))
        unknown = Doubt("UnknownServiceTag", f"service tag {tag!r} is none that is known")
        return TagRange(EMPTY, ((EVERYTHING, unknown),))

    def _internet(self) -> TagRange:
        outside = _OUTSIDE - self.virtual_network
        what = "whether Azure counts 168.63.129.16, the Developer SKU's source, to the tag Internet"
        host = (HOST, Doubt("EffectiveDataUnavailable", what))
        if self.virtual_network_doubt is not None:
            return TagRange(EMPTY, ((outside, self.virtual_network_doubt), host))
        return TagRange(outside, (host,))
