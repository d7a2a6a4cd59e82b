"""What users may and may not write, with the words in which the API server refuses it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bastion_operator.api.bastion_host import Features
from bastion_operator.api.model import json_name
from bastion_operator.network.sku import FEATURES, Sku
from tests.support.kube import arm_id

Manifest = dict[str, Any]

HUB = arm_id("virtualNetworks", "hub")
SPOKE = arm_id("virtualNetworks", "spoke")
OTHER = arm_id("virtualNetworks", "other", group="other-rg")
UUID = "00000000-1111-2222-3333-444444444444"
WORKSPACE = f"/subscriptions/{UUID}/resourceGroups/logs/providers/Microsoft.OperationalInsights/workspaces/central"
PUBLIC_IP = arm_id("publicIPAddresses", "entrance")


@dataclass(frozen=True)
class Example:
    """A manifest and, where it is refused, a part of the message."""

    name: str
    manifest: Manifest
    message: str = ""


def manifest(kind: str, spec: Manifest, name: str = "example") -> Manifest:
    """An object of this group."""
    return {"apiVersion": "azurebastion.dev/v1beta1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def host(*, name: str = "example", drop: tuple[str, ...] = (), **spec: Any) -> Manifest:
    """A BastionHost of SKU Standard, with changes."""
    whole = {"virtualNetworkID": HUB, "sku": "Standard", **spec}
    return manifest("BastionHost", {key: value for key, value in whole.items() if key not in drop}, name)


def peering(*spokes: str, drop: tuple[str, ...] = (), **spec: Any) -> Manifest:
    """A VNetPeering of a hub and a spoke, with changes."""
    listed = [{"virtualNetworkID": each} for each in spokes or (SPOKE,)]
    whole = {"hub": {"virtualNetworkID": HUB}, "spokes": listed, **spec}
    return manifest("VNetPeering", {key: value for key, value in whole.items() if key not in drop})


SELECTOR: Manifest = {"subscriptions": [UUID], "tags": {"network": "spoke"}}


def selecting(**selector: Any) -> Manifest:
    """A VNetPeering whose spokes are found, with changes of its selector."""
    return peering(drop=("spokes",), spokeSelector={**SELECTOR, **selector})


def mesh(*spokes: str, **spec: Any) -> Manifest:
    """A full mesh."""
    return peering(*spokes, topology="FullMesh", **{"drop": ("hub",), **spec})


def identity(*, drop: tuple[str, ...] = (), **spec: Any) -> Manifest:
    """An AzureIdentity of type ServicePrincipal, with changes."""
    whole = {"type": "ServicePrincipal", "tenantID": UUID, "clientID": UUID, "secretName": "azure", **spec}
    return manifest("AzureIdentity", {key: value for key, value in whole.items() if key not in drop})


def report(**fields: Any) -> Manifest:
    """A ReachabilityReport with one row, with changes."""
    row = {"vm": arm_id("x", "vm"), "protocol": "SSH", "port": 22, "verdict": "Reachable", "via": "SameVNet"}
    body = {"bastionHost": "hub", "virtualNetworkID": HUB, "virtualNetwork": "hub", "rows": [row], **fields}
    return {
        "apiVersion": "azurebastion.dev/v1beta1",
        "kind": "ReachabilityReport",
        "metadata": {"name": "example"},
        **body,
    }


ALL_FEATURES_OF_STANDARD = dict.fromkeys(("nativeClient", "ipConnect", "shareableLink", "fileCopy", "kerberos"), True)


def _features_by_sku() -> Iterator[Example]:
    """Every feature on every SKU: taken where the table of SKUs says that the SKU has it, else refused."""
    for name in sorted(FEATURES.keys() & {json_name(each) for each in Features.model_fields}):
        feature = FEATURES[name]
        for sku in Sku:
            fits = sku in feature.skus
            spec = host(sku=sku.value, features={name: not feature.inverted})
            message = "" if fits else f"features.{name}{': false' if feature.inverted else ''} needs sku "
            yield Example(f"{sku} with {name}{' off' if feature.inverted else ''}", spec, message)


GOOD = [
    *(each for each in _features_by_sku() if not each.message),
    Example("the smallest host", host()),
    Example("a Developer host", host(sku="Developer", features={"nativeClient": False, "copyPaste": True})),
    Example("an observed host without a SKU", host(drop=("sku",), managementPolicy="Observe")),
    Example("a host's name of 80 characters", host(name="a" * 80)),
    Example("a longer name with a name for Azure", host(name="a" * 81, azureName="Hub_Bastion.1")),
    Example("an id in another case", host(virtualNetworkID=HUB.upper())),
    Example("a group in another script", host(resourceGroup="gruppe-süd_(1)")),
    Example(
        "a host with all of its fields",
        host(
            resourceGroup="rg",
            azureName="bastion",
            scaleUnits=50,
            zones=["1", "2", "3"],
            subnetPrefix="10.0.1.0/26",
            publicIP={"id": PUBLIC_IP},
            features={**ALL_FEATURES_OF_STANDARD, "copyPaste": False},
            tags={"cost center": "42"},
            networkSecurity={"subnet": "Off", "targets": "Audit"},
            diagnostics={"workspaceID": WORKSPACE, "categories": ["BastionAuditLogs", "AllMetrics"]},
            replacePolicy="Recreate",
            interval="1h30m",
            suspend=True,
            targets={
                "scope": "All",
                "protocols": ["RDP", "SSH"],
                "requiredForReady": "All",
                "selectors": {
                    "tags": {"env": "prod"},
                    "resourceGroups": ["a", "b"],
                    "subnetIDs": [f"{HUB}/subnets/default"],
                },
            },
            identityRef={"name": "prod"},
            adoptionPolicy="IfUnmanaged",
            deletionPolicy="Retain",
        ),
    ),
    Example(
        "a host whose security rules are kept",
        host(
            networkSecurity={
                "subnet": "Enforce",
                "targets": "Enforce",
                "allowedSources": ["203.0.113.0/24", "198.51.100.7/32", "VirtualNetwork"],
                "ports": {"rdp": [3390], "ssh": [2222, 65535]},
                "overrideDenies": True,
            }
        ),
    ),
    Example(
        "a host that says who is to connect",
        host(access={"mode": "Audit", "principals": [{"objectID": UUID, "type": "Group", "name": "Ops"}]}),
    ),
    Example("a host with a free prefix to be found", host(sku="Basic", scaleUnits=2, subnetPrefix="Auto")),
    Example("a private-only host", host(sku="Premium", features={"privateOnly": True, "sessionRecording": True})),
    Example("a hub and a spoke", peering()),
    Example(
        "a hub that lends its gateway",
        peering(hubToSpoke={"allowGatewayTransit": True}, spokeToHub={"useRemoteGateways": True}, sides="HubOnly"),
    ),
    Example(
        "500 spokes",
        peering(*(arm_id("virtualNetworks", f"{number:03}{'x' * 61}", group="g" * 90) for number in range(500))),
    ),
    Example("a hub whose spokes are found", selecting()),
    Example(
        "a hub whose spokes are listed and found",
        peering(spokeSelector={**SELECTOR, "onLeave": "Delete", "leaveGrace": "1h30m"}),
    ),
    Example("a mesh of two", mesh(SPOKE, OTHER, hubToSpoke={"allowForwardedTraffic": True})),
    Example(
        "a service principal",
        identity(
            allowedNamespaces={
                "names": ["team-a"],
                "selector": {
                    "matchLabels": {"a/b": "c"},
                    "matchExpressions": [
                        {"key": "env", "operator": "In", "values": ["prod"]},
                        {"key": "x", "operator": "Exists"},
                    ],
                },
            },
            allowedSubscriptions=[UUID],
        ),
    ),
    Example("a workload identity", identity(type="WorkloadIdentity", drop=("secretName",))),
    Example("the machine's own identity", identity(type="ManagedIdentity", drop=("secretName", "clientID"))),
    Example("a report", report(counts={"reachable": 1}, shard={"index": 0, "count": 1})),
]

BAD = [
    # BastionHost
    Example("no network", host(drop=("virtualNetworkID",)), "spec.virtualNetworkID: Required value"),
    Example(
        "a name for an id", host(virtualNetworkID="hub"), "must be the ARM id of a virtual network: /subscriptions/<"
    ),
    Example("the id of a subnet", host(virtualNetworkID=f"{HUB}/subnets/a"), "must be the ARM id of a virtual network"),
    Example(
        "an id of a length that none has", host(virtualNetworkID=HUB + "x" * 300), "may not be more than 272 bytes"
    ),
    Example("no SKU", host(drop=("sku",)), "sku is required: write Developer, Basic, Standard or Premium"),
    Example("a SKU that is none", host(sku="Gold"), 'Unsupported value: "Gold"'),
    Example("a field that is none", host(skuu="Basic"), 'unknown field "spec.skuu"'),
    Example(
        "a name that is too long for Azure", host(name="a" * 81), "longer than the 80 characters that Azure allows"
    ),
    Example("a wrong name for Azure", host(azureName="-a"), "must be a name that Azure takes: up to 80 letters"),
    Example(
        "a group with a space that is none to everybody",
        host(resourceGroup="rg\xa01"),
        "must be the name of a resource group, not its id",
    ),
    Example(
        "a group by its id", host(resourceGroup="/subscriptions/x"), "must be the name of a resource group, not its id"
    ),
    Example("a group that ends in a period", host(resourceGroup="rg."), "not ending in a period"),
    Example("one scale unit", host(scaleUnits=1), "should be greater than or equal to 2"),
    Example("51 scale units", host(scaleUnits=51), "should be less than or equal to 50"),
    Example(
        "Basic with three scale units",
        host(sku="Basic", scaleUnits=3),
        "scaleUnits above 2 need sku Standard or Premium",
    ),
    Example(
        "a Developer host with scale units",
        host(sku="Developer", scaleUnits=2),
        "a Developer host is shared and has no scaleUnits",
    ),
    Example(
        "a Developer host with zones", host(sku="Developer", zones=["1"]), "a Developer host is shared and has no zones"
    ),
    Example(
        "a Developer host with a subnet",
        host(sku="Developer", subnetPrefix="Auto"),
        "a Developer host is shared and has no subnetPrefix",
    ),
    Example(
        "a Developer host with an address",
        host(sku="Developer", publicIP={"name": "a"}),
        "a Developer host is shared and has no publicIP",
    ),
    Example(
        "logs to something else",
        host(diagnostics={"workspaceID": HUB}),
        "must be the ARM id of a Log Analytics workspace",
    ),
    Example(
        "a category that is none",
        host(diagnostics={"workspaceID": WORKSPACE, "categories": ["Bastion Audit"]}),
        "must be the name of a category of Azure Monitor",
    ),
    Example(
        "no logs at all", host(diagnostics={"workspaceID": WORKSPACE, "categories": []}), "should have at least 1 items"
    ),
    Example("a zone that is none", host(zones=["4"]), 'Unsupported value: "4"'),
    Example("a zone twice", host(zones=["1", "1"]), "Duplicate value"),
    Example("a small subnet", host(subnetPrefix="10.0.0.0/27"), "must be Auto, or an IPv4 prefix of /26"),
    Example("a subnet with host bits", host(subnetPrefix="10.0.0.1/26"), "must be Auto, or an IPv4 prefix of /26"),
    Example("a subnet of IPv6", host(subnetPrefix="fd00::/26"), "must be Auto, or an IPv4 prefix of /26"),
    Example("a subnet of three bytes", host(subnetPrefix="10.1.0/26"), "must be Auto, or an IPv4 prefix of /26"),
    Example("a subnet without its length", host(subnetPrefix="10.0.0.0"), "must be Auto, or an IPv4 prefix of /26"),
    Example("a subnet by a mask", host(subnetPrefix="10.0.0.0/255.0.0.0"), "must be Auto, or an IPv4 prefix of /26"),
    Example(
        "a subnet with a zero in front", host(subnetPrefix="10.0.0.0/08"), "must be Auto, or an IPv4 prefix of /26"
    ),
    Example("a subnet that is none", host(subnetPrefix="automatic"), "must be Auto, or an IPv4 prefix of /26"),
    Example("an address by name and id", host(publicIP={"name": "a", "id": PUBLIC_IP}), "write either name"),
    Example("an address by nothing", host(publicIP={}), "write either name"),
    Example("another resource as address", host(publicIP={"id": HUB}), "must be the ARM id of a public IP address"),
    *(each for each in _features_by_sku() if each.message),
    Example(
        "recording of the native client",
        host(sku="Premium", features={"sessionRecording": True, "nativeClient": True}),
        "sessionRecording excludes nativeClient",
    ),
    Example(
        "a private-only host with an address",
        host(sku="Premium", features={"privateOnly": True}, publicIP={"name": "a"}),
        "a host with features.privateOnly has no public IP address: leave publicIP out",
    ),
    Example("a tag with a slash", host(tags={"a/b": "c"}), "tag names have 1 to 512 characters and none of"),
    Example("a tag with a backslash", host(tags={"a\\b": "c"}), "tag names have 1 to 512 characters and none of"),
    Example("a long tag", host(tags={"a": "b" * 257}), "may not be more than 256 bytes"),
    Example("too many tags", host(tags={f"t{number}": "" for number in range(46)}), "must have at most 45 items"),
    Example(
        "a principal by its name",
        host(access={"principals": [{"objectID": "ann@example.org"}]}),
        "must be a UUID such as",
    ),
    Example("access for nobody", host(access={"principals": []}), "should have at least 1 items"),
    Example(
        "a principal twice", host(access={"principals": [{"objectID": UUID}, {"objectID": UUID}]}), "Duplicate value"
    ),
    Example(
        "access to be enforced",
        host(access={"mode": "Enforce", "principals": [{"objectID": UUID}]}),
        'Unsupported value: "Enforce"',
    ),
    Example(
        "a source with host bits",
        host(networkSecurity={"allowedSources": ["203.0.113.7/24"]}),
        "must be an IPv4 prefix without host bits such as 203.0.113.0/24",
    ),
    Example(
        "a source by a tag that Bastion does not take",
        host(networkSecurity={"allowedSources": ["AzureCloud"]}),
        "must be an IPv4 prefix without host bits such as 203.0.113.0/24 (/32 for one address), or one of the service tags",
    ),
    Example("no source at all", host(networkSecurity={"allowedSources": []}), "should have at least 1 items"),
    Example("a port that is none", host(networkSecurity={"ports": {"rdp": [65536]}}), "less than or equal to 65535"),
    Example(
        "Basic with a port of its own",
        host(sku="Basic", networkSecurity={"ports": {"ssh": [2222]}}),
        "networkSecurity.ports needs sku Standard or Premium: raise the SKU or leave ports out",
    ),
    Example(
        "Developer with allowed sources",
        host(sku="Developer", networkSecurity={"allowedSources": ["Internet"]}),
        "has no AzureBastionSubnet: leave allowedSources out",
    ),
    Example(
        "denies overridden by one who only looks",
        host(networkSecurity={"overrideDenies": True}),
        "overrideDenies asks for rules to be written: set subnet or targets to Enforce",
    ),
    Example("an unquoted Off", host(networkSecurity={"subnet": False}), "must be of type string"),
    Example(
        "a selector that is no subnet",
        host(targets={"selectors": {"subnetIDs": [HUB]}}),
        "must be the ARM id of a subnet",
    ),
    Example(
        "an interval without a unit", host(interval="300"), "must be a duration of at least 1m, written with units"
    ),
    Example("an interval too short", host(interval="59s"), "must be a duration of at least 1m, written with units"),
    Example(
        "an identity that is no name", host(identityRef={"name": "A_b"}), "must be the name of a Kubernetes object"
    ),
    # VNetPeering
    Example("no hub", peering(drop=("hub",)), "topology HubSpoke needs a hub: set hub.virtualNetworkID"),
    Example(
        "no spoke", peering(drop=("spokes",)), "topology HubSpoke needs spokes: list at least 1, or set spokeSelector"
    ),
    Example("an empty list of spokes", peering(spokes=[]), "topology HubSpoke needs spokes"),
    Example("a selector without tags", selecting(tags={}), "name at least one tag"),
    Example("a selector without subscriptions", selecting(subscriptions=[]), "should have at least 1 items"),
    Example("a selector of a subscription by its name", selecting(subscriptions=["prod"]), "must be a UUID"),
    Example("a selector with a short grace", selecting(leaveGrace="10s"), "must be a duration of at least 1m"),
    Example("a selector that says something else", selecting(onLeave="Keep"), 'supported values: "Retain", "Delete"'),
    Example(
        "a mesh with a selector",
        mesh(SPOKE, OTHER, spokeSelector=SELECTOR),
        "topology FullMesh joins the networks that are listed: take spokeSelector out",
    ),
    Example(
        "501 spokes",
        peering(*(arm_id("virtualNetworks", f"s{number}") for number in range(501))),
        "must have at most 500 items",
    ),
    Example("a spoke twice", peering(SPOKE, SPOKE), "uplicate"),
    Example(
        "the hub as its own spoke",
        peering(SPOKE, HUB.upper()),
        "the hub cannot be its own spoke: take it off the spokes",
    ),
    Example("a spoke that is no id", peering("spoke"), "must be the ARM id of a virtual network"),
    Example(
        "a mesh with a hub",
        mesh(SPOKE, OTHER, drop=()),
        "topology FullMesh has no hub: list that virtual network among the spokes",
    ),
    Example("a mesh of one", mesh(SPOKE), "topology FullMesh joins the spokes with each other: list at least 2"),
    Example(
        "a mesh of 33",
        mesh(*(arm_id("virtualNetworks", f"s{number}") for number in range(33))),
        "joins at most 32 virtual networks",
    ),
    Example(
        "a mesh with one side",
        mesh(SPOKE, OTHER, sides="HubOnly"),
        "topology FullMesh has no hub side: leave sides out",
    ),
    Example(
        "a mesh with gateways",
        mesh(SPOKE, OTHER, spokeToHub={"useRemoteGateways": True}),
        "in a full mesh nobody's gateway can be used",
    ),
    Example(
        "both sides using the other's gateway",
        peering(hubToSpoke={"useRemoteGateways": True}, spokeToHub={"useRemoteGateways": True}),
        "only one side can use the other's gateway",
    ),
    Example(
        "a half that lends and uses",
        peering(spokeToHub={"useRemoteGateways": True, "allowGatewayTransit": True}),
        "a half cannot both lend its gateway (allowGatewayTransit) and use the other's",
    ),
    # AzureIdentity
    Example("no client id", identity(drop=("clientID",)), "clientID is required: write the application's (client) id"),
    Example("a tenant by name", identity(tenantID="contoso"), "must be a UUID such as"),
    Example(
        "a service principal without a secret", identity(drop=("secretName",)), "type ServicePrincipal needs secretName"
    ),
    Example(
        "a workload identity with a secret",
        identity(type="WorkloadIdentity"),
        "only type ServicePrincipal has a secret",
    ),
    Example(
        "a namespace that is none", identity(allowedNamespaces={"names": ["*"]}), "must be the name of a namespace"
    ),
    Example(
        "a requirement without values",
        identity(allowedNamespaces={"selector": {"matchExpressions": [{"key": "a", "operator": "In"}]}}),
        "In and NotIn need values; Exists and DoesNotExist have none",
    ),
    # ReachabilityReport
    Example("a report of too many rows", report(rows=[report()["rows"][0]] * 1001), "must have at most 1000 items"),
    Example("a verdict that is none", report(rows=[{**report()["rows"][0], "verdict": "Maybe"}]), "Unsupported value"),
]
