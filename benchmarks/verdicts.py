"""From an inventory's bytes to the verdicts on all its VMs, against parsing the bytes; and how that grows."""

import gc
import json
from collections.abc import Iterator

from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability import judge_all
from benchmarks.estate import Shape, document
from benchmarks.measure import Figure, peak_megabytes, seconds

NAME = "verdicts"
SMALL, LARGE = 2_000, 20_000


def run() -> Iterator[Figure]:
    """Times for RDP and SSH on each VM."""
    small, large = _seconds_a_verdict(SMALL), _seconds_a_verdict(LARGE)
    yield Figure(
        NAME, f"{LARGE} VMs, both protocols, bytes to verdicts", large.ratio, "ratio", "json.loads of the bytes"
    )
    growth = large.each / small.each
    yield Figure(NAME, f"time a VM, {LARGE} VMs", growth, "ratio", f"the same with {SMALL} VMs")
    yield Figure(NAME, "peak memory", peak_megabytes(), "MB")


class _Times:
    def __init__(self, whole: float, parse: float, machines: int) -> None:
        self.ratio = whole / parse
        self.each = whole / machines


def _seconds_a_verdict(machines: int) -> _Times:
    content = document(Shape.of(machines))
    parse = seconds(lambda: json.loads(content), times=3)
    gc.collect()
    found: list[int] = []
    whole = seconds(lambda: found.append(_judge(content)))
    if found != [2 * machines]:
        raise AssertionError(f"{found} verdicts on {machines} VMs")
    return _Times(whole, parse, machines)


def _judge(content: bytes) -> int:
    inventory = Inventory.from_rows(json.loads(content)["data"])
    return len(judge_all(inventory, protocols=("RDP", "SSH")))
