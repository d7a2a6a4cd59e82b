"""Leader election by a Lease of coordination.k8s.io, by the rules of Kubernetes' own components.

Who holds the Lease renews it all the time. Another takes it once it has seen it unchanged for the Lease's duration, by
its own clock: the clocks of two machines are never compared. The holder stops earlier, at the renew deadline after it
sent the last renewal that was taken. Between the two lies the time in which a write that is on its way may arrive.

Rules: https://pkg.go.dev/k8s.io/client-go/tools/leaderelection; the client library's own election goes by the wall clock
and tells nobody until when the Lease holds, so it cannot serve here.
"""

import asyncio
import copy
import logging
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from bastion_operator.kube.client import KubeClient
from bastion_operator.kube.errors import ConflictError, KubeError, NotFoundError
from bastion_operator.leadership import Leadership
from bastion_operator.problems import WrongSettingsError

_log = logging.getLogger(__name__)

# client-go's JitterFactor: those who wait do not all ask at the same moments.
_JITTER = 0.2
_RELEASE_SECONDS = 5.0


class LeaseSettingsError(WrongSettingsError):
    """Times that do not go together; the message says which."""


class LeaseLostError(Exception):
    """The process must end: another one holds the Lease, or it could not be renewed in time."""


@dataclass(frozen=True, slots=True)
class LeaseSettings:
    """Which Lease, who asks for it, and the times in real seconds; the defaults are those of Kubernetes' components.

    :ivar holder: names this process and no other, nor the same one after a restart
    :ivar duration: an unchanged Lease is taken from its holder after so many seconds
    :ivar renew_deadline: the holder writes nothing so many seconds after it sent its last renewal
    :ivar retry_period: between two looks or renewals
    :raises LeaseSettingsError: times that do not go together
    """

    namespace: str
    name: str
    holder: str
    duration: int = 15
    renew_deadline: float = 10.0
    retry_period: float = 2.0

    def __post_init__(self) -> None:
        problems = [*self._problems()]
        if problems:
            raise LeaseSettingsError(*problems)

    def _problems(self) -> Iterator[str]:
        if self.duration < 1:
            yield f"the lease duration is {self.duration} s: it must be 1 s or more"
        if self.renew_deadline >= self.duration:
            yield (
                f"the renew deadline is {self.renew_deadline:g} s: it must be shorter than the lease duration of "
                f"{self.duration} s, or two operators could write at once"
            )
        if not 0 < self.retry_period * (1 + _JITTER) < self.renew_deadline:
            yield (
                f"the retry period is {self.retry_period:g} s: with a jitter of {_JITTER:.0%} it must be shorter than the "
                f"renew deadline of {self.renew_deadline:g} s, and longer than 0 s"
            )

    def __str__(self) -> str:
        return f"Lease {self.namespace}/{self.name}"


class LeaderElection:
    """Waits for the Lease, then keeps it. ``leadership`` is what everybody else asks."""

    def __init__(self, client: KubeClient, settings: LeaseSettings, leadership: Leadership) -> None:
        """``client`` is its own alone: a renewal waits behind no other request."""
        self._client = client
        self._settings = settings
        self._leadership = leadership
        self._random = random.Random()  # noqa: S311 - jitter, no secret
        # The Lease as it was read or written last, and when it was first seen so.
        self._lease: dict[str, Any] | None = None
        self._unchanged_since = 0.0
        self._told = ""

    async def run(self) -> None:
        """Until the Lease is lost.

        :raises LeaseLostError: that is the only end
        """
        period = self._settings.retry_period
        while True:
            if await self._taken():
                break
            await asyncio.sleep(period * (1 + self._random.uniform(0, _JITTER)))
        _log.info("%s is held now: %s writes", self._settings, self._settings.holder)
        while True:
            await asyncio.sleep(period)
            await self._renew()

    async def release(self) -> None:
        """Let the next one have it at once. Nothing must be on its way any more that this process has sent."""
        held = self._leadership.holds()
        self._leadership.give_up()
        if not held or self._lease is None:
            return
        try:
            async with asyncio.timeout(_RELEASE_SECONDS):
                await self._client.request("PUT", self._path, body=self._next(self._lease, holder="", duration=1))
        except (KubeError, TimeoutError) as error:
            _log.warning(
                "%s was not released; it ends by itself in %d s: %s", self._settings, self._settings.duration, error
            )
        else:
            _log.info("%s is released", self._settings)

    async def _taken(self) -> bool:
        """Try to get hold of it; every error is told once, and means to wait."""
        try:
            async with asyncio.timeout(self._settings.renew_deadline):
                return await self._try_to_take()
        except (KubeError, TimeoutError) as error:
            self._tell(f"cannot be had: {_said(error)}")
            return False

    async def _try_to_take(self) -> bool:
        asked, settings = self._leadership.now(), self._settings
        lease = await self._read()
        if lease is not None and (self._lease is None or _version(lease) != _version(self._lease)):
            self._lease, self._unchanged_since = lease, self._leadership.now()
        holder = _spec(lease or {}).get("holderIdentity")
        ends = self._unchanged_since + max(_duration(lease or {}), settings.duration)
        # Its own name stands there where the answer to an earlier try was lost.
        if holder and holder != settings.holder and self._leadership.now() < ends:
            self._tell(f"is held by {holder}: watching, and writing nothing")
            return False
        try:
            await self._write(lease, asked)
        except ConflictError:
            # Another one was quicker, or its holder lives.
            return False
        return True

    async def _renew(self) -> None:
        """Move the end of the right to write on; an error is told, and is no loss before that end.

        :raises LeaseLostError: the end has come, or another process has the Lease
        """
        left = self._leadership.left()
        if left <= 0:
            raise LeaseLostError(
                f"{self._settings} was lost: it could not be renewed within {self._settings.renew_deadline:g} s"
            )
        try:
            # Several tries fit in before the end.
            async with asyncio.timeout(min(left, self._settings.renew_deadline / 3)):
                await self._renew_once()
        except (KubeError, TimeoutError) as error:
            _log.warning("%s was not renewed, and ends in %.1f s: %s", self._settings, left, _said(error))

    async def _renew_once(self) -> None:
        asked, holder = self._leadership.now(), self._settings.holder
        try:
            await self._write(self._lease, asked)
        except (ConflictError, NotFoundError):
            # Somebody has written to it (an annotation, or a new holder), or has deleted it.
            lease = await self._read()
            if lease is not None and _spec(lease).get("holderIdentity") != holder:
                self._leadership.give_up()
                other = _spec(lease).get("holderIdentity") or "nobody"
                raise LeaseLostError(f"{self._settings} was lost: {other} holds it now") from None
            await self._write(lease, asked)

    async def _read(self) -> dict[str, Any] | None:
        try:
            return await self._client.request("GET", self._path)
        except NotFoundError:
            return None

    async def _write(self, lease: Mapping[str, Any] | None, asked: float) -> None:
        """Hold it, unless it has changed since it was read; the right to write counts from ``asked``."""
        if lease is None:
            metadata = {"name": self._settings.name, "namespace": self._settings.namespace}
            new = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata}
            body = self._next(new, holder=self._settings.holder)
            self._lease = await self._client.request("POST", self._collection, body=body)
        else:
            body = self._next(lease, holder=self._settings.holder)
            self._lease = await self._client.request("PUT", self._path, body=body)
        self._leadership.extend(asked + self._settings.renew_deadline)

    def _next(self, lease: Mapping[str, Any], *, holder: str, duration: int | None = None) -> dict[str, Any]:
        """The Lease with this holder, renewed now; what others have written beside stays."""
        body = copy.deepcopy(dict(lease))
        spec, now = _spec(body), datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        changed = spec.get("holderIdentity") != holder
        body["spec"] = {
            **spec,
            "holderIdentity": holder,
            "leaseDurationSeconds": self._settings.duration if duration is None else duration,
            "acquireTime": now if changed else spec.get("acquireTime", now),
            "renewTime": now,
            # A Lease that is let go of counts when it is taken again.
            "leaseTransitions": int(spec.get("leaseTransitions") or 0) + int(changed and bool(holder)),
        }
        return body

    def _tell(self, text: str) -> None:
        if text != self._told:
            _log.info("%s %s", self._settings, text)
            self._told = text

    @property
    def _collection(self) -> str:
        namespace = quote(self._settings.namespace, safe="")
        return f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"

    @property
    def _path(self) -> str:
        return f"{self._collection}/{quote(self._settings.name, safe='')}"


def _spec(lease: Mapping[str, Any]) -> dict[str, Any]:
    return dict(lease.get("spec") or {})


def _duration(lease: Mapping[str, Any]) -> int:
    """The seconds that the holder counts on; one who writes by other settings is waited for by its own."""
    return int(_spec(lease).get("leaseDurationSeconds") or 0)


def _version(lease: Mapping[str, Any]) -> str:
    return str(lease["metadata"]["resourceVersion"])


def _said(error: Exception) -> str:
    return str(error) or "no answer in time"
