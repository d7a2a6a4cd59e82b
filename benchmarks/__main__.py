"""Run every benchmark, or those that are named: JSON lines, then a table."""

import json
import sys
from dataclasses import asdict

from bastion_operator.interpreter import collect_less_often
from benchmarks import (
    azure_budgets,
    command,
    load,
    local_azure,
    operator_process,
    probes,
    resource_graph,
    rules,
    snapshot,
    sync,
    verdicts,
)
from benchmarks.measure import Figure

BENCHMARKS = {
    module.NAME: module
    for module in (
        rules,
        verdicts,
        probes,
        operator_process,
        snapshot,
        command,
        local_azure,
        resource_graph,
        azure_budgets,
        sync,
        load,
    )
}


def main(names: list[str]) -> int:
    """Returns the exit code: 1 where a limit is missed that is no time, 2 for a benchmark that there is not."""
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
        print(_line(figure))
    missed = [figure for figure in figures if figure.missed and not figure.is_time]
    print(f"\n{len(missed)} of {sum(bool(figure.limit) for figure in figures)} limits missed", end="")
    print("; a time beyond its limit may be the machine's, and is shown only")
    return 1 if missed else 0


def _line(figure: Figure) -> str:
    against = f" of {figure.against}" if figure.against else ""
    limit = f"  ({'MISSED: ' if figure.missed else ''}{figure.limit})" if figure.limit else ""
    return f"{figure.benchmark:<14} {figure.what:<84} {figure.value:8.2f} {figure.unit}{against}{limit}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
