"""Print the targets of a Makefile whose lines end in `# what it does`."""

import re
import sys
from pathlib import Path


def main() -> None:
    """Print a line for each target."""
    for line in Path(sys.argv[1]).read_text(encoding="utf-8").splitlines():
        found = re.match(r"([a-z-]+):\s+;.*#\s+(.+)$", line)
        if found:
            print(f"make {found[1]:<13} {found[2]}")


if __name__ == "__main__":
    main()
