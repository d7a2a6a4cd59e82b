"""Step 7: the rules and the public IP that Bastion needs itself."""

from typing import Any

import pytest

from bastion_operator.network.fixes import explain
from bastion_operator.network.inventory import Inventory
from tests.support.estates import DELETE, Estate, Row, bastion_rules, change, rule, same_vnet, with_nsg
from tests.unit.network.asking import ask, codes, warned

OUT = {"direction": "Outbound"}
DENY_OUT = rule("deny-out", 4096, "Deny", **OUT)
DENY_IN = rule("deny-in", 4096, "Deny")


def rules(*without: str) -> list[Row]:
    return [one for one in bastion_rules() if one["name"] not in without]


def group(*held: Row, **bastion_options: Any) -> Estate:
    return with_nsg(same_vnet(**bastion_options), "bastion", *held, bare=True)


@pytest.mark.parametrize(
    "held",
    [
        rules(),
        [*rules(), DENY_IN, DENY_OUT],
        [rule("in", 100, "Allow"), rule("out", 100, "Allow", **OUT)],
        [
            *rules("AllowGatewayManagerInbound"),
            rule("manager", 131, "Allow", source="GatewayManager", ports=["443", "4443"]),
        ],
        [
            *rules("AllowDataPlaneInbound"),
            rule("one", 150, "Allow", source="VirtualNetwork", destination="VirtualNetwork", ports="8080"),
            rule("two", 151, "Allow", source="VirtualNetwork", destination="10.0.1.0/26", ports="5701"),
        ],
        [*rules("AllowHttpsInbound"), rule("wide", 120, "Allow", source="Internet", ports="440-450", protocol="*")],
        [*rules("AllowHttpsInbound"), rule("chosen", 120, "Allow", source="203.0.113.0/24", ports="443"), DENY_IN],
        rules("AllowSshRdpOutbound"),
    ],
    ids=["eight", "and Deny", "everything", "4443 too", "split", "port range", "chosen clients", "sessions by default"],
)
def test_rules_that_cover_the_rows_together_meet_them(held: list[Row]) -> None:
    assert codes(group(*held)) == []
    assert "BastionNsgRowNotExplicit" not in warned(group(*held))


@pytest.mark.parametrize(
    "held",
    [
        rules("AllowAzureLoadBalancerInbound"),
        rules("AllowAzureCloudOutbound"),
        [
            *rules("AllowAzureCloudOutbound"),
            rule("near", 110, "Allow", destination="AzureCloud.westeurope", ports="443", **OUT),
        ],
        rules("AllowGatewayManagerInbound"),
    ],
    ids=["balancer", "cloud", "cloud of one region", "manager comes in by the rule for the Internet"],
)
def test_rows_that_pass_by_something_else_are_warned_of(held: list[Row]) -> None:
    assert codes(group(*held)) == []
    assert "BastionNsgRowNotExplicit" in warned(group(*held))


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        (rules("AllowHttpsInbound"), ["BastionNsgMissingRule"]),
        (
            [*rules("AllowHttpsInbound"), rule("udp", 120, "Allow", source="Internet", ports="443", protocol="Udp")],
            ["BastionNsgMissingRule"],
        ),
        (
            [*rules("AllowHttpsInbound"), rule("some", 120, "Allow", ports="443", source_ports="1024-65535")],
            ["BastionNsgMissingRule"],
        ),
        ([*rules(), rule("deny", 115, "Deny", source="GatewayManager")], ["BastionNsgRuleShadowed"]),
        ([*rules("AllowAzureCloudOutbound"), DENY_OUT], ["BastionNsgRuleShadowed"]),
        ([*rules("AllowSshRdpOutbound"), DENY_OUT], ["BastionNsgDenies"]),
        ([], ["BastionNsgMissingRule", "BastionNsgMissingRule"]),
    ],
    ids=["clients", "UDP", "source ports", "manager denied", "cloud denied", "sessions denied", "no rules"],
)
def test_rows_that_are_denied_break_the_host(held: list[Row], expected: list[str]) -> None:
    assert codes(group(*held)) == expected


def test_the_first_of_the_rules_that_deny_every_public_address_is_the_one_to_be_in_front_of() -> None:
    low = rule("low", 101, "Deny", destination="0.0.0.0/1", ports="443", **OUT)
    high = rule("high", 102, "Deny", destination="128.0.0.0/1", ports="443", **OUT)
    (reason,) = ask(group(*rules(), low, high)).reasons
    assert (reason.code, reason.rule, reason.priority) == ("BastionNsgRuleShadowed", "low", 101)
    (reason,) = ask(group(*rules("AllowAzureCloudOutbound"), low, DENY_OUT)).reasons
    assert (reason.code, reason.rule) == ("BastionNsgRuleShadowed", "deny-out")
    assert codes(group(*rules(), low)) == codes(group(*rules(), high)) == []


def test_rules_that_name_every_public_address_together_meet_the_rows_of_tags() -> None:
    held = [
        rule(f"half-{place}", 300 + place, "Allow", destination=half, **OUT)
        for place, half in enumerate(("0.0.0.0/1", "128.0.0.0/1"))
    ]
    estate = group(*rules("AllowAzureCloudOutbound", "AllowGetSessionInformation"), *held, DENY_OUT)
    assert codes(estate) == []
    assert "BastionNsgRowNotExplicit" not in warned(estate)


def test_a_deny_of_a_region_denies_a_part_of_what_is_needed() -> None:
    region = rule("region", 105, "Deny", destination="AzureCloud.westeurope", ports="443", **OUT)
    (reason,) = ask(group(*rules(), region)).reasons
    assert (reason.code, reason.rule) == ("BastionNsgRuleShadowed", "region")


@pytest.mark.parametrize("tag", ["Storage", "AzureKeyVault.WestEurope", "AzureResourceManager"])
def test_whether_another_service_has_what_is_needed_is_not_known(tag: str) -> None:
    estate = group(*rules(), rule("service", 105, "Deny", destination=tag, ports="443", **OUT))
    verdict = ask(estate)
    assert [reason.code for reason in verdict.reasons] == ["EffectiveDataUnavailable"]
    assert tag.lower() in verdict.reasons[0].message.lower()
    (healed,) = explain(verdict, Inventory.from_rows(estate)).reasons
    assert healed.fix is not None
    assert "AllowAzureCloudOutbound" in healed.fix.summary


@pytest.mark.parametrize(
    ("held", "said"),
    [
        ([*rules(), rule("peers", 110, "Deny", source="10.0.5.0/24", ports=["8080", "5701"])], "by rule peers (priority 110, Inbound)"),
        ([*rules("AllowDataPlaneInbound"), rule("own", 150, "Allow", source="10.0.1.0/26", ports="*"), DENY_IN], "by rule deny-in (priority 4096"),
        (rules("AllowAzureLoadBalancerInbound"), "by a default or a wider rule only"),
        (rules("AllowGatewayManagerInbound"), "by a default or a wider rule only"),
    ],
    ids=["a peer is denied", "all but itself is denied", "default rule", "rule for the Internet"],
)  # fmt: skip
def test_the_warning_says_by_which_rule_a_row_is_not_met(held: list[Row], said: str) -> None:
    verdict = ask(group(*held))
    assert not verdict.reasons
    (warning,) = [warning for warning in verdict.warnings if warning.code == "BastionNsgRowNotExplicit"]
    assert said in warning.message


def test_a_custom_port_needs_its_own_way_out() -> None:
    assert codes(group(*rules(), DENY_OUT), port=2222) == ["BastionNsgDenies"]


def test_clients_of_a_private_only_bastion_come_from_private_ranges() -> None:
    private = rule("private", 120, "Allow", source="10.0.0.0/8", ports="443")
    estate = group(*rules("AllowHttpsInbound"), private, sku="Premium", enablePrivateOnlyBastion=True)
    assert codes(estate) == []
    assert "BastionNsgRowNotExplicit" not in warned(estate)


@pytest.mark.parametrize("field", ["sku", "properties.publicIPAllocationMethod"])
def test_what_a_public_ip_does_not_state_is_not_held_against_it(field: str) -> None:
    verdict = ask(change(same_vnet(), "bas-ip", field, DELETE))
    assert [reason.code for reason in verdict.reasons] == ["EffectiveDataUnavailable"]
    assert verdict.verdict == "Unknown"


def test_a_region_may_be_written_as_people_read_it() -> None:
    assert codes(change(same_vnet(), "bas-ip", "location", "West Europe")) == []
