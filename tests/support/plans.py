"""Custom resources for plans, in as few words as a test needs, and the loop that carries plans out on a model of Azure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bastion_operator.api.bastion_host import BastionHostSpec
from bastion_operator.api.common import Claim, ClaimOrigin
from bastion_operator.api.vnet_peering import VNetPeeringSpec
from bastion_operator.planning.bastion_host import BastionHostInput, bastion_host_ids
from bastion_operator.planning.model import Change, Observed, Plan
from bastion_operator.planning.ownership import Owner
from bastion_operator.planning.peering_members import matching_networks
from bastion_operator.planning.vnet_peering import VNetPeeringInput
from tests.support.azure_model import AzureModel, ClosedWorld, StaleError
from tests.support.estates import Row, resource_id, vnet_id

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
OWNER = Owner("installation-1", "team", "net", "uid-1")
HOST = resource_id("Microsoft.Network/bastionHosts", "bas")
ADDRESS = resource_id("Microsoft.Network/publicIPAddresses", "bas-ip")


def world(*rows: Row) -> Observed:
    """What a pass has observed: these rows, and nothing else exists."""
    return ClosedWorld({row["id"]: row for row in rows})


def bastion_input(*rows: Row, claims: tuple[Claim, ...] = (), name: str = "bas", **spec: Any) -> BastionHostInput:
    """A BastionHost in VNet ``hub``, Standard unless the spec (JSON names) says otherwise."""
    asked = BastionHostSpec.model_validate({"virtualNetworkID": vnet_id("hub"), "sku": "Standard", **spec})
    return BastionHostInput(OWNER, asked, bastion_host_ids(name, asked), claims, world(*rows), NOW)


def peering_input(*rows: Row, claims: tuple[Claim, ...] = (), **spec: Any) -> VNetPeeringInput:
    """A VNetPeering of ``hub`` and ``spoke`` unless the spec (JSON names; None: left out) says otherwise."""
    asked = {"hub": {"virtualNetworkID": vnet_id("hub")}, "spokes": spokes("spoke"), **spec}
    if asked.get("topology") == "FullMesh":
        del asked["hub"]
    asked = {name: value for name, value in asked.items() if value is not None}
    model = VNetPeeringSpec.model_validate(asked)
    selector = model.spoke_selector
    found = matching_networks(selector, {row["id"].lower(): row for row in rows}) if selector else ()
    return VNetPeeringInput(OWNER, model, claims, world(*rows), NOW, found)


def spokes(*names: str) -> list[dict[str, str]]:
    return [{"virtualNetworkID": vnet_id(name)} for name in names]


def own_name(remote: str) -> str:
    """The name of the operator's link to a network."""
    return OWNER.peering_name(vnet_id(remote))


def link_id(network: str, name: str) -> str:
    return f"{vnet_id(network)}/virtualNetworkPeerings/{name}"


def claim(resource: str, *, purpose: str = "Host", detail: str | None = None, adopted: bool = False) -> Claim:
    origin = ClaimOrigin.ADOPTED if adopted else ClaimOrigin.CREATED
    return Claim(id=resource, purpose=purpose, origin=origin, detail=detail, claimed_at=NOW)


def link_claim(network: str, remote: str, *, name: str | None = None, adopted: bool = False) -> Claim:
    """The claim on the half in ``network``; by default on the operator's own link."""
    identity = link_id(network, name or own_name(remote))
    purpose = "HubToSpoke" if network == "hub" else "SpokeToHub"
    return claim(identity, purpose=purpose, detail=vnet_id(remote), adopted=adopted)


def marked(row: Row, **tags: str) -> Row:
    """The row with the operator's mark."""
    return {**row, "tags": {**OWNER.tags(), **tags}}


def codes(plan: Plan) -> list[str]:
    return [str(finding.code) for finding in plan.obstacles]


def told(changes: tuple[Change, ...]) -> list[tuple[str, str]]:
    """Verb and short id of each change."""
    return [(change.verb.value, "/".join(change.resource_id.split("/")[-2:])) for change in changes]


@dataclass
class Run:
    """How plans were carried out until nothing was left, or until the passes ran out."""

    plan: Plan
    passes: int
    sent: list[Change]


def carry_out(
    azure: AzureModel,
    make_plan: Callable[[Observed, tuple[Claim, ...]], Plan],
    claims: tuple[Claim, ...],
    *,
    most: int,
    lost: Callable[[Change], bool] = lambda _: False,
) -> Run:
    """Pass after pass, as the operator does it: claims first, then one request for each root.

    ``lost`` says which requests never leave, as after a crash.
    """
    sent: list[Change] = []
    for number in range(most):
        plan = make_plan(azure.observed(), claims)
        claims = plan.claims
        if plan.settled:
            return Run(plan, number, sent)
        roots: set[str] = set()
        for change in plan.changes:
            if change.root_id.lower() in roots or lost(change):
                continue
            roots.add(change.root_id.lower())
            try:
                azure.apply(change)
            except StaleError:
                continue
            sent.append(change)
    return Run(make_plan(azure.observed(), claims), most, sent)
