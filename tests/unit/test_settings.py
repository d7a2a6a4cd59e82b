"""The settings: each a flag, a variable and a value of the chart, and none of them said twice."""

import json

import click
import pytest

from bastion_operator.__main__ import main
from bastion_operator.setting import wrong_settings
from dev.generate import stale_files
from dev.settings import settings
from tests.support.deployment import ROOT

SCHEMA = json.loads((ROOT / "deploy/charts/bastion-operator/values.schema.json").read_text())


def test_nothing_that_is_generated_is_stale() -> None:
    assert stale_files() == []


def test_every_option_of_the_program_is_a_value_of_the_chart() -> None:
    options = {each.opts[0] for each in main.commands["run"].params if isinstance(each, click.Option)}
    known = {each.option.opts[0]: each.value for each in settings()}

    assert known.keys() == options - {"--help"}
    assert {value for value in known.values() if value} == SCHEMA["properties"]["settings"]["properties"].keys()
    assert [flag for flag, value in known.items() if not value] == ["--operator-namespace"]


@pytest.mark.parametrize("setting", list(settings()), ids=lambda each: each.value or "operatorNamespace")
def test_the_variable_is_the_one_that_the_program_reads(setting: object) -> None:
    (known,) = (each for each in settings() if each == setting)
    command = main.commands["run"]
    values = {
        "--leader-elect": "false",
        "--workers": "3",
        "--log-level": "debug",
        "--log-format": "json",
        "--clock-speed": "2",
    }
    text = values.get(known.option.opts[0], "something")

    with main.make_context("bastion-operator", ["run"]) as parent:
        seen = click.Context(command, parent=parent, info_name="run", auto_envvar_prefix="BASTION_OPERATOR_RUN")
        assert known.option.value_from_envvar(seen) is None
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv(known.variable, text)
            found = known.option.value_from_envvar(seen)

    assert found in (text, [text], (text,))


def test_the_schema_bounds_what_the_program_bounds() -> None:
    shapes = SCHEMA["properties"]["settings"]["properties"]

    assert (shapes["workers"]["minimum"], shapes["workers"]["maximum"]) == (1, 64)
    assert shapes["logLevel"]["enum"] == ["debug", "info", "warning", "error"]
    assert shapes["leaderElect"]["type"] == "boolean"
    assert all(each["description"] for each in shapes.values())


@pytest.mark.parametrize("variable", ["BASTION_OPERATOR_RUN_NAMESPACE", "BASTION_OPERATOR_RUN_NAMESPACES"])
@pytest.mark.parametrize("text", ["team-a team-b", "team-a,team-b", " team-a, team-b ", "team-a\nteam-b\n"])
def test_several_namespaces_stand_in_one_variable(monkeypatch: pytest.MonkeyPatch, variable: str, text: str) -> None:
    monkeypatch.setenv(variable, text)
    run = main.commands["run"]
    with run.make_context("run", [], auto_envvar_prefix="BASTION_OPERATOR_RUN") as context:
        assert context.params["namespaces"] == ("team-a", "team-b")
        assert wrong_settings(context) == ()


def test_the_documented_variable_goes_before_the_older_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BASTION_OPERATOR_RUN_NAMESPACES", "team-b")
    monkeypatch.setenv("BASTION_OPERATOR_RUN_NAMESPACE", "team-a")
    with main.commands["run"].make_context("run", [], auto_envvar_prefix="BASTION_OPERATOR_RUN") as context:
        assert context.params["namespaces"] == ("team-a",)
