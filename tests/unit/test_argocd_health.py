"""Argo CD's health check, run by Lua 5.1 as Argo CD runs it, on the cases of upstream's own layout."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from lupa.lua51 import LuaRuntime

from dev.chart_files import argocd_settings
from tests.support.deployment import ROOT

FOLDER = ROOT / "deploy/argocd/resource_customizations/azurebastion.dev/_"
CHECK = (FOLDER / "health.lua").read_text()
CASES: list[dict[str, Any]] = yaml.safe_load((FOLDER / "health_test.yaml").read_text())["tests"]
# What Argo CD's sandbox leaves of the standard library.
SANDBOXED = ("io", "os", "package", "debug", "require", "dofile", "loadfile", "python")


def health(manifest: Mapping[str, Any]) -> dict[str, str]:
    """What the check says of an object."""
    lua = LuaRuntime(unpack_returned_tuples=True)
    for name in SANDBOXED:
        lua.globals()[name] = None
    lua.globals()["obj"] = _table(lua, manifest)
    told: Any = lua.execute(CHECK)
    return {str(name): str(value) for name, value in told.items()}


def _table(lua: LuaRuntime, value: Any) -> Any:
    match value:
        case dict():
            return lua.table_from({name: _table(lua, each) for name, each in value.items()})
        case list():
            return lua.table_from([_table(lua, each) for each in value])
        case _:
            return value


@pytest.mark.parametrize("case", CASES, ids=lambda case: Path(case["inputPath"]).stem)
def test_a_phase_has_its_health(case: dict[str, Any]) -> None:
    manifest = yaml.safe_load((FOLDER / case["inputPath"]).read_text())

    assert health(manifest) == case["healthStatus"]


def test_every_kind_and_every_health_is_among_the_cases() -> None:
    manifests = [yaml.safe_load((FOLDER / case["inputPath"]).read_text()) for case in CASES]

    assert {each["kind"] for each in manifests} == {"BastionHost", "VNetPeering", "AzureIdentity", "ReachabilityReport"}
    assert {case["healthStatus"]["status"] for case in CASES} == {"Healthy", "Progressing", "Degraded", "Suspended"}
    assert {case["inputPath"] for case in CASES} == {f"testdata/{path.name}" for path in FOLDER.glob("testdata/*")}


def test_the_snippet_for_argocd_cm_holds_the_check() -> None:
    settings = yaml.safe_load((ROOT / "deploy/argocd/argocd-cm.yaml").read_text())

    assert settings == yaml.safe_load(argocd_settings(ROOT))
    customizations = yaml.safe_load(settings["data"]["resource.customizations"])
    assert customizations["azurebastion.dev/*"]["health.lua"].strip() == CHECK.strip()
