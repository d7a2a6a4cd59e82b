"""What is a change of a status, and when a condition has last changed."""

from datetime import UTC, datetime
from typing import Any

import pytest

from bastion_operator.api.conditions import Condition
from bastion_operator.kube.status import merge_conditions, same_status

EARLIER = datetime(2026, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 1, 2, tzinfo=UTC)


def condition(condition_type: str, status: str, at: datetime = EARLIER, **fields: Any) -> Condition:
    """A condition."""
    whole = {"type": condition_type, "status": status, "reason": "A", "message": "", "lastTransitionTime": at}
    return Condition.model_validate({**whole, **fields})


def test_a_condition_keeps_its_time_while_its_status_stays() -> None:
    merged = merge_conditions(
        [condition("Ready", "False"), condition("Gone", "True"), condition("Turned", "True")],
        [
            condition("Ready", "False", NOW, reason="B", message="other", observedGeneration=2),
            condition("Turned", "Unknown", NOW),
            condition("New", "True", EARLIER),
        ],
        NOW,
    )
    assert merged == (
        condition("Ready", "False", EARLIER, reason="B", message="other", observedGeneration=2),
        condition("Turned", "Unknown", NOW),
        condition("New", "True", NOW),
    )


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({}, {}, True),
        ({"a": None, "b": [], "c": {}, "d": {"e": None}}, {}, True),
        ({"a": 0}, {}, False),
        ({"a": False}, {}, False),
        ({"a": ""}, {}, False),
        ({"conditions": [{"type": "A"}, {"type": "B"}]}, {"conditions": [{"type": "B"}, {"type": "A"}]}, True),
        ({"conditions": [{"type": "A", "status": "True"}]}, {"conditions": [{"type": "A", "status": "False"}]}, False),
        ({"reasonCounts": [{"code": "A", "count": 1}]}, {"reasonCounts": [{"code": "A", "count": 2}]}, False),
        ({"unreachable": [{"vm": "a"}, {"vm": "b"}]}, {"unreachable": [{"vm": "b"}, {"vm": "a"}]}, False),
        ({"reports": ("a",)}, {"reports": ["a"]}, True),
    ],
)
def test_statuses_that_mean_the_same(one: dict[str, Any], other: dict[str, Any], same: bool) -> None:
    assert same_status(one, other) is same
    assert same_status(other, one) is same
