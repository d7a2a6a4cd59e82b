"""deploy/azure/role.json: the actions that the operator's reads and plans need, and no others."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from arm_emulator.principals import Assignment
from bastion_operator.api.bastion_host import BastionHostSpec
from bastion_operator.api.common import Claim, ClaimOrigin
from bastion_operator.api.vnet_peering import VNetPeeringSpec
from bastion_operator.arm.graph import INVENTORY_TYPES
from bastion_operator.planning.bastion_host import BastionHostInput, bastion_host_ids, plan_bastion_host
from bastion_operator.planning.bastion_removal import plan_bastion_removal
from bastion_operator.planning.model import Change, Observed, Verb
from bastion_operator.planning.ownership import Owner
from bastion_operator.planning.vnet_peering import VNetPeeringInput, plan_vnet_peering
from tests.support.crd_examples import HUB, SPOKE, UUID, host, peering
from tests.support.deployment import ROOT

ROLE = json.loads((ROOT / "deploy/azure/role.json").read_text())
NOW = datetime(2026, 1, 1, tzinfo=UTC)
OWNER = Owner("cluster", "connectivity", "hub", UUID)
# Azure's page "Azure permissions for Networking", and for the graph that for Management and governance: what a query,
# the row of a subscription, and the URL of a long operation need.
OTHER_READS = {
    "microsoft.network/locations/operations/read",
    "microsoft.resourcegraph/resources/read",
    "microsoft.resources/subscriptions/read",
}
LINKED = {
    "subnet": "join/action",
    "publicIPAddress": "join/action",
    "virtualNetwork": "join/action",
    "remoteVirtualNetwork": "peer/action",
}


def network(prefix: str, **properties: Any) -> dict[str, Any]:
    """A virtual network's body."""
    space = {"addressPrefixes": [prefix]}
    return {
        "location": "westeurope",
        "properties": {"addressSpace": space, "provisioningState": "Succeeded", **properties},
    }


def host_input(observed: Mapping[str, Any], claims: tuple[Claim, ...] = (), **spec: Any) -> BastionHostInput:
    wanted = BastionHostSpec.model_validate({**host()["spec"], **spec})
    ids = bastion_host_ids("hub", wanted)
    return BastionHostInput(OWNER, wanted, ids, claims, Observed(observed), NOW)


def host_changes() -> Iterable[Change]:
    """Making a host from nothing, making a Developer host, and taking a host down again."""
    hub, subnet = network("10.0.0.0/16"), {"name": "AzureBastionSubnet", "properties": {"addressPrefix": "10.0.0.0/26"}}
    with_subnet = network("10.0.0.0/16", subnets=[subnet])
    parts = plan_bastion_host(host_input({HUB: hub}, subnetPrefix="Auto"))
    assert len(parts.changes) == 2
    ids = host_input({}).ids
    marked = {"tags": OWNER.tags(), "properties": {"provisioningState": "Succeeded"}}
    created = plan_bastion_host(host_input({HUB: with_subnet, ids.public_ip: marked}))
    developer = plan_bastion_host(host_input({HUB: hub}, sku="Developer"))
    claims = [Claim(id=each, purpose="Host", origin=ClaimOrigin.CREATED) for each in (ids.host, ids.public_ip)]
    claims.append(Claim(id=ids.subnet, purpose="Subnet", origin=ClaimOrigin.CREATED, detail="10.0.0.0/26"))
    standing = {HUB: with_subnet, ids.host: marked, ids.public_ip: marked}
    first = plan_bastion_removal(host_input(standing, tuple(claims)))
    then = plan_bastion_removal(host_input({**standing, ids.host: None}, tuple(claims)))
    yield from (*parts.changes, *created.changes, *developer.changes, *first.changes, *then.changes)


def peering_changes() -> Iterable[Change]:
    """Joining two networks, and making a half that reads Disconnected anew."""
    spec = VNetPeeringSpec.model_validate(peering()["spec"])
    spoke = network("10.1.0.0/16")
    joined = plan_vnet_peering(
        VNetPeeringInput(OWNER, spec, (), Observed({HUB: network("10.0.0.0/16"), SPOKE: spoke}), NOW)
    )
    broken = {
        "name": OWNER.peering_name(SPOKE),
        "properties": {
            "remoteVirtualNetwork": {"id": SPOKE},
            "peeringState": "Disconnected",
            "provisioningState": "Succeeded",
        },
    }
    hub = network("10.0.0.0/16", virtualNetworkPeerings=[broken])
    repaired = plan_vnet_peering(VNetPeeringInput(OWNER, spec, (), Observed({HUB: hub, SPOKE: spoke}), NOW))
    yield from (*joined.changes, *repaired.changes)


def actions_of(change: Change) -> set[str]:
    """What Azure asks for: the right to the write itself, and one on each resource that its body names."""
    verb = "delete" if change.verb is Verb.DELETE else "write"
    return {f"{type_of(change.resource_id)}/{verb}", *linked_actions(change.body or {})}


def linked_actions(body: object) -> set[str]:
    found: set[str] = set()
    if isinstance(body, Mapping):
        for name, value in body.items():
            if name in LINKED:
                found.add(f"{type_of(value['id'])}/{LINKED[name]}")
            else:
                found |= linked_actions(value)
    elif isinstance(body, list):
        for each in body:
            found |= linked_actions(each)
    return found


def type_of(resource_id: str) -> str:
    namespace, *rest = resource_id.rpartition("/providers/")[2].lower().split("/")
    return "/".join([namespace, *rest[::2]])


def test_the_role_holds_what_reads_and_plans_need_and_nothing_else() -> None:
    reads = {f"{each}/read" for each in INVENTORY_TYPES} | OTHER_READS
    writes = {action for change in (*host_changes(), *peering_changes()) for action in actions_of(change)}

    assert {action.lower() for action in ROLE["Actions"]} == reads | writes


def test_each_action_is_listed_once_in_order_and_none_is_a_wildcard() -> None:
    assert ROLE["Actions"] == sorted(set(ROLE["Actions"]))
    assert not [action for action in ROLE["Actions"] if "*" in action]
    assert ROLE["NotActions"] == ROLE["DataActions"] == ROLE["NotDataActions"] == []


@pytest.mark.parametrize(
    "action",
    [
        "Microsoft.Authorization/roleAssignments/write",
        "Microsoft.Network/networkSecurityGroups/securityRules/write",
        "Microsoft.Network/virtualNetworks/write",
        "Microsoft.Network/virtualNetworks/delete",
        "Microsoft.Network/bastionHosts/getShareableLinks/action",
        "Microsoft.Compute/virtualMachines/write",
    ],
)
def test_what_the_operator_never_does_is_not_granted(action: str) -> None:
    granted = Assignment("/", tuple(ROLE["Actions"]), tuple(ROLE["NotActions"]))

    assert granted.grants("microsoft.network/bastionhosts/write")
    assert not granted.grants(action.lower())
