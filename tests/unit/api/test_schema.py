"""The generated CRDs: structural, bounded, described; and up to date in the repository."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest
import yaml
from pydantic import Field

from bastion_operator.api import KINDS
from bastion_operator.api.crds import custom_resource_definition, render_crds
from bastion_operator.api.meta import CustomResource, Names
from bastion_operator.api.model import Model
from bastion_operator.api.reference import render_reference
from bastion_operator.api.schema import UnsupportedSchemaError, structural_schema
from dev.generate import generated_files, main, stale_files, write_files

# What a structural schema of apiextensions.k8s.io/v1 may hold, of what this project uses.
ALLOWED = {
    *("type", "format", "description", "default", "enum", "pattern", "required", "properties", "items"),
    *("additionalProperties", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems"),
    *("minProperties", "maxProperties", "x-kubernetes-validations", "x-kubernetes-list-type"),
    "x-kubernetes-list-map-keys",
}


def nodes(schema: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema inside a schema, with its path."""
    yield path, schema
    for name, field in schema.get("properties", {}).items():
        if path.count(".") or name not in {"apiVersion", "kind", "metadata"}:
            yield from nodes(field, f"{path}.{name}")
    if "items" in schema:
        yield from nodes(schema["items"], f"{path}[]")
    if "additionalProperties" in schema:
        yield from nodes(schema["additionalProperties"], f"{path}{{}}")


ALL_NODES = [pair for kind in KINDS for pair in nodes(structural_schema(kind), kind.__name__)]


def test_there_is_something_to_look_at() -> None:
    assert len(ALL_NODES) > 150


@pytest.mark.parametrize(("path", "schema"), ALL_NODES, ids=[path for path, _ in ALL_NODES])
def test_every_part_is_structural_and_bounded(path: str, schema: dict[str, Any]) -> None:
    assert set(schema) <= ALLOWED
    match schema["type"]:
        case "string":
            assert {"maxLength", "enum"} & set(schema) or schema.get("format") == "date-time"
        case "integer":
            assert {"minimum", "maximum"} <= set(schema)
        case "array":
            assert {"maxItems", "items", "x-kubernetes-list-type"} <= set(schema)
        case "object":
            assert "properties" in schema or {"additionalProperties", "maxProperties"} <= set(schema)
        case other:
            assert other == "boolean"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_field_is_described_in_a_sentence(kind: type[CustomResource]) -> None:
    schema = structural_schema(kind)
    for path, part in nodes(schema, kind.__name__):
        for name, field in part.get("properties", {}).items():
            if name != "metadata":
                assert field["description"].endswith("."), f"{path}.{name}"


@pytest.mark.parametrize(("path", "schema"), ALL_NODES, ids=[path for path, _ in ALL_NODES])
def test_rules_name_fields_that_exist(path: str, schema: dict[str, Any]) -> None:
    for rule in schema.get("x-kubernetes-validations", ()):
        assert rule["message"]
        if "fieldPath" in rule:
            assert rule["fieldPath"].removeprefix(".") in schema["properties"]


def test_what_the_operator_writes_has_no_defaults_but_not_looked_at() -> None:
    for kind in KINDS:
        schema = structural_schema(kind)
        for name, field in schema["properties"].items():
            if name in {"spec", "apiVersion", "kind", "metadata"}:
                continue
            defaults = [(path, part["default"]) for path, part in nodes(field, "x.y") if "default" in part]
            assert defaults == ([("x.y", {"observedGeneration": -1})] if name == "status" else [])


def test_names_scope_and_columns() -> None:
    shown = {
        definition["metadata"]["name"]: (
            definition["spec"]["names"]["shortNames"],
            definition["spec"]["scope"],
            "subresources" in definition["spec"]["versions"][0],
        )
        for definition in map(custom_resource_definition, KINDS)
    }
    assert shown == {
        "bastionhosts.azurebastion.dev": (["bh"], "Namespaced", True),
        "vnetpeerings.azurebastion.dev": (["vnp"], "Namespaced", True),
        "azureidentities.azurebastion.dev": (["azid"], "Cluster", True),
        "reachabilityreports.azurebastion.dev": (["rr"], "Namespaced", False),
    }


def test_the_defaults_of_a_spec_are_as_a_user_would_write_them() -> None:
    spec = structural_schema(KINDS[0])["properties"]["spec"]["properties"]
    assert {name: field["default"] for name, field in spec.items() if "default" in field} == {
        "identityRef": {"name": "default"},
        "managementPolicy": "Manage",
        "adoptionPolicy": "Never",
        "suspend": False,
        "interval": "5m",
        "networkSecurity": {"subnet": "Audit", "targets": "Audit", "overrideDenies": False},
        "targets": {"scope": "Default", "requiredForReady": "None"},
        "replacePolicy": "Never",
    }


def test_the_repository_has_what_the_models_say() -> None:
    assert stale_files() == []


def test_stale_missing_and_left_over_files_are_named_and_mended(tmp_path: Path) -> None:
    write_files(tmp_path)
    assert stale_files(tmp_path) == []
    (tmp_path / "docs/reference.md").write_text("old", encoding="utf-8")
    (tmp_path / "crds/azurebastion.dev_vnetpeerings.yaml").unlink()
    (tmp_path / "crds/azurebastion.dev_gone.yaml").write_text("kind: Gone", encoding="utf-8")
    wrong = ["crds/azurebastion.dev_gone.yaml", "crds/azurebastion.dev_vnetpeerings.yaml", "docs/reference.md"]
    assert stale_files(tmp_path) == wrong
    assert write_files(tmp_path) == wrong
    assert stale_files(tmp_path) == []


def test_check_exits_with_zero_on_an_up_to_date_repository() -> None:
    assert main(["--check"]) == 0


def test_all_definitions_are_one_stream_of_documents() -> None:
    documents = list(yaml.safe_load_all(render_crds()))
    assert documents == [custom_resource_definition(kind) for kind in KINDS]
    written = [yaml.safe_load(content) for path, content in generated_files().items() if path.startswith("crds/")]
    assert written == documents


def test_the_reference_has_every_field() -> None:
    page = render_reference()
    for path, schema in ALL_NODES:
        for name in schema.get("properties", {}):
            if name not in {"apiVersion", "kind", "metadata"}:
                assert f"| `{name}` |" in page, path


class _OddPart(Model):
    value: int | str = Field(description="Either.")


class _Odd(CustomResource):
    """A kind with a field of two types."""

    names: ClassVar[Names] = Names(kind="Odd", plural="odds", short="odd", status=False)
    kind: Literal["Odd"] = "Odd"
    spec: _OddPart = Field(description="Odd.")


def test_a_field_of_two_types_is_refused_by_name() -> None:
    with pytest.raises(UnsupportedSchemaError, match=r"_Odd\.spec\.value: a field has one type, this one has 2"):
        structural_schema(_Odd)
