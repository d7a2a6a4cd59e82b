"""Which Bastion answers: candidates, their order, and what is said where there is none."""

from typing import Any

from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability import Verdict, judge, judge_all
from tests.support.estates import (
    Estate,
    add,
    bastion,
    bastion_id,
    change,
    drop,
    hub_and_spoke,
    nic,
    peering,
    public_ip,
    rule,
    same_vnet,
    subnet,
    vm,
    vm_id,
    vnet,
    vnet_id,
    with_nsg,
)


def ask(estate: Estate, name: str = "web", **options: Any) -> Verdict:
    return judge(Inventory.from_rows(estate), vm_id(name), **options)


def names(verdict: Verdict) -> list[str]:
    return [candidate.bastion.rsplit("/", 1)[-1] for candidate in verdict.candidates]


def spoke_with_its_own_bastion(**options: Any) -> Estate:
    own = vnet(
        "spoke",
        "10.1.0.0/16",
        subnets=[subnet("workload", "10.1.2.0/24"), subnet("AzureBastionSubnet", "10.1.1.0/26")],
        peerings=[peering("hub", space=["10.0.0.0/16"])],
    )
    return add(drop(hub_and_spoke(), "spoke"), own, public_ip("near-ip"), bastion("near", "spoke", **options))


def test_the_bastion_of_the_vms_own_vnet_comes_before_the_hubs() -> None:
    verdict = ask(spoke_with_its_own_bastion(sku="Basic"))
    assert names(verdict) == ["near", "bas"]
    assert (verdict.bastion, verdict.via) == (bastion_id("near"), "SameVNet")


def test_a_bastion_that_reaches_comes_before_a_nearer_one_that_does_not() -> None:
    estate = change(spoke_with_its_own_bastion(), "near", "properties.provisioningState", "Updating")
    verdict = ask(estate)
    assert (verdict.verdict, verdict.via, names(verdict)) == ("Reachable", "Peering", ["bas", "near"])
    assert verdict.candidates[1].verdict == "Unknown"


def test_more_methods_come_first_among_equals_then_the_lower_id() -> None:
    estate = add(same_vnet(sku="Basic"), public_ip("abc-ip"), bastion("abc", "hub", sku="Basic"))
    assert names(ask(estate)) == ["abc", "bas"]
    estate = change(change(estate, "bas", "sku.name", "Standard"), "bas", "properties.enableTunneling", value=True)
    assert names(ask(estate)) == ["bas", "abc"]


def test_a_peer_in_the_same_region_comes_before_a_global_one() -> None:
    estate = change(hub_and_spoke(), "spoke", "location", "West Europe")
    assert ask(estate).via == "Peering"
    assert ask(change(estate, "spoke", "location", "northeurope")).via == "GlobalPeering"


def test_bastions_one_vnet_further_are_asked_only_where_there_is_none_nearer() -> None:
    far = vnet(
        "far",
        "10.2.0.0/16",
        subnets=[subnet("AzureBastionSubnet", "10.2.1.0/26")],
        peerings=[peering("hub", space=["10.0.0.0/16"])],
    )
    estate = add(hub_and_spoke(), far, public_ip("away-ip"), bastion("away", "far"))
    assert names(ask(estate)) == ["bas"]
    verdict = ask(drop(estate, "bas"))
    assert names(verdict) == ["away"]
    assert [reason.code for reason in verdict.reasons] == ["PeeringNotTransitive"]
    assert "both peered with hub" in verdict.reasons[0].message
    assert verdict.via is None


def test_without_any_bastion_near_the_vm_itself_is_still_judged() -> None:
    lonely = vnet("lonely", "10.9.0.0/16", subnets=[subnet("workload", "10.9.2.0/24")])
    machine = [nic("solo-nic", "lonely", "workload", "10.9.2.4"), vm("solo", power="deallocated")]
    verdict = ask(add(hub_and_spoke(), lonely, *machine), "solo")
    assert [reason.code for reason in verdict.reasons] == ["VMNotRunning", "NotPeered"]
    assert (verdict.bastion, verdict.via, verdict.candidates) == (None, None, ())
    verdict = ask([lonely, *machine], "solo")
    assert [reason.code for reason in verdict.reasons] == ["BastionNotFound", "VMNotRunning"]


def test_asking_about_one_bastion_asks_about_no_other() -> None:
    estate = spoke_with_its_own_bastion()
    verdict = ask(estate, bastion_ids=[bastion_id("bas").upper()])
    assert names(verdict) == ["bas"]
    verdict = ask(estate, bastion_ids=[bastion_id("gone")])
    assert (verdict.bastion, verdict.verdict) == (None, "Unreachable")
    assert verdict.reasons[0].code == "BastionNotFound"


def test_a_vm_that_is_only_stopped_is_told_apart() -> None:
    stopped = change(
        hub_and_spoke(), "web", "properties.extended.instanceView.powerState.code", "PowerState/deallocated"
    )
    assert ask(stopped).only_stopped
    assert not ask(hub_and_spoke()).only_stopped
    assert not ask(with_nsg(stopped, "nic", rule("no", 100, "Deny"))).only_stopped
    near_is_broken = change(spoke_with_its_own_bastion(), "near-ip", "sku.name", "Basic")
    code = "properties.extended.instanceView.powerState.code"
    assert ask(change(near_is_broken, "web", code, "PowerState/stopped")).only_stopped


def test_independent_faults_are_all_named_in_the_order_of_the_steps() -> None:
    estate = with_nsg(hub_and_spoke(sku="Basic"), "nic", rule("no", 100, "Deny", source="10.0.1.0/26"))
    estate = change(estate, "web", "properties.extended.instanceView.powerState.code", "PowerState/stopped")
    estate = change(estate, "hub", "properties.virtualNetworkPeerings.0.properties.peeringState", "Initiated")
    estate = change(estate, "bas-ip", "sku.name", "Basic")
    verdict = ask(estate, protocol="RDP")
    assert [reason.code for reason in verdict.reasons] == [
        "PublicIPInvalid",
        "VMNotRunning",
        "ProtocolNotSupportedBySku",
        "PeeringOneSided",
        "NicNsgDenies",
    ]


def test_a_broken_peering_is_judged_on_as_if_it_were_mended_with_access_allowed() -> None:
    estate = with_nsg(hub_and_spoke(), "subnet")
    link = "properties.virtualNetworkPeerings.0.properties"
    estate = change(estate, "spoke", f"{link}.allowVirtualNetworkAccess", value=False)
    assert [reason.code for reason in ask(estate).reasons] == ["SubnetNsgDenies"]
    assert "allowVirtualNetworkAccess" in ask(estate).reasons[0].message
    for state, code in (("Initiated", "PeeringOneSided"), ("Disconnected", "PeeringDisconnected")):
        broken = change(estate, "hub", f"{link}.peeringState", state)
        assert [reason.code for reason in ask(broken).reasons] == [code]
    unsynced = change(estate, "hub", f"{link}.remoteAddressSpace.addressPrefixes", ["10.7.0.0/16"])
    assert [reason.code for reason in ask(unsynced).reasons] == ["AddressSpaceNotSynced"]


def test_the_hold_of_a_virtual_hub_is_no_peering() -> None:
    estate = hub_and_spoke()
    for network, other in (("hub", "spoke"), ("spoke", "hub")):
        held = "properties.virtualNetworkPeerings.0"
        estate = change(estate, network, f"{held}.name", "RemoteVnetToHubPeering_0123")
        estate = change(estate, network, f"{held}.properties.remoteVirtualNetwork.id", vnet_id(f"HV_{other}"))
    assert [reason.code for reason in ask(estate).reasons] == ["NotPeered", "EffectiveDataUnavailable"]
    estate = change(estate, "bas", "properties.enableIpConnect", value=True)
    assert [reason.code for reason in ask(estate).reasons] == ["EffectiveDataUnavailable"]


def test_verdicts_are_sorted_by_vm_protocol_and_port() -> None:
    estate = add(hub_and_spoke(), nic("Alpha-nic", "spoke", "workload", "10.1.2.5"), vm("Alpha", os="Windows"))
    verdicts = judge_all(Inventory.from_rows(reversed(estate)), protocols=("SSH", "RDP"))
    assert [(verdict.vm_name, verdict.protocol, verdict.port) for verdict in verdicts] == [
        ("Alpha", "RDP", 3389),
        ("Alpha", "SSH", 22),
        ("web", "RDP", 3389),
        ("web", "SSH", 22),
    ]
    assert judge_all(Inventory.from_rows([])) == []


def test_the_case_of_ids_and_the_order_of_rows_change_nothing() -> None:
    estate = with_nsg(spoke_with_its_own_bastion(), "nic", rule("no", 100, "Deny", source="10.0.1.0/26"))

    def told(rows: Any) -> list[Any]:
        return [
            (verdict.verdict, verdict.via, [reason.code for reason in verdict.reasons], names(verdict))
            for verdict in judge_all(Inventory.from_rows(rows))
        ]

    def shouted(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {inner: shouted(held, inner) for inner, held in value.items()}
        if isinstance(value, list):
            return [shouted(held) for held in value]
        head, found, name = str(value).rpartition("/")
        return f"{head.upper()}/{name}" if found and key == "id" else value

    assert told(shouted(estate)) == told(estate) == told(reversed(estate))
