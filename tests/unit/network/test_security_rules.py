"""Rule evaluation against a plain evaluation, one address and one rule at a time, with the standard library."""

import ipaddress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bastion_operator.network.prefixes import AddressSet, parse_address
from bastion_operator.network.security_group import Direction, read_security_group
from bastion_operator.network.security_rules import Decision, RuleTable
from bastion_operator.network.service_tags import TagMeaning
from tests.support.estates import asg_id, nsg, rule

SOURCES = "10.0.1.0/28"
NETWORK = ("10.0.0.0/16", "168.63.129.16/32")
TARGET = "10.0.2.4"
GROUPS = frozenset({asg_id("ours").lower()})

ENDS = st.sampled_from(
    ["*", "0.0.0.0/0", "10.0.0.0/16", "10.0.1.0/28", "10.0.1.0/29", "10.0.1.4/30", "10.0.1.5", "10.0.2.0/24", "10.0.2.4",
     "10.9.0.0/16", "VirtualNetwork", "Internet", "AzureLoadBalancer", "AzureCloud.westeurope", "GatewayManager", "fd00::/8"]
)  # fmt: skip
PORTS = st.sampled_from(["*", "22", "3389", "20-25", "80", "0-65535"])


@st.composite
def rules(draw: st.DrawFn, priority: int) -> dict[str, Any]:
    def some(values: st.SearchStrategy[str]) -> str | list[str]:
        return draw(values | st.lists(values, min_size=1, max_size=3))

    fields: dict[str, Any] = {
        "direction": draw(st.sampled_from(["Inbound", "Inbound", "Outbound"])),
        "protocol": draw(st.sampled_from(["Tcp", "*", "Udp", "TCP"])),
        "source": some(ENDS),
        "destination": some(ENDS),
        "ports": some(PORTS),
        "source_ports": draw(st.sampled_from(["*", "*", "*", "1024-2000"])),
    }
    if draw(st.integers(0, 4)) == 0:
        del fields["destination"]
        fields["destinationApplicationSecurityGroups"] = [
            {"id": asg_id(draw(st.sampled_from(["ours", "Ours", "theirs"])))}
        ]
        made = rule(f"r{priority}", priority, draw(st.sampled_from(["Allow", "Deny"])), **fields)
        del made["properties"]["destinationAddressPrefix"]
        return made
    return rule(f"r{priority}", priority, draw(st.sampled_from(["Allow", "Deny"])), **fields)


RULE_LISTS = st.lists(st.integers(100, 130), max_size=7, unique=True).flatmap(
    lambda priorities: st.tuples(*(rules(priority) for priority in priorities))
)


def naive_fate(row: dict[str, Any], source: str) -> str:
    """What happens to a connection from one address: Allow, Deny, or Some where a Deny names source ports."""
    some = False
    for held in sorted(
        (one["properties"] for one in row["properties"]["securityRules"]), key=lambda one: one["priority"]
    ):
        if held["direction"] != "Inbound" or held["protocol"].lower() not in {"tcp", "*"}:
            continue
        if not any(naive_port(port) for port in both(held, "destinationPortRange")):
            continue
        if not naive_end(held, "source", source) or not naive_end(held, "destination", TARGET):
            continue
        if both(held, "sourcePortRange") != ["*"]:
            some = some or held["access"] == "Deny"
            continue
        if held["access"] == "Deny":
            return "Deny"
        return "Some" if some else "Allow"
    allowed = any(ipaddress.ip_address(source) in ipaddress.ip_network(space) for space in NETWORK)
    return "Deny" if not allowed else "Some" if some else "Allow"


def both(held: dict[str, Any], field: str) -> list[str]:
    single = [held[field]] if held.get(field) else []
    return [*single, *held.get(field + "s", []), *held.get(field + "es", [])]


def naive_port(port: str) -> bool:
    first, _, last = port.partition("-")
    return port == "*" or int(first) <= 22 <= int(last or first)


def naive_end(held: dict[str, Any], side: str, address: str) -> bool:
    groups = {one["id"].lower() for one in held.get(f"{side}ApplicationSecurityGroups", [])}
    if side == "destination" and groups & GROUPS:
        return True
    return any(naive_contains(item, address) for item in both(held, f"{side}AddressPrefix"))


def naive_contains(item: str, address: str) -> bool:
    if item == "*":
        return True
    if item == "VirtualNetwork":
        return any(ipaddress.ip_address(address) in ipaddress.ip_network(space) for space in NETWORK)
    if item == "AzureLoadBalancer":
        return address == "168.63.129.16"
    if item[0].isalpha() and ":" not in item:
        return False
    return ipaddress.ip_address(address) in ipaddress.ip_network(item)


def decide(row: dict[str, Any]) -> Decision:
    group = read_security_group(row, row["id"])
    meaning = TagMeaning(AddressSet.of(*NETWORK))
    return RuleTable(group, Direction.INBOUND, 22, AddressSet.of(SOURCES), meaning).decide(
        parse_address(TARGET), meaning, GROUPS
    )


@settings(max_examples=400)
@given(RULE_LISTS)
def test_every_source_address_has_the_fate_that_plain_evaluation_gives_it(listed: tuple[dict[str, Any], ...]) -> None:
    row = nsg("guard", *listed)
    decision = decide(row)
    assert not decision.undecided
    for address in map(str, ipaddress.ip_network(SOURCES)):
        number = parse_address(address)
        told = "Deny" if number in decision.denied else "Some" if number in decision.partly else "Allow"
        assert told == naive_fate(row, address), address


@settings(max_examples=100)
@given(RULE_LISTS, st.randoms())
def test_the_order_in_which_rules_are_listed_and_the_case_of_names_change_nothing(
    listed: tuple[dict[str, Any], ...], random: Any
) -> None:
    decision = decide(nsg("guard", *listed))
    shuffled = list(listed)
    random.shuffle(shuffled)
    other = decide(nsg("guard", *shuffled))
    assert (other.denied, other.partly) == (decision.denied, decision.partly)
    assert (other.blamed and other.blamed.name) == (decision.blamed and decision.blamed.name)


@settings(max_examples=100)
@given(RULE_LISTS)
def test_a_rule_behind_one_that_covers_it_changes_nothing(listed: tuple[dict[str, Any], ...]) -> None:
    cover = rule("cover", 4000, "Deny")
    behind = rule("behind", 4001, "Allow", source="10.0.1.0/28")
    assert decide(nsg("guard", *listed, cover)).denied == decide(nsg("guard", *listed, cover, behind)).denied


@settings(max_examples=100)
@given(RULE_LISTS)
def test_splitting_a_prefix_in_halves_changes_nothing(listed: tuple[dict[str, Any], ...]) -> None:
    whole = rule("x", 99, "Deny", source="10.0.1.0/29")
    halves = rule("x", 99, "Deny", source=["10.0.1.0/30", "10.0.1.4/30"])
    one, other = decide(nsg("guard", whole, *listed)), decide(nsg("guard", halves, *listed))
    assert (one.denied, one.partly) == (other.denied, other.partly)


@settings(max_examples=100)
@given(RULE_LISTS)
def test_removing_a_deny_denies_no_more(listed: tuple[dict[str, Any], ...]) -> None:
    before = decide(nsg("guard", *listed))
    for place, one in enumerate(listed):
        if one["properties"]["access"] == "Deny":
            after = decide(nsg("guard", *listed[:place], *listed[place + 1 :]))
            assert after.denied <= before.denied
            assert (after.denied | after.partly) <= (before.denied | before.partly)


def test_the_rule_blamed_is_the_one_that_decides_for_the_lowest_address_denied() -> None:
    upper = rule("upper", 100, "Deny", source="10.0.1.8/29")
    lower = rule("lower", 200, "Deny", source="10.0.1.4/30")
    decision = decide(nsg("guard", upper, lower))
    assert decision.blamed is not None
    assert decision.blamed.name == "lower"


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"protocol": "Sctp"}, "protocol"),
        ({"source": "10.0.1.0/99"}, "10.0.1.0/99"),
        ({"ports": "20-many"}, "destinationPortRange"),
        ({"direction": "Sideways"}, "direction"),
        ({"source": "NoSuchTag"}, "NoSuchTag"),
    ],
)
def test_what_hangs_on_an_unreadable_field_stays_open_with_its_name(fields: dict[str, Any], what: str) -> None:
    decision = decide(nsg("guard", rule("odd", 100, "Deny", **fields)))
    assert decision.undecided == AddressSet.of(SOURCES)
    assert not decision.denied
    assert any(what.lower() in doubt.what.lower() for doubt in decision.doubts)


def test_an_unreadable_rule_on_which_nothing_hangs_leaves_nothing_open() -> None:
    odd = rule("odd", 100, "Deny", source="NoSuchTag")
    denied = decide(nsg("guard", odd, rule("all", 200, "Deny")))
    assert denied.denied == AddressSet.of(SOURCES)
    assert denied.blamed is not None
    assert denied.blamed.name == "all"
    allowed = decide(nsg("guard", rule("odd", 100, "Allow", source="NoSuchTag")))
    assert allowed.allows_all


def test_two_rules_of_one_priority_that_disagree_leave_it_open() -> None:
    decision = decide(nsg("guard", rule("yes", 100, "Allow"), rule("no", 100, "Deny")))
    assert decision.undecided == AddressSet.of(SOURCES)
    assert "priority 100" in decision.doubts[0].what


@pytest.mark.parametrize("access", ["Allow", "Deny"])
def test_a_thousand_rules_that_cannot_be_read_leave_open_what_hangs_on_them(access: str) -> None:
    unreadable = [
        rule(f"r{number}", 100 + number, access, protocol="Wireguard", source_ports="*" if number % 2 else "1024-2000")
        for number in range(1_000)
    ]
    sources = AddressSet.of(SOURCES)
    before_a_deny = decide(nsg("guard", *unreadable, rule("no", 4000, "Deny")))
    before_an_allow = decide(nsg("guard", *unreadable))
    hangs, certain = (before_a_deny, before_an_allow) if access == "Allow" else (before_an_allow, before_a_deny)
    assert hangs.undecided == sources
    assert {doubt.code for doubt in hangs.doubts} == {"EffectiveDataUnavailable"}
    assert not certain.undecided
    assert certain.denied == (AddressSet() if access == "Allow" else sources)
