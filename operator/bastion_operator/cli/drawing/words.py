"""The words in which pictures tell what a network, a Bastion, a connection is."""

from collections.abc import Mapping
from typing import Final

from bastion_operator.cli.drawing.graph import Bastion, Connection, Machines, Network, Role
from bastion_operator.network.peering import PairState

_ROLES: Final[Mapping[Role, str]] = {
    Role.HUB: "hub",
    Role.SPOKE: "spoke",
    Role.NETWORK: "virtual network",
    Role.VIRTUAL_HUB: "virtual WAN hub",
    Role.NOT_SHOWN: "not in the data",
}
_STATES: Final[Mapping[PairState, str]] = {
    PairState.CONNECTED: "Connected",
    PairState.ONE_SIDED: "one-sided",
    PairState.DISCONNECTED: "Disconnected",
    PairState.UNKNOWN: "unknown",
    PairState.NOT_PEERED: "not peered",
}


def role_words(network: Network) -> str:
    """What a network is, and where: ``hub in westeurope``."""
    role = _ROLES[network.role]
    return f"{role} in {network.location}" if network.location else role


def bastion_words(bastion: Bastion) -> str:
    """A Bastion with its SKU, and its state where that is not Succeeded."""
    state = "" if bastion.state in {None, "Succeeded"} else f", {bastion.state}"
    return f"Bastion {bastion.name} ({bastion.sku}{state})"


def machine_words(machines: Machines) -> str:
    """How many of the VMs that run are reached: ``3 of 5 VMs reachable, 1 unknown, 2 stopped``."""
    told = ((machines.unknown, "unknown"), (machines.stopped, "stopped"))
    rest = "".join(f", {count} {word}" for count, word in told if count)
    return f"{machines.reachable} of {machines.total - machines.stopped} VMs reachable{rest}"


def state_words(connection: Connection) -> str:
    """The state of a connection, or what is wrong with it in one word."""
    if connection.state is PairState.CONNECTED and connection.trouble is not None:
        return "not in sync"
    return _STATES[connection.state]


def connection_words(connection: Connection) -> str:
    """The state of a connection with what is wrong."""
    state = state_words(connection)
    if connection.between_regions:
        state += ", between regions"
    return f"{state} ({connection.trouble})" if connection.trouble is not None else state


def sound(connection: Connection) -> bool:
    """Whether nothing is wrong with a connection."""
    return connection.state is PairState.CONNECTED and connection.trouble is None
