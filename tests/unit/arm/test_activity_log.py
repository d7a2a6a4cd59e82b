"""Who wrote last, out of the events of Azure's activity log."""

from typing import Any

import pytest

from bastion_operator.arm.activity_log import newest_writer

OWN = "00000000-0000-0000-0000-0000000000aa"


def event(caller: str | None, at: str, *, status: str = "Succeeded", appid: str | None = None) -> dict[str, Any]:
    claims = {} if appid is None else {"appid": appid}
    return {
        "caller": caller,
        "claims": claims,
        "eventTimestamp": at,
        "operationName": {"value": "Microsoft.Network/virtualNetworks/virtualNetworkPeerings/write"},
        "status": {"value": status},
    }


def test_the_newest_of_the_others_is_named_with_what_and_when() -> None:
    events = [
        event("old@example.com", "2026-01-01T10:00:00Z"),
        event("new@example.com", "2026-01-01T11:00:00Z"),
        event("x", "2026-01-01T12:00:00Z", appid=OWN.upper()),
        event(OWN, "2026-01-01T12:00:01Z"),
    ]
    assert str(newest_writer(events, OWN)) == (
        "new@example.com (Microsoft.Network/virtualNetworks/virtualNetworkPeerings/write at 2026-01-01T11:00:00Z)"
    )


@pytest.mark.parametrize("status", ["Started", "Failed"])
def test_what_was_only_tried_is_no_write(status: str) -> None:
    assert newest_writer([event("a@example.com", "2026-01-01T10:00:00Z", status=status)], OWN) is None


@pytest.mark.parametrize("events", [[], [{}], [event(None, "2026-01-01T10:00:00Z")]])
def test_a_log_that_names_nobody_names_nobody(events: list[dict[str, Any]]) -> None:
    assert newest_writer(events, OWN) is None
