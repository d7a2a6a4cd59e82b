"""The real `az`, at a pinned version, in an environment of its own under .cache/: made once, in a minute or two.

`python -m dev.azure_cli` makes it and says where it lies.
"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from dev.control_plane.cache import exclusive, staging
from dev.control_plane.errors import ProgramsError
from dev.control_plane.settings import Report

_ROOT = Path(__file__).resolve().parent.parent
_REQUIREMENTS = Path(__file__).with_name("azure_cli_requirements.txt")


def azure_cli(report: Report) -> Path:
    """The folder to put on PATH for `az`. Raises ProgramsError where it cannot be installed, with what uv said above.

    ``report`` is told what takes long.
    """
    home = _ROOT / ".cache" / f"azure-cli-{hashlib.sha256(_REQUIREMENTS.read_bytes()).hexdigest()[:12]}"
    scripts = home / "bin"
    with exclusive(home.with_suffix(".lock"), report):
        if not (scripts / "az").exists():
            report(f"installing az from {_REQUIREMENTS.name}: about 700 MB, a minute or two")
            with staging(home) as folder:
                _uv("venv", "--relocatable", "--clear", "--python", sys.executable, str(folder))
                # az reads thousands of modules: compiled once here, it starts ten times as fast where nothing may be
                # written beside it later.
                _uv(
                    *("pip", "sync", "--require-hashes", "--compile-bytecode"),
                    *("--python", str(folder / "bin" / "python"), str(_REQUIREMENTS)),
                )
    return scripts


def _uv(*arguments: str) -> None:
    command = [sys.executable, str(_ROOT / "dev" / "with_uv.py"), *arguments]
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    if subprocess.run(command, check=False, env=environment, stdin=subprocess.DEVNULL).returncode != 0:
        raise ProgramsError(f"az could not be installed: `uv {arguments[0]}` failed, see its message above")


def main() -> int:
    """Make it; returns the exit code."""
    try:
        scripts = azure_cli(lambda text: print(text, file=sys.stderr, flush=True))
    except ProgramsError as error:
        print(f"azure_cli: {error}", file=sys.stderr)
        return 1
    print(scripts / "az")
    return 0


if __name__ == "__main__":
    sys.exit(main())
