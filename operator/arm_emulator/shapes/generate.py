"""Writes `network.json`, `compute.json` and `privatedns.json`: which members each body may have, and of what type.

Run by hand when an api-version moves on: `python -m arm_emulator.shapes.generate`. It reads the published models as the
azure-mgmt packages carry them; the emulator itself does not need those packages.
"""

import importlib
import json
import sys
import types
import typing
from pathlib import Path

NETWORK = {
    "applicationSecurityGroups": "ApplicationSecurityGroup",
    "azureFirewalls": "AzureFirewall",
    "bastionHosts": "BastionHost",
    "connections": "VirtualNetworkGatewayConnection",
    "ddosProtectionPlans": "DdosProtectionPlan",
    "expressRouteGateways": "ExpressRouteGateway",
    "ipGroups": "IpGroup",
    "loadBalancers": "LoadBalancer",
    "localNetworkGateways": "LocalNetworkGateway",
    "natGateways": "NatGateway",
    "networkInterfaces": "NetworkInterface",
    "networkManagers": "NetworkManager",
    "networkManagers/connectivityConfigurations": "ConnectivityConfiguration",
    "networkManagers/networkGroups": "NetworkGroup",
    "networkManagers/networkGroups/staticMembers": "StaticMember",
    "networkManagers/securityAdminConfigurations": "SecurityAdminConfiguration",
    "networkManagers/securityAdminConfigurations/ruleCollections": "AdminRuleCollection",
    "networkManagers/securityAdminConfigurations/ruleCollections/rules": "AdminRule",
    "networkSecurityGroups": "NetworkSecurityGroup",
    "networkSecurityGroups/securityRules": "SecurityRule",
    "networkWatchers": "NetworkWatcher",
    "privateEndpoints": "PrivateEndpoint",
    "publicIPAddresses": "PublicIPAddress",
    "publicIPPrefixes": "PublicIPPrefix",
    "routeTables": "RouteTable",
    "routeTables/routes": "Route",
    "virtualHubs": "VirtualHub",
    "virtualHubs/bgpConnections": "BgpConnection",
    "virtualHubs/hubRouteTables": "HubRouteTable",
    "virtualHubs/hubVirtualNetworkConnections": "HubVirtualNetworkConnection",
    "virtualHubs/routingIntent": "RoutingIntent",
    "virtualNetworkGateways": "VirtualNetworkGateway",
    "virtualNetworks": "VirtualNetwork",
    "virtualNetworks/subnets": "Subnet",
    "virtualNetworks/virtualNetworkPeerings": "VirtualNetworkPeering",
    "virtualWans": "VirtualWAN",
    "vpnGateways": "VpnGateway",
}
COMPUTE = {
    "virtualMachineScaleSets": "VirtualMachineScaleSet",
    "virtualMachineScaleSets/virtualMachines": "VirtualMachineScaleSetVM",
    "virtualMachines": "VirtualMachine",
}
PRIVATE_DNS = {
    "privateDnsZones": "PrivateZone",
    "privateDnsZones/virtualNetworkLinks": "VirtualNetworkLink",
    **{f"privateDnsZones/{kind}": "RecordSet" for kind in ("A", "AAAA", "CNAME", "MX", "PTR", "SOA", "SRV", "TXT")},
}
FILES = {
    "network": ("Microsoft.Network", "azure.mgmt.network.models", NETWORK),
    "compute": ("Microsoft.Compute", "azure.mgmt.compute.models", COMPUTE),
    "privatedns": ("Microsoft.Network", "azure.mgmt.privatedns.models", PRIVATE_DNS),
}
TOP = {*NETWORK.values(), *COMPUTE.values(), *PRIVATE_DNS.values()}
DEEPEST = 7
Shape = str | dict[str, typing.Any] | list[typing.Any]


def main() -> int:
    """Writes the files beside this one."""
    for name, (namespace, module, models_of) in FILES.items():
        models = importlib.import_module(module)
        shapes = {
            f"{namespace}/{kind}": _members(models, getattr(models, model), 0) for kind, model in models_of.items()
        }
        path = Path(__file__).with_name(f"{name}.json")
        path.write_text(json.dumps(shapes, separators=(",", ":"), sort_keys=True) + "\n", encoding="utf-8")
    return 0


def _members(models: types.ModuleType, model: typing.Any, depth: int) -> dict[str, Shape]:
    module = sys.modules[model.__module__]
    hints = typing.get_type_hints(model, {**vars(module), "_models": models, "_types": models})
    model({})  # the first instance of a class fills its list of wire names
    fields: dict[str, typing.Any] = vars(model)["_attr_to_rest_field"]
    return {field._rest_name: _shape(models, hints[name], depth + 1) for name, field in fields.items() if name in hints}  # noqa: SLF001


def _shape(models: types.ModuleType, hint: object, depth: int) -> Shape:
    arguments = [one for one in typing.get_args(hint) if one is not type(None)]
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return "str" if str in arguments else _shape(models, arguments[0], depth)
    if origin is list:
        return [_shape(models, arguments[0], depth)]
    if origin is dict:
        return "object"
    if hint in (str, bool, int, float):
        return typing.cast("type", hint).__name__
    if isinstance(hint, type) and hasattr(hint, "__mro__") and hint.__module__.startswith("azure."):
        # Another top-level resource appears as a reference, or with far more than anybody sends: not looked into.
        if hint.__name__ in TOP or depth > DEEPEST or _is_enum(hint):
            return "str" if _is_enum(hint) else "object"
        return _members(models, hint, depth)
    return "any"


def _is_enum(hint: type) -> bool:
    return issubclass(hint, str)


if __name__ == "__main__":
    sys.exit(main())
