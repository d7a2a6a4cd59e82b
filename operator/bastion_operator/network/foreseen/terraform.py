"""Terraform's plans, as ``terraform show -json PLAN`` writes them. Source: HashiCorp's page "JSON Output Format"."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from bastion_operator.network.fields import Row, mapping, objects, text
from bastion_operator.network.foreseen.arm_types import UNDERSTOOD, harmless
from bastion_operator.network.foreseen.plan import (
    Action,
    Edit,
    ForeignPlan,
    NotConsidered,
    PlanFileError,
    PlannedChange,
    entries,
)
from bastion_operator.network.foreseen.terraform_idle import HARMLESS, IDLE_ARGUMENTS
from bastion_operator.network.foreseen.terraform_references import Place, References, place_of
from bastion_operator.network.foreseen.terraform_types import AZAPI, TYPES, TerraformType, UnknownValueError

_UNTOLD: Final = "?"
_HOW: Final = "write it with: terraform plan -out PLAN && terraform show -json PLAN > plan.json"
_SUBSCRIPTION: Final = re.compile("/subscriptions/([^/]+)/", re.IGNORECASE)
_ARM_ID: Final = re.compile("/subscriptions/[^/]+(/.+)?", re.IGNORECASE)
_ACTIONS: Final = {
    ("create",): Action.CREATE,
    ("update",): Action.UPDATE,
    ("delete",): Action.DELETE,
    ("delete", "create"): Action.REPLACE,
    ("create", "delete"): Action.REPLACE,
}


def read_terraform_plan(name: str, content: bytes, subscription: str | None = None) -> ForeignPlan:
    """What a plan does. ``subscription``: the one that new resources come into, where the plan does not tell it.

    Raises PlanFileError for what is no plan, or where the subscription is not to be told.
    """
    plan = _parsed(name, content)
    changes = [each for each in entries(name, plan, "resource_changes", _HOW) if _is_ours(each)]
    return _Reading(plan, changes, _subscriptions(plan, changes, subscription)).result()


def _parsed(name: str, content: bytes) -> Row:
    try:
        plan = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise PlanFileError(f"{name} is no JSON: {error}", _HOW) from error
    if not isinstance(plan, dict) or "format_version" not in plan:
        raise PlanFileError(f"{name} is no plan of Terraform's: it has no format_version", _HOW)
    if "resource_changes" not in plan and "planned_values" not in plan:
        raise PlanFileError(f"{name} is a state of Terraform's, not a plan", _HOW)
    return plan


def _is_ours(change: Row) -> bool:
    """Whether it is of a provider that writes to Azure's networks, and no data source."""
    return change.get("mode", "managed") == "managed" and str(change.get("type")).startswith(("azurerm_", "azapi_"))


@dataclass(frozen=True, slots=True)
class _Subscriptions:
    """In which subscription new resources are made: by the name of their provider's configuration, and by default."""

    by_provider: Mapping[str, str]
    default: str | None


def _subscriptions(plan: Row, changes: Sequence[Row], given: str | None) -> _Subscriptions:
    """By default that of the plain provider, or the one of all ids in the plan. Raises PlanFileError if there is no such one."""
    configured = mapping(plan, "configuration", "provider_config")
    by_provider = {
        name: found
        for name in configured
        if (found := _told(plan, mapping(configured, name, "expressions", "subscription_id"))) is not None
    }
    default = given or by_provider.get("azurerm") or by_provider.get("azapi")
    if default is not None:
        return _Subscriptions(by_provider, default)
    named = _SUBSCRIPTION.findall(orjson.dumps([plan.get("prior_state"), *changes]).decode())
    mentioned: dict[str, str] = {each.lower(): each for each in named}
    if len(mentioned) == 1:
        return _Subscriptions(by_provider, next(iter(mentioned.values())))
    if by_provider or not any(_action(each) in {Action.CREATE, Action.REPLACE} for each in changes):
        return _Subscriptions(by_provider, None)
    told = f"it names {len(mentioned)}" if mentioned else "it names none"
    raise PlanFileError(
        f"the plan does not tell in which subscription new resources are made: {told}", "give --new-in ID"
    )


def _told(plan: Row, expression: Row) -> str | None:
    """A constant, or the value of the one variable that is referred to."""
    references = expression.get("references")
    if isinstance(references, list) and references:
        return text(plan, "variables", str(references[0]).removeprefix("var."), "value")
    return text(expression, "constant_value")


def _action(change: Row) -> Action | None:
    actions = change.get("change", {}).get("actions") if isinstance(change.get("change"), dict) else None
    return _ACTIONS.get(tuple(actions)) if isinstance(actions, list) else None


@dataclass(frozen=True, slots=True)
class _Entry:
    """A change with its place; ``before`` and ``after`` are its arguments, None where it is not there."""

    place: Place
    address: str
    kind: str
    action: Action | None
    before: Row | None
    after: Row | None
    unknown: Any


class _Reading:
    def __init__(self, plan: Row, changes: Iterable[Row], subscriptions: _Subscriptions) -> None:
        self._subscriptions = subscriptions
        self._references = References(plan, {})
        self._entries = [_entry(each) for each in changes]
        ids = {each.place: each_id for each in self._entries if (each_id := self._known_id(each)) is not None}
        self._references = References(plan, {**_known_before(plan), **ids})

    def result(self) -> ForeignPlan:
        edits: list[Edit] = []
        changes: list[PlannedChange] = []
        left_out: list[NotConsidered] = []
        for entry in self._entries:
            if entry.action is None:
                continue
            if _is_harmless(entry):
                left_out.append(NotConsidered(entry.address, entry.kind, "and nothing on the way to a VM hangs on it"))
                continue
            kind = _type_of(entry)
            if kind is None:
                left_out.append(self._not_understood(entry, "because this version does not understand its type"))
                continue
            try:
                made, changed = self._read(kind, entry, entry.action)
            except UnknownValueError as error:
                left_out.append(self._not_understood(entry, f"because {error}"))
                continue
            edits += made
            changes.append(changed)
        return ForeignPlan(tuple(edits), tuple(changes), tuple(left_out))

    def _read(self, kind: TerraformType, entry: _Entry, action: Action) -> tuple[list[Edit], PlannedChange]:
        edits: list[Edit] = []
        if action in {Action.DELETE, Action.REPLACE} and entry.before is not None:
            resource_id = self._id(kind, entry, entry.before)
            edits += kind.deleted(resource_id, entry.before)
        if action is not Action.DELETE:
            after = self._after(entry)
            self._check_known(entry, after)
            resource_id = self._id(kind, entry, after)
            edits += kind.written(resource_id, after, action is not Action.UPDATE)
        return edits, PlannedChange(action, entry.address, resource_id)

    def _check_known(self, entry: _Entry, after: Row) -> None:
        """Raises UnknownValueError for an argument that verdicts may rest on and that nobody can tell yet."""
        untold = self._references.untold(entry.place, after, entry.unknown)
        matter = [each for each in untold if IDLE_ARGUMENTS.fullmatch(each) is None]
        if matter:
            raise UnknownValueError(f"its {matter[0]} is known only after apply")

    def _not_understood(self, entry: _Entry, why: str) -> NotConsidered:
        """With the ids that it names; what names nothing but itself could be about anything, unless its type is known."""
        own = self._known_id(entry)
        named = dict.fromkeys([*_ids(entry.before), *_ids(self._after(entry))])
        about = tuple(dict.fromkeys([*([own] if own is not None else []), *named]))
        lonely = not set(about) - {own}
        return NotConsidered(
            entry.address, entry.kind, why, about, anything=lonely and (entry.kind not in TYPES or own is None)
        )

    def _after(self, entry: _Entry) -> Row:
        return self._references.completed(entry.place, entry.after or {}, entry.unknown)

    def _id(self, kind: TerraformType, entry: _Entry, values: Row) -> str:
        """Raises UnknownValueError."""
        stated = None if kind.attachment else _id_of(values)
        if stated is not None:
            return stated
        resource_id = kind.resource_id(values, self._subscription(entry) or _UNTOLD)
        if _UNTOLD in resource_id:
            raise UnknownValueError("its subscription is not told, give --new-in ID")
        return resource_id

    def _subscription(self, entry: _Entry) -> str | None:
        provider = text(self._references.configuration(entry.place), "provider_config_key") or "azurerm"
        own = self._subscriptions.by_provider.get(provider)
        # A provider of another name that says nothing of its own may be anywhere.
        plain = "." not in provider or not self._subscriptions.by_provider
        return own or (self._subscriptions.default if plain else None)

    def _known_id(self, entry: _Entry) -> str | None:
        """The id of a resource that stands, or that a new one will have, as far as its own arguments tell it."""
        kind = _type_of(entry)
        values = entry.before if entry.action is Action.DELETE else entry.after
        if values is None or (kind is None and _id_of(values) is None):
            return None
        try:
            return _id_of(values) if kind is None else self._id(kind, entry, values)
        except UnknownValueError:
            return None


def _type_of(entry: "_Entry") -> TerraformType | None:
    """How it is read; None for what is not understood."""
    if entry.kind != "azapi_resource":
        return TYPES.get(entry.kind)
    values = entry.after or entry.before
    arm_type = str((values or {}).get("type")).partition("@")[0].lower()
    return AZAPI if arm_type in UNDERSTOOD else None


def _is_harmless(entry: "_Entry") -> bool:
    if entry.kind != "azapi_resource":
        return HARMLESS.fullmatch(entry.kind) is not None
    return harmless(str((entry.after or entry.before or {}).get("type")).partition("@")[0])


def _entry(change: Row) -> _Entry:
    held = mapping(change, "change")
    before, after = held.get("before"), held.get("after")
    return _Entry(
        place=place_of(change),
        address=str(change.get("address")),
        kind=str(change.get("type")),
        action=_action(change),
        before=before if isinstance(before, dict) else None,
        after=after if isinstance(after, dict) else None,
        unknown=held.get("after_unknown"),
    )


def _known_before(plan: Row) -> dict[Place, str]:
    """Ids of everything in the state that the plan was made on, data sources included."""
    found: dict[Place, str] = {}
    waiting = [mapping(plan, "prior_state", "values", "root_module")]
    while waiting:
        module = waiting.pop()
        waiting += objects(module, "child_modules")
        for resource in objects(module, "resources"):
            if (resource_id := text(resource, "values", "id")) is not None:
                found[place_of({**resource, "module_address": module.get("address")})] = resource_id
    return found


def _id_of(values: Row | None) -> str | None:
    """The id, where it is one resource's: an association's is made of two."""
    found = text(values, "id")
    return found if found is not None and _ARM_ID.fullmatch(found) and "|" not in found else None


def _ids(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        if _ARM_ID.fullmatch(value) and "|" not in value:
            yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _ids(each)
    elif isinstance(value, list):
        for each in value:
            yield from _ids(each)
