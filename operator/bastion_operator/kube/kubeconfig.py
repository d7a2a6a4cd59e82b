"""The cluster and the namespace that kubectl would take, for commands that a person runs."""

import os
from collections.abc import Mapping
from pathlib import Path

from kubernetes.aio.config.kube_config import list_kube_config_contexts

from bastion_operator.kube.client import KUBECONFIG, KubeconfigFile, told_as_configuration_error
from bastion_operator.kube.errors import ConfigurationError

DEFAULT_NAMESPACE = "default"
_HOME = Path("~/.kube/config")


def kubectl_config(
    path: str | None = None, context: str | None = None, *, environ: Mapping[str, str] = os.environ
) -> KubeconfigFile:
    """An explicit path, else KUBECONFIG, else ~/.kube/config, as kubectl goes.

    Raises ConfigurationError if none of the files is there.
    """
    chosen = path or environ.get(KUBECONFIG) or str(_HOME.expanduser())
    if not any(Path(each).is_file() for each in chosen.split(os.pathsep) if each):
        raise ConfigurationError(f"there is no kubeconfig at {chosen}")
    return KubeconfigFile(chosen, context)


def namespace_of(config: KubeconfigFile) -> str:
    """The namespace of the context that is used; ``default`` where it names none.

    Raises ConfigurationError for a file that cannot be read, or has no such context.
    """
    with told_as_configuration_error(config):
        contexts, current = list_kube_config_contexts(config.path)
        if config.context is not None:
            current = next((each for each in contexts if each["name"] == config.context), None)
        if not current:
            raise ConfigurationError(f"{config} has no context {config.context or 'that is current'}")
        return str((current["context"] or {}).get("namespace") or DEFAULT_NAMESPACE)
