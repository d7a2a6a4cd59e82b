"""The models read what the API server sends and write what it takes."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bastion_operator.api import KINDS, BastionHost, VNetPeering
from bastion_operator.api.common import CommonStatus
from bastion_operator.api.conditions import Condition, ConditionType, Reason, reason_of_code
from bastion_operator.api.duration import parse, render
from bastion_operator.api.meta import ObjectMeta
from bastion_operator.api.model import json_name
from tests.support.crd_examples import BAD, GOOD, HUB, Example, host

_MODELS = {kind.names.kind: kind for kind in KINDS}


@pytest.mark.parametrize(
    ("python", "json"),
    [
        ("virtual_network_id", "virtualNetworkID"),
        ("public_ip", "publicIP"),
        ("public_ip_id", "publicIPID"),
        ("subnet_ids", "subnetIDs"),
        ("id", "id"),
        ("dns_name", "dnsName"),
        ("ip_connect", "ipConnect"),
        ("allow_virtual_network_access", "allowVirtualNetworkAccess"),
        ("last_handled_reconcile_at", "lastHandledReconcileAt"),
    ],
)
def test_json_names_are_those_of_kubernetes(python: str, json: str) -> None:
    assert json_name(python) == json


@pytest.mark.parametrize("example", GOOD, ids=lambda example: example.name)
def test_a_right_example_survives_a_round_trip(example: Example) -> None:
    model = _MODELS[example.manifest["kind"]].model_validate(example.manifest)
    assert _MODELS[example.manifest["kind"]].model_validate(model.to_json()) == model


_BY_PATTERN = (
    "must be the ARM id",
    "must be a name that Azure takes",
    "must be the name of",
    "must be a UUID",
    "must be Auto, or an IPv4 prefix",
    "must be an IPv4 prefix",
)


@pytest.mark.parametrize(
    "example", [each for each in BAD if each.message.startswith(_BY_PATTERN)], ids=lambda example: example.name
)
def test_the_models_judge_strings_as_the_api_server_does(example: Example) -> None:
    with pytest.raises(ValidationError) as refused:
        _MODELS[example.manifest["kind"]].model_validate(example.manifest)
    assert example.message in str(refused.value)


def test_an_object_of_the_api_server_is_read_and_what_is_unknown_is_ignored() -> None:
    raw = host(interval="90s", publicIP={"name": "a"}, later="unknown")
    raw["metadata"] |= {
        "namespace": "team-a",
        "uid": "u",
        "resourceVersion": "7",
        "generation": 2,
        "creationTimestamp": "2026-01-02T03:04:05Z",
        "deletionTimestamp": "2026-01-02T03:04:06Z",
        "annotations": {"azurebastion.dev/reconcile-requested-at": "now"},
        "managedFields": [{"manager": "kubectl"}],
    }
    raw["status"] = {"observedGeneration": 1, "claims": [{"id": HUB, "purpose": "Host", "origin": "Created"}], "new": 1}
    model = BastionHost.model_validate(raw)
    assert model.spec.interval == timedelta(seconds=90)
    assert model.spec.public_ip is not None
    assert model.spec.public_ip.name == "a"
    assert model.metadata.deleting
    assert model.metadata.reconcile_requested_at == "now"
    assert model.metadata.creation_timestamp == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert model.status is not None
    assert model.status.claim(HUB.upper()) is not None
    assert model.status.condition(ConditionType.READY) is None


def test_absent_parts_have_their_defaults() -> None:
    model = VNetPeering.model_validate(
        {"metadata": {"name": "a"}, "spec": {"hub": {"virtualNetworkID": HUB}, "spokes": [{"virtualNetworkID": HUB}]}}
    )
    assert model.status is None
    assert model.spec.hub_to_spoke.use_remote_gateways is None
    assert model.spec.interval == timedelta(minutes=5)
    assert model.metadata == ObjectMeta(name="a")


def test_models_are_frozen_and_copies_are_validated() -> None:
    model = BastionHost.model_validate(host())
    with pytest.raises(ValidationError, match="frozen"):
        model.spec = model.spec  # type: ignore[misc]  # the point of the test
    assert model.spec.replace(suspend=True).suspend
    assert not model.spec.suspend
    with pytest.raises(ValidationError, match="less than or equal to 50"):
        model.spec.replace(scale_units=51)


def condition(**fields: object) -> Condition:
    """A condition, with changes."""
    whole = {"type": "Ready", "status": "True", "reason": "Succeeded", "message": "", **fields}
    return Condition.model_validate({"lastTransitionTime": "2026-01-01T00:00:00Z", **whole})


def test_times_are_written_to_the_second_in_utc() -> None:
    elsewhere = datetime(2026, 1, 1, 2, 0, 0, 999_999, tzinfo=timezone(timedelta(hours=2)))
    assert condition(lastTransitionTime=elsewhere).to_json()["lastTransitionTime"] == "2026-01-01T00:00:00Z"


def test_a_message_that_is_too_long_is_cut_and_not_refused() -> None:
    assert condition(message="x" * 5000).message == "x" * 4095 + "…"
    assert condition(message="x" * 4096).message == "x" * 4096


def test_an_annotation_of_any_length_can_be_acknowledged() -> None:
    acknowledged = CommonStatus().replace(last_handled_reconcile_at="x" * 300).last_handled_reconcile_at
    assert acknowledged == "x" * 255 + "…"


def test_a_status_has_not_been_looked_at_by_default() -> None:
    assert CommonStatus().to_json() == {"observedGeneration": -1, "conditions": [], "claims": []}


@pytest.mark.parametrize("reason", Reason)
def test_own_reasons_are_reasons_that_kubernetes_takes(reason: Reason) -> None:
    assert condition(reason=reason).reason == reason


@given(st.text())
def test_any_code_of_azure_becomes_a_reason_that_kubernetes_takes(code: str) -> None:
    assert condition(reason=reason_of_code(code)).reason


def test_a_code_of_azure_stays_itself() -> None:
    assert reason_of_code("AnotherOperationInProgress") == "AnotherOperationInProgress"
    assert reason_of_code("Some.Odd-Code ") == "Some_Odd_Code"
    assert reason_of_code("429") == "Azure_429"
    assert reason_of_code("…") == "ProvisioningFailed"


@pytest.mark.parametrize(
    ("text", "seconds"), [("5m", 300), ("1h30m", 5400), ("1.5h", 5400), ("90s", 90), ("1500ms", 1.5), ("0s", 0)]
)
def test_durations_are_read_as_go_writes_them(text: str, seconds: float) -> None:
    assert parse(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "5", "5 m", "m", "-5m", "5min", "5m ", "1d", "1m" * 20])
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="write numbers with units, such as 90s, 5m or 1h30m"):
        parse(text)


@given(st.integers(min_value=0, max_value=10**12))
def test_durations_survive_a_round_trip(milliseconds: int) -> None:
    duration = timedelta(milliseconds=milliseconds)
    assert parse(render(duration)) == duration
