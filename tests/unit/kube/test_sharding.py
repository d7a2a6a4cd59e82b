"""Which report a row stands in, and what the reports are called."""

import re

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bastion_operator.api.bastion_host import VerdictCounts
from bastion_operator.api.reachability_report import ReportRow
from bastion_operator.kube.sharding import (
    MAX_BYTES,
    build_reports,
    count_rows,
    label_of,
    report_name,
    shard_rows,
)
from tests.support.crd_examples import HUB, SPOKE
from tests.support.kube import arm_id

_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
_LABEL = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")


def row(
    vm: str, verdict: str = "Reachable", codes: tuple[str, ...] = (), message: str = "", port: int = 22
) -> ReportRow:
    """A row on SSH."""
    reasons = [{"code": code, "message": message} for code in codes]
    vm_id = arm_id("virtualMachines", vm)
    return ReportRow.model_validate(
        {"vm": vm_id, "protocol": "SSH", "port": port, "verdict": verdict, "reasons": reasons}
    )


def rows(count: int) -> list[ReportRow]:
    """Rows of so many VMs."""
    return [row(f"vm-{number}") for number in range(count)]


def test_few_rows_are_one_shard_in_order() -> None:
    assert shard_rows([row("b"), row("A", port=23), row("a")]) == [[row("a"), row("A", port=23), row("b")]]


def test_no_rows_are_one_empty_shard() -> None:
    assert shard_rows([]) == [[]]


def test_a_shard_has_at_most_1000_rows_and_nothing_is_lost() -> None:
    shards = shard_rows(rows(10_000))
    assert max(map(len, shards)) <= 1000
    assert sorted(each.vm for shard in shards for each in shard) == sorted(each.vm for each in rows(10_000))
    assert len(shards) == 16


def test_a_shard_has_at_most_512_kib() -> None:
    long = [row(f"vm-{number}", "Unreachable", ("NicNsgDenies",) * 4, "ü" * 1000) for number in range(400)]
    shards = shard_rows(long)
    for shard in shards:
        assert len(orjson.dumps([each.to_json() for each in shard])) <= MAX_BYTES
    assert len(shards) > 4


def test_one_vm_more_changes_one_shard() -> None:
    before, after = shard_rows(rows(3000)), shard_rows([*rows(3000), row("another")])
    assert sum(one != other for one, other in zip(before, after, strict=True)) == 1


def test_the_case_of_an_id_and_the_order_of_rows_decide_nothing() -> None:
    shouted = [each.replace(vm=each.vm.upper()) for each in reversed(rows(2500))]
    before = [[each.vm.lower() for each in shard] for shard in shard_rows(rows(2500))]
    assert [[each.vm.lower() for each in shard] for shard in shard_rows(shouted)] == before


@pytest.mark.parametrize(
    ("number_of_rows", "current", "expected"),
    [(900, 2, 2), (900, 4, 4), (900, 8, 1), (2500, 1, 4), (2500, 2, 4), (2500, 16, 16), (2500, 3, 4), (2500, 0, 4)],
)
def test_the_number_of_shards_does_not_swing(number_of_rows: int, current: int, expected: int) -> None:
    assert len(shard_rows(rows(number_of_rows), current=current)) == expected


def test_rows_that_fit_nowhere_are_refused() -> None:
    with pytest.raises(ValueError, match="1001 rows do not fit"):
        shard_rows([row("one", port=port) for port in range(1, 1002)])


def test_reports_of_networks_are_told_apart_without_case() -> None:
    reports = build_reports(
        namespace="team-a", bastion_host="hub", rows_by_network={HUB: rows(1500), SPOKE: [row("x", "Unknown")]}
    )
    assert [(report.virtual_network, report.shard.index, report.shard.count) for report in reports] == sorted(
        [("hub", 0, 2), ("hub", 1, 2), ("spoke", 0, 1)],
        key=lambda each: report_name("hub", {"hub": HUB, "spoke": SPOKE}[each[0]], each[1]),
    )
    assert sum(report.counts.reachable for report in reports) == 1500
    assert report_name("hub", HUB.upper(), 0) == report_name("hub", HUB, 0)
    assert len({report.metadata.name for report in reports}) == 3


def test_a_network_keeps_its_number_of_reports() -> None:
    reports = build_reports(
        namespace="n", bastion_host="b", rows_by_network={HUB: rows(10)}, shard_counts={HUB.lower(): 4}
    )
    assert [report.shard.count for report in reports] == [4] * 4


def test_a_vm_counts_once_and_by_its_best_verdict() -> None:
    assert count_rows(
        [
            row("a"),
            row("a", "Unreachable", ("CustomPortNotSupported",), port=2222),
            row("b", "Unreachable", ("NicNsgDenies",)),
            row("c", "Unknown", ("PermissionDenied",)),
            row("d", "Unreachable", ("VMNotRunning",)),
            row("e", "Unreachable", ("VMNotRunning", "NicNsgDenies")),
            row("f", "Unreachable", ("VMNotRunning", "ProtocolNotSupportedBySku")),
            row("f", "Unreachable", ("VMNotRunning",), port=2222),
        ]
    ) == VerdictCounts(reachable=1, unreachable=2, unknown=1, stopped=2, total=6)


@given(st.from_regex(_NAME, fullmatch=True).filter(lambda name: len(name) <= 253), st.integers(0, 8191))
def test_names_and_labels_are_ones_that_kubernetes_takes(name: str, index: int) -> None:
    report = report_name(name, HUB, index)
    assert _NAME.fullmatch(report)
    assert len(report) <= 253
    assert _LABEL.fullmatch(label_of(name))
    assert len(label_of(name)) <= 63


def test_long_names_with_the_same_beginning_stay_apart() -> None:
    one, other = "a" * 250 + ".b", "a" * 250 + ".c"
    assert report_name(one, HUB, 0) != report_name(other, HUB, 0)
    assert label_of(one) != label_of(other)
    assert label_of("short") == "short"
