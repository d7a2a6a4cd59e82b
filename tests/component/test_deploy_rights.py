"""The operator's account: exactly what the operator does, shown by its rules and by an operator that runs with them."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
import yaml

from bastion_operator.api.reachability_report import ReachabilityReport, ReportRow, Verdict
from bastion_operator.clock import SystemClock
from bastion_operator.kube.client import KubeClient, find_cluster
from bastion_operator.kube.reports import ReportPublisher
from bastion_operator.kube.sharding import build_reports
from dev.control_plane import KubectlError
from dev.control_plane.server import free_ports
from tests.support.crd_examples import host, identity, manifest, peering
from tests.support.deployment import NAMESPACE, Installation, Manifest, running_operator

Found = TypeVar("Found")
Right = tuple[str, str, str]
"""API group, resource, verb."""

OURS = "azurebastion.dev"
WRITTEN_BY_PEOPLE = ("azureidentities", "bastionhosts", "vnetpeerings")
EVERYWHERE: set[Right] = {
    *((OURS, plural, verb) for plural in WRITTEN_BY_PEOPLE for verb in ("get", "list", "watch", "patch")),
    *((OURS, f"{plural}/status", "patch") for plural in WRITTEN_BY_PEOPLE),
    *((OURS, "reachabilityreports", verb) for verb in ("get", "list", "create", "patch", "delete")),
    ("events.k8s.io", "events", "create"),
    ("events.k8s.io", "events", "patch"),
    ("", "namespaces", "get"),
}
LEASES = ("coordination.k8s.io", "leases")
IN_ITS_NAMESPACE: set[Right] = {("", "secrets", "get"), *((*LEASES, verb) for verb in ("get", "create", "update"))}
TENANT = "tenant"


@pytest.fixture(scope="module")
def tenant(installation: Installation) -> str:
    """A namespace whose resources may use the identity because of its label."""
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": TENANT, "labels": {"azure": "yes"}}}
    _apply(installation, namespace)
    return TENANT


def test_the_account_has_these_rights_and_no_others(installation: Installation, tenant: str) -> None:
    assert _granted(installation, tenant) == EVERYWHERE
    assert _granted(installation, NAMESPACE) == EVERYWHERE | IN_ITS_NAMESPACE


@pytest.mark.parametrize(
    ("verb", "resource", "namespace"),
    [
        ("get", "secrets", TENANT),
        ("get", "secrets", "kube-system"),
        ("list", "secrets", NAMESPACE),
        ("watch", "secrets", NAMESPACE),
        ("delete", "bastionhosts.azurebastion.dev", TENANT),
        ("create", "azureidentities.azurebastion.dev", TENANT),
        ("update", "vnetpeerings.azurebastion.dev", TENANT),
        ("create", "pods", NAMESPACE),
        ("escalate", "clusterroles.rbac.authorization.k8s.io", TENANT),
        ("impersonate", "users", TENANT),
        ("create", "serviceaccounts/token", NAMESPACE),
        ("update", "leases.coordination.k8s.io/another", NAMESPACE),
        ("update", "leases.coordination.k8s.io/bastion-operator", TENANT),
    ],
)
def test_the_api_server_says_no_to_what_it_never_does(
    installation: Installation, tenant: str, verb: str, resource: str, namespace: str
) -> None:
    del tenant
    with pytest.raises(KubectlError) as refused:
        installation.control_plane.kubectl(
            "auth", "can-i", verb, resource, "-n", namespace, kubeconfig=installation.kubeconfig
        )
    assert refused.value.returncode == 1


def _granted(installation: Installation, namespace: str) -> set[Right]:
    """The account's rights in a namespace, without those of every account."""
    installation.control_plane.kubectl("create", "serviceaccount", "nobody", "-n", namespace)
    nobody = installation.control_plane.kubeconfig_for("nobody", namespace=namespace)
    return _rules(installation, installation.kubeconfig, namespace) - _rules(installation, nobody, namespace)


def _rules(installation: Installation, kubeconfig: Path, namespace: str) -> set[Right]:
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectRulesReview",
        "spec": {"namespace": namespace},
    }
    answer = json.loads(
        installation.control_plane.kubectl(
            "create",
            "--raw",
            "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
            "-f",
            "-",
            input=json.dumps(review),
            kubeconfig=kubeconfig,
        )
    )
    assert not answer["status"]["incomplete"]
    return {
        (group, resource, verb)
        for rule in answer["status"]["resourceRules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


async def test_the_account_suffices_to_write_change_and_delete_reports(installation: Installation, tenant: str) -> None:
    _apply(installation, host(name="reports", deletionPolicy="Retain"), tenant)
    owner = _read(installation, "bastionhosts", "reports", tenant)
    first, second = _report(tenant, 22), _report(tenant, 2222)

    async with await KubeClient.connect(find_cluster(installation.kubeconfig), SystemClock()) as client:
        publisher = ReportPublisher(client)
        created = await publisher.sync(owner, [first])
        changed = await publisher.sync(owner, [second])
        deleted = await publisher.delete_all(owner)

    assert created.written == changed.written == deleted.deleted == (first.metadata.name,)
    installation.control_plane.kubectl("delete", "bastionhosts", "reports", "-n", tenant, "--wait=false")


def _report(namespace: str, port: int) -> ReachabilityReport:
    network = host()["spec"]["virtualNetworkID"]
    machine = network.replace("Microsoft.Network/virtualNetworks", "Microsoft.Compute/virtualMachines")
    row = ReportRow(vm=machine, protocol="SSH", port=port, verdict=Verdict.REACHABLE)
    (report,) = build_reports(
        namespace=namespace,
        bastion_host="reports",
        rows_by_network={network: [row]},
    )
    return report


@pytest.fixture
def operator_log(installation: Installation, tmp_path: Path) -> Iterator[Path]:
    """The log of a running operator whose Azure does not answer."""
    (silent,) = free_ports(1)
    nowhere = dict.fromkeys(("AZURE_AUTHORITY_HOST", "AZURE_RESOURCE_MANAGER_ENDPOINT"), f"https://127.0.0.1:{silent}")
    with running_operator(installation, tmp_path / "operator.log", nowhere) as child:
        yield child.log


def test_the_operator_does_all_its_work_with_this_account(
    installation: Installation, tenant: str, operator_log: Path
) -> None:
    kubectl = installation.control_plane.kubectl
    kubectl("create", "secret", "generic", "azure-default", "-n", NAMESPACE, "--from-literal=clientSecret=wrong")
    allowed = {"selector": {"matchLabels": {"azure": "yes"}}}
    spec = {**identity()["spec"], "secretName": "azure-default", "allowedNamespaces": allowed}
    _apply(installation, manifest("AzureIdentity", spec, "default"))
    _apply(installation, host(name="hub", deletionPolicy="Retain"), tenant)
    _apply(installation, peering(deletionPolicy="Retain"), tenant)

    ready = _eventually(lambda: _condition(installation, "azureidentities", "default", "", "Ready"), operator_log)
    assert ready["reason"] == "AzureUnreachable", "the Secret was not read"
    _eventually(lambda: _condition(installation, "bastionhosts", "hub", tenant, "Ready"), operator_log)
    _eventually(lambda: _condition(installation, "vnetpeerings", "example", tenant, "Ready"), operator_log)
    _eventually(lambda: _finalizers(installation, "azureidentities", "default", ""), operator_log)
    events = _eventually(lambda: kubectl("get", "events.events.k8s.io", "-n", "default", "-o", "name"), operator_log)
    assert "default." in events

    kubectl("delete", "bastionhosts", "hub", "-n", tenant, "--timeout=50s")
    kubectl("delete", "vnetpeerings", "example", "-n", tenant, "--timeout=50s")
    kubectl("delete", "azureidentities", "default", "--timeout=50s")
    log = operator_log.read_text()
    assert "orbidden" not in log, log
    assert "Traceback" not in log, log


def _eventually(look: Callable[[], Found | None], log: Path) -> Found:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.2)
    raise AssertionError(f"it did not come about; the operator's log:\n{log.read_text()}")


def _condition(installation: Installation, plural: str, name: str, namespace: str, kind: str) -> Manifest | None:
    status = _read(installation, plural, name, namespace).get("status") or {}
    return next((each for each in status.get("conditions", []) if each["type"] == kind), None)


def _finalizers(installation: Installation, plural: str, name: str, namespace: str) -> list[str]:
    return list(_read(installation, plural, name, namespace)["metadata"].get("finalizers") or [])


def _read(installation: Installation, plural: str, name: str, namespace: str) -> Manifest:
    where = ["-n", namespace] if namespace else []
    found: Manifest = json.loads(installation.control_plane.kubectl("get", plural, name, *where, "-o", "json"))
    return found


def _apply(installation: Installation, body: Manifest, namespace: str = "") -> None:
    where = ["-n", namespace] if namespace else []
    installation.control_plane.kubectl("apply", *where, "-f", "-", input=yaml.safe_dump(body))
