"""Rules that let a Bastion into its targets: exactly where one is needed, and nothing of what belongs to others."""

import copy
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bastion_operator.api.common import Claim
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability import Verdict, judge_all
from bastion_operator.planning.bastion_host import plan_with_targets
from bastion_operator.planning.bastion_removal import plan_bastion_removal
from bastion_operator.planning.model import Observed, Plan, Verb
from bastion_operator.planning.ownership import Owner
from bastion_operator.planning.rule_mark import RuleMark
from bastion_operator.planning.target_findings import TARGET_RULE_CODES
from bastion_operator.planning.target_rule_plan import plan_target_rules
from bastion_operator.planning.target_rules import TargetRules, find_target_rules
from tests.support.azure_model import AzureModel
from tests.support.estates import Row, bastion, jit_policy, nic, nsg, nsg_id, public_ip, rule, subnet, vm, vm_id, vnet
from tests.support.plans import HOST, OWNER, Run, bastion_input, carry_out, marked, told

ENFORCE = {"targets": "Enforce", "subnet": "Off"}
PREFIX = "10.0.0.0/26"
SECOND = Owner("installation-1", "team", "other", "uid-2")
SECOND_MARK = RuleMark(SECOND, HOST)
CLOSED = rule("closed", 4096, "Deny")


def estate(*groups: Row, machines: dict[str, dict[str, Any]], on_subnet: str | None = "outer") -> list[Row]:
    """A host, and VMs ``name: {address, nsg, os}`` in one subnet with a group on it."""
    subnets = [subnet("AzureBastionSubnet", PREFIX), subnet("work", "10.0.1.0/24", nsg=on_subnet)]
    rows = [vnet("hub", "10.0.0.0/16", subnets=subnets), marked(bastion("bas", "hub", sku="Standard"))]
    rows.append(marked(public_ip("bas-ip")))
    for name, one in machines.items():
        rows.append(nic(f"{name}-nic", "hub", "work", one["address"], nsg=one.get("nsg")))
        rows.append(vm(name, os=one.get("os", "Linux"), power=one.get("power", "running")))
    return [*rows, *groups]


def verdicts(rows: list[Row]) -> list[Verdict]:
    return judge_all(Inventory.from_rows(rows), bastion_ids=[HOST])


def denied(rows: list[Row]) -> set[str]:
    """Names of VMs that a group keeps the host from."""
    codes = TARGET_RULE_CODES
    return {each.vm_name for each in verdicts(rows) if any(reason.code in codes for reason in each.reasons)}


def wanted(rows: list[Row], owner: Owner = OWNER, **spec: Any) -> TargetRules | None:
    asked = bastion_input(**spec)
    return find_target_rules(Inventory.from_rows(rows), asked.spec, RuleMark(owner, HOST), verdicts(rows))


def run(azure: AzureModel, claims: tuple[Claim, ...] = (), **spec: Any) -> Run:
    spec = {"networkSecurity": ENFORCE} | spec

    def make_plan(observed: Observed, claims: tuple[Claim, ...]) -> Plan:
        asked = replace(bastion_input(claims=claims, **spec), observed=observed)
        return plan_with_targets(asked, wanted(list(azure.rows().values()), **spec))

    return carry_out(azure, make_plan, claims, most=20)


def run_rules(azure: AzureModel, owner: Owner, claims: tuple[Claim, ...] = (), **spec: Any) -> Run:
    """The rules alone, of a custom resource to which the host does not belong."""

    def make_plan(observed: Observed, claims: tuple[Claim, ...]) -> Plan:
        asked = replace(bastion_input(claims=claims, **spec), owner=owner, observed=observed)
        return plan_target_rules(asked, wanted(list(azure.rows().values()), owner, **spec), Plan(claims=claims))

    return carry_out(azure, make_plan, claims, most=20)


def rules_of(azure: AzureModel, group: str) -> dict[str, Row]:
    return {
        each["name"]: each["properties"] for each in azure.rows()[nsg_id(group).lower()]["properties"]["securityRules"]
    }


def test_a_rule_for_exactly_the_vms_that_are_denied_on_both_groups_and_none_elsewhere() -> None:
    machines = {
        "web": {"address": "10.0.1.4", "nsg": "inner"},
        "db": {"address": "10.0.1.5"},
        "free": {"address": "10.0.1.9", "nsg": "open"},
    }
    deny = rule("no-ssh", 300, "Deny", destination=["10.0.1.4", "10.0.1.5"], ports="22")
    azure = AzureModel(estate(nsg("outer", deny), nsg("inner", CLOSED), nsg("open"), machines=machines))
    security = ENFORCE | {"overrideDenies": True}
    done = run(azure, networkSecurity=security)
    assert sorted(told(tuple(done.sent))) == sorted(
        ("Create", f"securityRules/{RuleMark(OWNER, HOST).name('tcp-22')}") for _ in range(2)
    )
    (outer,) = [each for name, each in rules_of(azure, "outer").items() if name.startswith("azurebastion")]
    (inner,) = [each for name, each in rules_of(azure, "inner").items() if name.startswith("azurebastion")]
    assert outer["sourceAddressPrefix"] == inner["sourceAddressPrefix"] == PREFIX
    assert outer["destinationAddressPrefix"] == "10.0.1.4/31"
    assert inner["destinationAddressPrefix"] == "10.0.1.4"
    assert (outer["priority"], inner["priority"]) == (299, 4000)
    assert denied(list(azure.rows().values())) == set()
    assert not run(azure, done.plan.claims, networkSecurity=security).sent


def test_a_foreign_deny_is_told_and_no_rule_is_written_behind_it_nor_on_the_other_group() -> None:
    machines = {"web": {"address": "10.0.1.4", "nsg": "inner"}}
    rows = estate(nsg("outer", CLOSED), nsg("inner", rule("mine", 100, "Deny")), machines=machines)
    found = wanted(rows)
    assert found is not None
    assert (found.wanted, {each.rule for each in found.told}) == ({}, {"closed", "mine"})
    half = wanted(rows, networkSecurity=ENFORCE | {"overrideDenies": True})
    assert half is not None
    assert half.wanted == {}, "with no place on the NIC's group the rule on the subnet's would change nothing"
    assert "NoFreePriority" in {each.code for each in half.told}


def test_a_foreign_deny_on_a_vm_that_nothing_leads_to_is_not_told_as_what_is_in_the_way() -> None:
    rows = estate(nsg("outer", CLOSED), machines={})
    apart = subnet("work", "10.9.1.0/24", nsg="outer")
    rows += [vnet("apart", "10.9.0.0/16", subnets=[apart]), nic("far-nic", "apart", "work", "10.9.1.4"), vm("far")]
    found = wanted(rows, targets={"scope": "All"})
    assert denied(rows) == {"far"}
    assert found is not None
    assert (found.wanted, found.told) == ({}, ())


@pytest.mark.parametrize("policy", [True, False])
def test_just_in_time_access_is_never_overridden(policy: bool) -> None:
    machines = {"web": {"address": "10.0.1.4"}}
    left = rule("MicrosoftDefenderForCloud-JITRule_1", 1000, "Deny", destination="10.0.1.4", ports="22")
    rows = estate(nsg("outer", rule("no", 500, "Deny", ports="22") if policy else left), machines=machines)
    rows += [jit_policy("web")] if policy else []
    found = wanted(rows, networkSecurity=ENFORCE | {"overrideDenies": True})
    assert found is not None
    assert (found.wanted, {each.code for each in found.told}) == ({}, {"JustInTimeAccess"})


def test_a_rule_that_would_not_turn_the_verdict_is_not_written_and_a_stopped_vm_gets_its_own() -> None:
    machines = {
        "off": {"address": "10.0.1.4", "power": "deallocated"},
        "windows": {"address": "10.0.1.5", "os": "Windows"},
    }
    rows = estate(nsg("outer", CLOSED), machines=machines)
    security = ENFORCE | {"overrideDenies": True}
    basic = [row | {"sku": {"name": "Basic"}} if row["id"] == HOST else row for row in rows]
    found = wanted(basic, sku="Basic", networkSecurity=security, targets={"protocols": ["SSH"]})
    assert found is not None
    (only,) = found.wanted.values()
    assert [each.destination for each in only] == [("10.0.1.4",)]


def test_ports_of_one_set_of_vms_share_a_rule_and_part_when_the_vms_do() -> None:
    machines = {"a": {"address": "10.0.1.4"}, "b": {"address": "10.0.1.5"}}
    azure = AzureModel(estate(nsg("outer", CLOSED), machines=machines))
    spec: dict[str, Any] = {"networkSecurity": ENFORCE | {"overrideDenies": True, "ports": {"ssh": [2222]}}}
    done = run(azure, **spec)
    (one,) = done.sent
    assert (one.body or {})["properties"]["destinationPortRanges"] == ["22", "2222"]
    both = run(azure, done.plan.claims, **spec, targets={"protocols": ["SSH", "RDP"]})
    (wider,) = both.sent
    assert (wider.verb, (wider.body or {})["properties"]["destinationPortRanges"]) == (
        Verb.UPDATE,
        ["22", "2222", "3389"],
    )
    narrowed = run(azure, both.plan.claims, networkSecurity=ENFORCE | {"overrideDenies": True})
    (last,) = narrowed.sent
    assert (last.body or {})["properties"]["destinationPortRange"] == "22"


def test_the_rule_goes_with_the_last_vm_and_with_the_resource() -> None:
    machines = {"a": {"address": "10.0.1.4"}, "b": {"address": "10.0.1.5"}}
    azure = AzureModel(estate(nsg("outer", CLOSED), machines=machines))
    start = rules_of(azure, "outer")
    spec: dict[str, Any] = {"networkSecurity": ENFORCE | {"overrideDenies": True}}
    done = run(azure, **spec)
    azure._rows.pop(vm_id("a").lower())
    fewer = run(azure, done.plan.claims, **spec)
    assert [each.verb for each in fewer.sent] == [Verb.UPDATE]
    azure._rows.pop(vm_id("b").lower())
    none = run(azure, fewer.plan.claims, **spec)
    assert [each.verb for each in none.sent] == [Verb.DELETE]
    assert rules_of(azure, "outer") == start
    assert not [each for each in none.plan.claims if each.purpose == "TargetRule"]


def test_a_rule_whose_change_failed_in_azure_is_sent_again_as_it_is() -> None:
    machines = {"web": {"address": "10.0.1.4", "nsg": "inner"}}
    azure = AzureModel(estate(nsg("outer"), nsg("inner", CLOSED), machines=machines))
    done = run(azure, networkSecurity=ENFORCE | {"overrideDenies": True})
    rows = list(azure.rows().values())
    (group,) = [row for row in rows if row["name"] == "inner"]
    (own,) = [each for each in group["properties"]["securityRules"] if each["name"].startswith("azurebastion")]
    own["properties"]["provisioningState"] = "Failed"
    asked = bastion_input(*rows, claims=done.plan.claims, networkSecurity=ENFORCE | {"overrideDenies": True})
    (change,) = plan_with_targets(asked, wanted(rows, networkSecurity=ENFORCE | {"overrideDenies": True})).changes
    assert (change.verb, change.body) == (Verb.UPDATE, own)
    assert "is in state Failed" in change.reason


def test_deleting_removes_exactly_the_claimed_and_marked_rules() -> None:
    machines = {"a": {"address": "10.0.1.4"}}
    azure = AzureModel(estate(nsg("outer", CLOSED), machines=machines))
    start = rules_of(azure, "outer")
    spec: dict[str, Any] = {"networkSecurity": ENFORCE | {"overrideDenies": True}}
    done = run(azure, **spec)

    def make_removal(observed: Observed, claims: tuple[Claim, ...]) -> Plan:
        return plan_bastion_removal(replace(bastion_input(claims=claims, **spec), observed=observed))

    removal = carry_out(azure, make_removal, done.plan.claims, most=10)
    assert removal.plan.settled
    assert rules_of(azure, "outer") == start


def test_a_rule_whose_mark_somebody_took_off_is_kept_and_told_on_deletion() -> None:
    azure = AzureModel(estate(nsg("outer", CLOSED), machines={"a": {"address": "10.0.1.4"}}))
    spec: dict[str, Any] = {"networkSecurity": ENFORCE | {"overrideDenies": True}}
    done = run(azure, **spec)
    azure._rows[nsg_id("outer").lower()]["properties"]["securityRules"][-1]["properties"]["description"] = "theirs"
    removal = plan_bastion_removal(replace(bastion_input(claims=done.plan.claims, **spec), observed=azure.observed()))
    assert "KeptNotOwned" in {each.code for each in removal.remains}
    assert not [each for each in removal.changes if "securityRules" in each.resource_id]


def test_audit_tells_the_rules_and_writes_none() -> None:
    rows = estate(nsg("outer", CLOSED), machines={"a": {"address": "10.0.1.4"}})
    azure = AzureModel(rows)
    security = {"subnet": "Off", "targets": "Audit"}
    done = run(azure, networkSecurity=security)
    assert (done.sent, [each.code for each in done.plan.told]) == ([], ["SecurityRuleShadowed"])
    assert rules_of(azure, "outer") == {"closed": CLOSED["properties"]}


# --- whatever others wrote, and whoever else is at work -----------------------------------------------------------

drawn_rules = st.lists(
    st.builds(
        lambda priority, access, source, destination, ports: rule(
            f"foreign-{priority}", priority, access, source=source, destination=destination, ports=ports
        ),
        st.one_of(st.integers(100, 104), st.integers(4000, 4096)),
        st.sampled_from(["Allow", "Deny", "Deny"]),
        st.sampled_from(["*", "VirtualNetwork", "Internet", PREFIX, "10.0.0.0/28", "10.0.0.0/8"]),
        st.sampled_from(["*", "10.0.1.4", "10.0.1.4/31", "10.0.1.0/24", "VirtualNetwork"]),
        st.sampled_from(["*", "22", "3389", "22-3389", "443"]),
    ),
    max_size=5,
    unique_by=lambda each: each["properties"]["priority"],
)
machine_sets = st.dictionaries(
    st.sampled_from(["a", "b", "c"]),
    st.fixed_dictionaries(
        {
            "nsg": st.sampled_from([None, "inner"]),
            "os": st.sampled_from(["Linux", "Windows"]),
            "power": st.sampled_from(["running", "deallocated"]),
        }
    ),
    min_size=1,
)


@given(drawn_rules, drawn_rules, machine_sets, st.booleans(), st.booleans())
@settings(max_examples=120, deadline=None)
def test_what_rules_can_open_is_open_the_rest_is_told_and_nothing_foreign_moves(
    outer: list[Row], inner: list[Row], drawn: dict[str, dict[str, Any]], override: bool, two: bool
) -> None:
    addresses = {"a": "10.0.1.4", "b": "10.0.1.5", "c": "10.0.1.7"}
    machines = {name: one | {"address": addresses[name]} for name, one in drawn.items()}
    azure = AzureModel(estate(nsg("outer", *outer), nsg("inner", *inner), machines=machines))
    before = copy.deepcopy({key: row["properties"] for key, row in azure.rows().items()})
    closed = denied(list(azure.rows().values()))
    spec: dict[str, Any] = {"networkSecurity": ENFORCE | {"overrideDenies": override}}
    done = run(azure, **spec)
    assert done.plan.settled
    if two:
        # A second custom resource on the same groups: each keeps its own rules and rests.
        other = run_rules(azure, SECOND, **spec)
        assert other.plan.settled
        assert not run_rules(azure, SECOND, other.plan.claims, **spec).sent
        assert not {each.resource_id for each in other.sent} & {each.resource_id for each in done.sent}
    assert not run(azure, done.plan.claims, **spec).sent
    after = denied(list(azure.rows().values()))
    assert after <= closed
    assert bool(after) == bool(done.plan.told)
    own = RuleMark(OWNER, HOST)
    for key, row in azure.rows().items():
        if "/networksecuritygroups/" in key:
            rules = row["properties"]["securityRules"]
            left = [each for each in rules if not own.names(each["name"]) and not SECOND_MARK.names(each["name"])]
            assert left == before[key]["securityRules"]
        else:
            assert row["properties"] == before[key]
    if not override:
        _no_deny_is_overridden(azure, own)
    assert all("/securityRules/" in each.resource_id for each in done.sent)
    if not two:
        _each_rule_counts(azure, own)


def _no_deny_is_overridden(azure: AzureModel, own: RuleMark) -> None:
    """Without leave the operator's rules stand behind every Deny that names one of their ports and any address."""
    for group in ("outer", "inner"):
        rules = rules_of(azure, group)
        mine = [each["priority"] for name, each in rules.items() if own.names(name)]
        for each in rules.values():
            everything = each["sourceAddressPrefix"] == each["destinationAddressPrefix"] == "*"
            if each["access"] == "Deny" and everything and each["destinationPortRange"] == "*":
                assert all(priority > each["priority"] for priority in mine)


def _each_rule_counts(azure: AzureModel, own: RuleMark) -> None:
    """Taken out alone, each of the operator's rules would close a VM."""
    rows = list(azure.rows().values())
    open_now = denied(rows)
    for row in rows:
        for each in row["properties"].get("securityRules", []):
            if own.names(each["name"]):
                without = copy.deepcopy(rows)
                group = next(one for one in without if one["id"] == row["id"])
                group["properties"]["securityRules"] = [
                    one for one in group["properties"]["securityRules"] if one["name"] != each["name"]
                ]
                assert denied(without) > open_now


def test_two_custom_resources_on_one_group_write_each_their_own_and_rest() -> None:
    azure = AzureModel(estate(nsg("outer", CLOSED), machines={"a": {"address": "10.0.1.4"}}))
    spec: dict[str, Any] = {"networkSecurity": ENFORCE | {"overrideDenies": True}}
    one, two = run(azure, **spec), run_rules(azure, SECOND, **spec)
    names = {RuleMark(OWNER, HOST).name("tcp-22"), SECOND_MARK.name("tcp-22")}
    assert set(rules_of(azure, "outer")) == {"closed", *names}
    assert not run(azure, one.plan.claims, **spec).sent
    assert not run_rules(azure, SECOND, two.plan.claims, **spec).sent
