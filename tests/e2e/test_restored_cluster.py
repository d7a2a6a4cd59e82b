"""A cluster restored from a backup that holds no status, or moved: what is found again, what is kept, what is told."""

import json
from collections.abc import Callable

import pytest

from dev.operator_process import ALONE
from tests.support.lab import HOST, Lab

HELD = ("Ready", "False", "NotOwned")


def restored(lab: Lab, *, installation: str) -> None:
    """The operator as it is put into a cluster that was restored: every object is there, made anew, and none has a status."""
    lab.operator.kill()
    for kind in ("bh", "vnp", "rr"):
        for item in lab.objects(kind):
            lab.api.remove(f"{lab.collection(kind)}/{item['metadata']['name']}")
    lab.apply_example()
    lab.operator.options = (*ALONE, f"--installation-id={installation}")
    lab.operator.start()


def events(lab: Lab, reason: str) -> list[str]:
    found = json.loads(lab.kubectl("get", "events", "-n", lab.namespace, "-o", "json"))["items"]
    return [each["message"] for each in found if each["reason"] == reason]


@pytest.mark.long
def test_what_the_operator_made_is_found_again_by_its_marks_and_nothing_doubtful_is_deleted(
    lab_factory: Callable[..., Lab],
) -> None:
    lab = lab_factory()
    lab.operator.options = (*ALONE, "--installation-id=home")
    lab.operator.start()
    lab.apply_example()
    lab.wait_ready("vnp/hub", "bh/hub")
    lab.wait_still(seconds=0.7)
    writes, azure = lab.writes(), lab.azure.resources()

    # The same installation: everything is in sync at once, and claimed again.
    restored(lab, installation="home")
    lab.wait_ready("vnp/hub", "bh/hub")
    lab.wait_for(lambda: lab.reasons().get("web-1") == [], "the reports are there again")
    lab.wait_still(seconds=0.7)
    assert lab.writes() == writes
    assert len(lab.get("vnp", "hub")["status"]["claims"]) == 6
    claims = {each["purpose"] for each in lab.get("bh", "hub")["status"]["claims"]}
    assert claims >= {"Host", "PublicIP"}

    # Another installation, as of a new cluster whose operator was not told the old one's id: all of it is somebody else's.
    restored(lab, installation="elsewhere")
    for kind in ("bh", "vnp"):
        told = lab.wait_condition(kind, "hub", *HELD)["message"]
        assert "exists already" in told
    lab.delete("bh,vnp")
    lab.wait_still(seconds=0.7)
    assert lab.writes() == writes, "nothing that is not certainly its own was changed or deleted"
    assert lab.azure.resources() == azure

    # Home again: it deletes what bears its mark, and tells what it cannot know.
    restored(lab, installation="home")
    lab.wait_ready("vnp/hub", "bh/hub")
    lab.delete("bh,vnp")
    left = set(lab.azure.resources())
    assert HOST.lower() not in left
    gone = set(azure) - left
    assert {each.rsplit("/", 2)[-2] for each in gone} == {"bastionhosts", "publicipaddresses", "virtualnetworkpeerings"}
    kept = events(lab, "KeptNotCertain")
    assert any("AzureBastionSubnet" in each and "if nobody else needs it, delete it" in each for each in kept), kept
