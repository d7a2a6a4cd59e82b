"""Completion as shells and the real kubectl ask for it."""

import os
import subprocess
from pathlib import Path

import pytest

from dev.control_plane import ControlPlane
from tests.support.command import PROGRAM, printed, run_command, told_wrong


def answered(shell: str, *words: str) -> str:
    """What the program answers to a shell's script for the words so far, the last of which is being written."""
    asked = {"_KUBECTL_BASTION_COMPLETE": f"{shell}_complete", "COMP_WORDS": "\n".join(("kubectl-bastion", *words))}
    # fish tells the word apart from those before it, the others its place.
    asked["COMP_CWORD"] = words[-1] if shell == "fish" else str(len(words))
    if shell != "fish":
        asked["COMP_WORDS"] = " ".join(("kubectl-bastion", *words))
    return printed(environment=asked)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_script_and_its_answers(shell: str) -> None:
    script = printed("completion", shell)
    assert f"_KUBECTL_BASTION_COMPLETE={shell}_complete" in script
    assert "kubectl-bastion" in script
    assert "--from" in answered(shell, "reach", "--fr")
    assert "diff" in answered(shell, "di")
    assert "Unreachable" in answered(shell, "reach", "--verdict", "unr")


def test_bash_completes_by_the_script(tmp_path: Path) -> None:
    script = tmp_path / "completion"
    script.write_text(printed("completion", "bash"))
    asked = (
        f"source {script}; COMP_WORDS=(kubectl-bastion explain web --out); COMP_CWORD=3;"
        ' _kubectl_bastion_completion kubectl-bastion; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    path = f"{PROGRAM.parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", asked], capture_output=True, text=True, check=True, env=os.environ | {"PATH": path}
    )
    assert done.stdout.split() == ["--output"]


def test_kubectl_itself_completes_the_plugin(control_plane: ControlPlane) -> None:
    environment = os.environ | {
        "PATH": f"{PROGRAM.parent}{os.pathsep}{os.environ['PATH']}",
        "KUBECONFIG": str(control_plane.kubeconfig),
    }

    def completed(*words: str) -> list[str]:
        command = [str(control_plane.programs.kubectl), "__complete", "bastion", *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True, env=environment)
        return done.stdout.splitlines()

    assert [line.partition("\t")[0] for line in completed("di")] == ["diff", ":4"]
    assert completed("reach", "--reason", "NicN") == ["NicNsgDenies", ":4"]
    assert completed("reach", "--from", "")[-1] == ":0", "files are the shell's to complete"


def test_a_shell_that_is_not_known_is_refused() -> None:
    what, _ = told_wrong(run_command("completion", "tcsh"))
    assert "tcsh" in what
