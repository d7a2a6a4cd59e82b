"""The group on AzureBastionSubnet: made before the subnet, filled up rule by rule, foreign rules left alone."""

import copy
import itertools
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bastion_operator.api.common import Claim
from bastion_operator.planning.bastion_host import plan_bastion_host
from bastion_operator.planning.bastion_removal import plan_bastion_removal
from bastion_operator.planning.bastion_rules import unmet_of
from bastion_operator.planning.model import Observed, Plan, Verb
from bastion_operator.planning.rule_mark import RuleMark
from tests.support.azure_model import AzureModel
from tests.support.estates import Row, bastion, nsg, nsg_id, public_ip, rule, subnet, vnet
from tests.support.plans import ADDRESS, HOST, OWNER, Run, bastion_input, carry_out, claim, codes, marked, told

GROUP = nsg_id("bas-nsg")
SUBNET = "10.0.0.0/26"
ENFORCE = {"subnet": "Enforce"}
MARK = RuleMark(OWNER, HOST)


def own(purpose: str) -> str:
    return MARK.name(purpose)


def hub(group: str | None = None, *, with_subnet: bool = True) -> Row:
    subnets = [subnet("AzureBastionSubnet", SUBNET, nsg=group)] if with_subnet else []
    return vnet("hub", "10.0.0.0/16", subnets=subnets)


def table(*, drop: tuple[str, ...] = ()) -> list[Row]:
    """Azure's eight rules as others write them."""
    rules = [
        rule("clients", 120, "Allow", source="Internet", ports="443"),
        rule("manager", 130, "Allow", source="GatewayManager", ports="443"),
        rule("probes", 140, "Allow", source="AzureLoadBalancer", ports="443"),
        rule("data-in", 150, "Allow", source="VirtualNetwork", destination="VirtualNetwork", ports=["8080", "5701"]),
        rule("sessions", 100, "Allow", direction="Outbound", destination="VirtualNetwork", ports=["22", "3389"]),
        rule("cloud", 110, "Allow", direction="Outbound", destination="AzureCloud", ports="443"),
        rule("data-out", 120, "Allow", direction="Outbound", source="VirtualNetwork", destination="VirtualNetwork",
             ports=["8080", "5701"]),
        rule("session-information", 130, "Allow", direction="Outbound", destination="Internet", ports="80"),
    ]  # fmt: skip
    return [one for one in rules if one["name"] not in drop]


def standing(*rules: Row, group: str | None = "theirs") -> list[Row]:
    """A host of the operator's on a subnet with somebody's group."""
    host = marked(bastion("bas", "hub", sku="Standard"))
    rows = [hub(group), host, marked(public_ip("bas-ip"))]
    return [*rows, nsg("theirs", *rules)] if group == "theirs" else rows


def plan(rows: list[Row], claims: tuple[Claim, ...] = (), *, spec: Row | None = None, **security: Any) -> Plan:
    asked = bastion_input(*rows, claims=claims, networkSecurity=ENFORCE | security, **(spec or {}))
    return plan_bastion_host(asked)


def run(azure: AzureModel, claims: tuple[Claim, ...] = (), *, spec: Row | None = None, **security: Any) -> Run:
    def make_plan(observed: Observed, claims: tuple[Claim, ...]) -> Plan:
        asked = bastion_input(claims=claims, networkSecurity=ENFORCE | security, **(spec or {}))
        return plan_bastion_host(replace(asked, observed=observed))

    return carry_out(azure, make_plan, claims, most=20)


def remove(azure: AzureModel, claims: tuple[Claim, ...]) -> Run:
    def make_plan(observed: Observed, claims: tuple[Claim, ...]) -> Plan:
        return plan_bastion_removal(replace(bastion_input(claims=claims, networkSecurity=ENFORCE), observed=observed))

    return carry_out(azure, make_plan, claims, most=20)


def test_a_new_subnet_is_born_with_a_group_of_all_eight_rules_and_deleting_brings_azure_back() -> None:
    azure = AzureModel([hub(with_subnet=False)])
    done = run(azure, spec={"subnetPrefix": "Auto"})
    assert sorted(told(tuple(done.sent[:2]))) == [
        ("Create", "networkSecurityGroups/bas-nsg"),
        ("Create", "publicIPAddresses/bas-ip"),
    ]
    assert told(tuple(done.sent[2:])) == [("Create", "subnets/AzureBastionSubnet"), ("Create", "bastionHosts/bas")]
    born = next(change for change in done.sent if change.resource_id.endswith("/subnets/AzureBastionSubnet"))
    assert (born.verb, (born.body or {})["properties"]["networkSecurityGroup"]) == (Verb.CREATE, {"id": GROUP})
    group = next(change for change in done.sent if change.resource_id == GROUP).body or {}
    rules = {each["properties"]["priority"]: each["properties"] for each in group["properties"]["securityRules"]
             if each["properties"]["direction"] == "Inbound"}  # fmt: skip
    assert len(group["properties"]["securityRules"]) == 8
    assert [rules[place]["sourceAddressPrefix"] for place in (120, 130, 140, 150)] == [
        "Internet", "GatewayManager", "AzureLoadBalancer", "VirtualNetwork",
    ]  # fmt: skip
    assert done.plan.settled
    assert not done.plan.told
    gone = remove(azure, done.plan.claims)
    assert gone.plan.settled
    assert [each.resource_id.rsplit("/", 2)[1] for each in gone.sent][-1] == "networkSecurityGroups"
    assert azure.ids() == {hub()["id"].lower()}


def test_the_new_group_is_narrowed_to_the_sources_and_ports_that_are_asked_for() -> None:
    asked: dict[str, Any] = {
        "allowedSources": ["203.0.113.0/24", "198.51.100.7/32", "VirtualNetwork"],
        "ports": {"ssh": [2222]},
    }
    made = plan([hub(with_subnet=False)], spec={"subnetPrefix": "Auto"}, **asked)
    group = next(change for change in made.changes if change.resource_id == GROUP).body or {}
    rules = {each["name"].split("-", 2)[2]: each["properties"] for each in group["properties"]["securityRules"]}
    assert rules["AllowHttpsInbound"]["sourceAddressPrefixes"] == ["203.0.113.0/24", "198.51.100.7/32"]
    assert rules["AllowHttpsInbound-VirtualNetwork"]["sourceAddressPrefix"] == "VirtualNetwork"
    assert rules["AllowSshRdpOutbound"]["destinationPortRanges"] == ["22", "2222", "3389"]
    assert "AllowHttpsInbound-Internet" not in rules
    described = rules["AllowHttpsInbound"]["description"]
    assert len(described) <= 140
    assert "clients to Bastion. By team/net of installation-1" in described


def test_tags_of_its_own_group_follow_the_spec_once_its_rules_do_and_those_of_others_stay() -> None:
    azure = AzureModel([hub(with_subnet=False)])
    done = run(azure, spec={"subnetPrefix": "Auto"})
    both = run(azure, done.plan.claims, spec={"tags": {"team": "net"}}, allowedSources=["203.0.113.0/24"])
    written = [change for change in both.sent if change.resource_id == GROUP]
    assert [(each.verb, each.if_match is not None) for each in written] == [(Verb.UPDATE, True)]
    assert both.sent[-1] == written[0]
    group = azure.rows()[GROUP.lower()]
    assert group["tags"]["team"] == "net"
    assert len(group["properties"]["securityRules"]) == 8
    assert both.plan.settled
    theirs = plan(standing(*table()), spec={"tags": {"team": "net"}})
    assert GROUP not in {change.resource_id for change in theirs.changes}
    assert nsg_id("theirs") not in {change.resource_id for change in theirs.changes}


def test_the_rule_for_clients_goes_only_once_the_one_in_its_place_is_there() -> None:
    azure = AzureModel([hub(with_subnet=False)])
    done = run(azure, spec={"subnetPrefix": "Auto"})
    narrowed = plan(list(azure.rows().values()), done.plan.claims, allowedSources=["203.0.113.0/24"])
    before, after = (
        f"{GROUP}/securityRules/{own(each)}" for each in ("AllowHttpsInbound-Internet", "AllowHttpsInbound")
    )
    assert [(each.verb, each.resource_id) for each in narrowed.changes] == [(Verb.CREATE, after)]
    assert narrowed.going == (before,)
    done = run(azure, done.plan.claims, allowedSources=["203.0.113.0/24"])
    assert [(each.verb, each.resource_id) for each in done.sent] == [(Verb.CREATE, after), (Verb.DELETE, before)]
    assert done.plan.settled


def test_nothing_is_made_for_a_subnet_that_cannot_be() -> None:
    made = plan([vnet("hub", "10.0.0.0/27")], spec={"subnetPrefix": "Auto"})
    assert codes(made) == ["NoFreePrefix"]
    assert not made.changes


def test_a_group_of_the_operators_that_failed_is_sent_again_before_the_subnet_refers_to_it() -> None:
    group = marked(nsg("bas-nsg", *table()))
    group["properties"]["provisioningState"] = "Failed"
    made = plan([hub(with_subnet=False), group], spec={"subnetPrefix": "Auto"})
    assert told(made.changes)[0] == ("Update", "networkSecurityGroups/bas-nsg")
    assert not [each for each in made.changes if "/subnets/" in each.resource_id]


@pytest.mark.parametrize("policy", ["Audit", "Off"])
def test_without_enforce_a_subnet_is_made_as_before(policy: str) -> None:
    made = plan([hub(with_subnet=False)], spec={"subnetPrefix": "Auto"}, subnet=policy)
    assert [each[1] for each in told(made.changes)] == ["subnets/AzureBastionSubnet", "publicIPAddresses/bas-ip"]
    assert not made.audited


def test_a_group_of_somebody_elses_under_the_name_is_not_touched() -> None:
    made = plan([hub(with_subnet=False), nsg("bas-nsg", *table())], spec={"subnetPrefix": "Auto"})
    assert codes(made) == ["NotOwned"]
    assert not made.changes


def test_the_operators_own_subnet_without_a_group_gets_one_and_keeps_its_other_fields() -> None:
    rows = standing(group=None)
    rows[0]["properties"]["subnets"][0]["properties"]["unknownField"] = "kept"
    claims = (claim(f"{rows[0]['id']}/subnets/AzureBastionSubnet", purpose="Subnet", detail=SUBNET),)
    azure = AzureModel(rows)
    done = run(azure, claims)
    assert told(tuple(done.sent)) == [
        ("Create", "networkSecurityGroups/bas-nsg"),
        ("Update", "subnets/AzureBastionSubnet"),
    ]
    body = done.sent[1].body or {}
    assert body["properties"]["unknownField"] == "kept"
    assert done.sent[1].if_match is not None


def test_a_subnet_that_others_made_is_told_and_gets_no_group() -> None:
    made = plan(standing(group=None))
    assert made.settled
    assert [each.code for each in made.told] == ["NoNetworkSecurityGroup"]


def test_only_what_a_foreign_group_lacks_is_added_at_free_priorities() -> None:
    rows = standing(
        *table(drop=("manager", "data-out")), rule("other", 130, "Allow", source="10.1.0.0/16", ports="443")
    )
    azure = AzureModel(rows)
    before = copy.deepcopy(azure.rows()[nsg_id("theirs").lower()]["properties"]["securityRules"])
    done = run(azure)
    added = {each.resource_id.rsplit("-", 1)[1]: (each.body or {})["properties"]["priority"] for each in done.sent}
    assert added == {"AllowGatewayManagerInbound": 129, "AllowBastionHostCommunicationOutbound": 120}
    assert all(each.verb is Verb.CREATE for each in done.sent)
    assert azure.rows()[nsg_id("theirs").lower()]["properties"]["securityRules"][: len(before)] == before
    assert {each.purpose for each in done.plan.claims} >= {"SubnetRule"}
    azure._rows.pop(HOST.lower())
    azure._rows.pop(ADDRESS.lower())
    kept = plan_bastion_removal(
        replace(bastion_input(claims=done.plan.claims, networkSecurity=ENFORCE), observed=azure.observed())
    )
    assert kept.settled
    assert [each.code for each in kept.remains] == ["KeptInUse", "KeptInUse"]


def test_a_foreign_deny_is_told_by_name_and_overridden_only_where_the_spec_says_so() -> None:
    deny = rule("no-gateways", 110, "Deny", source="GatewayManager", ports="*")
    rows = standing(*table(), deny)
    made = plan(rows)
    assert made.settled
    assert ["no-gateways" in each.message and "overrideDenies: true" in each.message for each in made.told] == [True]
    (change,) = plan(rows, overrideDenies=True).changes
    assert (change.body or {})["properties"]["priority"] == 109
    full = standing(*table(), *(rule(f"r{place}", place, "Deny", source="GatewayManager") for place in range(100, 112)))
    assert [each.code for each in plan(full, overrideDenies=True).told] == ["NoFreePriority"]


def test_nothing_goes_in_front_of_just_in_time_rules() -> None:
    jit = rule("MicrosoftDefenderForCloud-JITRule_1", 110, "Deny", source="GatewayManager", ports="443")
    made = plan(standing(*table(drop=("manager",)), jit), overrideDenies=True)
    assert made.settled
    assert [each.code for each in made.told] == ["JustInTimeAccess"]


def test_audit_tells_the_same_plan_and_sends_nothing() -> None:
    rows = standing(*table(drop=("manager",)))
    enforced, audited = plan(rows), plan(rows, subnet="Audit")
    assert audited.settled
    assert audited.audited == enforced.changes
    assert not any(each.purpose == "SubnetRule" for each in audited.claims)
    observed = plan(rows, spec={"managementPolicy": "Observe"})
    assert (observed.changes, observed.audited) == ((), enforced.changes)


def test_an_own_rule_that_somebody_changed_is_mended_with_what_it_carries() -> None:
    azure = AzureModel(standing(*table(drop=("manager",))))
    done = run(azure)
    rules = azure._rows[nsg_id("theirs").lower()]["properties"]["securityRules"]
    mine = next(each for each in rules if each["name"] == own("AllowGatewayManagerInbound"))
    mine["properties"] |= {"access": "Deny", "unknownField": "kept", "description": "mine now"}
    again = run(azure, done.plan.claims)
    (change,) = again.sent
    assert {each.field for each in change.differences} == {"access", "description"}
    assert (change.body or {})["properties"]["unknownField"] == "kept"


def test_a_rule_with_the_operators_name_and_without_mark_and_claim_is_somebody_elses() -> None:
    stranger = rule(own("AllowGatewayManagerInbound"), 200, "Deny", source="10.0.0.0/8", ports="443")
    made = plan(standing(*table(drop=("manager",)), stranger))
    assert made.settled
    assert [each.code for each in made.told] == ["NotOwned"]


# --- whatever others wrote ---------------------------------------------------------------------------------------

foreign_rules = st.lists(
    st.builds(
        lambda priority, access, way, source, ports: rule(
            f"foreign-{way}-{priority}", priority, access, direction=way, source=source, ports=ports
        ),
        st.integers(100, 200),
        st.sampled_from(["Allow", "Deny"]),
        st.sampled_from(["Inbound", "Outbound"]),
        st.sampled_from(["*", "Internet", "VirtualNetwork", "GatewayManager", "10.0.0.0/8"]),
        st.sampled_from(["*", "443", "80", "22-3389", "8080"]),
    ),
    max_size=6,
)


def slot(one: Row) -> tuple[str, int]:
    return one["properties"]["direction"], one["properties"]["priority"]


@given(foreign_rules, st.sets(st.sampled_from([each["name"] for each in table()])), st.booleans())
@settings(max_examples=150, deadline=None)
def test_applied_plans_leave_nothing_unmet_but_what_is_told_and_touch_nothing_foreign(
    drawn: list[Row], dropped: set[str], override: bool
) -> None:
    rules = list({slot(one): one for one in (*drawn, *table(drop=tuple(dropped)))}.values())
    azure = AzureModel(standing(*rules))
    key = nsg_id("theirs").lower()
    before = azure.rows()[key]["properties"]["securityRules"]
    names = {each["name"] for each in before}
    done = run(azure, overrideDenies=override)
    assert done.plan.settled
    assert not run(azure, done.plan.claims, overrideDenies=override).sent
    assert not {each.resource_id.rsplit("/", 1)[1] for each in done.sent} & names
    after = azure.rows()[key]
    assert [each for each in after["properties"]["securityRules"] if each["name"] in names] == before
    left = unmet_of(bastion_input(networkSecurity=ENFORCE), azure.rows()[hub()["id"].lower()], after)
    assert not left or done.plan.told
    own_rules = [each for each in after["properties"]["securityRules"] if each["name"] not in names]
    denies = [each for each in before if each["properties"]["access"] == "Deny" and stops_all(each)]
    for mine, deny in itertools.product([] if override else own_rules, denies):
        if slot(mine)[0] == slot(deny)[0]:
            assert slot(mine)[1] > slot(deny)[1], "a Deny of others stays in front"


def stops_all(deny: Row) -> bool:
    held = deny["properties"]
    return bool(held["sourceAddressPrefix"] == held["destinationPortRange"] == "*")
