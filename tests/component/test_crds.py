"""The API server judges the CRDs: what a user may write, and what it says to what is wrong."""

from collections.abc import Iterator
from typing import Any

import pytest

from bastion_operator.api import KINDS
from bastion_operator.api.crds import custom_resource_definition
from bastion_operator.api.model import VALIDATIONS
from bastion_operator.kube.client import APPLY_PATCH, KubeClient
from bastion_operator.kube.errors import InvalidError
from bastion_operator.kube.resources import path_of
from dev.control_plane import ControlPlane
from tests.support.crd_changes import BAD_CHANGES, GOOD_CHANGES, Change
from tests.support.crd_examples import BAD, GOOD, Example
from tests.support.kube import RecordingClient

pytestmark = pytest.mark.usefixtures("crds_served")

_KINDS = {kind.names.kind: kind for kind in KINDS}


async def apply(
    client: KubeClient, manifest: dict[str, Any], *, namespace: str = "default", dry: bool = True
) -> dict[str, Any]:
    """Apply a manifest as ``kubectl apply --server-side --validate=strict`` does."""
    kind = _KINDS[manifest["kind"]]
    query = {"fieldManager": "user", "fieldValidation": "Strict", "force": "true", **({"dryRun": "All"} if dry else {})}
    path = path_of(kind, None if kind.names.scope == "Cluster" else namespace, manifest["metadata"]["name"])
    return await client.request("PATCH", path, query=query, body=manifest, content_type=APPLY_PATCH)


async def create_dry(client: KubeClient, manifest: dict[str, Any]) -> dict[str, Any]:
    """Create without keeping, as ``kubectl create --dry-run=server --validate=strict`` does."""
    kind = _KINDS[manifest["kind"]]
    path = path_of(kind, None if kind.names.scope == "Cluster" else "default")
    return await client.request("POST", path, query={"fieldValidation": "Strict", "dryRun": "All"}, body=manifest)


@pytest.mark.parametrize("example", GOOD, ids=lambda example: example.name)
async def test_a_right_example_is_taken_and_read_back(kube: RecordingClient, example: Example) -> None:
    taken = await create_dry(kube, example.manifest)
    model = _KINDS[example.manifest["kind"]].model_validate(taken)
    assert without_defaults(model.to_json(), example.manifest) == example.manifest


@pytest.mark.parametrize("example", BAD, ids=lambda example: example.name)
async def test_a_wrong_example_is_refused_with_what_to_write(kube: RecordingClient, example: Example) -> None:
    with pytest.raises(InvalidError) as refused:
        await create_dry(kube, example.manifest)
    assert example.message in str(refused.value)


@pytest.mark.parametrize("change", GOOD_CHANGES, ids=lambda change: change.name)
async def test_a_right_change_is_taken(kube: RecordingClient, namespace: str, change: Change) -> None:
    await apply(kube, change.before, namespace=namespace, dry=False)
    await apply(kube, change.after, namespace=namespace)


@pytest.mark.parametrize("change", BAD_CHANGES, ids=lambda change: change.name)
async def test_a_change_of_what_is_fixed_is_refused_with_the_way_out(
    kube: RecordingClient, namespace: str, change: Change
) -> None:
    await apply(kube, change.before, namespace=namespace, dry=False)
    with pytest.raises(InvalidError) as refused:
        await apply(kube, change.after, namespace=namespace)
    assert change.message in str(refused.value)


def test_every_rule_has_an_example_that_breaks_it() -> None:
    broken = {example.message for example in BAD} | {change.message for change in BAD_CHANGES}
    messages = {rule["message"] for kind in KINDS for rule in rules_of(custom_resource_definition(kind))}
    assert [message for message in sorted(messages) if not any(part in message for part in broken)] == []


def test_the_definitions_are_taken_without_a_word(control_plane: ControlPlane, crds_installed: list[str]) -> None:
    for name in crds_installed:
        conditions = control_plane.kubectl(
            "get", "crd", name, "-o", "jsonpath={range .status.conditions[*]}{.type}={.status} {end}"
        )
        assert sorted(conditions.split()) == ["Established=True", "NamesAccepted=True"]


async def test_kubectl_shows_the_columns(control_plane: ControlPlane, kube: RecordingClient, namespace: str) -> None:
    manifest = GOOD[0].manifest
    await apply(kube, manifest, namespace=namespace, dry=False)
    shown = control_plane.kubectl("get", "bh", "--namespace", namespace, "-o", "wide")
    assert shown.splitlines()[0].split() == [
        "NAME",
        "READY",
        "REASON",
        "SKU",
        "REACHABLE",
        "STATE",
        "DNS",
        "MESSAGE",
        "AGE",
    ]
    assert manifest["metadata"]["name"] in control_plane.kubectl("get", "azurebastion", "--namespace", namespace)


async def test_an_object_is_born_as_not_looked_at(kube: RecordingClient, namespace: str) -> None:
    born = await apply(kube, GOOD[0].manifest, namespace=namespace, dry=False)
    assert born["status"] == {"observedGeneration": -1}


def rules_of(value: object) -> Iterator[dict[str, str]]:
    """Every CEL rule in a definition."""
    if isinstance(value, dict):
        yield from value.get(VALIDATIONS, ())
        for each in value.values():
            yield from rules_of(each)
    elif isinstance(value, list):
        for each in value:
            yield from rules_of(each)


def without_defaults(value: Any, like: Any) -> Any:
    """Only what ``like`` has as well, in its order: the server and the models add defaults and metadata."""
    if isinstance(like, dict) and isinstance(value, dict):
        return {key: without_defaults(value.get(key), each) for key, each in like.items()}
    if isinstance(like, list) and isinstance(value, list) and len(like) == len(value):
        return [without_defaults(one, other) for one, other in zip(value, like, strict=True)]
    return value
