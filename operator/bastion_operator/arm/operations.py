"""Long operations, followed from memory at the pace that Azure asks for."""

import asyncio
import logging
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

from bastion_operator.arm.answers import Operation
from bastion_operator.arm.client import ArmClient
from bastion_operator.arm.errors import AzureError, ErrorClass, OperationFailedError, OperationLostError
from bastion_operator.clock import Clock

_log = logging.getLogger(__name__)

# Classes of error in which the question failed, not the operation. Not that of credentials: the client that began with an
# identity keeps its secret, and a rotated one is for the next pass, which reads the resource.
_ASK_AGAIN = frozenset({ErrorClass.TRANSIENT, ErrorClass.THROTTLED, ErrorClass.CONTENTION})
# Seconds. For as long as an operation is followed nothing else is sent to its resource, so not for ever without an answer.
_LONGEST_UNANSWERED = 3600.0
# Seconds. An answer that did not come is asked for again at the pace of operations, not of requests.
_ASK_AGAIN_AFTER = 10.0
# Real seconds. A real Azure never asks for less than one; a local one that runs fast may say 0, and is asked as often as so
# many questions at once allow.
_SHORTEST_POLL, _POLL_FOR_EACH = 0.01, 0.002
# What others of the kind took at least, of so many: before most of that is over, nobody has to ask. An operation may fail
# long before, so that the first question never waits for more than so many seconds on that account.
_REMEMBERED, _MOST_OF_IT, _LONGEST_SILENCE = 5, 0.95, 30.0
Ended = Callable[[Operation, AzureError | None], None]


@dataclass(frozen=True, slots=True)
class _Followed:
    task: asyncio.Task[None]
    operation: Operation
    ended: Ended


@dataclass(slots=True)
class UsualTimes:
    """How long operations took lately, in seconds of the operator's clock, by verb and type of resource."""

    _taken: dict[tuple[str, str], deque[float]] = field(
        default_factory=lambda: defaultdict(partial(deque, maxlen=_REMEMBERED))
    )

    def took(self, operation: Operation, seconds: float) -> None:
        """One of the kind has succeeded after so long."""
        self._taken[_kind(operation)].append(seconds)

    def first_rest(self, operation: Operation) -> float:
        """For how long it is hardly of use to ask; 0 where nothing is known."""
        taken = self._taken.get(_kind(operation))
        return min(_MOST_OF_IT * min(taken), _LONGEST_SILENCE) if taken else 0.0


def _kind(operation: Operation) -> tuple[str, str]:
    return operation.verb, operation.resource_id.rpartition("/")[0].rpartition("/")[2].lower()


@dataclass(slots=True)
class OperationFollower:
    """Polls every operation that was started and tells when it ended.

    Only the operation's URL tells why Azure failed, and it is never stored: after a restart the resource's own
    ``provisioningState`` must do.
    """

    clock: Clock
    _running: dict[str, _Followed] = field(default_factory=dict)
    _usual: UsualTimes = field(default_factory=UsualTimes)

    def running(self, resource_id: str) -> bool:
        """Whether an operation on this resource, started by this process, goes on."""
        return resource_id.lower() in self._running

    def follow(self, client: ArmClient, operation: Operation, ended: Ended) -> None:
        """Poll until the end, then call ``ended`` with the error for which it failed, or None.

        One that was followed on the same resource is lost to this one: whoever waits for it is told now.
        """
        key = operation.resource_id.lower()
        before = self._running.pop(key, None)
        task = asyncio.create_task(self._poll(client, operation, ended), name=f"operation {operation.resource_id}")
        self._running[key] = _Followed(task, operation, ended)
        if before is not None:
            before.task.cancel()
            before.ended(before.operation, _lost(before.operation, "another one was begun"))

    async def close(self) -> None:
        """Stop following; the operations go on in Azure."""
        tasks = [each.task for each in self._running.values()]
        self._running.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def _shortest_poll(self) -> float:
        return self.clock.of_real(max(_SHORTEST_POLL, _POLL_FOR_EACH * len(self._running)))

    async def _poll(self, client: ArmClient, operation: Operation, ended: Ended) -> None:
        failure: AzureError | None = None
        began = self.clock.monotonic()
        first = max(operation.retry_after, self._usual.first_rest(operation))
        current: Operation | None = replace(operation, retry_after=first)
        unanswered, answered = 0, began
        while current is not None:
            await self.clock.sleep(max(current.retry_after, self._shortest_poll))
            try:
                current = await client.poll(current)
                unanswered, answered = 0, self.clock.monotonic()
            except OperationFailedError as error:
                failure, current = error, None
            except AzureError as error:
                unanswered += 1
                silent = self.clock.monotonic() - answered
                if error.error_class in _ASK_AGAIN and silent < _LONGEST_UNANSWERED:
                    current = replace(operation, retry_after=max(error.wait(unanswered), _ASK_AGAIN_AFTER))
                    continue
                # "No such operation", or it may not be asked for: the next pass reads the resource.
                failure, current = _lost(operation, f"{error.code} was answered"), None
            except Exception as error:  # noqa: BLE001 - whoever waits must hear of the end, whatever ended the watch
                # Without the traceback: its lines may hold the signed URL.
                _log.error("the operation on %s is no longer followed: %s", operation.resource_id, type(error).__name__)
                failure, current = _lost(operation, type(error).__name__), None
        followed = self._running.get(operation.resource_id.lower())
        if followed is not None and followed.task is asyncio.current_task():
            del self._running[operation.resource_id.lower()]
        if failure is None:
            self._usual.took(operation, self.clock.monotonic() - began)
        _log.info("%s of %s ended: %s", operation.verb, operation.resource_id, failure.code if failure else "Succeeded")
        ended(operation, failure)


def _lost(operation: Operation, why: str) -> OperationLostError:
    message = f"it is no longer followed ({why}); the resource itself will tell"
    return OperationLostError("OperationNotFollowed", message, ErrorClass.TRANSIENT, target=operation.resource_id)
