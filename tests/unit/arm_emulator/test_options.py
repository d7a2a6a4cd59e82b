"""What the program `arm-emulator` takes, and what it refuses in a line."""

import pytest
from click.testing import CliRunner

from arm_emulator.__main__ import main


@pytest.mark.parametrize(
    ("option", "value"),
    [("--listen", "127.0.0.1:99999"), ("--imds", "127.0.0.1:65536"), ("--token-lifetime", "-5"), ("--graph-lag", "-1")],
)
def test_a_value_that_cannot_be_is_wrong_use(option: str, value: str) -> None:
    # Without its estate what is wrongly taken ends as well, and does not serve for ever.
    done = CliRunner().invoke(main, ["serve", "--estate", "/nowhere/estate.json", option, value])
    assert done.exit_code == 2
    assert option in done.output
    assert "/nowhere" not in done.output


def test_help_is_had_by_h_and_cuts_no_summary() -> None:
    told = CliRunner().invoke(main, ["-h"])
    assert told.exit_code == 0
    assert "..." not in told.output.partition("Commands:")[2]
