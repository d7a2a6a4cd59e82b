"""What the operator would do, seen to its end: the changes in their order, and the estate that they lead to."""

import copy
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bastion_operator.api.bastion_host import BastionHost
from bastion_operator.api.common import Claim
from bastion_operator.api.meta import ALLOW_PLAN
from bastion_operator.api.vnet_peering import VNetPeering
from bastion_operator.network.estate_file import read_estate_file
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability import judge_all
from bastion_operator.planning import foreseeing
from bastion_operator.planning.foreseeing import Asked, Foreseen, foresee
from bastion_operator.planning.ownership import Owner
from tests.support.azure_model import AzureModel
from tests.support.estates import Row, bastion, hub_and_spoke, peering, public_ip, rule, subnet, vnet, vnet_id, with_nsg
from tests.support.plans import HOST, NOW, claim, told

EXAMPLE = Path(__file__).parents[3] / "examples" / "hub-and-spoke"
Spec = dict[str, Any]


def asked_host(name: str = "bas", **spec: Any) -> Asked:
    whole = {"virtualNetworkID": vnet_id("hub"), "sku": "Standard", **spec}
    resource = BastionHost.model_validate({"kind": "BastionHost", "metadata": {"name": name}, "spec": whole})
    return Asked(resource, owner(name))


def asked_peering(*names: str, **spec: Any) -> Asked:
    spokes = [{"virtualNetworkID": vnet_id(each)} for each in names]
    whole = {"hub": {"virtualNetworkID": vnet_id("hub")}, "spokes": spokes, **spec}
    resource = VNetPeering.model_validate({"kind": "VNetPeering", "metadata": {"name": "net"}, "spec": whole})
    return Asked(resource, owner("net"))


def owner(name: str) -> Owner:
    return Owner("installation-1", "team", name, "")


def foreseen(rows: list[Row], *asked: Asked) -> Foreseen:
    before = copy.deepcopy(rows)
    found = foresee(Inventory.from_rows(rows), asked, NOW)
    assert rows == before, "what is given is not changed"
    return found


def verdicts(inventory: Inventory) -> dict[str, str]:
    return {each.vm_name: each.verdict.value for each in judge_all(inventory)}


def test_the_example_is_foreseen_to_its_end_and_what_it_makes_reachable() -> None:
    content = (EXAMPLE / "estate.json").read_bytes()
    inventory = Inventory.from_rows(read_estate_file("estate.json", content).rows)
    manifests = [
        each
        for name in ("bastion-host.yaml", "vnet-peering.yaml")
        for each in yaml.safe_load_all((EXAMPLE / name).read_text())
    ]
    kinds: dict[str, type[BastionHost | VNetPeering]] = {"BastionHost": BastionHost, "VNetPeering": VNetPeering}
    asked = [Asked(kinds[each["kind"]].model_validate(each), owner(each["metadata"]["name"])) for each in manifests]
    found = foresee(inventory, asked, NOW)
    assert [(step.number, step.change.resource_id.split("/")[-2]) for step in found.steps] == [
        (1, "subnets"),
        (1, "publicIPAddresses"),
        *[(1, "virtualNetworkPeerings")] * 6,
        (2, "bastionHosts"),
    ]
    assert {verdict for name, verdict in verdicts(inventory).items()} == {"Unreachable"}
    assert verdicts(found.after)["web-1"] == "Reachable"
    assert not any(each.obstacles or each.waits for each in found.outlooks)


def test_what_exists_already_is_told_before_and_after_and_what_is_in_the_way_is_said() -> None:
    found = foreseen(
        hub_and_spoke(), asked_host(adoptionPolicy="IfUnmanaged", scaleUnits=4, features={"nativeClient": True})
    )
    [step] = found.steps
    assert {str(each) for each in step.change.differences} == {
        "properties.scaleUnits: 2 → 4",
        "properties.enableTunneling: unset → true",
    }
    [verdict] = judge_all(found.after)
    assert "NativeClient" in verdict.methods
    [outlook] = foreseen(hub_and_spoke(), asked_host(scaleUnits=4)).outlooks
    assert [each.code for each in outlook.obstacles] == ["NotOwned"]


def test_who_only_watches_changes_nothing_and_is_told_what_differs() -> None:
    found = foreseen(hub_and_spoke(), asked_host(managementPolicy="Observe", scaleUnits=4))
    assert not found.steps
    assert told(found.outlooks[0].told) == [("Update", "bastionHosts/bas")]


def test_a_plan_that_a_person_has_allowed_is_foreseen_with_its_deletions() -> None:
    names = [f"s{number}" for number in range(1, 9)]
    rows = [vnet("hub", "10.0.0.0/16"), *(vnet(name, f"10.{name[1:]}.0.0/16") for name in names)]
    joined = foreseen(rows, asked_peering(*names))

    def cut(claims: tuple[Claim, ...], annotations: dict[str, str]) -> Foreseen:
        one = asked_peering(names[0])
        metadata = {"name": "net", "annotations": annotations}
        resource = VNetPeering.model_validate({"metadata": metadata, "spec": one.resource.spec})
        return foresee(joined.after, [Asked(resource, one.owner, claims)], NOW)

    held = cut(joined.outlooks[0].asked.claims, {})
    assert not held.steps
    [guarded] = held.outlooks[0].obstacles
    plan = re.search(r"plan ([0-9a-f]+) ", guarded.message)
    assert plan is not None

    allowed = cut(held.outlooks[0].asked.claims, {ALLOW_PLAN: plan[1]})
    assert [step.change.verb.value for step in allowed.steps] == ["Delete"] * 14
    assert not allowed.outlooks[0].obstacles


def test_rules_for_targets_are_foreseen() -> None:
    estate = with_nsg(hub_and_spoke(), "nic", rule("deny", 200, "Deny"))
    asked = asked_host(adoptionPolicy="IfUnmanaged", networkSecurity={"targets": "Enforce", "overrideDenies": True})
    found = foreseen(estate, asked)
    assert [step.change.resource_id.split("/")[-2] for step in found.steps] == ["securityRules"]
    assert verdicts(Inventory.from_rows(estate)) == {"web": "Unreachable"}
    assert verdicts(found.after) == {"web": "Reachable"}
    audited = foreseen(estate, asked_host(adoptionPolicy="IfUnmanaged"))
    assert not audited.steps
    assert [each.rule for each in audited.outlooks[0].notes] == ["deny"]


def test_a_peering_that_is_broken_is_deleted_and_made_again_and_one_out_of_sync_is_synced() -> None:
    old = [
        vnet("hub", "10.0.0.0/16", peerings=[peering("spoke", space=["10.1.0.0/16"], state="Disconnected")]),
        vnet("spoke", "10.1.0.0/16"),
    ]
    adopt = asked_peering("spoke", adoptionPolicy="IfUnmanaged")
    found = foreseen(old, adopt)
    assert [(step.number, step.change.verb.value) for step in found.steps] == [
        (1, "Delete"),
        (2, "Create"),
        (2, "Create"),
    ]
    grown = [
        vnet("hub", "10.0.0.0/16", peerings=[peering("spoke", space=["10.1.0.0/16"])]),
        vnet("spoke", "10.1.0.0/16", "10.9.0.0/16", peerings=[peering("hub", space=["10.0.0.0/16"])]),
    ]
    known = {"addressPrefixes": ["10.1.0.0/16", "10.9.0.0/16"]}
    grown[0]["properties"]["virtualNetworkPeerings"][0]["properties"]["remoteVirtualNetworkAddressSpace"] = known
    assert [step.change.verb.value for step in foreseen(grown, adopt).steps] == ["Sync"]


def test_a_host_is_foreseen_to_be_made_anew() -> None:
    estate = [
        vnet("hub", "10.0.0.0/16", subnets=[subnet("AzureBastionSubnet", "10.0.1.0/26")]),
        public_ip("bas-ip") | {"tags": owner("bas").tags()},
        bastion("bas", "hub", sku="Premium") | {"tags": owner("bas").tags()},
    ]
    recorded = claim(HOST, detail="sku=Premium;zones=;features.privateOnly=false;publicIP=")
    given = asked_host(sku="Standard", replacePolicy="Recreate")
    found = foreseen(estate, Asked(given.resource, given.owner, (recorded,)))
    assert [step.change.verb.value for step in found.steps if step.change.resource_id == HOST] == ["Delete", "Create"]
    host = found.after.bastion(HOST)
    assert host is not None
    assert host.sku_name == "Standard"


@given(
    st.lists(st.sampled_from(["spoke", "other"]), min_size=1, max_size=2, unique=True),
    st.sampled_from([None, "Connected", "Disconnected", "Initiated"]),
    st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_what_is_foreseen_is_what_a_model_of_azure_comes_to(names: list[str], state: str | None, prefix: bool) -> None:
    links = [] if state is None else [peering("spoke", space=["10.1.0.0/16"], state=state)]
    far = [peering("hub", space=["10.0.0.0/16"])] if state == "Connected" else []
    rows = [
        vnet("hub", "10.0.0.0/16", peerings=links),
        vnet("spoke", "10.1.0.0/16", peerings=far),
        vnet("other", "10.2.0.0/16"),
    ]
    host = asked_host(subnetPrefix="Auto" if prefix else None)
    found = foreseen(rows, host, asked_peering(*names, adoptionPolicy="IfUnmanaged"))
    azure = AzureModel(rows)
    for step in found.steps:
        azure.apply(step.change)
    foreseen_ids = {key for key in azure.ids() if found.after.row(key) is not None}
    assert {key for key in azure.ids() if "/subnets/" not in key and "peerings/" not in key} == foreseen_ids
    for one, other in (("hub", "spoke"), ("hub", "other")):
        network = found.after.virtual_network(vnet_id(one))
        assert network is not None
        states = [link.state for link in network.links if link.remote_key == vnet_id(other).lower()]
        assert (states == ["Connected"]) == azure.joined(vnet_id(one), vnet_id(other))
    again = foresee(found.after, [outlook.asked for outlook in found.outlooks], NOW)
    assert not again.steps, "and then there is nothing left to do"


def test_of_two_hosts_for_one_network_the_later_is_told_of_the_other() -> None:
    estate = [vnet("hub", "10.0.0.0/16", subnets=[subnet("AzureBastionSubnet", "10.0.1.0/26")])]
    found = foreseen(estate, asked_host("one"), asked_host("two"))
    hosts = [step.change.resource_id for step in found.steps if "/bastionHosts/" in step.change.resource_id]
    assert [each.rsplit("/", 1)[-1] for each in hosts] == ["one"]
    assert [[each.code for each in outlook.obstacles] for outlook in found.outlooks] == [
        [],
        ["AnotherBastionInVirtualNetwork"],
    ]


def test_a_diagnostic_setting_is_made_once() -> None:
    workspace = f"{vnet_id('hub').split('/providers/')[0]}/providers/Microsoft.OperationalInsights/workspaces/central"
    diagnostics = {"workspaceID": workspace, "categories": ["BastionAuditLogs", "AllMetrics"]}
    estate = [vnet("hub", "10.0.0.0/16", subnets=[subnet("AzureBastionSubnet", "10.0.1.0/26")])]
    made = foreseen(estate, asked_host(sku="Premium", features={"privateOnly": True}, diagnostics=diagnostics))
    assert ["diagnosticSettings" in step.change.resource_id for step in made.steps] == [False, True]
    assert made.rests


def test_a_selector_that_finds_nothing_is_told_with_its_tags() -> None:
    rows = [vnet("hub", "10.0.0.0/16"), vnet("spoke", "10.1.0.0/16")]
    subscription = vnet_id("hub").split("/")[2]
    selector = {"subscriptions": [subscription], "tags": {"network": "spoke", "env": "prod"}}
    [outlook] = foreseen(rows, asked_peering(spokeSelector=selector)).outlooks
    told_of = [(str(each.code), each.message) for each in outlook.notes]
    assert told_of == [("NothingSelected", "no network has the tags env=prod, network=spoke")]
    [listed] = foreseen(rows, asked_peering("spoke", spokeSelector=selector)).outlooks
    assert not listed.notes
    tagged = [rows[0], rows[1] | {"tags": {"network": "spoke", "env": "prod"}}]
    found = foreseen(tagged, asked_peering(spokeSelector=selector))
    assert len(found.steps) == 2
    assert not found.outlooks[0].notes


def test_a_plan_that_does_not_rest_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    estate = [vnet("hub", "10.0.0.0/16", subnets=[subnet("AzureBastionSubnet", "10.0.1.0/26")])]
    assert foreseen(estate, asked_host()).rests
    monkeypatch.setattr(foreseeing, "MOST_PASSES", 1)
    assert not foreseen(estate, asked_host()).rests
