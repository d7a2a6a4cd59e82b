"""Long operations, followed from memory at the pace that Azure asks for."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from bastion_operator.arm.client import ArmClient, Operation
from bastion_operator.arm.errors import AzureError, ErrorClass, OperationFailedError
from bastion_operator.clock import Clock

_log = logging.getLogger(__name__)

# Classes of error in which the question failed, not the operation.
_ASK_AGAIN = frozenset({ErrorClass.TRANSIENT, ErrorClass.THROTTLED, ErrorClass.CREDENTIAL, ErrorClass.CONTENTION})
_ASK_AGAIN_AFTER = 10.0
Ended = Callable[[Operation, AzureError | None], None]


@dataclass(slots=True)
class OperationFollower:
    """Polls every operation that was started and tells when it ended.

    Only the operation's URL tells why Azure failed, and it is never stored: after a restart the resource's own
    ``provisioningState`` must do.
    """

    clock: Clock
    _running: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    def running(self, resource_id: str) -> bool:
        """Whether an operation on this resource, started by this process, goes on."""
        return resource_id.lower() in self._running

    def follow(self, client: ArmClient, operation: Operation, ended: Ended) -> None:
        """Poll until the end, then call ``ended`` with the error for which it failed, or None."""
        key = operation.resource_id.lower()
        before = self._running.pop(key, None)
        if before is not None:
            before.cancel()
        task = asyncio.create_task(self._poll(client, operation, ended), name=f"operation {operation.resource_id}")
        self._running[key] = task

    async def close(self) -> None:
        """Stop following; the operations go on in Azure."""
        tasks = list(self._running.values())
        self._running.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _poll(self, client: ArmClient, operation: Operation, ended: Ended) -> None:
        failure: AzureError | None = None
        current: Operation | None = operation
        while current is not None:
            await self.clock.sleep(current.retry_after)
            try:
                current = await client.poll(current)
            except AzureError as error:
                if not isinstance(error, OperationFailedError) and error.error_class in _ASK_AGAIN:
                    wait = error.retry_after or _ASK_AGAIN_AFTER
                    current = Operation(operation.resource_id, operation.verb, operation.url, wait)
                    continue
                # Any other answer, also "no such operation", ends the watch: the next pass reads the resource.
                failure, current = error, None
            except Exception as error:  # noqa: BLE001 - whoever waits must hear of the end, whatever ended the watch
                # Without the traceback: its lines may hold the signed URL.
                _log.error("the operation on %s is no longer followed: %s", operation.resource_id, type(error).__name__)
                message = f"it is no longer followed ({type(error).__name__}); the resource itself will tell"
                failure = AzureError(
                    "OperationNotFollowed", message, ErrorClass.TRANSIENT, target=operation.resource_id
                )
                current = None
        if self._running.get(operation.resource_id.lower()) is asyncio.current_task():
            del self._running[operation.resource_id.lower()]
        _log.info("%s of %s ended: %s", operation.verb, operation.resource_id, failure.code if failure else "Succeeded")
        ended(operation, failure)
