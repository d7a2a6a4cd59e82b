"""Long operations: what runs, until when, what its polls answer, and the signed URLs that lead there."""

import base64
import hashlib
import heapq
import hmac
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from arm_emulator.clock import Clock, iso, offset_iso
from arm_emulator.errors import Json
from arm_emulator.guids import new_guid

IN_PROGRESS = "InProgress"
SUCCEEDED = "Succeeded"
COMPUTE = "microsoft.compute"
FAILED = "Failed"
CANCELED = "Canceled"

_CERTIFICATE_BYTES = 1980  # makes a URL of about 3,200 characters, as in recorded traffic
_SIGNATURE_BYTES = 256


@dataclass(frozen=True, slots=True)
class Timing:
    """How long Azure takes, in seconds at speed 1, and what Retry-After says: the first answer, then each poll."""

    seconds: float
    ladder: tuple[float, ...] = (10,)


@dataclass(slots=True)
class Operation:
    """One long operation on the resource `target` (a key) that shares `root` with its family."""

    id: str
    name: str
    kind: str
    subscription: str
    region: str
    namespace: str
    target: str
    root: str
    started: float
    ends: float
    ladder: list[float]
    principal: str
    status: str = IN_PROGRESS
    polls: int = 0
    error: Json | None = None
    fails_with: Json | None = None
    detail: Json = field(default_factory=dict)

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self.status == IN_PROGRESS

    def retry_after(self, clock: Clock) -> str:
        """Retry-After for the next answer: the first rung belongs to the answer that started the operation."""
        return clock.retry_after(self.ladder[min(self.polls, len(self.ladder) - 1)])

    def answer(self) -> Json:
        """What its URL answers, always with HTTP 200. Recorded: Microsoft.Compute tells times and its name as well."""
        answer: Json = {"status": self.status}
        if self.namespace.lower() == COMPUTE:
            ended = {} if self.running else {"endTime": offset_iso(self.ends)}
            answer = {"startTime": offset_iso(self.started), **ended, "status": self.status, "name": self.id}
        if self.error is not None:
            answer["error"] = self.error
        return answer


class Operations:
    """All operations. They end lazily: `settle` ends what is due, in order, before anything else looks at the state."""

    def __init__(self, clock: Clock, secret: bytes) -> None:
        """`secret` signs the URLs. `finish` is set by the life cycle and does what an operation's end does."""
        self._clock = clock
        self._secret = secret
        self._operations: dict[str, Operation] = {}
        self._due: list[tuple[float, int, str]] = []
        self._sequence = itertools.count()
        self._running: dict[str, dict[str, None]] = {}
        # One certificate signs all URLs, as at Azure.
        self._certificate = self._noise("c", _CERTIFICATE_BYTES)
        self.finish: Callable[[Operation], None] = lambda _operation: None
        self.listeners: list[Callable[[Operation], None]] = []
        self.settled: list[Callable[[Operation], None]] = []
        """Who hears of each that `settle` ended, before it ends the next."""

    def start(
        self,
        *,
        name: str,
        kind: str,
        subscription: str,
        region: str,
        namespace: str,
        target: str,
        root: str,
        timing: Timing,
        principal: str,
        detail: Json | None = None,
    ) -> Operation:
        """A new operation that ends after `timing`, at the clock's speed."""
        now = self._clock.now()
        operation = Operation(
            id=new_guid(),
            name=name,
            kind=kind,
            subscription=subscription,
            region=region or "global",
            namespace=namespace,
            target=target,
            root=root,
            started=now,
            ends=now + self._clock.scaled(timing.seconds),
            ladder=list(timing.ladder),
            principal=principal,
            detail=detail or {},
        )
        self.adopt(operation)
        self.changed(operation)
        return operation

    def adopt(self, operation: Operation) -> None:
        """Takes up an operation that was started here or before a restart."""
        self._operations[operation.id] = operation
        if operation.running:
            self._running.setdefault(operation.root, {})[operation.id] = None
            heapq.heappush(self._due, (operation.ends, next(self._sequence), operation.id))

    def changed(self, operation: Operation) -> None:
        """Tells the listeners (persistence)."""
        for listener in self.listeners:
            listener(operation)

    def settle(self) -> None:
        """Ends every operation that is due, earliest first."""
        now = self._clock.now()
        while self._due and self._due[0][0] <= now:
            _, _, operation_id = heapq.heappop(self._due)
            operation = self._operations[operation_id]
            if operation.running:
                self.end(operation, operation.fails_with)
                for listener in self.settled:
                    listener(operation)

    def end(self, operation: Operation, error: Json | None) -> None:
        """Ends one operation, with an error or without."""
        operation.status = SUCCEEDED if error is None else CANCELED if error["code"] == CANCELED else FAILED
        operation.error = error
        self._running.get(operation.root, {}).pop(operation.id, None)
        self.finish(operation)
        self.changed(operation)

    def supersede(self, operation: Operation, error: Json) -> None:
        """Ends one operation without the effects of an end: another goes on with its work."""
        operation.status = CANCELED
        operation.error = error
        self._running.get(operation.root, {}).pop(operation.id, None)
        self.changed(operation)

    def running_on(self, root: str) -> list[Operation]:
        """What runs on a top-level resource or its children."""
        return [self._operations[operation_id] for operation_id in self._running.get(root, ())]

    def get(self, operation_id: str) -> Operation | None:
        """The operation with this id."""
        return self._operations.get(operation_id)

    def __iter__(self) -> Iterator[Operation]:
        """All operations, running or ended."""
        return iter(self._operations.values())

    def url(self, endpoint: str, operation: Operation, collection: str, api_version: str) -> str:
        """The operation's signed URL below `locations/…/{collection}`; only a verbatim replay is accepted."""
        path = (
            f"/subscriptions/{operation.subscription}/providers/{operation.namespace}/locations/{operation.region}"
            f"/{collection}/{operation.id}"
        )
        ticks = str(int(operation.started * 10_000_000) + 621_355_968_000_000_000)
        query = f"api-version={api_version}&t={ticks}&c={self._certificate}"
        query += f"&s={self._noise(f's/{operation.id}', _SIGNATURE_BYTES)}"
        return f"{endpoint}{path}?{query}&h={self._digest(path, query)}"

    def genuine(self, path: str, query: str) -> bool:
        """Whether a URL's path and query string are as they were given out."""
        unsigned, found, digest = query.rpartition("&h=")
        signed = bool(found) and f"&c={self._certificate}&" in unsigned
        return signed and hmac.compare_digest(digest, self._digest(path, unsigned))

    def _digest(self, path: str, query: str) -> str:
        # The certificate is most of the query, and the same in all.
        told = query.replace(self._certificate, "", 1)
        return _text(hmac.digest(self._secret, f"{path.lower()}?{told}".encode(), "sha256"))

    def _noise(self, label: str, size: int) -> str:
        """Bytes that look like the certificate and signature in Azure's URLs: long, opaque, the same for one label."""
        return _text(hashlib.shake_256(self._secret + label.encode()).digest(size))


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def described(operation: Operation) -> Json:
    """An operation as the control side shows it."""
    return {
        "id": operation.id,
        "name": operation.name,
        "kind": operation.kind,
        "target": operation.target,
        "status": operation.status,
        "principal": operation.principal,
        "started": iso(operation.started),
        "ends": iso(operation.ends),
        "error": operation.error,
    }
