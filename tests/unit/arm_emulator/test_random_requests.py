"""Requests that nobody would send: an ARM error body each time, never an exception, and the state as it was."""

import copy
from typing import Any

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arm_emulator.rendering import answered
from arm_emulator.shapes.check import shapes
from tests.support.arm import (
    NET,
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
JSON = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=6), inner, max_size=3)),
    max_leaves=8,
)
SEGMENTS = ("virtualNetworks/x", "virtualNetworks/v", "virtualNetworks/v/subnets/x", "virtualNetworks/v/virtualNetworkPeerings/x",
            "publicIPAddresses/x", "networkSecurityGroups/x", "networkSecurityGroups/n/securityRules/x", "routeTables/x", "routeTables/t/routes/x",
            "networkInterfaces/x", "bastionHosts/x", "applicationSecurityGroups/x")  # fmt: skip


def shaped(shape: Any) -> st.SearchStrategy[Any]:
    """Values near a published shape: mostly of the right type, sometimes not."""
    right: st.SearchStrategy[Any]
    if isinstance(shape, dict):
        members = {name: shaped(inner) for name, inner in shape.items()}
        right = st.fixed_dictionaries({}, optional=members) if members else st.just({})
    elif isinstance(shape, list):
        right = st.lists(shaped(shape[0]), max_size=3)
    else:
        right = {
            "str": st.one_of(SCALARS.filter(lambda value: isinstance(value, str)), st.text(max_size=8)),
            "bool": st.booleans(),
            "int": st.integers(-5, 5000),
            "object": st.dictionaries(st.text(max_size=6), SCALARS, max_size=3),
        }.get(shape, JSON)
    return st.one_of(right, right, right, JSON)


def type_of_path(path: str) -> str:
    return "Microsoft.Network/" + "/".join(path.split("/")[::2])


def base() -> Arm:
    arm = Arm()
    arm.made(
        f"{NET}/virtualNetworks/v", network_body("10.0.0.0/16", subnets=[{"name": "s", **subnet_body("10.0.0.0/24")}])
    )
    arm.made(
        f"{NET}/networkSecurityGroups/n", {"location": "westeurope", "properties": {"securityRules": bastion_rules()}}
    )
    arm.made(f"{NET}/routeTables/t", {"location": "westeurope"})
    arm.made(f"{NET}/publicIPAddresses/p", PUBLIC_IP)
    return arm


def dump(arm: Arm) -> bytes:
    """Everything that stands."""
    return orjson.dumps([answered(arm.cloud, item) for item in arm.cloud.store])


GOOD: dict[str, Any] = {
    "virtualNetworks": network_body("10.0.0.0/16"),
    "subnets": subnet_body("10.0.7.0/24"),
    "virtualNetworkPeerings": link_body(f"{NET}/virtualNetworks/v"),
    "securityRules": rule_body(300),
}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_random_bodies_never_break_anything(data: st.DataObject) -> None:
    arm = base()
    path = data.draw(st.sampled_from(SEGMENTS))
    body = data.draw(st.one_of(shaped(shapes()[type_of_path(path)]), JSON))
    if isinstance(body, dict) and data.draw(st.booleans()):
        body = {"location": "westeurope", **copy.deepcopy(GOOD.get(path.split("/")[-2], {})), **body}
    before = dump(arm)
    answer = arm.call(data.draw(st.sampled_from(["PUT", "PUT", "PUT", "PATCH"])), f"{NET}/{path}", body)
    if answer.status >= 400:
        assert answer.status < 500
        assert answer.code
        assert dump(arm) == before
    else:
        arm.wait()
        assert arm.get(f"{NET}/{path}").properties["provisioningState"] == "Succeeded"
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
