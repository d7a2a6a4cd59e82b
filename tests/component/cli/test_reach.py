"""`kubectl bastion reach` as the installed program."""

import fcntl
import json
import os
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.access_rows import role_assignment, subscription
from tests.support.command import PROGRAM, run_command, told_wrong
from tests.support.estates import (
    SUBSCRIPTION,
    bastion_id,
    hub_and_spoke,
    nic,
    nsg_id,
    rule,
    vm,
    vm_id,
    vnet_id,
    with_nsg,
)

FULL = Path("/dev/full")
REASONS = Path(__file__).parents[3] / "examples" / "reach" / "reasons.json"


@pytest.fixture
def blocked(tmp_path: Path) -> Path:
    """A file with a VM whose NIC denies half the Bastion subnet."""
    file = tmp_path / "estate.json"
    estate = with_nsg(hub_and_spoke(enableTunneling=True), "nic", rule("half", 200, "Deny", source="10.0.1.0/27"))
    file.write_text(json.dumps({"data": estate}))
    return file


def reach(*args: object, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    return run_command("reach", *args, stdin=stdin)


def test_json_is_one_array_with_the_documented_keys(blocked: Path) -> None:
    done = reach("--from", blocked, "-o", "json")
    assert (done.returncode, done.stderr) == (0, "")
    [verdict] = json.loads(done.stdout)
    reason = verdict["reasons"][0]
    assert list(verdict) == [
        "vm",
        "protocol",
        "port",
        "verdict",
        "bastion",
        "via",
        "methods",
        "reasons",
        "warnings",
        "candidates",
        "reachedBy",
        "onlyStopped",
    ]
    assert (verdict["reachedBy"], verdict["onlyStopped"]) == (0, False)
    assert (verdict["vm"], verdict["bastion"]) == (vm_id("web"), bastion_id("bas"))
    assert (verdict["protocol"], verdict["port"], verdict["verdict"], verdict["via"]) == (
        "SSH",
        22,
        "Unreachable",
        "Peering",
    )
    assert verdict["methods"] == []
    assert list(reason) == ["code", "message", "resource", "rule", "priority", "direction", "fix"]
    [change] = reason["fix"]["changes"]
    assert list(change) == ["action", "resource", "field", "from", "to", "actor"]
    assert (change["action"], change["resource"], change["actor"]) == ("Add", nsg_id("guard"), "owner of the VNet")
    assert (change["field"], change["from"]) == ("properties.securityRules", None)
    assert (
        change["to"]["properties"] | {"priority": 199, "sourceAddressPrefix": "10.0.1.0/26"}
        == change["to"]["properties"]
    )
    assert (reason["code"], reason["resource"], reason["rule"]) == (
        "NsgPartiallyBlocksBastion",
        nsg_id("guard"),
        "half",
    )
    assert (reason["priority"], reason["direction"]) == (200, "Inbound")
    assert all(warning.keys() == {"code", "message"} for warning in verdict["warnings"])
    assert verdict["candidates"] == [
        {"bastion": bastion_id("bas"), "verdict": "Unreachable", "via": "Peering", "reasons": verdict["reasons"]}
    ]


def test_fixes_are_left_out_where_they_are_not_wanted_and_told_for_each_where_they_are(
    tmp_path: Path, blocked: Path
) -> None:
    [verdict] = json.loads(reach("--from", blocked, "-o", "json", "--fixes", "none").stdout)
    assert "fix" not in verdict["reasons"][0]
    many = tmp_path / "many.json"
    estate = [row for row in hub_and_spoke() if row["name"] not in {"web", "web-nic"}]
    for number in range(205):
        estate += [
            nic(f"m{number}-nic", "spoke", "workload", f"10.1.2.{number + 4}"),
            vm(f"m{number}", power="stopped"),
        ]
    many.write_text(json.dumps(estate))
    for fixes, count in (("some", 200), ("all", 205)):
        done = reach("--from", many, "-o", "json", "--fixes", fixes)
        told = [reason for verdict in json.loads(done.stdout) for reason in verdict["reasons"] if "fix" in reason]
        assert len(told) == count
        assert ("--fixes all" in done.stderr) == (fixes == "some")


def test_yaml_says_the_same_as_json(blocked: Path) -> None:
    assert yaml.safe_load(reach("--from", blocked, "-o", "yaml").stdout) == json.loads(
        reach("--from", blocked, "-o", "json").stdout
    )


def test_the_table_shows_a_vm_a_line_and_wide_adds_ids_and_messages(blocked: Path) -> None:
    lines = reach("--from", blocked).stdout.splitlines()
    assert lines[0].split() == ["VM", "PROTOCOL", "PORT", "VERDICT", "BASTION", "VIA", "METHODS", "REASONS"]
    assert lines[1].split() == ["web", "SSH", "22", "Unreachable", "bas", "Peering", "-", "NsgPartiallyBlocksBastion"]
    assert len(lines) == 2
    wide = reach("--from", blocked, "-o", "wide").stdout
    assert vm_id("web") in wide
    assert "priority 200" in wide


def test_the_estate_may_come_in_several_files_and_from_the_standard_input(tmp_path: Path) -> None:
    first, *rest = hub_and_spoke()
    part = tmp_path / "part.json"
    part.write_text(json.dumps([first]))
    lines = "\n".join(map(json.dumps, rest))
    done = reach("--from", part, "--from", "-", "-o", "json", stdin=lines)
    assert json.loads(done.stdout)[0]["verdict"] == "Reachable"


@pytest.mark.parametrize("given", ["web", "WEB", vm_id("web"), vm_id("web").upper()])
def test_a_vm_and_a_bastion_are_named_by_id_or_name_in_any_case(blocked: Path, given: str) -> None:
    done = reach(
        "--from", blocked, "--vm", given, "--bastion", "BAS", "--protocol", "rdp", "--port", 3390, "-o", "json"
    )
    [verdict] = json.loads(done.stdout)
    assert (verdict["protocol"], verdict["port"]) == ("RDP", 3390)


@pytest.mark.parametrize(("fail_on", "code"), [("Unreachable", 1), ("Unknown", 1), (None, 0)])
def test_a_check_that_says_no_exits_with_one(blocked: Path, fail_on: str | None, code: int) -> None:
    assert reach("--from", blocked, *(["--fail-on", fail_on] if fail_on else [])).returncode == code


def test_a_check_that_says_yes_exits_with_zero(tmp_path: Path) -> None:
    file = tmp_path / "fine.json"
    file.write_text(json.dumps(hub_and_spoke()))
    assert reach("--from", file, "--fail-on", "Unknown").returncode == 0
    unknown = [row for row in hub_and_spoke() if row["name"] != "bas-ip"]
    file.write_text(json.dumps(unknown))
    assert reach("--from", file, "--fail-on", "Unreachable").returncode == 0
    assert reach("--from", file, "--fail-on", "Unknown").returncode == 1


def test_an_estate_without_vms_is_an_empty_answer(tmp_path: Path) -> None:
    file = tmp_path / "empty.json"
    file.write_text("[]")
    done = reach("--from", file, "-o", "json")
    assert (done.returncode, json.loads(done.stdout)) == (0, [])
    assert reach("--from", file).returncode == 0


NO_PROPERTIES = json.dumps([{**row, "properties": None} for row in hub_and_spoke()])
"""As ``az resource list`` answers."""


@pytest.mark.parametrize(
    ("args", "content", "told"),
    [
        ([], None, "--from FILE"),
        (["--from", "absent.json"], None, "absent.json cannot be read: No such file or directory"),
        (["--from", "FILE"], "half a file {", "is no JSON"),
        (["--from", "FILE"], '{"resource_changes": []}', "neither a list in data or value nor an id"),
        (["--from", "."], None, ". cannot be read: Is a directory"),
        (["--from", "FILE"], '[{"id": "/subscriptions/s"}, {"id": 5}]', "row 2, field id"),
        (["--from", "FILE", "--vm", "ghost"], "[]", "VM ghost is not in the data"),
        (["--from", "FILE", "--bastion", "ghost"], "[]", "Bastion ghost is not in the data"),
        (["--from", "FILE", "--reason", "Ghost"], "[]", "--reason Ghost is no code"),
        (
            ["--from", "FILE", "--reason", "NsgDenies"],
            "[]",
            "--reason NsgDenies is no code; NicNsgDenies, SubnetNsgDenies or BastionNsgDenies may be meant",
        ),
        (["--from", "FILE", "--reason", "notpeerd"], "[]", "--reason notpeerd is no code; NotPeered"),
        (["--from", "FILE", "--protocol", "VNC"], "[]", "'VNC' is not one of 'RDP', 'SSH'"),
        (["--from", "FILE"], NO_PROPERTIES, "az resource list leaves them out; use az graph query"),
        (["--from", "FILE", "--subnet", "ghost"], "[]", "subnet ghost is not in the data"),
        (["--from", "FILE", "--tag", "evn=prod"], "[]", "no VM in the data has the tag evn=prod"),
        (["--from", "FILE", "--fail-on", "Unknown"], "[]", "--fail-on has nothing to check"),
        (["--from", "FILE", "--azure"], "[]", "--from and --azure are two sources"),
        (["--from", "FILE", "--context", "prod"], "[]", "--context is for the cluster"),
        (["--subscription", "prod"], None, "--subscription is for Azure"),
        (["-n", "prod", "-A"], None, "--namespace and --all-namespaces exclude each other"),
        (["--tag", "env=prod"], None, "--tag asks for what the cluster's reports do not hold"),
        (["--from", "FILE", "--port", "70000"], "[]", "--port"),
        (["--from", "FILE", "--protocol", "VNC"], "[]", "--protocol"),
        (["--from", "FILE", "--sideways"], "[]", "--sideways"),
    ],
)
def test_wrong_use_is_a_line_of_what_and_one_of_what_to_do_with_exit_code_two(
    tmp_path: Path, args: list[str], content: str | None, told: str
) -> None:
    file = tmp_path / "estate.json"
    if content is not None:
        file.write_text(content)
    done = reach(*(str(file) if arg == "FILE" else arg for arg in args), "-o", "json")
    told_wrong(done)
    assert told in done.stderr


def test_a_page_of_a_longer_answer_is_told_on_stderr(tmp_path: Path) -> None:
    file = tmp_path / "page.json"
    file.write_text(json.dumps({"data": hub_and_spoke(), "total_records": 900}))
    done = reach("--from", file, "-o", "json")
    assert "holds 6 of 900 rows" in done.stderr
    assert "ask Azure itself: --azure in place of --from" in done.stderr
    assert json.loads(done.stdout)


def test_help_is_quick_to_load_and_imports_nothing_of_azure_or_kubernetes() -> None:
    probe = (
        "import sys; from bastion_operator.cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'azure', 'kubernetes', 'kopf', 'aiohttp', 'rich', 'yaml', 'pydantic', 'orjson'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr


def test_words_are_shown_as_they_are_everywhere_else_and_taken_in_any_case(blocked: Path) -> None:
    shown = "".join(reach("--help").stdout.split())
    for words in ("[Reachable|Unreachable|Unknown]", "[Unreachable|Unknown]", "[RDP|SSH]"):
        assert words in shown
    done = reach(
        "--from", blocked, "--protocol", "ssh", "--verdict", "UNREACHABLE", "--fail-on", "unreachable", "-o", "json"
    )
    assert (done.returncode, [each["protocol"] for each in json.loads(done.stdout)]) == (1, ["SSH"])


def test_the_examples_in_help_are_shown_and_the_output_can_be_cut_off(blocked: Path) -> None:
    done = reach("--help")
    assert done.returncode == 0
    assert "az graph query" in done.stdout
    piped = f"{PROGRAM} reach --from {blocked} -o json | head -c 1"
    cut = subprocess.run(["bash", "-c", piped], capture_output=True, text=True, timeout=30, check=False)
    assert (cut.stdout, cut.stderr) == ("[", "")


@pytest.mark.skipif(not FULL.exists(), reason="this system has no device that is always full")
def test_an_answer_that_cannot_be_written_is_told(blocked: Path) -> None:
    with FULL.open("w") as answer:
        done = subprocess.run(
            [PROGRAM, "reach", "--from", blocked],
            stdout=answer,
            stderr=subprocess.PIPE,
            text=True,
            timeout=30,
            check=False,
        )
    assert done.returncode == 2
    assert [line.split(":")[0] for line in done.stderr.splitlines()] == ["error", "hint"]


def on_a_terminal(command: list[str], columns: int, **environ: str) -> str:
    """What a program writes to a terminal of that width."""
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {key: value for key, value in os.environ.items() if key not in {"NO_COLOR", "COLUMNS"}} | {
        "TERM": "xterm",
        **environ,
    }
    with subprocess.Popen(command, stdout=theirs, env=environment) as program:
        os.close(theirs)
        written = b""
        while chunk := read_terminal(ours):
            written += chunk
        assert program.wait(timeout=30) == 0
    os.close(ours)
    return written.decode()


def read_terminal(terminal: int) -> bytes:
    """The next bytes; none once the program has closed its end, which Linux reports as an error."""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""


def test_on_a_terminal_the_verdict_is_coloured_and_long_cells_are_folded_to_its_width(blocked: Path) -> None:
    written = on_a_terminal([str(PROGRAM), "reach", "--from", str(blocked)], columns=80)
    assert "\x1b[31mUnreachable" in written
    plain = [re.sub(r"\x1b\[[0-9;]*m", "", line).rstrip() for line in written.splitlines()]
    assert all(len(line) <= 80 for line in plain)
    assert plain[-1].strip().endswith("NsgPartiallyBlocksBastion")


def test_no_color_leaves_colours_out_and_the_table_is_never_narrower_than_80(blocked: Path) -> None:
    command = [str(PROGRAM), "reach", "--from", str(blocked)]
    written = on_a_terminal(command, columns=40, NO_COLOR="1")
    assert "\x1b[3" not in written
    assert max(len(line.rstrip()) for line in written.splitlines()) > 40
    explained = on_a_terminal([str(PROGRAM), "explain", "web", "--from", str(blocked)], columns=80)
    assert "\x1b[31mstops" in explained
    for words in (["explain", "web"], ["doctor"]):
        assert "\x1b" not in on_a_terminal([str(PROGRAM), *words, "--from", str(blocked)], columns=80, NO_COLOR="1")


@pytest.mark.parametrize(("columns", "place"), [(110, "REASONS"), (80, "VM")])
def test_no_word_of_a_table_is_broken_and_reasons_go_below_where_the_terminal_has_no_room_beside(
    columns: int, place: str
) -> None:
    command = [str(PROGRAM), "reach", "--from", str(REASONS)]
    lines = on_a_terminal(command, columns=columns, NO_COLOR="1").splitlines()
    assert max(map(len, lines)) <= columns
    told = next(line for line in lines if "DeveloperNoPeering" in line)
    assert told.index("DeveloperNoPeering") == lines[0].index(place) + (2 if place == "VM" else 0)
    for word in ("sandbox-bastion", "NativeClient", "ReturnRouteDiverted"):
        assert re.search(rf"(^|[ ,]){word}( |$)", "\n".join(lines), re.MULTILINE), word


def test_what_takes_more_than_a_second_is_told_on_a_terminal(blocked: Path) -> None:
    ours, theirs = os.openpty()
    command = [str(PROGRAM), "reach", "--from", "-", "-o", "json"]
    environment = os.environ | {"TERM": "xterm"}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=theirs, env=environment
    ) as program:
        os.close(theirs)
        assert program.stdin is not None
        assert program.stdout is not None
        # The program waits for its input: it tells so before it has got any.
        told = b""
        while b"reading -" not in told:
            told += read_terminal(ours)
        program.stdin.write(blocked.read_bytes())
        program.stdin.close()
        assert [one["vm"] for one in json.loads(program.stdout.read())] == [vm_id("web")]
        while read_terminal(ours):
            pass
    os.close(ours)


@pytest.mark.long
def test_a_file_of_a_million_lines_is_read_or_refused(tmp_path: Path) -> None:
    file = tmp_path / "million.jsonl"
    account = (
        '{"id":"/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a%d","properties":{}}\n'
    )
    with file.open("w") as stream:
        stream.writelines(account % number for number in range(1_000_000))
        stream.writelines(json.dumps(row) + "\n" for row in hub_and_spoke())
    done = run_command("reach", "--from", file, "-o", "json", timeout=300)
    assert [one["verdict"] for one in json.loads(done.stdout)] == ["Reachable"]
    file.write_text("2026-01-01 INFO something happened\n" * 1_000_000)
    assert "is no JSON" in told_wrong(run_command("reach", "--from", file, timeout=300))[0]


def test_the_program_alone_shows_its_commands() -> None:
    done = run_command()
    assert (done.returncode, done.stdout) == (2, "")
    assert "Commands:" in done.stderr


def documents(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def test_rows_in_another_order_give_the_same_answer(tmp_path: Path) -> None:
    file = tmp_path / "estate.json"
    file.write_text(json.dumps(hub_and_spoke()))
    one = documents(reach("--from", file, "-o", "json"))
    file.write_text(json.dumps(hub_and_spoke()[::-1]))
    assert documents(reach("--from", file, "-o", "json")) == one


def test_a_missing_next_page_of_an_arm_list_is_told(tmp_path: Path) -> None:
    estate = hub_and_spoke()
    first, last = tmp_path / "first.json", tmp_path / "last.json"
    first.write_text(json.dumps({"value": estate[:3], "nextLink": "https://management.azure.com/next"}))
    last.write_text(json.dumps({"value": estate[3:]}))
    alone = reach("--from", first, "-o", "json")
    assert (alone.returncode, alone.stdout.strip()) == (0, "[]")
    assert "names a next page (nextLink) that is not among the files" in alone.stderr
    both = reach("--from", first, "--from", last, "-o", "json")
    assert (both.stderr, [one["verdict"] for one in json.loads(both.stdout)]) == ("", ["Reachable"])


def test_a_file_as_windows_powershell_writes_it_is_read(tmp_path: Path) -> None:
    file = tmp_path / "estate.json"
    file.write_text(json.dumps(hub_and_spoke(), indent=2), encoding="utf-16")
    assert [one["verdict"] for one in json.loads(reach("--from", file, "-o", "json").stdout)] == ["Reachable"]


def test_principals_are_asked_about_only_where_they_are_named(blocked: Path, tmp_path: Path) -> None:
    ann, ben = "a0000000-0000-0000-0000-000000000001", "a0000000-0000-0000-0000-000000000002"
    reader, everywhere = "acdd72a7-3385-48ef-bd42-f606fba81ae7", f"/subscriptions/{SUBSCRIPTION}"
    roles = tmp_path / "roles.json"
    granted = [role_assignment(ann, reader, everywhere), role_assignment(ben, reader, vm_id("web"))]
    roles.write_text(json.dumps([subscription(), *granted]))
    files = ("--from", blocked, "--from", roles)

    [unasked] = json.loads(reach(*files, "-o", "json").stdout)
    done = reach(*files, "--principal", ann, "--principal", ben.upper(), "-o", "json")
    [asked] = json.loads(done.stdout)

    assert "access" not in unasked
    assert list(asked)[-1] == "access"
    assert asked["reasons"] == unasked["reasons"]
    assert [(one["principal"], one["access"]) for one in asked["access"]] == [
        (ann, "Granted"),
        (ben.upper(), "Missing"),
    ]
    missing = {one["resource"]: one["role"] for one in asked["access"][1]["missing"]}
    assert missing.keys() >= {bastion_id("bas"), vnet_id("hub"), vnet_id("spoke")}
    assert set(missing.values()) == {"Reader"}
    codes = [{warning["code"] for warning in each["warnings"]} for each in (unasked, asked)]
    assert ["RbacNotEvaluated" in each for each in codes] == [True, False]
    assert ["RoleMissing" in each for each in codes] == [False, True]
    head, line = reach(*files, "--principal", ben).stdout.splitlines()
    assert (head.split()[-1], line.split()[-1]) == ("ACCESS", "Missing")
    assert "lacks Reader on Bastion bas" in reach(*files, "--principal", ben, "-o", "wide").stdout


def test_a_principal_by_its_name_is_refused_with_the_way_to_its_id(blocked: Path) -> None:
    done = reach("--from", blocked, "--principal", "ann@example.org")
    assert done.returncode == 2
    assert "az ad user show" in done.stderr
