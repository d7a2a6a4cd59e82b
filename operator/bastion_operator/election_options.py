"""The options of `bastion-operator run` that say how the operators of one installation agree on who writes.

Their names and defaults are those of Kubernetes' own components:
https://kubernetes.io/docs/reference/command-line-tools-reference/kube-scheduler/
"""

import os
import re
import socket
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from bastion_operator.kube.lease import LeaseSettings

# https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
_LABEL = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
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
        """What they mean. Raises ValueError with one line that names the option."""
        from bastion_operator.kube.lease import LeaseSettings  # noqa: PLC0415 - after --help

        namespace = self.resource_namespace or own_namespace
        _check_name("--leader-elect-resource-name", self.resource_name, _SUBDOMAIN)
        _check_name("--leader-elect-resource-namespace", namespace, _LABEL)
        duration = _seconds("--leader-elect-lease-duration", self.lease_duration)
        if duration != int(duration):
            raise ValueError(f"--leader-elect-lease-duration is {self.lease_duration}: a Lease counts in whole seconds")
        return LeaseSettings(
            namespace=namespace,
            name=self.resource_name,
            # A restarted pod has its old name: what it did before must not count as its own.
            holder=f"{os.environ.get('POD_NAME') or socket.gethostname()}_{uuid.uuid4()}",
            duration=int(duration),
            renew_deadline=_seconds("--leader-elect-renew-deadline", self.renew_deadline),
            retry_period=_seconds("--leader-elect-retry-period", self.retry_period),
        )


def election_options(command: Command) -> Command:
    """Give a command the options; it gets them as keyword arguments ``leader_elect`` and ``leader_elect_…``."""
    for option in (
        click.option(
            "--leader-elect-resource-namespace", help="Namespace of the Lease. By default the operator's own."
        ),
        click.option("--leader-elect-resource-name", default=_LEASE, show_default=True, help="Name of the Lease."),
        click.option("--leader-elect-retry-period", default="2s", show_default=True, help="Time between two renewals."),
        click.option(
            "--leader-elect-renew-deadline",
            default="10s",
            show_default=True,
            help="The holder stops writing so long after its last renewal.",
        ),
        click.option(
            "--leader-elect-lease-duration",
            default="15s",
            show_default=True,
            help="Another one takes the Lease over after so long without a renewal.",
        ),
        click.option(
            "--leader-elect/--no-leader-elect",
            default=True,
            show_default=True,
            help="Write only while holding the Lease. Without it no second operator of this installation may run.",
        ),
    ):
        command = option(command)
    return command


def taken_from(options: dict[str, str | None]) -> ElectionOptions:
    """The options out of a command's keyword arguments ``leader_elect_…``."""
    given = {name.removeprefix(_PREFIX): value for name, value in options.items()}
    return ElectionOptions(**given)  # type: ignore[arg-type]  # click fills in the defaults


def _check_name(option: str, value: str, pattern: str) -> None:
    if re.fullmatch(pattern, value) is None:
        raise ValueError(f"{option} is {value!r}: names in Kubernetes are of small letters, digits and hyphens")


def _seconds(option: str, value: str) -> float:
    from bastion_operator.api.duration import parse  # noqa: PLC0415 - after --help

    try:
        return parse(value).total_seconds()
    except ValueError as error:
        raise ValueError(f"{option}: {error}") from None
