"""Writes `network.json`: which members each body of Microsoft.Network may have, and of what type.

Run by hand when the api-version moves on: `python -m arm_emulator.shapes.generate`. It reads the published model as the
azure-mgmt-network package carries it; the emulator itself does not need that package.
"""

import importlib
import json
import sys
import types
import typing
from pathlib import Path

TOP = {
    "Microsoft.Network/virtualNetworks": "VirtualNetwork",
    "Microsoft.Network/virtualNetworks/subnets": "Subnet",
    "Microsoft.Network/virtualNetworks/virtualNetworkPeerings": "VirtualNetworkPeering",
    "Microsoft.Network/publicIPAddresses": "PublicIPAddress",
    "Microsoft.Network/networkSecurityGroups": "NetworkSecurityGroup",
    "Microsoft.Network/networkSecurityGroups/securityRules": "SecurityRule",
    "Microsoft.Network/routeTables": "RouteTable",
    "Microsoft.Network/routeTables/routes": "Route",
    "Microsoft.Network/applicationSecurityGroups": "ApplicationSecurityGroup",
    "Microsoft.Network/networkInterfaces": "NetworkInterface",
    "Microsoft.Network/bastionHosts": "BastionHost",
    "Microsoft.Network/networkWatchers": "NetworkWatcher",
    "Microsoft.Network/networkManagers": "NetworkManager",
    "Microsoft.Network/networkManagers/networkGroups": "NetworkGroup",
    "Microsoft.Network/networkManagers/networkGroups/staticMembers": "StaticMember",
    "Microsoft.Network/networkManagers/securityAdminConfigurations": "SecurityAdminConfiguration",
    "Microsoft.Network/networkManagers/securityAdminConfigurations/ruleCollections": "AdminRuleCollection",
    "Microsoft.Network/networkManagers/securityAdminConfigurations/ruleCollections/rules": "AdminRule",
    "Microsoft.Network/networkManagers/connectivityConfigurations": "ConnectivityConfiguration",
}
DEEPEST = 7
Shape = str | dict[str, typing.Any] | list[typing.Any]


def main() -> int:
    """Writes the file beside this one."""
    models = importlib.import_module("azure.mgmt.network.models")
    shapes = {name: _members(models, getattr(models, model), 0) for name, model in TOP.items()}
    path = Path(__file__).with_name("network.json")
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
        if hint.__name__ in TOP.values() or depth > DEEPEST or _is_enum(hint):
            return "str" if _is_enum(hint) else "object"
        return _members(models, hint, depth)
    return "any"


def _is_enum(hint: type) -> bool:
    return issubclass(hint, str)


if __name__ == "__main__":
    sys.exit(main())
