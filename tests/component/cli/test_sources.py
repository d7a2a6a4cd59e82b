"""The sources of the installed plugin, `kubectl bastion …`: a real API server, the local Azure."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from bastion_operator.api.crds import render_crds
from dev.control_plane import ControlPlane
from dev.local_azure import LocalAzure
from tests.support.azure import one_azure
from tests.support.command import PROGRAM, printed, run_command, told_wrong
from tests.support.estates import SUBSCRIPTION, bastion_id, change, hub_and_spoke, rule, vm_id, vnet_id, with_nsg
from tests.support.published import publish, reports

BLOCKED = with_nsg(hub_and_spoke(), "nic", rule("no", 200, "Deny"))


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAzure]:
    """The local Azure with a VM that its NIC's group keeps Bastion away from."""
    yield from one_azure(tmp_path_factory.mktemp("azure"), BLOCKED, "--graph-lag=0")


def login(azure: LocalAzure, name: str = "operator", **changed: str) -> dict[str, str]:
    """The environment of somebody who has signed in."""
    client = azure.clients[name]
    return {
        **azure.environment(),
        "KUBECONFIG": "/nowhere/kubeconfig",
        "AZURE_TENANT_ID": azure.tenant_id,
        "AZURE_CLIENT_ID": client.client_id,
        "AZURE_CLIENT_SECRET": client.client_secret,
        **changed,
    }


def test_azure_is_asked_with_the_users_own_login(azure: LocalAzure) -> None:
    [told] = json.loads(printed("reach", "--azure", "-o", "json", environment=login(azure)))
    assert (told["vm"], told["verdict"], told["bastion"]) == (vm_id("web"), "Unreachable", bastion_id("bas"))
    assert [reason["code"] for reason in told["reasons"]] == ["NicNsgDenies"]
    assert told["reasons"][0]["fix"]["changes"]
    named = printed("explain", "web", "--azure", "--subscription", SUBSCRIPTION.upper(), environment=login(azure))
    assert "stops     into NIC web-nic: security group guard, Inbound" in named


def test_the_doctor_asks_azure_for_its_limits(azure: LocalAzure) -> None:
    checks = json.loads(printed("doctor", "--azure", "-o", "json", environment=login(azure)))
    [limits] = [each for each in checks if each["check"].startswith("limits in westeurope of subscription ")]
    assert limits["result"] == "ok"
    assert "Public IP Addresses 1 of 10" in limits["message"]


def test_azure_that_refuses_is_told_with_what_to_do(azure: LocalAzure) -> None:
    what, remedy = told_wrong(run_command("reach", "--azure", environment=login(azure, AZURE_CLIENT_SECRET="wrong")))
    assert "AADSTS7000215" in what
    assert "az login" in remedy
    what, remedy = told_wrong(run_command("reach", "--azure", "--subscription", "ghost", environment=login(azure)))
    assert what == "your login sees no subscription ghost"
    what, remedy = told_wrong(run_command("reach", "--azure", environment=login(azure, SSL_CERT_FILE="/nowhere.pem")))
    assert "/nowhere.pem" in what
    assert remedy


@pytest.fixture(scope="module")
def plugins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder on PATH that holds the plugin and nothing else."""
    folder = tmp_path_factory.mktemp("plugins")
    (folder / PROGRAM.name).symlink_to(PROGRAM)
    return folder


@pytest.fixture
def kubectl(control_plane: ControlPlane, plugins: Path) -> "Kubectl":
    return Kubectl(control_plane, plugins)


class Kubectl:
    """The real kubectl with the plugin, and the plugin by itself, which starts sooner."""

    def __init__(self, control_plane: ControlPlane, plugins: Path) -> None:
        self.program = str(control_plane.programs.kubectl)
        self.environment = os.environ | {
            "PATH": f"{plugins}{os.pathsep}{os.environ['PATH']}",
            "KUBECONFIG": str(control_plane.kubeconfig),
        }

    def through_kubectl(self, *args: object) -> str:
        """What kubectl prints when it runs the plugin."""
        command = [self.program, "bastion", *map(str, args)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=self.environment)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def run(self, *args: object) -> subprocess.CompletedProcess[str]:
        return run_command(*args, environment=self.environment)

    def printed(self, *args: object) -> str:
        return printed(*args, environment=self.environment)

    @contextmanager
    def going_on(self, *args: object) -> "Iterator[subprocess.Popen[str]]":
        """The plugin while it goes on."""
        command = [self.program, "bastion", *map(str, args)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=self.environment) as program:
            try:
                yield program
            finally:
                program.terminate()


def test_the_cluster_is_asked_for_the_operators_reports(
    control_plane: ControlPlane, crds_served: None, namespace: str, kubectl: Kubectl
) -> None:
    publish(control_plane, reports(BLOCKED, namespace))
    [told] = json.loads(kubectl.through_kubectl("reach", "-n", namespace, "-o", "json"))
    assert list(told)[:8] == ["vm", "protocol", "port", "verdict", "bastion", "via", "methods", "reasons"]
    assert (told["vm"], told["verdict"], told["via"], told["reachedBy"]) == (vm_id("web"), "Unreachable", "Peering", 0)
    assert [(one["code"], one["rule"]) for one in told["reasons"]] == [("NicNsgDenies", "no")]
    assert [one["bastion"] for one in told["candidates"]] == [bastion_id("bas")]

    explained = kubectl.printed("explain", "web", "-n", namespace)
    assert "NicNsgDenies: rule no (priority 200, Inbound) of guard denies" in explained
    assert "BastionHost of bas: spec.networkSecurity.targets: Enforce" in explained
    assert "--azure" in explained

    assert kubectl.run("reach", "-n", namespace, "--fail-on", "Unreachable").returncode == 1
    assert "no VMs" in kubectl.run("reach", "-n", namespace, "--verdict", "Reachable").stderr


def test_networks_that_a_report_calls_apart_are_joined_by_the_hosts_own(
    control_plane: ControlPlane, crds_served: None, namespace: str, kubectl: Kubectl
) -> None:
    apart = change(hub_and_spoke(), "hub", "properties.virtualNetworkPeerings", [])
    apart = change(apart, "spoke", "properties.virtualNetworkPeerings", [])
    host = {
        "apiVersion": "azurebastion.dev/v1beta1",
        "kind": "BastionHost",
        "metadata": {"name": "hub", "namespace": namespace},
        "spec": {"virtualNetworkID": vnet_id("hub"), "sku": "Standard"},
    }
    publish(control_plane, [host, *reports(apart, namespace, bastions=[bastion_id("bas")])])
    control_plane.kubectl(
        *("patch", "bastionhost", "hub", "-n", namespace, "--subresource=status", "--type=merge", "-p"),
        json.dumps({"status": {"bastionID": bastion_id("bas")}}),
    )
    [told] = json.loads(kubectl.printed("explain", "web", "-n", namespace, "-o", "json"))["fixes"]
    assert [(each["field"], each["value"]) for each in told["customResources"]] == [
        ("spec.hub.virtualNetworkID", vnet_id("hub")),
        ("spec.spokes", [{"virtualNetworkID": vnet_id("spoke")}]),
    ]


def test_of_two_bastions_the_better_one_speaks_for_the_vm(
    control_plane: ControlPlane, crds_served: None, namespace: str, kubectl: Kubectl
) -> None:
    other = json.loads(json.dumps(hub_and_spoke()).replace("bastionHosts/bas", "bastionHosts/second"))
    publish(control_plane, [*reports(BLOCKED, namespace), *reports(other, namespace, "second")])
    [told] = json.loads(kubectl.printed("reach", "-n", namespace, "-o", "json"))
    assert (told["verdict"], told["bastion"], told["reachedBy"]) == ("Reachable", bastion_id("second"), 1)
    assert [one["verdict"] for one in told["candidates"]] == ["Reachable", "Unreachable"]
    [first] = json.loads(kubectl.printed("reach", "-n", namespace, "--bastion", "bas", "-o", "json"))
    assert (first["verdict"], len(first["candidates"])) == ("Unreachable", 1)


def test_watching_shows_what_turns(
    control_plane: ControlPlane, crds_served: None, namespace: str, kubectl: Kubectl
) -> None:
    publish(control_plane, reports(BLOCKED, namespace))
    with kubectl.going_on("reach", "-n", namespace, "--watch", "-o", "json") as program:
        assert program.stdout is not None
        [first] = json.loads(program.stdout.readline())
        publish(control_plane, reports(hub_and_spoke(), namespace))
        [second] = json.loads(program.stdout.readline())
        control_plane.kubectl("delete", "reachabilityreports", "--all", "-n", namespace)
        [third] = json.loads(program.stdout.readline())
    assert [first["verdict"], second["verdict"], third["verdict"]] == ["Unreachable", "Reachable", None]
    assert {each["vm"] for each in (first, second, third)} == {vm_id("web")}


def test_a_file_is_looked_at_again_and_neither_half_of_one_nor_a_vm_that_is_gone_ends_it(tmp_path: Path) -> None:
    file = tmp_path / "estate.json"
    file.write_text(json.dumps(BLOCKED))
    command = [str(PROGRAM), "reach", "--from", str(file), "--vm", "web", "--watch", "--interval", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as program:
        try:
            assert program.stdout is not None
            assert program.stderr is not None
            lines = [program.stdout.readline(), program.stdout.readline()]
            file.write_text('[{"id": ')
            warning = program.stderr.readline()
            file.write_text("[]")
            lines.append(program.stdout.readline())
            file.write_text(json.dumps(hub_and_spoke()))
            lines.append(program.stdout.readline())
        finally:
            program.terminate()
    assert "Unreachable" in lines[1]
    assert "warning: " in warning
    assert [line.split()[3] for line in lines[2:]] == ["Gone", "Reachable"]


def test_a_cluster_that_does_not_have_what_is_asked(
    control_plane: ControlPlane, crds_served: None, namespace: str, kubectl: Kubectl, tmp_path: Path
) -> None:
    nowhere = yaml.safe_load(control_plane.kubeconfig.read_text())
    nowhere["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:9"
    files = {}
    for name, content in {"nowhere": nowhere, "broken": "{"}.items():
        files[name] = tmp_path / name
        files[name].write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    control_plane.kubectl("create", "serviceaccount", "nobody", "-n", namespace)
    service_account = control_plane.kubeconfig_for("nobody", namespace=namespace)
    cases: list[tuple[list[object], str, str]] = [
        (["--kubeconfig", files["nowhere"]], "cannot be reached", "check that the cluster runs"),
        (["--kubeconfig", service_account, "-n", namespace], "cannot list resource", "ask for get, list and watch"),
        (["--kubeconfig", files["broken"]], "cannot be used", "--from FILE"),
        (["--context", "ghost"], "ghost", "--context"),
    ]
    for args, what, remedy in cases:
        told, to_do = told_wrong(kubectl.run("reach", *args))
        assert what in told
        assert remedy in to_do


def test_a_cluster_without_the_crds_and_one_with_an_old_version_are_told(kubectl: Kubectl) -> None:
    with ControlPlane() as other:
        asked = ["reach", "--kubeconfig", other.kubeconfig, "-A"]
        what, remedy = told_wrong(kubectl.run(*asked))
        assert what == "the cluster does not know azurebastion.dev"
        assert "kubectl apply --server-side -f crds/" in remedy

        crd = yaml.safe_load(render_crds().split("---")[1])
        crd["spec"]["versions"][0]["name"] = "v1alpha1"
        other.kubectl("apply", "--server-side", "-f", "-", input=json.dumps(crd))
        other.kubectl("wait", "--for=condition=Established", "--timeout=30s", f"crd/{crd['metadata']['name']}")
        deadline = time.monotonic() + 60
        while "v1alpha1" not in (told := told_wrong(kubectl.run(*asked)))[0] and time.monotonic() < deadline:
            time.sleep(0.2)
        assert told[0] == "the cluster serves azurebastion.dev in version v1alpha1, and this program reads v1beta1"
        assert "to one version" in told[1]
