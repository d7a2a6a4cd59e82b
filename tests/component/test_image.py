"""The Dockerfile: its install steps are run without a container engine, and what they leave is started."""

import json
import os
import subprocess
import sys
import tomllib
from ast import literal_eval
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.markers import Marker
from packaging.utils import parse_wheel_filename

from dev.sbom import sbom
from tests.support.deployment import ROOT
from tests.support.dockerfile import Stage, StageRun, copy_context, read_stages

DOCKERFILE = ROOT / "Dockerfile"
CRD_NAMES = sorted(
    yaml.safe_load(path.read_text())["metadata"]["name"] for path in (ROOT / "crds").glob("azurebastion.dev_*.yaml")
)

# The image's user is a number; what asks for its entry gets what it would get there.
WITHOUT_PASSWD = """
import pwd
def missing(uid):
    raise KeyError(f"getpwuid(): uid not found: {uid}")
pwd.getpwuid = missing
"""


@dataclass(frozen=True)
class Installed:
    """What the builder stage made, with the final stage's environment."""

    prefix: Path
    environment: dict[str, str]

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, env=self.environment, cwd="/", capture_output=True, text=True, check=False)

    def python(self, code: str) -> subprocess.CompletedProcess[str]:
        return self.run("python", "-P", "-c", code)


@pytest.fixture(scope="module")
def stages() -> tuple[Stage, Stage]:
    builder, final = read_stages(DOCKERFILE)
    return builder, final


@pytest.fixture(scope="module")
def installed(stages: tuple[Stage, Stage], tmp_path_factory: pytest.TempPathFactory) -> Installed:
    builder, final = stages
    folder = tmp_path_factory.mktemp("image")
    copy_context(ROOT, folder / "context")
    built = StageRun(builder, folder / "context", folder / "root", Path(os.path.realpath(sys.executable)))
    built.run()
    environment = {name: built.moved(value).replace("$PATH", os.defpath) for name, value in final.environment.items()}
    return Installed(folder / "root/opt/bastion-operator", environment)


def test_the_operator_starts_by_its_entrypoint(installed: Installed, stages: tuple[Stage, Stage]) -> None:
    entrypoint = stages[1].last("ENTRYPOINT").words

    assert installed.run(*entrypoint, "--help").stdout.startswith("Usage: bastion-operator")
    by_default = installed.run(*entrypoint, *stages[1].last("CMD").words, "--help")
    assert by_default.returncode == 0, by_default.stderr
    assert "Run the operator until SIGTERM" in by_default.stdout


def test_run_finds_every_module_it_needs(installed: Installed) -> None:
    answer = installed.run("bastion-operator", "run", "--operator-namespace", "bastion-operator")

    assert answer.returncode == 2
    assert answer.stderr.startswith("bastion-operator: no cluster to talk to"), answer.stderr


def test_a_user_without_an_entry_in_passwd_has_a_name_and_a_home(installed: Installed) -> None:
    answer = installed.python(WITHOUT_PASSWD + "import getpass, pathlib; print(getpass.getuser(), pathlib.Path.home())")

    assert answer.stdout.split() == ["bastion-operator", "/nonexistent"], answer.stderr


def test_the_clients_load_for_a_user_without_an_entry_in_passwd(installed: Installed) -> None:
    answer = installed.python(WITHOUT_PASSWD + "import bastion_operator.handlers.run")

    assert answer.returncode == 0, answer.stderr


def test_it_prints_the_crds(installed: Installed) -> None:
    printed = yaml.safe_load_all(installed.run("bastion-operator", "crds").stdout)

    assert sorted(each["metadata"]["name"] for each in printed) == CRD_NAMES


def test_it_holds_the_kubectl_plugin(installed: Installed) -> None:
    assert installed.run("kubectl-bastion", "--help").returncode == 0


@pytest.mark.parametrize("module", ["arm_emulator", "pytest", "ruff", "hypothesis", "dev", "tests", "pip", "uv"])
def test_nothing_of_the_tests_and_their_tools_is_in_it(installed: Installed, module: str) -> None:
    answer = installed.python(f"import {module}")

    assert answer.returncode == 1
    assert f"No module named '{module}'" in answer.stderr


def test_the_bill_of_materials_names_all_that_is_in_the_image_and_no_tool(installed: Installed) -> None:
    code = "import importlib.metadata as m; print([[d.name, d.version] for d in m.distributions()])"
    found = {name.lower().replace("_", "-"): version for name, version in literal_eval(installed.python(code).stdout)}

    told = json.loads(sbom())

    parts = {each["name"]: each["version"] for each in (*told["components"], told["metadata"]["component"])}
    assert (told["bomFormat"], told["specVersion"]) == ("CycloneDX", "1.5")
    assert len(found) > 20
    assert {name: version for name, version in found.items() if parts.get(name) != version} == {}
    assert not {"arm-emulator", "pytest", "ruff", "hatchling", "uv", "pip"} & parts.keys()
    assert all(each["purl"].startswith("pkg:pypi/") for each in told["components"])


def test_the_package_is_in_the_image_and_not_a_link_to_the_sources(installed: Installed) -> None:
    where = installed.python("import bastion_operator; print(bastion_operator.__file__)").stdout

    assert where.startswith(f"{installed.prefix}/lib/")


def test_every_module_is_compiled_so_that_nothing_is_written_at_run_time(installed: Installed) -> None:
    (package,) = installed.prefix.glob("lib/python*/site-packages/bastion_operator")
    sources = {path.relative_to(package).with_suffix("") for path in package.rglob("*.py")}
    compiled = {
        path.relative_to(package).parent.parent / path.name.partition(".")[0] for path in package.rglob("*.pyc")
    }

    assert sources == compiled
    assert len(sources) > 50
    assert installed.environment["PYTHONDONTWRITEBYTECODE"] == "1"


def test_both_stages_have_one_python_and_it_is_named_by_tag(stages: tuple[Stage, Stage]) -> None:
    assert stages[0].image == stages[1].image
    assert stages[0].image.startswith("python:3.")
    assert stages[0].image.endswith("-slim")


def test_the_final_stage_takes_the_environment_that_was_built(stages: tuple[Stage, Stage]) -> None:
    builder, final = stages
    copied = final.last("COPY")

    assert copied.flags == {"from": builder.name}
    assert copied.words == [builder.environment["UV_PROJECT_ENVIRONMENT"]] * 2
    assert not [each for each in final.instructions if each.keyword == "RUN"]


def test_the_deployment_runs_the_image_as_it_is_meant_to_be(stages: tuple[Stage, Stage]) -> None:
    spec = yaml.safe_load((ROOT / "deploy/base/deployment.yaml").read_text())["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    final = stages[1]

    assert (
        final.last("USER").argument == f"{spec['securityContext']['runAsUser']}:{spec['securityContext']['runAsGroup']}"
    )
    assert container["args"] == final.last("CMD").words
    assert [str(port["containerPort"]) for port in container["ports"]] == final.last("EXPOSE").words


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_nothing_in_it_needs_a_compiler(stages: tuple[Stage, Stage], machine: str) -> None:
    version = stages[0].image.removeprefix("python:").removesuffix("-slim")
    locked = {each["name"]: each for each in tomllib.loads((ROOT / "uv.lock").read_text())["package"]}
    environment = {"python_version": version, "sys_platform": "linux", "platform_machine": machine}

    needed = _closure(locked, "bastion-operator", environment) - {"bastion-operator"}

    assert {"azure-identity", "kopf", "pydantic-core"} <= needed
    assert [name for name in sorted(needed) if not _has_wheel(locked[name], version, machine)] == []


def _closure(locked: dict[str, Any], name: str, environment: dict[str, str]) -> set[str]:
    """The packages that this one brings along, itself included."""
    found, open_names = set[str](), [(name, tuple[str, ...]())]
    while open_names:
        current, extras = open_names.pop()
        found.add(current)
        wanted = list(locked[current].get("dependencies", []))
        for extra in extras:
            wanted += locked[current]["optional-dependencies"][extra]
        open_names += [
            (each["name"], tuple(each.get("extra", ())))
            for each in wanted
            if each["name"] not in found and Marker(each.get("marker", "python_version > '3'")).evaluate(environment)
        ]
    return found


def _has_wheel(package: dict[str, Any], version: str, machine: str) -> bool:
    minor = int(version.split(".")[1])
    interpreters = {"py3", f"cp3{minor}", *(f"cp3{older}" for older in range(minor))}
    for wheel in package.get("wheels", []):
        for tag in parse_wheel_filename(wheel["url"].rpartition("/")[2])[3]:
            fits_abi = tag.abi in {"none", "abi3"} or tag.abi == f"cp3{minor}"
            fits_machine = tag.platform == "any" or ("manylinux" in tag.platform and tag.platform.endswith(machine))
            if tag.interpreter in interpreters and fits_abi and fits_machine:
                return True
    return False
