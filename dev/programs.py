"""The project's own programs as they are installed beside the Python that runs."""

import sysconfig
from pathlib import Path


def program(name: str) -> str:
    """The path of an installed program of this project.

    :raises FileNotFoundError: if it is not installed, with the command that installs it
    """
    path = Path(sysconfig.get_path("scripts")) / name
    if not path.exists():
        raise FileNotFoundError(f"{path} is not there: run `make demo` or `uv sync`, which install it")
    return str(path)
