"""The whole product under test: the real API server, a local Azure of its own, the operator under the shipped RBAC."""

import http.client
import json
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from dev.control_plane import ControlPlane
from dev.local_azure import LocalAzure
from dev.operator_process import OperatorProcess
from tests.support.kstatus import foreign_fields, violations

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "hub-and-spoke"
OPERATOR_NAMESPACE = "bastion-operator"
HUB_SUBSCRIPTION = "0a1b2c3d-0000-4000-8000-00000000000a"
APPS_SUBSCRIPTION = "0a1b2c3d-0000-4000-8000-00000000000b"
HUB = f"/subscriptions/{HUB_SUBSCRIPTION}/resourceGroups/connectivity/providers/Microsoft.Network/virtualNetworks/hub"
SHOP = f"/subscriptions/{APPS_SUBSCRIPTION}/resourceGroups/shop/providers/Microsoft.Network/virtualNetworks/shop"
HOST = f"/subscriptions/{HUB_SUBSCRIPTION}/resourceGroups/connectivity/providers/Microsoft.Network/bastionHosts/hub"

# Codes by name of VM once the example is in sync, as the BastionHost hub has them.
VERDICTS: Mapping[str, list[str]] = {
    "jump": [],
    "web-1": [],
    "reports": [],
    "build-1": [],
    "desktop-1": [],
    "db-1": ["NicNsgDenies"],
    "web-2": ["VMNotRunning"],
    "bench-1": ["NotPeered"],
}

# Azure's waits are next to nothing; the operator's own run slower, or it would ask without a pause.
AZURE_SPEED = 1000.0
OPERATOR_SPEED = 50.0

Manifest = dict[str, Any]


def example(name: str) -> list[Manifest]:
    """The objects of a file of the example."""
    return [dict(each) for each in yaml.safe_load_all((EXAMPLE / name).read_text())]


_PLURALS = {"bh": "bastionhosts", "vnp": "vnetpeerings", "rr": "reachabilityreports"}


class ApiReader:
    """The API server over one connection: what tests poll with and clean up with, a hundred times as fast as kubectl."""

    def __init__(self, control_plane: ControlPlane) -> None:
        config = yaml.safe_load(control_plane.kubeconfig.read_text())
        self._headers = {"Authorization": f"Bearer {config['users'][0]['user']['token']}"}
        context = ssl.create_default_context(cafile=str(control_plane.ca_file))
        self._connection = http.client.HTTPSConnection(urlsplit(control_plane.url).netloc, context=context, timeout=30)

    def get(self, path: str) -> Manifest:
        """The object at a path. Raises AssertionError for an answer that is not 200 and stays so."""
        return self._send("GET", path)

    def remove(self, path: str) -> None:
        """Delete the object at a path, whatever its finalizers wait for. It may be gone already."""
        merge = {"Content-Type": "application/merge-patch+json"}
        self._send("PATCH", path, json.dumps({"metadata": {"finalizers": None}}), merge, HTTPStatus.NOT_FOUND)
        self._send("DELETE", path, None, {}, HTTPStatus.NOT_FOUND)

    def _send(
        self, method: str, path: str, body: str | None = None, headers: Manifest | None = None, *fine: int
    ) -> Manifest:
        deadline = time.monotonic() + 15
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


@dataclass
class Lab:
    """One test's Azure, namespace and operator."""

    control_plane: ControlPlane
    namespace: str
    folder: Path
    kubeconfig: Path
    azure: LocalAzure
    operator_speed: float = OPERATOR_SPEED
    operator: OperatorProcess = field(init=False)
    reader: ApiReader = field(init=False)

    def __post_init__(self) -> None:
        self.reader = ApiReader(self.control_plane)
        self.operator = OperatorProcess(
            self.control_plane,
            self.azure,
            self.folder,
            kubeconfig=self.kubeconfig,
            operator_namespace=OPERATOR_NAMESPACE,
            speed=self.operator_speed,
            namespaces=[self.namespace],
        )

    def kubectl(self, *arguments: str, stdin: str | None = None, timeout: float = 60.0) -> str:
        return self.control_plane.kubectl(*arguments, input=stdin, timeout=timeout)

    def apply(self, *manifests: Manifest) -> None:
        """Apply objects, in this test's namespace and with its identity."""
        mine = []
        for manifest in manifests:
            placed = json.loads(json.dumps(manifest))
            placed["metadata"]["namespace"] = self.namespace
            placed["spec"].setdefault("identityRef", {"name": self.namespace})
            mine.append(placed)
        self.kubectl(
            "apply", "--server-side", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": mine})
        )

    def apply_identity(self, **spec: Any) -> None:
        """An AzureIdentity named after the namespace, with its Secret; ``spec`` overrides fields."""
        principal = self.azure.clients["operator"]
        secret = spec.pop("client_secret", principal.client_secret)
        objects = [
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": self.namespace, "namespace": OPERATOR_NAMESPACE},
                "stringData": {"clientSecret": secret},
            },
            {
                "apiVersion": "azurebastion.dev/v1beta1",
                "kind": "AzureIdentity",
                "metadata": {"name": self.namespace},
                "spec": {
                    "type": "ServicePrincipal",
                    "tenantID": self.azure.tenant_id,
                    "clientID": principal.client_id,
                    "secretName": self.namespace,
                    "allowedNamespaces": {"names": [self.namespace]},
                    "allowedSubscriptions": [HUB_SUBSCRIPTION, APPS_SUBSCRIPTION],
                }
                | spec,
            },
        ]
        self.kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))

    def apply_example(self) -> None:
        self.apply(*example("bastion-host.yaml"), *example("vnet-peering.yaml"))

    def get(self, kind: str, name: str) -> Manifest:
        return _conforming(self.reader.get(f"{self.collection(kind)}/{name}"))

    def objects(self, kinds: str) -> list[Manifest]:
        """All objects of these kinds (short names, with commas between) in the test's namespace."""
        return [
            {"kind": answer["kind"].removesuffix("List")} | _conforming(item)
            for kind in kinds.split(",")
            for answer in [self.reader.get(self.collection(kind))]
            for item in answer["items"]
        ]

    def collection(self, kind: str) -> str:
        return f"/apis/azurebastion.dev/v1beta1/namespaces/{self.namespace}/{_PLURALS[kind]}"

    def condition(self, kind: str, name: str, condition_type: str) -> Manifest | None:
        conditions = self.get(kind, name).get("status", {}).get("conditions", [])
        return next((each for each in conditions if each["type"] == condition_type), None)

    def wait_for(self, kept: Callable[[], Any], what: str, *, seconds: float = 30.0) -> Any:
        """Poll until ``kept`` answers something true, and return that."""
        deadline = time.monotonic() + seconds
        while True:
            answer = kept()
            if answer:
                return answer
            if time.monotonic() > deadline:
                raise AssertionError(f"{what}: not within {seconds:.0f} s\n{self.describe()}")
            time.sleep(0.1)

    def wait_condition(
        self,
        kind: str,
        name: str,
        condition_type: str,
        status: str,
        reason: str | None = None,
        *,
        seconds: float = 30.0,
    ) -> Manifest:
        def met() -> Manifest | None:
            found = self.condition(kind, name, condition_type)
            right = found is not None and found["status"] == status and reason in {None, found["reason"]}
            return found if right else None

        answer: Manifest = self.wait_for(
            met, f"{kind}/{name} {condition_type}={status} {reason or ''}", seconds=seconds
        )
        return answer

    def wait_ready(self, *names: str, seconds: float = 60.0) -> None:
        for name in names:
            kind, _, plain = name.partition("/")
            self.wait_condition(kind, plain, "Ready", "True", seconds=seconds)

    def wait_settled(self) -> None:
        """Until the example is in sync, and the verdicts and counts on all of its VMs are those of a finished network."""
        self.wait_ready("bh/hub", "vnp/hub")
        # There is a report for each network, and the status is written after them.
        self.wait_for(lambda: self.reasons() == VERDICTS, "the verdicts have settled")
        self.wait_for(lambda: self.get("bh", "hub")["status"].get("reachable") == "5/7", "the counts have settled")

    def wait_still(self, *, seconds: float = 2.0) -> None:
        """Until nothing was written for so long, to Azure or to the status of anything here."""
        state: Any = None
        since = time.monotonic()

        def still() -> bool:
            nonlocal state, since
            found = (len(self.writes()), self.versions())
            if found != state:
                state, since = found, time.monotonic()
            return time.monotonic() - since >= seconds

        self.wait_for(still, "everything is at rest")

    def versions(self) -> dict[str, str]:
        """The resourceVersion of every object of the operator's kinds here, and of the identity."""
        identities = self.reader.get("/apis/azurebastion.dev/v1beta1/azureidentities")["items"]
        found = [_conforming(each) for each in identities if each["metadata"]["name"] == self.namespace]
        found += self.objects("bh,vnp,rr")
        return {f"{each.get('kind')}/{each['metadata']['name']}": each["metadata"]["resourceVersion"] for each in found}

    def annotate(self, kind: str, name: str, value: str) -> None:
        """Ask for a pass at once."""
        annotation = f"azurebastion.dev/reconcile-requested-at={value}"
        self.kubectl("annotate", "--overwrite", kind, name, "-n", self.namespace, annotation)

    def reasons(self, bastion: str = "hub") -> dict[str, list[str]]:
        """Codes by name of VM, from the reports of one BastionHost."""
        return {
            row["vm"].rsplit("/", 1)[-1]: [reason["code"] for reason in row.get("reasons", [])]
            for report in self.objects("rr")
            if report["bastionHost"] == bastion
            for row in report.get("rows", [])
        }

    def sent(self, *methods: str, principal: str = "operator") -> list[Manifest]:
        """The lines of Azure's request log of a principal's answered requests with these methods, in order."""
        return [
            entry
            for entry in self.azure.request_log()
            if entry["principal"] == principal and entry["method"] in methods
        ]

    def writes(self, principal: str = "operator") -> list[tuple[str, str, int]]:
        """Method, path and status of the answered writes of a principal, in order."""
        written = self.sent("PUT", "PATCH", "DELETE", principal=principal)
        return [(entry["method"], path_of(entry["url"]), entry["status"]) for entry in written]

    def delete(self, *names: str, seconds: float = 60.0) -> None:
        self.kubectl("delete", *names, "-n", self.namespace, f"--timeout={seconds:.0f}s", timeout=seconds + 10)

    def clear(self) -> None:
        """Remove what a later operator could care for, finalizers or not."""
        for kind in ("bh", "vnp"):
            for item in self.objects(kind):
                self.reader.remove(f"{self.collection(kind)}/{item['metadata']['name']}")
        identities = "/apis/azurebastion.dev/v1beta1/azureidentities"
        for item in self.reader.get(identities)["items"]:
            self.reader.remove(f"{identities}/{item['metadata']['name']}")

    def describe(self) -> str:
        """For a failed wait: what there is, and the last lines of the operator's log."""
        log = self.operator.log.read_text(errors="replace").splitlines()[-40:] if self.operator.log.exists() else []
        return "\n".join([self.kubectl("get", "bh,vnp", "-n", self.namespace, "-o", "json"), *log])


def _conforming(raw: Manifest) -> Manifest:
    """The object, once its status is as kstatus wants it and the operator wrote into nothing else that people write.

    Whatever a test polls for, each state on the way there is looked at as well.
    """
    if "spec" in raw:
        assert violations(raw) == [], raw
        assert foreign_fields(raw) == [], raw
    return raw


def path_of(url: str) -> str:
    """The resource's id in a request's URL, in lower case."""
    return "/" + url.partition("://")[2].partition("/")[2].partition("?")[0].lower() if "://" in url else url.lower()


def stamp(entry: Manifest) -> float:
    """When a request of the log came in, in seconds since the epoch by Azure's clock."""
    return datetime.fromisoformat(entry["time"]).timestamp()


@pytest.fixture(scope="session")
def operator_installed(control_plane: ControlPlane) -> Path:
    """The shipped base, applied by the real kubectl; the kubeconfig of its service account."""
    control_plane.kubectl("apply", "--server-side", "-k", str(ROOT / "deploy" / "base"))
    for plural in ("bastionhosts", "vnetpeerings", "azureidentities", "reachabilityreports"):
        control_plane.kubectl("wait", "--for=condition=Established", "--timeout=30s", f"crd/{plural}.azurebastion.dev")
    return control_plane.kubeconfig_for("bastion-operator", namespace=OPERATOR_NAMESPACE)


@pytest.fixture
def lab_factory(
    control_plane: ControlPlane, operator_installed: Path, namespace: str, tmp_path: Path
) -> Iterator[Callable[..., Lab]]:
    """Makes the lab of a test: Azure started with an estate, an identity, the operator not running yet."""
    made: list[Lab] = []

    def make(
        estate: Path | list[Manifest] | None = None,
        *,
        identity: bool = True,
        graph_lag: float = 2.0,
        principals: list[Manifest] | None = None,
        operator_speed: float = OPERATOR_SPEED,
    ) -> Lab:
        source = estate if isinstance(estate, Path) else EXAMPLE / "estate.json"
        if isinstance(estate, list):
            source = tmp_path / "estate.json"
            source.write_text(json.dumps(estate))
        options = [LocalAzure.keep_state(tmp_path), f"--graph-lag={graph_lag:g}"]
        if principals is not None:
            (tmp_path / "principals.json").write_text(json.dumps(principals))
            options.append(f"--principals={tmp_path / 'principals.json'}")
        azure = LocalAzure(tmp_path, estates=[source], speed=AZURE_SPEED, options=options)
        azure.start()
        lab = Lab(control_plane, namespace, tmp_path, operator_installed, azure, operator_speed)
        made.append(lab)
        if identity:
            lab.apply_identity()
        return lab

    yield make
    for lab in made:
        lab.operator.kill()
        lab.azure.kill()
        lab.clear()


@pytest.fixture
def lab(lab_factory: Callable[..., Lab]) -> Lab:
    """The example's Azure with the operator at work."""
    made = lab_factory()
    made.operator.start()
    return made
