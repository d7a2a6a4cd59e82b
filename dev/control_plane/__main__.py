"""`python -m dev.control_plane`: start a control plane and keep it until Ctrl-C, or only get its programs ready."""

import argparse
import signal
import sys
import time
from types import FrameType

from dev.control_plane.errors import ControlPlaneError
from dev.control_plane.programs import find_programs
from dev.control_plane.server import ControlPlane


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m dev.control_plane", description=__doc__)
    parser.add_argument(
        "--prepare", action="store_true", help="only find, fetch or build the programs, print where they are, and end"
    )
    options = parser.parse_args(arguments)
    for number in (signal.SIGINT, signal.SIGTERM):
        # Set outright: a shell that starts it in the background leaves SIGINT ignored.
        signal.signal(number, _interrupt)
    try:
        return _prepare() if options.prepare else _serve()
    except ControlPlaneError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _prepare() -> int:
    programs = find_programs()
    for path in (programs.kube_apiserver, programs.etcd, programs.kubectl):
        print(path)
    return 0


def _serve() -> int:
    control_plane = ControlPlane()
    try:
        control_plane.start()
        print(f"export KUBECONFIG={control_plane.kubeconfig}", flush=True)
        print(f"{control_plane.url} is ready; Ctrl-C ends it", file=sys.stderr, flush=True)
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        return 0
    finally:
        control_plane.stop()


if __name__ == "__main__":
    sys.exit(main())
