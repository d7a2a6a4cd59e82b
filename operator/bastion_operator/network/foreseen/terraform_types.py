"""Resources of Terraform's providers azurerm and azapi in ARM's terms: a table of types, each with its id and its edits.

Sources: the argument references of the azurerm and azapi providers (versions 3 and 4 of azurerm name some arguments
differently; both are read).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import orjson

from bastion_operator.network.fields import Row, objects, text
from bastion_operator.network.foreseen.plan import Assign, Delete, Edit, Put

_NETWORK: Final = "Microsoft.Network"
_PLACEHOLDER: Final = "?"


class UnknownValueError(LookupError):
    """An argument that decides where a resource lies or what it is attached to is known only after apply."""


@dataclass(frozen=True, slots=True)
class TerraformType:
    """How a type is read.

    :ivar resource_id: its ARM id out of its arguments and the subscription; raises UnknownValueError
    :ivar written: the edits that make or change it; ``anew`` where it is made
    :ivar deleted: the edits that take it away
    :ivar attachment: it is no resource of Azure's: its id is that of what something is attached to
    """

    resource_id: Callable[[Row, str], str]
    written: Callable[[str, Row, bool], Iterable[Edit]]
    deleted: Callable[[str, Row], Iterable[Edit]]
    attachment: bool = False


def needed(values: Row, name: str) -> Any:
    """An argument that must be known. Raises UnknownValueError."""
    value = values.get(name)
    if value in (None, "", [], _PLACEHOLDER):
        raise UnknownValueError(f"its {name} is known only after apply")
    return value


def _known(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _ref(resource_id: Any) -> dict[str, Any] | None:
    return {"id": resource_id} if isinstance(resource_id, str) and resource_id else None


# --- where it lies -----------------------------------------------------------------------------------------------


def _in_group(kind: str) -> Callable[[Row, str], str]:
    def resource_id(values: Row, subscription: str) -> str:
        group = needed(values, "resource_group_name")
        return f"/subscriptions/{subscription}/resourceGroups/{group}/providers/{kind}/{needed(values, 'name')}"

    return resource_id


def _below(parent_kind: str, parent_argument: str, collection: str) -> Callable[[Row, str], str]:
    def resource_id(values: Row, subscription: str) -> str:
        group, parent = needed(values, "resource_group_name"), needed(values, parent_argument)
        holder = f"/subscriptions/{subscription}/resourceGroups/{group}/providers/{parent_kind}/{parent}"
        return f"{holder}/{collection}/{needed(values, 'name')}"

    return resource_id


def _attachment(argument: str) -> Callable[[Row, str], str]:
    return lambda values, _: str(needed(values, argument))


def _gone(resource_id: str, _: Row) -> Iterable[Edit]:
    return (Delete(resource_id),)


# --- networks ----------------------------------------------------------------------------------------------------


def _virtual_network(resource_id: str, values: Row, anew: bool) -> Iterator[Edit]:
    properties = _known(addressSpace={"addressPrefixes": list(needed(values, "address_space"))})
    encryption = next(objects(values, "encryption"), None)
    if encryption is not None:
        properties["encryption"] = {"enabled": True, "enforcement": encryption.get("enforcement")}
    yield Put(
        resource_id, _known(location=values.get("location"), tags=values.get("tags"), properties=properties), anew
    )
    for subnet in objects(values, "subnet"):
        group = _known(
            networkSecurityGroup=_ref(subnet.get("security_group")), routeTable=_ref(subnet.get("route_table_id"))
        )
        inline = _known(addressPrefixes=subnet.get("address_prefixes"), addressPrefix=subnet.get("address_prefix"))
        if (name := text(subnet, "name")) is not None and inline:
            yield Put(f"{resource_id}/subnets/{name}", {"properties": {**inline, **group}})


def _subnet(resource_id: str, values: Row, anew: bool) -> Iterator[Edit]:
    prefixes = values.get("address_prefixes") or [values.get("address_prefix")]
    if not all(isinstance(each, str) for each in prefixes):
        raise UnknownValueError("its address_prefixes are known only after apply")
    yield Put(resource_id, {"properties": {"addressPrefixes": list(prefixes), "addressPrefix": prefixes[0]}}, anew)


def _peering(resource_id: str, values: Row, anew: bool) -> Iterator[Edit]:
    flags = _known(
        allowVirtualNetworkAccess=values.get("allow_virtual_network_access"),
        allowForwardedTraffic=values.get("allow_forwarded_traffic"),
        allowGatewayTransit=values.get("allow_gateway_transit"),
        useRemoteGateways=values.get("use_remote_gateways"),
        peerCompleteVnets=values.get("peer_complete_virtual_networks_enabled"),
        enableOnlyIPv6Peering=values.get("only_ipv6_peering_enabled"),
        localSubnetNames=values.get("local_subnet_names"),
        remoteSubnetNames=values.get("remote_subnet_names"),
    )
    remote = {"remoteVirtualNetwork": _ref(needed(values, "remote_virtual_network_id"))}
    yield Put(resource_id, {"properties": {**remote, **flags}}, anew)


def _attached(holder: str, argument: str, field: str) -> TerraformType:
    """An association: one field of what it attaches something to."""

    def written(resource_id: str, values: Row, _: bool) -> Iterator[Edit]:
        yield Assign(resource_id, field, _ref(needed(values, argument)))

    def deleted(resource_id: str, _: Row) -> Iterator[Edit]:
        yield Assign(resource_id, field, None)

    return TerraformType(_attachment(holder), written, deleted, attachment=True)


# --- rules and routes --------------------------------------------------------------------------------------------


def _rule_properties(values: Row) -> dict[str, Any]:
    found = _known(
        priority=values.get("priority"),
        direction=values.get("direction"),
        access=values.get("access"),
        protocol=values.get("protocol"),
    )
    for name in ("source_port_range", "destination_port_range", "source_address_prefix", "destination_address_prefix"):
        plural = f"{name}es" if name.endswith("prefix") else f"{name}s"
        found |= _known(**{_camel(name): values.get(name) or None, _camel(plural): _listed(values.get(plural))})
    for side in ("source", "destination"):
        groups = _listed(values.get(f"{side}_application_security_group_ids"))
        if groups:
            found[f"{side}ApplicationSecurityGroups"] = [_ref(each) for each in groups]
    return found


def _listed(value: Any) -> list[Any] | None:
    return list(value) if isinstance(value, list) and value else None


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(map(str.capitalize, rest))


def _inline(
    resource_id: str, collection: str, blocks: Iterable[Row], read: Callable[[Row], dict[str, Any]]
) -> list[dict[str, Any]]:
    """Children that are written as blocks of the resource that they lie in, as ARM has them in its body."""
    named = ((each.get("name"), each) for each in blocks)
    return [
        {"id": f"{resource_id}/{collection}/{name}", "name": name, "properties": read(each)} for name, each in named
    ]


def _security_group(resource_id: str, values: Row, anew: bool) -> Iterator[Edit]:
    properties: dict[str, Any] = {}
    if isinstance(values.get("security_rule"), list):
        properties["securityRules"] = _inline(
            resource_id, "securityRules", objects(values, "security_rule"), _rule_properties
        )
    yield Put(resource_id, _known(location=values.get("location"), properties=properties), anew)


def _security_rule(resource_id: str, values: Row, _: bool) -> Iterator[Edit]:
    # The whole rule: a prefix that was singular and is a list now leaves nothing behind.
    yield Put(resource_id, {"properties": _rule_properties(values)}, anew=True)


def _bare(resource_id: str, values: Row, anew: bool) -> Iterator[Edit]:
    yield Put(resource_id, _known(location=values.get("location"), properties={}), anew)


def _route_properties(values: Row) -> dict[str, Any]:
    return _known(
        addressPrefix=values.get("address_prefix"),
        nextHopType=values.get("next_hop_type"),
        nextHopIpAddress=values.get("next_hop_in_ip_address") or None,
    )


def _route_table(resource_id: str, values: Row, anew: bool) -> Iterator[Edit]:
    propagates = values.get("bgp_route_propagation_enabled")
    disabled = values.get("disable_bgp_route_propagation") if propagates is None else not propagates
    properties = _known(disableBgpRoutePropagation=disabled)
    if isinstance(values.get("route"), list):
        properties["routes"] = _inline(resource_id, "routes", objects(values, "route"), _route_properties)
    yield Put(resource_id, _known(location=values.get("location"), properties=properties), anew)


def _route(resource_id: str, values: Row, _: bool) -> Iterator[Edit]:
    yield Put(resource_id, {"properties": _route_properties(values)}, anew=True)


# --- machines ----------------------------------------------------------------------------------------------------


def _interface(resource_id: str, values: Row, anew: bool) -> Iterator[Edit]:
    configurations = []
    for place, each in enumerate(objects(values, "ip_configuration")):
        properties = _known(
            subnet=_ref(each.get("subnet_id")),
            privateIPAddress=each.get("private_ip_address") or None,
            privateIPAllocationMethod=each.get("private_ip_address_allocation"),
            privateIPAddressVersion=each.get("private_ip_address_version"),
            primary=each.get("primary") if each.get("primary") is not None else place == 0,
            publicIPAddress=_ref(each.get("public_ip_address_id")),
        )
        if "subnet" not in properties and properties.get("privateIPAddressVersion") != "IPv6":
            raise UnknownValueError("its subnet_id is known only after apply")
        name = each.get("name") or f"configuration-{place + 1}"
        configurations.append({"id": f"{resource_id}/ipConfigurations/{name}", "name": name, "properties": properties})
    properties = {"ipConfigurations": configurations, "primary": True}
    yield Put(resource_id, _known(location=values.get("location"), properties=properties), anew)


def _machine(system: str | None) -> Callable[[str, Row, bool], Iterator[Edit]]:
    def written(resource_id: str, values: Row, anew: bool) -> Iterator[Edit]:
        ids = needed(values, "network_interface_ids")
        primary = text(values, "primary_network_interface_id") or ids[0]
        references = [{"id": each, "properties": {"primary": each.lower() == primary.lower()}} for each in ids]
        told = system or _system_of(values)
        disk = {"storageProfile": {"osDisk": {"osType": told}}} if told is not None else {}
        properties = {"networkProfile": {"networkInterfaces": references}, **disk}
        yield Put(
            resource_id, _known(location=values.get("location"), tags=values.get("tags"), properties=properties), anew
        )

    return written


def _system_of(values: Row) -> str | None:
    for system, block in (("Windows", "os_profile_windows_config"), ("Linux", "os_profile_linux_config")):
        if next(objects(values, block), None) is not None:
            return system
    return next((text(disk, "os_type") for disk in objects(values, "storage_os_disk")), None)


# --- Bastion -----------------------------------------------------------------------------------------------------


def _bastion(resource_id: str, values: Row, anew: bool) -> Iterator[Edit]:
    configurations = [
        {
            "name": each.get("name"),
            "properties": _known(
                subnet=_ref(needed(each, "subnet_id")), publicIPAddress=_ref(each.get("public_ip_address_id"))
            ),
        }
        for each in objects(values, "ip_configuration")
    ]
    copies = values.get("copy_paste_enabled")
    properties = _known(
        ipConfigurations=configurations or None,
        scaleUnits=values.get("scale_units"),
        enableTunneling=values.get("tunneling_enabled"),
        enableIpConnect=values.get("ip_connect_enabled"),
        enableShareableLink=values.get("shareable_link_enabled"),
        enableFileCopy=values.get("file_copy_enabled"),
        enableKerberos=values.get("kerberos_enabled"),
        enableSessionRecording=values.get("session_recording_enabled"),
        disableCopyPaste=None if copies is None else not copies,
        virtualNetwork=_ref(values.get("virtual_network_id")),
    )
    sku = {"name": values.get("sku") or "Basic"}
    body = _known(location=values.get("location"), zones=_listed(values.get("zones")), sku=sku, properties=properties)
    yield Put(resource_id, body, anew)


def _public_ip(resource_id: str, values: Row, anew: bool) -> Iterator[Edit]:
    properties = _known(
        publicIPAllocationMethod=values.get("allocation_method"),
        publicIPAddressVersion=values.get("ip_version") or "IPv4",
        ipAddress=values.get("ip_address"),
    )
    sku = {"name": values.get("sku") or "Standard", "tier": values.get("sku_tier") or "Regional"}
    yield Put(resource_id, _known(location=values.get("location"), sku=sku, properties=properties), anew)


def _zone_link_id(values: Row, subscription: str) -> str:
    zone, group = needed(values, "private_dns_zone_name"), needed(values, "resource_group_name")
    holder = f"/subscriptions/{subscription}/resourceGroups/{group}/providers/{_NETWORK}/privateDnsZones/{zone}"
    return f"{holder}/virtualNetworkLinks/{needed(values, 'name')}"


def _zone_link(resource_id: str, values: Row, anew: bool) -> Iterator[Edit]:
    yield Put(resource_id, {"properties": {"virtualNetwork": _ref(needed(values, "virtual_network_id"))}}, anew)


# --- azapi: ARM's own body ---------------------------------------------------------------------------------------


def _azapi_id(values: Row, _: str) -> str:
    kind = str(needed(values, "type")).partition("@")[0]
    parent, name = str(needed(values, "parent_id")).rstrip("/"), needed(values, "name")
    provider, *types = kind.split("/")
    below = len(types) > 1
    return f"{parent}/{types[-1]}/{name}" if below else f"{parent}/providers/{provider}/{types[-1]}/{name}"


def azapi_body(values: Row) -> dict[str, Any]:
    """The body of an azapi resource, which is an object, or in version 1 of the provider a text of JSON."""
    body = values.get("body")
    if isinstance(body, str):
        try:
            body = orjson.loads(body)
        except orjson.JSONDecodeError:
            body = None
    if not isinstance(body, dict):
        raise UnknownValueError("its body is known only after apply")
    return body


def _azapi(resource_id: str, values: Row, anew: bool) -> Iterator[Edit]:
    yield Put(
        resource_id, {**_known(location=values.get("location"), tags=values.get("tags")), **azapi_body(values)}, anew
    )


AZAPI: Final = TerraformType(_azapi_id, _azapi, _gone)
TYPES: Final[Mapping[str, TerraformType]] = MappingProxyType(
    {
        "azurerm_virtual_network": TerraformType(_in_group(f"{_NETWORK}/virtualNetworks"), _virtual_network, _gone),
        "azurerm_subnet": TerraformType(
            _below(f"{_NETWORK}/virtualNetworks", "virtual_network_name", "subnets"), _subnet, _gone
        ),
        "azurerm_virtual_network_peering": TerraformType(
            _below(f"{_NETWORK}/virtualNetworks", "virtual_network_name", "virtualNetworkPeerings"), _peering, _gone
        ),
        "azurerm_network_security_group": TerraformType(
            _in_group(f"{_NETWORK}/networkSecurityGroups"), _security_group, _gone
        ),
        "azurerm_network_security_rule": TerraformType(
            _below(f"{_NETWORK}/networkSecurityGroups", "network_security_group_name", "securityRules"),
            _security_rule,
            _gone,
        ),
        "azurerm_route_table": TerraformType(_in_group(f"{_NETWORK}/routeTables"), _route_table, _gone),
        "azurerm_route": TerraformType(_below(f"{_NETWORK}/routeTables", "route_table_name", "routes"), _route, _gone),
        "azurerm_subnet_network_security_group_association": _attached(
            "subnet_id", "network_security_group_id", "networkSecurityGroup"
        ),
        "azurerm_subnet_route_table_association": _attached("subnet_id", "route_table_id", "routeTable"),
        "azurerm_network_interface_security_group_association": _attached(
            "network_interface_id", "network_security_group_id", "networkSecurityGroup"
        ),
        "azurerm_application_security_group": TerraformType(
            _in_group(f"{_NETWORK}/applicationSecurityGroups"), _bare, _gone
        ),
        "azurerm_network_interface": TerraformType(_in_group(f"{_NETWORK}/networkInterfaces"), _interface, _gone),
        "azurerm_public_ip": TerraformType(_in_group(f"{_NETWORK}/publicIPAddresses"), _public_ip, _gone),
        "azurerm_bastion_host": TerraformType(_in_group(f"{_NETWORK}/bastionHosts"), _bastion, _gone),
        "azurerm_linux_virtual_machine": TerraformType(
            _in_group("Microsoft.Compute/virtualMachines"), _machine("Linux"), _gone
        ),
        "azurerm_windows_virtual_machine": TerraformType(
            _in_group("Microsoft.Compute/virtualMachines"), _machine("Windows"), _gone
        ),
        "azurerm_virtual_machine": TerraformType(_in_group("Microsoft.Compute/virtualMachines"), _machine(None), _gone),
        "azurerm_private_dns_zone_virtual_network_link": TerraformType(_zone_link_id, _zone_link, _gone),
    }
)
"""The types that are understood."""
