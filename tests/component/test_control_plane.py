"""The local control plane is a real Kubernetes API: verified TLS, RBAC, TokenRequest, CEL, a namespace for each test."""

import asyncio
import base64
import http.client
import json
import os
import ssl
import stat
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from dev.control_plane import ControlPlane, KubectlError
from tests.support.control_plane import install_crds

CRD: dict[str, Any] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "probes.control-plane.test"},
    "spec": {
        "group": "control-plane.test",
        "names": {"kind": "Probe", "plural": "probes", "singular": "probe"},
        "scope": "Namespaced",
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {
                                "type": "object",
                                "properties": {"low": {"type": "integer"}, "high": {"type": "integer"}},
                                "x-kubernetes-validations": [
                                    {"rule": "self.low <= self.high", "message": "low must not be above high"}
                                ],
                            }
                        },
                    }
                },
            }
        ],
    },
}


def credentials(kubeconfig: Path) -> tuple[str, bytes, str]:
    """Address, CA certificate (PEM) and bearer token of a kubeconfig."""
    config = yaml.safe_load(kubeconfig.read_text())
    cluster = config["clusters"][0]["cluster"]
    return (
        cluster["server"],
        base64.b64decode(cluster["certificate-authority-data"]),
        config["users"][0]["user"]["token"],
    )


def get_with(kubeconfig: Path, path: str, *, token: str | None = None) -> int:
    """The status of a GET that verifies TLS as strictly as Python can, with nothing but what the kubeconfig holds."""
    url, certificate, own_token = credentials(kubeconfig)
    context = ssl.create_default_context(cadata=certificate.decode())
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    connection = http.client.HTTPSConnection(urlsplit(url).netloc, timeout=10, context=context)
    connection.request("GET", path, headers={"Authorization": f"Bearer {token or own_token}"})
    status = connection.getresponse().status
    connection.close()
    return status


def test_the_kubeconfig_alone_is_enough_to_talk_over_verified_tls(admin_kubeconfig: Path) -> None:
    assert get_with(admin_kubeconfig, "/api/v1/nodes") == 200
    assert get_with(admin_kubeconfig, "/api/v1/nodes", token="guessed") == 401


def test_it_serves_the_pinned_minor_version_and_kubectl_is_within_one_of_it(control_plane: ControlPlane) -> None:
    version = json.loads(control_plane.kubectl("version", "-o", "json"))
    server, client = version["serverVersion"], version["clientVersion"]
    assert server["gitVersion"].startswith("v1.36.")
    assert abs(int(server["minor"]) - int(client["minor"])) <= 1


def test_it_listens_on_loopback_only(control_plane: ControlPlane) -> None:
    assert control_plane.url.startswith("https://127.0.0.1:")


def test_credentials_are_readable_by_their_owner_alone(control_plane: ControlPlane, namespace: str) -> None:
    control_plane.kubectl("create", "serviceaccount", "reader", "-n", namespace)
    files = [
        control_plane.kubeconfig,
        control_plane.kubeconfig_for("reader", namespace=namespace),
        control_plane.directory / "tokens.csv",
        control_plane.directory / "service-account.key",
    ]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE(control_plane.directory.stat().st_mode) == 0o700


def test_a_service_account_has_the_rights_of_its_role_and_no_others(
    control_plane: ControlPlane, namespace: str
) -> None:
    control_plane.kubectl("create", "serviceaccount", "reader", "-n", namespace)
    kubeconfig = control_plane.kubeconfig_for("reader", namespace=namespace)
    who = json.loads(control_plane.kubectl("auth", "whoami", "-o", "json", kubeconfig=kubeconfig))
    assert who["status"]["userInfo"]["username"] == f"system:serviceaccount:{namespace}:reader"
    with pytest.raises(KubectlError, match="is forbidden"):
        control_plane.kubectl("get", "configmaps", kubeconfig=kubeconfig)

    control_plane.kubectl("create", "role", "reader", "--verb=get,list", "--resource=configmaps", "-n", namespace)
    account = f"--serviceaccount={namespace}:reader"
    control_plane.kubectl("create", "rolebinding", "reader", "--role=reader", account, "-n", namespace)
    control_plane.kubectl("get", "configmaps", kubeconfig=kubeconfig)
    with pytest.raises(KubectlError, match="is forbidden"):
        control_plane.kubectl("create", "configmap", "new", kubeconfig=kubeconfig)
    with pytest.raises(KubectlError, match="is forbidden"):
        control_plane.kubectl("get", "configmaps", "-n", "default", kubeconfig=kubeconfig)


def test_a_kubeconfig_for_an_account_that_does_not_exist_says_so(control_plane: ControlPlane, namespace: str) -> None:
    with pytest.raises(KubectlError, match=r'serviceaccounts "nobody" not found'):
        control_plane.kubeconfig_for("nobody", namespace=namespace)


def test_crds_are_installed_and_their_rules_judged(control_plane: ControlPlane, namespace: str, tmp_path: Path) -> None:
    (tmp_path / "probes.yaml").write_text(yaml.safe_dump(CRD))
    assert install_crds(control_plane, tmp_path) == ["probes.control-plane.test"]
    probe = {"apiVersion": "control-plane.test/v1", "kind": "Probe", "metadata": {"name": "p", "namespace": namespace}}
    apply = ("apply", "--server-side", "-f", "-")
    control_plane.kubectl(*apply, input=json.dumps(probe | {"spec": {"low": 1, "high": 2}}))
    with pytest.raises(KubectlError, match="low must not be above high"):
        control_plane.kubectl(*apply, input=json.dumps(probe | {"spec": {"low": 3, "high": 2}}))
    stored = json.loads(control_plane.kubectl("get", "probe", "p", "-n", namespace, "-o", "json"))
    assert stored["spec"] == {"low": 1, "high": 2}
    control_plane.kubectl("delete", "crd", "probes.control-plane.test")


def test_this_projects_crds_are_served(control_plane: ControlPlane, crds_installed: list[str], namespace: str) -> None:
    assert crds_installed
    served = control_plane.kubectl("api-resources", "--api-group=azurebastion.dev", "-o", "name").split()
    assert sorted(served) == sorted(crds_installed)
    for crd in served:
        control_plane.kubectl("get", crd, "-n", namespace)


def test_a_folder_without_crds_is_no_success(control_plane: ControlPlane, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="holds no CRD"):
        install_crds(control_plane, tmp_path)


def test_each_test_has_a_namespace_of_its_own(control_plane: ControlPlane, namespace: str) -> None:
    assert namespace.startswith("test-each-test-has-a-namespace-of-its-ow")
    assert control_plane.kubectl("get", "configmaps", "-n", namespace, "-o", "name") == ""
    phase = control_plane.kubectl("get", "namespace", namespace, "-o", "jsonpath={.status.phase}")
    assert phase == "Active"


def test_kubectl_raises_what_it_said(control_plane: ControlPlane) -> None:
    with pytest.raises(KubectlError, match='namespaces "absent" not found') as caught:
        control_plane.kubectl("get", "namespace", "absent")
    assert caught.value.returncode == 1
    assert "Error from server (NotFound)" in caught.value.stderr


def test_kubectl_that_does_not_end_is_ended(control_plane: ControlPlane) -> None:
    with pytest.raises(KubectlError, match="no end after 2 s"):
        control_plane.kubectl("get", "namespaces", "--watch", timeout=2)


def test_the_users_own_kubeconfig_and_cache_are_left_alone(control_plane: ControlPlane, tmp_path: Path) -> None:
    variables = control_plane.environment() | {"HOME": str(tmp_path)}
    assert Path(variables["KUBECONFIG"]).is_relative_to(control_plane.directory)
    assert Path(variables["KUBECACHEDIR"]).is_relative_to(control_plane.directory)
    assert variables["KUBERC"] == "off"
    control_plane.kubectl("get", "namespaces")
    assert any((control_plane.directory / "kubectl-cache").iterdir())


async def test_it_serves_coroutines_as_well(control_plane: ControlPlane) -> None:
    names = await asyncio.gather(
        *(asyncio.to_thread(control_plane.kubectl, "get", "namespace", name, "-o", "name") for name in ("default",) * 3)
    )
    assert names == ["namespace/default\n"] * 3


def test_garbage_is_not_collected_because_there_is_no_controller_manager(
    control_plane: ControlPlane, namespace: str
) -> None:
    """What the documentation warns of: an object outlives its owner here."""
    control_plane.kubectl("create", "configmap", "owner", "-n", namespace)
    uid = control_plane.kubectl("get", "configmap", "owner", "-n", namespace, "-o", "jsonpath={.metadata.uid}")
    owned = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": "owned",
            "namespace": namespace,
            "ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": uid}],
        },
    }
    control_plane.kubectl("apply", "--server-side", "-f", "-", input=json.dumps(owned))
    control_plane.kubectl("delete", "configmap", "owner", "-n", namespace)
    assert control_plane.kubectl("get", "configmaps", "-n", namespace, "-o", "name") == "configmap/owned\n"
    assert control_plane.kubectl("get", "serviceaccounts", "-n", namespace, "-o", "name") == ""


def test_the_environment_of_a_client_finds_this_projects_kubectl_plugins(control_plane: ControlPlane) -> None:
    first = control_plane.environment()["PATH"].split(os.pathsep)[0]
    assert (Path(first) / "kubectl-bastion").exists()
