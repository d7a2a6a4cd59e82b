"""deploy/azure/role.json: the actions that the operator's reads and plans need, and no others."""

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from arm_emulator.principals import Assignment
from bastion_operator.api.bastion_host import BastionHostSpec
from bastion_operator.api.common import Claim, ClaimOrigin
from bastion_operator.api.vnet_peering import VNetPeeringSpec
from bastion_operator.arm.graph import ACCESS_TYPES, HUB_COLLECTIONS, INVENTORY_TYPES
from bastion_operator.arm.needed_actions import MANAGE, OBSERVE
from bastion_operator.planning.bastion_diagnostics import diagnostics_id, settings_of_host
from bastion_operator.planning.bastion_host import BastionHostInput, bastion_host_ids, plan_bastion_host
from bastion_operator.planning.bastion_removal import plan_bastion_removal
from bastion_operator.planning.model import Change, Observed, Verb
from bastion_operator.planning.ownership import Owner
from bastion_operator.planning.rule_mark import TARGET_RULE, RuleMark
from bastion_operator.planning.vnet_peering import VNetPeeringInput, plan_vnet_peering
from dev.local_azure import LocalAzure
from tests.support.api_server_gate import ApiServerGate, Right
from tests.support.azure import AzureFactory
from tests.support.crd_examples import HUB, SPOKE, UUID, WORKSPACE, host, peering
from tests.support.deployment import BASE, NAMESPACE, ROOT, Installation, running_operator

ROLE = json.loads((ROOT / "deploy/azure/role.json").read_text())
OBSERVE_ROLE = json.loads((ROOT / "deploy/azure/role-observe.json").read_text())
EXAMPLE = ROOT / "examples/hub-and-spoke"
TENANT = "connectivity"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
OWNER = Owner("cluster", "connectivity", "hub", UUID)
# Azure's page "Azure permissions for Networking", and for the graph that for Management and governance: what a query,
# the row of a subscription, and the URL of a long operation need. The activity log tells who undoes a change, locks are
# named where one is in the way, and what the operator may do itself is asked before a link is made.
OTHER_READS = {
    "microsoft.authorization/locks/read",
    "microsoft.authorization/permissions/read",
    "microsoft.insights/eventtypes/values/read",
    "microsoft.insights/diagnosticsettings/read",
    "microsoft.network/locations/operations/read",
    "microsoft.resourcegraph/resources/read",
    "microsoft.resources/subscriptions/read",
}
LINKED = {
    "subnet": "join/action",
    "publicIPAddress": "join/action",
    "networkSecurityGroup": "join/action",
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
    assert len(first.changes) == 1
    yield from (*parts.changes, *created.changes, *developer.changes, *first.changes, *then.changes)


def diagnostics_changes() -> Iterable[Change]:
    """A diagnostic setting made, and deleted again."""
    ids = host_input({}).ids
    setting = diagnostics_id(OWNER, ids.host)
    marked = {"tags": OWNER.tags(), "properties": {"provisioningState": "Succeeded"}, "sku": {"name": "Standard"}}
    every = settings_of_host(ids.host)
    standing = {HUB: network("10.0.0.0/16"), ids.host: marked, every: None}
    made = plan_bastion_host(host_input(standing, diagnostics={"workspaceID": WORKSPACE}))
    claims = (Claim(id=setting, purpose="Diagnostics", origin=ClaimOrigin.CREATED),)
    gone = plan_bastion_host(
        host_input({**standing, every: {"value": [{"name": setting.rpartition("/")[2], "properties": {}}]}}, claims)
    )
    assert [change.resource_id for change in (*made.changes, *gone.changes)] == [setting, setting]
    yield from (*made.changes, *gone.changes)


def rule_changes() -> Iterable[Change]:
    """A group with a new subnet, a rule in a group that lacks it, and both taken out again."""
    hub = network("10.0.0.0/16")
    enforce = {"subnet": "Enforce", "targets": "Enforce"}
    ids = host_input({}).ids
    made = plan_bastion_host(host_input({HUB: hub}, subnetPrefix="Auto", networkSecurity=enforce))
    group = next(change for change in made.changes if change.resource_id == ids.security_group)
    standing = {HUB: hub, ids.security_group: {**(group.body or {}), "id": ids.security_group}}
    born = plan_bastion_host(host_input(standing, subnetPrefix="Auto", networkSecurity=enforce))
    rules = (group.body or {})["properties"]["securityRules"]
    lacking = {**(group.body or {}), "id": ids.security_group, "properties": {"securityRules": rules[1:]}}
    filled = plan_bastion_host(
        host_input({HUB: hub, ids.security_group: lacking}, subnetPrefix="Auto", networkSecurity=enforce)
    )
    target = f"{HUB.replace('virtualNetworks/hub', 'networkSecurityGroups/web')}"
    mark = RuleMark(OWNER, ids.host)
    held = {"description": mark.description("sessions")}
    web = {"properties": {"securityRules": [{"name": mark.name("tcp-22"), "properties": held}]}}
    claims = (
        Claim(id=f"{target}/securityRules/{mark.name('tcp-22')}", purpose=TARGET_RULE, origin=ClaimOrigin.CREATED),
        Claim(id=ids.security_group, purpose="SecurityGroup", origin=ClaimOrigin.CREATED),
    )
    observed = {HUB: hub, ids.security_group: standing[ids.security_group], ids.host: None, ids.public_ip: None}
    gone = plan_bastion_removal(host_input({**observed, target: web}, claims))
    then = plan_bastion_removal(host_input(observed, claims[1:]))
    assert len(gone.changes) == len(then.changes) == len(filled.changes) - 1 == 1
    yield from (*made.changes, *born.changes, *filled.changes, *gone.changes, *then.changes)


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
            if name == "workspaceId":
                # Whoever sends to a workspace needs its keys: Azure's page "Diagnostic settings in Azure Monitor".
                found.add(f"{type_of(value)}/sharedkeys/action")
            elif name in LINKED:
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
    reads = {f"{each}/read" for each in (*INVENTORY_TYPES, *ACCESS_TYPES, *HUB_COLLECTIONS.values())} | OTHER_READS
    writes = {
        action
        for change in (*host_changes(), *diagnostics_changes(), *rule_changes(), *peering_changes())
        for action in actions_of(change)
    }

    assert {action.lower() for action in ROLE["Actions"]} == reads | writes
    assert sorted((*OBSERVE, *MANAGE)) == ROLE["Actions"]
    assert sorted(OBSERVE) == OBSERVE_ROLE["Actions"]


@pytest.mark.parametrize("role", [ROLE, OBSERVE_ROLE], ids=["role", "role-observe"])
def test_each_action_is_listed_once_in_order_and_none_is_a_wildcard(role: dict[str, Any]) -> None:
    assert role["Actions"] == sorted(set(role["Actions"]))
    assert not [action for action in role["Actions"] if "*" in action]
    assert role["NotActions"] == role["DataActions"] == role["NotDataActions"] == []


def test_the_read_only_role_holds_no_write() -> None:
    assert [action for action in OBSERVE_ROLE["Actions"] if not action.endswith("/read")] == []


@pytest.mark.parametrize(
    "action",
    [
        "Microsoft.Authorization/roleAssignments/write",
        "Microsoft.Network/networkInterfaces/write",
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


def test_an_operator_with_this_role_alone_makes_and_takes_down_the_example(
    installation: Installation, azure_factory: AzureFactory, tmp_path: Path
) -> None:
    """Whatever Azure asks for beyond the role would be refused: the local Azure asks for the rights that Azure asks for."""
    azure = azure_with_the_role(azure_factory, tmp_path)
    kubectl = installation.control_plane.kubectl
    apply_example(installation, azure)

    with running_operator(installation, tmp_path / "operator.log", leading_to(azure)):
        kubectl("wait", "--for=condition=Ready", "bh,vnp", "--all", "-n", TENANT, "--timeout=60s", timeout=70)
        kubectl("delete", "bh,vnp", "--all", "-n", TENANT, "--timeout=60s", timeout=70)
        kubectl("delete", "azid", "--all", "--timeout=20s")

    log = azure.request_log()
    assert [(entry["method"], entry["url"], entry["code"]) for entry in log if entry["status"] in {401, 403}] == []
    made = [entry["url"] for entry in log if (entry["method"], entry["status"]) == ("PUT", 201)]
    assert len(made) == 9


@pytest.mark.long
def test_in_a_whole_life_of_the_example_every_right_in_kubernetes_is_needed(
    installation: Installation, azure_factory: AzureFactory, tmp_path: Path
) -> None:
    """Made, its Secret lost twice, looked at by a second process, taken down: by requests as the API server gets them."""
    azure = azure_with_the_role(azure_factory, tmp_path)
    kubectl = installation.control_plane.kubectl
    # Another test's operator may have made it.
    kubectl("delete", "lease", "bastion-operator", "-n", NAMESPACE, "--ignore-not-found")
    gate = ApiServerGate(installation.control_plane)
    gate.start()
    seen = replace(installation, kubeconfig=gate.kubeconfig(installation.kubeconfig, tmp_path / "kubeconfig"))
    apply_example(installation, azure)

    with running_operator(seen, tmp_path / "operator.log", leading_to(azure)):
        kubectl("wait", "--for=condition=Ready", "bh,vnp", "--all", "-n", TENANT, "--timeout=60s", timeout=70)
        # What is told a second time is counted in the Event that stands.
        for secret, ready in (("lost", False), ("azure-default", True)) * 2:
            spec = json.dumps({"spec": {"secretName": secret}})
            kubectl("patch", "azid", "default", "--type=merge", f"--patch={spec}")
            kubectl("wait", f"--for=condition=Ready={ready}", "azid/default", "--timeout=30s")
    with running_operator(seen, tmp_path / "operator.log", leading_to(azure)):
        _wait_until_read(gate, "reachabilityreports")
        kubectl("delete", "bh,vnp", "--all", "-n", TENANT, "--timeout=60s", timeout=70)
        kubectl("delete", "azid", "--all", "--timeout=20s")
    gate.stop()

    assert shipped_rights() - gate.asked == set()


def _wait_until_read(gate: ApiServerGate, resource: str) -> None:
    """Until one of these was read by itself: a new process compares those that it has not written."""
    deadline = time.monotonic() + 30
    while ("azurebastion.dev", resource, "get") not in gate.asked and time.monotonic() < deadline:
        time.sleep(0.1)


def shipped_rights() -> set[Right]:
    """What the operator's account may do, by the base's roles."""
    files = (BASE / "cluster_role.yaml", BASE / "role.yaml")
    return {
        (group, resource, verb)
        for file in files
        for role in yaml.safe_load_all(file.read_text())
        for rule in role.get("rules", [])
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def azure_with_the_role(azure_factory: AzureFactory, folder: Path) -> LocalAzure:
    """The example's estate, and a principal named limited with the shipped role."""
    principals = folder / "principals.json"
    principals.write_text(json.dumps([{"name": "limited", "assignments": [{"actions": ROLE["Actions"]}]}]))
    return azure_factory(json.loads((EXAMPLE / "estate.json").read_text()), principals=principals, graph_lag=0)


def leading_to(azure: LocalAzure) -> dict[str, str]:
    return {**azure.environment(), "BASTION_OPERATOR_RUN_CLOCK_SPEED": "50"}


def apply_example(installation: Installation, azure: LocalAzure) -> None:
    """The example's files, with the credentials of the local Azure."""
    client = azure.clients["limited"]
    identity = yaml.safe_load((EXAMPLE.parent / "azure-identity.yaml").read_text())
    identity["spec"] |= {"tenantID": azure.tenant_id, "clientID": client.client_id}
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": identity["spec"]["secretName"], "namespace": NAMESPACE},
        "stringData": {"clientSecret": client.client_secret},
    }
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": TENANT}}
    kubectl = installation.control_plane.kubectl
    kubectl("apply", "-f", "-", input=yaml.safe_dump_all([namespace, secret, identity]))
    kubectl("apply", "-f", str(EXAMPLE / "bastion-host.yaml"), "-f", str(EXAMPLE / "vnet-peering.yaml"))
