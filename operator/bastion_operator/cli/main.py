"""`kubectl bastion …`: the table of its commands. What a command does is imported when it runs."""

from typing import Final

import click

from bastion_operator import __version__
from bastion_operator.cli.program import PROGRAM, LazyCommand, Program
from bastion_operator.interpreter import run_and_leave

_COMMANDS: Final = "bastion_operator.cli.commands"

COMMANDS: Final = {
    "reach": LazyCommand(f"{_COMMANDS}.reach:reach", "Which VMs a Bastion reaches, how, and why not."),
    "explain": LazyCommand(f"{_COMMANDS}.explain:explain", "The whole way to a VM, hop by hop, and what mends it."),
    "diff": LazyCommand(f"{_COMMANDS}.diff:diff", "Which VMs gain or lose reachability between two estates."),
    "connect": LazyCommand(f"{_COMMANDS}.connect:connect", "Connect with a VM through its best Bastion."),
    "topology": LazyCommand(f"{_COMMANDS}.topology:topology", "Draw networks, peerings and Bastions."),
    "what-if": LazyCommand(f"{_COMMANDS}.what_if:what_if", "What custom resources, or a plan, would do."),
    "import": LazyCommand(f"{_COMMANDS}.import_:import_", "Custom resources for what stands in Azure."),
    "doctor": LazyCommand(f"{_COMMANDS}.doctor:doctor", "Check an installation, with the fix for what is wrong."),
    "completion": LazyCommand(f"{_COMMANDS}.completion:completion", "Completion for bash, zsh and fish."),
}


@click.group(
    cls=Program,
    lazy=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(__version__, prog_name=PROGRAM)
def main() -> None:
    """Which VMs Azure Bastion can reach, how, and why not."""


def run() -> None:
    """The program `kubectl-bastion`."""
    run_and_leave(main)
