"""Step 7: what of Azure's eight rows is met where rules name single addresses, or cannot be read."""

from typing import Any

import pytest

from tests.differential.parts import WEB
from tests.differential.random_estates import BAS, Asked, Question
from tests.differential.test_two_opinions import compare, engine
from tests.support.estates import Row, bastion_rules, rule, same_vnet, with_nsg

OUT = {"direction": "Outbound"}
SSH = Question("SSH", 22)
DENY_IN, DENY_OUT = rule("in", 4000, "Deny"), rule("out", 4001, "Deny", **OUT)
OPEN = ["EffectiveDataUnavailable"]
CLIENTS, MANAGER, BALANCER = "AllowHttpsInbound", "AllowGatewayManagerInbound", "AllowAzureLoadBalancerInbound"
CLOUD, SESSIONS = "AllowAzureCloudOutbound", "AllowGetSessionInformation"


def said(*rules: Row) -> tuple[list[str], list[str]]:
    """Reasons and warnings of step 7, on which both opinions come to the same."""
    one = Asked(with_nsg(same_vnet(), "bastion", *rules, bare=True), questions=(SSH,))
    compare(one)
    (candidate,) = engine(one)(WEB, SSH, BAS).candidates
    warned = [warning.code for warning in candidate.warnings if warning.code.startswith("Bastion")]
    return [reason.code for reason in candidate.reasons], warned


def with_clients(*destinations: str) -> list[Row]:
    """The eight, the one for clients for these destinations only."""
    held = [one for one in bastion_rules() if one["name"] != "AllowHttpsInbound"]
    several = [
        rule(f"clients-{place}", 115 + place, "Allow", source="Internet", destination=each, ports="443")
        for place, each in enumerate(destinations)
    ]
    return [*several, *held]


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([*with_clients("10.0.1.4"), DENY_IN], (["BastionNsgRuleShadowed"], [])),
        (with_clients("10.0.1.4"), (["BastionNsgMissingRule"], [])),
        ([*with_clients("10.0.1.0/27"), DENY_IN], (["BastionNsgRuleShadowed"], [])),
        ([*with_clients("10.0.1.0/27", "10.0.1.32/27"), DENY_IN], ([], [])),
        ([*with_clients("10.0.1.0/26"), DENY_IN], ([], [])),
    ],
    ids=["one address", "one address by default", "a half", "both halves", "the prefix"],
)
def test_clients_must_reach_every_address_that_bastion_may_have(
    rules: list[Row], expected: tuple[list[str], list[str]]
) -> None:
    assert said(*rules) == expected


def test_each_address_may_be_open_to_clients_of_its_own() -> None:
    halves = [
        rule("a", 110, "Allow", source="203.0.113.0/24", destination="10.0.1.0/27", ports="443"),
        rule("b", 111, "Allow", source="198.51.100.0/24", destination="10.0.1.32/27", ports="443"),
    ]
    assert said(*halves, *with_clients(), DENY_IN) == ([], [])


def changed(name: str, **fields: Any) -> list[Row]:
    """The eight, one of them with other fields."""
    return [
        one if one["name"] != name else {"name": name, "properties": one["properties"] | fields}
        for one in bastion_rules()
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {"sourcePortRange": "x"},
        {"sourcePortRange": None},
        {"access": "?"},
        {"access": None},
        {"priority": None},
        {"direction": "?"},
        {"protocol": None},
        {"destinationPortRange": [443]},
        {"destinationAddressPrefix": None},
        {"priority": None, "destinationAddressPrefix": "NobodyKnows"},
    ],
    ids=str,
)
def test_an_allow_that_cannot_be_read_may_be_what_is_needed(fields: Row) -> None:
    reasons, _ = said(*changed("AllowAzureCloudOutbound", **fields), DENY_OUT)
    assert set(reasons) - {"UnknownServiceTag"} == set(OPEN)


@pytest.mark.parametrize(
    "fields",
    [{"sourcePortRange": "x"}, {"sourcePortRange": None}, {"access": "?"}, {"priority": "x"}],
    ids=str,
)
def test_a_deny_that_cannot_be_read_may_stand_in_the_way(fields: Row) -> None:
    deny = rule("what", 100, "Deny", destination="AzureCloud", ports="443", **OUT)
    reasons, _ = said({"name": "what", "properties": deny["properties"] | fields}, *bastion_rules())
    assert reasons == OPEN


@pytest.mark.parametrize(
    ("access", "warned"), [("Deny", ["BastionNsgRowNotExplicit"]), ("Allow", []), ("?", [])], ids=str
)
def test_what_a_doubtful_rule_would_make_less_than_explicit_is_not_said_to_be_so(
    access: str, warned: list[str]
) -> None:
    of_the_network = rule("what", 100, "Deny", source="10.0.5.0/24", destination="10.0.1.0/26")
    of_the_network["properties"]["access"] = access
    assert said(of_the_network, *bastion_rules()) == ([], warned)


def test_what_is_no_rule_may_stand_in_the_way() -> None:
    one = Asked(with_nsg(same_vnet(), "bastion", *bastion_rules(), bare=True), questions=(SSH,))
    group = next(row for row in one.estate if row["id"].endswith("/guard"))
    group["properties"]["securityRules"].append("foo")
    compare(one)
    assert {reason.code for reason in engine(one)(WEB, SSH, BAS).reasons} == set(OPEN)


HALVES = ("0.0.0.0/1", "128.0.0.0/1")
SHADOWED, NOT_EXPLICIT = "BastionNsgRuleShadowed", "BastionNsgRowNotExplicit"


def halves(access: str, first: int, ports: str, **fields: Any) -> list[Row]:
    """Two rules for all addresses together: destinations of outbound ones, sources of inbound ones."""
    far = "destination" if fields else "source"
    return [
        rule(f"half-{first + place}", first + place, access, ports=ports, **{far: half}, **fields)
        for place, half in enumerate(HALVES)
    ]


def mixed(first: str, second: str) -> list[Row]:
    """One half of all addresses is let through and the other is denied, on the port of services."""
    accesses = zip((first, second), HALVES, strict=True)
    return [
        rule(f"mixed-{place}", 101 + place, access, ports="443", destination=half, **OUT)
        for place, (access, half) in enumerate(accesses)
    ]


BLOCKED = rule("blocked", 101, "Deny", ports="443", destination="1.2.3.0/24", **OUT)


def without(*names: str) -> list[Row]:
    return [one for one in bastion_rules() if one["name"] not in names]


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([*halves("Deny", 101, "443", **OUT), *bastion_rules()], ([SHADOWED], [])),
        ([*without(CLOUD, SESSIONS), *halves("Deny", 4000, "*", **OUT)], ([SHADOWED, SHADOWED], [])),
        ([*without(CLOUD, SESSIONS), *halves("Allow", 300, "*", **OUT), DENY_OUT], ([], [])),
        ([*without(CLOUD), *mixed("Deny", "Allow"), DENY_OUT], ([SHADOWED], [])),
        ([*without(CLOUD), *mixed("Allow", "Deny"), DENY_OUT], ([SHADOWED], [])),
        ([*mixed("Deny", "Allow"), *bastion_rules(), DENY_OUT], ([], [])),
        ([*without(CLOUD), BLOCKED, *halves("Allow", 300, "443", **OUT), DENY_OUT], ([], [])),
        ([*without(CLIENTS, MANAGER, BALANCER), *halves("Allow", 300, "443"), DENY_IN], ([], [])),
        ([*halves("Deny", 101, "443", **OUT)[:1], *bastion_rules()], ([], [])),
        ([*without(CLOUD), *halves("Allow", 300, "443", **OUT)[:1], DENY_OUT], ([SHADOWED], [])),
        ([*without(MANAGER), *halves("Allow", 300, "443"), DENY_IN], ([], [])),
        (
            [
                *halves("Deny", 101, "443", **OUT)[:1],
                rule("half", 102, "Deny", source="10.0.1.0/27", destination=HALVES[1], ports="443", **OUT),
                *bastion_rules(),
            ],
            ([SHADOWED], []),
        ),
        (
            [
                *without(CLIENTS, MANAGER),
                rule("public", 110, "Allow", source="Internet", ports="443"),
                *halves("Deny", 300, "443"),
                rule("one", 400, "Allow", source="1.2.3.0/24", ports="443"),
            ],
            ([], [NOT_EXPLICIT]),
        ),
    ],
    ids=[
        "denied before", "denied in place", "allowed out",
        "a half denied and a half allowed", "a half allowed and a half denied", "halves in front of the tag", "all but a few",
        "allowed in", "a half denied", "a half allowed",
        "behind the Internet", "half of Bastion", "denied behind the Internet",
    ],
)  # fmt: skip
def test_prefixes_decide_about_a_tag_once_they_name_every_public_address(
    rules: list[Row], expected: tuple[list[str], list[str]]
) -> None:
    assert said(*rules) == expected


@pytest.mark.parametrize(
    ("tag", "fields", "expected"),
    [
        ("AzureCloud.westeurope", {"ports": "443", **OUT}, [SHADOWED]),
        ("Storage", {"ports": "443", **OUT}, OPEN),
        ("AzureKeyVault", {"ports": "80", **OUT}, OPEN),
        ("AzureResourceManager", {"ports": "*", **OUT}, OPEN * 2),
        ("GatewayManager", {"ports": "443", **OUT}, OPEN),
        ("AzureCloud", {"ports": "443"}, OPEN),
        ("Storage", {"ports": "443"}, OPEN),
        ("Storage", {"ports": "8080"}, []),
        ("AzureCloud", {"ports": "*", **OUT}, [SHADOWED, SHADOWED]),
    ],
    ids=str,
)
def test_a_deny_of_a_service_may_take_what_bastion_needs(tag: str, fields: Row, expected: list[str]) -> None:
    far = "destination" if "direction" in fields else "source"
    assert said(rule("service", 100, "Deny", **{far: tag}, **fields), *bastion_rules()) == (expected, [])


def test_several_services_in_front_of_one_row_are_told_at_once() -> None:
    denied = [
        rule(f"service-{place}", 100 + place, "Deny", destination=tag, ports="443", **OUT)
        for place, tag in enumerate(("Storage", "HDInsight", "AzureKeyVault"))
    ]
    assert said(*denied, *bastion_rules()) == (OPEN, [])
