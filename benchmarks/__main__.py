"""Run every benchmark, or those that are named: JSON lines, then a table."""

import json
import sys
from dataclasses import asdict

from bastion_operator.garbage import collect_less_often
from benchmarks import azure_budgets, command, local_azure, probes, resource_graph, rules, snapshot, verdicts

BENCHMARKS = {
    module.NAME: module
    for module in (rules, verdicts, probes, snapshot, command, local_azure, resource_graph, azure_budgets)
}


def main(names: list[str]) -> int:
    """Returns the exit code: 2 for a benchmark that there is not."""
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        print(f"no benchmark {', '.join(unknown)}: there are {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    # As the operator's own programs do.
    collect_less_often()
    figures = []
    for name in names or BENCHMARKS:
        for figure in BENCHMARKS[name].run():
            figures.append(figure)
            print(json.dumps(asdict(figure)), flush=True)
    print()
    for figure in figures:
        against = f" of {figure.against}" if figure.against else ""
        print(f"{figure.benchmark:<12} {figure.what:<84} {figure.value:8.1f} {figure.unit}{against}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
