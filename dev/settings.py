"""The settings of `bastion-operator run`: for each option its environment variable and its value in the chart."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import click

from bastion_operator.__main__ import main

_PREFIX: Final = "BASTION_OPERATOR_RUN_"
# The chart sets it: it is the release's own namespace.
_BY_THE_CHART: Final = frozenset({"operator_namespace"})
_NAME: Final = r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$"
_NAMESPACE: Final = r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"
_ADDRESS: Final = r"^(0|.*:[0-9]{1,5})$"
_DURATION: Final = r"^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$"
_COLLECTOR: Final = r"^https?://[^/?#@\s]+(/[^?#\s]*)?$"
# What click only knows as text, by the part of the option's name that tells it.
_PATTERNS: Final = {
    "namespaces": _NAMESPACE,
    "resource_namespace": _NAMESPACE,
    "resource_name": _NAME,
    "bind_address": _ADDRESS,
    "lease_duration": _DURATION,
    "renew_deadline": _DURATION,
    "retry_period": _DURATION,
    "traces_endpoint": _COLLECTOR,
}
_HEAD: Final = """\
# Settings

<!-- Made from the options of `bastion-operator run` by `make generate`; do not edit. -->

Every option of `bastion-operator run` is a flag, an environment variable, and a value of the Helm chart below `settings`.
With kustomize the variable is set by a patch ([how](../deploy/README.md#settings)). Wrong ones are refused: by the chart
before anything is installed, by the program all at once, in a line each, with exit code 2; so is a variable of this form that is no setting.

| Flag | Variable | Chart | Default | What it says |
|---|---|---|---|---|
"""
_TAIL: Final = """
Azure is where these variables say, as in all Azure SDKs; in the chart they are set by `cloud`, `proxy` and `caBundle`:

| Variable | Chart | What it says |
|---|---|---|
| `AZURE_AUTHORITY_HOST`, `AZURE_RESOURCE_MANAGER_ENDPOINT` | `cloud.name` | The endpoints of Entra and Resource Manager. `AzureUSGovernment` and `AzureChina` set both |
| `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY` | `proxy` | The way to Azure. The chart excepts the API server and the cluster's own names, and takes a URL with a password from a Secret |
| `SSL_CERT_FILE` | `caBundle` | PEM certificates to trust in place of the system's own |
| `AZURE_FEDERATED_TOKEN_FILE` | `workloadIdentity` | The service account's token that Entra exchanges |
| `KUBECONFIG` | | Another cluster than the pod's own. For work on the operator itself |
"""


@dataclass(frozen=True)
class Setting:
    """One option and what it is called elsewhere."""

    option: click.Option

    @property
    def flag(self) -> str:
        """As on the command line, with its opposite if it has one."""
        return "/".join([*self.option.opts, *self.option.secondary_opts])

    @property
    def variable(self) -> str:
        """The environment variable, the one to name where there are several."""
        named = self.option.envvar
        if named:
            return named if isinstance(named, str) else named[0]
        return _PREFIX + (self.option.name or "").upper()

    @property
    def value(self) -> str:
        """The key below `settings` of the chart, by Kubernetes' rules for names; empty if the chart sets it."""
        if self.option.name in _BY_THE_CHART:
            return ""
        first, *rest = (self.option.name or "").split("_")
        return first + "".join("ID" if each == "id" else each.capitalize() for each in rest)

    @property
    def default(self) -> str:
        """As it would be written; empty if there is none."""
        match self.option.default:
            case bool(value):
                return str(value).lower()
            case str() | int() | float() as value:
                return str(value)
            case _:
                return ""

    @property
    def schema(self) -> dict[str, Any]:
        """JSON schema of its value."""
        return {**_shape(self.option), "description": self.option.help or ""}


def _shape(option: click.Option) -> dict[str, Any]:
    if option.is_flag:
        return {"type": "boolean"}
    if option.multiple:
        return {"type": "array", "uniqueItems": True, "items": _text(option)}
    match option.type:
        case click.Choice(choices=choices):
            return {"enum": [str(each) for each in choices]}
        case click.IntRange(min=lowest, max=highest):
            return {"type": "integer", "minimum": lowest, "maximum": highest}
        case click.FloatRange(min=lowest, max=highest):
            return {"type": "number", "minimum": lowest, "maximum": highest}
        case _:
            return _text(option)


def _text(option: click.Option) -> dict[str, Any]:
    for part, pattern in _PATTERNS.items():
        if (option.name or "").endswith(part):
            return {"type": "string", "pattern": pattern}
    return {"type": "string", "minLength": 1, "maxLength": 253}


def settings() -> Iterator[Setting]:
    """Every option of `bastion-operator run`, in its order."""
    for parameter in main.commands["run"].params:
        if isinstance(parameter, click.Option) and parameter.name != "help":
            yield Setting(parameter)


def settings_schema() -> dict[str, Any]:
    """JSON schema of the chart's `settings`."""
    return {
        "description": "Options of `bastion-operator run`; what is not set is the operator's own default.",
        "type": "object",
        "properties": {each.value: each.schema for each in settings() if each.value},
        "additionalProperties": False,
    }


def render_settings() -> str:
    """docs/settings.md."""
    return _HEAD + "".join(map(_row, settings())) + _TAIL


def _row(each: Setting) -> str:
    chart = f"`settings.{each.value}`" if each.value else "the release's namespace"
    default = f"`{each.default}`" if each.default else ""
    text = re.sub(r"\s+", " ", each.option.help or "").replace("|", r"\|")
    return f"| `{each.flag}` | `{each.variable}` | {chart} | {default} | {text} |\n"
