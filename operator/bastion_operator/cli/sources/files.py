"""Files as a source: estate files and the standard input."""

import os
import stat
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import click

from bastion_operator.cli.errors import Refusal
from bastion_operator.network.estate_file import EstateFile, EstateFileError, read_estate_file, read_estate_stream
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.resource_types import NETWORK_INTERFACES, VIRTUAL_MACHINES, VIRTUAL_NETWORKS

STANDARD_INPUT = "-"
_AT_ONCE: Final = 64 * 1024 * 1024
"""Bytes that are read in one go, which is quicker than looking for lines."""
_TELLING: Final = (VIRTUAL_NETWORKS, NETWORK_INTERFACES, VIRTUAL_MACHINES)
_AS_LINES = "write it as JSON lines (jq -c '.data[]'), which take less"


def read_files(names: Iterable[str]) -> Inventory:
    """One estate out of several files; says on stderr where a file is only a page of an answer.

    Raises Refusal with what names file, row and field.
    """
    files = [_read(name) for name in dict.fromkeys(names)]
    _tell_incomplete(files)
    inventory = Inventory.from_rows(row for file in files for row in file.rows)
    _refuse_bare(inventory, ", ".join("standard input" if name == STANDARD_INPUT else name for name in names))
    return inventory


def _refuse_bare(inventory: Inventory, names: str) -> None:
    """Raises Refusal where rows of the types that verdicts begin with are there, and none of them says anything."""
    bare = False
    for row in (row for kind in _TELLING for row in inventory.rows(kind).values()):
        if row.get("properties"):
            return
        bare = True
    if bare:
        raise Refusal(
            f"no row of {names} has properties, and nothing can be told without them",
            "az resource list leaves them out; use az graph query",
        )


def _read(name: str) -> EstateFile:
    shown = "standard input" if name == STANDARD_INPUT else name
    try:
        if name == STANDARD_INPUT:
            return read_estate_stream(shown, sys.stdin.buffer)
        with Path(name).open("rb") as stream:
            told = os.fstat(stream.fileno())
            if stat.S_ISREG(told.st_mode) and told.st_size <= _AT_ONCE:
                return read_estate_file(shown, stream.read())
            return read_estate_stream(shown, stream)
    except OSError as error:
        raise Refusal(f"{shown} cannot be read: {error.strerror or error}", "check the name of the file") from error
    except MemoryError as error:
        raise Refusal(f"{shown} does not fit into the memory", _AS_LINES) from error
    except EstateFileError as error:
        raise Refusal(error.what, error.remedy) from error


def _tell_incomplete(files: list[EstateFile]) -> None:
    for total in dict.fromkeys(file.total for file in files if file.total is not None):
        pages = [file for file in files if file.total == total]
        held = sum(len(file.rows) for file in pages)
        if held < total:
            names = ", ".join(file.name for file in pages)
            click.echo(
                f"warning: {names} holds {held} of {total} rows, and what is left out is taken as not there: fetch all pages"
                " (az graph query --skip-token), or ask Azure itself: --azure in place of --from",
                err=True,
            )
    lists = [file for file in files if file.lists]
    if lists and sum(file.continued for file in lists) >= sum(file.lists for file in lists):
        names = ", ".join(file.name for file in lists)
        click.echo(
            f"warning: {names} names a next page (nextLink) that is not among the files, and what is left out is taken as not"
            " there: fetch all pages",
            err=True,
        )
