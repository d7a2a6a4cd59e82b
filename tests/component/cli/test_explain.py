"""`kubectl bastion explain` as the installed program: names, bad input, and that what it proposes is tried."""

import json
from pathlib import Path

import pytest

from tests.support.command import Here, printed, run_command, told_wrong
from tests.support.estates import change, hub_and_spoke, nsg_id, ref, rule, vm_id, with_nsg

EXAMPLE = Path(__file__).parents[3] / "examples" / "reach" / "reasons.json"


@pytest.fixture
def blocked(tmp_path: Path) -> Path:
    file = tmp_path / "estate.json"
    file.write_text(json.dumps(with_nsg(hub_and_spoke(enableTunneling=True), "nic", rule("no", 200, "Deny"))))
    return file


def test_the_json_is_the_verdict_with_the_way_and_the_ways_out(blocked: Path) -> None:
    told = json.loads(printed("explain", "web", "--from", blocked, "-o", "json"))
    [verdict] = json.loads(printed("reach", "--from", blocked, "-o", "json"))
    assert {key: told[key] for key in verdict if key not in {"reasons", "warnings", "candidates"}} == {
        key: value for key, value in verdict.items() if key not in {"reasons", "warnings", "candidates"}
    }
    assert told["reasons"] == verdict["reasons"]
    [stop] = [hop for hop in told["hops"] if hop["outcome"] == "stops"]
    assert stop["resource"] == nsg_id("guard")
    assert [row["name"] for row in stop["rules"] if row["mark"] == "decides"] == ["no"]
    assert [hop["direction"] for hop in told["hops"]][-1] == "back"
    [fix] = [one for one in told["fixes"] if one["code"] == "NicNsgDenies"]
    assert [each["field"] for each in fix["customResources"]] == [
        "spec.networkSecurity.targets",
        "spec.networkSecurity.overrideDenies",
    ]
    assert fix["commands"][0].startswith("az network nsg rule create ")


def test_a_fix_that_mends_two_reasons_has_its_commands_once(tmp_path: Path) -> None:
    rows = with_nsg(hub_and_spoke(enableTunneling=True), "nic", rule("no", 200, "Deny"))
    file = tmp_path / "estate.json"
    file.write_text(
        json.dumps(change(rows, "spoke", "properties.subnets.0.properties.networkSecurityGroup", ref(nsg_id("guard"))))
    )
    told = printed("explain", "web", "--from", file)
    assert " 2 NicNsgDenies: mended by 1 as well" in told
    assert told.count("$ az network nsg rule create") == 1


def test_a_vm_is_named_by_id_or_name_in_any_case(blocked: Path) -> None:
    by_name = printed("explain", "WEB", "--from", blocked)
    assert printed("explain", vm_id("web").upper(), "--from", blocked) == by_name
    other = printed("explain", "web", "--from", blocked, "--bastion", "bas", "--protocol", "rdp", "--port", 3390)
    assert other.splitlines()[0].split()[:4] == ["web", "RDP", "3390", "Unreachable"]


def test_a_name_that_fits_two_vms_lists_both(tmp_path: Path) -> None:
    estate = hub_and_spoke()
    [web] = [row for row in estate if row["name"] == "web"]
    twin = {**web, "id": web["id"].replace("/resourceGroups/net/", "/resourceGroups/other/")}
    file = tmp_path / "estate.json"
    file.write_text(json.dumps([*estate, twin]))
    for command in (["explain", "web"], ["reach", "--vm", "web"]):
        what, remedy = told_wrong(run_command(*command, "--from", file))
        assert "fits 2 VMs" in what
        assert web["id"] in what
        assert twin["id"] in what
        assert "id" in remedy


@pytest.mark.parametrize(
    ("args", "told", "remedy"),
    [
        ([], "Missing argument 'VM'", "kubectl bastion explain --help"),
        (["ghost", "--from", EXAMPLE], "VM ghost is not in the data", "there are"),
        (["dbb-1", "--from", EXAMPLE], "VM dbb-1 is not in the data", "db-1"),
        (["db-1", "--from", EXAMPLE, "--bastion", "ghost"], "Bastion ghost is not in the data", "hub-bastion"),
        (["db-1"], "there is no kubeconfig at /nowhere/kubeconfig", "--from FILE"),
    ],
)
def test_wrong_use_names_what_and_what_to_do(run_here: Here, args: list[object], told: str, remedy: str) -> None:
    what, to_do = told_wrong(run_here("explain", *args))
    assert told in what
    assert remedy in to_do
