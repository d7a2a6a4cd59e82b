"""For each code the smallest estate that shows it, and the same estate with the one fix that takes it away."""

from dataclasses import dataclass, field
from typing import Any

from tests.support.estates import (
    DELETE,
    Estate,
    add,
    admin_rule,
    bastion,
    bastion_id,
    bastion_rules,
    change,
    connected_group,
    drop,
    gateway,
    hub,
    hub_and_spoke,
    hub_connection,
    hub_route_table,
    jit_policy,
    nic_id,
    nsg_id,
    peering,
    private_zone_link,
    public_ip_id,
    ref,
    route,
    route_table_id,
    routing_intent,
    rule,
    same_vnet,
    security_admin,
    site,
    subnet_id,
    vnet,
    vnet_id,
    with_nsg,
    with_routes,
)

HUB_LINK = "properties.virtualNetworkPeerings.0.properties"


@dataclass(frozen=True)
class Case:
    """``broken`` shows the code among its reasons (exactly ``reasons``) or warnings; ``mended`` is the same, fixed by hand.

    ``refused`` and ``sessions``: ids that Azure refuses to show in the broken estate, and sessions that a Bastion carries.
    """

    code: str
    broken: Estate
    mended: Estate
    reasons: tuple[str, ...] | None = None
    asked: dict[str, Any] = field(default_factory=dict)
    note: str = ""
    refused: tuple[str, ...] = ()
    sessions: dict[str, int] = field(default_factory=dict)

    @property
    def expected(self) -> tuple[str, ...]:
        return (self.code,) if self.reasons is None else self.reasons

    def __str__(self) -> str:
        return f"{self.code}-{self.note}" if self.note else self.code


def host_cases() -> list[Case]:
    good = same_vnet()
    failed = change(good, "bas", "properties.provisioningState", "Failed")
    small = change(good, "hub", "properties.subnets.0.properties.addressPrefix", "10.0.1.0/27")
    crowded = change(
        good, "web-nic", "properties.ipConfigurations.0.properties.subnet", ref(subnet_id("hub", "AzureBastionSubnet"))
    )
    return [
        Case("BastionNotFound", drop(good, "bas"), good),
        Case("BastionNotFound", good, good, asked={"bastion_ids": [bastion_id("other")]}, note="asked by id"),
        Case("BastionUpdating", change(good, "bas", "properties.provisioningState", "Updating"), good),
        Case("BastionStateFailed", failed, good),
        Case("BastionNotSucceeded", change(failed, "bas", "properties.dnsName", DELETE), failed, note="no dnsName"),
        Case(
            "BastionNotSucceeded",
            change(good, "bas", "properties.provisioningState", "Deleting"),
            good,
            note="deleting",
        ),
        Case(
            "EffectiveDataUnavailable",
            change(good, "bas", "properties.provisioningState", DELETE),
            good,
            note="no state",
        ),
        Case("EffectiveDataUnavailable", change(good, "bas", "sku.name", "Ultra"), good, note="unknown SKU"),
        Case(
            "SubnetMissing", change(good, "hub", "properties.subnets.0.name", "azurebastionsubnet"), good, note="case"
        ),
        Case(
            "SubnetMissing",
            change(good, "bas", "properties.ipConfigurations.0.properties.subnet", DELETE),
            good,
            asked={"bastion_ids": [bastion_id("bas")]},
            note="none",
        ),
        Case("SubnetTooSmall", small, good, reasons=()),
        Case("SubnetNotDedicated", crowded, good, reasons=()),
        Case("PublicIPInvalid", change(good, "bas-ip", "sku.name", "Basic"), good, note="SKU"),
        Case("PublicIPInvalid", change(good, "bas-ip", "location", "northeurope"), good, note="region"),
        Case(
            "PublicIPInvalid",
            change(good, "bas-ip", "properties.publicIPAllocationMethod", "Dynamic"),
            good,
            note="dynamic",
        ),
        Case("PublicIPInvalid", change(good, "bas-ip", "properties.publicIPAddressVersion", "IPv6"), good, note="IPv6"),
        Case(
            "PublicIPInvalid",
            change(good, "bas", "properties.ipConfigurations.0.properties.publicIPAddress", DELETE),
            same_vnet(sku="Premium", enablePrivateOnlyBastion=True),
            note="none",
        ),
        Case("EffectiveDataUnavailable", drop(good, "bas-ip"), good, note="public IP not in the data"),
        Case("EffectiveDataUnavailable", drop(hub_and_spoke(), "hub"), hub_and_spoke(), note="VNet not in the data"),
    ]


def bastion_subnet_cases() -> list[Case]:
    good = same_vnet()
    premium = same_vnet(sku="Premium", enablePrivateOnlyBastion=True)
    appliance = route("default", "0.0.0.0/0", "VirtualAppliance", "10.0.9.4")
    internet = route("default", "0.0.0.0/0", "Internet")
    halves = [route("low", "0.0.0.0/1", "VirtualAppliance", "10.0.9.4"), route("high", "128.0.0.0/1", "Internet")]
    vpn = add(good, gateway("vpn", "hub"))
    secured = [hub("east"), hub_route_table("east", "defaultRouteTable", routes=["0.0.0.0/0"])]
    taking = add(good, *secured, hub_connection("east", "hub", enableInternetSecurity=True))
    intent = add(
        good,
        hub("east"),
        routing_intent("east", "Internet"),
        hub_connection("east", "hub", enableInternetSecurity=True),
    )
    complete = with_nsg(good, "bastion")
    deny_all = rule("deny-all", 100, "Deny", ports="443")
    without = [one for one in bastion_rules() if one["name"] != "AllowGatewayManagerInbound"]
    chosen = rule("chosen", 120, "Allow", source="203.0.113.0/24", ports="443")
    implicit = [one for one in bastion_rules() if one["name"] != "AllowDataPlaneInbound"]
    strange = rule("strange", 100, "Deny", source="Mystery", ports="443")
    return [
        Case(
            "SubnetDefaultRouteDiverted",
            with_routes(good, "bastion", appliance),
            with_routes(good, "bastion", internet),
        ),
        Case("SubnetDefaultRouteDiverted", with_routes(good, "bastion", *halves), good, note="half of it"),
        Case(
            "SubnetDefaultRouteDiverted",
            with_routes(good, "bastion", route("x", "AzureCloud", "None"), internet),
            good,
            note="tag",
        ),
        Case(
            "EffectiveDataUnavailable",
            with_routes(premium, "bastion", appliance),
            premium,
            note="private-only, diverted",
        ),
        Case(
            "EffectiveDataUnavailable",
            drop(with_routes(good, "bastion"), "routes"),
            with_routes(good, "bastion", internet),
            note="table not in the data",
        ),
        Case(
            "UnsupportedSubnetRouteTable",
            with_routes(good, "bastion"),
            with_routes(good, "bastion", internet),
            reasons=(),
        ),
        Case(
            "DefaultRouteAdvertised",
            add(vpn, *site("hq", "vpn", "0.0.0.0/0")),
            add(vpn, *site("hq", "vpn", "192.168.0.0/16")),
        ),
        Case(
            "DefaultRouteAdvertised",
            add(vpn, *site("hq", "vpn", "0.0.0.0/0")),
            with_routes(add(vpn, *site("hq", "vpn", "0.0.0.0/0")), "bastion", internet),
            note="a route to the Internet mends it",
        ),
        Case("VwanDefaultRoutePropagated", taking, add(good, *secured, hub_connection("east", "hub"))),
        Case(
            "VwanDefaultRoutePropagated",
            intent,
            add(good, hub("east"), hub_connection("east", "hub")),
            note="routing intent",
        ),
        Case(
            "PrivateDnsZoneConflict",
            add(good, private_zone_link("Azure.com", "hub")),
            add(good, private_zone_link("privatelink.azure.com", "hub")),
        ),
        Case("BastionNsgMissingRule", with_nsg(good, "bastion", chosen, *without[1:], bare=True), complete),
        Case(
            "BastionNsgRuleShadowed",
            with_nsg(good, "bastion", deny_all),
            complete,
            reasons=("BastionNsgRuleShadowed",) * 3,
        ),
        Case("BastionNsgRowNotExplicit", with_nsg(good, "bastion", *implicit, bare=True), complete, reasons=()),
        Case(
            "UnknownServiceTag",
            with_nsg(good, "bastion", strange),
            complete,
            reasons=("UnknownServiceTag",) * 3,
            note="own rules",
        ),
    ]


def return_route_cases() -> list[Case]:
    near, far = same_vnet(), hub_and_spoke()
    longer = route("bastion", "10.0.1.0/26", "VirtualAppliance", "10.0.9.4")
    equal = route("hub", "10.0.0.0/16", "VirtualAppliance", "10.0.9.4")
    shorter = route("all", "0.0.0.0/0", "VirtualAppliance", "10.0.9.4")
    local = route("local", "10.0.1.0/26", "VnetLocal")
    part = route("part", "10.0.1.32/28", "None")
    return [
        Case(
            "ReturnRouteDiverted",
            with_routes(near, "subnet", longer),
            with_routes(near, "subnet", shorter),
            note="same VNet",
        ),
        Case(
            "ReturnRouteDiverted",
            with_routes(far, "subnet", equal),
            with_routes(far, "subnet", equal, local),
            note="equal length",
        ),
        Case(
            "ReturnRouteDiverted", with_routes(far, "subnet", part), with_routes(far, "subnet", shorter), note="a part"
        ),
        Case(
            "EffectiveDataUnavailable",
            drop(with_routes(far, "subnet"), "routes"),
            with_routes(far, "subnet"),
            note="VM's table not in the data",
        ),
    ]


def target_cases() -> list[Case]:
    good = same_vnet()
    ipv6 = change(good, "web-nic", "properties.ipConfigurations.0.properties.privateIPAddressVersion", "IPv6")
    basic = same_vnet(sku="Basic")
    windows = change(good, "web", "properties.storageProfile.osDisk.osType", "Windows")
    basic_windows = change(basic, "web", "properties.storageProfile.osDisk.osType", "Windows")
    address = "properties.ipConfigurations.0.properties.privateIPAddress"
    return [
        Case(
            "VMNotRunning",
            change(good, "web", "properties.extended.instanceView.powerState.code", "PowerState/deallocated"),
            good,
        ),
        Case("EffectiveDataUnavailable", change(good, "web", "properties.extended", {}), good, note="no power state"),
        Case("EffectiveDataUnavailable", drop(good, "web-nic"), good, note="NIC not in the data"),
        Case(
            "EffectiveDataUnavailable", change(good, "web-nic", address, "10.0.2.999"), good, note="address unreadable"
        ),
        Case(
            "EffectiveDataUnavailable",
            change(good, "web", "properties.networkProfile", DELETE),
            good,
            note="no profile",
        ),
        Case("NoIPv4Address", ipv6, good, note="IPv6 only"),
        Case("NoIPv4Address", change(good, "web-nic", address, DELETE), good, note="no address"),
        Case(
            "NoIPv4Address", change(good, "web", "properties.networkProfile.networkInterfaces", []), good, note="no NIC"
        ),
        Case("NotPrimaryNic", good, good, asked={"address": "10.0.2.5"}),
        Case("RdsOrAvdTarget", change(good, "web", "tags", {"cm-resource-parent": "/x/hostpools/p"}), good, reasons=()),
        Case("ProtocolNotSupportedBySku", basic, good, asked={"protocol": "RDP"}, note="RDP to Linux"),
        Case("ProtocolNotSupportedBySku", basic_windows, windows, asked={"protocol": "SSH"}, note="SSH to Windows"),
        Case("CustomPortNotSupported", basic, good, asked={"port": 2222}),
        Case(
            "EffectiveDataUnavailable",
            change(good, "web", "properties.storageProfile.osDisk", {}),
            good,
            note="operating system not known",
        ),
    ]


def topology_cases() -> list[Case]:
    good = hub_and_spoke()
    developer = add(drop(good, "bas"), bastion("bas", "hub", sku="Developer"))
    apart = change(
        change(good, "hub", "properties.virtualNetworkPeerings", []), "spoke", "properties.virtualNetworkPeerings", []
    )
    further = [
        change(apart, "spoke", "properties.virtualNetworkPeerings", [peering("middle", space=["10.2.0.0/16"])]),
        [
            vnet(
                "middle",
                "10.2.0.0/16",
                peerings=[peering("hub", space=["10.0.0.0/16"]), peering("spoke", space=["10.1.0.0/16"])],
            )
        ],
    ]
    named: dict[str, Any] = {
        "peerCompleteVnets": False,
        "localSubnetNames": ["AzureBastionSubnet"],
        "remoteSubnetNames": ["workload"],
    }
    back: dict[str, Any] = {
        "peerCompleteVnets": False,
        "localSubnetNames": ["workload"],
        "remoteSubnetNames": ["AzureBastionSubnet"],
    }
    links = [peering("spoke", space=["10.1.0.0/16"], **named), peering("hub", space=["10.0.0.0/16"], **back)]
    subnets_peered = change(good, "hub", "properties.virtualNetworkPeerings", [links[0]])
    subnets_peered = change(subnets_peered, "spoke", "properties.virtualNetworkPeerings", [links[1]])
    encrypted = {"enabled": True, "enforcement": "DropUnencrypted"}
    link = HUB_LINK
    return [
        Case("DeveloperNoPeering", developer, good),
        Case("CrossTenantPeering", change(good, "spoke", "tenantId", "other-tenant"), good),
        Case("NotPeered", apart, good),
        Case("PeeringNotTransitive", further[0] + further[1], good),
        Case("PeeringOneSided", change(good, "spoke", "properties.virtualNetworkPeerings", []), good, note="other link missing"),
        Case("PeeringOneSided", change(good, "hub", f"{link}.peeringState", "Initiated"), good, note="Initiated"),
        Case("PeeringDisconnected", change(good, "hub", f"{link}.peeringState", "Disconnected"), good, note="one side reads so"),
        Case(
            "PeeringDisconnected",
            change(change(good, "hub", "properties.virtualNetworkPeerings", []), "spoke", f"{link}.peeringState", "Disconnected"),
            good,
            note="other link missing",
        ),
        Case("AddressSpaceNotSynced", change(good, "hub", f"{link}.remoteAddressSpace.addressPrefixes", ["10.1.0.0/23"]), good, note="VM"),
        Case("AddressSpaceNotSynced", change(good, "spoke", f"{link}.remoteAddressSpace.addressPrefixes", ["10.0.2.0/24"]), good, note="Bastion"),
        Case("EffectiveDataUnavailable", change(good, "spoke", f"{link}.remoteAddressSpace", DELETE), good, note="no remote space"),
        Case("EffectiveDataUnavailable", change(good, "spoke", f"{link}.peeringState", "Wondering"), good, note="unknown state"),
        Case("SubnetNotPeered", change(subnets_peered, "spoke", f"{link}.localSubnetNames", ["other"]), subnets_peered),
        Case("SubnetPeeringIPv6Only", change(subnets_peered, "hub", f"{link}.enableOnlyIPv6Peering", True), subnets_peered),
        Case("PeeringAccessDisabled", change(good, "hub", f"{link}.allowVirtualNetworkAccess", False), good, note="Bastion's side"),
        Case("PeeringAccessDisabled", change(good, "spoke", f"{link}.allowVirtualNetworkAccess", False), good, note="VM's side"),
        Case("VnetEncryptionEnforced", change(good, "spoke", "properties.encryption", encrypted), good, reasons=()),
    ]  # fmt: skip


def flow_cases() -> list[Case]:
    good = hub_and_spoke()
    deny = rule("no-bastion", 200, "Deny", source="10.0.1.0/26", ports="22")
    allow = rule("bastion", 150, "Allow", source="10.0.1.0/26", ports="22")
    out = rule("no-way-out", 200, "Deny", direction="Outbound", destination="10.1.0.0/16")
    half = rule("half", 200, "Deny", source="10.0.1.0/27")
    ephemeral = rule("some", 200, "Deny", source_ports="50000-51000")
    missing = drop(with_nsg(good, "subnet"), "guard")
    closed = change(with_nsg(good, "subnet"), "spoke", f"{HUB_LINK}.allowVirtualNetworkAccess", False)
    return [
        Case("BastionNsgDenies", with_nsg(good, "bastion", out), with_nsg(good, "bastion")),
        Case("SubnetNsgDenies", with_nsg(good, "subnet", deny), with_nsg(good, "subnet", allow, deny)),
        Case("SubnetNsgDenies", closed, with_nsg(good, "subnet"), note="access disabled, rules decide"),
        Case("NicNsgDenies", with_nsg(good, "nic", deny), with_nsg(good, "nic", allow, deny)),
        Case("NsgPartiallyBlocksBastion", with_nsg(good, "nic", half), with_nsg(good, "nic", allow, half), note="half the prefix"),
        Case("NsgPartiallyBlocksBastion", with_nsg(good, "nic", ephemeral), with_nsg(good, "nic", allow, ephemeral), note="source ports"),
        Case("UnknownServiceTag", with_nsg(good, "nic", rule("x", 100, "Deny", source="Mystery")), with_nsg(good, "nic")),
        Case("EffectiveDataUnavailable", missing, with_nsg(good, "subnet"), note="group not in the data"),
        Case("PermissionDenied", missing, with_nsg(good, "subnet"), refused=(nsg_id("guard").upper(),), note="group"),
    ]  # fmt: skip


def wan_cases() -> list[Case]:
    apart = change(hub_and_spoke(), "hub", "properties.virtualNetworkPeerings", [])
    apart = change(apart, "spoke", "properties.virtualNetworkPeerings", [])
    wan = [hub("east"), hub_connection("east", "hub"), hub_connection("east", "spoke")]
    joined = add(apart, *wan)
    ready = change(joined, "bas", "properties.enableIpConnect", value=True)
    isolated = {"propagatedRouteTables": {"labels": ["none"], "ids": []}}
    cut = change(ready, "spoke-connection", "properties.routingConfiguration", isolated)
    secured = add(ready, routing_intent("east", "PrivateTraffic"))
    return [
        Case("IpConnectDisabled", joined, ready),
        Case("IpConnectSkuTooLow", change(ready, "bas", "sku.name", "Basic"), ready),
        Case("NoRouteToTarget", cut, ready, reasons=("NotPeered", "NoRouteToTarget")),
        Case("IpConnectRequired", ready, hub_and_spoke(), reasons=()),
        Case("EffectiveDataUnavailable", secured, ready, note="firewall of a routing intent"),
        Case("ConnectedGroupNoPeering", add(apart, *connected_group("hub", "spoke")), hub_and_spoke()),
    ]


def administrator_cases() -> list[Case]:
    good = hub_and_spoke()
    no_ssh = admin_rule("no-ssh", 10, "Deny")
    bastions = admin_rule("bastions", 5, "Allow", source="10.0.1.0/26")
    always = admin_rule("always", 5, "AlwaysAllow", source="10.0.1.0/26")
    closed = with_nsg(good, "nic", rule("closed", 100, "Deny"))
    jit = with_nsg(good, "nic", rule("MicrosoftDefenderForCloud-JITRule_1", 4000, "Deny", source="203.0.113.0/24"))
    lost = [row for row in security_admin("spoke", no_ssh) if "/rules/" not in row["id"]]
    return [
        Case(
            "SecurityAdminDenies",
            add(good, *security_admin("spoke", no_ssh)),
            add(good, *security_admin("spoke", bastions, no_ssh)),
        ),
        Case("SecurityAdminAlwaysAllows", add(closed, *security_admin("spoke", always)), good, reasons=()),
        Case(
            "EffectiveDataUnavailable",
            add(good, *lost),
            add(good, *security_admin("spoke", bastions)),
            note="rules of a configuration not in the data",
        ),
        Case("JitMayBlock", jit, good, reasons=()),
        Case("NotLookedAt", good, add(good, jit_policy("other")), reasons=()),
    ]


def method_cases() -> list[Case]:
    return [
        Case("NativeClientDisabled", same_vnet(), same_vnet(enableTunneling=True), reasons=(), note="off"),
        Case(
            "NativeClientDisabled",
            same_vnet(sku="Basic", enableTunneling=True),
            same_vnet(enableTunneling=True),
            reasons=(),
        ),
        Case(
            "CapacityExceeded",
            same_vnet(),
            same_vnet(scaleUnits=3),
            reasons=(),
            sessions={bastion_id("bas").lower(): 80},
        ),
    ]


def refused_cases() -> list[Case]:
    """What Azure refuses to show: by permission, not by absence."""
    near, far = same_vnet(), hub_and_spoke()
    ids = {"NIC": ("web-nic", nic_id("web-nic")), "public IP": ("bas-ip", public_ip_id("bas-ip"))}
    return [
        *(
            Case("PermissionDenied", drop(near, name), near, refused=(own,), note=note)
            for note, (name, own) in ids.items()
        ),
        Case("PermissionDenied", drop(far, "hub"), far, refused=(vnet_id("hub"),), note="VNet"),
        Case(
            "PermissionDenied",
            drop(with_routes(near, "bastion"), "routes"),
            with_routes(near, "bastion", route("default", "0.0.0.0/0", "Internet")),
            refused=(route_table_id("routes"),),
            note="table",
        ),
    ]


CASES = [
    *host_cases(),
    *wan_cases(),
    *administrator_cases(),
    *bastion_subnet_cases(),
    *return_route_cases(),
    *target_cases(),
    *topology_cases(),
    *flow_cases(),
    *method_cases(),
    *refused_cases(),
]
