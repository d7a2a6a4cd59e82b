"""Requests that nobody would send: an ARM error body each time, never an exception, and the state as it was."""

import copy
import functools
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arm_emulator.rendering import answered
from arm_emulator.shapes.check import shapes
from tests.support.arm import (
    NET,
    NETWORK,
    PUBLIC_IP,
    RG,
    Arm,
    bastion_rules,
    link_body,
    network_body,
    rule_body,
    subnet_body,
)

SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-5, 70000), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=12),
                    st.sampled_from(["10.0.0.0/16", "10.0.1.0/24", f"{NET}/virtualNetworks/v", f"{NET}/virtualNetworks/v/subnets/s", "*", "Allow", "443"]))  # fmt: skip
REFERENCES = st.sampled_from(
    [f"{NET}/virtualNetworks/v", f"{NET}/virtualNetworks/v/subnets/s", f"{NET}/publicIPAddresses/p", f"{NET}/virtualHubs/h",
     f"{NET}/virtualWans/w", f"{NET}/networkSecurityGroups/n", f"{NET}/routeTables/t", f"{NET}/no/x", "x", ""]
).map(lambda target: {"id": target})  # fmt: skip
JSON = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=6), inner, max_size=3)),
    max_leaves=8,
)
PATHS = tuple(
    f"{namespace}/{path}"
    for namespace, paths in {
        "Microsoft.Network": (
            "applicationSecurityGroups/x", "azureFirewalls/x", "bastionHosts/x", "connections/x", "ddosProtectionPlans/x",
            "expressRouteGateways/x", "ipGroups/x", "loadBalancers/x", "localNetworkGateways/x", "natGateways/x",
            "networkInterfaces/x", "networkSecurityGroups/x", "networkSecurityGroups/n/securityRules/x", "privateDnsZones/x",
            "privateDnsZones/z/A/x", "privateDnsZones/z/CNAME/x", "privateDnsZones/z/SOA/@",
            "privateDnsZones/z/virtualNetworkLinks/x", "privateEndpoints/x", "publicIPAddresses/x", "publicIPPrefixes/x",
            "routeTables/t/routes/x", "routeTables/x", "virtualHubs/h/bgpConnections/x", "virtualHubs/h/hubRouteTables/x",
            "virtualHubs/h/hubVirtualNetworkConnections/x", "virtualHubs/h/routingIntent/x", "virtualHubs/x",
            "virtualNetworkGateways/x", "virtualNetworks/v", "virtualNetworks/v/subnets/x",
            "virtualNetworks/v/virtualNetworkPeerings/x", "virtualNetworks/x", "virtualWans/x", "vpnGateways/x",
        ),
        "Microsoft.Compute": (
            "virtualMachineScaleSets/s", "virtualMachineScaleSets/s/virtualMachines/0", "virtualMachineScaleSets/x",
            "virtualMachines/x",
        ),
    }.items()
    for path in paths
)  # fmt: skip


def shaped(shape: Any) -> st.SearchStrategy[Any]:
    """Values near a published shape: a few members, mostly of the right type."""
    right: st.SearchStrategy[Any]
    if isinstance(shape, dict):
        right = some_members(shape)
    elif isinstance(shape, list):
        right = st.lists(shaped(shape[0]), max_size=2)
    else:
        right = {
            "str": st.one_of(SCALARS.filter(lambda value: isinstance(value, str)), st.text(max_size=8)),
            "bool": st.booleans(),
            "int": st.integers(-5, 5000),
            "object": st.one_of(REFERENCES, st.dictionaries(st.text(max_size=6), SCALARS, max_size=3)),
        }.get(shape, JSON)
    return st.integers(0, 31).flatmap(lambda number: JSON if number == 17 else right)  # 0 is what hypothesis likes best


@functools.cache
def members_of(names: tuple[str, ...]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(names), max_size=3, unique=True)


def some_members(shape: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    if not shape:
        return st.just({})
    chosen = members_of(tuple(shape))
    if "properties" in shape:
        chosen = chosen.map(lambda names: [*dict.fromkeys(["properties", *names])])
    return chosen.flatmap(lambda names: st.fixed_dictionaries({name: shaped(shape[name]) for name in names}))


def type_of_path(path: str) -> str:
    namespace, _, below = path.partition("/")
    return f"{namespace}/" + "/".join(below.split("/")[::2])


def version_of(path: str) -> str:
    if "privateDnsZones" in path:
        return "2024-06-01"
    return "2024-07-01" if path.startswith("Microsoft.Compute") else NETWORK


def scale_set(capacity: int = 1, **properties: Any) -> dict[str, Any]:
    part = {"name": "i", "properties": {"subnet": {"id": f"{NET}/virtualNetworks/v/subnets/s"}}}
    interface = {"name": "n", "properties": {"ipConfigurations": [part]}}
    profile = {"networkProfile": {"networkInterfaceConfigurations": [interface]}}
    return {"sku": {"name": "S", "capacity": capacity}, "properties": {"virtualMachineProfile": profile, **properties}}


STANDING: dict[str, dict[str, Any]] = {
    "Microsoft.Network/virtualNetworks/v": network_body("10.0.0.0/16", subnets=[{"name": "s", **subnet_body("10.0.0.0/24")}]),
    "Microsoft.Network/networkSecurityGroups/n": {"properties": {"securityRules": bastion_rules()}},
    "Microsoft.Network/routeTables/t": {},
    "Microsoft.Network/publicIPAddresses/p": PUBLIC_IP,
    "Microsoft.Network/virtualWans/w": {},
    "Microsoft.Network/virtualHubs/h": {"properties": {"addressPrefix": "10.9.0.0/24", "virtualWan": {"id": f"{NET}/virtualWans/w"}}},
    "Microsoft.Network/privateDnsZones/z": {"location": "global"},
    "Microsoft.Compute/virtualMachineScaleSets/s": scale_set(),
}  # fmt: skip


def base() -> Arm:
    arm = Arm()
    for path, body in STANDING.items():
        arm.put(f"{RG}/providers/{path}", {"location": "westeurope", **body}, version=version_of(path))
        arm.wait()
    return arm


def dump(arm: Arm) -> bytes:
    """Everything that stands."""
    return orjson.dumps([answered(arm.cloud, item) for item in arm.cloud.store])


GOOD: dict[str, dict[str, Any]] = {
    "virtualNetworks": network_body("10.0.0.0/16"),
    "subnets": subnet_body("10.0.7.0/24"),
    "virtualNetworkPeerings": link_body(f"{NET}/virtualNetworks/v"),
    "securityRules": rule_body(300),
    "hubVirtualNetworkConnections": link_body(f"{NET}/virtualNetworks/v"),
    "virtualNetworkLinks": {"properties": {"virtualNetwork": {"id": f"{NET}/virtualNetworks/v"}}},
    "virtualHubs": {"properties": {"addressPrefix": "10.8.0.0/24", "virtualWan": {"id": f"{NET}/virtualWans/w"}}},
    "virtualMachineScaleSets": scale_set(2),
    "privateEndpoints": {"properties": {"subnet": {"id": f"{NET}/virtualNetworks/v/subnets/s"}, "privateLinkServiceConnections": [{"name": "c", "properties": {"privateLinkServiceId": "x"}}]}},
    "loadBalancers": {"properties": {"frontendIPConfigurations": [{"name": "f", "properties": {"subnet": {"id": f"{NET}/virtualNetworks/v/subnets/s"}}}]}},
    "localNetworkGateways": {"properties": {"gatewayIpAddress": "1.2.3.4"}},
    "A": {"properties": {"aRecords": [{"ipv4Address": "10.0.0.4"}]}},
}  # fmt: skip


def varied(good: Any, drawn: Any) -> Any:
    """A good body with some of its parts replaced by drawn ones."""
    if isinstance(good, dict) and isinstance(drawn, dict):
        return {**good, **{name: varied(good.get(name), value) for name, value in drawn.items()}}
    return good if drawn is None else drawn


def send_a_random_body(data: st.DataObject) -> None:
    """An ARM error and the state as it was, or a resource that comes to rest."""
    arm = base()
    path = data.draw(st.sampled_from(PATHS))
    body = data.draw(shaped(shapes()[type_of_path(path)]))
    if isinstance(body, dict) and data.draw(st.integers(0, 7)) != 5:
        place = "global" if "privateDnsZones" in path else "westeurope"
        body = {"location": place, **varied(copy.deepcopy(GOOD.get(path.split("/")[-2], {})), body)}
    before = dump(arm)
    url = f"{RG}/providers/{path}"
    method = data.draw(st.sampled_from(["PUT", "PUT", "PUT", "PATCH"]))
    answer = arm.call(method, url, body, version=version_of(path))
    if answer.status >= 400:
        assert answer.status < 500
        assert answer.code
        assert dump(arm) == before
    else:
        arm.wait()
        found = arm.get(url, version=version_of(path))
        assert found.properties.get("provisioningState", "Succeeded") == "Succeeded"
        assert arm.query("resources | count").status == 200
        assert arm.query("computeresources | count").status == 200


RANDOM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@settings(RANDOM, max_examples=300)
@given(data=st.data())
def test_random_bodies_never_break_anything(data: st.DataObject) -> None:
    send_a_random_body(data)


@pytest.mark.long
@pytest.mark.timeout(1800)
@settings(RANDOM, max_examples=10_000)
@given(data=st.data())
def test_ten_thousand_random_bodies_never_break_anything(data: st.DataObject) -> None:
    send_a_random_body(data)


@settings(max_examples=60, deadline=None)
@given(path=st.sampled_from(PATHS), action=st.sampled_from(["start", "powerOff", "delete", "manualupgrade", "restart", "x"]), body=st.one_of(st.none(), JSON, st.fixed_dictionaries({"instanceIds": st.lists(st.sampled_from(["0", "9", "*", 1, None]), max_size=3)})))  # fmt: skip
def test_random_actions_are_answered(path: str, action: str, body: Any) -> None:
    arm = base()
    answer = arm.call("POST", f"{RG}/providers/{path}/{action}", body, version=version_of(path))
    assert answer.status < 500
    arm.wait()
    assert arm.query("resources | count").status == 200


@settings(max_examples=100, deadline=None)
@given(path=st.lists(st.sampled_from(["providers", "Microsoft.Network", "virtualNetworks", "v", "subnets", "", "x y", "locations", "operations", "..", "resources", "%", "操"]), max_size=9))  # fmt: skip
def test_random_paths_are_answered(path: list[str]) -> None:
    arm = Arm()
    answer = arm.get(f"{RG}/{'/'.join(path)}")
    assert answer.status < 500


@settings(max_examples=120, deadline=None)
@given(text=st.lists(st.sampled_from(["resources", "|", "where", "project", "id", "name", "==", "'x'", "(", ")", ",", "summarize", "count()", "by", "type", "properties.a[0]", "extend", "x", "=", "1", "mv-expand", "order by", "tolower(", "in~", "1d", "-", "join", "on", "union", "take", "hash(id)", "%", "parse", "with", "*", "//", "\n", "dynamic([1])", "now()", "top"]), max_size=14).map(" ".join))  # fmt: skip
def test_random_queries_are_answered(text: str) -> None:
    arm = Arm(estate=[{"id": f"{NET}/virtualNetworks/v", "properties": {"a": [1, {"b": None}]}}])
    assert arm.query(text).status in (200, 400)


@settings(max_examples=100, deadline=None)
@given(body=st.fixed_dictionaries({"location": st.just("westeurope")}, optional={
    "properties": st.one_of(JSON, st.dictionaries(st.sampled_from(["networkProfile", "osProfile", "storageProfile", "hardwareProfile", "vmId"]), JSON, max_size=3)),
    "zones": JSON, "tags": JSON, "identity": JSON,
}), standing=st.booleans())  # fmt: skip
def test_random_machines_are_answered(body: dict[str, Any], standing: bool) -> None:
    vm = f"{RG}/providers/Microsoft.Compute/virtualMachines/vm"
    arm = Arm(estate=[{"id": vm, "location": "westeurope", "properties": {}}] if standing else [])
    before = dump(arm)
    answer = arm.put(vm, body)
    assert answer.status < 500
    if answer.status >= 400:
        assert dump(arm) == before
    else:
        arm.wait()
        assert arm.get(f"{vm}/instanceView").status == 200
        assert arm.query("resources").status == 200
