"""`kubectl bastion completion`: its options."""

import click

from bastion_operator.cli.completion import SHELLS, completion_script

_EXAMPLES = """\b
Examples:
  source <(kubectl bastion completion bash)
  kubectl bastion completion zsh > "${fpath[1]}/_kubectl-bastion"
  kubectl bastion completion fish > ~/.config/fish/completions/kubectl-bastion.fish
"""


@click.command(epilog=_EXAMPLES)
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the script by which SHELL completes kubectl-bastion.

    Of kubectl bastion the words are completed by kubectl's own completion (kubectl completion --help), which asks the program
    kubectl_complete-bastion that is installed beside this one.
    """
    click.echo(completion_script(context.find_root().command, shell))
