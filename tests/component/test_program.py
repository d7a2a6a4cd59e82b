"""`bastion-operator` as an installed program: what it prints, and what it says of wrong settings."""

import os
import subprocess
from pathlib import Path

import pytest
import yaml

from dev.programs import program, start_program

ROOT = Path(__file__).parents[2]
LEFT_OUT = ("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "AZURE_RESOURCE_MANAGER_ENDPOINT", "AZURE_AUTHORITY_HOST")


def run(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [program("bastion-operator"), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=clean() | environment,
    )


def clean() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in LEFT_OUT}


def test_the_crds_it_prints_are_those_that_are_shipped() -> None:
    answer = run("crds")
    assert answer.returncode == 0
    printed = {each["metadata"]["name"]: each for each in yaml.safe_load_all(answer.stdout)}
    shipped = {
        each["metadata"]["name"]: each
        for each in map(yaml.safe_load, map(Path.read_text, (ROOT / "crds").glob("*.yaml")))
    }
    assert printed == shipped


@pytest.mark.parametrize(
    ("arguments", "environment", "says"),
    [
        (["--operator-namespace=x"], {"KUBECONFIG": ""}, "set KUBECONFIG"),
        (["--operator-namespace=x"], {"KUBECONFIG": "/nowhere/config"}, "/nowhere/config: no such file"),
        ([], {}, "set --operator-namespace"),
        (["--operator-namespace=x", "--metrics-bind-address=here"], {}, "write HOST:PORT"),
        (
            ["--operator-namespace=x"],
            {"AZURE_RESOURCE_MANAGER_ENDPOINT": "http://127.0.0.1:1"},
            "AZURE_RESOURCE_MANAGER_ENDPOINT is 'http://127.0.0.1:1': give an https URL",
        ),
        (["--operator-namespace=x", "--workers=0"], {}, "--workers: 0 is not in the range"),
        (["--operator-namespace=x", "--log-level=loud"], {}, "--log-level: 'loud' is not one of"),
        (["--operator-namespace=My Own"], {}, "--operator-namespace: 'My Own' is no name of a namespace"),
        (["--operator-namespace=x", "--namespace=a,b"], {}, "--namespace: 'a,b' is no name of a namespace"),
        (
            ["--operator-namespace=x"],
            {"BASTION_OPERATOR_RUN_NAMESPACE": "team-a, Team_B"},
            "--namespace: 'Team_B' is no name of a namespace",
        ),
        (["--operator-namespace=x"], {"BASTION_OPERATOR_RUN_NAMESPACES": ","}, "--namespace: ',' is no name"),
        (["--operator-namespace=x", "--leader-elect-lease-duration=15"], {}, "write numbers with units"),
        (["--operator-namespace=x", "--leader-elect-lease-duration=1500ms"], {}, "a Lease counts in whole seconds"),
        (
            ["--operator-namespace=x", "--leader-elect-renew-deadline=20s"],
            {},
            "shorter than the lease duration of 15 s",
        ),
        (
            ["--operator-namespace=x"],
            {"BASTION_OPERATOR_RUN_LEADER_ELECT_RETRY_PERIOD": "9s"},
            "shorter than the renew deadline of 10 s",
        ),
        (
            ["--operator-namespace=x", "--leader-elect-resource-name=My Lease"],
            {},
            "--leader-elect-resource-name is 'My",
        ),
    ],
)
def test_a_wrong_setting_is_one_line_and_exit_2(
    tmp_path: Path, arguments: list[str], environment: dict[str, str], says: str
) -> None:
    (line,) = refused(tmp_path, arguments, {"KUBECONFIG": __file__} | environment)
    assert says in line


def test_wrong_settings_are_one_line_each(tmp_path: Path) -> None:
    arguments = ["--workers=0", "--metrics-bind-address=here", "--leader-elect-renew-deadline=soon"]
    environment = {
        "BASTION_OPERATOR_RUN_LOG_FORMAT": "xml",
        "BASTION_OPERATOR_RUN_LEADER_ELECT_RESOURCE_NAME": "My Lease",
        "AZURE_AUTHORITY_HOST": "http://login.example",
        "AZURE_RESOURCE_MANAGER_ENDPOINT": "http://management.example",
    }
    named = [
        line.removeprefix("bastion-operator: ").split()[0].rstrip(":")
        for line in refused(tmp_path, arguments, environment)
    ]
    assert named == [
        "--workers",
        "--log-format",
        "the",
        "--leader-elect-resource-name",
        "--leader-elect-renew-deadline",
        "--metrics-bind-address",
        "AZURE_AUTHORITY_HOST",
        "AZURE_RESOURCE_MANAGER_ENDPOINT",
        "no",
    ]


def test_a_variable_is_named_where_the_value_came_from_it_and_one_that_is_no_setting_is_refused(tmp_path: Path) -> None:
    environment = {
        "KUBECONFIG": __file__,
        "BASTION_OPERATOR_RUN_OPERATOR_NAMESPACE": "x",
        "BASTION_OPERATOR_RUN_WORKERS": "foo",
        "BASTION_OPERATOR_RUN_METRICS_BIND_ADDRESS": "here",
        "BASTION_OPERATOR_RUN_NAMESPACES": "A",
        "BASTION_OPERATOR_RUN_WORKER": "3",
        "BASTION_OPERATOR_RUN_XYZ": "3",
        # Kubernetes tells of Services so.
        "BASTION_OPERATOR_RUN_SERVICE_HOST": "10.0.0.1",
        "BASTION_OPERATOR_RUN_PORT_443_TCP": "tcp://10.0.0.1:443",
    }
    told = [line.removeprefix("bastion-operator: ") for line in refused(tmp_path, [], environment)]
    assert {line.partition(":")[0]: line.rpartition(" (from ")[2] for line in told if " (from " in line} == {
        "--workers": "BASTION_OPERATOR_RUN_WORKERS)",
        "--namespace": "BASTION_OPERATOR_RUN_NAMESPACES)",
        "--metrics-bind-address is 'here'": "BASTION_OPERATOR_RUN_METRICS_BIND_ADDRESS)",
    }
    assert "BASTION_OPERATOR_RUN_WORKER is no setting: BASTION_OPERATOR_RUN_WORKERS may be meant" in told
    assert "BASTION_OPERATOR_RUN_XYZ is no setting: docs/settings.md lists them" in told
    assert not any("_SERVICE_HOST" in line or "_PORT_443" in line for line in told)


@pytest.mark.parametrize(("argument", "says"), [("--wrokers=3", "--wrokers"), ("extra", "extra")])
def test_wrong_use_is_one_line(tmp_path: Path, argument: str, says: str) -> None:
    (line,) = refused(tmp_path, [argument], {})
    assert says in line


def refused(folder: Path, arguments: list[str], environment: dict[str, str]) -> list[str]:
    """What `run` writes where it ends with 2: lines of one kind and nothing else."""
    child = start_program(
        "bastion-operator", ["run", *arguments], log=folder / "log", environment=clean() | environment
    )
    assert child.wait(60) == 2
    lines = child.log.read_text().splitlines()
    assert all(line.startswith("bastion-operator: ") for line in lines)
    return lines


def test_a_kubeconfig_that_is_none_is_one_line_and_exit_2() -> None:
    answer = run("run", "--operator-namespace=x", KUBECONFIG=__file__)
    assert answer.returncode == 2
    assert __file__ in answer.stderr
    assert "Traceback" not in answer.stderr


def test_every_option_has_an_environment_variable(tmp_path: Path) -> None:
    environment = clean() | {
        "BASTION_OPERATOR_RUN_METRICS_BIND_ADDRESS": "here",
        "BASTION_OPERATOR_RUN_OPERATOR_NAMESPACE": "x",
        "KUBECONFIG": __file__,
    }
    child = start_program("bastion-operator", ["run"], log=tmp_path / "log", environment=environment)
    assert child.wait(60) == 2
    assert "--metrics-bind-address is 'here'" in child.tail()
