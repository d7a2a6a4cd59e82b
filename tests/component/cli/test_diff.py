"""`kubectl bastion diff` as the installed program: a gate for pipelines."""

import json
from pathlib import Path

import pytest

from tests.support.command import Here, run_command, told_wrong
from tests.support.estates import drop, hub_and_spoke, rule, vm, vm_id, with_nsg

OPEN = with_nsg(hub_and_spoke(), "nic")
CLOSED = with_nsg(hub_and_spoke(), "nic", rule("no", 200, "Deny"))


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """An estate before and after a Deny."""
    before, after = tmp_path / "before.json", tmp_path / "after.json"
    before.write_text(json.dumps(OPEN))
    after.write_text(json.dumps({"data": CLOSED}))
    return before, after


def test_a_loss_ends_with_one_and_says_why(files: tuple[Path, Path]) -> None:
    done = run_command("diff", *files)
    assert (done.returncode, done.stderr) == (1, "")
    head, line, sums = done.stdout.splitlines()
    assert head.split() == ["CHANGE", "VM", "PROTOCOL", "PORT", "BEFORE", "AFTER", "WHY"]
    assert line.split() == ["Lost", "web", "SSH", "22", "Reachable", "Unreachable", "NicNsgDenies"]
    assert sums == "1 lost, 0 gained, 0 changed, 0 added, 0 removed, 0 same"


def test_a_gain_and_no_change_end_with_zero(files: tuple[Path, Path]) -> None:
    before, after = files
    gained = run_command("diff", after, before)
    assert (gained.returncode, gained.stdout.split()[7]) == (0, "Gained")
    same = run_command("diff", before, before)
    assert (same.returncode, same.stdout) == (0, "0 lost, 0 gained, 0 changed, 0 added, 0 removed, 1 same\n")
    assert "Same" in run_command("diff", before, before, "--all").stdout


def test_json_has_both_sides_the_reasons_and_the_fields_that_they_come_from(files: tuple[Path, Path]) -> None:
    done = run_command("diff", *files, "-o", "json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["lost"], told["same"]) == (1, 1, 0)
    [change] = told["changes"]
    assert (change["vm"], change["change"]) == (vm_id("web"), "Lost")
    assert (change["before"]["verdict"], change["after"]["verdict"]) == ("Reachable", "Unreachable")
    assert [reason["rule"] for reason in change["newReasons"]] == ["no"]
    assert [each["field"] for each in change["because"]] == ["properties.securityRules[no]"]


def test_a_folder_is_one_estate_and_vms_can_be_chosen(tmp_path: Path, files: tuple[Path, Path]) -> None:
    folder = tmp_path / "parts"
    folder.mkdir()
    for number, row in enumerate(OPEN):
        (folder / f"{number}.json").write_text(json.dumps([row]))
    (folder / "notes.txt").write_text("no estate")
    assert run_command("diff", folder, files[0], "--vm", "WEB").returncode == 0
    assert run_command("diff", folder, files[1], "--vm", vm_id("web")).returncode == 1


def test_a_vm_that_is_gone_is_no_loss(tmp_path: Path, files: tuple[Path, Path]) -> None:
    gone = tmp_path / "gone.json"
    gone.write_text(json.dumps([*drop(OPEN, "web"), vm("other")]))
    done = run_command("diff", files[0], gone, "--vm", "web")
    assert (done.returncode, done.stdout.split()[7]) == (0, "Removed")


def test_what_stood_in_the_way_of_a_vm_that_is_gone_is_not_called_mended(
    run_here: Here, tmp_path: Path, files: tuple[Path, Path]
) -> None:
    gone = tmp_path / "gone.json"
    gone.write_text(json.dumps([*drop(CLOSED, "web"), vm("other")]))
    _, line, _ = run_here("diff", files[1], gone, "--vm", "web").stdout.splitlines()
    assert line.split() == ["Removed", "web", "SSH", "22", "Unreachable", "-", "-"]


def test_an_estate_without_vms_is_not_compared_with_one_that_has_some(
    run_here: Here, tmp_path: Path, files: tuple[Path, Path]
) -> None:
    nothing = tmp_path / "nothing.json"
    nothing.write_text("[]")
    what, _ = told_wrong(run_here("diff", files[0], nothing))
    assert what.startswith("AFTER holds no VM, and BEFORE holds 1")
    assert run_here("diff", nothing, nothing).returncode == 0
    assert run_here("diff", nothing, files[0]).returncode == 0


def test_wrong_use(run_here: Here, tmp_path: Path, files: tuple[Path, Path]) -> None:
    half = tmp_path / "half.json"
    half.write_text(files[0].read_text()[:100])
    empty = tmp_path / "empty"
    empty.mkdir()
    cases: list[tuple[list[object], str, str]] = [
        ([files[0]], "AFTER is missing: name a second estate, or give --azure", "--help"),
        ([*files, "--azure"], "AFTER and --azure are two estates", "--help"),
        ([*files, "--tenant", "t"], "--tenant and --subscription are for Azure", "--help"),
        ([files[0], half], "half.json is no JSON", "if it is half a file, write it anew"),
        ([files[0], empty], "holds no estate file", "*.json"),
        ([files[0], tmp_path / "absent"], "absent cannot be read", "check the name"),
        ([*files, "--vm", "ghost"], "VM ghost is not in the data", "web"),
    ]
    for args, what, remedy in cases:
        told, to_do = told_wrong(run_here("diff", *args))
        assert what in told
        assert remedy in to_do
