"""Completion: scripts for shells, and the answers that kubectl asks plugins for.

kubectl runs ``kubectl_complete-<plugin>`` with the words after the plugin's name and reads candidates, a line each with a
description behind a tab, then a directive, as cobra's completions have them. Source: Kubernetes' page "Extend kubectl with
plugins", and cobra's "Shell completions".
"""

import sys
from collections.abc import Sequence
from typing import Final

import click
from click.shell_completion import CompletionItem, ShellComplete, get_completion_class

from bastion_operator.cli.program import COMPLETE_VARIABLE

SHELLS: Final = ("bash", "zsh", "fish")
_PROGRAM: Final = "kubectl-bastion"
_FILES: Final = 0
_NO_FILES: Final = 4
"""Cobra's ShellCompDirectiveNoFileComp; 0 leaves it to the shell, which completes names of files."""


def completion_script(program: click.Command, shell: str) -> str:
    """What a shell reads to complete ``kubectl-bastion``."""
    found = get_completion_class(shell)
    assert found is not None
    return found(program, {}, _PROGRAM, COMPLETE_VARIABLE).source()


def kubectl_answer(program: click.Command, words: Sequence[str]) -> str:
    """The answer to kubectl for the words after ``kubectl bastion``, the last of which is being written."""
    *before, incomplete = words or ("",)
    items = ShellComplete(program, {}, _PROGRAM, COMPLETE_VARIABLE).get_completions(before, incomplete)
    named = [item for item in items if item.type == "plain"]
    directive = _NO_FILES if len(named) == len(items) else _FILES
    return "\n".join([*map(_line, named), f":{directive}"]) + "\n"


def _line(item: CompletionItem) -> str:
    return f"{item.value}\t{item.help}" if item.help else str(item.value)


def complete_for_kubectl() -> None:
    """The program ``kubectl_complete-bastion``."""
    from bastion_operator.cli.main import main  # noqa: PLC0415  main's own module offers the scripts

    sys.stdout.write(kubectl_answer(main, sys.argv[1:]))
