"""A git repository on this machine's disk, as a team's is that Argo CD reads."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import yaml

from tests.support.deployment import Manifest

_WHO = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.com", "-c", "commit.gpgsign=false")


class GitRepository:
    """Files, of which each change is one commit on the branch main."""

    def __init__(self, folder: Path) -> None:
        """Made empty."""
        self._folder = folder
        folder.mkdir(parents=True)
        self._git("init", "--quiet", "--initial-branch=main")

    @property
    def url(self) -> str:
        """Where git fetches it."""
        return self._folder.as_uri()

    def commit(self, message: str, **files: Sequence[Manifest] | None) -> None:
        """Write these files (the name without `.yaml`; None: removed) and commit them."""
        for name, manifests in files.items():
            path = self._folder / f"{name}.yaml"
            if manifests is None:
                path.unlink()
            else:
                path.write_text(yaml.safe_dump_all(manifests))
        self._git("add", "--all")
        self._git(*_WHO, "commit", "--quiet", f"--message={message}")

    def _git(self, *arguments: str) -> None:
        # No setting of the user's decides what the test does.
        alone = os.environ | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        subprocess.run(["git", *arguments], cwd=self._folder, check=True, env=alone)
