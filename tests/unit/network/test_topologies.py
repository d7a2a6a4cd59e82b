"""Topologies beyond hub and spoke: virtual WAN, gateways, Developer, private-only, scale sets, doubtful tags."""

from typing import Any

import pytest

from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability import Verdict, judge, judge_all
from tests.support.estates import (
    SUBSCRIPTION,
    Estate,
    Row,
    add,
    admin_rule,
    bastion,
    change,
    drop,
    gateway,
    hub,
    hub_and_spoke,
    hub_connection,
    hub_route_table,
    nic,
    peering,
    public_ip,
    resource_id,
    route,
    rule,
    same_vnet,
    scale_set,
    security_admin,
    site,
    subnet,
    vm,
    vm_id,
    vnet,
    with_nsg,
    with_routes,
)


def ask(estate: Estate, name: str = "web", **options: Any) -> Verdict:
    return judge(Inventory.from_rows(estate), vm_id(name), **options)


def reasons(verdict: Verdict) -> list[str]:
    return [reason.code for reason in verdict.reasons]


def apart(**bastion_options: Any) -> Estate:
    estate = change(hub_and_spoke(**bastion_options), "hub", "properties.virtualNetworkPeerings", [])
    return change(estate, "spoke", "properties.virtualNetworkPeerings", [])


def routing(associated: str, *, ids: list[str] | None = None, labels: list[str] | None = None) -> dict[str, Any]:
    """A connection's routing configuration."""
    tables = {"ids": [{"id": one} for one in ids or []], "labels": labels or []}
    return {"routingConfiguration": {"associatedRouteTable": {"id": associated}, "propagatedRouteTables": tables}}


def test_two_hubs_of_one_wan_with_default_routing_carry_ip_connect() -> None:
    estate = add(
        apart(enableIpConnect=True),
        hub("east"),
        hub("west"),
        hub_connection("east", "hub"),
        hub_connection("west", "spoke"),
    )
    verdict = ask(estate)
    assert (verdict.verdict, verdict.via, verdict.methods) == ("Reachable", "IpConnect", ("Portal",))
    assert {"IpConnectRequired", "NotLookedAt"} <= {warning.code for warning in verdict.warnings}


def test_hubs_of_two_wans_carry_nothing() -> None:
    wans = [hub("east", "one"), hub("west", "two"), hub_connection("east", "hub"), hub_connection("west", "spoke")]
    verdict = ask(add(apart(enableIpConnect=True), *wans))
    assert (reasons(verdict), verdict.bastion) == (["NotPeered"], None)


def test_route_tables_have_to_take_each_others_prefixes() -> None:
    hub_table, spoke_table = (hub_route_table("east", name, labels=[name]) for name in ("shared", "isolated"))
    shared, isolated = hub_table["id"], spoke_table["id"]

    def estate(hub_ids: list[str], spoke_labels: list[str]) -> Estate:
        return add(
            apart(enableIpConnect=True),
            hub("east"),
            hub_table,
            spoke_table,
            hub_connection("east", "hub", **routing(shared, ids=hub_ids)),
            hub_connection("east", "spoke", **routing(isolated, labels=spoke_labels)),
        )

    assert ask(estate([isolated.upper()], ["SHARED"])).via == "IpConnect"
    assert reasons(ask(estate([isolated], ["isolated"]))) == ["NotPeered", "NoRouteToTarget"]
    assert reasons(ask(estate([shared], ["shared"]))) == ["NotPeered", "NoRouteToTarget"]


def test_a_hub_without_its_row_leaves_the_wan_open() -> None:
    estate = add(
        apart(enableIpConnect=True), hub("east"), hub_connection("east", "hub"), hub_connection("west", "spoke")
    )
    assert reasons(ask(estate)) == ["EffectiveDataUnavailable"]


def test_the_native_client_works_over_ip_connect_on_default_ports_only_and_links_not_at_all() -> None:
    wan = [hub("east"), hub_connection("east", "hub"), hub_connection("east", "spoke")]
    estate = add(apart(enableIpConnect=True, enableTunneling=True, enableShareableLink=True), *wan)
    assert ask(estate).methods == ("Portal", "NativeClient")
    assert ask(estate, port=2222).methods == ("Portal",)
    assert ask(hub_and_spoke(enableTunneling=True, enableShareableLink=True), port=2222).methods == (
        "Portal",
        "NativeClient",
        "ShareableLink",
    )


def test_over_ip_connect_a_route_that_sends_replies_elsewhere_than_to_the_gateway_diverts_them() -> None:
    wan = [hub("east"), hub_connection("east", "hub"), hub_connection("east", "spoke")]
    estate = add(apart(enableIpConnect=True), *wan)
    appliance = route("bastion", "10.0.1.0/26", "VirtualAppliance", "10.1.9.4")
    home = route("bastion", "10.0.1.0/26", "VirtualNetworkGateway")
    everything = route("all", "0.0.0.0/0", "VirtualAppliance", "10.1.9.4")
    assert reasons(ask(with_routes(estate, "subnet", appliance))) == ["ReturnRouteDiverted"]
    assert ask(with_routes(estate, "subnet", home, everything)).verdict == "Reachable"
    assert reasons(ask(with_routes(estate, "subnet", everything, propagates_bgp=False))) == ["ReturnRouteDiverted"]


@pytest.mark.parametrize(("prefix", "seen"), [("10.0.1.0/26", False), ("10.9.0.0/16", True)])
def test_where_a_route_diverts_for_certain_what_is_not_seen_of_others_is_not_told(prefix: str, seen: bool) -> None:
    estate = add(
        apart(enableIpConnect=True), hub("east"), hub_connection("east", "hub"), hub_connection("east", "spoke")
    )
    verdict = ask(with_routes(estate, "subnet", route("away", prefix, "VirtualAppliance", "10.1.9.4")))
    told = [one for one in verdict.warnings if one.code == "NotLookedAt" and "the routes back" in one.message]
    assert bool(told) == seen
    assert ("ReturnRouteDiverted" in reasons(verdict)) != seen


def test_a_site_that_covers_the_vm_is_a_route_and_a_gateway_alone_is_none() -> None:
    spoken = [bastion_subnet_vnet("hub"), gateway("vpn", "hub")]
    estate = add(drop(apart(enableIpConnect=True), "hub"), *spoken)
    asked: dict[str, Any] = {"bastion_ids": [next(row["id"] for row in estate if row["name"] == "bas")]}
    assert reasons(ask(estate, **asked)) == ["NotPeered", "NoRouteToTarget"]
    assert ask(add(estate, *site("branch", "vpn", "10.1.0.0/16")), **asked).via == "IpConnect"
    assert reasons(ask(add(estate, *site("branch", "vpn", "10.7.0.0/16")), **asked)) == ["NotPeered", "NoRouteToTarget"]


def bastion_subnet_vnet(name: str) -> Row:
    return vnet(name, "10.0.0.0/16", subnets=[subnet("AzureBastionSubnet", "10.0.1.0/26")])


def test_a_vnet_to_vnet_connection_is_a_route() -> None:
    gateways = [gateway("here", "hub"), gateway("there", "spoke")]
    ends = {f"virtualNetworkGateway{place}": {"id": row["id"]} for place, row in enumerate(gateways, start=1)}
    joined = {"id": resource_id("Microsoft.Network/connections", "both"), "properties": ends}
    estate = add(apart(enableIpConnect=True), *gateways, joined)
    bas = next(row["id"] for row in estate if row["name"] == "bas")
    assert ask(estate, bastion_ids=[bas]).via == "IpConnect"


def test_a_route_on_the_bastion_subnet_towards_the_vm_leaves_it_open() -> None:
    estate = with_routes(
        apart(enableIpConnect=True), "bastion", route("spokes", "10.1.0.0/16", "VirtualAppliance", "10.0.9.4")
    )
    bas = next(row["id"] for row in estate if row["name"] == "bas")
    assert reasons(ask(estate, bastion_ids=[bas])) == ["EffectiveDataUnavailable"]


def developer(estate: Estate) -> Estate:
    return add(drop(estate, "bas", "bas-ip"), bastion("bas", "hub", sku="Developer"))


def test_developer_reaches_its_own_vnet_without_a_subnet_and_only_by_portal() -> None:
    estate = developer(change(same_vnet(), "hub", "properties.subnets.0.name", "other"))
    verdict = ask(estate)
    assert (verdict.verdict, verdict.via, verdict.methods) == ("Reachable", "SameVNet", ("Portal",))


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        ([rule("no-host", 100, "Deny", source="168.63.129.16")], ["NicNsgDenies"]),
        ([rule("no-balancer", 100, "Deny", source="AzureLoadBalancer")], ["NicNsgDenies"]),
        ([rule("no-network", 100, "Deny", source="VirtualNetwork")], ["NicNsgDenies"]),
        ([rule("no-internet", 100, "Deny", source="Internet")], ["EffectiveDataUnavailable"]),
        ([rule("no-bastion", 100, "Deny", source="10.0.1.0/26")], []),
        ([rule("no-storage", 100, "Deny", source="Storage")], []),
    ],
    ids=lambda value: value[0]["name"] if value and isinstance(value[0], dict) else None,
)
def test_developers_source_is_the_address_of_the_host(held: list[Row], expected: list[str]) -> None:
    assert reasons(ask(developer(with_nsg(same_vnet(), "nic", *held)))) == expected


def test_no_user_route_applies_to_developers_source() -> None:
    diverting = route("all", "168.0.0.0/8", "VirtualAppliance", "10.0.9.4")
    assert ask(developer(with_routes(same_vnet(), "subnet", diverting))).verdict == "Reachable"


def test_a_private_only_bastion_needs_no_public_ip_and_reaches_peers() -> None:
    estate = drop(hub_and_spoke(sku="Premium", enablePrivateOnlyBastion=True), "bas-ip")
    assert ask(estate).via == "Peering"


def test_session_recording_excludes_the_native_client() -> None:
    estate = same_vnet(sku="Premium", enableTunneling=True, enableSessionRecording=True)
    assert ask(estate).methods == ("Portal",)


def test_subscriptions_may_differ() -> None:
    estate = hub_and_spoke()
    moved = "00000000-0000-0000-0000-0000000000b2"

    def elsewhere(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: elsewhere(held) for key, held in value.items()}
        if isinstance(value, list):
            return [elsewhere(held) for held in value]
        if isinstance(value, str) and value.split("/virtualNetworks/")[-1].startswith("spoke"):
            return value.replace(SUBSCRIPTION, moved)
        return value

    assert ask(elsewhere(estate)).via == "Peering"


def test_an_appliances_default_route_puts_everything_into_the_tag() -> None:
    closed = with_nsg(hub_and_spoke(), "subnet", rule("no-internet", 100, "Deny", source="Internet"))
    closed = change(
        closed, "spoke", "properties.virtualNetworkPeerings.0.properties.allowVirtualNetworkAccess", value=False
    )
    assert reasons(ask(closed)) == ["SubnetNsgDenies"]
    appliance = with_routes(closed, "subnet", route("all", "0.0.0.0/0", "VirtualAppliance", "10.1.9.4"))
    assert ask(appliance).verdict == "Reachable"
    gateway_route = with_routes(closed, "subnet", route("all", "0.0.0.0/0", "VirtualNetworkGateway"))
    verdict = ask(gateway_route)
    assert reasons(verdict) == ["EffectiveDataUnavailable"]
    assert "route all" in verdict.reasons[0].message


def test_a_default_route_that_changes_no_decision_leaves_nothing_open() -> None:
    estate = with_nsg(hub_and_spoke(), "subnet")
    assert ask(with_routes(estate, "subnet", route("all", "0.0.0.0/0", "VirtualNetworkGateway"))).verdict == "Reachable"
    closed = with_nsg(hub_and_spoke(), "subnet", rule("no", 100, "Deny"))
    routed = with_routes(closed, "subnet", route("all", "0.0.0.0/0", "Internet"))
    assert reasons(ask(routed)) == ["SubnetNsgDenies"]


def test_always_allow_passes_by_the_groups_for_those_sources_only() -> None:
    estate = with_nsg(hub_and_spoke(), "nic", rule("closed", 100, "Deny"))
    half = add(estate, *security_admin("spoke", admin_rule("half", 5, "AlwaysAllow", source="10.0.1.0/27")))
    assert reasons(ask(half)) == ["NsgPartiallyBlocksBastion"]
    whole = add(estate, *security_admin("spoke", admin_rule("all", 5, "AlwaysAllow", source="VirtualNetwork")))
    assert ask(whole).verdict == "Reachable"


def test_administrators_rules_come_in_the_order_of_their_numbers_and_before_the_groups() -> None:
    deny, allow = admin_rule("deny", 10, "Deny"), admin_rule("allow", 20, "AlwaysAllow")
    estate = with_nsg(hub_and_spoke(), "nic", rule("open", 100, "Allow"))
    verdict = ask(add(estate, *security_admin("spoke", deny, allow)))
    assert [(reason.code, reason.rule, reason.priority) for reason in verdict.reasons] == [
        ("SecurityAdminDenies", "deny", 10)
    ]
    assert (
        ask(add(estate, *security_admin("spoke", deny | {"name": "late"}, admin_rule("early", 5, "Allow")))).verdict
        == "Reachable"
    )
    assert ask(add(estate, *security_admin("hub", deny))).verdict == "Reachable"
    assert (
        ask(add(estate, *security_admin("spoke", admin_rule("web", 10, "Deny", ports=["80", "443"])))).verdict
        == "Reachable"
    )


def test_allow_rules_only_drops_denies_where_a_managed_instance_lives() -> None:
    mode = {"applyOnNetworkIntentPolicyBasedServices": ["AllowRulesOnly"]}
    estate = add(hub_and_spoke(), *security_admin("spoke", admin_rule("deny", 10, "Deny"), **mode))
    assert reasons(ask(estate)) == ["SecurityAdminDenies"]
    delegated = [{"name": "sql", "properties": {"serviceName": "Microsoft.Sql/managedInstances"}}]
    held = change(estate, "spoke", "properties.subnets.0.properties.delegations", delegated)
    assert ask(held).verdict == "Reachable"


def instances(estate: Estate) -> list[Verdict]:
    verdicts = judge_all(Inventory.from_rows(estate))
    return [verdict for verdict in verdicts if "virtualMachineScaleSets" in verdict.vm]


def test_instances_of_a_uniform_scale_set_are_judged_from_its_network_profile() -> None:
    estate = add(hub_and_spoke(), *scale_set("fleet", "spoke", "workload", instances=3))
    assert [(verdict.verdict, verdict.via) for verdict in instances(estate)] == [("Reachable", "Peering")] * 3
    closed = with_nsg(estate, "subnet", rule("no", 100, "Deny", source="10.0.1.0/26"))
    assert {code for verdict in instances(closed) for code in reasons(verdict)} == {"SubnetNsgDenies"}


def test_a_rule_that_splits_the_subnet_of_a_scale_set_leaves_its_instances_open() -> None:
    estate = add(hub_and_spoke(), *scale_set("fleet", "spoke", "workload"))
    split = with_nsg(estate, "subnet", rule("some", 100, "Deny", destination="10.1.2.128/25"))
    assert [reasons(verdict) for verdict in instances(split)] == [["EffectiveDataUnavailable"]]
    assert ask(split).verdict == "Reachable"
    outside = with_nsg(estate, "subnet", rule("other", 100, "Deny", destination="10.1.3.0/24"))
    assert [verdict.verdict for verdict in instances(outside)] == ["Reachable"]


def test_a_full_mesh_answers_with_the_vms_own_bastion_and_names_the_others() -> None:
    names = ("a", "b", "c")
    spaces = {name: f"10.{place}.0.0/16" for place, name in enumerate(names, start=1)}
    rows: Estate = []
    for place, name in enumerate(names, start=1):
        links = [peering(other, space=[spaces[other]]) for other in names if other != name]
        subnets = [subnet("AzureBastionSubnet", f"10.{place}.1.0/26"), subnet("w", f"10.{place}.2.0/24")]
        rows += [
            vnet(name, spaces[name], subnets=subnets, peerings=links),
            public_ip(f"bas-{name}-ip"),
            bastion(f"bas-{name}", name),
        ]
        rows += [nic(f"vm-{name}-nic", name, "w", f"10.{place}.2.4"), vm(f"vm-{name}")]
    for verdict in judge_all(Inventory.from_rows(rows)):
        own = verdict.vm_name.removeprefix("vm-")
        assert (verdict.via, (verdict.bastion or "").rsplit("/", 1)[-1]) == ("SameVNet", f"bas-{own}")
        assert (len(verdict.candidates), verdict.reached_by) == (3, 3)
        assert all(candidate.verdict == "Reachable" for candidate in verdict.candidates)
