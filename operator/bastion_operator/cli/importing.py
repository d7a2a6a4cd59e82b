"""`kubectl bastion import`: custom resources for what stands, as YAML with comments or as a list in JSON."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Final

import click
import orjson
import yaml
from pydantic import ValidationError

from bastion_operator.api.common import IdentityRef
from bastion_operator.cli.errors import Refusal
from bastion_operator.cli.sources import Azure, Files, read_inventory
from bastion_operator.planning.importing import Import, Imported, Placement, import_estate

_HEAD: Final = """\
# Bastions and peerings as they stand. Applied, these only observe and change nothing in Azure.
# With managementPolicy: Manage the operator takes them over; what it took over it never deletes."""


def run_import(source: Files | Azure, placement: Placement, output: str) -> int:
    """Reads and writes; returns the exit code. Raises Refusal."""
    _check(placement)
    found = import_estate(read_inventory(source), placement, datetime.now(UTC))
    for left in found.left_out:
        click.echo(f"left out: {left.resource_id}: {left.reason}", err=True)
    if not found.resources:
        click.echo("nothing to import: no Bastion and no peering that nobody keeps yet", err=True)
    elif output == "json":
        listed = {"apiVersion": "v1", "kind": "List", "items": [dict(each.manifest) for each in found.resources]}
        click.echo(orjson.dumps(listed, option=orjson.OPT_INDENT_2))
        _tell_changes(found.resources)
    else:
        click.echo("\n---\n".join(_documents(found)))
    return 0


def _check(placement: Placement) -> None:
    for option, name in (("--identity", placement.identity), ("--namespace", placement.namespace)):
        try:
            IdentityRef(name=name or "default")
        except ValidationError as error:
            told = error.errors()[0]["msg"]
            raise Refusal(f"{option} {name} is no name of an object", told) from error


def _documents(found: Import) -> Iterator[str]:
    subscriptions = "\n".join(f"#   {each}" for each in found.subscriptions)
    allowed = f"# The AzureIdentity must allow this namespace and these subscriptions:\n{subscriptions}"
    for place, each in enumerate(found.resources):
        text = yaml.safe_dump(dict(each.manifest), sort_keys=False, width=1000).rstrip()
        comments = [*([_HEAD, allowed] if place == 0 else []), *_comments(each)]
        yield "\n".join([*comments, text])


def _comments(imported: Imported) -> Iterator[str]:
    for change in imported.changes:
        yield f"# Manage would {change.summary[0].lower()}{change.summary[1:]}"
    for obstacle in imported.obstacles:
        yield f"# In the way of Manage, {obstacle.code}: {obstacle.message}"


def _tell_changes(resources: Iterable[Imported]) -> None:
    """JSON has no comments."""
    for each in resources:
        name = f"{each.manifest['kind']} {each.manifest['metadata']['name']}"
        for comment in _comments(each):
            click.echo(f"{name}: {comment.removeprefix('# ')}", err=True)
