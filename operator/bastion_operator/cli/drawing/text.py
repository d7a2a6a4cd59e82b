"""A topology as plain text: hubs first, each with what hangs on it, and what is wrong with the connections."""

from collections.abc import Iterator

from bastion_operator.cli.drawing.graph import Network, Role, Topology
from bastion_operator.cli.drawing.words import bastion_words, connection_words, machine_words, role_words

_HUBS = (Role.HUB, Role.VIRTUAL_HUB)


def as_text(topology: Topology) -> str:
    """The whole picture; every connection once, every network's Bastions and VMs once. Empty without networks."""
    return "\n".join(_lines(topology))


def _lines(topology: Topology) -> Iterator[str]:
    networks, connections = topology.by_key, topology.connections_of
    told: set[str] = set()
    drawn: set[tuple[str, str]] = set()
    for network in topology.networks:
        own = [each for each in connections[network.key] if (each.one, each.other) not in drawn]
        if network.key in told and not own:
            continue
        yield _headline(network)
        if network.key not in told:
            yield from _details(network, "   ")
        told.add(network.key)
        for number, connection in enumerate(own, start=1):
            drawn.add((connection.one, connection.other))
            other = networks[connection.other if connection.one == network.key else connection.one]
            last = number == len(own)
            yield f"{'└' if last else '├'}─ {_headline(other)}: {connection_words(connection)}"
            if other.key not in told and other.role not in _HUBS:
                told.add(other.key)
                yield from _details(other, "      " if last else "│     ")


def _headline(network: Network) -> str:
    prefixes = f" {', '.join(network.prefixes)}" if network.prefixes else ""
    return f"{network.name}{prefixes} ({role_words(network)})"


def _details(network: Network, indent: str) -> Iterator[str]:
    for bastion in network.bastions:
        yield f"{indent}{bastion_words(bastion)}"
    if network.machines.total:
        yield f"{indent}{machine_words(network.machines)}"
