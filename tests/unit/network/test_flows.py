"""Steps 13 to 16: rules in the middle of the Bastion prefix, source ports, groups of applications, routes back."""

import pytest

from tests.support.estates import (
    Estate,
    Row,
    asg_id,
    change,
    hub_and_spoke,
    private_zone_link,
    ref,
    route,
    rule,
    same_vnet,
    with_nsg,
    with_routes,
)
from tests.unit.network.asking import ask, codes, link

PARTLY = ["NsgPartiallyBlocksBastion"]
DENIED = ["NicNsgDenies"]
DENY = rule("deny", 200, "Deny")
OUT = {"direction": "Outbound"}


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        ([rule("middle", 100, "Deny", source="10.0.1.20/30")], PARTLY),
        ([rule("reserved", 100, "Deny", source=["10.0.1.0/30", "10.0.1.63"])], []),
        ([rule("halves", 100, "Deny", source=["10.0.1.0/27", "10.0.1.32/27"])], DENIED),
        ([rule("halves", 100, "Allow", source=["10.0.1.0/27", "10.0.1.32/27"]), DENY], []),
        ([rule("half", 100, "Allow", source="10.0.1.0/27"), DENY], PARTLY),
        ([rule("other", 100, "Allow", ports="3389"), DENY], DENIED),
        ([rule("around", 100, "Deny", ports=["1-21", "23-65535"])], []),
        ([rule("udp", 100, "Deny", protocol="Udp"), rule("out", 100, "Deny", **OUT)], []),
        ([rule("clients", 100, "Allow", source_ports="1024-65535"), DENY], DENIED),
        ([rule("clients", 100, "Deny", source_ports=["1024-2000", "50000"]), rule("all", 110, "Allow")], PARTLY),
        ([rule("every", 100, "Allow", source_ports="0-65535"), DENY], []),
        ([rule("NRMS-Rule-106", 106, "Deny", source="Internet", ports=["22", "3389"])], []),
        ([rule("cloud", 100, "Deny", source="AzureCloud"), rule("v6", 110, "Deny", source="::/0")], []),
        ([rule("storage", 100, "Allow", source="Storage.WestEurope"), DENY], DENIED),
        ([rule("who", 100, "Deny", source="Mystery"), DENY], DENIED),
        ([rule("all", 100, "Allow"), rule("who", 110, "Deny", source="Mystery")], []),
        ([rule("SecurityCenter-JITRule_1_2", 4096, "Deny", ports=["22", "3389"])], DENIED),
    ],
    ids=lambda value: "+".join(one["name"] for one in value) if value and isinstance(value[0], dict) else None,
)
def test_the_group_of_the_nic(held: list[Row], expected: list[str]) -> None:
    assert codes(with_nsg(hub_and_spoke(), "nic", *held)) == expected


def by_application(name: str, access: str, priority: int, *, side: str, group: str) -> Row:
    made = rule(name, priority, access)
    del made["properties"][f"{side}AddressPrefix"]
    made["properties"][f"{side}ApplicationSecurityGroups"] = [ref(asg_id(group))]
    return made


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        ([by_application("in", "Deny", 100, side="destination", group="APP")], DENIED),
        ([by_application("other", "Deny", 100, side="destination", group="other")], []),
        ([by_application("from", "Deny", 100, side="source", group="app")], []),
        ([by_application("from", "Allow", 100, side="source", group="app"), DENY], DENIED),
    ],
    ids=["member", "no member", "source", "source allowed"],
)
def test_groups_of_applications_mean_the_vm_and_never_bastion(held: list[Row], expected: list[str]) -> None:
    path = "properties.ipConfigurations.0.properties.applicationSecurityGroups"
    assert codes(with_nsg(change(hub_and_spoke(), "web-nic", path, [ref(asg_id("app"))]), "nic", *held)) == expected


LOCAL = route("local", "10.0.1.0/26", "VnetLocal")
DIVERTED = ["ReturnRouteDiverted"]


@pytest.mark.parametrize(
    ("estate", "routes", "expected"),
    [
        (hub_and_spoke(), [route("equal", "10.0.0.0/16", "None")], DIVERTED),
        (hub_and_spoke(), [route("shorter", "10.0.0.0/8", "VirtualAppliance", "10.1.9.4")], []),
        (hub_and_spoke(), [route("low", "0.0.0.0/1", "None"), route("high", "128.0.0.0/1", "Internet")], []),
        (hub_and_spoke(), [route("longer", "10.0.1.0/24", "Internet")], DIVERTED),
        (hub_and_spoke(), [route("longer", "10.0.1.0/24", "None"), LOCAL], []),
        (hub_and_spoke(), [route("part", "10.0.1.48/28", "VirtualNetworkGateway")], DIVERTED),
        (hub_and_spoke(), [route("other", "10.7.0.0/16", "None")], []),
        (same_vnet(), [route("equal", "10.0.0.0/16", "VirtualAppliance", "10.0.9.4")], DIVERTED),
        (same_vnet(), [route("equal", "10.0.0.0/16", "VNetLocal")], []),
        (same_vnet(), [route("all", "0.0.0.0/0", "VirtualAppliance", "10.0.9.4")], []),
        (link(hub_and_spoke(), "hub", peeringState="Disconnected"), [route("equal", "10.0.0.0/16", "None")],
         ["PeeringDisconnected", *DIVERTED]),
    ],
    ids=["equal", "shorter", "halves", "longer", "local wins", "part", "other", "same VNet", "local", "all", "cut"],
)  # fmt: skip
def test_the_way_back(estate: Estate, routes: list[Row], expected: list[str]) -> None:
    assert codes(with_routes(estate, "subnet", *routes)) == expected


def test_every_reason_is_told_in_the_order_of_the_steps() -> None:
    estate = [*hub_and_spoke(), private_zone_link("azure.com", "hub")]
    estate = change(link(estate, "hub", peeringState="Initiated"), "bas", "properties.provisioningState", "Deleting")
    estate = change(change(estate, "bas-ip", "sku.name", "Basic"), "bas", "sku", {"name": "Basic"})
    stopped = "properties.extended.instanceView.powerState.code"
    estate = with_nsg(change(estate, "web", stopped, "PowerState/deallocated"), "nic", DENY)
    estate = with_routes(estate, "subnet", route("equal", "10.0.0.0/16", "None"))
    assert codes(estate, protocol="RDP", port=3390) == [
        "BastionNotSucceeded",
        "PrivateDnsZoneConflict",
        "PublicIPInvalid",
        "VMNotRunning",
        "ProtocolNotSupportedBySku",
        "CustomPortNotSupported",
        "PeeringOneSided",
        "NicNsgDenies",
        "ReturnRouteDiverted",
    ]


def test_a_rule_behind_one_with_the_same_tag_nobody_knows_adds_no_doubt() -> None:
    """Where the tag matches, the first has decided; where it does not, neither matches."""
    allow = rule("first", 100, "Allow", source="Mystery")
    deny = rule("second", 110, "Deny", source="Mystery")
    assert codes(with_nsg(hub_and_spoke(), "nic", allow, deny)) == []
    late = rule("late", 120, "Allow", source="Mystery")
    assert codes(with_nsg(hub_and_spoke(), "nic", deny, late)) == ["UnknownServiceTag"]
    fewer = rule("first", 100, "Allow", source="Mystery", ports="3389")
    assert codes(with_nsg(hub_and_spoke(), "nic", fewer, deny)) == ["UnknownServiceTag"]


def test_the_cure_is_a_rule_in_front_of_every_one_that_denies() -> None:
    held = [rule("x", 200, "Deny", source="10.0.1.32/27"), rule("y", 300, "Deny", source="10.0.1.0/27")]
    (reason,) = ask(with_nsg(same_vnet(), "nic", *held)).reasons
    assert reason.rule == "y"
    assert reason.message.endswith("with a rule in front of x")


@pytest.mark.parametrize(
    ("prefixes", "works"),
    [(("10.0.1.0/27",), False), (("10.0.1.0/26",), False), (("10.0.1.0/24",), True), (("10.0.1.0/24", "10.0.1.32/28"), False)],
    ids=str,
)  # fmt: skip
def test_a_route_home_is_told_where_it_would_win(prefixes: tuple[str, ...], works: bool) -> None:
    routes = [route(f"away-{place}", prefix, "None") for place, prefix in enumerate(prefixes)]
    (reason,) = ask(with_routes(same_vnet(), "subnet", *routes)).reasons
    assert reason.code == "ReturnRouteDiverted"
    assert reason.message.endswith("or add a route for 10.0.1.0/26 to VnetLocal" if works else "away: take it off")
