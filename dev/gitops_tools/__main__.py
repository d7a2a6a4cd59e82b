"""`python -m dev.gitops_tools`: get the programs ready and print where they are."""

import sys

from dev.control_plane.errors import ControlPlaneError
from dev.deploy_tools import find_tool
from dev.deploy_tools.module_files import find_files
from dev.gitops_tools import ARGO_CD, ARGO_CD_MANIFESTS, CONTROLLER_MANAGER


def main() -> int:
    """Run the command; returns the exit code."""
    try:
        for recipe in (CONTROLLER_MANAGER, ARGO_CD):
            print(find_tool(recipe))
        print(find_files(ARGO_CD_MANIFESTS))
    except ControlPlaneError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
