"""Each right of the operator's account taken away: what is missing is named where people look, and nothing else goes wrong.

`make test` tries a few each day; `make test-long` all of them. The rights to list and watch are those of the program's start:
without them it waits and says so. The Lease: tests/e2e.
"""

import json
import logging
import os
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from bastion_operator.reconcile.keys import Key, Kind
from dev.control_plane import ControlPlane
from tests.support.azure import AzureFactory
from tests.support.deployment import BASE, rendered
from tests.support.identities import Identities, identities_of
from tests.support.lab import APPS_SUBSCRIPTION, EXAMPLE, HUB, HUB_SUBSCRIPTION, SHOP
from tests.support.operator_in_process import Manifest, Passes, passes_at_work

pytestmark = pytest.mark.usefixtures("crds_served")

Right = tuple[str, str]
"""A resource, as in a rule, and a verb."""

# Where each is told: in a condition of this kind of resource, or, where no condition can be written, in the log alone.
TOLD: dict[Right, str] = {
    ("secrets", "get"): "AzureIdentity",
    ("namespaces", "get"): "BastionHost",
    ("reachabilityreports", "list"): "BastionHost",
    ("reachabilityreports", "create"): "BastionHost",
    ("reachabilityreports", "patch"): "BastionHost",
    ("vnetpeerings", "patch"): "VNetPeering",
    ("bastionhosts", "get"): "log",
    ("bastionhosts/status", "patch"): "log",
    ("events", "create"): "log",
    ("azureidentities", "get"): "log",
}
# Rights without which no identity can be used: the peering cannot be made either.
NOTHING_WITHOUT = {("secrets", "get"), ("namespaces", "get"), ("azureidentities", "get")}
KINDS = {"BastionHost": Kind.BASTION_HOST, "VNetPeering": Kind.VNET_PEERING}
A_DAY = 3
DAY = int(time.time() // 86400)
TODAY = {right for number, right in enumerate(TOLD) if (number - DAY * A_DAY) % len(TOLD) < A_DAY}


def cases() -> Iterator[Any]:
    for right in TOLD:
        marks = [] if right in TODAY else [pytest.mark.long]
        yield pytest.param(right, id=f"{right[1]}-{right[0].replace('/', '-')}", marks=marks)


def rules_without(right: Right) -> list[Manifest]:
    """The rules of the shipped roles without this one right."""
    shipped = [*yaml.safe_load_all((BASE / "cluster_role.yaml").read_text())]
    shipped += [*yaml.safe_load_all((BASE / "role.yaml").read_text())]
    rules = [rule for each in shipped for rule in each.get("rules", [])]
    found = [
        {**rule, "resources": [resource], "verbs": [verb]}
        for rule in rules
        for resource in rule["resources"]
        for verb in rule["verbs"]
        if (resource, verb) != right
    ]
    assert len(found) == sum(len(rule["resources"]) * len(rule["verbs"]) for rule in rules) - 1
    return found


def account_with(control_plane: ControlPlane, namespace: str, rules: list[Manifest]) -> Path:
    """The kubeconfig of a new account with these rules."""
    rbac = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": namespace}
    metadata = {"name": namespace}
    subject = {"kind": "ServiceAccount", "name": "operator", "namespace": namespace}
    objects: list[Manifest] = [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "operator", "namespace": namespace}},
        {"kind": "ClusterRole", "metadata": metadata, "rules": rules},
        {"kind": "ClusterRoleBinding", "metadata": metadata, "roleRef": rbac, "subjects": [subject]},
    ]
    for each in objects[1:]:
        each["apiVersion"] = "rbac.authorization.k8s.io/v1"
    listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
    control_plane.kubectl("apply", "-f", "-", input=listed)
    return control_plane.kubeconfig_for("operator", namespace=namespace)


@pytest.fixture
def removed(control_plane: ControlPlane, namespace: str) -> Iterator[None]:
    yield
    control_plane.kubectl("delete", "clusterrole,clusterrolebinding", namespace, "--ignore-not-found")


@pytest.mark.parametrize("right", [*cases()])
async def test_a_right_that_the_account_lacks_is_named(
    control_plane: ControlPlane,
    azure_factory: AzureFactory,
    namespace: str,
    removed: None,
    caplog: pytest.LogCaptureFixture,
    right: Right,
) -> None:
    del removed
    caplog.set_level(logging.INFO)
    account = account_with(control_plane, namespace, rules_without(right))
    azure = azure_factory(json.loads((EXAMPLE / "estate.json").read_text()), throttling=False, graph_lag=0)
    kinds = (Kind.BASTION_HOST, Kind.VNET_PEERING)
    async with (
        passes_at_work(control_plane, azure, namespace, speed=50.0, kinds=kinds, account=account) as passes,
        identities_of(passes) as identities,
    ):
        await make(identities)
        resource, verb = right
        words = f'cannot {verb} resource "{resource}"'
        if TOLD[right] == "AzureIdentity":
            (identity,) = identities.made
            await identities.ready(identity, "SecretForbidden", "deploy/base/role.yaml")
        elif TOLD[right] == "log":
            await passes.wait(words, lambda: words in caplog.text)
        else:
            told = await passes.wait(words, partial(condition_with, passes, TOLD[right], words))
            assert told["reason"] == "KubernetesForbidden"
            assert "Grant it in the operator's ClusterRole" in told["message"]
        if TOLD[right] != "VNetPeering" and right not in NOTHING_WITHOUT:
            link = Key(Kind.VNET_PEERING, namespace, "hub")
            await passes.wait("the peering is made all the same", lambda: passes.reads(link, "Ready", "True"))
    assert [each for each in caplog.records if each.exc_info and each.name.startswith("bastion_operator")] == []


def rules_to_observe(control_plane: ControlPlane, folder: Path) -> list[Manifest]:
    """The rules of all roles that the base with the component makes."""
    parts = (os.path.relpath(each.resolve(), folder.resolve()) for each in (BASE, BASE.parent / "observe"))
    base, component = parts
    overlay = {"kind": "Kustomization", "apiVersion": "kustomize.config.k8s.io/v1beta1"}
    text = yaml.safe_dump({**overlay, "resources": [base], "components": [component]})
    (folder / "kustomization.yaml").write_text(text)
    return [rule for each in rendered(control_plane, folder) for rule in each.get("rules", [])]


async def test_the_rights_to_observe_suffice_to_observe_and_a_managed_resource_says_what_is_missing(
    control_plane: ControlPlane,
    azure_factory: AzureFactory,
    namespace: str,
    removed: None,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
) -> None:
    del removed
    caplog.set_level(logging.INFO)
    account = account_with(control_plane, namespace, rules_to_observe(control_plane, tmp_path))
    azure = azure_factory(json.loads((EXAMPLE / "estate.json").read_text()), throttling=False, graph_lag=0)
    kinds = (Kind.BASTION_HOST, Kind.VNET_PEERING)
    async with (
        passes_at_work(control_plane, azure, namespace, speed=50.0, kinds=kinds, account=account) as passes,
        identities_of(passes) as identities,
    ):
        await make(identities, managementPolicy="Observe")
        host, link = (Key(kind, namespace, "hub") for kind in kinds)
        for key, condition_type in ((host, "TargetsReachable"), (link, "Connected")):
            await passes.wait(f"{key} is judged", partial(passes.condition, key, condition_type))
        assert "cannot" not in caplog.text
        assert "finalizers" not in passes.seen[link]["metadata"]
        await passes.change_spec(link, managementPolicy="Manage")
        words = 'cannot patch resource "vnetpeerings"'
        await passes.wait(words, partial(condition_with, passes, "VNetPeering", words))
    assert [entry for entry in azure.request_log() if entry["method"] in {"PUT", "PATCH", "DELETE"}] == []


async def make(identities: Identities, **link_spec: str) -> None:
    who = identities.passes.azure.clients["operator"]
    namespaces = {"selector": {"matchLabels": {"kubernetes.io/metadata.name": identities.passes.namespace}}}
    spec = {
        "type": "ServicePrincipal",
        "clientID": who.client_id,
        "allowedSubscriptions": [HUB_SUBSCRIPTION, APPS_SUBSCRIPTION],
        "allowedNamespaces": namespaces,
    }
    identity = await identities.make("default", spec, {"clientSecret": who.client_secret.encode()})
    common = {"identityRef": {"name": identity.name}}
    host = {"virtualNetworkID": HUB, "managementPolicy": "Observe", **common}
    await identities.passes.create(Kind.BASTION_HOST, "hub", host)
    link = {"hub": {"virtualNetworkID": HUB}, "spokes": [{"virtualNetworkID": SHOP}], **common, **link_spec}
    await identities.passes.create(Kind.VNET_PEERING, "hub", link)


def condition_with(passes: Passes, kind: str, words: str) -> Manifest | None:
    """A condition Ready of this kind of resource with these words."""
    key = Key(KINDS[kind], passes.namespace, "hub")
    ready = passes.reads(key, "Ready", "False")
    return ready if ready is not None and words in ready["message"] else None
