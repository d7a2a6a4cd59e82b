"""`kubectl bastion what-if -f` asks the API server what it would store, and stores nothing. The installed program."""

from pathlib import Path

import pytest
import yaml

from dev.control_plane import ControlPlane
from tests.support.command import run_command, told_wrong

NETWORK = "/subscriptions/0a1b2c3d-0000-4000-8000-00000000000c/resourceGroups/net/providers/Microsoft.Network/virtualNetworks/hub"


@pytest.mark.usefixtures("crds_served")
def test_what_the_api_server_would_refuse_is_refused_in_its_words_and_so_is_who_may_not_ask(
    control_plane: ControlPlane, namespace: str, tmp_path: Path
) -> None:
    spec = {"virtualNetworkID": NETWORK, "sku": "Basic", "scaleUnits": 4}
    manifest = {
        "apiVersion": "azurebastion.dev/v1beta1",
        "kind": "BastionHost",
        "metadata": {"name": "hub"},
        "spec": spec,
    }
    file = tmp_path / "host.yaml"
    file.write_text(yaml.safe_dump(manifest))
    admin = {"KUBECONFIG": str(control_plane.kubeconfig)}
    what, _ = told_wrong(run_command("what-if", "-f", file, "-n", namespace, environment=admin))
    assert "scaleUnits above 2 need sku Standard or Premium" in what

    control_plane.kubectl("create", "serviceaccount", "reader", "-n", namespace)
    poor = {"KUBECONFIG": str(control_plane.kubeconfig_for("reader", namespace=namespace))}
    _, remedy = told_wrong(run_command("what-if", "-f", file, environment=poor))
    assert remedy.startswith("ask for patch on it")
    assert control_plane.kubectl("get", "bh", "-n", namespace, "-o", "name") == ""
