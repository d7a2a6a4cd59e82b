"""Faults that have nothing to do with each other: as many reasons as faults, and none left when all are mended."""

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability import Verdict, judge
from tests.support.estates import (
    DELETE,
    Estate,
    add,
    admin_rule,
    bastion_rules,
    change,
    hub_and_spoke,
    nsg,
    private_zone_link,
    ref,
    route,
    route_table,
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
    group = nsg(f"{network}-guard", *rules)
    return change(add(estate, group), network, GROUP, ref(group["id"]))


def with_nic_group(estate: Estate) -> Estate:
    group = nsg("nic-guard", rule("no", 100, "Deny", source="10.0.0.0/8"))
    return change(add(estate, group), "web-nic", "properties.networkSecurityGroup", ref(group["id"]))


def subnet_lists(estate: Estate) -> Estate:
    listed = change(estate, "hub", f"{LINK}.peerCompleteVnets", value=False)
    listed = change(listed, "hub", f"{LINK}.localSubnetNames", ["AzureBastionSubnet"])
    return change(listed, "hub", f"{LINK}.remoteSubnetNames", ["another"])


FAULTS: dict[str, Callable[[Estate], Estate]] = {
    "BastionUpdating": lambda estate: change(estate, "bas", "properties.provisioningState", "Updating"),
    "SubnetDefaultRouteDiverted": lambda estate: with_table(estate, "hub", route("all", "0.0.0.0/0", "None")),
    "PrivateDnsZoneConflict": lambda estate: add(estate, private_zone_link("core.windows.net", "hub")),
    "BastionNsgDenies": lambda estate: with_group(
        estate, "hub", *bastion_rules(), rule("no-rdp", 105, "Deny", direction="Outbound", ports="3389")
    ),
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
    "PrivateDnsZoneConflict",
    "PublicIPInvalid",
    "VMNotRunning",
    "ProtocolNotSupportedBySku",
    "CrossTenantPeering",
    "PeeringOneSided",
    "AddressSpaceNotSynced",
    "SubnetNotPeered",
    "BastionNsgDenies",
    "SecurityAdminDenies",
    "SubnetNsgDenies",
    "NicNsgDenies",
    "ReturnRouteDiverted",
)


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


@settings(max_examples=60, deadline=None)
@given(st.sets(st.sampled_from(sorted(FAULTS)), max_size=4))
def test_a_disconnected_link_takes_the_place_of_every_other_fault_of_the_peering_and_of_none_else(
    chosen: set[str],
) -> None:
    estate = hub_and_spoke()
    for name in sorted(chosen):
        estate = FAULTS[name](estate)
    estate = change(estate, "hub", f"{LINK}.peeringState", "Disconnected")
    hidden = {"PeeringOneSided", "AddressSpaceNotSynced", "SubnetNotPeered"}
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
