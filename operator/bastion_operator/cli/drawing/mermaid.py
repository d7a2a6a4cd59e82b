"""A topology as a Mermaid flowchart, which GitHub, GitLab and many wikis draw. Source of the syntax: mermaid.js.org, Flowcharts."""

from collections.abc import Iterator, Mapping

from bastion_operator.cli.drawing.graph import Network, Role, Topology
from bastion_operator.cli.drawing.layout import text_of
from bastion_operator.cli.drawing.words import sound, state_words
from bastion_operator.network.peering import PairState

_SHAPES: Mapping[Role, tuple[str, str]] = {
    Role.HUB: ("[[", "]]"),
    Role.SPOKE: ("[", "]"),
    Role.NETWORK: ("[", "]"),
    Role.VIRTUAL_HUB: ("{{", "}}"),
    Role.NOT_SHOWN: ("([", "])"),
}


def as_mermaid(topology: Topology) -> str:
    """A flowchart from top to bottom; what is not sound is drawn dotted, with its state."""
    return "\n".join(_lines(topology))


def _lines(topology: Topology) -> Iterator[str]:
    yield "flowchart TB"
    names = {network.key: f"n{number}" for number, network in enumerate(topology.networks, start=1)}
    for network in topology.networks:
        start, end = _SHAPES[network.role]
        yield f'  {names[network.key]}{start}"{_label(network)}"{end}'
    broken = []
    for number, connection in enumerate(topology.connections):
        ends = names[connection.one], names[connection.other]
        if sound(connection):
            yield f"  {ends[0]} --- {ends[1]}"
        else:
            yield f"  {ends[0]} -. {state_words(connection)} .- {ends[1]}"
            broken += [str(number)] if connection.state is not PairState.UNKNOWN else []
    if broken:
        yield f"  linkStyle {','.join(broken)} stroke:#c62828"


def _label(network: Network) -> str:
    return "<br/>".join(_escaped(line) for line in text_of(network))


def _escaped(text: str) -> str:
    """Mermaid reads entities as HTML does, with # in place of &; numbers escape what it would take for syntax."""
    return "".join(each if each.isalnum() or each in " .,/:_-()…" else f"#{ord(each)};" for each in text)
