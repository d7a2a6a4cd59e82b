"""Azure Resource Manager for one identity: raw JSON in and out, one request a call, nothing retried, nothing awaited.

The calls go through the SDK's pipeline with its transport and its authentication, but past its generated clients: bodies
stay the JSON that Azure sent, so that a field unknown to the SDK's models is never lost on the way back (docs/adr/0006,
docs/adr/0020).
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import quote, urlsplit

import orjson
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError as SdkError
from azure.core.pipeline import AsyncPipeline
from azure.core.pipeline.policies import UserAgentPolicy
from azure.core.pipeline.transport import AsyncHttpTransport
from azure.core.rest import AsyncHttpResponse

from bastion_operator import __version__
from bastion_operator.arm.answers import (
    GraphPage,
    Operation,
    Written,
    body_or_none,
    correlation_of,
    json_object,
    not_json,
    quota_resets_after,
    retry_after,
)
from bastion_operator.arm.api_versions import GRAPH_API_VERSION, NETWORK_API_VERSION, api_version_of, shown_on_request
from bastion_operator.arm.azure_time import AzureTime
from bastion_operator.arm.budgets import Budgets, Call, CallKind, call_of
from bastion_operator.arm.cloud import Cloud
from bastion_operator.arm.errors import (
    AzureError,
    CredentialHolder,
    ErrorClass,
    error_from_body,
    known_error,
    operation_failure,
)
from bastion_operator.arm.request import ArmRequest
from bastion_operator.arm.send_turns import SendTurns
from bastion_operator.arm.token_policy import TokenPolicy
from bastion_operator.arm.trace_policy import TracePolicy
from bastion_operator.arm.unanswered import unanswered
from bastion_operator.arm.write_fence import WriteFencePolicy
from bastion_operator.clock import Clock
from bastion_operator.correlation import correlation_id
from bastion_operator.leadership import Leadership
from bastion_operator.traces import Traces

# Seconds to wait for an operation whose answer names none (the contract of Azure's asynchronous operations).
DEFAULT_POLL = 60.0

_GRAPH = "Microsoft.ResourceGraph/resources"


class CallObserver(Protocol):
    """Told of each answered call, for metrics."""

    def __call__(self, kind: CallKind, resource_type: str, result: str) -> None:
        """A call of this kind to this type of resource ended with this HTTP status or error code."""


@dataclass(slots=True)
class ArmClient:
    """One identity's way to ARM. Ids are as Azure or the user wrote them; every failure is an :class:`AzureError`, but for
    the :class:`~bastion_operator.leadership.NotLeadingError` of a write that this process may not make.

    A call whose budget is spent is not sent but refused with a :class:`~bastion_operator.arm.budgets.BudgetSpentError`.
    ``region`` is where the root resource lies, as far as it is known: Microsoft.Network counts by it. A write may be
    ``held``: then its place in the budgets was set aside before, and is used up, whatever comes of it.

    :ivar principal: whom ARM counts the calls for; identities with one client id are one
    :ivar azure_time: is told the Date of each answer
    :ivar turns: when a call may begin, of those that come at once
    :ivar subscriptions: the only ones that are asked or written to, in lower case; None: all that the identity can see.
        The last fence: whoever names something outside is refused before, with a condition (reconcile/access.py)
    """

    credential: AsyncTokenCredential
    cloud: Cloud
    clock: Clock
    transport: AsyncHttpTransport[Any, Any]
    budgets: Budgets
    principal: str
    azure_time: AzureTime
    turns: SendTurns
    leadership: Leadership = field(default_factory=Leadership.undisputed)
    observer: CallObserver | None = None
    traces: Traces | None = None
    holder: CredentialHolder = field(default_factory=CredentialHolder)
    subscriptions: frozenset[str] | None = None
    _pipeline: AsyncPipeline[Any, Any] = field(init=False)
    _user_agent: str = field(init=False)

    def __post_init__(self) -> None:
        self._user_agent = UserAgentPolicy(f"bastion-operator/{__version__}").user_agent
        self._pipeline = AsyncPipeline(
            self.transport,
            # Of the SDK's own policies those that one call needs. Left out: retries, which sleep inside the call, uncapped;
            # the registration of providers, which writes unasked and waits for it; redirects, which lead to other hosts; the
            # log of requests, which would hold signed URLs; the decoding of bodies, which are decoded here; those that only
            # set a header, as the request is made with all of them.
            policies=[
                *([TracePolicy(self.traces)] if self.traces is not None else ()),
                TokenPolicy(self.credential, self.cloud.scope, self.clock),
                WriteFencePolicy(self.leadership),
            ],
        )

    async def get(self, resource_id: str, *, region: str = "") -> dict[str, Any] | None:
        """The resource, or None where Azure says that it is not there, or its parent or resource group is not.

        A missing subscription is a 404 as well, but raised: Azure says the same of one that the identity may not see.

        :raises AzureError: if Azure refuses or cannot be reached, which is no evidence of absence
        """
        try:
            url = self._url(resource_id, shown_on_request(resource_id))
            response = await self._send("GET", url, CallKind.READ, resource_id, region=region)
        except AzureError as error:
            if error.absent:
                return None
            raise
        return json_object(response, resource_id)

    async def list_children(
        self, parent_id: str, collection: str, *, api_version: str = NETWORK_API_VERSION
    ) -> list[dict[str, Any]]:
        """Every resource of a collection such as ``hubVirtualNetworkConnections`` below its parent, all pages.

        :raises AzureError: if a page is refused, or leads to another host
        """
        target = f"{parent_id}/{collection}"
        url: str | None = self._url(target, api_version=api_version)
        found: list[dict[str, Any]] = []
        while url is not None:
            page = json_object(await self._send("GET", url, CallKind.READ, target), target)
            found += [each for each in page.get("value") or [] if isinstance(each, dict)]
            following = page.get("nextLink")
            url = None if not following else self._own(str(following), "next page", target)
        return found

    async def values(
        self, target: str, *, api_version: str, query: Mapping[str, str] | None = None
    ) -> list[dict[str, Any]]:
        """The first page of a list that another provider than Microsoft.Network answers.

        :raises AzureError: if Azure refuses or cannot be reached
        """
        quoted = {name: quote(value, safe="") for name, value in (query or {}).items()}
        url = self._url(target, quoted, api_version=api_version)
        page = json_object(await self._send("GET", url, CallKind.READ, target), target)
        return [each for each in page.get("value") or [] if isinstance(each, dict)]

    async def put(
        self,
        resource_id: str,
        body: Mapping[str, Any],
        *,
        if_match: str | None = None,
        query: Mapping[str, str] | None = None,
        region: str = "",
        held: bool = False,
    ) -> Written:
        """Create or replace. ``body`` is sent as it is; ``if_match`` is the etag that the plan was made on."""
        headers = {"If-Match": if_match} if if_match else {}
        url = self._url(resource_id, query)
        response = await self._send(
            "PUT", url, CallKind.WRITE, resource_id, region=region, held=held, headers=headers, body=body
        )
        answer = json_object(response, resource_id)
        return Written(answer, response.status_code == 201, self._operation(response, resource_id, "PUT"))  # noqa: PLR2004 - HTTP's number for Created

    async def delete(
        self, resource_id: str, *, if_match: str | None = None, region: str = "", held: bool = False
    ) -> Written:
        """Delete. What is gone already is no error."""
        headers = {"If-Match": if_match} if if_match else {}
        url = self._url(resource_id)
        try:
            response = await self._send(
                "DELETE", url, CallKind.DELETE, resource_id, region=region, held=held, headers=headers
            )
        except AzureError as error:
            if error.absent:
                return Written(None, False, None)
            raise
        return Written(None, False, self._operation(response, resource_id, "DELETE"))

    async def poll(self, operation: Operation) -> Operation | None:
        """Ask how an operation goes: the operation with its new wait, or None once it succeeded.

        :raises OperationFailedError: with the code for which the operation failed
        :raises AzureError: if the question itself was not answered
        """
        response = await self._send("GET", operation.url, CallKind.READ, operation.resource_id)
        body = json_object(response, operation.resource_id)
        status = str(body.get("status", ""))
        if status.lower() == "succeeded":
            return None
        if status.lower() in {"failed", "canceled"}:
            raise operation_failure(
                body, target=operation.resource_id, correlation_id=correlation_of(response), holder=self.holder
            )
        wait = self._retry_after(response)
        return Operation(operation.resource_id, operation.verb, operation.url, DEFAULT_POLL if wait is None else wait)

    async def graph_page(
        self,
        query: str,
        subscriptions: list[str],
        *,
        top: int,
        skip: int = 0,
        skip_token: str | None = None,
        scope_filter: str | None = None,
    ) -> GraphPage:
        """One page of a Resource Graph query: up to ``top`` rows after ``skip``, or where the token says.

        ``scope_filter`` is Azure's authorizationScopeFilter; by default rows at and below the subscriptions are answered.

        :raises AzureError: of class Throttled where the user's quota is used up, with the seconds until it is not
        """
        url = (
            f"{self.cloud.resource_manager}/providers/Microsoft.ResourceGraph/resources?api-version={GRAPH_API_VERSION}"
        )
        options: dict[str, Any] = {"$top": top, "resultFormat": "objectArray"}
        options |= {"authorizationScopeFilter": scope_filter} if scope_filter else {}
        options |= {"$skipToken": skip_token} if skip_token else {"$skip": skip} if skip else {}
        for subscription in subscriptions:
            self._stay_inside(f"/subscriptions/{subscription}")
        body = {"query": query, "subscriptions": subscriptions, "options": options}
        response = await self._send("POST", url, CallKind.GRAPH, _GRAPH, body=body)
        answer = json_object(response, _GRAPH)
        rows = answer.get("data")
        if not isinstance(rows, list):
            raise not_json(response, _GRAPH)
        used_up = self._learn_quota(response)
        return GraphPage(
            rows=[row for row in rows if isinstance(row, dict)],
            skip_token=answer.get("$skipToken") or None,
            total=answer.get("totalRecords"),
            # A string, as Azure has it.
            truncated=str(answer.get("resultTruncated", "")).lower() == "true",
            wait=self._quota_resets_after(response) if used_up else None,
            size=len(response.content),
        )

    async def authenticate(self) -> None:
        """Get a token, from the cache or from Entra, and ask nothing of ARM.

        :raises AzureError: of class Credential, or Transient where Entra cannot be reached
        """
        try:
            await self.credential.get_token(self.cloud.scope, enable_cae=True)
        except (SdkError, OSError) as error:
            raise unanswered(error, self.cloud.authority, self.holder) from None

    async def close(self) -> None:
        """Close the credential; the transport is shared and closed by its owner."""
        await self.credential.close()

    def _url(self, resource_id: str, query: Mapping[str, str] | None = None, *, api_version: str | None = None) -> str:
        more = "".join(f"&{name}={value}" for name, value in (query or {}).items())
        path = quote(resource_id, safe="/()")
        version = api_version or api_version_of(resource_id)
        return f"{self.cloud.resource_manager}{path}?api-version={version}{more}"

    async def _send(
        self,
        method: str,
        url: str,
        kind: CallKind,
        target: str,
        *,
        region: str = "",
        held: bool = False,
        headers: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> AsyncHttpResponse:
        if kind is not CallKind.GRAPH:
            self._stay_inside(target)
        call = call_of(self.principal, kind, target, region)
        await self._turn(call, held=held)
        self.budgets.begin(call, target, held=held)
        try:
            response = await self._exchange(self._request(method, url, headers or {}, body), kind, target)
        except BaseException:
            # Lost or broken off: Azure may have counted it.
            self.budgets.end(call, {})
            raise
        if response.status_code < 300:  # noqa: PLR2004 - where HTTP's successes end; nobody is followed to another place
            self.budgets.end(call, response.headers)
            self._count(kind, target, str(response.status_code))
            return response
        refusal = error_from_body(
            body_or_none(response),
            status=response.status_code,
            target=target,
            retry_after=self._retry_after(response) or self._quota_resets_after(response),
            correlation_id=correlation_of(response),
            holder=self.holder,
        )
        if refusal.error_class is ErrorClass.THROTTLED:
            self.budgets.refused(call, refusal.code, refusal.retry_after)
        else:
            self.budgets.end(call, response.headers)
        raise self._seen(kind, target, refusal)

    async def _turn(self, call: Call, *, held: bool) -> None:
        """Wait until the call may begin. Its budget is asked after that: a refusal that comes meanwhile holds it back."""
        try:
            await self.turns.take((call.principal, call.subscription))
        except BaseException:
            if held:
                self.budgets.drop(call)
            raise

    def _stay_inside(self, target: str) -> None:
        """Nothing is sent to where the identity is not to be used.

        :raises AzureError: of class Denied, with code SubscriptionNotAllowed
        """
        if self.subscriptions is None:
            return
        _, root, subscription = [*target.lower().split("/"), "", ""][:3]
        if root != "subscriptions" or subscription not in self.subscriptions:
            raise known_error(
                "SubscriptionNotAllowed",
                f"{target} lies outside the subscriptions of {self.holder.identity}; nothing was asked",
                target=target,
                holder=self.holder,
            )

    def _request(self, method: str, url: str, headers: Mapping[str, str], body: Mapping[str, Any] | None) -> ArmRequest:
        request_id = str(uuid.uuid4())
        common = {
            "Accept": "application/json",
            "User-Agent": self._user_agent,
            "x-ms-client-request-id": request_id,
            "x-ms-correlation-request-id": correlation_id.get() or request_id,
            **({} if body is None else {"Content-Type": "application/json"}),
        }
        content = None if body is None else orjson.dumps(body)
        return ArmRequest(method, url, {**common, **headers}, content)

    async def _exchange(self, request: ArmRequest, kind: CallKind, target: str) -> AsyncHttpResponse:
        try:
            answer = await self._pipeline.run(request)
        except (SdkError, OSError) as error:
            raise self._seen(kind, target, unanswered(error, target, self.holder)) from None
        response: AsyncHttpResponse = answer.http_response
        self.azure_time.note(response.headers.get("Date"))
        return response

    def _seen(self, kind: CallKind, target: str, error: AzureError) -> AzureError:
        self._count(kind, target, error.code)
        return error

    def _count(self, kind: CallKind, target: str, result: str) -> None:
        if self.observer is not None:
            self.observer(kind, _type_of(target), result)

    def _operation(self, response: AsyncHttpResponse, resource_id: str, verb: str) -> Operation | None:
        url = response.headers.get("Azure-AsyncOperation")
        if not url:
            return None
        self._own(url, "operation", resource_id)
        wait = self._retry_after(response)
        return Operation(resource_id, verb, url, DEFAULT_POLL if wait is None else wait)

    def _own(self, url: str, what: str, target: str) -> str:
        """The URL of an answer, if it leads back to ARM: the token goes nowhere else."""
        if url.startswith(f"{self.cloud.resource_manager}/") or _origin(url) == _origin(self.cloud.resource_manager):
            return url
        raise AzureError(
            code="ForeignUrl",
            message=f"the URL of the {what} leads to another host than the resource manager; it was not followed",
            error_class=ErrorClass.TRANSIENT,
            target=target,
        )

    def _learn_quota(self, response: AsyncHttpResponse) -> bool:
        """Take the graph's word for what is left of its quota; whether nothing is."""
        remaining, resets = response.headers.get("x-ms-user-quota-remaining"), self._quota_resets_after(response)
        if remaining is not None and remaining.isdecimal() and resets is not None:
            self.budgets.graph_quota(self.principal, int(remaining), resets)
        return bool(remaining == "0")

    def _quota_resets_after(self, response: AsyncHttpResponse) -> float | None:
        return self._in_own_seconds(quota_resets_after(response))

    def _retry_after(self, response: AsyncHttpResponse) -> float | None:
        return self._in_own_seconds(retry_after(response))

    def _in_own_seconds(self, seconds: float | None) -> float | None:
        return None if seconds is None else self.clock.of_real(seconds)


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port


def _type_of(target: str) -> str:
    """``virtualNetworks/subnets`` of an id: a label with few values."""
    provider = target.lower().rpartition("/providers/")[2].split("/")
    return "/".join(provider[1::2]) or "none"
