"""The diagnostic setting that sends a host's logs to a Log Analytics workspace: the operator's own, beside those of others.

A setting has no tags: the claim on it and its name, which nobody else would choose, are the mark. Azure keeps a setting when its
resource is deleted and gives it to the next resource of that name, so it is deleted before the host is. Source: Microsoft's page
"Diagnostic settings in Azure Monitor"; the categories of Bastion: "Supported logs for Microsoft.Network/bastionHosts".
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from bastion_operator.api.bastion_host import Diagnostics
from bastion_operator.api.common import Claim, ClaimOrigin
from bastion_operator.network.finding import Finding
from bastion_operator.planning.bastion_input import BastionHostInput
from bastion_operator.planning.body import Named, lookup, with_named
from bastion_operator.planning.model import NOT_READ, Body, Change, Difference, Observed, Plan, Verb, Wait, root_of
from bastion_operator.planning.obstacles import ObstacleCode, obstacle
from bastion_operator.planning.ownership import Owner, claim_on, with_claim, without_claim
from bastion_operator.planning.wording import named

DIAGNOSTICS: Final = "Diagnostics"
_COLLECTION: Final = "/providers/Microsoft.Insights/diagnosticSettings"
_METRICS: Final = "AllMetrics"
_WORKSPACE: Final = ("properties", "workspaceId")
_LOGS: Final = ("properties", "logs")
_METRICS_LIST: Final = ("properties", "metrics")
_HASH_LENGTH: Final = 16


def settings_of_host(host_id: str) -> str:
    """The id of the collection of a host's settings, which is read as a whole: those of others may be in the way."""
    return f"{host_id}{_COLLECTION}"


def is_settings(collection_id: str) -> bool:
    """Whether an id is that of a collection of settings."""
    return collection_id.lower().endswith(_COLLECTION.lower())


def diagnostics_id(owner: Owner, host_id: str) -> str:
    """The id of this owner's setting on a host: the same at every time, and nobody else's."""
    content = "\n".join((owner.installation_id, f"{owner.namespace}/{owner.name}"))
    digest = hashlib.sha256(content.encode()).hexdigest()[:_HASH_LENGTH]
    return f"{settings_of_host(host_id)}/azurebastion-{digest}"


def plan_diagnostics(asked: BastionHostInput, plan: Plan) -> Plan:
    """The plan for a host that stands, with what its setting needs; a setting that is not asked for any more goes."""
    setting = diagnostics_id(asked.owner, asked.ids.host)
    wanted = asked.spec.diagnostics
    if wanted is None and (asked.watching or claim_on(plan.claims, setting) is None):
        return plan
    every = settings_of_host(asked.ids.host)
    if not asked.observed.looked_at(every) and asked.observed.get(every) is None:
        # No inventory holds settings.
        return replace(plan, waits=(*plan.waits, Wait(setting, every, NOT_READ)))
    body = _setting(asked.observed, setting)
    if wanted is None:
        return _removed(plan, setting, body, "the spec asks for no diagnostics any more")
    if not asked.watching:
        claim = Claim(id=setting, purpose=DIAGNOSTICS, origin=ClaimOrigin.CREATED, claimed_at=asked.now)
        plan = replace(plan, claims=with_claim(plan.claims, claim))
    differences = _differences(wanted, body or {})
    if not differences:
        return plan
    in_the_way = _in_the_way(wanted, asked.observed.get(every) or {}, setting)
    if in_the_way is not None:
        return replace(plan, obstacles=(*plan.obstacles, in_the_way))
    verb, reason = (
        (Verb.CREATE, "the host has no such diagnostic setting")
        if body is None
        else (Verb.UPDATE, "the diagnostic setting differs from the spec")
    )
    change = Change(verb, setting, every, reason, _wanted_body(wanted, body or {}), differences)
    return replace(plan, changes=(*plan.changes, change))


def remove_diagnostics(asked: BastionHostInput, plan: Plan) -> Plan:
    """The plan with the deletion of the setting, if the operator made one."""
    for claim in [claim for claim in plan.claims if claim.purpose == DIAGNOSTICS]:
        every = root_of(claim.id)
        if not asked.observed.looked_at(every):
            plan = replace(plan, waits=(*plan.waits, Wait(claim.id, every, NOT_READ)))
            continue
        plan = _removed(plan, claim.id, _setting(asked.observed, claim.id), "the BastionHost is being deleted")
    return plan


def _removed(plan: Plan, setting: str, body: Body | None, reason: str) -> Plan:
    if body is None:
        return replace(plan, claims=without_claim(plan.claims, setting))
    change = Change(Verb.DELETE, setting, root_of(setting), reason)
    return replace(plan, changes=(*plan.changes, change), going=(*plan.going, setting))


def _setting(observed: Observed, setting: str) -> Body | None:
    """One setting out of the host's collection."""
    return next((each for each in _listed(observed.get(root_of(setting)) or {}) if _is(each, setting)), None)


def settings_after(collection: Body, change: Change) -> Body:
    """A host's collection after a change of one of its settings is carried out."""
    others = [each for each in _listed(collection) if not _is(each, change.resource_id)]
    if change.verb is Verb.DELETE:
        return {"value": others}
    own = {"id": change.resource_id, "name": change.resource_id.rpartition("/")[2]}
    return {"value": [*others, {**(change.body or {}), **own}]}


def _is(listed: Body, setting: str) -> bool:
    return str(listed.get("name", "")).lower() == setting.rpartition("/")[2].lower()


def _listed(collection: Body) -> list[Body]:
    found = collection.get("value")
    return [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []


def _in_the_way(wanted: Diagnostics, collection: Body, own: str) -> Finding | None:
    """Somebody else's setting that sends one of the categories to the same workspace: Azure takes each once."""
    asked = {name.lower(): name for name in wanted.categories}
    for other in _listed(collection):
        name = str(other.get("name", ""))
        there = str(lookup(other, _WORKSPACE) or "").lower()
        doubled = sorted(asked[each] for category in _enabled(other) if (each := category.lower()) in asked)
        if name.lower() == own.rpartition("/")[2].lower() or there != wanted.workspace_id.lower() or not doubled:
            continue
        message = (
            f"the diagnostic setting {name} of the host, which is not the operator's, sends {', '.join(doubled)} to "
            f"{named(wanted.workspace_id)} already, and Azure takes a category to a workspace once: delete that setting, or take "
            "the category, or diagnostics as a whole, off the spec"
        )
        return obstacle(ObstacleCode.DIAGNOSTICS_IN_THE_WAY, message, f"{root_of(own)}/{name}")
    return None


def _differences(wanted: Diagnostics, body: Body) -> tuple[Difference, ...]:
    workspace = lookup(body, _WORKSPACE)
    found = []
    if str(workspace or "").lower() != wanted.workspace_id.lower():
        found.append(Difference("diagnostics.workspaceID", workspace, wanted.workspace_id))
    enabled = _enabled(body)
    if {name.lower() for name in enabled} != {name.lower() for name in wanted.categories}:
        before = ", ".join(sorted(enabled)) or None
        found.append(Difference("diagnostics.categories", before, ", ".join(sorted(wanted.categories))))
    return tuple(found)


def _enabled(body: Body) -> list[str]:
    """The categories and groups of categories that a setting sends."""
    entries = [each for path in (_LOGS, _METRICS_LIST) for each in lookup(body, path) or () if each.get("enabled")]
    return [str(each.get("category") or each.get("categoryGroup")) for each in entries]


def _wanted_body(wanted: Diagnostics, body: Body) -> dict[str, Any]:
    metrics = [name for name in wanted.categories if name.lower() == _METRICS.lower()]
    logs = [name for name in wanted.categories if name not in metrics]
    named: Named = {_WORKSPACE: wanted.workspace_id, _LOGS: _entries(logs), _METRICS_LIST: _entries(metrics)}
    return with_named(body, named)


def _entries(categories: Iterable[str]) -> list[dict[str, Any]]:
    return [{"category": name, "enabled": True} for name in sorted(categories)]
