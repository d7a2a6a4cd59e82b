"""Writes that meet: what waits for nobody, what is refused for now, and what takes the place of the one before."""

from http import HTTPStatus

from arm_emulator.cloud import Cloud
from arm_emulator.effects import MOVING
from arm_emulator.errors import ArmError, Json, conflict
from arm_emulator.ids import ResourceId
from arm_emulator.operations import CANCELED, Operation
from arm_emulator.resource_types import type_of
from arm_emulator.resource_types.base import Put, Superseding
from arm_emulator.store import Resource, resource

PUT, PATCH, DELETE, ACT = "PUT", "PATCH", "DELETE", "POST"
RETRY_SECONDS = 11
"""Recorded: "The call can be retried in 11 seconds"; up to 14 have been seen."""


class Contention:
    """Judges a write against the operations that run on its family: the top-level resource and all below it."""

    def __init__(self, cloud: Cloud) -> None:
        """The cloud whose operations run."""
        self._cloud = cloud

    def superseded_by(self, method: str, resource_id: ResourceId, endpoint: str, api_version: str) -> list[Operation]:
        """The running operations whose place this write would take (a PATCH, done at once, lets them go on).

        Raises AnotherOperationInProgress (409) or RetryableError (429) where it has to wait instead.
        """
        running = self._cloud.operations.running_on(resource_id.root.key)
        for operation in running:
            if not self._superseded(method, resource_id, operation):
                raise self._refusal(method, resource_id, operation, endpoint, api_version)
        return running

    def supersede(self, superseded: list[Operation], by: Operation) -> None:
        """Ends them as canceled; what they wrote stays, and comes to rest with the operation that took their place."""
        by.detail = {**by.detail, "superseded": [one.target for one in superseded]}
        for one in superseded:
            by.detail["superseded"] += one.detail.get("superseded", [])
            message = f"Operation {one.name} ({one.id}) was canceled and superseded by operation {by.name} ({by.id})."
            detail = {"code": "CanceledAndSupersededDueToAnotherOperation", "message": message}
            error = {"code": CANCELED, "message": "Operation was canceled.", "details": [detail]}
            self._cloud.operations.supersede(one, error)
        self._cloud.operations.changed(by)

    def refuse_unprovisioned(self, put: Put) -> None:
        """What the body newly refers to must have come to rest, and with a subnet its virtual network."""
        declared = type_of(put.id.type)
        before = set() if put.old is None else {found.target.lower() for found in declared.references(put.old)}
        for reference in declared.references(resource(put.id, put.body)):
            target = self._cloud.store.get(reference.target.lower())
            if target is None or target.root_key == put.id.root.key or target.key in before:
                continue
            for one in (target, self._cloud.store.get(target.root_key)):
                if one is not None and one.state in MOVING:
                    running = self._cloud.operations.running_on(one.root_key)
                    raise _not_provisioned(one, put.id, running[-1].name if running else f"Put{short(one)}Operation")
            self._refuse_busy_network(put, target)

    def _superseded(self, method: str, resource_id: ResourceId, operation: Operation) -> bool:
        """Whether the write takes the place of a running PUT. A deletion does so below a top-level resource only."""
        way = type_of(resource_id.root.type).superseding
        same = operation.target == resource_id.key
        if operation.kind != "put" or method == ACT:
            return False
        if method == DELETE:
            return way is Superseding.FAMILY and resource_id.parent is not None and not same
        return way is Superseding.FAMILY or (way is Superseding.ITSELF and same and resource_id.parent is None)

    def _refusal(
        self, method: str, resource_id: ResourceId, operation: Operation, endpoint: str, api_version: str
    ) -> ArmError:
        below = operation.target != resource_id.root.key
        if method == PUT and resource_id.parent is None and below:
            written = self._cloud.store.get(operation.target)
            return _retryable(
                "RetryableErrorDueToAnotherOperation",
                f"Operation {operation.name} ({operation.id}) is updating resource "
                f"{written.id if written is not None else operation.target}. The call can be retried in {RETRY_SECONDS} "
                "seconds.",
                {"Retry-After": self._cloud.clock.retry_after(RETRY_SECONDS)},
            )
        url = (
            f"{endpoint}/subscriptions/{operation.subscription}/providers/{operation.namespace}/locations/"
            f"{operation.region}/operations/{operation.id}?api-version={api_version}"
        )
        return conflict(
            "AnotherOperationInProgress",
            f"Another operation on this or dependent resource is in progress. To retrieve status of the operation use uri: {url}.",
        )

    def _refuse_busy_network(self, put: Put, target: Resource) -> None:
        """A virtual network reads Succeeded while a subnet of it is written, and yet nothing can refer to it."""
        for operation in self._cloud.operations.running_on(target.root_key):
            if "/subnets/" in operation.target:
                written = self._cloud.store.get(operation.target)
                raise _not_provisioned(written or target, put.id, operation.name)


def _not_provisioned(target: Resource, source: ResourceId, last: str) -> ArmError:
    """A body refers to something that is not in Succeeded state: 400, or wrapped into 429 by the types that do so."""
    code = "ReferencedResourceNotProvisioned"
    message = (
        f"Cannot proceed with operation because resource {target.id} used by resource {source} is not in Succeeded "
        f"state. Resource is in {target.state} state and the last operation that updated/is updating the resource is "
        f"{last}."
    )
    if type_of(source.type).retryable_references:
        return _retryable(code, message, {})
    return ArmError(HTTPStatus.BAD_REQUEST, code, message)


def _retryable(code: str, message: str, headers: dict[str, str]) -> ArmError:
    details: list[Json] = [{"code": code, "message": message}]
    return ArmError(
        HTTPStatus.TOO_MANY_REQUESTS, "RetryableError", "A retryable error occurred.", details=details, headers=headers
    )


def short(item: Resource) -> str:
    """`VirtualNetwork` for Microsoft.Network/virtualNetworks, as operation names have it."""
    segment = item.id.type.rpartition("/")[2]
    singular = segment.removesuffix("es") if segment.endswith("sses") else segment.removesuffix("s")
    return singular[0].upper() + singular[1:]
