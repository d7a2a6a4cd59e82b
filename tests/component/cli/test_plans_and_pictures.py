"""`kubectl bastion topology`, `import`, `what-if` and `connect` on files.

The most are run in this process, which has the libraries loaded: fifty programs would take half a minute.
"""

import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from syrupy.assertion import SnapshotAssertion

from bastion_operator.cli.main import main
from tests.support.command import WITHOUT_CLUSTER, printed, run_command, told_wrong

EXAMPLES = Path(__file__).parents[3] / "examples"
ESTATE = EXAMPLES / "reach" / "reasons.json"
BARE = EXAMPLES / "hub-and-spoke" / "estate.json"
MANIFESTS = [EXAMPLES / "hub-and-spoke" / f"{name}.yaml" for name in ("bastion-host", "vnet-peering")]
GROUP = "/subscriptions/0a1b2c3d-0000-4000-8000-00000000000c/resourceGroups/net/providers/Microsoft.Network"
Json = dict[str, Any]
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the program's commands in this process."""
    for name, value in WITHOUT_CLUSTER.items():
        monkeypatch.setenv(name, value)

    def called(*args: object) -> subprocess.CompletedProcess[str]:
        words = [str(each) for each in args]
        with pytest.raises(SystemExit) as ended:
            main(words)
        told = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return subprocess.CompletedProcess(words, ended.value.code, told.out, told.err)

    return called


def shown(done: subprocess.CompletedProcess[str]) -> str:
    """What a run that ended well wrote to stdout."""
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("output", ["text", "mermaid", "dot", "svg", "html", "json", "yaml"])
def test_topology(golden: SnapshotAssertion, run: Run, output: str) -> None:
    assert shown(run("topology", "--from", ESTATE, "-o", output)) == golden


@pytest.mark.parametrize("output", ["yaml", "json"])
def test_import(golden: SnapshotAssertion, run: Run, output: str) -> None:
    assert shown(run("import", "--from", ESTATE, "-n", "net", "-o", output)) == golden


@pytest.mark.parametrize("output", ["text", "json"])
def test_what_if_of_custom_resources(golden: SnapshotAssertion, run: Run, output: str) -> None:
    assert shown(run("what-if", *(f"-f{each}" for each in MANIFESTS), "--from", BARE, "-o", output)) == golden


def test_names_that_hang_on_the_installation_are_called_examples_where_something_is_made(
    run: Run, tmp_path: Path
) -> None:
    told = run("what-if", *(f"-f{each}" for each in MANIFESTS), "--from", BARE)
    assert (
        told.stderr == "names of new peerings and rules are examples: each installation of the operator has its own\n"
    )
    imported = tmp_path / "found.yaml"
    imported.write_text(run("import", "--from", ESTATE).stdout)
    assert run("what-if", "-f", imported, "--from", ESTATE).stderr == ""


def test_a_diagnostic_setting_is_told_once_and_a_plan_that_does_not_rest_is_told_so(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ("what-if", "-f", EXAMPLES / "premium", "--from", BARE)
    told = run(*command)
    assert told.stdout.count("Create diagnostic setting") == 1
    assert "stopped" not in told.stderr
    for module in ("planning.foreseeing", "cli.what_if"):
        monkeypatch.setattr(f"bastion_operator.{module}.MOST_PASSES", 2)
    for output in ("text", "json"):
        done = run(*command, "-o", output)
        assert done.returncode == 0
        assert "stopped after 2 passes with something still to do" in done.stderr


def test_a_selector_finds_the_tagged_network_of_its_example_and_is_told_of_where_it_finds_none(run: Run) -> None:
    folder = EXAMPLES / "spoke-selector"
    told = shown(run("what-if", "-f", folder, "--from", folder / "estate.json"))
    assert told.startswith("The operator would make 2 changes in Azure:")
    assert "NothingSelected" not in told
    none = shown(run("what-if", "-f", folder, "--from", BARE))
    assert "  VNetPeering connectivity/found, NothingSelected: no network has the tag network=spoke\n" in none


def test_of_two_documents_of_one_name_the_last_counts(run: Run, tmp_path: Path) -> None:
    again = tmp_path / "again.yaml"
    again.write_text(MANIFESTS[0].read_text().replace("sku: Basic", "sku: Standard"))
    assert again.read_text() != MANIFESTS[0].read_text()
    told = run("what-if", "-f", MANIFESTS[0], "-f", again, "--from", BARE, "-o", "json")
    said = "BastionHost connectivity/hub is given twice: the last one counts, as with kubectl apply"
    assert told.stderr.splitlines().count(said) == 1
    alone = run("what-if", "-f", again, "--from", BARE, "-o", "json")
    assert told.stdout == alone.stdout
    assert "given" not in alone.stderr


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    """A plan of Terraform's that shuts the VMs of ``shop`` off, and has a firewall, which is not understood."""
    rule = {
        "name": "deny-all",
        "priority": 100,
        "direction": "Inbound",
        "access": "Deny",
        "protocol": "*",
        "source_port_range": "*",
        "destination_port_range": "*",
        "source_address_prefix": "*",
        "destination_address_prefix": "*",
    }
    home = {"resource_group_name": "net", "location": "westeurope"}
    group = planned("azurerm_network_security_group", "shut", home | {"name": "shut", "security_rule": [rule]})
    attached = {
        "subnet_id": f"{GROUP}/virtualNetworks/shop/subnets/web",
        "network_security_group_id": f"{GROUP}/networkSecurityGroups/shut",
    }
    association = planned("azurerm_subnet_network_security_group_association", "shut", attached)
    firewall = planned(
        "azurerm_firewall", "f", home | {"x": f"{GROUP}/virtualNetworks/warehouse/subnets/AzureFirewallSubnet"}
    )
    storage = planned("azurerm_storage_account", "s", home)
    file = tmp_path / "plan.json"
    file.write_text(json.dumps({"format_version": "1.2", "resource_changes": [group, association, firewall, storage]}))
    return file


def planned(kind: str, name: str, after: Json) -> Json:
    change = {"actions": ["create"], "before": None, "after": after, "after_unknown": {}}
    return {"address": f"{kind}.{name}", "mode": "managed", "type": kind, "name": name, "change": change}


@pytest.mark.parametrize("output", ["text", "yaml"])
def test_what_if_of_terraform(golden: SnapshotAssertion, run: Run, plan: Path, output: str) -> None:
    assert shown(run("what-if", "--terraform", plan, "--from", ESTATE, "-o", output)) == golden


def test_a_loss_is_a_no_where_it_was_asked_for(run: Run, plan: Path, tmp_path: Path) -> None:
    assert run("what-if", "--terraform", plan, "--from", ESTATE, "--fail-on-loss").returncode == 1
    deleted = tmp_path / "whatif.json"
    link = f"{GROUP}/virtualNetworks/shop/virtualNetworkPeerings/to-hub"
    deleted.write_text(json.dumps({"changes": [{"resourceId": link, "changeType": "Delete", "before": {}}]}))
    done = run("what-if", "--arm", deleted, "--from", ESTATE, "--fail-on-loss")
    assert done.returncode == 1
    assert re.search(
        r"Lost +web-1 SSH 22: Reachable by hub-bastion \(.*\) → Unreachable\n +PeeringDisconnected", done.stdout
    )
    assert (
        run_command("what-if", *(f"-f{each}" for each in MANIFESTS), "--from", BARE, "--fail-on-loss").returncode == 0
    )


def test_what_is_in_the_way_of_every_spoke_is_told_once(run: Run, tmp_path: Path) -> None:
    spokes = ", ".join(f"{{virtualNetworkID: {GROUP}/virtualNetworks/{name}}}" for name in ("one", "two", "three"))
    peering = tmp_path / "peering.yaml"
    peering.write_text(
        "{apiVersion: azurebastion.dev/v1beta1, kind: VNetPeering, metadata: {name: p}, spec: "
        f"{{hub: {{virtualNetworkID: {GROUP}/virtualNetworks/nowhere}}, spokes: [{spokes}]}}}}"
    )
    told = [line for line in run("what-if", "-f", peering, "--from", BARE).stdout.splitlines() if "in the way" in line]
    assert told
    assert len(told) == len(set(told))


@pytest.mark.parametrize(
    ("field", "says"),
    [
        ("subnetPrefix: 10.1.0/26", "field spec.subnetPrefix: must be Auto, or an IPv4 prefix of /26 or larger"),
        ("subnetPrefix: 10.1.0.1/26", "field spec.subnetPrefix: must be Auto, or an IPv4 prefix of /26 or larger"),
        ("networkSecurity: {allowedSources: [foo]}", "field spec.networkSecurity.allowedSources.0: must be an IPv4"),
    ],
)
def test_a_prefix_that_is_none_is_wrong_use_and_names_its_field(
    run: Run, tmp_path: Path, field: str, says: str
) -> None:
    host = tmp_path / "host.yaml"
    host.write_text(
        "{apiVersion: azurebastion.dev/v1beta1, kind: BastionHost, metadata: {name: bas}, spec: "
        f"{{virtualNetworkID: {GROUP}/virtualNetworks/hub, sku: Standard, {field}}}}}"
    )
    what, _ = told_wrong(run("what-if", "-f", host, "--from", BARE, "--fail-on-loss"))
    assert what.startswith(f"BastionHost bas, {says}")


def test_what_was_imported_is_foreseen_to_change_nothing(run: Run, tmp_path: Path) -> None:
    found = tmp_path / "found.yaml"
    found.write_text(printed("import", "--from", ESTATE))
    managed = tmp_path / "managed.yaml"
    managed.write_text(found.read_text().replace("managementPolicy: Observe", "managementPolicy: Manage"))
    for file in (found, managed):
        told = json.loads(shown(run("what-if", "-f", file, "--from", ESTATE, "-o", "json")))
        assert (told["changes"], told["reachability"]) == ([], [])
        assert not any(each["onlyTold"] or each["obstacles"] for each in told["customResources"])


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["topology"], "there is no kubeconfig at /nowhere/kubeconfig"),
        (["topology", "--from", "FILE"], "is no JSON"),
        (["import", "--from", "ESTATE", "--identity", "No Name"], "is no name of an object"),
        (["what-if", "--from", "ESTATE"], "give one of -f FILE"),
        (["what-if", "--from", "ESTATE", "--arm", "x", "--terraform", "y"], "give one of -f FILE"),
        (["what-if", "--from", "ESTATE", "--arm", "absent.json"], "absent.json cannot be read"),
        (["what-if", "--from", "ESTATE", "--arm", "FILE"], "is no JSON"),
        (["what-if", "--from", "ESTATE", "--terraform", "ESTATE"], "is no plan of Terraform's"),
        (["what-if", "--from", "ESTATE", "-f", "x", "--new-in", "s"], "--new-in is for a plan of Terraform's"),
        (["what-if", "--from", "ESTATE", "-f", "absent.yaml"], "absent.yaml cannot be read"),
        (["what-if", "--from", "ESTATE", "-f", "FILE"], "is no YAML"),
        (["what-if", "--from", "ESTATE", "-f", "ESTATE"], "has no kind"),
        (["what-if", "--from", "ESTATE", "-f", "OLD"], "is of azurebastion.dev/v1alpha1"),
        (["what-if", "--from", "ESTATE", "-f", "WRONG"], "BastionHost hub, field spec.virtualNetworkID"),
        (
            ["what-if", "--from", "ESTATE", "-f", "NO_FIELD"],
            "BastionHost hub, field spec.skuu: there is no such field, sku",
        ),
        (
            ["what-if", "--from", "ESTATE", "-f", "NO_HUB"],
            "VNetPeering hub, field spec.hub: topology HubSpoke needs a hub",
        ),
        (
            ["what-if", "--from", "ESTATE", "-f", "MISSPELT"],
            "document 1: azurebastion.dev has no kind VnetPeering, VNetPeering may be meant",
        ),
        (
            ["what-if", "--from", "ESTATE", "-f", "STRANGE"],
            "azurebastion.dev has no kind Xyz, only BastionHost, VNetPeering, AzureIdentity, ReachabilityReport",
        ),
        (["what-if", "--from", "ESTATE", "-f", "NO_VERSION"], "document 1 has no apiVersion"),
        (["what-if", "--from", "ESTATE", "-f", "IDENTITY"], "neither a BastionHost nor a VNetPeering"),
        (["what-if", "--from", "ESTATE", "--arm", "NUMBERS", "--fail-on-loss"], "entry 1 of changes: it is a number"),
        (["what-if", "--from", "ESTATE", "-f", "OTHER"], "neither a BastionHost nor a VNetPeering"),
        (["what-if", "-f", "GOOD"], "there is no kubeconfig at /nowhere/kubeconfig"),
        (["connect", "db-1", "--from", "ESTATE", "--print"], "db-1 is Unreachable by SSH on port 22: NicNsgDenies"),
        (["connect", "ghost", "--from", "ESTATE", "--print"], "VM ghost is not in the data"),
        (["connect", "web-1", "--from", "ESTATE", "--bastion", "ghost"], "Bastion ghost is not in the data"),
        (["reach", "--from", "ESTATE", "--interval", "5"], "--interval is for --watch of files or Azure: give --watch"),
        (["reach", "--watch", "--interval", "5"], "the cluster is watched, and tells at once"),
        (["reach", "--from", "ESTATE", "--fixes", "all"], "--fixes is for -o json and -o yaml"),
        (["doctor", "--from", "ESTATE", "--operator-namespace", "x"], "--operator-namespace is for the cluster"),
        (["doctor"], "there is no kubeconfig at /nowhere/kubeconfig"),
    ],
)
def test_wrong_use_is_told_in_two_lines(run: Run, tmp_path: Path, arguments: list[str], told: str) -> None:
    def resource(version: str, kind: str, spec: Json) -> str:
        return yaml.safe_dump(
            {"apiVersion": f"azurebastion.dev/{version}", "kind": kind, "metadata": {"name": "hub"}, "spec": spec}
        )

    def bastion(version: str, network: str, **more: str) -> str:
        return resource(version, "BastionHost", {"virtualNetworkID": network, "sku": "Basic", **more})

    contents = {
        "FILE": "half: [a {",
        "OLD": bastion("v1alpha1", "x"),
        "WRONG": bastion("v1beta1", "x"),
        "NO_FIELD": bastion("v1beta1", f"{GROUP}/virtualNetworks/hub", skuu="Basic"),
        "NO_HUB": resource(
            "v1beta1", "VNetPeering", {"spokes": [{"virtualNetworkID": f"{GROUP}/virtualNetworks/spoke"}]}
        ),
        "MISSPELT": resource("v1beta1", "VnetPeering", {}),
        "STRANGE": resource("v1beta1", "Xyz", {}),
        "IDENTITY": resource("v1beta1", "AzureIdentity", {}),
        "NO_VERSION": yaml.safe_dump({"kind": "BastionHost", "metadata": {"name": "x"}}),
        "NUMBERS": '{"changes": [1]}',
        "OTHER": yaml.safe_dump({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}}),
        "GOOD": bastion("v1beta1", f"{GROUP}/virtualNetworks/hub"),
    }
    for name, content in contents.items():
        (tmp_path / name).write_text(content)
    places = {name: str(tmp_path / name) for name in contents} | {"ESTATE": str(ESTATE)}
    what, _ = told_wrong(run(*(places.get(each, each) for each in arguments)))
    assert told in what


def test_connect_prints_what_it_would_start_and_starts_az_with_just_that(run: Run, tmp_path: Path) -> None:
    asked = ("connect", "web-1", "--from", str(ESTATE))
    command = printed(*asked, "--print")
    assert command.startswith("az network bastion ssh --subscription ")
    assert shown(run("connect", "play-1", "--from", ESTATE, "--print")).startswith("https://portal.azure.com/#@")
    az = tmp_path / "az"
    az.write_text('#!/bin/sh\nprintf "%s\\n" "$*"\nexit 7\n')
    az.chmod(0o755)
    environment = {**WITHOUT_CLUSTER, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = run_command(*asked, environment=environment)
    assert (done.returncode, done.stdout, done.stderr) == (7, command.removeprefix("az "), command)
    done = run_command(*asked, environment={**WITHOUT_CLUSTER, "PATH": "/nowhere"})
    assert told_wrong(done)[0] == "az is not installed here"
    tried = run("connect", "db-1", "--from", ESTATE, "--anyway", "--print")
    assert tried.returncode == 0
    assert tried.stdout.startswith("https://portal.azure.com/")
    assert "NicNsgDenies" in tried.stderr


def test_what_the_doctor_says_of_an_estate(run: Run) -> None:
    checks = json.loads(shown(run("doctor", "--from", ESTATE, "-o", "json")))
    assert [(each["check"], each["result"]) for each in checks] == [("public IP addresses", "ok"), ("peerings", "ok")]
