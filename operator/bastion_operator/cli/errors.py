"""What a command refuses, as a person reads it: one line of what, one of what to do."""

import click


class Refusal(click.ClickException):
    """Something that the user can mend; the program ends with exit code 2 and without a traceback.

    :ivar remedy: what to do, a clause that stands by itself
    """

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what)
        self.remedy = remedy


class NotThere(Refusal):
    """What was asked for by name is not in the data."""


def warn(refusal: Refusal) -> None:
    """Tells on stderr of what does not end the command."""
    click.echo(f"warning: {refusal.message}: {refusal.remedy}", err=True)
