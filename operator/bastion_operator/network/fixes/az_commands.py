"""A fix as commands of the Azure CLI, a command or more for each change, in the order of the changes.

Where az has a command for the purpose it is taken; a field of any other resource is set by ``az resource update``, which
reads the resource, changes the field and writes it back. Source: Microsoft Learn, "Azure CLI reference".
"""

import json
from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from shlex import quote
from typing import Any, Final

from bastion_operator.network.arm_id import parse_arm_id
from bastion_operator.network.finding import Action, Actor, Change, Fix

_BASTION: Final = "/bastionhosts/"
_PRINCIPAL: Final = "PRINCIPAL"
_END_TIME: Final = "END_TIME"
_REGION: Final = "REGION"
_JIT_VERSION: Final = "2020-01-01"


def az_commands(fix: Fix) -> tuple[str, ...]:
    """The commands, ready for a POSIX shell; empty where nothing in Azure changes.

    What only the reader knows stands in capitals: ``PRINCIPAL`` (who is to have a role), ``END_TIME`` (of access, in UTC as in
    2026-01-31T18:00:00Z), ``REGION`` (where a configuration is to be deployed).
    """
    found: list[str] = []
    for (resource, action), changes in groupby(fix.changes, key=lambda change: (change.resource, change.action)):
        listed = list(changes)
        if action is Action.SET:
            found.append(_set(resource, listed))
        else:
            found += [command for change in listed for command in _OF_ACTION[action](change)]
    return tuple(found)


def _set(resource: str, changes: list[Change]) -> str:
    removed = [_path(change.field) for change in changes if change.to_value is None]
    kept = [f"{_path(change.field)}={_json(change.to_value)}" for change in changes if change.to_value is not None]
    parts = [f"az resource update --ids {quote(resource)}"]
    parts += [f"--set {' '.join(map(quote, kept))}"] if kept else []
    parts += [f"--remove {quote(each)}" for each in removed]
    return " ".join(parts)


def _path(field: str) -> str:
    """A field's path as az takes it: places in a list stand in brackets."""
    head, *rest = field.split(".")
    return head + "".join(f"[{step}]" if step.isdigit() else f".{step}" for step in rest)


def _json(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def _start(change: Change) -> Iterator[str]:
    parts = parse_arm_id(change.resource)
    if len(parts.names) > 1:
        yield f"az vmss start {_place(change.resource)} --name {quote(parts.names[0])} --instance-ids {quote(parts.names[1])}"
    else:
        yield f"az vm start --ids {quote(change.resource)}"


def _wait(change: Change) -> Iterator[str]:
    yield f"az network bastion wait --updated --ids {quote(change.resource)}"


def _repeat(change: Change) -> Iterator[str]:
    kind = "bastion" if _BASTION in change.resource.lower() else "vnet peering"
    yield f"az network {kind} update --ids {quote(change.resource)}"


def _sync(change: Change) -> Iterator[str]:
    yield f"az network vnet peering sync --ids {quote(change.resource)}"


def _read(change: Change) -> Iterator[str]:
    if change.actor is Actor.ADMINISTRATOR:
        yield f"az role assignment create --role Reader --assignee {_PRINCIPAL} --scope {quote(change.resource)}"
    yield f"az resource show --ids {quote(change.resource)}"


def _delete(change: Change) -> Iterator[str]:
    kind = "/".join(parse_arm_id(change.resource).types).lower()
    yield f"{_DELETES.get(kind, 'az resource delete')} --ids {quote(change.resource)}"


_DELETES: Final = {
    "bastionhosts": "az network bastion delete",
    "virtualnetworks/virtualnetworkpeerings": "az network vnet peering delete",
    "virtualnetworks/subnets": "az network vnet subnet delete",
    "routetables/routes": "az network route-table route delete",
    "privatednszones/virtualnetworklinks": "az network private-dns link vnet delete --yes",
}


def _add(change: Change) -> Iterator[str]:
    maker = _ADDITIONS.get(change.field.rsplit(".", 1)[-1])
    if maker is not None:
        yield maker(change.resource, change.to_value)
        return
    yield f"az resource update --ids {quote(change.resource)} --add {_path(change.field)} {quote(_json(change.to_value))}"


def _rule(group: str, rule: Mapping[str, Any]) -> str:
    held = rule["properties"]
    options = {
        "priority": held["priority"],
        "direction": held["direction"],
        "access": held["access"],
        "protocol": held["protocol"],
        "source-address-prefixes": _either(held, "sourceAddressPrefix", "sourceAddressPrefixes"),
        "destination-address-prefixes": _either(held, "destinationAddressPrefix", "destinationAddressPrefixes"),
        "destination-port-ranges": _either(held, "destinationPortRange", "destinationPortRanges"),
    }
    return f"az network nsg rule create {_below(group, 'nsg-name', rule)} {_options(options)}"


def _route(table: str, route: Mapping[str, Any]) -> str:
    held = route["properties"]
    options = {"address-prefix": held["addressPrefix"], "next-hop-type": held["nextHopType"]}
    return f"az network route-table route create {_below(table, 'route-table-name', route)} {_options(options)}"


def _peering(network: str, link: Mapping[str, Any]) -> str:
    held = link["properties"]
    flags = {
        "allowVirtualNetworkAccess": "--allow-vnet-access",
        "allowForwardedTraffic": "--allow-forwarded-traffic",
        "allowGatewayTransit": "--allow-gateway-transit",
        "useRemoteGateways": "--use-remote-gateways",
    }
    named = {"local-subnet-names": "localSubnetNames", "remote-subnet-names": "remoteSubnetNames"}
    options: dict[str, Any] = {"remote-vnet": held["remoteVirtualNetwork"]["id"]}
    if held.get("peerCompleteVnets") is False:
        options |= {
            "peer-complete-vnets": "false",
            **{option: held.get(field) or [] for option, field in named.items()},
        }
    told = " ".join(flag for field, flag in flags.items() if held.get(field))
    return f"az network vnet peering create {_below(network, 'vnet-name', link)} {_options(options)} {told}".rstrip()


def _subnet(network: str, subnet: Mapping[str, Any]) -> str:
    options = {"address-prefixes": _either(subnet["properties"], "addressPrefix", "addressPrefixes")}
    return f"az network vnet subnet create {_below(network, 'vnet-name', subnet)} {_options(options)}"


def _ip_configuration(nic: str, configuration: Mapping[str, Any]) -> str:
    held = configuration["properties"]
    options = {"subnet": held["subnet"]["id"], "private-ip-address": held["privateIPAddress"]}
    return f"az network nic ip-config create {_below(nic, 'nic-name', configuration)} {_options(options)}"


def _interface(vm: str, reference: Mapping[str, Any]) -> str:
    name = parse_arm_id(vm).name
    return f"az vm nic add {_place(vm)} --vm-name {quote(name)} --nics {quote(reference['id'])} --primary-nic {quote(reference['id'])}"


_ADDITIONS: Final[Mapping[str, Callable[[str, Mapping[str, Any]], str]]] = {
    "securityRules": _rule,
    "routes": _route,
    "virtualNetworkPeerings": _peering,
    "subnets": _subnet,
    "ipConfigurations": _ip_configuration,
    "networkInterfaces": _interface,
}


def _request(change: Change) -> Iterator[str]:
    """Just-in-time access is asked for at its policy; the rule that it then adds is Azure's own to write."""
    if not change.field.endswith("requests"):
        yield f"az security jit-policy list {_place(change.resource)}"
        return
    machines = [
        {"id": machine["id"], "ports": [_requested(port) for port in machine["ports"]]}
        for machine in change.to_value["virtualMachines"]
    ]
    url = f"{change.resource}/initiate?api-version={_JIT_VERSION}"
    yield f"az rest --method post --url {quote(url)} --body {quote(_json({'virtualMachines': machines}))}"


def _requested(port: Mapping[str, Any]) -> dict[str, Any]:
    sources = {field: held for field, held in port.items() if field.startswith("allowedSourceAddressPrefix")}
    return {"number": port["number"], "endTimeUtc": _END_TIME} | sources


def _create(change: Change) -> Iterator[str]:
    kind = "/".join(parse_arm_id(change.resource).types).lower()
    maker = _CREATIONS.get(kind)
    if maker is not None:
        yield from maker(change.resource, change.to_value)
        return
    if kind.startswith("networkmanagers/"):
        yield from _admin_rule(change.resource, change.to_value)
        return
    yield f"az resource create --id {quote(change.resource)} --is-full-object --properties {quote(_json(change.to_value))}"


def _public_ip(resource: str, body: Mapping[str, Any]) -> Iterator[str]:
    options = {"location": body.get("location"), "sku": "Standard", "allocation-method": "Static", "version": "IPv4"}
    yield f"az network public-ip create {_named(resource)} {_options(options)}"


def _table(resource: str, body: Mapping[str, Any]) -> Iterator[str]:
    yield f"az network route-table create {_named(resource)} {_options({'location': body.get('location')})}"
    for route in body["properties"].get("routes", ()):
        yield _route(resource, route)


def _bastion(resource: str, body: Mapping[str, Any]) -> Iterator[str]:
    """The whole body: az's own command knows not every field of a host that is made as it was."""
    told = {key: value for key, value in body.items() if key != "tenantId"}
    yield f"az resource create --id {quote(resource)} --is-full-object --properties {quote(_json(told))}"


_CREATIONS: Final[Mapping[str, Callable[[str, Mapping[str, Any]], Iterator[str]]]] = {
    "publicipaddresses": _public_ip,
    "routetables": _table,
    "bastionhosts": _bastion,
}


def _admin_rule(resource: str, body: Mapping[str, Any]) -> Iterator[str]:
    """The rule in its collection; a snapshot is what a deployment of the configuration makes of it."""
    rule, _, _ = resource.partition("/snapshots/")
    yield f"az rest --method put --url {quote(rule + '?api-version=2024-05-01')} --body {quote(_json({'kind': 'Custom', **body}))}"
    manager, _, below = rule.partition("/securityAdminConfigurations/")
    configuration = f"{manager}/securityAdminConfigurations/{below.split('/', 1)[0]}"
    options = {"commit-type": "SecurityAdmin", "configuration-ids": configuration, "target-locations": _REGION}
    place = f"{_place(manager)} --network-manager-name {quote(parse_arm_id(manager).name)}"
    yield f"az network manager post-commit {place} {_options(options)}"


def _ask(_: Change) -> Iterator[str]:
    yield from ()


_OF_ACTION: Final[Mapping[Action, Callable[[Change], Iterator[str]]]] = {
    Action.START: _start,
    Action.WAIT: _wait,
    Action.REPEAT: _repeat,
    Action.SYNC: _sync,
    Action.READ: _read,
    Action.DELETE: _delete,
    Action.ADD: _add,
    Action.REQUEST_ACCESS: _request,
    Action.CREATE: _create,
    Action.ASK: _ask,
}


def _place(resource: str) -> str:
    parts = parse_arm_id(resource)
    group = f"--resource-group {quote(parts.resource_group or '')}"
    return f"--subscription {quote(parts.subscription or '')} {group}"


def _named(resource: str) -> str:
    return f"{_place(resource)} --name {quote(parse_arm_id(resource).name)}"


def _below(parent: str, option: str, child: Mapping[str, Any]) -> str:
    return f"{_place(parent)} --{option} {quote(parse_arm_id(parent).name)} --name {quote(str(child['name']))}"


def _options(options: Mapping[str, Any]) -> str:
    told = ((name, value) for name, value in options.items() if value is not None)
    return " ".join(f"--{name} {_values(value)}" for name, value in told)


def _values(value: Any) -> str:
    return " ".join(map(quote, value)) if isinstance(value, list) else quote(str(value))


def _either(held: Mapping[str, Any], singular: str, plural: str) -> list[str]:
    return [str(held[singular])] if held.get(singular) else list(held.get(plural) or ())
