"""`kubectl bastion doctor` as the installed program, against a real API server."""

import json
import subprocess
from pathlib import Path

import pytest
import yaml

from dev.control_plane import ControlPlane
from tests.support.command import run_command


def doctor(kubeconfig: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run_command("doctor", *arguments, environment={"KUBECONFIG": str(kubeconfig)})


@pytest.mark.usefixtures("crds_served")
def test_an_operator_that_is_not_there_is_a_no_and_what_may_not_be_asked_is_unknown(
    control_plane: ControlPlane, namespace: str
) -> None:
    done = doctor(control_plane.kubeconfig, "--operator-namespace", namespace, "-o", "json")
    checks = {each["check"]: each for each in json.loads(done.stdout)}
    assert done.returncode == 1
    assert checks["API server"]["result"] == "ok"
    assert checks["CRD bastionhosts.azurebastion.dev"]["result"] == "ok"
    # Which account it would have is not known without it.
    assert (checks["operator"]["result"], checks["rights of the operator"]["result"]) == ("failed", "unknown")
    assert checks["your rights"]["result"] == "ok"
    assert checks["age of the inventory"]["message"] == "no pod of the operator tells of one"

    control_plane.kubectl("create", "serviceaccount", "nobody", "-n", namespace)
    poor = control_plane.kubeconfig_for("nobody", namespace=namespace)
    done = doctor(poor, "--operator-namespace", namespace)
    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stdout
    assert any(line.startswith("unknown rights of the operator: which account it has") for line in lines)
    assert any(line.startswith("warning your rights: you may not get") for line in lines)
    assert any(
        line.startswith("unknown age of the inventory: you may not read the operator's metrics") for line in lines
    )
    assert [line for line in lines if line.startswith("        fix: ")]


@pytest.mark.usefixtures("crds_served")
def test_a_release_of_another_name_is_found_by_its_label_with_its_account(
    control_plane: ControlPlane, namespace: str, tmp_path: Path
) -> None:
    base = (Path(__file__).parents[3] / "deploy" / "base" / "deployment.yaml").read_text()
    manifest = yaml.safe_load(base)
    labels = {"app.kubernetes.io/name": "access", "app.kubernetes.io/part-of": "bastion-operator"}
    manifest["metadata"] = {"name": "access-bastion-operator", "namespace": namespace, "labels": labels}
    manifest["spec"]["template"]["spec"]["serviceAccountName"] = "access"
    file = tmp_path / "deployment.yaml"
    file.write_text(yaml.safe_dump(manifest))
    control_plane.kubectl("apply", "-f", str(file))
    done = doctor(control_plane.kubeconfig, "--operator-namespace", namespace, "-o", "json")
    checks = {each["check"]: each for each in json.loads(done.stdout)}
    assert checks["operator"]["message"] == "no replica is ready"
    assert f"system:serviceaccount:{namespace}:access may not" in checks["rights of the operator"]["message"]


def test_no_cluster_is_wrong_use(tmp_path: Path) -> None:
    done = doctor(tmp_path / "nothing")
    assert (done.returncode, done.stdout) == (2, "")
    assert [line.split(":")[0] for line in done.stderr.splitlines()] == ["error", "hint"]
