"""What holds for each type alike: tags by PATCH, lists by group and subscription, a GET's body put back."""

from typing import Any

import pytest

from arm_emulator.resource_types import TYPES
from tests.support.arm import NET, RG, SUB, Arm
from tests.support.every_type import (
    BODIES,
    HUB,
    PATHS,
    SUBNET,
    TRACKED,
    UNLISTED,
    VNET,
    ZONE,
    stocked,
    type_in,
    version_of,
)


@pytest.fixture(scope="module")
def arm() -> Arm:
    """One for the tests that look at a resource each; what they change in it is put back by no one."""
    return stocked()


@pytest.mark.parametrize("path", PATHS)
def test_the_body_of_a_get_of_each_type_can_be_put_back_unchanged(arm: Arm, path: str) -> None:
    version = version_of(path)
    before = arm.get(path, version=version)
    assert before.status == 200
    answer = arm.put(path, before.body, version=version)
    assert answer.status in (200, 202), answer.body
    arm.wait()
    after = arm.get(path, version=version)
    ignored = {"etag", "provisioningState"}
    assert _without(after.body, ignored) == _without(before.body, ignored)


def _without(value: Any, names: set[str]) -> Any:
    if isinstance(value, dict):
        return {name: _without(inner, names) for name, inner in value.items() if name not in names}
    return [_without(inner, names) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize("path", [path for path in TRACKED if not path.endswith("/virtualMachines/0")])
def test_patch_of_tags_on_each_tracked_type(arm: Arm, path: str) -> None:
    version = version_of(path)
    before = arm.get(path, version=version).properties
    answer = arm.patch(path, {"tags": {"a": "b"}}, version=version)
    assert answer.status in (200, 202), answer.body
    arm.wait()
    after = arm.get(path, version=version)
    assert after.body["tags"] == {"a": "b"}
    ignored = {"etag"}
    assert _without(after.properties, ignored) == _without(before, ignored), "nothing else has changed"


@pytest.mark.parametrize("path", [path for path in TRACKED if not any(part in path for part in UNLISTED)])
def test_each_tracked_type_is_listed_by_group_and_by_subscription(arm: Arm, path: str) -> None:
    version = version_of(path)
    kind = type_in(path)
    for place in (RG, f"/subscriptions/{SUB}"):
        found = arm.get(f"{place}/providers/{kind}", version=version).body["value"]
        assert path.lower() in [one["id"].lower() for one in found]


@pytest.mark.parametrize(
    "path", [path for path in PATHS if path not in TRACKED or any(part in path for part in UNLISTED)]
)
def test_each_child_is_listed_below_its_parent(arm: Arm, path: str) -> None:
    collection = path.rpartition("/")[0]
    found = arm.get(collection, version=version_of(path)).body["value"]
    assert path.lower() in [one["id"].lower() for one in found]


def test_there_is_a_body_for_each_type_of_the_virtual_network_family() -> None:
    tested = {type_in(path).lower() for path in PATHS}
    mine = {name for name in TYPES if name.startswith(("microsoft.network/", "microsoft.compute/"))}
    elsewhere = ("networkmanager", "networkwatcher", "networkgroup", "/virtualmachines/networkinterfaces")
    dns = ("/aaaa", "/cname", "/mx", "/ptr", "/soa", "/srv", "/txt")
    assert {name for name in mine - tested if not any(part in name for part in elsewhere) and not name.endswith(dns)} == set()  # fmt: skip


def test_each_type_is_deleted_once_what_needs_it_has_gone() -> None:
    arm = stocked()
    for path in reversed(BODIES):
        version = version_of(path)
        answer = arm.delete(path, version=version)
        assert answer.status in (200, 202), (path, answer.body)
        arm.wait()
        assert arm.get(path, version=version).status == 404
        assert arm.delete(path, version=version).status in (204, 404)
    left = [str(item.id) for item in arm.cloud.store if item.key.startswith(f"{RG.lower()}/")]
    assert left == [], "nothing is left of what Azure made along with them"


def test_what_is_needed_by_another_is_not_deleted() -> None:
    arm = stocked()
    needed = (
        VNET, SUBNET, HUB, ZONE, f"{NET}/virtualWans/w", f"{NET}/publicIPAddresses/ip", f"{NET}/publicIPAddresses/gw",
        f"{NET}/publicIPAddresses/fw", f"{NET}/publicIPPrefixes/p", f"{NET}/networkInterfaces/nic",
        f"{NET}/virtualNetworkGateways/gw", f"{NET}/localNetworkGateways/l",
    )  # fmt: skip
    for path in needed:
        answer = arm.delete(path, version=version_of(path))
        assert answer.status in (400, 409), path
        assert "Cannot" in answer.code or "InUse" in answer.code, answer.code
        assert arm.get(path, version=version_of(path)).status == 200


def test_a_group_with_each_type_is_deleted_with_all_of_them() -> None:
    arm = stocked()
    arm.gone(RG)
    assert [str(item.id) for item in arm.cloud.store if item.key.startswith(f"{RG.lower()}/")] == []
