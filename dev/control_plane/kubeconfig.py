"""Kubeconfig files for the local control plane: TLS verified by its own certificate, one bearer token each."""

import base64
import os
from pathlib import Path

import yaml


def write_kubeconfig(path: Path, *, url: str, ca_file: Path, user: str, token: str, namespace: str = "default") -> Path:
    """Write a kubeconfig with one cluster, user and context, readable by its owner alone; returns `path`.

    The certificate is embedded, so that the file works from anywhere.
    """
    certificate = base64.b64encode(ca_file.read_bytes()).decode()
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "local", "cluster": {"server": url, "certificate-authority-data": certificate}}],
        "users": [{"name": user, "user": {"token": token}}],
        "contexts": [{"name": "local", "context": {"cluster": "local", "user": user, "namespace": namespace}}],
        "current-context": "local",
    }
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        yaml.safe_dump(config, file)
    return path
