"""What is refused without an API server is what the API server refuses (tests/component/test_crds.py) of the same examples."""

import pytest

from bastion_operator.api.bastion_host import BastionHost
from bastion_operator.api.meta import CustomResource
from bastion_operator.api.server_rules import refusals
from bastion_operator.api.vnet_peering import VNetPeering
from tests.support.crd_examples import BAD, GOOD, Example

KINDS: dict[str, type[CustomResource]] = {"BastionHost": BastionHost, "VNetPeering": VNetPeering}
# Told by the schema, of which pydantic speaks in other words than the API server.
BY_THE_SCHEMA = {
    *("no network", "an id of a length that none has", "a SKU that is none", "a field that is none", "no logs at all"),
    *("a zone that is none", "a zone twice", "a long tag", "too many tags", "access for nobody", "a principal twice"),
    *("access to be enforced", "no source at all", "an unquoted Off", "an interval without a unit"),
    *("an interval too short", "a selector without subscriptions", "a selector with a short grace"),
    *("a selector that says something else", "501 spokes", "a spoke twice"),
}


def judged(examples: list[Example]) -> list[Example]:
    return [example for example in examples if example.manifest["kind"] in KINDS]


def told(example: Example) -> list[str]:
    return list(refusals(KINDS[example.manifest["kind"]], example.manifest))


@pytest.mark.parametrize("example", judged(GOOD), ids=lambda example: example.name)
def test_what_the_api_server_takes_is_taken(example: Example) -> None:
    assert told(example) == []


@pytest.mark.parametrize("example", judged(BAD), ids=lambda example: example.name)
def test_what_the_api_server_refuses_is_refused_by_the_words_of_its_rules(example: Example) -> None:
    refused = told(example)
    assert refused
    if example.name not in BY_THE_SCHEMA:
        assert any(example.message in each for each in refused)


def test_a_field_that_is_none_is_told_wherever_it_stands() -> None:
    example = next(each for each in judged(GOOD) if each.manifest["kind"] == "VNetPeering")
    spec = {**example.manifest["spec"], "hub": {**example.manifest["spec"]["hub"], "name": "x"}}
    spokes = [{**each, "virtualNetworkId": "x"} for each in spec["spokes"]]
    manifest = {**example.manifest, "extra": 1, "spec": {**spec, "spokes": spokes[:1]}}
    assert list(refusals(VNetPeering, manifest)) == [
        "field spec.hub.name: there is no such field",
        "field spec.spokes.0.virtualNetworkId: there is no such field, virtualNetworkID may be meant",
        "field extra: there is no such field",
    ]


def test_a_field_that_is_null_is_as_good_as_not_there() -> None:
    example = next(each for each in judged(GOOD) if each.manifest["kind"] == "BastionHost")
    spec = {**example.manifest["spec"], "adoptionPolicy": None, "features": {"ipConnect": None}}
    assert list(refusals(BastionHost, {**example.manifest, "spec": spec})) == []
    assert list(refusals(BastionHost, {**example.manifest, "spec": {**spec, "virtualNetworkID": None}})) == [
        "field spec.virtualNetworkID: Field required"
    ]


@pytest.mark.parametrize("kind", KINDS.values())
def test_a_status_of_whatever_kind_is_passed_over(kind: type[CustomResource]) -> None:
    example = next(each for each in judged(GOOD) if each.manifest["kind"] == kind.names.kind)
    assert list(refusals(kind, {**example.manifest, "status": {"conditions": "none"}})) == []
