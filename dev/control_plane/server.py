"""etcd and kube-apiserver as children of this process, on free loopback ports, with their own folder."""

import contextlib
import http.client
import os
import secrets
import shutil
import socket
import ssl
import subprocess
import sysconfig
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from dev.control_plane.child import Child
from dev.control_plane.errors import ControlPlaneError, KubectlError, StartError
from dev.control_plane.kubeconfig import write_kubeconfig
from dev.control_plane.programs import Programs, find_programs
from dev.control_plane.settings import Report, report_to_stderr

HOST: Final = "127.0.0.1"
READY_SECONDS: Final = 60.0
POLL_SECONDS: Final = 0.05
LOWEST_PORT: Final = 20000
PORT_COUNT: Final = 12000
PORT_TRIES: Final = 5
RSA_BITS: Final = 2048
ADMIN: Final = "admin"
OK: Final = 200


class ControlPlane:
    """A real Kubernetes API: `start` it and `stop` it, or use it in a `with` block.

    All calls block. The object is not safe to be started or stopped from two threads at once; `kubectl` and
    `kubeconfig_for` are.
    """

    def __init__(self, programs: Programs | None = None, *, report: Report = report_to_stderr) -> None:
        """Nothing happens before `start`; without `programs` it finds them, and builds them if it must."""
        self._programs = programs
        self._report = report
        self._directory: Path | None = None
        self._etcd: Child | None = None
        self._api_server: Child | None = None
        self._etcd_port = 0
        self._port = 0
        self._token = secrets.token_urlsafe(32)

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()

    @property
    def directory(self) -> Path:
        """The folder with data, logs (etcd.log, kube-apiserver.log) and kubeconfig files; gone after `stop`."""
        if self._directory is None:
            raise ControlPlaneError("the local control plane is not started: call start() or use it in a with block")
        return self._directory

    @property
    def url(self) -> str:
        """Address of the API server, the same after a restart of it."""
        return f"https://{HOST}:{self._port}"

    @property
    def ca_file(self) -> Path:
        """PEM file by which the API server's certificate verifies."""
        return self.directory / "certificates" / "apiserver.crt"

    @property
    def kubeconfig(self) -> Path:
        """Kubeconfig of a user in the group system:masters."""
        return self.directory / "admin.kubeconfig"

    @property
    def programs(self) -> Programs:
        """The programs in use; found, and if need be built, at the first look."""
        if self._programs is None:
            self._programs = find_programs(report=self._report)
        return self._programs

    def start(self) -> None:
        """Start etcd and the API server and wait until it is ready.

        Raises ProgramsError if the programs cannot be had, and StartError, with the tail of the log, if one of them
        ends or is not ready within a minute; the folder with the logs is then kept.
        """
        if self._directory is not None:
            raise ControlPlaneError("the local control plane is started already")
        programs = self.programs
        self._directory = Path(tempfile.mkdtemp(prefix="bastion-control-plane-"))
        try:
            self._write_credentials()
            self._start_etcd(programs)
            self._start_api_server(programs, choose_port=True)
            write_kubeconfig(self.kubeconfig, url=self.url, ca_file=self.ca_file, user=ADMIN, token=self._token)
        except StartError:
            self._kill_children()
            self._directory = None  # the logs stay for whoever reads the error
            raise
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End both processes and remove the folder; nothing happens if it is not started."""
        self._kill_children()
        if self._directory is not None:
            shutil.rmtree(self._directory, ignore_errors=True)
            self._directory = None

    def stop_api_server(self, *, kill: bool = False) -> None:
        """End the API server alone, in good order or (`kill`) at once. etcd goes on and keeps what was stored."""
        if self._api_server is not None:
            if kill:
                self._api_server.kill()
            else:
                self._api_server.terminate()
            self._api_server = None

    def start_api_server(self) -> None:
        """Start the API server again on the port and with the data it had. Raises StartError if it does not start."""
        if self._api_server is not None and self._api_server.running:
            raise ControlPlaneError("the API server is running already")
        self._start_api_server(self.programs, choose_port=False)

    def kubeconfig_for(self, service_account: str, *, namespace: str, duration_seconds: int = 24 * 3600) -> Path:
        """Write a kubeconfig with a token of an existing ServiceAccount, issued by the TokenRequest API; returns its path.

        Raises KubectlError if the ServiceAccount does not exist.
        """
        token = self.kubectl(
            "create", "token", service_account, "--namespace", namespace, "--duration", f"{duration_seconds}s"
        ).strip()
        path = self.directory / f"{namespace}.{service_account}.kubeconfig"
        user = f"system:serviceaccount:{namespace}:{service_account}"
        return write_kubeconfig(path, url=self.url, ca_file=self.ca_file, user=user, token=token, namespace=namespace)

    def kubectl(
        self,
        *arguments: str,
        input: str | None = None,  # noqa: A002 - the name that subprocess.run has for it
        kubeconfig: Path | None = None,
        timeout: float = 60.0,
    ) -> str:
        """Run the real kubectl, as the administrator unless `kubeconfig` says otherwise; returns its stdout.

        Raises KubectlError with what it wrote to stderr if its exit code is not 0 or it takes longer than `timeout`
        seconds.
        """
        command = [str(self.programs.kubectl), *arguments]
        shown = f"kubectl {' '.join(arguments)}"
        try:
            answer = subprocess.run(
                command,
                input=input,
                stdin=subprocess.DEVNULL if input is None else None,
                capture_output=True,
                text=True,
                timeout=timeout,
                check=False,
                env=self.environment(kubeconfig),
            )
        except subprocess.TimeoutExpired as error:
            raise KubectlError(shown, -1, f"no end after {timeout:.0f} s") from error
        if answer.returncode != 0:
            raise KubectlError(shown, answer.returncode, answer.stderr)
        return answer.stdout

    def environment(self, kubeconfig: Path | None = None) -> dict[str, str]:
        """The environment for a Kubernetes client of this control plane, which leaves the user's ~/.kube alone."""
        scripts = sysconfig.get_path("scripts")  # kubectl plugins of this project lie here
        return os.environ | {
            "KUBECONFIG": str(kubeconfig or self.kubeconfig),
            "KUBECACHEDIR": str(self.directory / "kubectl-cache"),
            "KUBERC": "off",
            "PATH": os.pathsep.join([scripts, os.environ.get("PATH", os.defpath)]),
        }

    def _write_credentials(self) -> None:
        # RSA, as clusters in Azure have it: Entra takes no other signature under a federated token.
        key = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )
        _write_private(self.directory / "service-account.key", private)
        _write_private(self.directory / "tokens.csv", f'{self._token},{ADMIN},{ADMIN},"system:masters"\n'.encode())

    def _start_etcd(self, programs: Programs) -> None:
        def attempt() -> Child:
            self._etcd_port, peer_port = free_ports(2)
            command = _etcd_command(programs.etcd, self.directory / "etcd", self._etcd_port, peer_port)
            self._etcd = Child.start(command, log=self.directory / "etcd.log", sweep=self.directory)
            return self._etcd

        _start_until_ready("etcd", attempt, self._etcd_is_ready, self.directory / "etcd.log")

    def _start_api_server(self, programs: Programs, *, choose_port: bool) -> None:
        log = self.directory / "kube-apiserver.log"

        def attempt() -> Child:
            if choose_port:
                (self._port,) = free_ports(1)
            command = _api_server_command(programs.kube_apiserver, self.directory, self._etcd_port, self._port)
            self._api_server = Child.start(command, log=log)
            return self._api_server

        _start_until_ready("kube-apiserver", attempt, self._api_server_is_ready, log)

    def _etcd_is_ready(self) -> bool:
        connection = http.client.HTTPConnection(HOST, self._etcd_port, timeout=5)
        with contextlib.closing(connection):
            connection.request("GET", "/readyz")
            return connection.getresponse().status == OK

    def _api_server_is_ready(self) -> bool:
        """Ready by its own word, and the namespaces that it makes for itself are there."""
        if not self.ca_file.exists():
            return False
        context = ssl.create_default_context(cafile=str(self.ca_file))
        connection = http.client.HTTPSConnection(HOST, self._port, timeout=5, context=context)
        with contextlib.closing(connection):
            for path in ("/readyz", "/api/v1/namespaces/kube-system", "/api/v1/namespaces/default"):
                connection.request("GET", path, headers={"Authorization": f"Bearer {self._token}"})
                answer = connection.getresponse()
                answer.read()
                if answer.status != OK:
                    return False
        return True

    def _kill_children(self) -> None:
        for child in (self._api_server, self._etcd):
            if child is not None:
                child.kill()
        self._api_server = self._etcd = None


def free_ports(count: int) -> list[int]:
    """Ports that nobody listened on a moment ago.

    They lie below the range from which Linux (32768 and up) and macOS (49152 and up) take the local ports of outgoing
    connections: else a client that knocks while the API server is down could occupy the API server's own port.
    """
    with contextlib.ExitStack() as stack:
        ports: list[int] = []
        while len(ports) < count:
            port = LOWEST_PORT + secrets.randbelow(PORT_COUNT)
            listener = stack.enter_context(socket.socket())
            with contextlib.suppress(OSError):
                listener.bind((HOST, port))
                ports.append(port)
        return ports


def _start_until_ready(name: str, attempt: Callable[[], Child], is_ready: Callable[[], bool], log: Path) -> None:
    """Start and wait; a port that somebody else took in between is a reason for another try."""
    for _ in range(PORT_TRIES):
        start = log.stat().st_size if log.exists() else 0
        child = attempt()
        deadline = time.monotonic() + READY_SECONDS
        while child.running and time.monotonic() < deadline:
            with contextlib.suppress(OSError, http.client.HTTPException):
                if is_ready():
                    return
            time.sleep(POLL_SECONDS)
        state = f"is not ready after {READY_SECONDS:.0f} s" if child.running else f"ended with code {child.returncode}"
        child.kill()
        if "address already in use" not in log.read_text(errors="replace")[start:]:
            break
    raise StartError(f"{name} {state}. The end of {log}:\n{child.tail()}")


def _etcd_command(program: Path, data: Path, port: int, peer_port: int) -> Sequence[str]:
    """One member, which may lose its data when the machine crashes: it is thrown away anyhow."""
    client, peer = f"http://{HOST}:{port}", f"http://{HOST}:{peer_port}"
    return [
        str(program),
        "--name=local",
        f"--data-dir={data}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=local={peer}",
        "--unsafe-no-fsync",
        "--logger=zap",
        "--log-level=warn",
    ]


def _api_server_command(program: Path, directory: Path, etcd_port: int, port: int) -> Sequence[str]:
    """RBAC, tokens, service account tokens; without what only a cluster with nodes needs."""
    key = directory / "service-account.key"
    return [
        str(program),
        f"--etcd-servers=http://{HOST}:{etcd_port}",
        f"--bind-address={HOST}",
        f"--advertise-address={HOST}",  # else a machine without a default route cannot start it
        f"--secure-port={port}",
        f"--cert-dir={directory / 'certificates'}",
        f"--token-auth-file={directory / 'tokens.csv'}",
        "--authorization-mode=RBAC",
        # Its own address, where whoever is to trust its tokens finds its keys: /.well-known/openid-configuration.
        f"--service-account-issuer=https://{HOST}:{port}",
        f"--service-account-key-file={key}",
        f"--service-account-signing-key-file={key}",
        "--service-cluster-ip-range=10.0.0.0/24",
        "--disable-admission-plugins=ServiceAccount",  # no controller makes the default accounts that it asks for
        "--endpoint-reconciler-type=none",
        "--enable-priority-and-fairness=false",
        "--profiling=false",
    ]


def _write_private(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)
