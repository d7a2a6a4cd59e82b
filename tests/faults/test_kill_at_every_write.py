"""Kill -9 before and after every Azure write of the hub-and-spoke example: nothing lost, doubled, orphaned or foreign."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.faults.kill_run import Boundary, WorldState, boundaries, run_with_kills, was_taken, world
from tests.support.lab import Lab

WRITES = 9  # the subnet, the public IP address, the host, and two halves for each of three spokes


@dataclass(frozen=True)
class CleanRun:
    """What the example does when nobody disturbs it."""

    empty: WorldState
    made: WorldState
    creation: list[Boundary]
    deletion: list[Boundary]


def everything_is_ready(lab: Lab) -> bool:
    """All three resources are Ready, and verdicts and rules are told as of a finished network."""
    told = [
        (condition["type"], condition["status"], condition["reason"])
        for item in lab.objects("bh,vnp")
        for condition in item.get("status", {}).get("conditions", [])
    ]
    ready = [status for kind, status, _ in told if kind == "Ready"]
    # A Deny in front of a VM is told once something leads there.
    shadowed = ("SecurityRulesInSync", "False", "SecurityRuleShadowed") in told
    return ready == ["True"] * 3 and shadowed and lab.reasons().get("web-1") == []


def clean_run(lab: Lab) -> CleanRun:
    """Create and delete undisturbed; the boundaries come from the request log."""
    empty = world(lab)
    lab.operator.start()
    lab.apply_example()
    lab.wait_for(lambda: everything_is_ready(lab), "the example is ready", seconds=60)
    made, writes = world(lab), lab.writes()
    creation = boundaries(writes)
    lab.delete("bh,vnp")
    deletion = boundaries(lab.writes()[len(writes) :])
    assert world(lab) == empty
    assert len(creation) == len(deletion) == 2 * WRITES
    return CleanRun(empty, made, creation, deletion)


def taken(lab: Lab, since: int) -> Counter[tuple[str, str]]:
    """How often Azure took each write."""
    return Counter((method, path) for method, path, status in lab.writes()[since:] if was_taken(status))


def check_creation(lab: Lab, clean: CleanRun, at: list[Boundary]) -> int:
    """Create with kills, and compare with the undisturbed run; returns the number of kills."""
    since = len(lab.writes())
    kills = run_with_kills(lab, at, lab.apply_example, lambda: everything_is_ready(lab))
    now = world(lab)
    assert now.azure == clean.made.azure
    assert now.conditions == clean.made.conditions
    assert taken(lab, since) == Counter({(each.method, each.path): 1 for each in clean.creation}), lab.writes()[since:]
    return kills


def check_deletion(lab: Lab, clean: CleanRun, at: list[Boundary]) -> int:
    """Delete with kills, and compare with the undisturbed run; returns the number of kills."""
    since = len(lab.writes())

    def begin() -> None:
        lab.begin_delete("bh,vnp")

    kills = run_with_kills(lab, at, begin, lambda: not lab.objects("bh,vnp"))
    assert world(lab).azure == clean.empty.azure
    assert taken(lab, since) == Counter({(each.method, each.path): 1 for each in clean.deletion})
    return kills


def test_killed_at_each_write_of_one_creation_and_one_deletion(lab_factory: Callable[..., Lab]) -> None:
    lab = lab_factory()
    clean = clean_run(lab)
    # Every boundary has had a kill, or the run does not end; writes that are under way together share one. The hub's own
    # writes never do: its subnet and its three halves are changed one at a time.
    serial = 2 * sum("/virtualnetworks/hub/" in path for path in {each.path for each in clean.creation})
    assert serial == 8
    assert check_creation(lab, clean, clean.creation) >= serial
    assert check_deletion(lab, clean, clean.deletion) >= serial


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_killed_at_one_write_of_each_of_36_creations_and_deletions(lab_factory: Callable[..., Lab]) -> None:
    lab = lab_factory()
    clean = clean_run(lab)
    for creation, deletion in zip(clean.creation, clean.deletion, strict=True):
        assert check_creation(lab, clean, [creation]) == 1
        assert check_deletion(lab, clean, [deletion]) == 1
