"""Label selectors select as the API server's do."""

from typing import Any

import pytest

from bastion_operator.api.azure_identity import AllowedNamespaces, LabelSelector
from bastion_operator.kube.selectors import matches, namespace_allowed

LABELS = {"env": "prod", "team": "a"}


def requirement(key: str, operator: str, *values: str) -> dict[str, Any]:
    """A selector of one requirement."""
    return {"matchExpressions": [{"key": key, "operator": operator, "values": values}]}


@pytest.mark.parametrize(
    ("selector", "matched"),
    [
        ({}, True),
        ({"matchLabels": {"env": "prod"}}, True),
        ({"matchLabels": {"env": "prod", "team": "b"}}, False),
        ({"matchLabels": {"none": ""}}, False),
        (requirement("env", "In", "test", "prod"), True),
        (requirement("env", "In", "test"), False),
        (requirement("none", "In", "test"), False),
        (requirement("env", "NotIn", "test"), True),
        (requirement("env", "NotIn", "prod"), False),
        (requirement("none", "NotIn", "prod"), True),
        (requirement("env", "Exists"), True),
        (requirement("none", "Exists"), False),
        (requirement("env", "DoesNotExist"), False),
        (requirement("none", "DoesNotExist"), True),
        ({"matchLabels": {"env": "prod"}, **requirement("team", "NotIn", "a")}, False),
    ],
)
def test_what_a_selector_matches(selector: dict[str, Any], matched: bool) -> None:
    assert matches(LabelSelector.model_validate(selector), LABELS) is matched


@pytest.mark.parametrize(
    ("allowed", "may"),
    [
        (None, False),
        ({}, False),
        ({"names": ["other"]}, False),
        ({"names": ["team-a"]}, True),
        ({"selector": {}}, True),
        ({"names": ["other"], "selector": {"matchLabels": {"env": "prod"}}}, True),
        ({"names": ["other"], "selector": {"matchLabels": {"env": "test"}}}, False),
    ],
)
def test_who_may_use_an_identity(allowed: dict[str, Any] | None, may: bool) -> None:
    model = None if allowed is None else AllowedNamespaces.model_validate(allowed)
    assert namespace_allowed(model, "team-a", LABELS) is may
