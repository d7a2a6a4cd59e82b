"""The API server over one connection: what tests poll, change and clean up with, a hundred times as fast as kubectl."""

import http.client
import json
import ssl
import time
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import yaml

from dev.control_plane import ControlPlane

Manifest = dict[str, Any]
_MERGE = {"Content-Type": "application/merge-patch+json"}
_APPLY = {"Content-Type": "application/apply-patch+yaml"}
# Seconds for which a server that is away is waited for.
_PATIENCE = 30.0


class ApiConnection:
    """An administrator's. Every method raises AssertionError for an answer that is not as wanted and stays so."""

    def __init__(self, control_plane: ControlPlane) -> None:
        config = yaml.safe_load(control_plane.kubeconfig.read_text())
        self._headers = {"Authorization": f"Bearer {config['users'][0]['user']['token']}"}
        context = ssl.create_default_context(cafile=str(control_plane.ca_file))
        self._connection = http.client.HTTPSConnection(urlsplit(control_plane.url).netloc, context=context, timeout=30)

    def close(self) -> None:
        """Close the connection; the next request opens it again."""
        self._connection.close()

    def get(self, path: str) -> Manifest:
        """The object, or the list, at a path."""
        return self.send("GET", path)

    def find(self, path: str) -> Manifest | None:
        """The object at a path; None where there is none."""
        found = self.send("GET", path, None, {}, HTTPStatus.NOT_FOUND)
        return None if found["kind"] == "Status" else found

    def apply(self, path: str, body: Manifest) -> Manifest:
        """Server-side apply, as `kubectl apply --server-side` sends it."""
        return self.send("PATCH", f"{path}?fieldManager=kubectl", json.dumps(body), _APPLY, HTTPStatus.CREATED)

    def merge(self, path: str, patch: Manifest) -> Manifest:
        """Change what stands at a path by a merge patch, as `kubectl patch` does."""
        return self.send("PATCH", f"{path}?fieldManager=kubectl-patch", json.dumps(patch), _MERGE)

    def delete(self, path: str) -> None:
        """Ask for a deletion, which finalizers may hold up. What is gone already is fine."""
        self.send("DELETE", path, None, {}, HTTPStatus.NOT_FOUND, HTTPStatus.ACCEPTED)

    def remove(self, path: str) -> None:
        """Delete the object at a path, whatever its finalizers wait for. It may be gone already."""
        self.send("PATCH", path, json.dumps({"metadata": {"finalizers": None}}), _MERGE, HTTPStatus.NOT_FOUND)
        self.delete(path)

    def send(
        self, method: str, path: str, body: str | None = None, headers: Manifest | None = None, *fine: int
    ) -> Manifest:
        """The body of an answer whose status is 200 or one of ``fine``."""
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                self._connection.request(method, path, body=body, headers=self._headers | (headers or {}))
                answer = self._connection.getresponse()
                status, content = answer.status, answer.read()
            except (http.client.HTTPException, OSError) as error:
                # The server restarted, or closed an idle connection.
                self._connection.close()
                status, content = 0, repr(error).encode()
            if status in {HTTPStatus.OK, *fine}:
                found: Manifest = json.loads(content)
                return found
            # Just after a CRD was installed the server answers 429 for a while.
            assert status in {0, 429, 503}, content
            assert time.monotonic() < deadline, content
            time.sleep(0.1)
