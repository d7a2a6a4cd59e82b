"""The local control plane is a real Kubernetes API: RBAC, TokenRequest, CEL, restarts, and no process left behind."""

import json

from dev.control_plane import ControlPlane


def test_it_answers_over_verified_tls(control_plane: ControlPlane) -> None:
    version = json.loads(control_plane.kubectl("version", "-o", "json"))
    assert version["serverVersion"]["gitVersion"].startswith("v1.36.")
