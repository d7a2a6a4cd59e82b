"""What is said of a VM: whether it can be reached, through which Bastion, how, and every reason if not."""

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from bastion_operator.network.finding import Finding, FindingClass


class Reachability(StrEnum):
    """The three verdicts, best first."""

    REACHABLE = "Reachable"
    UNKNOWN = "Unknown"
    UNREACHABLE = "Unreachable"


class Via(StrEnum):
    """How the traffic gets from the Bastion to the VM, best first."""

    SAME_VNET = "SameVNet"
    PEERING = "Peering"
    GLOBAL_PEERING = "GlobalPeering"
    IP_CONNECT = "IpConnect"


class Protocol(StrEnum):
    """What Bastion speaks to a VM."""

    RDP = "RDP"
    SSH = "SSH"


class Method(StrEnum):
    """How a person connects."""

    PORTAL = "Portal"
    NATIVE_CLIENT = "NativeClient"
    SHAREABLE_LINK = "ShareableLink"


DEFAULT_PORTS: Final = MappingProxyType({Protocol.RDP: 3389, Protocol.SSH: 22})

VERDICT_ORDER: Final = MappingProxyType({verdict: place for place, verdict in enumerate(Reachability)})
VIA_ORDER: Final = MappingProxyType({via: place for place, via in enumerate((*Via, None))})


@dataclass(frozen=True, slots=True)
class Candidate:
    """What one Bastion makes of the VM. ``bastion`` is its ARM id as the input has it."""

    bastion: str
    verdict: Reachability
    via: Via | None
    methods: tuple[Method, ...]
    reasons: tuple[Finding, ...]
    warnings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer for one VM, protocol and port: the best candidate's, with all candidates in their order.

    ``vm`` and ``bastion`` are ARM ids as the input has them. ``reasons`` holds what makes Unreachable or Unknown, in the
    order of the steps; ``warnings`` the rest. ``only_stopped``: the VM would be reachable if it ran.
    """

    vm: str
    vm_name: str
    protocol: Protocol
    port: int
    verdict: Reachability
    bastion: str | None
    via: Via | None
    methods: tuple[Method, ...]
    reasons: tuple[Finding, ...]
    warnings: tuple[Finding, ...]
    candidates: tuple[Candidate, ...]

    @property
    def reached_by(self) -> int:
        """How many of the Bastions asked reach the VM: with 1, the next change may take the last way."""
        return sum(candidate.verdict is Reachability.REACHABLE for candidate in self.candidates)

    @property
    def only_stopped(self) -> bool:
        """Whether the one thing in the way, of this Bastion or of another candidate, is that the VM does not run."""
        return any(_only_stopped(reasons) for reasons in (self.reasons, *(one.reasons for one in self.candidates)))


def _only_stopped(reasons: tuple[Finding, ...]) -> bool:
    return bool(reasons) and all(reason.code == "VMNotRunning" for reason in reasons)


def verdict_of(reasons: tuple[Finding, ...]) -> Reachability:
    """Any finding that forbids makes Unreachable, otherwise any that leaves it open Unknown, otherwise Reachable."""
    classes = {reason.finding_class for reason in reasons}
    if FindingClass.UNREACHABLE in classes:
        return Reachability.UNREACHABLE
    return Reachability.UNKNOWN if FindingClass.UNKNOWN in classes else Reachability.REACHABLE
