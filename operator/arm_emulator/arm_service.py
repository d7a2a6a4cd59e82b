"""Azure Resource Manager's own front door: what a request means, whether it is allowed, and who answers it."""

from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from typing import Protocol

import orjson

from arm_emulator import api_versions, origin, rendering, resource_list
from arm_emulator.activity_log import ActivityLog
from arm_emulator.audit import correlation, refusal
from arm_emulator.checks import region_of
from arm_emulator.cloud import Cloud
from arm_emulator.diagnostic_endpoints import DiagnosticEndpoints
from arm_emulator.errors import ArmError, Json, not_found
from arm_emulator.gate import READS, Gate
from arm_emulator.ids import ResourceId
from arm_emulator.life_cycle import Caller, LifeCycle, Written
from arm_emulator.management_group_endpoints import ManagementGroupEndpoints
from arm_emulator.messages import Answer, Request
from arm_emulator.operation_endpoints import OperationEndpoints
from arm_emulator.pages import page
from arm_emulator.permission_endpoints import PermissionEndpoints
from arm_emulator.principals import Principal
from arm_emulator.provider_endpoints import ProviderEndpoints
from arm_emulator.requests import Target, action_of, body_of, target_of, unknown_path, versioned_type
from arm_emulator.resource_types import type_of
from arm_emulator.resource_types.base import Result
from arm_emulator.store import Resource
from arm_emulator.subscription_endpoints import SubscriptionEndpoints
from arm_emulator.tag_name_endpoints import TagNameEndpoints
from arm_emulator.tags_endpoints import TagsEndpoints
from arm_emulator.throttling import Throttle
from arm_emulator.usage_endpoints import UsageEndpoints

CORRELATION = "x-ms-correlation-request-id"
NETWORK_NAMESPACE = "microsoft.network/"


class Endpoints(Protocol):
    """Paths that are neither a resource nor a list of resources."""

    def answer(self, request: Request, principal: Principal, segments: list[str]) -> Answer | None:
        """The answer to a path of these lower-cased segments; None where it belongs to somebody else."""


class ArmService:
    """Answers ARM's requests from one cloud."""

    def __init__(self, cloud: Cloud, throttle: Throttle) -> None:
        """Takes over the cloud's life cycle."""
        self._cloud = cloud
        self._throttle = throttle
        self._life = LifeCycle(cloud)
        self._gate = Gate(cloud)
        self._subscriptions = SubscriptionEndpoints(cloud)
        self._operations = OperationEndpoints(cloud)
        self._endpoints: tuple[Endpoints, ...] = (
            self._subscriptions,
            ActivityLog(cloud),
            DiagnosticEndpoints(cloud),
            ManagementGroupEndpoints(cloud),
            PermissionEndpoints(cloud),
            ProviderEndpoints(cloud),
            TagNameEndpoints(cloud),
            TagsEndpoints(cloud),
            UsageEndpoints(cloud),
        )

    def answer(self, request: Request, principal: Principal) -> Answer:
        """The answer to an authenticated request; writes are in the audit, with how they ended. Raises ArmError."""
        try:
            answer = self._audited(request, principal)
        except ArmError as error:
            origin.sign_refusal(error, request.path)
            raise
        origin.sign(answer, request.path)
        return answer

    def _audited(self, request: Request, principal: Principal) -> Answer:
        if request.method in READS:
            return self._answered(request, principal)
        entry = self._entry(request, principal)
        try:
            answer = self._answered(request, principal)
        except ArmError as error:
            if entry["id"] and error.status != HTTPStatus.TOO_MANY_REQUESTS:
                self._cloud.audit.record(refusal(entry, error))
            raise
        if answer.write is not None:
            running = None if answer.operation is None else answer.operation.id
            self._cloud.audit.record({**entry, "id": answer.write, "status": int(answer.status), "operation": running})
        answer.headers.setdefault(CORRELATION, entry["correlation"])
        return answer

    def _entry(self, request: Request, principal: Principal) -> Json:
        """What the audit says of a write before it is done."""
        target = target_of(request.path)
        subject = None if target is None else target.id or target.parent
        return {
            "time": self._cloud.clock.timestamp(),
            "principal": principal.name,
            "client": principal.client_id,
            "object": principal.object_id,
            "method": request.method,
            "id": None if subject is None else str(subject),
            "action": "" if target is None else action_of(request.method, target),
            "correlation": correlation(request.headers.get(CORRELATION)),
        }

    def _answered(self, request: Request, principal: Principal) -> Answer:
        path = request.path.rstrip("/") or "/"
        segments = path.lower().strip("/").split("/")
        if segments[0] != "subscriptions" or len(segments) == 1:
            return self._routed(request, principal, path, segments)
        self._subscriptions.subscription(segments[1])
        remaining = self._throttle.take(principal.client_id, segments[1], request.method)
        try:
            answer = self._routed(request, principal, path, segments)
        except ArmError as error:
            error.headers = {**remaining, **error.headers}
            raise
        answer.headers = {**remaining, **answer.headers}
        return answer

    def _routed(self, request: Request, principal: Principal, path: str, segments: list[str]) -> Answer:
        followed = self._operations.answer(request, principal, segments)
        if followed is not None:
            return followed
        target = target_of(path)
        api_version = api_versions.check(
            versioned_type(target), request.query.get("api-version"), lambda: self._location(request, target)
        )
        for endpoints in self._endpoints:
            answer = endpoints.answer(request, principal, segments)
            if answer is not None:
                return answer
        if target is None:
            raise unknown_path(path)
        return self._on_target(request, principal, target, api_version)

    # -- resources, lists and actions ----------------------------------------------------------------------------

    def _on_target(self, request: Request, principal: Principal, target: Target, api_version: str) -> Answer:
        self._cloud.rights.authorize(principal, action_of(request.method, target), target.scope)
        if target.id is not None:
            self._gate.check(request.method, target.id, lambda: _body(request))
        if target.subscription and target.type.lower().startswith(NETWORK_NAMESPACE):
            self._throttle.take_network(target.subscription, self._region(request, target), request.method)
        caller = Caller(
            principal=principal,
            api_version=api_version,
            endpoint=request.endpoint,
            query=request.query,
            if_match=request.headers.get("If-Match"),
            if_none_match=request.headers.get("If-None-Match"),
        )
        parts = self._parts(target) if request.method == "GET" else None
        if parts is not None:
            return parts
        if target.kind == "list":
            return self._list(request, principal, target)
        if target.kind == "action":
            return self._act(request, target, caller)
        if not type_of(target.type).tenant_wide:
            return self._resource(request, target, caller)
        everywhere = replace(target, id=replace(_of(target), subscription="", group=None, extends=""))
        return _seen_from(target, self._resource(request, everywhere, caller))

    def _location(self, request: Request, target: Target | None) -> str:
        """Where a request belongs: as `_region`, and a list of children to the region of what they are below."""
        if target is None:
            return ""
        return self._region(request, target if target.parent is None else replace(target, id=target.parent))

    def _region(self, request: Request, target: Target) -> str:
        """Where a resource lies, or will lie; empty where the request is about none."""
        root = None if target.id is None else self._cloud.store.get(target.id.root.key)
        if root is not None:
            return root.location
        body = _body(request) if request.method == "PUT" else None
        location = None if body is None else body.get("location")
        return region_of(location) if isinstance(location, str) else ""

    def _resource(self, request: Request, target: Target, caller: Caller) -> Answer:
        assert target.id is not None
        handlers: dict[str, Callable[[], Answer]] = {
            "GET": lambda: self._shown(self._life.get(_of(target)), request),
            "HEAD": lambda: self._head(target),
            "PUT": lambda: self._written(request, self._life.put(_of(target), body_of(request.body), caller)),
            "PATCH": lambda: self._written(request, self._life.patch(_of(target), body_of(request.body), caller)),
            "DELETE": lambda: self._written(request, self._life.delete(_of(target), caller)),
        }
        handler = handlers.get(request.method)
        if handler is None:
            raise _method_not_allowed(request)
        if request.method == "PUT" and not type_of(target.type).name:
            raise api_versions.unknown_type(target.type, caller.api_version)
        return handler()

    def _head(self, target: Target) -> Answer:
        found = target.id is not None and self._cloud.store.get(target.id.key) is not None
        return Answer(HTTPStatus.NO_CONTENT if found else HTTPStatus.NOT_FOUND)

    def _parts(self, target: Target) -> Answer | None:
        """Read-only children, such as the default rules of a group: all of them, or the one that the path names."""
        owner = target.id if target.kind == "action" else None if target.id is None else target.id.parent
        segment = target.action or target.type.rpartition("/")[2].lower()
        name = None if owner is None else type_of(owner.type).parts.get(segment)
        if owner is None or name is None:
            return None
        found = rendering.answered(self._cloud, self._life.get(owner))["properties"][name]
        if target.kind == "action":
            return Answer.listing(found)
        wanted = _of(target).name.lower()
        for part in found:
            if part["name"].lower() == wanted:
                return Answer(HTTPStatus.OK, part)
        raise not_found("NotFound", f"Resource {target.id} not found.")

    def _shown(self, item: Resource, request: Request) -> Answer:
        body = rendering.answered(self._cloud, item, request.query.get("$expand", "").lower())
        return Answer(HTTPStatus.OK, body, _etag_header(body))

    def _act(self, request: Request, target: Target, caller: Caller) -> Answer:
        declared = type_of(target.type)
        if request.method == "POST" and target.action in declared.actions:
            body = body_of(request.body) if request.body.strip() else {}
            return self._written(request, self._life.act(_of(target), target.action, body, caller))
        item = self._life.get(_of(target))
        if request.method == "GET":
            around = self._around(item, target.action)
            if around is not None:
                return page(self._cloud, request, around)
            view = declared.view(self._cloud, item, target.action, request.query)
            if view is not None:
                return Answer(HTTPStatus.OK, view)
        raise not_found(
            "InvalidResourceType",
            f"The resource type '{target.type.partition('/')[2]}' has no '{target.action}' for {request.method}.",
        )

    def _around(self, item: Resource, segment: str) -> list[Resource] | None:
        """What is below a resource or refers to it, where its type lists that under this segment."""
        store, declared = self._cloud.store, type_of(item.id.type)
        if segment in declared.below:
            return [one for one in store.descendants(item.key) if one.id.type in declared.below[segment]]
        if segment in declared.users:
            found = [store.get(reference.source) for reference in store.referrers(item.key, declared.users[segment])]
            return [one for one in found if one is not None]
        return None

    def _written(self, request: Request, written: Written) -> Answer:
        if isinstance(written.reply, Result):
            assert written.operation is not None
            headers = self._operations.headers(request, written.status, written.operation, written.item)
            return Answer(written.status, headers=headers, raw=b"null", operation=written.operation)
        if written.reply is not None:
            return Answer(written.status, written.reply.body)
        headers = {}
        name = None if written.item is None else str(written.item.id)
        if written.operation is not None:
            headers = self._operations.headers(request, written.status, written.operation, written.item)
        if written.item is None or written.bare or written.status == HTTPStatus.ACCEPTED:
            return Answer(written.status, headers=headers, operation=written.operation, write=name)
        body = rendering.answered(self._cloud, written.item)
        if request.method != "PUT" or type_of(written.item.id.type).own_etag:
            headers |= _etag_header(body)
        return Answer(written.status, body, headers, operation=written.operation, write=name)

    def _list(self, request: Request, principal: Principal, target: Target) -> Answer:
        if request.method != "GET":
            raise _method_not_allowed(request)
        self._life.check_listed(ResourceId(target.subscription, target.group, "*/*", ("*",), target.extends))
        found = self._found(request, target)
        readable = self._cloud.rights.reader(principal)
        region = target.location.lower()
        visible = [item for item in found if readable(item.id.type, item.key) and region in ("", item.location.lower())]
        answer = page(self._cloud, request, visible, type_of(target.type).next_link)
        if target.type == "*" and isinstance(answer.body, dict):
            answer.body["value"] = [resource_list.brief(one) for one in answer.body["value"]]
        return _seen_from(target, answer) if type_of(target.type).tenant_wide else answer

    def _found(self, request: Request, target: Target) -> list[Resource]:
        if target.parent is not None:
            return self._cloud.store.children(self._life.get(target.parent).key, target.type)
        place = target.place.lower() or "/"
        if target.type == "*":
            return resource_list.resources(self._cloud, place, request.query)
        declared = type_of(target.type)
        if not declared.name:
            return self._cloud.store.listed(place, target.type)
        return declared.listed(self._cloud, place, request.query)


def _body(request: Request) -> Json | None:
    """The body as far as it is an object; what is wrong with it is told by whoever needs it."""
    try:
        body = orjson.loads(request.body)
    except orjson.JSONDecodeError:
        return None
    return body if isinstance(body, dict) else None


def _seen_from(target: Target, answer: Answer) -> Answer:
    """The same answer with ids below the subscription that was asked: what is tenant-wide has one wherever it is seen."""
    if target.subscription and isinstance(answer.body, dict):
        bodies = answer.body.get("value", [answer.body])
        for body in bodies:
            body["id"] = f"/subscriptions/{target.subscription}{body['id']}"
    return answer


def _of(target: Target) -> ResourceId:
    assert target.id is not None
    return target.id


def _etag_header(body: Json) -> dict[str, str]:
    return {"ETag": body["etag"]} if body.get("etag") else {}


def _method_not_allowed(request: Request) -> ArmError:
    return ArmError(
        HTTPStatus.METHOD_NOT_ALLOWED,
        "UnsupportedHttpVerb",
        f"The HTTP verb '{request.method}' is not supported for '{request.path}'.",
    )
