"""One question: can this Bastion connect to this VM with this protocol on this port."""

from dataclasses import dataclass

from bastion_operator.network.reachability.evaluation import Evaluation
from bastion_operator.network.reachability.host import Host
from bastion_operator.network.reachability.path import Path
from bastion_operator.network.reachability.target import Target
from bastion_operator.network.reachability.verdict import DEFAULT_PORTS, Protocol
from bastion_operator.network.virtual_machine import OperatingSystem


@dataclass(frozen=True, slots=True)
class Asked:
    """Protocol, port, and the address if one was named; ``assumed``: nobody named the protocol and the VM's operating system is not known."""

    protocol: Protocol
    port: int
    assumed: bool = False
    address: int | None = None

    @property
    def custom_port(self) -> bool:
        """Whether the port is another than the protocol's own."""
        return self.port != DEFAULT_PORTS[self.protocol]


@dataclass(frozen=True, slots=True)
class Question:
    """All that a step may look at."""

    evaluation: Evaluation
    host: Host
    target: Target
    path: Path
    asked: Asked

    @property
    def flow_is_known(self) -> bool:
        """Whether both ends' addresses are known, without which security rules and routes cannot be judged."""
        target = self.target
        return bool(self.host.sources) and bool(target.addresses) and target.subnet is not None


def ask(
    operating_system: OperatingSystem | None, protocol: Protocol | None, port: int | None, address: int | None = None
) -> Asked:
    """What is asked of a VM: by default the protocol of its operating system on its default port."""
    chosen = protocol
    if chosen is None:
        chosen = Protocol.RDP if operating_system is OperatingSystem.WINDOWS else Protocol.SSH
    return Asked(chosen, port or DEFAULT_PORTS[chosen], protocol is None and operating_system is None, address)
