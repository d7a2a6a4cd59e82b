"""Custom resources for what stands: every Bastion and peering once, and planning them changes nothing."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bastion_operator.api.bastion_host import BastionHostSpec
from bastion_operator.api.vnet_peering import VNetPeeringSpec
from bastion_operator.network.inventory import Inventory
from bastion_operator.planning.bastion_host import plan_bastion_host
from bastion_operator.planning.bastion_input import BastionHostInput, bastion_host_ids
from bastion_operator.planning.estate import Estate
from bastion_operator.planning.importing import Import, Placement, import_estate
from bastion_operator.planning.model import Plan
from bastion_operator.planning.ownership import Owner
from bastion_operator.planning.peering_pairs import asked_pairs
from bastion_operator.planning.vnet_peering import VNetPeeringInput, plan_vnet_peering
from tests.support.azure_model import AzureModel
from tests.support.estates import Row, bastion, hub_and_spoke, peering, public_ip, row, subnet, vnet, vnet_id
from tests.support.plans import NOW, marked, own_name

PLACEMENT = Placement("team", "azure")
SPACES = {f"n{number}": f"10.{number}.0.0/16" for number in range(5)}
FLAGS = ("allowVirtualNetworkAccess", "allowForwardedTraffic")
Manifest = dict[str, Any]


def imported(rows: list[Row], placement: Placement = PLACEMENT) -> Import:
    return import_estate(Inventory.from_rows(rows), placement, NOW)


def manifests(found: Import, kind: str) -> list[Manifest]:
    return [dict(each.manifest) for each in found.resources if each.manifest["kind"] == kind]


def planned(manifest: Manifest, rows: list[Row], **spec: Any) -> Plan:
    """The plan of an imported custom resource, with fields of its spec changed."""
    asked = {**manifest["spec"], **spec}
    name = manifest["metadata"]["name"]
    owner = Owner("installation-1", "team", name, "uid-1")
    # As Azure answers a GET: with etags, and with what a full PUT would have to keep.
    observed = AzureModel(rows).observed()
    if manifest["kind"] == "VNetPeering":
        peering_spec = VNetPeeringSpec.model_validate(asked)
        return plan_vnet_peering(VNetPeeringInput(owner, peering_spec, (), observed, NOW))
    host_spec = BastionHostSpec.model_validate(asked)
    ids = bastion_host_ids(name, host_spec)
    return plan_bastion_host(BastionHostInput(owner, host_spec, ids, (), observed, NOW))


@st.composite
def joined(draw: st.DrawFn) -> list[Row]:
    """Networks with any of the links between them, each half with flags of its own; some one-sided, some broken."""
    links: dict[str, list[Row]] = {name: [] for name in SPACES}
    names = list(SPACES)
    for place, one in enumerate(names):
        for other in names[place + 1 :]:
            kind = draw(st.sampled_from(["none", "sound", "sound", "sound", "near only", "far only", "broken"]))
            ends = {"none": [], "near only": [(one, other)], "far only": [(other, one)]}.get(
                kind, [(one, other), (other, one)]
            )
            for local, remote in ends:
                flags: dict[str, Any] = {name: draw(st.booleans()) for name in FLAGS}
                state = "Disconnected" if kind == "broken" else "Connected" if len(ends) > 1 else "Initiated"
                links[local].append(peering(remote, space=[SPACES[remote]], state=state, **flags))
    return [vnet(name, SPACES[name], peerings=links[name]) for name in names]


def pair_of(one: str, other: str) -> frozenset[str]:
    return frozenset((one.lower(), other.lower()))


@given(joined())
@settings(max_examples=150, deadline=None)
def test_every_peering_is_named_once_and_what_is_sound_is_left_as_it_is(rows: list[Row]) -> None:
    found = imported(rows)
    assert not found.left_out
    named = [
        pair_of(pair.hub.local_id, pair.spoke.local_id)
        for each in manifests(found, "VNetPeering")
        for pair in asked_pairs(VNetPeeringSpec.model_validate(each["spec"]))
    ]
    standing = {
        pair_of(network["id"], link["properties"]["remoteVirtualNetwork"]["id"])
        for network in rows
        for link in network["properties"]["virtualNetworkPeerings"]
    }
    assert len(named) == len(set(named))
    assert set(named) == standing
    broken = {
        pair_of(network["id"], link["properties"]["remoteVirtualNetwork"]["id"])
        for network in rows
        for link in network["properties"]["virtualNetworkPeerings"]
        if link["properties"]["peeringState"] == "Disconnected"
    }
    for each in found.resources:
        manifest = dict(each.manifest)
        pairs = asked_pairs(VNetPeeringSpec.model_validate(manifest["spec"]))
        repaired = {pair_of(pair.hub.local_id, pair.spoke.local_id) for pair in pairs} & broken
        assert bool(each.changes) == bool(repaired), (
            "what Manage would change is told, and is nothing for what is sound"
        )
        plan = planned(manifest, rows, managementPolicy="Manage")
        assert [str(change) for change in plan.changes] == [str(change) for change in each.changes]
        assert not plan.obstacles
        if not repaired:
            assert planned(manifest, rows).changes == ()


@pytest.mark.parametrize("sku", ["Developer", "Basic", "Standard", "Premium"])
@pytest.mark.parametrize("features", [{}, {"enableTunneling": True, "disableCopyPaste": True, "enableKerberos": False}])
def test_a_bastion_of_any_sku_is_taken_over_without_a_change(sku: str, features: Row) -> None:
    rows = [
        vnet("hub", "10.0.0.0/16", subnets=[subnet("AzureBastionSubnet", "10.0.1.0/26")]),
        *([] if sku == "Developer" else [public_ip("bas-ip")]),
        bastion("bas", "hub", sku=sku, **features) | {"zones": ["2", "1"], "tags": {"owner": "net"}},
    ]
    [made] = manifests(imported(rows), "BastionHost")
    assert made["spec"]["managementPolicy"] == "Observe"
    assert planned(made, rows) == Plan()
    plan = planned(made, rows, managementPolicy="Manage")
    assert (plan.changes, plan.waits, plan.obstacles) == ((), (), ())
    assert [claim.origin.value for claim in plan.claims] == ["Adopted"]


def test_a_private_host_in_another_group_says_so_and_recording_leaves_the_native_client_alone() -> None:
    rows = [
        vnet("hub", "10.0.0.0/16", subnets=[subnet("AzureBastionSubnet", "10.0.1.0/26")]),
        bastion("bas", "hub", sku="Premium", enablePrivateOnlyBastion=True, enableSessionRecording=True),
    ]
    host = rows[1]
    host["id"] = host["id"].replace("/resourceGroups/net/", "/resourceGroups/access/")
    [made] = manifests(imported(rows), "BastionHost")
    assert made["spec"]["resourceGroup"] == "access"
    assert made["spec"]["features"] == {"privateOnly": True, "sessionRecording": True}
    assert "publicIP" not in made["spec"]
    assert planned(made, rows, managementPolicy="Manage").changes == ()


def test_a_mesh_is_one_full_mesh_and_hubs_have_a_resource_for_each_way_their_spokes_hang() -> None:
    def network(name: str, *others: str, **flags: Any) -> Row:
        links = [peering(other, space=[SPACES[other]], **flags) for other in others]
        return vnet(name, SPACES[name], peerings=links)

    mesh = [network("n0", "n1", "n2"), network("n1", "n0", "n2"), network("n2", "n0", "n1")]
    [made] = manifests(imported(mesh), "VNetPeering")
    assert (made["metadata"]["name"], made["spec"]["topology"], len(made["spec"]["spokes"])) == (
        "mesh-n0",
        "FullMesh",
        3,
    )
    star = [
        network("n0", "n1", "n2", "n3"),
        network("n1", "n0"),
        network("n2", "n0"),
        network("n3", "n0", allowForwardedTraffic=True),
    ]
    found = manifests(imported(star), "VNetPeering")
    assert [(each["metadata"]["name"], len(each["spec"]["spokes"])) for each in found] == [
        ("n0-spokes", 2),
        ("n0-spokes-2", 1),
    ]


def test_what_somebody_keeps_already_or_lies_elsewhere_is_left_out_with_why() -> None:
    rows = [
        vnet(
            "hub",
            "10.0.0.0/16",
            peerings=[
                peering("managed", space=["10.1.0.0/16"], name="ANM_1"),
                peering("ours", space=["10.2.0.0/16"], name=own_name("ours")),
                peering("absent", space=["10.3.0.0/16"]),
                peering("foreign", space=["10.4.0.0/16"]),
            ],
        ),
        vnet("managed", "10.1.0.0/16"),
        vnet("ours", "10.2.0.0/16"),
        vnet("foreign", "10.4.0.0/16") | {"tenantId": "00000000-0000-0000-0000-0000000000ff"},
        marked(bastion("bas", "hub")),
        row(bastion("x", "hub")["id"], {"provisioningState": "Succeeded"}, sku={"name": "Standard"}),
        bastion("y", "hub", sku="Gold"),
    ]
    found = imported(rows)
    assert not found.resources
    assert {each.resource_id.rsplit("/", 1)[-1]: each.reason for each in found.left_out} == {
        "bas": "the BastionHost team/net keeps it already",
        "x": "it does not say in which virtual network it stands",
        "y": "its SKU Gold is none that this version knows",
        "ANM_1": "Azure Virtual Network Manager keeps it",
        own_name("ours"): "a VNetPeering made it",
        "to-absent": f"the network at its other end, {vnet_id('absent').lower()}, is not in the data",
        "to-foreign": "its networks are in two tenants",
    }


def test_names_are_unique_and_fit_kubernetes() -> None:
    rows = hub_and_spoke()
    twin = bastion("BAS_1", "spoke")
    rows += [bastion("bas.1", "hub"), twin]
    found = imported(rows, Placement())
    assert [each["metadata"] for each in manifests(found, "BastionHost")] == [
        {"name": "bas"},
        {"name": "bas-1"},
        {"name": "bas-1-2"},
    ]
    assert found.subscriptions == (vnet_id("hub").split("/")[2],)


def test_parts_that_came_as_rows_of_their_own_are_seen_inside_their_bodies() -> None:
    whole = hub_and_spoke()
    parts: list[Row] = []
    for network in whole:
        if network["type"] == "microsoft.network/virtualnetworks":
            for collection in ("subnets", "virtualNetworkPeerings"):
                parts += network["properties"].pop(collection)
    for part in parts:
        part["type"] = part["type"].lower()
    found = imported([*whole, *parts])
    assert [each.manifest["kind"] for each in found.resources] == ["BastionHost", "VNetPeering"]
    assert not [each for each in found.resources if each.changes or each.obstacles]
    network_row = Estate(Inventory.from_rows([*whole, *parts])).get(vnet_id("hub"))
    assert network_row is not None
    assert [each["name"] for each in network_row["properties"]["virtualNetworkPeerings"]] == ["to-spoke"]
