"""The program around the commands: how they end."""

import click
import pytest

from bastion_operator.cli.program import LazyCommand, Program


@click.command
@click.option("--deep")
def fall(deep: str | None) -> None:
    """A command with a defect."""
    del deep
    raise KeyError("of a list\nthat is none")


PROGRAM = Program("bastion", lazy={"fall": LazyCommand(f"{__name__}:fall", "Falls.")})


def test_a_defect_is_told_in_two_lines_and_never_looks_like_the_no_of_a_check(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        PROGRAM.main(["fall"])
    assert ended.value.code == 70
    told = capsys.readouterr()
    assert told.out == ""
    what, remedy = told.err.splitlines()
    assert what.startswith("error: kubectl bastion has a defect: KeyError at ")
    assert what.endswith(r": 'of a list\nthat is none'")
    assert remedy == "hint: report this line and the command"


def test_an_option_without_its_value_leads_to_the_help_of_its_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        PROGRAM.main(["fall", "--deep"])
    assert ended.value.code == 2
    assert capsys.readouterr().err.splitlines()[1] == "hint: see kubectl bastion fall --help"
