"""Linters, types, walls and generated files, one after the other; all are run, and the exit code is 1 if one fails."""

import os
import subprocess
import sys
import sysconfig
import time

CHECKS = {
    "ruff": ["ruff", "check"],
    "format": ["ruff", "format", "--check"],
    "mypy": ["mypy"],
    "walls": ["lint-imports"],
    "generated files": [sys.executable, "-m", "dev.generate", "--check"],
    "Dockerfile": ["hadolint", "Dockerfile"],
}


def main() -> int:
    """Run every check; returns the exit code."""
    failed = []
    # The tools lie beside the Python that runs this, whether or not its environment is activated.
    path = os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", os.defpath)])
    environment = os.environ | {"PATH": path}
    for name, command in CHECKS.items():
        started = time.monotonic()
        print(f"== {name}: {' '.join(command)}", flush=True)
        if subprocess.run(command, check=False, env=environment).returncode != 0:
            failed.append(name)
        print(f"   {time.monotonic() - started:.0f} s", flush=True)
    print(f"failed: {', '.join(failed)}" if failed else "all checks passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
