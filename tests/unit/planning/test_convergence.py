"""Plans come to rest: whatever Azure looks like, carrying them out on a model of Azure ends with nothing left to do,
touches nothing foreign, and deleting the custom resource brings Azure back to what it was.
"""

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bastion_operator.api.common import AdoptionPolicy, Claim, ClaimOrigin, DeletionPolicy
from bastion_operator.planning.bastion_host import plan_bastion_host
from bastion_operator.planning.bastion_removal import plan_bastion_removal
from bastion_operator.planning.model import Change, Observed, Plan
from bastion_operator.planning.peering_removal import plan_link_removal
from bastion_operator.planning.vnet_peering import plan_vnet_peering
from tests.support.azure_model import AzureModel
from tests.support.estates import Row, bastion, peering, public_ip, subnet, vnet, vnet_id
from tests.support.plans import (
    ADDRESS,
    HOST,
    OWNER,
    bastion_input,
    carry_out,
    claim,
    link_id,
    marked,
    own_name,
    peering_input,
    spokes,
)

NAMES = ("hub", "north", "south", "outside")
SPACES = {name: f"10.{place}.0.0/16" for place, name in enumerate(NAMES)}
FLAGS = ("allowVirtualNetworkAccess", "allowForwardedTraffic")

Json = dict[str, Any]


# --- peerings ----------------------------------------------------------------------------------------------------


@st.composite
def half(draw: st.DrawFn, local: str, remote: str) -> tuple[Row, bool] | None:
    """A half that is not there, the operator's, or somebody's; with flags and a remote space that may have grown."""
    whose = draw(st.sampled_from(["nobody", "operator", "operator", "somebody"]))
    if whose == "nobody":
        return None
    own = whose == "operator"
    known = draw(st.sampled_from([[SPACES[remote]], ["10.200.0.0/24"]]))
    flags: Json = {name: draw(st.booleans()) for name in FLAGS}
    link = peering(remote, space=known, name=own_name(remote) if own else f"{local}-theirs", **flags)
    link["properties"] |= {"unknownField": {"kept": local}}
    return link, own


@st.composite
def joined_networks(draw: st.DrawFn) -> tuple[list[Row], set[str]]:
    """Networks joined in any half-made way, and the ids of the links that are the operator's by their name."""
    links: dict[str, list[Row]] = {name: [] for name in NAMES}
    own: set[str] = set()
    pairs = [("hub", "north"), ("hub", "south"), ("hub", "outside"), ("north", "south")]
    for one, other in pairs:
        ends = draw(half(one, other)), draw(half(other, one))
        both = all(ends)
        gone = not both and draw(st.booleans())
        for local, remote, end in ((one, other, ends[0]), (other, one, ends[1])):
            if end is None:
                continue
            link, operators = end
            broken = gone or (both and draw(st.integers(0, 3)) == 0)
            link["properties"]["peeringState"] = "Disconnected" if broken else ("Connected" if both else "Initiated")
            if operators:
                own.add(link_id(local, link["name"]).lower())
            else:
                link["name"] = f"{link['name']}-{remote}"
            links[local].append(link)
    return [vnet(name, SPACES[name], peerings=links[name]) for name in NAMES], own


peering_specs = st.fixed_dictionaries(
    {
        "adoptionPolicy": st.sampled_from(AdoptionPolicy),
        "sides": st.sampled_from(["Both", "HubOnly"]),
        "spokes": st.sampled_from([("north",), ("north", "south"), ("south", "north")]),
        "hubToSpoke": st.dictionaries(st.sampled_from(FLAGS), st.booleans()),
        "spokeToHub": st.dictionaries(st.sampled_from(FLAGS), st.booleans()),
    }
)


def links_of(azure: AzureModel) -> dict[str, Json]:
    """Every link by id, without what Azure itself turns when the other half comes or goes."""
    found = {}
    for key, row in azure.rows().items():
        for link in row["properties"].get("virtualNetworkPeerings", []):
            shown = copy.deepcopy(link)
            shown.pop("id", None)
            for volatile in ("peeringState", "remoteVirtualNetworkAddressSpace"):
                shown["properties"].pop(volatile, None)
            found[f"{key}/virtualnetworkpeerings/{link['name']}".lower()] = shown
    return found


@given(joined_networks(), peering_specs, st.data())
@settings(max_examples=300, deadline=None)
def test_a_peering_comes_to_rest_and_leaves_what_is_foreign_alone(
    start: tuple[list[Row], set[str]], spec: Json, data: st.DataObject
) -> None:
    rows, own = start
    azure = AzureModel(rows)
    before = links_of(azure)
    asked = {**spec, "spokes": spokes(*spec["spokes"])}
    budget = data.draw(st.integers(0, 3), label="requests that are lost")

    def make_plan(observed: Observed, claims: tuple[Claim, ...]) -> Plan:
        fresh = peering_input(claims=claims, **asked)
        return plan_vnet_peering(
            replace(fresh, observed=observed),
        )

    def lost(_: Change) -> bool:
        nonlocal budget
        drop = budget > 0 and data.draw(st.booleans())
        budget -= drop
        return drop

    run = carry_out(azure, make_plan, (), most=20, lost=lost)
    assert run.plan.settled, run.plan
    assert make_plan(azure.observed(), run.plan.claims) == run.plan
    adopted = {each.id.lower() for each in run.plan.claims if each.origin is ClaimOrigin.ADOPTED}
    made = {each.id.lower() for each in run.plan.claims if each.origin is ClaimOrigin.CREATED}
    touched = {change.resource_id.lower() for change in run.sent}
    foreign = before.keys() - own - adopted
    assert not touched & foreign
    after = links_of(azure)
    assert {key: after[key] for key in foreign} == {key: before[key] for key in foreign}
    assert all(link["properties"]["unknownField"] for key, link in after.items() if key in before.keys() - touched)
    _joined_or_told(azure, run.plan, spec)

    # Deletion: what was made goes, what was adopted or is foreign stays.
    removal = carry_out(
        azure,
        lambda observed, claims: plan_link_removal(OWNER, DeletionPolicy.DELETE, claims, observed, Plan(claims=claims)),
        run.plan.claims,
        most=10,
    )
    assert removal.plan.settled
    assert {change.resource_id.lower() for change in removal.sent} <= made
    assert links_of(azure).keys() == after.keys() - made


def _joined_or_told(azure: AzureModel, plan: Plan, spec: Json) -> None:
    """Each pair is joined on both sides as far as the spec asks, or an obstacle names one of its two networks' links."""
    named = {str(each.resource).lower() for each in plan.obstacles}
    for spoke in spec["spokes"]:
        hub, other = vnet_id("hub").lower(), vnet_id(spoke).lower()
        halves = azure._half(hub, other), azure._half(other, hub)
        about = any(spoke in each.rsplit("/", 1)[1] or f"/{spoke}/" in each for each in named)
        if spec["sides"] == "HubOnly":
            assert halves[0] is not None or about
        else:
            whole = all(each is not None and each["properties"]["peeringState"] == "Connected" for each in halves)
            assert whole or about, (halves, plan.obstacles)


# --- a Bastion ---------------------------------------------------------------------------------------------------


@st.composite
def hubs(draw: st.DrawFn) -> list[Row]:
    """A hub with any part of a Bastion there already: the operator's, somebody's, half-made or failed."""
    rows: list[Row] = []
    subnets = [subnet("workload", "10.0.1.0/24")]
    parts = draw(st.sampled_from(["nothing", "subnet", "address", "both", "host"]))
    if parts in {"subnet", "both", "host"}:
        subnets.append(subnet("AzureBastionSubnet", draw(st.sampled_from(["10.0.0.0/26", "10.0.2.0/26"]))))
    ours = draw(st.booleans())
    if parts in {"address", "both", "host"}:
        rows.append(marked(public_ip("bas-ip")) if ours else public_ip("bas-ip"))
    if parts == "host":
        sku = draw(st.sampled_from(["Basic", "Standard"]))
        host = bastion("bas", "hub", sku=sku, unknownField="kept", enableIpConnect=sku == "Standard")
        host["properties"]["provisioningState"] = draw(st.sampled_from(["Succeeded", "Succeeded", "Failed"]))
        rows.append(marked(host, team="net") if ours else {**host, "tags": {"team": "net"}})
    return [vnet("hub", "10.0.0.0/16", subnets=subnets), *rows]


bastion_specs = st.fixed_dictionaries(
    {
        "sku": st.sampled_from(["Standard", "Premium"]),
        "subnetPrefix": st.sampled_from(["Auto", "10.0.0.0/26", "10.0.1.0/26"]),
        "adoptionPolicy": st.sampled_from(AdoptionPolicy),
        "tags": st.dictionaries(st.sampled_from(["Team", "TEAM", "cost", "AzureBastion-Name"]), st.just("x")),
    },
    optional={"scaleUnits": st.integers(2, 5), "features": st.just({"copyPaste": False, "fileCopy": True})},
)


def _bare(row: Json) -> Json:
    return {key: value for key, value in row.items() if key != "etag"}


@given(hubs(), bastion_specs, st.data())
@settings(max_examples=300, deadline=None)
def test_a_bastion_comes_to_rest_and_deleting_it_brings_azure_back(
    start: list[Row], spec: Json, data: st.DataObject
) -> None:
    azure = AzureModel(start)
    before = azure.rows()
    ids = azure.ids()
    ours = {key for key, row in before.items() if OWNER.marked(row)}
    losses = data.draw(st.integers(0, 2), label="requests that are lost")

    def lost(_: Change) -> bool:
        nonlocal losses
        losses -= 1
        return losses >= 0

    def make_plan(observed: Observed, claims: tuple[Claim, ...]) -> Plan:
        fresh = bastion_input(claims=claims, **spec)
        return plan_bastion_host(
            replace(fresh, observed=observed),
        )

    run = carry_out(azure, make_plan, (), most=12, lost=lost)
    assert run.plan.settled, run.plan
    assert make_plan(azure.observed(), run.plan.claims) == run.plan
    if run.plan.obstacles:
        assert not run.sent
    else:
        _as_asked(azure.rows()[HOST.lower()], spec)
    adopted = {each.id.lower() for each in run.plan.claims if each.origin is ClaimOrigin.ADOPTED}
    touched = {change.resource_id.lower() for change in run.sent}
    assert not touched & (ids - ours - adopted)
    if HOST.lower() in before and not run.plan.obstacles:
        assert azure.rows()[HOST.lower()]["properties"]["unknownField"] == "kept"
    standing = azure.rows()

    def make_removal(observed: Observed, claims: tuple[Claim, ...]) -> Plan:
        fresh = bastion_input(claims=claims, **spec)
        return plan_bastion_removal(
            replace(fresh, observed=observed),
        )

    removal = carry_out(azure, make_removal, run.plan.claims, most=10)
    assert removal.plan.settled
    gone = {change.resource_id.lower() for change in removal.sent}
    assert not gone & (ids - ours)
    assert azure.ids() >= ids - ours
    assert azure.ids() - ids <= _beside_an_adopted_host(adopted)
    for key in adopted:
        assert _bare(azure.rows()[key]) == _bare(standing[key])


@given(hubs(), bastion_specs, st.lists(st.sampled_from(["Manage", "Observe"]), min_size=1, max_size=6))
@settings(max_examples=100, deadline=None)
def test_watching_may_come_and_go_at_any_time_and_ends_as_if_it_had_never_been(
    start: list[Row], spec: Json, policies: list[str]
) -> None:
    """One pass with each policy, then to the end: while it watches, nothing is claimed, given up or sent."""

    def planning(policy: str) -> Callable[[Observed, tuple[Claim, ...]], Plan]:
        def make_plan(observed: Observed, claims: tuple[Claim, ...]) -> Plan:
            fresh = bastion_input(claims=claims, managementPolicy=policy, **spec)
            return plan_bastion_host(replace(fresh, observed=observed))

        return make_plan

    azure, undisturbed = AzureModel(start), AzureModel(start)
    claims: tuple[Claim, ...] = ()
    for policy in policies:
        if policy == "Observe":
            assert planning(policy)(azure.observed(), claims).claims == claims
        else:
            claims = carry_out(azure, planning(policy), claims, most=1).plan.claims
    run = carry_out(azure, planning("Manage"), claims, most=12)
    straight = carry_out(undisturbed, planning("Manage"), (), most=12)
    assert run.plan.settled
    assert set(run.plan.claims) == set(straight.plan.claims)
    assert {key: _bare(row) for key, row in azure.rows().items()} == {
        key: _bare(row) for key, row in undisturbed.rows().items()
    }


def _as_asked(host: Json, spec: Json) -> None:
    assert host["sku"]["name"] == spec["sku"]
    assert host["properties"].get("scaleUnits", 2) == spec.get("scaleUnits", host["properties"].get("scaleUnits", 2))
    if "features" in spec:
        assert host["properties"]["disableCopyPaste"] is True
        assert host["properties"]["enableFileCopy"] is True
    tags = {str(name).lower(): value for name, value in (host["tags"] or {}).items()}
    assert {name.lower() for name in spec["tags"] if not name.lower().startswith("azurebastion")} <= set(tags)


def _beside_an_adopted_host(adopted: set[str]) -> set[str]:
    """What an adopted host goes on using is kept, also if the operator made it."""
    if HOST.lower() not in adopted:
        return set()
    return {ADDRESS.lower(), f"{vnet_id('hub')}/subnets/AzureBastionSubnet".lower()}


@given(hubs())
@settings(max_examples=50, deadline=None)
def test_what_was_adopted_is_never_deleted_also_after_it_was_made_anew_and_the_status_was_lost(
    start: list[Row],
) -> None:
    """Somebody deletes the adopted host, the operator makes it anew, and then its status is lost."""
    azure = AzureModel(start)
    if OWNER.marked(azure.rows().get(HOST.lower(), {})):
        return
    azure._rows.pop(HOST.lower(), None)
    claims = (claim(HOST, adopted=True), claim(ADDRESS, purpose="PublicIP", adopted=True))
    spec = {"adoptionPolicy": "IfUnmanaged", "subnetPrefix": "Auto"}

    def make_plan(observed: Observed, claims: tuple[Claim, ...]) -> Plan:
        fresh = bastion_input(claims=claims, **spec)
        return plan_bastion_host(
            replace(fresh, observed=observed),
        )

    run = carry_out(azure, make_plan, claims, most=10)
    assert HOST.lower() in azure.ids()
    for kept in (run.plan.claims, ()):
        fresh = bastion_input(claims=kept, **spec)
        asked = replace(fresh, observed=azure.observed())
        assert not [change for change in plan_bastion_removal(asked).changes if change.resource_id == HOST]
