"""Faults that have nothing to do with each other: as many reasons as faults, and none left when all fixes are applied."""

from collections.abc import Callable

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


def with_nic_group(estate: Estate) -> Estate:
    group = nsg("nic-guard", rule("no", 100, "Deny", source="10.0.0.0/8"))
    return change(add(estate, group), "web-nic", "properties.networkSecurityGroup", ref(group["id"]))


def subnet_lists(estate: Estate) -> Estate:
    listed = change(estate, "hub", f"{LINK}.peerCompleteVnets", value=False)
    listed = change(listed, "hub", f"{LINK}.localSubnetNames", ["AzureBastionSubnet"])
    return change(listed, "hub", f"{LINK}.remoteSubnetNames", ["another"])


def only_ipv6(estate: Estate) -> Estate:
    listed = change(estate, "spoke", f"{LINK}.peerCompleteVnets", value=False)
    listed = change(listed, "spoke", f"{LINK}.localSubnetNames", ["workload"])
    listed = change(listed, "spoke", f"{LINK}.remoteSubnetNames", ["AzureBastionSubnet"])
    return change(listed, "spoke", f"{LINK}.enableOnlyIPv6Peering", value=True)


FAULTS: dict[str, Callable[[Estate], Estate]] = {
    "BastionUpdating": lambda estate: change(estate, "bas", "properties.provisioningState", "Updating"),
    "SubnetDefaultRouteDiverted": lambda estate: with_table(estate, "hub", route("all", "0.0.0.0/0", "None")),
    "PrivateDnsZoneConflict": lambda estate: add(estate, private_zone_link("core.windows.net", "hub")),
    "BastionNsgDenies": lambda estate: with_group(
        estate, "hub", rule("no-rdp", 105, "Deny", direction="Outbound", ports="3389")
    ),
    "BastionNsgRuleShadowed": lambda estate: with_group(
        estate, "hub", rule("no-manager", 101, "Deny", source="GatewayManager", ports="443")
    ),
    "VwanDefaultRoutePropagated": lambda estate: add(
        estate,
        hub("east"),
        routing_intent("east", "Internet"),
        hub_connection("east", "hub", enableInternetSecurity=True),
    ),
    "SubnetPeeringIPv6Only": only_ipv6,
    "PublicIPInvalid": lambda estate: change(estate, "bas-ip", "sku.name", "Basic"),
    "VMNotRunning": lambda estate: change(
        estate, "web", "properties.extended.instanceView.powerState.code", "PowerState/stopped"
    ),
    "ProtocolNotSupportedBySku": lambda estate: change(estate, "bas", "sku.name", "Basic"),
    "CrossTenantPeering": lambda estate: change(estate, "spoke", "tenantId", "another"),
    "PeeringOneSided": lambda estate: change(estate, "spoke", f"{LINK}.peeringState", "Initiated"),
    "AddressSpaceNotSynced": lambda estate: change(estate, "hub", f"{LINK}.remoteAddressSpace.addressPrefixes", []),
    "SubnetNotPeered": subnet_lists,
    "SecurityAdminDenies": lambda estate: add(estate, *security_admin("spoke", admin_rule("no", 10, "Deny"))),
    "SubnetNsgDenies": lambda estate: with_group(estate, "spoke", rule("no", 100, "Deny", source="VirtualNetwork")),
    "NicNsgDenies": with_nic_group,
    "ReturnRouteDiverted": lambda estate: with_table(estate, "spoke", route("b", "10.0.0.0/16", "VirtualAppliance")),
}
ORDER = (
    "BastionUpdating",
    "SubnetDefaultRouteDiverted",
    "VwanDefaultRoutePropagated",
    "PrivateDnsZoneConflict",
    "BastionNsgRuleShadowed",
    "PublicIPInvalid",
    "VMNotRunning",
    "ProtocolNotSupportedBySku",
    "CrossTenantPeering",
    "PeeringOneSided",
    "AddressSpaceNotSynced",
    "SubnetNotPeered",
    "SubnetPeeringIPv6Only",
    "BastionNsgDenies",
    "SecurityAdminDenies",
    "SubnetNsgDenies",
    "NicNsgDenies",
    "ReturnRouteDiverted",
)


ANOTHER_BASTION = {"CrossTenantPeering"}
"""Faults that this Bastion cannot be rid of: the fix is another one."""

ALSO_MENDED = {
    "PeeringOneSided": {"AddressSpaceNotSynced"},
    "PublicIPInvalid": {"BastionUpdating"},
    "VwanDefaultRoutePropagated": {"SubnetDefaultRouteDiverted"},
}
"""What a fix mends beside its own reason: a link written again is in sync, a host made anew is up to date."""


def ask(estate: Estate) -> Verdict:
    return judge(Inventory.from_rows(estate), vm_id("web"), protocol="RDP")


@settings(max_examples=150, deadline=None)
@given(st.sets(st.sampled_from(sorted(FAULTS)), max_size=6))
def test_as_many_faults_as_reasons_in_the_order_of_the_steps(chosen: set[str]) -> None:
    estate = hub_and_spoke()
    for name in sorted(chosen):
        estate = FAULTS[name](estate)
    verdict = ask(estate)
    assert [reason.code for reason in verdict.reasons] == [name for name in ORDER if name in chosen]
    expected = "Reachable" if not chosen else "Unknown" if chosen == {"BastionUpdating"} else "Unreachable"
    assert verdict.verdict == expected


@settings(max_examples=120, deadline=None)
@given(st.sets(st.sampled_from(sorted(FAULTS.keys() - ANOTHER_BASTION)), min_size=1, max_size=7))
def test_the_fixes_of_all_reasons_together_make_the_vm_reachable(chosen: set[str]) -> None:
    estate = hub_and_spoke()
    for name in sorted(chosen):
        estate = FAULTS[name](estate)
    inventory = Inventory.from_rows(estate)
    verdict = explain(judge(inventory, vm_id("web"), protocol="RDP"), inventory)
    assert [reason.code for reason in verdict.reasons] == [name for name in ORDER if name in chosen]
    for reason in verdict.reasons:
        assert reason.fix is not None, reason.code
        estate = apply_fix(estate, reason.fix)
    assert ask(estate).verdict == "Reachable", ask(estate).reasons


@settings(max_examples=60, deadline=None)
@given(st.sets(st.sampled_from(sorted(FAULTS)), min_size=2, max_size=5))
def test_each_fix_takes_its_own_reason_away_and_no_other(chosen: set[str]) -> None:
    estate = hub_and_spoke()
    for name in sorted(chosen):
        estate = FAULTS[name](estate)
    inventory = Inventory.from_rows(estate)
    verdict = explain(judge(inventory, vm_id("web"), protocol="RDP"), inventory)
    for reason in verdict.reasons:
        if reason.code in ANOTHER_BASTION:
            continue
        assert reason.fix is not None
        after = judge(Inventory.from_rows(apply_fix(estate, reason.fix)), vm_id("web"), protocol="RDP")
        gone = {reason.code} | ALSO_MENDED.get(reason.code, set())
        told = [one.code for one in after.reasons]
        assert told in ([n for n in ORDER if n in chosen - {reason.code}], [n for n in ORDER if n in chosen - gone])


@settings(max_examples=60, deadline=None)
@given(st.sets(st.sampled_from(sorted(FAULTS)), max_size=4))
def test_a_disconnected_link_takes_the_place_of_every_other_fault_of_the_peering_and_of_none_else(
    chosen: set[str],
) -> None:
    estate = hub_and_spoke()
    for name in sorted(chosen):
        estate = FAULTS[name](estate)
    estate = change(estate, "hub", f"{LINK}.peeringState", "Disconnected")
    hidden = {"PeeringOneSided", "AddressSpaceNotSynced", "SubnetNotPeered", "SubnetPeeringIPv6Only"}
    expected = [name for name in ORDER if name in chosen - hidden]
    place = sum(ORDER.index(name) < ORDER.index("PeeringOneSided") for name in expected)
    expected.insert(place, "PeeringDisconnected")
    assert [reason.code for reason in ask(estate).reasons] == expected


def test_an_estate_that_was_mended_step_by_step_is_reachable_only_at_the_end() -> None:
    names = list(ORDER)
    while names:
        estate = hub_and_spoke()
        for name in names:
            estate = FAULTS[name](estate)
        told = [reason.code for reason in ask(estate).reasons]
        assert told == names
        names.remove(told[0])
    assert ask(hub_and_spoke()).verdict == "Reachable"
    assert ask(change(hub_and_spoke(), "web", "properties.extended", DELETE)).verdict == "Unknown"
