"""One measured process: from the pages of an estate to verdicts and reports, or the parsing of the pages alone.

``python -m benchmarks.fleet_process PAGES WORK IDENTITIES``; prints JSON: processor seconds, peak MB, verdicts, reports.
"""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from bastion_operator.interpreter import collect_less_often
from bastion_operator.kube.sharding import build_reports
from bastion_operator.network.held_row import Held, hold, key_of
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability import judge_all
from bastion_operator.planning.verdict_rows import rows_by_network
from benchmarks.measure import peak_megabytes


def parse(pages: Path) -> int:
    """Parses all pages with the standard library, as it comes; the number of rows."""
    with pages.open("rb") as lines:
        parsed = [json.loads(line)["data"] for line in lines]
    return sum(map(len, parsed))


def parse_and_drop(pages: Path) -> int:
    """The same, with each page dropped before the next: what parsing alone takes, without a heap that grows."""
    with pages.open("rb") as lines:
        return sum(len(json.loads(line)["data"]) for line in lines)


def reports(pages: Path, identities: int) -> Iterator[tuple[int, Any]]:
    """For each identity the number of its verdicts, and its reports; as the operator does it, page by page."""
    with pages.open("rb") as lines:
        rows = {key_of(held): held for line in lines for held in hold(orjson.loads(line)["data"])}
    for seen in _seen(rows, identities):
        inventory = Inventory.from_rows(seen)
        verdicts = judge_all(inventory, protocols=("RDP", "SSH"))
        shown = rows_by_network(inventory, verdicts, "/none")
        made = build_reports(namespace="default", bastion_host="bastion", rows_by_network=shown)
        yield len(verdicts), (inventory, verdicts, made)


def _seen(rows: dict[str | None, Held], identities: int) -> Iterator[list[Held]]:
    """The rows of each identity: a run of subscriptions, and the one before it, in which a hub may lie."""
    if identities == 1:
        yield list(rows.values())
        return
    by_subscription: dict[str, list[Held]] = {}
    for key, held in rows.items():
        by_subscription.setdefault((key or "").split("/")[2], []).append(held)
    names = sorted(by_subscription)
    share = -(-len(names) // identities)
    for start in range(0, len(names), share):
        yield [held for name in names[max(start - 1, 0) : start + share] for held in by_subscription[name]]


_PARSING = {"parse": parse, "parse-and-drop": parse_and_drop}


def main(pages: Path, work: str, identities: int) -> None:
    """Does the work and prints what it took."""
    started = time.process_time()
    if work in _PARSING:
        found = {"rows": _PARSING[work](pages)}
    else:
        collect_less_often()
        kept = list(reports(pages, identities))
        found = {"verdicts": sum(count for count, _ in kept), "reports": sum(len(made[2]) for _, made in kept)}
    spent = time.process_time() - started
    print(json.dumps({"seconds": spent, "peak": peak_megabytes(), **found}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
