"""ReachabilityReports from rows: which report a row stands in, and what the reports are called. Pure.

A VM's shard is decided by a hash of its id, so that one VM's turn changes one report.
"""

import hashlib
import re
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pydantic import TypeAdapter

from bastion_operator.api.bastion_host import VerdictCounts
from bastion_operator.api.meta import ObjectMeta
from bastion_operator.api.reachability_report import MAX_ROWS, ReachabilityReport, ReportRow, Shard, Verdict

MAX_BYTES = 512 * 1024
_MAX_SHARDS = 8192
_NAME = 253
_STOPPED = "VMNotRunning"


def build_reports(
    *,
    namespace: str,
    bastion_host: str,
    rows_by_network: Mapping[str, Sequence[ReportRow]],
    shard_counts: Mapping[str, int] | None = None,
) -> tuple[ReachabilityReport, ...]:
    """The reports of one BastionHost: for each virtual network (by ARM id, told apart without case) one or more.

    ``shard_counts`` tells how many reports a network (its id in lower case) has now, so that a fleet that breathes
    around a limit does not rewrite all of them. Ordered by name of the report.
    """
    reports = [
        _report(namespace, bastion_host, network, rows, Shard(index=index, count=len(shards)))
        for network, all_rows in rows_by_network.items()
        for shards in [shard_rows(all_rows, current=(shard_counts or {}).get(network.lower(), 1))]
        for index, rows in enumerate(shards)
    ]
    return tuple(sorted(reports, key=lambda report: report.metadata.name))


def _report(
    namespace: str, bastion_host: str, network: str, rows: Sequence[ReportRow], shard: Shard
) -> ReachabilityReport:
    return ReachabilityReport(
        metadata=ObjectMeta(name=report_name(bastion_host, network, shard.index), namespace=namespace),
        bastion_host=bastion_host,
        virtual_network_id=network,
        virtual_network=network.rstrip("/").rpartition("/")[2][:80],
        shard=shard,
        counts=count_rows(rows),
        rows=tuple(rows),
    )


def report_name(bastion_host: str, network: str, index: int) -> str:
    """``<BastionHost>-<hash of the virtual network>-<shard>``, a valid name however long the BastionHost's is."""
    # Both go into the hash: two long names may have the same beginning.
    digest = hashlib.sha256(f"{bastion_host}\0{network.lower()}".encode()).hexdigest()[:10]
    ending = f"-{digest}-{index}"
    return bastion_host[: _NAME - len(ending)].rstrip("-.") + ending


def count_rows(rows: Sequence[ReportRow]) -> VerdictCounts:
    """Numbers of VMs, each counted once, by the best of its rows: Reachable, Unknown, only stopped, Unreachable.

    A VM that one protocol would reach once it is started is only stopped, whatever the other says (docs/reachability.md).
    """
    best: dict[str, str] = {}
    for row in rows:
        vm, verdict = row.vm.lower(), _class(row)
        known = best.get(vm)
        if known is None or _RANK[verdict] < _RANK[known]:
            best[vm] = verdict
    numbers = Counter(best.values())
    return VerdictCounts.model_validate({**numbers, "total": len(best)})


_RANK = {"reachable": 0, "unknown": 1, "stopped": 2, "unreachable": 3}
_NAMES = {verdict: verdict.value.lower() for verdict in Verdict}


def _class(row: ReportRow) -> str:
    only_stopped = row.verdict is Verdict.UNREACHABLE and all(reason.code == _STOPPED for reason in row.reasons)
    return "stopped" if only_stopped and row.reasons else _NAMES[row.verdict]


def shard_rows(rows: Sequence[ReportRow], *, current: int = 1) -> list[list[ReportRow]]:
    """Rows in shards of at most 1,000 rows and 512 KiB of JSON each, ordered by VM, protocol and port.

    The number of shards is a power of two. It stays ``current`` while that suffices, and shrinks only where a
    quarter of the shards would do, so that it does not swing. Some shard may be empty; with no rows there is one.
    Raises ValueError for rows that fit into no number of shards.
    """
    weighed = [_Weighed(_hash(row.vm), _bytes(row), row) for row in sorted(rows, key=_place)]
    needed = 1
    while not _fits(weighed, needed):
        needed *= 2
        if needed > _MAX_SHARDS:
            raise ValueError(f"{len(rows)} rows do not fit into {_MAX_SHARDS} reports: a VM has too many rows")
    count = current if needed <= current <= needed * 4 and current.bit_count() == 1 else needed
    shards: list[list[ReportRow]] = [[] for _ in range(count)]
    for each in weighed:
        shards[each.number % count].append(each.row)
    return shards


# Bytes at once: fifty thousand rows are weighed in a pass.
_SERIALIZER = TypeAdapter(ReportRow).serializer


class _Weighed(NamedTuple):
    number: int
    size: int
    row: ReportRow


def _fits(weighed: Sequence[_Weighed], count: int) -> bool:
    rows, sizes = [0] * count, [0] * count
    for each in weighed:
        shard = each.number % count
        rows[shard] += 1
        sizes[shard] += each.size
    return max(rows) <= MAX_ROWS and max(sizes) <= MAX_BYTES


def _bytes(row: ReportRow) -> int:
    """The row's size in the report's JSON, its comma included."""
    return len(_SERIALIZER.to_json(row, by_alias=True, exclude_none=True)) + 1


def _hash(vm: str) -> int:
    # Not Python's own hash, which another process would not repeat.
    return zlib.crc32(vm.lower().encode())


def _place(row: ReportRow) -> tuple[str, str, int]:
    return row.vm.lower(), row.protocol, row.port


_LABEL = 63
_LABEL_VALUE = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")


def label_of(bastion_host: str) -> str:
    """A BastionHost's name as a label's value: itself where it fits, else its beginning and a hash."""
    if len(bastion_host) <= _LABEL and _LABEL_VALUE.fullmatch(bastion_host):
        return bastion_host
    digest = hashlib.sha256(bastion_host.encode()).hexdigest()[:10]
    return f"{bastion_host[: _LABEL - len(digest) - 1].rstrip('-.')}-{digest}"
