"""`python -m dev.deploy_tools`: get the programs ready and print where they are."""

import sys

from dev.control_plane.errors import ControlPlaneError
from dev.deploy_tools import HELM, PROMETHEUS_OPERATOR, PROMTOOL, find_tool
from dev.deploy_tools.module_files import find_files


def main() -> int:
    """Run the command; returns the exit code."""
    try:
        for recipe in (HELM, PROMTOOL):
            print(find_tool(recipe))
        print(find_files(PROMETHEUS_OPERATOR))
    except ControlPlaneError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
