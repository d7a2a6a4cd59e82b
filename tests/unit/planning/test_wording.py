"""Values in sentences: as Azure's JSON has them, never as Python's own."""

from typing import Any

import pytest

from bastion_operator.planning.model import Difference
from bastion_operator.planning.wording import shown


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "unset"),
        (True, "true"),
        (4, "4"),
        ("Standard", "Standard"),
        (["22", "3389"], '["22", "3389"]'),
        ({"id": "größer"}, '{"id": "größer"}'),
    ],
)
def test_a_value_is_shown_as_json_writes_it(value: Any, text: str) -> None:
    assert shown(value) == text


def test_a_difference_shows_both_values_so() -> None:
    assert str(Difference("properties.enableTunneling", None, True)) == "properties.enableTunneling: unset → true"
    assert str(Difference("zones", ["1"], [])) == 'zones: ["1"] → []'
