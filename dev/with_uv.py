"""Run uv with the given arguments, after installing the pinned version where it is missing.

Plain standard library: this is the first program that a fresh clone runs, with whatever python3 the machine has.
The versions and hashes stand in uv_requirements.txt beside this file.
"""

import os
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = Path(__file__).with_name("uv_requirements.txt")
OLDEST = (3, 9)


def pinned_version() -> str:
    """The version of uv that uv_requirements.txt names."""
    match = re.search(r"^uv==([\w.]+)", REQUIREMENTS.read_text(encoding="utf-8"), re.MULTILINE)
    if match is None:
        raise SystemExit(f"{REQUIREMENTS}: no line uv==VERSION")
    return match.group(1)


def on_path(version: str) -> "str | None":
    """An uv of the pinned version that the machine has already."""
    found = shutil.which("uv")
    if found is None:
        return None
    said = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout
    return found if said.split()[1:2] == [version] else None


def install(version: str) -> str:
    """Put the pinned uv into an environment of its own under .cache/ and return its path."""
    home = ROOT / ".cache" / f"uv-{version}"
    scripts = home / ("Scripts" if os.name == "nt" else "bin")
    program = scripts / ("uv.exe" if os.name == "nt" else "uv")
    if program.exists():
        return str(program)
    print(f"installing uv {version} into {home.relative_to(ROOT)} …", file=sys.stderr, flush=True)
    # Made beside its place and then moved there: two first runs at once must not build in one folder.
    making = home.with_name(f"{home.name}.{os.getpid()}")
    try:
        venv.create(making, with_pip=True, clear=True)
    except (subprocess.CalledProcessError, OSError) as error:
        raise SystemExit(
            f"python3 cannot make a virtual environment ({error}). On Debian and Ubuntu: apt-get install python3-venv; "
            f"or install uv {version} yourself so that it is on PATH."
        ) from None
    python = str(making / scripts.name / "python")
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run([*pip, "--require-hashes", "-r", str(REQUIREMENTS)], check=False)
    if done.returncode != 0:
        shutil.rmtree(making, ignore_errors=True)
        raise SystemExit(f"pip could not install uv {version}: see its message above")
    try:
        making.rename(home)
    except OSError:
        # Somebody else was first. uv is one binary that stands alone, so theirs is as good.
        shutil.rmtree(making, ignore_errors=True)
    return str(program)


def main() -> None:
    """Become uv."""
    if sys.version_info < OLDEST:
        raise SystemExit("python3 is too old: 3.9 or later starts this, and uv then brings the 3.11 that is needed")
    version = pinned_version()
    program = on_path(version) or install(version)
    # An activated environment of somebody else's must not receive our packages.
    # Programs are started often here, and take seconds to compile where no bytecode is kept, as images have it.
    not_ours = {"VIRTUAL_ENV", "PYTHONDONTWRITEBYTECODE"}
    environment = {name: value for name, value in os.environ.items() if name not in not_ours}
    environment.setdefault("UV_COMPILE_BYTECODE", "1")
    os.execve(program, [program, *sys.argv[1:]], environment)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main()
