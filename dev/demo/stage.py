"""What the demo plays on: an API server, a local Azure and the operator under its own service account."""

import json
import shutil
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml

from dev.control_plane import ControlPlane
from dev.local_azure import LocalAzure
from dev.operator_process import OperatorProcess

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = (ROOT / "examples" / "hub-and-spoke", ROOT / "examples" / "wan-and-developer")
NAMESPACE = "connectivity"
OPERATOR_NAMESPACE = "bastion-operator"
SERVICE_ACCOUNT = "bastion-operator"
SPEED = 100.0


class Stage:
    """Everything that runs, in one `with` block. Raises StartError where a part does not start."""

    def __enter__(self) -> Self:
        """Start the API server and the local Azure, and install the operator's objects and nothing more."""
        self.folder = Path(tempfile.mkdtemp(prefix="bastion-operator-demo-"))
        self.control_plane = ControlPlane()
        state = LocalAzure.keep_state(self.folder)
        self.azure = LocalAzure(
            self.folder, estates=[each / "estate.json" for each in EXAMPLES], speed=SPEED, options=[state]
        )
        self.operator: OperatorProcess | None = None
        try:
            self.control_plane.start()
            self.azure.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop everything. The logs stay where something went wrong."""
        if self.operator is not None:
            self.operator.stop()
        self.azure.stop()
        self.control_plane.stop()
        if error is None:
            shutil.rmtree(self.folder, ignore_errors=True)

    def kubectl(self, *arguments: str, input: str | None = None, timeout: float = 60.0) -> str:  # noqa: A002 - as subprocess has it
        """The real kubectl, as a cluster administrator."""
        return self.control_plane.kubectl(*arguments, input=input, timeout=timeout)

    def objects(self, kinds: str) -> list[dict[str, Any]]:
        """Objects of the examples' namespace."""
        items: list[dict[str, Any]] = json.loads(self.kubectl("get", kinds, "-n", NAMESPACE, "-o", "json"))["items"]
        return items

    def install(self) -> None:
        """What a platform team does once: the base, an identity with its Secret, a namespace for the networks."""
        self.kubectl("apply", "--server-side", "-k", str(ROOT / "deploy" / "base"))
        self.kubectl(
            "wait",
            "--for=condition=Established",
            "--timeout=30s",
            "crd",
            "-l",
            "app.kubernetes.io/name=bastion-operator",
        )
        self.kubectl("create", "namespace", NAMESPACE)
        principal = self.azure.clients["operator"]
        secret = [
            "create",
            "secret",
            "generic",
            "azure-default",
            f"--from-literal=clientSecret={principal.client_secret}",
        ]
        self.kubectl("-n", OPERATOR_NAMESPACE, *secret)
        identity = yaml.safe_load((ROOT / "examples" / "azure-identity.yaml").read_text(encoding="utf-8"))
        identity["spec"] |= {"tenantID": self.azure.tenant_id, "clientID": principal.client_id}
        self.kubectl("apply", "-f", "-", input=json.dumps(identity))

    def start_operator(self) -> None:
        """The operator as its own process, with the rights of the shipped RBAC and no others."""
        kubeconfig = self.control_plane.kubeconfig_for(SERVICE_ACCOUNT, namespace=OPERATOR_NAMESPACE)
        self.operator = OperatorProcess(
            self.control_plane,
            self.azure,
            self.folder,
            kubeconfig=kubeconfig,
            operator_namespace=OPERATOR_NAMESPACE,
            speed=SPEED,
        )
        self.operator.start()
