"""What `explain` tells, and its public form."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bastion_operator.cli.verdicts import verdict_document
from bastion_operator.network.finding import Finding
from bastion_operator.network.reachability import Verdict
from bastion_operator.network.trace import Hop, RouteRow, RuleRow, Trace
from bastion_operator.planning.fix_fields import FixField


@dataclass(frozen=True, slots=True)
class Mended:
    """A finding with its ways out: as fields of custom resources, as commands of az, or why there is none."""

    finding: Finding
    fields: tuple[FixField, ...]
    commands: tuple[str, ...]
    none_because: str | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """A verdict, the way that it is about (None where the source does not hold it), and what mends its reasons."""

    verdict: Verdict
    way: Trace | None
    mended: Sequence[Mended]


def explanation_document(told: Explanation) -> dict[str, Any]:
    """The public form: that of the verdict, with the hops and the ways out beside it."""
    return verdict_document(told.verdict) | {
        "hops": None if told.way is None else [_hop(hop) for hop in told.way.hops],
        "fixes": [_mended(one) for one in told.mended],
    }


def _mended(one: Mended) -> dict[str, Any]:
    fix = one.finding.fix
    return {
        "code": str(one.finding.code),
        "resource": one.finding.resource,
        "summary": one.none_because if fix is None else fix.summary,
        "customResources": [
            {"kind": each.kind, "about": each.about, "field": each.field, "value": each.value} for each in one.fields
        ],
        "commands": list(one.commands),
    }


def _hop(hop: Hop) -> dict[str, Any]:
    return {
        "direction": hop.leg.value,
        "hop": hop.name,
        "outcome": hop.outcome.value,
        "resource": hop.resource,
        "facts": dict(hop.facts),
        "rules": [_rule(row) for row in hop.rules],
        "routes": [_route(row) for row in hop.routes],
        "findings": [{"code": str(each.code), "message": each.message} for each in hop.findings],
    }


def _rule(row: RuleRow) -> dict[str, Any]:
    return {
        "mark": row.mark.value,
        "name": row.name,
        "priority": row.priority,
        "access": row.access,
        "protocol": row.protocol,
        "source": row.source,
        "destination": row.destination,
        "ports": row.ports,
        "forSources": row.sources or None,
    }


def _route(row: RouteRow) -> dict[str, Any]:
    return {
        "mark": row.mark.value,
        "name": row.name,
        "prefix": row.prefix,
        "nextHop": row.next_hop,
        "forSources": row.sources or None,
    }
