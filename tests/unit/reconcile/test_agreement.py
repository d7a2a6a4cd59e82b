"""When a row of the graph says the same as a GET."""

from typing import Any

import pytest

from bastion_operator.reconcile.agreement import agree

BODY: dict[str, Any] = {
    "id": "/subscriptions/a/x",
    "etag": "W/1",
    "location": "westeurope",
    "properties": {"provisioningState": "Succeeded", "subnets": [{"name": "one", "etag": "W/1"}]},
}


@pytest.mark.parametrize(
    ("row", "same"),
    [
        ({**BODY, "etag": None, "id": "/SUBSCRIPTIONS/A/X", "kind": "", "tenantId": "t"}, True),
        ({**BODY, "properties": {**BODY["properties"], "newerField": 1}}, True),
        ({**BODY, "properties": {**BODY["properties"], "provisioningState": "Updating"}}, False),
        ({**BODY, "properties": {**BODY["properties"], "subnets": []}}, False),
        ({**BODY, "properties": {**BODY["properties"], "subnets": [{"name": "ONE", "etag": "W/2"}]}}, True),
        ({**BODY, "location": "northeurope"}, False),
        ({**BODY, "tags": {}}, True),
    ],
)
def test_fields_that_both_have_decide(row: dict[str, Any], same: bool) -> None:
    assert agree(row, BODY) is same
    assert agree(BODY, row) is same


@pytest.mark.parametrize("empty", [None, "", [], {}])
def test_ways_to_say_nothing_are_one(empty: object) -> None:
    assert agree({"tags": empty}, {"tags": None})
    assert not agree({"tags": empty}, {"tags": {"a": "b"}})
