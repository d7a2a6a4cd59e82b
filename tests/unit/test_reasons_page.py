"""docs/reasons.md: every reason and every obstacle has its row, and none is there that is no more."""

import re

import pytest

from bastion_operator.api.conditions import Reason
from bastion_operator.planning.obstacles import ObstacleCode
from tests.support.deployment import ROOT

PAGE = (ROOT / "docs" / "reasons.md").read_text()


@pytest.mark.parametrize(("heading", "codes"), [("Reasons of conditions", Reason), ("Obstacles", ObstacleCode)])
def test_every_one_has_its_row(heading: str, codes: type[Reason] | type[ObstacleCode]) -> None:
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \| .+ \|$", section, re.MULTILINE) == [code.value for code in codes]
