"""The life of every resource, written once: PUT, PATCH, GET, DELETE, POST actions; what they end in is in `effects.py`."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import NoReturn

from arm_emulator import checks, rendering
from arm_emulator.cloud import Cloud
from arm_emulator.contention import ACT, DELETE, PATCH, PUT, Contention, short
from arm_emulator.effects import Effects
from arm_emulator.errors import Json, bad_request, group_not_found, invalid_format, not_found
from arm_emulator.ids import GROUP_TYPE, ResourceId, parse
from arm_emulator.operations import Operation, Timing
from arm_emulator.principals import Principal
from arm_emulator.resource_types import quotas, type_of
from arm_emulator.resource_types.base import IMMEDIATE, Call, Link, Put, Reply, Result, fresh_etag
from arm_emulator.resource_types.bodies import refuse_double_names
from arm_emulator.resource_types.versions import SUBNETS_SURVIVE_A_PUT_WITHOUT_THEM
from arm_emulator.store import Resource, resource


@dataclass(frozen=True, slots=True)
class Caller:
    """What a request says beside id and body: who asks, with which version and query, on what condition."""

    principal: Principal
    api_version: str
    endpoint: str
    query: Mapping[str, str]
    if_match: str | None = None
    if_none_match: str | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """The outcome of a write: the status of the answer, the resource where it has one, the operation where one runs.

    `reply` is what an action answers in place of the resource, now or, where an operation runs, at its end; `bare` says
    that the answer has no body.
    """

    status: int
    item: Resource | None
    operation: Operation | None = None
    reply: Reply | Result | None = None
    bare: bool = False


class LifeCycle:
    """Acts on one cloud. Every method either raises ArmError with the state as it was, or does all that it says."""

    def __init__(self, cloud: Cloud) -> None:
        """Becomes what ends the cloud's operations."""
        self._cloud = cloud
        self._effects = Effects(cloud)
        self._contention = Contention(cloud)
        cloud.operations.finish = self._effects.finish

    def get(self, resource_id: ResourceId) -> Resource:
        """The resource; raises one of ARM's shapes of 404."""
        item = self._cloud.store.get(resource_id.key)
        if item is None:
            item = type_of(resource_id.type).appears(self._cloud, resource_id)
        if item is None:
            self._refuse_missing(resource_id)
        return item

    def check_listed(self, first: ResourceId) -> None:
        """Raises where the group or the resource that a list is of is not there; `first` is an id that could be in it."""
        self._group(first)
        self._check_extended(first)

    def put(self, resource_id: ResourceId, body: Json, caller: Caller) -> Written:
        """Creates or replaces. Raises ArmError for everything that Azure refuses before it starts to work."""
        old = self._cloud.store.get(resource_id.key)
        if old is not None:
            resource_id = old.id
        self._check_place(resource_id)
        if old is None and not type_of(resource_id.type).check_name(resource_id):
            checks.check_name(type_of(resource_id.type), resource_id)
        checks.check_preconditions(self._cloud, old, caller.if_match, caller.if_none_match)
        put = self._put(resource_id, body, old, caller)
        superseded = self._contention.superseded_by(PUT, resource_id, caller.endpoint, caller.api_version)
        children = self._prepared(put)
        quotas.refuse_beyond(put)
        for one in (put, *children):
            for link in type_of(one.id.type).links(one):
                self._check_link(put, link, caller)
        for one in (put, *children):
            self._contention.refuse_unprovisioned(one)
        if old is not None and self._unchanged(put, old, children):
            return Written(HTTPStatus.OK, old)
        return self._commit(put, children, caller, superseded)

    def patch(self, resource_id: ResourceId, body: Json, caller: Caller) -> Written:
        """Replaces tags (and what else the type lets PATCH change) at once, or merges the body and writes it as a PUT."""
        item = self.get(resource_id)
        checks.refuse_in_deleting_group(self._cloud, item.id)
        if type_of(item.id.type).merges_patch:
            written = self.put(resource_id, merged(rendering.answered(self._cloud, item), body), caller)
            # Policies answer 201 to every PUT; a PATCH creates nothing.
            return replace(written, status=HTTPStatus.OK) if written.status == HTTPStatus.CREATED else written
        checks.check_preconditions(self._cloud, item, caller.if_match, caller.if_none_match)
        declared = type_of(item.id.type)
        unknown = sorted(set(body) - declared.patchable)
        if not declared.tracked or unknown:
            raise bad_request(
                "PatchOperationNotSupported",
                f"PATCH of {', '.join(unknown) or 'this resource'} is not supported for {item.id}; only "
                f"{', '.join(sorted(declared.patchable))} can be changed so.",
            )
        checks.check_tags(body)
        wanted = checks.shaped(declared, body)
        self._contention.superseded_by(PATCH, item.id, caller.endpoint, caller.api_version)
        item.body = {**item.body, **{name: wanted.get(name) for name in body}}
        self._effects.touch(item)
        return Written(HTTPStatus.OK, item)

    def delete(self, resource_id: ResourceId, caller: Caller) -> Written:
        """Starts a deletion. 204 where there is nothing; 404 where group or parent are not there either."""
        item = self._cloud.store.get(resource_id.key)
        if item is None:
            self._check_place(resource_id)
            if resource_id.type == GROUP_TYPE:
                raise group_not_found(resource_id.name)
            return Written(HTTPStatus.NO_CONTENT, None)
        is_group = item.id.type == GROUP_TYPE
        if not is_group:
            checks.refuse_in_deleting_group(self._cloud, item.id)
        checks.check_preconditions(self._cloud, item, caller.if_match, caller.if_none_match)
        declared = type_of(item.id.type)
        if is_group and item.state == "Deleting":
            running = self._cloud.operations.running_on(item.key)
            return Written(HTTPStatus.ACCEPTED, item, running[0])
        superseded = self._contention.superseded_by(DELETE, item.id, caller.endpoint, caller.api_version)
        if not (declared.force_skips_checks and caller.query.get("force", "").lower() == "true"):
            declared.check_delete(self._cloud, item)
        self._check_siblings_without(item, caller)
        if declared.delete is IMMEDIATE:
            self._effects.remove(item)
            return Written(declared.statuses.deleted, item, bare=not declared.statuses.deletion_has_body)
        item.properties["provisioningState"] = "Deleting"
        self._effects.touch(item)
        kind = "group-delete" if is_group else "delete"
        operation = self._start(kind, f"Delete{short(item)}Operation", item, declared.delete, caller)
        self._contention.supersede(superseded, operation)
        return Written(HTTPStatus.ACCEPTED, item, operation)

    def act(self, resource_id: ResourceId, action: str, body: Json, caller: Caller) -> Written:
        """Does a POST action; `action` is lower-case."""
        item = self.get(resource_id)
        checks.refuse_in_deleting_group(self._cloud, item.id)
        call = Call(action, body, caller.principal, caller.api_version, caller.query)
        wanted = type_of(item.id.type).act(self._cloud, item, call)
        if isinstance(wanted, Reply):
            return Written(HTTPStatus.OK, item, reply=wanted)
        if isinstance(wanted, Result):
            operation = self._start("result", wanted.name, item, wanted.timing, caller, {"body": wanted.body})
            return Written(HTTPStatus.ACCEPTED, item, operation, reply=wanted)
        self._contention.superseded_by(ACT, item.id, caller.endpoint, caller.api_version)
        item.properties["provisioningState"] = "Updating"
        self._effects.touch(item)
        operation = self._start("put", wanted.name, item, wanted.timing, caller, wanted.detail)
        return Written(HTTPStatus.ACCEPTED, item, operation)

    # -- before a write ------------------------------------------------------------------------------------------

    def _refuse_missing(self, resource_id: ResourceId) -> NoReturn:
        """404 in its shapes: no group, no parent, no child of a parent that is there, no such resource."""
        self._group(resource_id)
        self._check_extended(resource_id)
        if resource_id.type == GROUP_TYPE:
            raise group_not_found(resource_id.name)
        parent = resource_id.parent
        code, message = type_of(resource_id.type).not_found
        if code:
            raise not_found(code, message.format(id=resource_id, name=resource_id.name))
        if parent is None:
            raise checks.resource_not_found(resource_id)
        if self._cloud.store.get(parent.key) is None:
            raise checks.parent_not_found(resource_id)
        raise not_found("NotFound", f"Resource {resource_id} not found.")

    def _group(self, resource_id: ResourceId) -> Resource | None:
        if resource_id.group is None or resource_id.type == GROUP_TYPE:
            return None
        group = self._cloud.store.get(resource_id.place.lower())
        if group is None:
            raise group_not_found(resource_id.group)
        return group

    def _check_extended(self, resource_id: ResourceId) -> None:
        """An extension resource lies on something that is there."""
        base = parse(resource_id.extends) if resource_id.extends else None
        if base is not None and self._cloud.store.get(base.key) is None:
            raise checks.resource_not_found(base)

    def _check_place(self, resource_id: ResourceId) -> None:
        """Group, parent and what is extended must be there, and stay."""
        self._group(resource_id)
        self._check_extended(resource_id)
        checks.refuse_in_deleting_group(self._cloud, resource_id)
        parent = resource_id.parent
        if parent is not None and self._cloud.store.get(parent.key) is None:
            raise checks.parent_not_found(resource_id)

    def _put(self, resource_id: ResourceId, body: Json, old: Resource | None, caller: Caller) -> Put:
        declared = type_of(resource_id.type)
        wanted = checks.shaped(declared, body)
        if declared.tracked:
            checks.check_location(self._cloud, wanted, resource_id, old)
            checks.check_tags(wanted)
        parent = None if resource_id.parent is None else self._cloud.store.get(resource_id.parent.key)
        return Put(
            self._cloud,
            resource_id,
            wanted,
            old,
            None if parent is None else parent.body,
            caller.api_version,
            caller.principal,
            caller.query,
        )

    def _prepared(self, put: Put) -> list[Put]:
        """Normalises the body and those of nested children; returns the children's PUTs."""
        declared = type_of(put.id.type)
        nested = {name: put.properties.pop(name, None) for name in declared.nested}
        declared.prepare(put)
        children: list[Put] = []
        for name, child_type in declared.nested.items():
            if nested[name] is None and not self._drops_absent(name, put):
                kept = self._cloud.store.children(put.id.key, child_type)
                declared.check_children(put, child_type, [checks.named_resource(child) for child in kept])
                continue
            put.replaced.add(child_type)
            mine = [self._child(put, child_type, entry) for entry in checks.entries(nested[name], name)]
            refuse_double_names(put.id, (child.id.name for child in mine))
            declared.check_children(put, child_type, [checks.named(child) for child in mine])
            self._refuse_dropping(put, child_type, {child.id.key for child in mine})
            children += mine
        if put.id.parent is not None:
            self._check_siblings_with(put)
        return children

    def _drops_absent(self, name: str, put: Put) -> bool:
        """Rules and routes that a PUT leaves out are deleted; subnets only below 2023-09-01, peerings never."""
        if name == "virtualNetworkPeerings":
            return False
        return name != "subnets" or put.api_version < SUBNETS_SURVIVE_A_PUT_WITHOUT_THEM

    def _child(self, put: Put, child_type: str, entry: Json) -> Put:
        segment = child_type.rpartition("/")[2]
        name = entry.get("name")
        if not isinstance(name, str) or not type_of(child_type).names.fullmatch(name):
            raise invalid_format(f"An entry of {segment} of {put.id} has no valid name.", f"properties.{segment}")
        child_id = put.id.child(segment, name)
        old = self._cloud.store.get(child_id.key)
        declared = type_of(child_type)
        child = Put(
            self._cloud,
            child_id if old is None else old.id,
            checks.shaped(declared, entry),
            old,
            put.body,
            put.api_version,
            put.principal,
        )
        declared.prepare(child)
        return child

    def _refuse_dropping(self, put: Put, child_type: str, kept: set[str]) -> None:
        """Children that the body leaves out are deleted, and may be in use."""
        for child in self._cloud.store.children(put.id.key, child_type):
            if child.key not in kept:
                type_of(child_type).check_delete(self._cloud, child)

    def _check_siblings_with(self, put: Put) -> None:
        """The set of children as it will be, judged by the parent's type."""
        parent = self._standing_parent(put.id, put.api_version, put.principal)
        siblings = self._cloud.store.children(parent.id.key, put.id.type)
        children = [checks.named_resource(child) for child in siblings if child.key != put.id.key]
        type_of(parent.id.type).check_children(parent, put.id.type, [*children, checks.named(put)])

    def _check_siblings_without(self, item: Resource, caller: Caller) -> None:
        if item.parent_key is None:
            return
        parent = self._standing_parent(item.id, caller.api_version, caller.principal)
        siblings = self._cloud.store.children(parent.id.key, item.id.type)
        children = [checks.named_resource(child) for child in siblings if child.key != item.key]
        type_of(parent.id.type).check_children(parent, item.id.type, children)

    def _standing_parent(self, child: ResourceId, api_version: str, principal: Principal) -> Put:
        assert child.parent is not None
        parent = self._cloud.store.get(child.parent.key)
        assert parent is not None
        return Put(self._cloud, parent.id, parent.body, parent, None, api_version, principal)

    def _check_link(self, put: Put, link: Link, caller: Caller) -> None:
        if not link.scope.lower().startswith(("/subscriptions/", "/providers/")):
            raise bad_request(
                "LinkedInvalidPropertyId",
                f"Property id '{link.scope}' is invalid. Expect fully qualified resource Id that start with "
                "'/subscriptions/{subscriptionId}' or '/providers/{resourceProviderNamespace}/'.",
            )
        action = f"{put.id.type}/write"
        self._cloud.rights.authorize_linked(caller.principal, action, str(put.id), link.action, link.scope)

    def _unchanged(self, put: Put, old: Resource, children: list[Put]) -> bool:
        return old.body.get("tags") == put.body.get("tags") and self._rests(put, old, children)

    def _rests(self, put: Put, old: Resource, children: list[Put]) -> bool:
        """Whether nothing but tags differs: recorded, such a PUT answers Succeeded, and its operation has ended."""
        declared = type_of(put.id.type)
        if not declared.silent_when_unchanged or old.state != "Succeeded":
            return False
        if _apart_from_tags(old.body) != _apart_from_tags(put.body):
            return False
        for child_type in put.replaced:
            standing = self._cloud.store.children(old.key, child_type)
            stored = {child.key: checks.without_state(child.body) for child in standing}
            wanted = {
                child.id.key: checks.without_state(child.body) for child in children if child.id.type == child_type
            }
            if stored != wanted:
                return False
        return True

    # -- a write -------------------------------------------------------------------------------------------------

    def _commit(self, put: Put, children: list[Put], caller: Caller, superseded: list[Operation]) -> Written:
        declared = type_of(put.id.type)
        timing = declared.create if put.old is None else declared.update or declared.create
        rests = put.old is not None and self._rests(put, put.old, children)
        moving = "Updating" if put.old is not None else declared.creating_state
        state = "Succeeded" if timing is IMMEDIATE or rests else moving
        status = declared.statuses.created if put.old is None else declared.statuses.updated
        referred = {key for one in (put, *children) if one.old is not None for key in self._effects.targets(one.old)}
        item = self._store(put, state)
        for child_type in put.replaced:
            kept = {child.id.key for child in children if child.id.type == child_type}
            for child in self._cloud.store.children(item.key, child_type):
                if child.key not in kept:
                    self._effects.remove(child)
        stored = [item, *(self._store(child, state) for child in children)]
        self._effects.touch(item)
        for one, its_put in zip(stored, (put, *children), strict=True):
            type_of(one.id.type).committed(self._cloud, one, its_put)
        referred |= {key for one in stored for key in self._effects.targets(one)}
        self._effects.touch_roots(referred, item)
        if timing is IMMEDIATE:
            return Written(status, item)
        operation = self._start("put", f"Put{short(item)}Operation", item, timing, caller)
        self._contention.supersede(superseded, operation)
        if rests:
            self._cloud.operations.end(operation, None)
        return Written(status, item, operation)

    def _store(self, put: Put, state: str) -> Resource:
        item = put.old or resource(put.id, put.body)
        item.body = put.body
        if type_of(put.id.type).has_state:
            item.properties["provisioningState"] = state
        item.etag = item.etag or fresh_etag(type_of(put.id.type), item)
        self._cloud.store.put(item)
        return item

    def _start(
        self, kind: str, name: str, item: Resource, timing: Timing, caller: Caller, detail: Json | None = None
    ) -> Operation:
        root = self._cloud.store.get(item.root_key)
        return self._cloud.operations.start(
            name=name,
            kind=kind,
            subscription=item.id.subscription,
            region="" if root is None else root.location,
            namespace=item.id.type.partition("/")[0],
            target=item.key,
            # What only reads stands in nobody's way.
            root=item.root_key if kind != "result" else f"{item.root_key}#result",
            timing=timing,
            principal=caller.principal.name,
            detail=detail,
        )


def _apart_from_tags(body: Json) -> Json:
    return {name: value for name, value in checks.without_state(body).items() if name != "tags"}


def merged(body: Json, patch: Json) -> Json:
    """A JSON merge patch (RFC 7396) applied: null takes a member away, objects are merged, everything else replaces."""
    result = dict(body)
    for name, value in patch.items():
        before = result.get(name)
        if value is None:
            result.pop(name, None)
        elif isinstance(value, dict) and isinstance(before, dict):
            result[name] = merged(before, value)
        else:
            result[name] = value
    return result
