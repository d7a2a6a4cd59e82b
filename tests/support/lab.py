"""The whole product under test: the real API server, a local Azure of its own, the operator under the shipped RBAC."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from dev.control_plane import ControlPlane
from dev.local_azure import LocalAzure
from dev.operator_process import OperatorProcess
from tests.support.api_connection import ApiConnection
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


_GROUP = "/apis/azurebastion.dev/v1beta1"
_PLURALS = {"bh": "bastionhosts", "vnp": "vnetpeerings", "rr": "reachabilityreports"}
_SHORT = {"BastionHost": "bh", "VNetPeering": "vnp"}
# Seconds. A wait that ends costs nothing, and other machines are slower.
_PATIENCE = 90.0


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
    api: ApiConnection = field(init=False)

    def __post_init__(self) -> None:
        self.api = ApiConnection(self.control_plane)
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
        for manifest in manifests:
            placed = json.loads(json.dumps(manifest))
            placed["metadata"]["namespace"] = self.namespace
            placed["spec"].setdefault("identityRef", {"name": self.namespace})
            self.api.apply(self.path(_SHORT[placed["kind"]], placed["metadata"]["name"]), placed)

    def apply_identity(self, **spec: Any) -> None:
        """An AzureIdentity named after the namespace, with its Secret; ``spec`` overrides fields."""
        principal = self.azure.clients["operator"]
        secret = spec.pop("client_secret", principal.client_secret)
        self.apply_secret(secret)
        wanted = {
            "type": "ServicePrincipal",
            "tenantID": self.azure.tenant_id,
            "clientID": principal.client_id,
            "secretName": self.namespace,
            "allowedNamespaces": {"names": [self.namespace]},
            "allowedSubscriptions": [HUB_SUBSCRIPTION, APPS_SUBSCRIPTION],
        } | spec
        identity = {
            "apiVersion": "azurebastion.dev/v1beta1",
            "kind": "AzureIdentity",
            "metadata": {"name": self.namespace},
            "spec": {name: value for name, value in wanted.items() if value is not None},
        }
        self.api.apply(self.identity, identity)

    def apply_secret(self, client_secret: str) -> None:
        """The Secret of the identity."""
        metadata = {"name": self.namespace, "namespace": OPERATOR_NAMESPACE}
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata}
        path = f"/api/v1/namespaces/{OPERATOR_NAMESPACE}/secrets/{self.namespace}"
        self.api.apply(path, secret | {"stringData": {"clientSecret": client_secret}})

    def apply_example(self) -> None:
        self.apply(*example("bastion-host.yaml"), *example("vnet-peering.yaml"))

    def get(self, kind: str, name: str) -> Manifest:
        return _conforming(self.api.get(self.path(kind, name)))

    def objects(self, kinds: str) -> list[Manifest]:
        """All objects of these kinds (short names, with commas between) in the test's namespace."""
        return [
            {"kind": answer["kind"].removesuffix("List")} | _conforming(item)
            for kind in kinds.split(",")
            for answer in [self.api.get(self.collection(kind))]
            for item in answer["items"]
        ]

    def collection(self, kind: str) -> str:
        return f"{_GROUP}/namespaces/{self.namespace}/{_PLURALS[kind]}"

    def path(self, kind: str, name: str) -> str:
        return f"{self.collection(kind)}/{name}"

    @property
    def identity(self) -> str:
        """The path of the test's AzureIdentity."""
        return f"{_GROUP}/azureidentities/{self.namespace}"

    def patch(self, kind: str, name: str, **spec: Any) -> None:
        """Change fields of a spec."""
        self.api.merge(self.path(kind, name), {"spec": spec})

    def events(self) -> list[Manifest]:
        """The Events in the test's namespace. They are recorded one by one, after the status that they tell of."""
        found: list[Manifest] = self.api.get(f"/apis/events.k8s.io/v1/namespaces/{self.namespace}/events")["items"]
        return found

    def condition(self, kind: str, name: str, condition_type: str) -> Manifest | None:
        conditions = self.get(kind, name).get("status", {}).get("conditions", [])
        return next((each for each in conditions if each["type"] == condition_type), None)

    def wait_for(self, kept: Callable[[], Any], what: str, *, seconds: float = _PATIENCE) -> Any:
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
        says: str = "",
        seconds: float = _PATIENCE,
    ) -> Manifest:
        """Until the condition is so, and of the spec as it stands: a moment after a change it is still that of before."""

        def met() -> Manifest | None:
            item = self.get(kind, name)
            for each in item.get("status", {}).get("conditions", []):
                if (each["type"], each["status"]) != (condition_type, status) or reason not in {None, each["reason"]}:
                    continue
                if each["observedGeneration"] == item["metadata"]["generation"] and says in each["message"]:
                    found: Manifest = each
                    return found
            return None

        answer: Manifest = self.wait_for(
            met, f"{kind}/{name} {condition_type}={status} {reason or ''}", seconds=seconds
        )
        return answer

    def wait_ready(self, *names: str, seconds: float = _PATIENCE) -> None:
        for name in names:
            kind, _, plain = name.partition("/")
            self.wait_condition(kind, plain, "Ready", "True", seconds=seconds)

    def wait_settled(self) -> None:
        """Until the example is in sync, and the verdicts and counts on all of its VMs are those of a finished network."""
        self.wait_ready("bh/hub", "bh/hub-desktops", "vnp/hub")
        # There is a report for each network, and the status is written after them.
        self.wait_for(lambda: self.reasons() == VERDICTS, "the verdicts have settled")
        self.wait_for(
            lambda: self.reasons("hub-desktops") == {"desktop-1": ["ProtocolNotSupportedBySku"]},
            "and those of desktops",
        )
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
        identity = self.api.find(self.identity)
        found = [] if identity is None else [_conforming(identity)]
        found += self.objects("bh,vnp,rr")
        return {f"{each.get('kind')}/{each['metadata']['name']}": each["metadata"]["resourceVersion"] for each in found}

    def annotate(self, kind: str, name: str, value: str) -> None:
        """Ask for a pass at once."""
        annotations = {"azurebastion.dev/reconcile-requested-at": value}
        self.api.merge(self.path(kind, name), {"metadata": {"annotations": annotations}})

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

    def begin_delete(self, kinds: str, name: str = "") -> None:
        """Ask for the deletion of one, or of all of these kinds."""
        for kind in kinds.split(","):
            for each in [name] if name else [item["metadata"]["name"] for item in self.objects(kind)]:
                self.api.delete(self.path(kind, each))

    def delete(self, kinds: str, name: str = "") -> None:
        """Delete one, or all of these kinds, and wait until they are gone."""
        self.begin_delete(kinds, name)
        self.wait_for(
            lambda: not [each for each in self.objects(kinds) if name in {"", each["metadata"]["name"]}],
            f"{kinds} {name} deleted",
        )

    def clear(self) -> None:
        """Remove what a later operator could care for, finalizers or not."""
        for kind in ("bh", "vnp"):
            for item in self.objects(kind):
                self.api.remove(self.path(kind, item["metadata"]["name"]))
        identities = f"{_GROUP}/azureidentities"
        for item in self.api.get(identities)["items"]:
            self.api.remove(f"{identities}/{item['metadata']['name']}")

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


def install_operator(control_plane: ControlPlane) -> Path:
    """The shipped base, applied by the real kubectl; the kubeconfig of its service account."""
    control_plane.kubectl("apply", "--server-side", "-k", str(ROOT / "deploy" / "base"))
    plurals = ("bastionhosts", "vnetpeerings", "azureidentities", "reachabilityreports")
    names = [f"crd/{plural}.azurebastion.dev" for plural in plurals]
    control_plane.kubectl("wait", "--for=condition=Established", "--timeout=30s", *names)
    return control_plane.kubeconfig_for("bastion-operator", namespace=OPERATOR_NAMESPACE)


@pytest.fixture(scope="session")
def operator_installed(control_plane: ControlPlane) -> Path:
    """The shipped base on the run's API server; the kubeconfig of its service account."""
    return install_operator(control_plane)


@contextmanager
def labs_in(
    control_plane: ControlPlane, kubeconfig: Path, namespace: str, folder: Path
) -> Iterator[Callable[..., Lab]]:
    """Makes labs of a namespace: Azure started with an estate, an identity, the operator not running yet."""
    made: list[Lab] = []

    def make(
        estate: Path | list[Manifest] | None = None,
        *,
        identity: bool = True,
        graph_lag: float = 2.0,
        principals: list[Manifest] | None = None,
        operator_speed: float = OPERATOR_SPEED,
        azure_speed: float = AZURE_SPEED,
    ) -> Lab:
        source = estate if isinstance(estate, Path) else EXAMPLE / "estate.json"
        if isinstance(estate, list):
            source = folder / "estate.json"
            source.write_text(json.dumps(estate))
        options = [LocalAzure.keep_state(folder), f"--graph-lag={graph_lag:g}"]
        if principals is not None:
            (folder / "principals.json").write_text(json.dumps(principals))
            options.append(f"--principals={folder / 'principals.json'}")
        azure = LocalAzure(folder, estates=[source], speed=azure_speed, options=options)
        azure.start()
        lab = Lab(control_plane, namespace, folder, kubeconfig, azure, operator_speed)
        made.append(lab)
        if identity:
            lab.apply_identity()
        return lab

    try:
        yield make
    finally:
        for lab in made:
            lab.operator.kill()
            lab.azure.kill()
            lab.clear()
            lab.api.close()


@pytest.fixture
def lab_factory(
    control_plane: ControlPlane, operator_installed: Path, namespace: str, tmp_path: Path
) -> Iterator[Callable[..., Lab]]:
    """Makes the lab of a test."""
    with labs_in(control_plane, operator_installed, namespace, tmp_path) as make:
        yield make


@pytest.fixture
def lab(lab_factory: Callable[..., Lab]) -> Lab:
    """The example's Azure with the operator at work."""
    made = lab_factory()
    made.operator.start()
    return made
