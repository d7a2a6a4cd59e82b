"""The doctor's checks: what each says of what it is shown, always with a fix where something is wrong."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from bastion_operator import __version__
from bastion_operator.api import AzureIdentity, BastionHost
from bastion_operator.api.crds import custom_resource_definition
from bastion_operator.arm.usages import Usage
from bastion_operator.cli.doctor.check import Check, Result
from bastion_operator.cli.doctor.deployment import OperatorDeployment
from bastion_operator.cli.doctor.installation import asked_rights, compared_crd, compared_version, judged_rights
from bastion_operator.cli.doctor.inventory_age import ages_in, judged_ages
from bastion_operator.cli.doctor.limits import check_limits, limits_of
from bastion_operator.cli.doctor.resources import (
    check_azure_rights,
    check_identities,
    check_inventory,
    check_resources,
)
from bastion_operator.kube.rights import (
    EVENTS,
    EVERYWHERE,
    IN_EACH_NAMESPACE,
    IN_OWN_NAMESPACE,
    MANAGING,
    OF_THE_CLUSTER,
    Right,
)
from bastion_operator.network.access.operator_role import OPERATOR_ACTIONS
from bastion_operator.network.inventory import Inventory
from tests.support.estates import peering, public_ip, vnet

DEPLOY = Path(__file__).parents[3] / "deploy"
Raw = dict[str, Any]


def condition(kind: str, status: str, reason: str, message: str = "") -> Raw:
    return {"type": kind, "status": status, "reason": reason, "message": message}


def resource(*conditions: Raw, kind: str = "BastionHost", generation: int = 1, seen: int = 1, **status: Any) -> Raw:
    return {
        "kind": kind,
        "metadata": {"name": "hub", "namespace": "net", "generation": generation},
        "spec": {"allowedSubscriptions": ["a", "b"]},
        "status": {"conditions": [*conditions], "observedGeneration": seen, **status},
    }


READY = condition("Ready", "True", "Succeeded")


def results(checks: Any) -> list[tuple[str, Result]]:
    found: list[Check] = list(checks)
    assert all(bool(each.fix) == (each.result is not Result.OK) for each in found), "a fix wherever something is wrong"
    return [(each.name, each.result) for each in found]


def test_identities_are_there_and_work() -> None:
    assert results(check_identities([])) == [("identities", Result.FAILED)]
    broken = condition("Ready", "False", "AuthenticationFailed", "the secret has expired")
    never = resource()
    none = resource(READY)
    none["spec"] = {}
    for raw, result in (
        (resource(READY), Result.OK),
        (resource(broken), Result.FAILED),
        (never, Result.FAILED),
        (none, Result.WARNING),
    ):
        assert results(check_identities([raw])) == [("AzureIdentity hub", result)]


def test_rights_in_azure_are_told_by_what_was_refused() -> None:
    denied = condition("HostProvisioned", "False", "PermissionDenied", "lacks write on hub")
    assert results(check_azure_rights([resource(READY)])) == [("rights in Azure", Result.OK)]
    [check] = check_azure_rights([resource(denied), resource(denied)])
    assert (check.result, check.message) == (Result.FAILED, "BastionHost net/hub: lacks write on hub")
    hidden = resource(READY, reasonCounts=[{"code": "PermissionDenied", "count": 3}])
    assert results(check_azure_rights([hidden])) == [("rights in Azure", Result.FAILED)]


def test_an_inventory_that_cannot_be_read_and_what_is_not_ready_are_told() -> None:
    late = condition("HostProvisioned", "Unknown", "AzureUnreachable", "Microsoft.ResourceGraph/resources: no answer")
    assert results(check_inventory([resource(READY)])) == [("inventory", Result.OK)]
    assert results(check_inventory([resource(late)])) == [("inventory", Result.FAILED)]
    stuck = condition("Ready", "False", "NotOwned", "somebody's")
    at_work = condition("Ready", "False", "Progressing")
    assert results(check_resources([])) == [("custom resources", Result.OK)]
    assert results(check_resources([resource(READY), resource(at_work)])) == [("custom resources", Result.OK)]
    for raw in (resource(stuck), resource(READY, generation=2), resource()):
        assert results(check_resources([raw])) == [("BastionHost net/hub", Result.WARNING)]


def installed(kind: Any) -> Raw:
    crd = copy.deepcopy(custom_resource_definition(kind))
    crd["status"] = {"conditions": [{"type": "Established", "status": "True"}]}
    return crd


def test_a_crd_is_compared_with_the_one_of_this_program() -> None:
    crd = installed(BastionHost)
    assert compared_crd(BastionHost, crd, "crd").result is Result.OK
    older = copy.deepcopy(crd)
    del older["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["scaleUnits"]
    assert compared_crd(BastionHost, older, "crd").message.endswith("it has no field .spec.scaleUnits")
    older["spec"]["versions"][0]["name"] = "v1alpha1"
    assert "it serves v1alpha1" in compared_crd(BastionHost, older, "crd").message
    crd["status"]["conditions"][0]["status"] = "False"
    assert compared_crd(BastionHost, crd, "crd").result is Result.FAILED
    assert compared_crd(AzureIdentity, installed(AzureIdentity), "crd").result is Result.OK


@pytest.mark.parametrize(("count", "result"), [(9, Result.OK), (10, Result.WARNING)])
def test_public_addresses_are_counted_by_region(count: int, result: Result) -> None:
    rows = [public_ip(f"ip-{number}") for number in range(count)]
    assert results(check_limits(Inventory.from_rows(rows)))[0] == ("public IP addresses", result)


@pytest.mark.parametrize(("count", "result"), [(449, Result.OK), (450, Result.WARNING), (500, Result.FAILED)])
def test_peerings_are_counted_by_network(count: int, result: Result) -> None:
    links = [peering(f"n{number}", space=["10.1.0.0/16"]) for number in range(count)]
    inventory = Inventory.from_rows([vnet("hub", "10.0.0.0/16", peerings=links)])
    assert results(check_limits(inventory))[1] == ("peerings", result)


@pytest.mark.parametrize(
    ("usages", "result"),
    [
        ([("PublicIPAddresses", 8, 10), ("LoadBalancers", 9, 9)], Result.OK),
        ([("PublicIPAddresses", 9, 10)], Result.WARNING),
        ([("StandardSkuPublicIpAddresses", 20, 20), ("VirtualNetworks", 1, 1000)], Result.FAILED),
        ([("LoadBalancers", 9, 9)], Result.UNKNOWN),
    ],
)
def test_limits_are_those_that_azure_tells(usages: list[tuple[str, int, int]], result: Result) -> None:
    place = ("00000000-0000-0000-0000-000000000001", "westeurope")
    [(name, found)] = results([limits_of(place, [Usage(name, name, *numbers) for name, *numbers in usages])])
    assert found is result
    assert "westeurope" in name
    assert place[0] in name


def test_the_age_of_the_inventory_is_a_number_of_each_identity_and_of_several_pods_the_youngest_counts() -> None:
    leads = """# HELP azurebastion_inventory_age_seconds Time since the inventory of an AzureIdentity was read.
# TYPE azurebastion_inventory_age_seconds gauge
azurebastion_inventory_age_seconds{identity="default"} 42.0
azurebastion_inventory_age_seconds{identity="platform"} 7.5
"""
    led_once = leads.replace("42.0", "4200.0")
    ages = ages_in([led_once, "", leads])
    assert ages == {"default": 42.0, "platform": 7.5}
    young = judged_ages(ages, 900)
    assert (young.result, young.message) == (Result.OK, "42 s of default, 8 s of platform")
    assert results([judged_ages(ages, 40), judged_ages({}, 900)]) == [
        ("age of the inventory", Result.WARNING),
        ("age of the inventory", Result.UNKNOWN),
    ]


def rights_of(file: str) -> set[Right]:
    [role] = [each for each in yaml.safe_load_all((DEPLOY / "base" / file).read_text()) if "rules" in each]
    return rights_in(role["rules"])


def rights_in(rules: list[Raw]) -> set[Right]:
    return {
        Right(group, resource, verb, name)
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
        for name in rule.get("resourceNames", [""])
    }


def test_the_rights_asked_about_are_those_of_the_shipped_manifests_and_of_the_shipped_role() -> None:
    assert set(EVERYWHERE) == rights_of("cluster_role.yaml")
    assert set(IN_OWN_NAMESPACE) == rights_of("role.yaml")
    assert set(OPERATOR_ACTIONS) == set(json.loads((DEPLOY / "azure" / "role.json").read_text())["Actions"])


def test_the_rights_of_one_namespace_and_of_who_observes_are_those_of_the_components() -> None:
    rights = yaml.safe_load((DEPLOY / "charts" / "bastion-operator" / "files" / "rights.yaml").read_text())
    assert set(OF_THE_CLUSTER) == rights_in(rights["cluster"])
    assert set(IN_EACH_NAMESPACE) == rights_in(rights["namespaced"])
    assert set(EVENTS) == rights_in(rights["events"])
    [patch] = yaml.safe_load((DEPLOY / "observe" / "kustomization.yaml").read_text())["patches"]
    test, verbs, own = yaml.safe_load(patch["patch"])
    left = rights_in([{**test["value"], "verbs": verbs["value"]}, own["value"]])
    assert set(MANAGING) == rights_in([test["value"]]) - left


def deployment(*args: str, account: str = "bastion-operator", **variables: str) -> OperatorDeployment:
    env = [{"name": f"BASTION_OPERATOR_RUN_{name}", "value": value} for name, value in variables.items()]
    containers = [{"name": "proxy", "image": "x:1"}, {"name": "operator", "image": "op:2", "args": args, "env": env}]
    pod = {"serviceAccountName": account, "containers": containers}
    return OperatorDeployment({"metadata": {"name": "x", "namespace": "home"}, "spec": {"template": {"spec": pod}}})


def test_a_namespace_by_the_pods_own_field_or_in_the_command_is_known() -> None:
    found = deployment()
    [_, operator] = found.raw["spec"]["template"]["spec"]["containers"]
    field = {"valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}}
    operator["env"] = [{"name": "BASTION_OPERATOR_RUN_NAMESPACE", **field}]
    assert found.namespaces == ("home",)
    operator["command"] = ["bastion-operator", "run", "--namespace", "team-a"]
    assert found.namespaces == ("team-a",)


@pytest.mark.parametrize(
    "found",
    [
        deployment(NAMESPACE="team-a, team-b"),
        deployment(NAMESPACES="team-a team-b"),
        deployment("run", "--namespace", "team-a", "--namespace=team-b", NAMESPACE="other"),
    ],
)
def test_of_an_operator_of_some_namespaces_the_rights_there_are_asked(found: OperatorDeployment) -> None:
    assert (found.namespaces, found.image, found.account) == (("team-a", "team-b"), "op:2", "bastion-operator")
    asked = asked_rights(found, "home")
    assert {right for right, where in asked if where is None} == set(OF_THE_CLUSTER)
    for namespace in found.namespaces:
        assert {right for right, where in asked if where == namespace} == set(IN_EACH_NAMESPACE)
    assert {right for right, where in asked if where == "default"} == set(EVENTS)
    assert {right for right, where in asked if where == "home"} == set(IN_OWN_NAMESPACE)


def test_of_an_operator_of_all_namespaces_all_are_asked_and_the_lease_by_its_name() -> None:
    plain = [*((right, None) for right in EVERYWHERE), *((right, "home") for right in IN_OWN_NAMESPACE)]
    assert asked_rights(deployment(), "home") == plain
    found = deployment("--leader-elect-resource-name=mine", LEADER_ELECT_RESOURCE_NAMESPACE="leases")
    moved = asked_rights(found, "home")
    assert {(right.verb, right.name) for right, where in moved if where == "leases"} == {
        ("create", ""),
        ("get", "mine"),
        ("update", "mine"),
    }


def test_who_only_observes_is_a_warning_and_no_fix_widens_the_rights() -> None:
    lacking: list[tuple[Right, str | None]] = [(right, "team-a") for right in MANAGING]
    observes = judged_rights("account", lacking)
    assert observes.result is Result.WARNING
    assert observes.message.startswith("observe only: account may not patch bastionhosts.azurebastion.dev in team-a")
    poor = judged_rights("account", [*lacking, (EVENTS[0], None)])
    assert poor.result is Result.FAILED
    for check in (observes, poor):
        assert "deploy/mine" in check.fix
        assert "deploy/base" not in check.fix
    assert judged_rights("account", []).result is Result.OK


@pytest.mark.parametrize(
    ("image", "result"),
    [
        (f"registry:5000/bastion-operator:{__version__}", Result.OK),
        (f"registry:5000/bastion-operator:{__version__}@sha256:0a", Result.OK),
        ("registry:5000/bastion-operator@sha256:0a", Result.UNKNOWN),
        ("bastion-operator:0.0.1", Result.WARNING),
        ("registry:5000/bastion-operator", Result.WARNING),
    ],
)
def test_the_version_of_an_image_is_told_by_its_tag_and_not_by_a_digest(image: str, result: Result) -> None:
    assert results([compared_version(image)]) == [("versions", result)]
