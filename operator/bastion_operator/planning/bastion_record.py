"""What a host was made as, in what Azure fixes at creation: written into the claim on it, to tell a changed spec from drift.

The claim's detail is one of ``A`` (host and spec agreed on A), ``A -> W`` (announced: the host that agreed on A is to be made
anew as W) and ``A => W`` (the old host is gone, the new one is made as W). So no crash makes a host anew twice, and a host
that others changed is never made anew for it.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Final

from bastion_operator.api.common import Claim
from bastion_operator.network.arm_id import normalise_id
from bastion_operator.planning.bastion_input import BastionHostInput
from bastion_operator.planning.model import Difference, Plan
from bastion_operator.planning.ownership import claim_on, with_claim_in_place

SKU: Final = "sku"
ZONES: Final = "zones"
PRIVATE_ONLY: Final = "features.privateOnly"
PUBLIC_IP: Final = "publicIP"
RECORDED: Final = frozenset({SKU, ZONES, PRIVATE_ONLY, PUBLIC_IP})
_ANNOUNCED: Final = " -> "
_UNDER_WAY: Final = " => "


def record_of_spec(asked: BastionHostInput) -> str:
    """What the spec asks for of all that only a new host can have, in one line; what it leaves out is empty."""
    spec = asked.spec
    fields = {
        SKU: spec.sku or "",
        ZONES: ",".join(sorted(spec.zones or ())),
        PRIVATE_ONLY: str(bool(spec.features.private_only)).lower(),
        PUBLIC_IP: normalise_id(asked.ids.public_ip) if spec.public_ip is not None else "",
    }
    return _line(fields)


def agreed(claim: Claim | None) -> str | None:
    """The record of what the host was made as or last agreed on; None where that is not known."""
    detail = claim.detail if claim is not None else None
    if detail is None:
        return None
    return detail.rpartition(_UNDER_WAY)[2].partition(_ANNOUNCED)[0] or None


def changed_in_spec(asked: BastionHostInput, claim: Claim | None, differences: tuple[Difference, ...]) -> bool:
    """Whether one of these differences comes from the spec: it asks for another value than the host was made with."""
    before = agreed(claim)
    if before is None:
        return False
    then, now = _fields(before), _fields(record_of_spec(asked))
    return any(each.field in then and then[each.field] != now[each.field] for each in differences)


def announced(asked: BastionHostInput, claim: Claim | None) -> bool:
    """Whether it was told already that the host is to be made anew as the spec is now."""
    return claim is not None and claim.detail == _announcement(asked, claim)


def under_way(claim: Claim | None) -> str:
    """Which fields a host that is being made anew gets otherwise, in words; empty where none is being made anew."""
    detail = (claim.detail if claim is not None else None) or ""
    for arrow in (_UNDER_WAY, _ANNOUNCED):
        before, found, after = detail.partition(arrow)
        if found:
            return _compared(before, after)
    return ""


def with_agreement(asked: BastionHostInput, plan: Plan, but: Collection[str] = ()) -> Plan:
    """The plan with the record that host and spec agree, ``but`` for these fields: they stay as they were recorded.

    An announcement is taken back with it.
    """
    before = _fields(agreed(claim_on(plan.claims, asked.ids.host)) or "")
    now = _fields(record_of_spec(asked))
    kept = {name: before.get(name) if name in but else value for name, value in now.items()}
    return _recorded(asked, plan, _line({name: value for name, value in kept.items() if value is not None}) or None)


def with_announcement(asked: BastionHostInput, plan: Plan) -> Plan:
    """The plan with the record that the host is to be made anew."""
    claim = claim_on(plan.claims, asked.ids.host)
    return plan if claim is None else _recorded(asked, plan, _announcement(asked, claim))


def with_creation(asked: BastionHostInput, plan: Plan) -> Plan:
    """The plan with the record of what the host is made as, and that there was one before where it was to be made anew."""
    claim = claim_on(plan.claims, asked.ids.host)
    wanted = record_of_spec(asked)
    if claim is None or claim.detail is None or not (_ANNOUNCED in claim.detail or _UNDER_WAY in claim.detail):
        return _recorded(asked, plan, wanted)
    before = claim.detail.partition(_ANNOUNCED)[0].partition(_UNDER_WAY)[0]
    return _recorded(asked, plan, f"{before}{_UNDER_WAY}{wanted}")


def _announcement(asked: BastionHostInput, claim: Claim) -> str:
    return f"{agreed(claim) or ''}{_ANNOUNCED}{record_of_spec(asked)}"


def _recorded(asked: BastionHostInput, plan: Plan, detail: str | None) -> Plan:
    claim = claim_on(plan.claims, asked.ids.host)
    if claim is None:
        return plan
    return replace(plan, claims=with_claim_in_place(plan.claims, claim.replace(detail=detail)))


def _line(fields: Mapping[str, str]) -> str:
    return ";".join(f"{name}={value}" for name, value in fields.items())


def _fields(record: str) -> dict[str, str]:
    return dict(field.partition("=")[::2] for field in record.split(";") if field)


def _compared(before: str, after: str) -> str:
    then, now = _fields(before), _fields(after)
    differing = [
        Difference(name, then.get(name) or None, value) for name, value in now.items() if then.get(name) != value
    ]
    return "; ".join(map(str, differing)) or "as it was"
