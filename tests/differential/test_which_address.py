"""Which of several NICs and configurations Bastion connects to: the primary one, which nobody guesses."""

from typing import Any

import pytest

from tests.differential.parts import WEB
from tests.differential.random_estates import INSTANCE, Asked, Question
from tests.differential.test_two_opinions import compare, engine
from tests.support.estates import (
    Estate,
    Row,
    change,
    find,
    hub_and_spoke,
    nic,
    nic_id,
    ref,
    rule,
    same_vnet,
    scale_set,
    subnet_id,
    with_nsg,
)

OPEN = "EffectiveDataUnavailable"
SSH = Question("SSH", 22)
CONFIGURATIONS = "properties.ipConfigurations"
INTERFACES = "properties.networkProfile.networkInterfaces"
GUARDS = (rule("four", 100, "Allow", destination="10.0.2.4"), rule("rest", 110, "Deny"))


def reasons(estate: Estate, machine: str = WEB) -> list[str]:
    """The codes of both sides, which have to agree."""
    one = Asked(estate, questions=(SSH,), machines=(machine,))
    compare(one)
    return [reason.code for reason in engine(one)(machine, SSH, None).reasons]


def configuration(address: str, *, primary: bool | None = None, **fields: Any) -> Row:
    held = {"privateIPAddress": address, "subnet": ref(subnet_id("hub", "workload")), **fields}
    return {"name": address, "properties": held if primary is None else held | {"primary": primary}}


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        ((None, None), [OPEN]),
        ((False, False), [OPEN]),
        ((True, True), [OPEN]),
        ((True, False), []),
        ((False, True), ["NicNsgDenies"]),
    ],
)
def test_of_several_configurations_the_one_that_is_marked_counts(marks: list[bool | None], expected: list[str]) -> None:
    # The engine took the first, and was mended.
    listed = [configuration(f"10.0.2.{4 + place}", primary=mark) for place, mark in enumerate(marks)]
    assert reasons(change(with_nsg(same_vnet(), "nic", *GUARDS), "web-nic", CONFIGURATIONS, listed)) == expected


def test_one_configuration_needs_no_mark() -> None:
    estate = with_nsg(same_vnet(), "nic", *GUARDS)
    assert reasons(change(estate, "web-nic", CONFIGURATIONS, [configuration("10.0.2.4", primary=False)])) == []


@pytest.mark.parametrize("version", [{}, {"privateIPAddressVersion": None}, {"privateIPAddressVersion": "IPv6"}])
def test_without_a_version_the_address_tells_it(version: Row) -> None:
    # The engine and the opinion took the first for IPv4; mended.
    listed = [configuration("fd00::4", primary=True, **version), configuration("10.0.2.4", primary=False)]
    assert reasons(change(same_vnet(), "web-nic", CONFIGURATIONS, listed)) == []


@pytest.mark.parametrize(
    ("marks", "own", "expected"),
    [
        ((True, True), (True, False), [OPEN]),
        ((False, False), (True, True), [OPEN]),
        ((False, False), (False, False), [OPEN]),
        ((False, False), (True, False), []),
        ((True, False), (True, True), []),
    ],
)
def test_of_several_nics_the_one_that_is_marked_counts(
    marks: tuple[bool, bool], own: tuple[bool, bool], expected: list[str]
) -> None:
    names = ("web-nic", "other-nic")
    listed = [{"id": nic_id(name), "properties": {"primary": mark}} for name, mark in zip(names, marks, strict=True)]
    estate = change([*same_vnet(), nic("other-nic", "hub", "workload", "10.0.2.9")], "web", INTERFACES, listed)
    for name, mark in zip(names, own, strict=True):
        find(estate, name)["properties"]["primary"] = mark
    assert reasons(estate) == expected


def test_a_nic_that_is_named_twice_is_one() -> None:
    twice = [{"id": one, "properties": {"primary": True}} for one in (nic_id("web-nic"), nic_id("web-nic").upper())]
    assert reasons(change(same_vnet(), "web", INTERFACES, twice)) == []


@pytest.mark.parametrize("marks", [(True, True), (False, False)])
def test_of_a_scale_sets_nics_none_is_guessed_to_be_the_primary_one(marks: tuple[bool, bool]) -> None:
    rows = scale_set("fleet", "hub", "workload")
    profile = rows[0]["properties"]["virtualMachineProfile"]["networkProfile"]
    (first,) = profile["networkInterfaceConfigurations"]
    profile["networkInterfaceConfigurations"] = [
        {**first, "name": f"nic-{place}", "properties": {**first["properties"], "primary": mark}}
        for place, mark in enumerate(marks)
    ]
    assert reasons([*same_vnet(), *rows], INSTANCE) == [OPEN]


def test_configurations_in_different_subnets_leave_open_what_hangs_on_the_subnet() -> None:
    other = subnet_id("spoke", "other")
    listed = [configuration("10.1.2.4"), configuration("10.1.3.4", subnet=ref(other))]
    assert reasons(change(hub_and_spoke(), "web-nic", CONFIGURATIONS, listed)) == [OPEN]


SPACE = "properties.virtualNetworkPeerings.0.properties.remoteAddressSpace.addressPrefixes"


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (["10.1.0.0/16"], [OPEN]),
        (["10.1.0.0/16", "10.2.0.0/16"], []),
        (["10.1.0.0/16", "10.2.2.0/25"], [OPEN]),
        (["10.9.0.0/16"], ["AddressSpaceNotSynced"]),
        ([], ["AddressSpaceNotSynced"]),
    ],
)
def test_an_instance_may_have_the_address_that_a_link_knows(known: list[str], expected: list[str]) -> None:
    # Facts, section 4: an instance's address is not known. The engine said AddressSpaceNotSynced of a part; mended.
    both = ["10.1.2.0/24", "10.2.2.0/24"]
    estate = change(hub_and_spoke(), "spoke", "properties.subnets.0.properties.addressPrefixes", both)
    estate = change(estate, "spoke", "properties.addressSpace.addressPrefixes", ["10.1.0.0/16", "10.2.0.0/16"])
    estate = [*change(estate, "hub", SPACE, known), *scale_set("fleet", "spoke", "workload")]
    assert reasons(estate, INSTANCE) == expected


@pytest.mark.parametrize("listed", [[{"id": None}], [{"id": ""}], [{}], [None], [{"id": 5}], ["x", None]], ids=str)
def test_a_nic_that_cannot_be_read_is_a_nic(listed: list[Any]) -> None:
    # Facts: only an empty list says that there is none. The engine said NoIPv4Address; mended.
    assert reasons(change(same_vnet(), "web", INTERFACES, listed)) == [OPEN]
    assert reasons(change(same_vnet(), "web", INTERFACES, [])) == ["NoIPv4Address"]


def test_beside_a_nic_that_cannot_be_read_one_that_is_marked_counts() -> None:
    marked = {"id": nic_id("web-nic"), "properties": {"primary": True}}
    assert reasons(change(same_vnet(), "web", INTERFACES, [{"id": None}, marked])) == []


@pytest.mark.parametrize("unread", [{"name": "a"}, None, {"name": "a", "properties": None}, "x"], ids=str)
def test_a_configuration_that_cannot_be_read_may_have_an_address(unread: Any) -> None:
    assert reasons(change(same_vnet(), "web-nic", CONFIGURATIONS, [unread])) == [OPEN]
    assert reasons(change(same_vnet(), "web-nic", CONFIGURATIONS, [])) == ["NoIPv4Address"]
    for primary, expected in ((True, []), (False, [OPEN])):
        listed = [unread, configuration("10.0.2.4", primary=primary)]
        assert reasons(change(same_vnet(), "web-nic", CONFIGURATIONS, listed)) == expected


def test_an_address_that_is_no_text_is_one_that_cannot_be_read() -> None:
    assert reasons(change(same_vnet(), "web-nic", f"{CONFIGURATIONS}.0.properties.privateIPAddress", 5)) == [OPEN]
    assert reasons(change(same_vnet(), "web-nic", f"{CONFIGURATIONS}.0.properties.privateIPAddress", "")) == [
        "NoIPv4Address"
    ]
