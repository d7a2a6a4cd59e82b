"""`kubectl bastion topology`: an estate as a picture."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import click
import orjson

from bastion_operator.cli.drawing.graph import Connection, Network, Topology, draw_topology, network_of
from bastion_operator.cli.progress import progress
from bastion_operator.cli.sources import Azure, Cluster, Files, Source, read_inventory
from bastion_operator.network.reachability import Verdict, judge_all


@dataclass(frozen=True, slots=True)
class Picture:
    """What is drawn; ``places`` are the keys of the networks of VMs by their ids, None where the data does not say it."""

    topology: Topology
    verdicts: Sequence[Verdict]
    places: Mapping[str, str | None]


def run_topology(source: Source, output: str) -> int:
    """Reads, judges and draws; returns the exit code. Raises Refusal."""
    picture = _published(source) if isinstance(source, Cluster) else _judged(source)
    drawn = _RENDERERS[output](picture)
    if not picture.topology.networks:
        click.echo("no virtual networks", err=True)
    click.echo(drawn, nl=not drawn.endswith("\n"))
    return 0


def _judged(source: Files | Azure) -> Picture:
    inventory = read_inventory(source)
    with progress("judging VMs"):
        verdicts = judge_all(inventory)
    places = {verdict.vm: network_of(inventory, verdict.vm) for verdict in verdicts}
    return Picture(draw_topology(inventory, verdicts), verdicts, places)


def _published(source: Cluster) -> Picture:
    import asyncio  # noqa: PLC0415  files need none

    from bastion_operator.api import BastionHost, VNetPeering  # noqa: PLC0415  the custom resources' models
    from bastion_operator.cli.drawing.published import places_of, published_topology  # noqa: PLC0415
    from bastion_operator.cli.published import published_verdicts  # noqa: PLC0415
    from bastion_operator.cli.sources.cluster import open_cluster  # noqa: PLC0415  kubernetes is loaded when it is asked

    async def read() -> Picture:
        async with open_cluster(source) as cluster:
            hosts, peerings = await cluster.objects(BastionHost), await cluster.objects(VNetPeering)
            reports = await cluster.reports()
        verdicts = published_verdicts(reports)
        return Picture(published_topology(hosts, peerings, reports, verdicts), verdicts, places_of(reports, verdicts))

    return asyncio.run(read())


def _text(picture: Picture) -> str:
    from bastion_operator.cli.drawing.text import as_text  # noqa: PLC0415  only the form that is asked for

    return as_text(picture.topology)


def _mermaid(picture: Picture) -> str:
    from bastion_operator.cli.drawing.mermaid import as_mermaid  # noqa: PLC0415

    return as_mermaid(picture.topology)


def _dot(picture: Picture) -> str:
    from bastion_operator.cli.drawing.dot import as_dot  # noqa: PLC0415

    return as_dot(picture.topology)


def _svg(picture: Picture) -> str:
    from bastion_operator.cli.drawing.svg import as_svg  # noqa: PLC0415

    return as_svg(picture.topology)


def _html(picture: Picture) -> str:
    from bastion_operator.cli.drawing.html import as_html  # noqa: PLC0415

    return as_html(picture.topology, picture.verdicts, picture.places)


def _json(picture: Picture) -> str:
    return orjson.dumps(_document(picture.topology), option=orjson.OPT_INDENT_2).decode()


def _yaml(picture: Picture) -> str:
    import yaml  # noqa: PLC0415

    return yaml.safe_dump(_document(picture.topology), sort_keys=False)


_RENDERERS: Final[Mapping[str, Callable[[Picture], str]]] = {
    "text": _text,
    "mermaid": _mermaid,
    "dot": _dot,
    "svg": _svg,
    "html": _html,
    "json": _json,
    "yaml": _yaml,
}


def _document(topology: Topology) -> dict[str, Any]:
    ids = {network.key: network.id for network in topology.networks}
    return {
        "networks": [_network(each) for each in topology.networks],
        "connections": [_connection(each, ids) for each in topology.connections],
    }


def _network(network: Network) -> dict[str, Any]:
    machines = network.machines
    return {
        "id": network.id,
        "name": network.name,
        "role": network.role.value,
        "location": network.location,
        "prefixes": list(network.prefixes),
        "bastions": [
            {"id": each.id, "name": each.name, "sku": each.sku, "state": each.state} for each in network.bastions
        ],
        "vms": {
            "reachable": machines.reachable,
            "unreachable": machines.unreachable,
            "unknown": machines.unknown,
            "stopped": machines.stopped,
        },
    }


def _connection(connection: Connection, ids: Mapping[str, str]) -> dict[str, Any]:
    return {
        "ends": [ids[connection.one], ids[connection.other]],
        "state": connection.state.value,
        "trouble": connection.trouble,
        "betweenRegions": connection.between_regions,
    }
