"""A topology in Graphviz' language. Source of the syntax: graphviz.org, "DOT Language"."""

from collections.abc import Iterator, Mapping

from bastion_operator.cli.drawing.graph import Network, Role, Topology
from bastion_operator.cli.drawing.layout import text_of
from bastion_operator.cli.drawing.words import sound, state_words

_SHAPES: Mapping[Role, str] = {
    Role.HUB: "box3d",
    Role.SPOKE: "box",
    Role.NETWORK: "box",
    Role.VIRTUAL_HUB: "hexagon",
    Role.NOT_SHOWN: "plaintext",
}


def as_dot(topology: Topology) -> str:
    """An undirected graph: a node for each network, named by its id, and an edge for each connection."""
    return "\n".join(_lines(topology))


def _lines(topology: Topology) -> Iterator[str]:
    yield "graph topology {"
    yield '  node [fontname="Helvetica" fontsize=11]'
    yield '  edge [fontname="Helvetica" fontsize=10]'
    for network in topology.networks:
        yield f"  {_quoted(network.key)} [shape={_SHAPES[network.role]} label={_label(network)}]"
    for connection in topology.connections:
        ends = f"  {_quoted(connection.one)} -- {_quoted(connection.other)}"
        told = f" [style=dashed color=red label={_quoted(state_words(connection))}]"
        yield ends if sound(connection) else ends + told
    yield "}"


def _label(network: Network) -> str:
    return '"' + "\\n".join(_escaped(line) for line in text_of(network)) + '"'


def _quoted(text: str) -> str:
    return f'"{_escaped(text)}"'


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
