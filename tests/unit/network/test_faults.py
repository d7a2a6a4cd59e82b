"""Faults that have nothing to do with each other: as many reasons as faults, and none left when all fixes are applied."""

from collections.abc import Callable
from functools import reduce
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bastion_operator.network.fixes import apply_fix, explain
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability import Verdict, judge
from tests.support.estates import (
    DELETE,
    Estate,
    add,
    admin_rule,
    bastion_rules,
    change,
    hub,
    hub_and_spoke,
    hub_connection,
    nsg,
    private_zone_link,
    ref,
    route,
    route_table,
    routing_intent,
    rule,
    security_admin,
    vm_id,
)

Fault = Callable[[Estate], Estate]
LINK = "properties.virtualNetworkPeerings.0.properties"
GROUP = "properties.subnets.0.properties.networkSecurityGroup"
TABLE = "properties.subnets.0.properties.routeTable"


def with_table(estate: Estate, network: str, *routes: dict[str, object]) -> Estate:
    table = route_table(f"{network}-routes", *routes)
    return change(add(estate, table), network, TABLE, ref(table["id"]))


def with_group(estate: Estate, network: str, *rules: dict[str, object]) -> Estate:
    """The group of a VNet's first subnet with these rules more."""
    name = f"{network}-guard"
    held = next((row["properties"]["securityRules"] for row in estate if row["name"] == name), None)
    if held is not None:
        return change(estate, name, "properties.securityRules", [*held, *rules])
    own = bastion_rules() if network == "hub" else []
    group = nsg(name, *own, *rules)
    return change(add(estate, group), network, GROUP, ref(group["id"]))


def subnet_lists(estate: Estate) -> Estate:
    listed = change(estate, "hub", f"{LINK}.peerCompleteVnets", value=False)
    listed = change(listed, "hub", f"{LINK}.localSubnetNames", ["AzureBastionSubnet"])
    return change(listed, "hub", f"{LINK}.remoteSubnetNames", ["another"])


def only_ipv6(estate: Estate) -> Estate:
    listed = change(estate, "spoke", f"{LINK}.peerCompleteVnets", value=False)
    listed = change(listed, "spoke", f"{LINK}.localSubnetNames", ["workload"])
    listed = change(listed, "spoke", f"{LINK}.remoteSubnetNames", ["AzureBastionSubnet"])
    return change(listed, "spoke", f"{LINK}.enableOnlyIPv6Peering", value=True)


def powered(word: str) -> Fault:
    return lambda estate: change(
        estate, "web", "properties.extended.instanceView.powerState.code", f"PowerState/{word}"
    )


def bastion_field(path: str, value: object) -> Fault:
    return lambda estate: change(estate, "bas", path, value)


def linked(network: str, field: str, value: object) -> Fault:
    return lambda estate: change(estate, network, f"{LINK}.{field}", value)


def public_ip_field(path: str, value: object) -> Fault:
    return lambda estate: change(estate, "bas-ip", path, value)


def routed(network: str, *routes: dict[str, object]) -> Fault:
    return lambda estate: with_table(estate, network, *routes)


def guarded(network: str, *rules: dict[str, object]) -> Fault:
    return lambda estate: with_group(estate, network, *rules)


def nic_guarded(*rules: dict[str, object]) -> Fault:
    group = nsg("nic-guard", *rules)
    return lambda estate: change(add(estate, group), "web-nic", "properties.networkSecurityGroup", ref(group["id"]))


def no_way_out(**fields: Any) -> dict[str, object]:
    return rule("no-way-out", 105, "Deny", direction="Outbound", ports="3389", **fields)


def administered(*rules: dict[str, Any]) -> Fault:
    return lambda estate: add(estate, *security_admin("spoke", *rules))


def secured_hub(estate: Estate) -> Estate:
    connection = hub_connection("east", "hub", enableInternetSecurity=True)
    return add(estate, hub("east"), routing_intent("east", "Internet"), connection)


APPLIANCE = ("VirtualAppliance", "10.0.9.4")
PARTLY = "NsgPartiallyBlocksBastion"
FAULTS: tuple[tuple[tuple[str, Fault], ...], ...] = (
    (
        ("BastionUpdating", bastion_field("properties.provisioningState", "Updating")),
        ("BastionUpdating", bastion_field("properties.provisioningState", "Creating")),
        ("BastionStateFailed", bastion_field("properties.provisioningState", "Failed")),
    ),
    (
        ("SubnetDefaultRouteDiverted", routed("hub", route("all", "0.0.0.0/0", "None"))),
        ("SubnetDefaultRouteDiverted", routed("hub", route("high", "128.0.0.0/1", *APPLIANCE))),
    ),
    (("VwanDefaultRoutePropagated", secured_hub),),
    (
        ("PrivateDnsZoneConflict", lambda estate: add(estate, private_zone_link("core.windows.net", "hub"))),
        ("PrivateDnsZoneConflict", lambda estate: add(estate, private_zone_link("vault.azure.net", "hub"))),
    ),
    (
        ("BastionNsgRuleShadowed", guarded("hub", rule("no", 101, "Deny", source="GatewayManager", ports="443"))),
        (
            "BastionNsgRuleShadowed",
            guarded("hub", rule("no", 101, "Deny", destination="AzureCloud", ports="443", direction="Outbound")),
        ),
    ),
    (
        ("PublicIPInvalid", public_ip_field("sku.name", "Basic")),
        ("PublicIPInvalid", public_ip_field("properties.publicIPAllocationMethod", "Dynamic")),
        ("PublicIPInvalid", public_ip_field("location", "northeurope")),
    ),
    (("VMNotRunning", powered("stopped")), ("VMNotRunning", powered("deallocating"))),
    (("ProtocolNotSupportedBySku", bastion_field("sku.name", "Basic")),),
    (("CrossTenantPeering", lambda estate: change(estate, "spoke", "tenantId", "another")),),
    (
        ("PeeringOneSided", linked("spoke", "peeringState", "Initiated")),
        ("PeeringOneSided", linked("hub", "peeringState", "Initiated")),
    ),
    (("AddressSpaceNotSynced", linked("hub", "remoteAddressSpace.addressPrefixes", [])),),
    (("SubnetNotPeered", subnet_lists),),
    (("SubnetPeeringIPv6Only", only_ipv6),),
    (
        ("BastionNsgDenies", guarded("hub", no_way_out())),
        ("BastionNsgDenies", guarded("hub", no_way_out(destination="10.1.0.0/16"))),
        (PARTLY, guarded("hub", no_way_out(source="10.0.1.32/27"))),
    ),
    (
        ("SecurityAdminDenies", administered(admin_rule("no", 10, "Deny"))),
        ("SecurityAdminDenies", administered(admin_rule("no", 1, "Deny", source="10.0.1.0/27"))),
    ),
    (
        ("SubnetNsgDenies", guarded("spoke", rule("no", 100, "Deny", source="VirtualNetwork"))),
        ("SubnetNsgDenies", guarded("spoke", rule("no", 4096, "Deny", protocol="*"))),
        (PARTLY, guarded("spoke", rule("no", 300, "Deny", source_ports="50000-51000"))),
    ),
    (
        ("NicNsgDenies", nic_guarded(rule("no", 100, "Deny", source="10.0.0.0/8"))),
        ("NicNsgDenies", nic_guarded(rule("MicrosoftDefenderForCloud-JITRule_1", 4000, "Deny", ports="3389"))),
        ("NicNsgDenies", nic_guarded(rule("NRMS-Rule-106", 106, "Deny", ports=["22", "3389"]))),
        (PARTLY, nic_guarded(rule("no", 200, "Deny", source="10.0.1.16/28"))),
    ),
    (
        ("ReturnRouteDiverted", routed("spoke", route("b", "10.0.0.0/16", *APPLIANCE))),
        ("ReturnRouteDiverted", routed("spoke", route("b", "10.0.1.32/28", "None"))),
        ("ReturnRouteDiverted", routed("spoke", route("b", "10.0.1.0/26", "Internet"))),
    ),
)
"""What the VM depends on, in the order of the steps, and the ways in which each can break with the code that tells of it."""

ANOTHER_BASTION = "CrossTenantPeering"
"""A fault that this Bastion cannot be rid of: the fix is another one."""

ALSO_MENDED = {
    "PeeringOneSided": {"AddressSpaceNotSynced"},
    "PublicIPInvalid": {"BastionUpdating", "BastionStateFailed"},
    "VwanDefaultRoutePropagated": {"SubnetDefaultRouteDiverted"},
}
"""What a fix mends beside its own reason: a link written again is in sync, a host made anew is up to date."""

Broken = tuple[tuple[str, Fault], ...]
PLACES = range(len(FAULTS))


def some_faults(most: int, *, fewest: int = 0) -> st.SearchStrategy[Broken]:
    """Things that break at once, each in one of its ways."""

    def ways(places: set[int]) -> st.SearchStrategy[Broken]:
        return st.tuples(*(st.sampled_from(FAULTS[place]) for place in sorted(places)))

    return st.sets(st.sampled_from(PLACES), min_size=fewest, max_size=most).flatmap(ways)


def broken_by(faults: Broken) -> Estate:
    return reduce(lambda estate, fault: fault[1](estate), faults, hub_and_spoke())


def ask(estate: Estate) -> Verdict:
    return judge(Inventory.from_rows(estate), vm_id("web"), protocol="RDP")


def explained(estate: Estate) -> Verdict:
    inventory = Inventory.from_rows(estate)
    return explain(judge(inventory, vm_id("web"), protocol="RDP"), inventory)


@settings(max_examples=200, deadline=None)
@given(some_faults(7))
def test_as_many_faults_as_reasons_in_the_order_of_the_steps(faults: Broken) -> None:
    verdict = ask(broken_by(faults))
    assert [reason.code for reason in verdict.reasons] == [code for code, _ in faults]
    open_only = {code for code, _ in faults} <= {"BastionUpdating", "BastionStateFailed"}
    assert verdict.verdict == ("Reachable" if not faults else "Unknown" if open_only else "Unreachable")


@settings(max_examples=60, deadline=None)
@given(some_faults(4))
def test_a_disconnected_link_takes_the_place_of_every_other_fault_of_the_peering_and_of_none_else(
    faults: Broken,
) -> None:
    estate = change(broken_by(faults), "hub", f"{LINK}.peeringState", "Disconnected")
    hidden = {"PeeringOneSided", "AddressSpaceNotSynced", "SubnetNotPeered", "SubnetPeeringIPv6Only"}
    expected = [code for code, _ in faults if code not in hidden]
    told = [reason.code for reason in ask(estate).reasons]
    assert [code for code in told if code != "PeeringDisconnected"] == expected
    assert told.count("PeeringDisconnected") == 1


@settings(max_examples=150, deadline=None)
@given(some_faults(8, fewest=1))
def test_the_fixes_of_all_reasons_together_make_the_vm_reachable(faults: Broken) -> None:
    faults = tuple(fault for fault in faults if fault[0] != ANOTHER_BASTION)
    estate = broken_by(faults)
    verdict = explained(estate)
    assert [reason.code for reason in verdict.reasons] == [code for code, _ in faults]
    for reason in verdict.reasons:
        assert reason.fix is not None, reason.code
        estate = apply_fix(estate, reason.fix)
    assert ask(estate).verdict == "Reachable", ask(estate).reasons


@settings(max_examples=80, deadline=None)
@given(some_faults(5, fewest=2))
def test_each_fix_takes_its_own_reason_away_and_no_other(faults: Broken) -> None:
    estate = broken_by(faults)
    reasons = explained(estate).reasons
    for reason in reasons:
        if reason.code == ANOTHER_BASTION:
            continue
        assert reason.fix is not None, reason.code
        told = [one.code for one in ask(apply_fix(estate, reason.fix)).reasons]
        # Of one that mends several reasons each of them tells.
        left = [code for (code, _), one in zip(faults, reasons, strict=True) if one.fix != reason.fix]
        also = set().union(*(ALSO_MENDED.get(one.code, set()) for one in reasons if one.fix == reason.fix))
        assert told in (left, [code for code in left if code not in also])


def test_an_estate_that_was_mended_step_by_step_is_reachable_only_at_the_end() -> None:
    faults = [ways[0] for ways in FAULTS]
    while faults:
        told = [reason.code for reason in ask(broken_by(tuple(faults))).reasons]
        assert told == [code for code, _ in faults]
        del faults[0]
    assert ask(hub_and_spoke()).verdict == "Reachable"
    assert ask(change(hub_and_spoke(), "web", "properties.extended", DELETE)).verdict == "Unknown"
