"""`kubectl bastion topology`: an estate as a picture."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import click
import orjson

from bastion_operator.cli.drawing.graph import Connection, Network, Topology, draw_topology, network_of
from bastion_operator.cli.progress import progress
from bastion_operator.cli.sources import Azure, Files, read_inventory
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability import Verdict, judge_all


def run_topology(source: Files | Azure, output: str) -> int:
    """Reads, judges and draws; returns the exit code. Raises Refusal."""
    inventory = read_inventory(source)
    with progress("judging VMs"):
        verdicts = judge_all(inventory)
    drawn = _RENDERERS[output](draw_topology(inventory, verdicts), verdicts, inventory)
    if not inventory.virtual_networks:
        click.echo("no virtual networks", err=True)
    click.echo(drawn, nl=not drawn.endswith("\n"))
    return 0


def _text(topology: Topology, _: list[Verdict], __: Inventory) -> str:
    from bastion_operator.cli.drawing.text import as_text  # noqa: PLC0415  only the form that is asked for

    return as_text(topology)


def _mermaid(topology: Topology, _: list[Verdict], __: Inventory) -> str:
    from bastion_operator.cli.drawing.mermaid import as_mermaid  # noqa: PLC0415

    return as_mermaid(topology)


def _dot(topology: Topology, _: list[Verdict], __: Inventory) -> str:
    from bastion_operator.cli.drawing.dot import as_dot  # noqa: PLC0415

    return as_dot(topology)


def _svg(topology: Topology, _: list[Verdict], __: Inventory) -> str:
    from bastion_operator.cli.drawing.svg import as_svg  # noqa: PLC0415

    return as_svg(topology)


def _html(topology: Topology, verdicts: list[Verdict], inventory: Inventory) -> str:
    from bastion_operator.cli.drawing.html import as_html  # noqa: PLC0415

    return as_html(topology, verdicts, {verdict.vm: network_of(inventory, verdict.vm) for verdict in verdicts})


def _json(topology: Topology, _: list[Verdict], __: Inventory) -> str:
    return orjson.dumps(_document(topology), option=orjson.OPT_INDENT_2).decode()


def _yaml(topology: Topology, _: list[Verdict], __: Inventory) -> str:
    import yaml  # noqa: PLC0415

    return yaml.safe_dump(_document(topology), sort_keys=False)


_RENDERERS: Final[Mapping[str, Callable[[Topology, list[Verdict], Inventory], str]]] = {
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
