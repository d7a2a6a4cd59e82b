"""Where long operations are asked after, and the headers that lead there."""

from http import HTTPStatus

from arm_emulator.cloud import Cloud
from arm_emulator.errors import ArmError, not_found
from arm_emulator.ids import GROUP_TYPE, parse
from arm_emulator.messages import Answer, Request
from arm_emulator.operations import Operation
from arm_emulator.principals import Principal
from arm_emulator.resource_types import type_of
from arm_emulator.store import Resource

COLLECTIONS = ("operations", "operationresults")


class OperationEndpoints:
    """Answers for the operations of one cloud."""

    def __init__(self, cloud: Cloud) -> None:
        """The cloud whose operations are followed."""
        self._cloud = cloud

    def answer(self, request: Request, principal: Principal, segments: list[str]) -> Answer | None:
        """The answer to a path of these lower-cased segments; None where it is no operation's. Raises ArmError."""
        del principal  # the signature in the URL is the right
        match segments:
            case ["subscriptions", subscription, "operationresults", operation]:
                _refuse_other_verbs(request)
                return self._group_result(request, subscription, operation)
            case ["subscriptions", _, "providers", _, "locations", _, collection, operation] if (
                collection in COLLECTIONS
            ):
                _refuse_other_verbs(request)
                return self._operation(request, collection, operation)
            case _:
                return None

    def headers(self, request: Request, status: int, operation: Operation, item: Resource | None) -> dict[str, str]:
        """What the answer that started an operation says about it."""
        headers = {"Retry-After": operation.retry_after(self._cloud.clock)} if operation.running else {}
        operation.polls = max(operation.polls, 1)
        version = request.query.get("api-version", "")
        if item is not None and item.id.type == GROUP_TYPE:
            result = f"{request.endpoint}/subscriptions/{operation.subscription}/operationresults/{operation.id}"
            return {**headers, "Location": f"{result}?api-version={version}"}
        urls = self._cloud.operations
        if operation.kind != "result":
            headers["Azure-AsyncOperation"] = urls.url(request.endpoint, operation, "operations", version)
            if item is None or type_of(item.id.type).notifies:
                headers["Azure-AsyncNotification"] = "Enabled"
        if operation.kind == "result" or status == HTTPStatus.ACCEPTED:
            headers["Location"] = urls.url(request.endpoint, operation, "operationResults", version)
        return headers

    def _operation(self, request: Request, collection: str, operation_id: str) -> Answer:
        operation = self._cloud.operations.get(operation_id)
        path = request.path.rstrip("/")
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
        answer = self._ended(operation)
        if answer.status == HTTPStatus.NO_CONTENT:
            answer.headers = self._addresses(request, operation, request.query["api-version"])
        return answer

    def _addresses(self, request: Request, operation: Operation, version: str) -> dict[str, str]:
        """Recorded: the 204 at the end of a deletion repeats where its operation and its result are."""
        urls = self._cloud.operations
        gone = parse(operation.target)
        notified = gone is None or type_of(gone.type).notifies
        return {
            **({"Azure-AsyncNotification": "Enabled"} if notified else {}),
            "Azure-AsyncOperation": urls.url(request.endpoint, operation, "operations", version),
            "Location": urls.url(request.endpoint, operation, "operationResults", version),
        }

    def _ended(self, operation: Operation) -> Answer:
        if operation.error is not None:
            raise ArmError(HTTPStatus.CONFLICT, operation.error["code"], operation.error["message"])
        if operation.kind == "result":
            return Answer(HTTPStatus.OK, operation.detail["body"])
        return Answer(HTTPStatus.OK if operation.kind == "group-delete" else HTTPStatus.NO_CONTENT)

    def _group_result(self, request: Request, subscription: str, operation_id: str) -> Answer:
        operation = self._cloud.operations.get(operation_id)
        here = operation is not None and operation.subscription.lower() == subscription
        if operation is None or not here or operation.kind != "group-delete":
            raise not_found("OperationNotFound", f"The operation '{operation_id}' could not be found.")
        if operation.running:
            headers = {"Retry-After": operation.retry_after(self._cloud.clock)}
            operation.polls += 1
            location = f"{request.endpoint}{request.path}?{request.raw_query}"
            return Answer(HTTPStatus.ACCEPTED, headers={**headers, "Location": location})
        return self._ended(operation)


def _refuse_other_verbs(request: Request) -> None:
    """Raises 405 for what is no reading: an operation is followed and nothing else."""
    if request.method not in ("GET", "HEAD"):
        raise ArmError(
            HTTPStatus.METHOD_NOT_ALLOWED,
            "UnsupportedHttpVerb",
            f"The HTTP verb '{request.method}' is not supported for '{request.path}'.",
        )
