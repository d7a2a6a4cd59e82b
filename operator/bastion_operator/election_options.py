"""The options of `bastion-operator run` that say how the operators of one installation agree on who writes.

Their names and defaults are those of Kubernetes' own components:
https://kubernetes.io/docs/reference/command-line-tools-reference/kube-scheduler/
"""

import os
import re
import socket
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from bastion_operator.problems import Problems
from bastion_operator.setting import DNS_LABEL, NamespaceName, setting

if TYPE_CHECKING:
    from bastion_operator.kube.lease import LeaseSettings

_SUBDOMAIN = rf"{DNS_LABEL}(\.{DNS_LABEL})*"
_LEASE = "bastion-operator"
_PREFIX = "leader_elect_"

Command = TypeVar("Command", bound=Callable[..., None])


@dataclass(frozen=True, slots=True)
class ElectionOptions:
    """The options as they were given, by the names that click makes of them, without their prefix."""

    lease_duration: str
    renew_deadline: str
    retry_period: str
    resource_name: str
    resource_namespace: str | None

    def lease(self, own_namespace: str) -> "LeaseSettings":
        """What they mean. Raises WrongSettingsError with a line for each option that is wrong."""
        from bastion_operator.kube.lease import LeaseSettings  # noqa: PLC0415 - after --help

        problems = Problems()
        problems.read(lambda: _check_name("--leader-elect-resource-name", self.resource_name))
        duration = problems.read(lambda: _whole_seconds("--leader-elect-lease-duration", self.lease_duration))
        renew_deadline = problems.read(lambda: _seconds("--leader-elect-renew-deadline", self.renew_deadline))
        retry_period = problems.read(lambda: _seconds("--leader-elect-retry-period", self.retry_period))
        problems.settle()
        return LeaseSettings(
            namespace=self.resource_namespace or own_namespace,
            name=self.resource_name,
            # A restarted pod has its old name: what it did before must not count as its own.
            holder=f"{os.environ.get('POD_NAME') or socket.gethostname()}_{uuid.uuid4()}",
            duration=duration,
            renew_deadline=renew_deadline,
            retry_period=retry_period,
        )


def election_options(command: Command) -> Command:
    """Give a command the options; it gets them as keyword arguments ``leader_elect`` and ``leader_elect_…``."""
    for option in (
        setting(
            "--leader-elect-resource-namespace",
            type=NamespaceName(),
            metavar="NAME",
            help="Namespace of the Lease. By default the operator's own.",
        ),
        setting("--leader-elect-resource-name", default=_LEASE, show_default=True, help="Name of the Lease."),
        setting("--leader-elect-retry-period", default="2s", show_default=True, help="Time between two renewals."),
        setting(
            "--leader-elect-renew-deadline",
            default="10s",
            show_default=True,
            help="The holder stops writing so long after its last renewal.",
        ),
        setting(
            "--leader-elect-lease-duration",
            default="15s",
            show_default=True,
            help="Another one takes the Lease over after so long without a renewal.",
        ),
        setting(
            "--leader-elect/--no-leader-elect",
            default=True,
            show_default=True,
            help="Write only while holding the Lease. Without it no second operator of this installation may run.",
        ),
    ):
        command = option(command)
    return command


def taken_from(options: Mapping[str, Any]) -> tuple[ElectionOptions, dict[str, Any]]:
    """The options ``leader_elect_…`` out of a command's keyword arguments, and the others."""
    own = {name: value for name, value in options.items() if name.startswith(_PREFIX)}
    others = {name: value for name, value in options.items() if name not in own}
    return ElectionOptions(**{name.removeprefix(_PREFIX): value for name, value in own.items()}), others


def _check_name(option: str, value: str) -> None:
    if re.fullmatch(_SUBDOMAIN, value) is None:
        raise ValueError(f"{option} is {value!r}: names in Kubernetes are of small letters, digits and hyphens")


def _whole_seconds(option: str, value: str) -> int:
    seconds = _seconds(option, value)
    if seconds != int(seconds):
        raise ValueError(f"{option} is {value}: a Lease counts in whole seconds")
    return int(seconds)


def _seconds(option: str, value: str) -> float:
    from bastion_operator.api.duration import parse  # noqa: PLC0415 - after --help

    try:
        return parse(value).total_seconds()
    except ValueError as error:
        raise ValueError(f"{option}: {error}") from None
