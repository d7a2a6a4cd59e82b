"""From the options of `bastion-operator run` and its environment to what the operator is started with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bastion_operator.arm.cloud import Cloud
from bastion_operator.election_options import ElectionOptions
from bastion_operator.handlers.run import Address, RunSettings
from bastion_operator.kube.client import find_cluster
from bastion_operator.kube.errors import KubeError
from bastion_operator.problems import Problems
from bastion_operator.reconcile.program import ProgramSettings
from bastion_operator.traces import collector_url

_SERVICE_ACCOUNT_NAMESPACE: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
_HIGHEST_PORT: Final = 65535


@dataclass(frozen=True, slots=True)
class RunOptions:
    """The options as click has read them. Without ``election`` the operator is alone."""

    namespaces: tuple[str, ...]
    operator_namespace: str | None
    installation_id: str | None
    metrics_bind_address: str
    health_probe_bind_address: str
    workers: int
    traces_endpoint: str | None
    election: ElectionOptions | None


def read_settings(options: RunOptions, environment: Mapping[str, str], wrong: Sequence[str] = ()) -> RunSettings:
    """What they mean together.

    :param wrong: what is known to be wrong with the options already
    :raises WrongSettingsError: with a line for each setting that cannot be used
    """
    problems, election = Problems(wrong), options.election
    named = options.operator_namespace
    home = problems.read(_own_namespace) if named is None else named
    lease = problems.read(lambda: election.lease(home)) if election else None
    collector = problems.read(lambda: collector_url(options.traces_endpoint))
    metrics = problems.read(lambda: _address("--metrics-bind-address", options.metrics_bind_address))
    probes = problems.read(lambda: _address("--health-probe-bind-address", options.health_probe_bind_address))
    cloud = problems.read(lambda: Cloud.from_environment(environment))
    cluster = problems.read(lambda: find_cluster(environ=environment), KubeError)
    problems.settle()
    program = ProgramSettings(
        cloud=cloud,
        cluster=cluster,
        secret_namespace=home,
        installation_id=options.installation_id,
        workers=options.workers,
        namespaces=options.namespaces,
        lease=lease,
        traces_endpoint=collector,
    )
    return RunSettings(program, metrics, probes)


def _own_namespace() -> str:
    if _SERVICE_ACCOUNT_NAMESPACE.is_file():
        return _SERVICE_ACCOUNT_NAMESPACE.read_text(encoding="utf-8").strip()
    raise ValueError("the operator's own namespace is not known outside a pod: set --operator-namespace")


def _address(option: str, value: str) -> Address | None:
    if value in {"", "0"}:
        return None
    host, colon, port = value.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > _HIGHEST_PORT:
        raise ValueError(f"{option} is {value!r}: write HOST:PORT, :PORT for every interface, or 0 for none")
    return Address(host.strip("[]"), int(port))
