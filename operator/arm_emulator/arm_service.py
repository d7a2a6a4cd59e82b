"""Azure Resource Manager's own front door: subscriptions, groups, resources, lists, operations."""

import base64
from collections.abc import Callable
from http import HTTPStatus

from arm_emulator import rendering
from arm_emulator.cloud import Cloud
from arm_emulator.errors import ArmError, Json, bad_request, not_found
from arm_emulator.ids import GROUP_TYPE, SUBSCRIPTION_TYPE, ResourceId
from arm_emulator.life_cycle import Caller, LifeCycle, Written
from arm_emulator.messages import Answer, Request
from arm_emulator.operations import Operation
from arm_emulator.principals import Principal, authorize
from arm_emulator.requests import PROVIDERS, SPELT_PROVIDERS, Target, body_of, check_version, target_of, unknown_path
from arm_emulator.resource_types import TYPES, type_of
from arm_emulator.resource_types.virtual_machines import MACHINES, instance_view
from arm_emulator.store import Resource
from arm_emulator.throttling import Throttle

NETWORK_NAMESPACE = "microsoft.network/"


class ArmService:
    """Answers ARM's requests from one cloud."""

    def __init__(self, cloud: Cloud, throttle: Throttle) -> None:
        """Takes over the cloud's life cycle."""
        self._cloud = cloud
        self._throttle = throttle
        self._life = LifeCycle(cloud)

    def answer(self, request: Request, principal: Principal) -> Answer:
        """The answer to an authenticated request. Raises ArmError."""
        path = request.path.rstrip("/") or "/"
        lower = path.lower()
        if lower == "/subscriptions":
            return self._subscriptions(principal)
        if lower == "/tenants":
            return self._tenants()
        segments = lower.strip("/").split("/")
        if segments[0] != "subscriptions":
            raise unknown_path(path)
        return self._in_subscription(request, principal, path, segments)

    # -- the subscription level ----------------------------------------------------------------------------------

    def _in_subscription(self, request: Request, principal: Principal, path: str, segments: list[str]) -> Answer:
        subscription = self._subscription(segments[1])
        remaining = self._throttle.take(principal.client_id, segments[1], request.method)
        try:
            answer = self._below_subscription(request, principal, path, segments, subscription)
        except ArmError as error:
            error.headers = {**remaining, **error.headers}
            raise
        answer.headers = {**remaining, **answer.headers}
        return answer

    def _below_subscription(
        self, request: Request, principal: Principal, path: str, segments: list[str], subscription: Resource
    ) -> Answer:
        if len(segments) == 2:  # noqa: PLR2004  (subscriptions and an id)
            authorize(principal, "Microsoft.Resources/subscriptions/read", f"/subscriptions/{segments[1]}")
            return Answer(HTTPStatus.OK, self._subscription_body(subscription))
        special = self._special(request, path, segments)
        if special is not None:
            return special
        target = target_of(path)
        if target is None:
            raise unknown_path(path)
        return self._on_target(request, principal, target)

    def _special(self, request: Request, path: str, segments: list[str]) -> Answer | None:
        """What lies below a subscription and is neither resource nor list."""
        below = segments[2:]
        if below[0] == "operationresults" and len(below) == 2:  # noqa: PLR2004  (with an id)
            return self._group_result(request, below[1])
        if below == ["providers"]:
            return Answer.listing([self._provider(segments[1], name) for name in PROVIDERS])
        if below[0] == "providers" and below[2:] in ([], ["register"]):
            if below[1] not in PROVIDERS:
                raise not_found("InvalidResourceNamespace", f"The resource namespace '{below[1]}' is invalid.")
            return Answer(HTTPStatus.OK, self._provider(segments[1], below[1]))
        if below[0] == "locations":
            return Answer.listing([self._location(segments[1], name) for name in REGIONS])
        if below[0] == "providers" and below[2:3] == ["locations"] and len(below) == 6:  # noqa: PLR2004  (…/{kind}/{id})
            return self._operation(request, path, below[4], below[5])
        return None

    def _subscription(self, subscription: str) -> Resource:
        found = self._cloud.store.get(f"/subscriptions/{subscription}")
        if found is None:
            raise not_found("SubscriptionNotFound", f"The subscription '{subscription}' could not be found.")
        return found

    def _subscriptions(self, principal: Principal) -> Answer:
        visible = [
            self._subscription_body(item)
            for item in self._cloud.store.listed("/", SUBSCRIPTION_TYPE)
            if principal.may("Microsoft.Resources/subscriptions/read", item.key)
        ]
        return Answer(HTTPStatus.OK, {"value": visible, "count": {"type": "Total", "value": len(visible)}})

    def _subscription_body(self, item: Resource) -> Json:
        guid = item.id.subscription
        return {
            "id": f"/subscriptions/{guid}",
            "authorizationSource": "RoleBased",
            "managedByTenants": [],
            "subscriptionId": guid,
            "tenantId": self._cloud.settings.tenant_id,
            "displayName": item.body.get("_displayName", guid),
            "state": item.properties.get("state", "Enabled"),
            "subscriptionPolicies": {
                "locationPlacementId": "Public_2014-09-01",
                "quotaId": "EnterpriseAgreement_2014-09-01",
                "spendingLimit": "Off",
            },
        }

    def _tenants(self) -> Answer:
        tenant = self._cloud.settings.tenant_id
        entry = {"id": f"/tenants/{tenant}", "tenantId": tenant, "countryCode": "US", "displayName": "Local tenant",
                 "domains": ["local.onmicrosoft.com"], "tenantCategory": "Home"}  # fmt: skip
        return Answer.listing([entry])

    def _location(self, subscription: str, name: str) -> Json:
        return {
            "id": f"/subscriptions/{subscription}/locations/{name}",
            "name": name,
            "type": "Region",
            "displayName": name,
            "regionalDisplayName": name,
            "metadata": {"regionType": "Physical", "regionCategory": "Recommended"},
        }

    def _provider(self, subscription: str, namespace: str) -> Json:
        spelt = SPELT_PROVIDERS[namespace]
        types = [declared for key, declared in TYPES.items() if key.startswith(namespace + "/")]
        return {
            "id": f"/subscriptions/{subscription}/providers/{spelt}",
            "namespace": spelt,
            "registrationState": "Registered",
            "registrationPolicy": "RegistrationRequired",
            "resourceTypes": [
                {
                    "resourceType": declared.name.partition("/")[2],
                    "locations": list(REGIONS),
                    "apiVersions": list(declared.api_versions),
                    "capabilities": "SupportsTags, SupportsLocation" if declared.tracked else "None",
                }
                for declared in types
            ],
        }

    # -- resources and lists -------------------------------------------------------------------------------------

    def _on_target(self, request: Request, principal: Principal, target: Target) -> Answer:
        api_version = check_version(target, request.query.get("api-version"))
        authorize(principal, _action(request.method, target), target.scope)
        if target.type.lower().startswith(NETWORK_NAMESPACE):
            self._throttle.take_network(target.subscription, self._region(target), request.method)
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
            return self._action(request, target, caller)
        return self._resource(request, target, caller)

    def _region(self, target: Target) -> str:
        root = None if target.id is None else self._cloud.store.get(target.id.root.key)
        return "" if root is None else root.location

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
            raise not_found(
                "InvalidResourceType",
                f"The resource type '{target.type.partition('/')[2]}' could not be found in the namespace "
                f"'{target.type.partition('/')[0]}' for api version '{caller.api_version}'.",
            )
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
        body = rendering.answered(self._cloud, item)
        if item.id.type == MACHINES and "instanceview" in request.query.get("$expand", "").lower():
            body["properties"]["instanceView"] = instance_view(self._cloud, item)
        return Answer(HTTPStatus.OK, body, _etag_header(body))

    def _action(self, request: Request, target: Target, caller: Caller) -> Answer:
        assert target.id is not None
        if target.type == MACHINES and target.action == "instanceview" and request.method == "GET":
            return Answer(HTTPStatus.OK, instance_view(self._cloud, self._life.get(target.id)))
        if request.method == "POST" and target.action in type_of(target.type).actions:
            return self._written(request, self._life.act(target.id, target.action, caller))
        self._life.get(target.id)
        raise not_found(
            "InvalidResourceType",
            f"The resource type '{target.type.partition('/')[2]}' has no '{target.action}' for {request.method}.",
        )

    def _written(self, request: Request, written: Written) -> Answer:
        headers: dict[str, str] = {}
        name = None if written.item is None else str(written.item.id)
        if written.operation is not None:
            headers = self._operation_headers(request, written.status, written.operation, written.item)
        if written.item is None or written.status == HTTPStatus.ACCEPTED:
            return Answer(written.status, headers=headers, operation=written.operation, write=name)
        body = rendering.answered(self._cloud, written.item)
        headers |= _etag_header(body)
        return Answer(written.status, body, headers, operation=written.operation, write=name)

    def _operation_headers(
        self, request: Request, status: int, operation: Operation, item: Resource | None
    ) -> dict[str, str]:
        headers = {"Retry-After": operation.retry_after(self._cloud.clock)}
        operation.polls = max(operation.polls, 1)
        if item is not None and item.id.type == GROUP_TYPE:
            result = f"{request.endpoint}/subscriptions/{operation.subscription}/operationresults/{operation.id}"
            return {**headers, "Location": f"{result}?api-version={request.query.get('api-version')}"}
        version = request.query.get("api-version", "")
        url = self._cloud.operations.url(request.endpoint, operation, "operations", version)
        headers |= {"Azure-AsyncOperation": url, "Azure-AsyncNotification": "Enabled"}
        if status == HTTPStatus.ACCEPTED:
            headers["Location"] = self._cloud.operations.url(request.endpoint, operation, "operationResults", version)
        return headers

    def _list(self, request: Request, principal: Principal, target: Target) -> Answer:
        if request.method != "GET":
            raise _method_not_allowed(request)
        if target.group is not None and self._cloud.store.get(f"/subscriptions/{target.subscription}/resourcegroups/{target.group}".lower()) is None:  # fmt: skip
            raise not_found("ResourceGroupNotFound", f"Resource group '{target.group}' could not be found.")
        if target.parent is not None:
            parent = self._life.get(target.parent)
            found = self._nested(parent, target)
        else:
            found = self._found(target)
        return self._page(request, [item for item in found if _readable(principal, item)])

    def _nested(self, parent: Resource, target: Target) -> list[Resource]:
        return self._cloud.store.children(parent.key, target.type)

    def _found(self, target: Target) -> list[Resource]:
        scope = f"/subscriptions/{target.subscription}".lower()
        if target.group is not None:
            scope += f"/resourcegroups/{target.group.lower()}"
        if target.type == "*":
            return [
                item
                for item in self._cloud.store
                if item.key.startswith(scope + "/") and item.parent_key is None and item.id.type != GROUP_TYPE
            ]
        return self._cloud.store.listed(scope, target.type)

    def _page(self, request: Request, found: list[Resource]) -> Answer:
        """A page of at most the configured size, and where the next one is."""
        size = self._cloud.settings.page_size
        if request.query.get("$top", "").isdigit():
            size = max(1, min(size, int(request.query["$top"])))
        start = _offset(request.query.get("$skipToken") or request.query.get("$skiptoken"))
        page: Json = {"value": [rendering.listed(self._cloud, item) for item in found[start : start + size]]}
        if start + size < len(found):
            token = base64.urlsafe_b64encode(str(start + size).encode()).decode()
            kept = "&".join(
                part for part in request.raw_query.split("&") if not part.lower().startswith("%24skiptoken")
            )
            kept = "&".join(part for part in kept.split("&") if not part.lower().startswith("$skiptoken"))
            page["nextLink"] = f"{request.endpoint}{request.path}?{kept}&%24skipToken={token}"
        return Answer(HTTPStatus.OK, page)

    # -- operations ----------------------------------------------------------------------------------------------

    def _operation(self, request: Request, path: str, collection: str, operation_id: str) -> Answer:
        operation = self._cloud.operations.get(operation_id)
        if operation is None or not self._cloud.operations.genuine(path, request.raw_query):
            raise not_found("OperationNotFound", f"The operation '{operation_id}' could not be found at this URL.")
        headers = {}
        if operation.running:
            headers["Retry-After"] = operation.retry_after(self._cloud.clock)
            operation.polls += 1
        if collection == "operations":
            return Answer(HTTPStatus.OK, operation.answer(), headers)
        if operation.running:
            url = self._cloud.operations.url(
                request.endpoint, operation, "operationResults", request.query["api-version"]
            )
            return Answer(HTTPStatus.ACCEPTED, headers={**headers, "Location": url})
        if operation.error is not None:
            raise ArmError(HTTPStatus.CONFLICT, operation.error["code"], operation.error["message"])
        return Answer(HTTPStatus.NO_CONTENT)

    def _group_result(self, request: Request, operation_id: str) -> Answer:
        operation = self._cloud.operations.get(operation_id)
        if operation is None:
            raise not_found("OperationNotFound", f"The operation '{operation_id}' could not be found.")
        if operation.running:
            headers = {"Retry-After": operation.retry_after(self._cloud.clock)}
            operation.polls += 1
            here = f"{request.endpoint}{request.path}?{request.raw_query}"
            return Answer(HTTPStatus.ACCEPTED, headers={**headers, "Location": here})
        if operation.error is not None:
            raise ArmError(HTTPStatus.CONFLICT, operation.error["code"], operation.error["message"])
        return Answer(HTTPStatus.OK)


REGIONS = (
    "westeurope", "northeurope", "eastus", "eastus2", "westus", "westus2", "westus3", "centralus", "northcentralus",
    "southcentralus", "uksouth", "ukwest", "francecentral", "germanywestcentral", "swedencentral", "norwayeast",
    "switzerlandnorth", "italynorth", "spaincentral", "southeastasia", "eastasia", "japaneast", "japanwest",
    "koreacentral", "australiaeast", "australiasoutheast", "centralindia", "southindia", "brazilsouth", "canadacentral",
    "canadaeast", "uaenorth", "southafricanorth",
)  # fmt: skip


def _of(target: Target) -> ResourceId:
    assert target.id is not None
    return target.id


def _action(method: str, target: Target) -> str:
    """The RBAC action that a request needs."""
    base = "Microsoft.Resources/subscriptions/resourceGroups" if target.type == GROUP_TYPE else target.type
    if target.type == "*":
        base = "Microsoft.Resources/subscriptions/resources"
    if target.kind == "action":
        return f"{base}/{target.action}/" + ("read" if method == "GET" else "action")
    verbs = {"GET": "read", "HEAD": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete"}
    return f"{base}/{verbs.get(method, 'action')}"


def _readable(principal: Principal, item: Resource) -> bool:
    return principal.omnipotent or principal.may(f"{item.id.type}/read", item.key)


def _etag_header(body: Json) -> dict[str, str]:
    return {"ETag": body["etag"]} if body.get("etag") else {}


def _offset(token: str | None) -> int:
    if not token:
        return 0
    try:
        return int(base64.urlsafe_b64decode(token.encode()))
    except ValueError:
        raise bad_request("InvalidSkipToken", "The $skipToken is not one that was given out.") from None


def _method_not_allowed(request: Request) -> ArmError:
    return ArmError(
        HTTPStatus.METHOD_NOT_ALLOWED,
        "UnsupportedHttpVerb",
        f"The HTTP verb '{request.method}' is not supported for '{request.path}'.",
    )
