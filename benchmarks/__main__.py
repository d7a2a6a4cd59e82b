"""Run every benchmark, or those that are named: JSON lines, then a table."""

import json
import sys
from dataclasses import asdict

from benchmarks import command, local_azure, verdicts

BENCHMARKS = {module.NAME: module for module in (verdicts, command, local_azure)}


def main(names: list[str]) -> int:
    """Returns the exit code: 2 for a benchmark that there is not."""
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        print(f"no benchmark {', '.join(unknown)}: there are {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    figures = []
    for name in names or BENCHMARKS:
        for figure in BENCHMARKS[name].run():
            figures.append(figure)
            print(json.dumps(asdict(figure)), flush=True)
    print()
    for figure in figures:
        against = f" of {figure.against}" if figure.against else ""
        print(f"{figure.benchmark:<12} {figure.what:<48} {figure.value:8.1f} {figure.unit}{against}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
