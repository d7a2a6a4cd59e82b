"""Where the operator's rules stand among those of others, and how two of them change places."""

from datetime import UTC, datetime

import pytest

from bastion_operator.network.security_group import Direction, SecurityRule, read_security_rule
from bastion_operator.planning.model import Change, Plan
from bastion_operator.planning.rule_changes import RuleSet, plan_rules
from bastion_operator.planning.rule_mark import TARGET_RULE, RuleMark, is_target_rule
from bastion_operator.planning.rule_places import Window, covered, place, shadow_of, window
from bastion_operator.planning.wanted_rule import WantedRule
from tests.support.azure_model import AzureModel
from tests.support.estates import nsg, nsg_id, rule
from tests.support.plans import HOST, OWNER

MARK = RuleMark(OWNER, HOST)
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def wanted(
    purpose: str = "tcp-22", *, destination: str = "10.0.1.4", port: int = 22, preferred: int = 4000
) -> WantedRule:
    why = MARK.description("sessions")
    name, source = MARK.name(purpose), ("10.0.0.0/26",)
    return WantedRule(name, Direction.INBOUND, source, (destination,), (port,), why, preferred)


def others(*rules: tuple[int, str, str, str]) -> list[SecurityRule]:
    """Denies: priority, source, destination, ports."""
    return [
        read_security_rule(rule(f"r{priority}", priority, "Deny", source=source, destination=destination, ports=ports))
        for priority, source, destination, ports in rules
    ]


@pytest.mark.parametrize(
    ("denies", "behind", "in_front"),
    [
        ([], (100, 4096), (100, 4096)),
        ([(300, "*", "*", "22")], (301, 4096), (100, 299)),
        ([(300, "*", "*", "80")], (100, 4096), (100, 4096)),
        ([(300, "10.9.0.0/16", "*", "*")], (100, 4096), (100, 4096)),
        ([(300, "*", "10.0.1.5", "*")], (100, 4096), (100, 4096)),
        ([(300, "Internet", "*", "*")], (100, 4096), (100, 4096)),
        ([(300, "VirtualNetwork", "*", "*")], (301, 4096), (100, 299)),
        ([(300, "*", "*", "20-30"), (200, "SomeTag", "*", "*")], (301, 4096), (100, 199)),
        ([(100, "*", "*", "*"), (4096, "*", "*", "*")], (4097, 4096), (100, 99)),
    ],
)
def test_a_rule_stands_behind_what_it_might_override_or_in_front_of_all_of_it(
    denies: list[tuple[int, str, str, str]], behind: tuple[int, int], in_front: tuple[int, int]
) -> None:
    assert window(wanted(), others(*denies), override=False) == Window(*behind)
    assert window(wanted(), others(*denies), override=True) == Window(*in_front)


def test_just_in_time_rules_stay_in_front_also_of_rules_that_override() -> None:
    jit = read_security_rule(rule("SecurityCenter-JITRule_7", 1000, "Deny", ports="22"))
    assert window(wanted(), [*others((2000, "*", "*", "*")), jit], override=True) == Window(1001, 1999)


def test_a_deny_of_which_the_place_is_not_known_leaves_none() -> None:
    doubtful = read_security_rule(
        {"name": "odd", "properties": {"access": "Deny", "direction": "Inbound", "protocol": "*"}}
    )
    assert not list(range(window(wanted(), [doubtful], override=True).first, 4097))


def test_shadow_and_cover_are_read_from_explicit_rules() -> None:
    (deny,) = others((300, "10.0.0.0/8", "*", "22"))
    assert shadow_of(wanted(), [deny]) is deny
    assert shadow_of(wanted(), others((300, "10.0.0.0/28", "*", "22"))) is None
    allow = read_security_rule(rule("a", 100, "Allow", source="10.0.0.0/8", ports="20-30"))
    some_ports = read_security_rule(rule("b", 100, "Allow", source_ports="1024-65535"))
    assert covered(wanted(), [allow])
    assert not covered(wanted(), [some_ports])


def test_a_rule_that_stands_well_stays_and_a_new_one_takes_the_nearest_free_place() -> None:
    rules = [wanted(), wanted("tcp-3389", port=3389)]
    assert place(rules, {rules[0].name: 777}, [], override=False) == {rules[0].name: 777, rules[1].name: 4000}


def test_a_rule_that_can_stand_elsewhere_makes_room_for_one_that_cannot() -> None:
    first, second = wanted(), wanted("tcp-3389", port=3389)
    blocking = others((101, "*", "*", "22"))
    assert place([first, second], {second.name: 100}, blocking, override=True) == {first.name: 100, second.name: 4000}
    assert place([first], {}, others((100, "*", "*", "*")), override=True) == {first.name: None}


def carried_out(azure: AzureModel, *rules: WantedRule) -> list[Change]:
    """What is sent, one request after another, until the rules are where they are wanted."""
    asked = RuleSet(nsg_id("group"), MARK, TARGET_RULE, rules, override=True, now=NOW)
    sent: list[Change] = []
    plan = Plan()
    for _ in range(6):
        plan = plan_rules(asked, azure.observed().get(nsg_id("group")) or {}, Plan(claims=plan.claims))
        if plan.settled:
            return sent
        azure.apply(plan.changes[0])
        sent.append(plan.changes[0])
    raise AssertionError(plan)


def places(azure: AzureModel) -> dict[str, int]:
    rules = azure.rows()[nsg_id("group").lower()]["properties"]["securityRules"]
    return {each["name"]: each["properties"]["priority"] for each in rules}


def test_rules_that_stand_behind_what_denies_are_moved_in_front_of_it_one_by_one() -> None:
    ssh, rdp = wanted(), wanted("tcp-3389", port=3389)
    denies = [rule("ssh", 101, "Deny", ports="22"), rule("rdp", 103, "Deny", ports="3389")]
    azure = AzureModel([nsg("group", *denies, ssh.listed(102), rdp.listed(4000))])
    assert [change.differences[0].field for change in carried_out(azure, ssh, rdp)] == ["priority", "priority"]
    assert places(azure) == {"ssh": 101, "rdp": 103, ssh.name: 100, rdp.name: 102}


def test_two_rules_that_hold_each_others_only_place_swap_by_way_of_a_spare_one() -> None:
    ssh, rdp = wanted(), wanted("tcp-3389", port=3389)
    # SSH fits in front of 101 alone, RDP behind the rule of just-in-time access alone.
    denies = [rule("ssh", 101, "Deny", ports="22"), rule("x-JITRule_rdp", 4095, "Deny", ports="3389")]
    azure = AzureModel([nsg("group", *denies, ssh.listed(4096), rdp.listed(100))])
    sent = carried_out(azure, ssh, rdp)
    assert [change.reason.startswith("it changes places") for change in sent] == [True, False, False]
    assert (places(azure)[ssh.name], places(azure)[rdp.name]) == (100, 4096)


def test_marks_tell_whose_a_rule_is_within_azures_140_characters() -> None:
    name = MARK.name("tcp-22")
    text = MARK.description("sessions from Bastion bas")
    assert text.endswith("sessions from Bastion bas. By team/net of installation-1")
    assert len(MARK.description("x" * 200)) == 140
    assert RuleMark(OWNER, HOST.replace("bas", "other")).name("tcp-22") != name, "each Bastion has its own"
    assert RuleMark(OWNER, HOST.upper()).name("tcp-22") == name
    assert is_target_rule(name)
    assert not is_target_rule(MARK.name("AllowHttpsInbound"))
    assert not is_target_rule("azurebastion-tcp-22")
