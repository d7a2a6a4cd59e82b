"""The loop that takes keys from the queue and runs their passes. No error ends it."""

import asyncio
import logging
import random
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from bastion_operator.arm.errors import AzureError
from bastion_operator.correlation import correlation_id, resource
from bastion_operator.kube.errors import InvalidError, KubeError, UnavailableError
from bastion_operator.leadership import NotLeadingError
from bastion_operator.reconcile.azure_identity import azure_identity_pass
from bastion_operator.reconcile.backoff import Backoff
from bastion_operator.reconcile.bastion_host import bastion_host_pass
from bastion_operator.reconcile.broken_off import tell_broken_off
from bastion_operator.reconcile.keys import Key, Kind
from bastion_operator.reconcile.outcome import Outcome
from bastion_operator.reconcile.services import Services
from bastion_operator.reconcile.vnet_peering import vnet_peering_pass
from bastion_operator.traces import Span

_log = logging.getLogger(__name__)

Pass = Callable[[Services, Key], Awaitable[Outcome]]

PASSES: Mapping[Kind, Pass] = {
    Kind.BASTION_HOST: bastion_host_pass,
    Kind.VNET_PEERING: vnet_peering_pass,
    Kind.AZURE_IDENTITY: azure_identity_pass,
}
_FORESEEN = (KubeError, AzureError, NotLeadingError)
# Routine passes are spread by this share of their interval, so that resources made together do not stay together.
_JITTER = 0.1


@dataclass(frozen=True, slots=True)
class Worker:
    """Runs passes, one at a time; several workers share one queue."""

    services: Services
    backoff: Backoff
    random: random.Random
    passes: Mapping[Kind, Pass]
    began: dict[Key, float] = field(default_factory=dict)

    def longest(self) -> float:
        """Seconds of the clock since the oldest of the passes that run began; 0 if none runs."""
        now = self.services.clock.monotonic()
        return max((now - began for began in self.began.values()), default=0.0)

    async def run(self) -> None:
        """Until cancelled."""
        queue = self.services.queue
        while True:
            key = await queue.take()
            self.services.metrics.queue_seconds.observe(queue.waited(key))
            self.began[key] = self.services.clock.monotonic()
            try:
                await self._pass(key)
            finally:
                del self.began[key]
                queue.done(key)
                self.services.metrics.queue_length.set(len(queue))
                self.services.metrics.last_pass.set(self.services.clock.now().timestamp())

    async def _pass(self, key: Key) -> None:
        token, about = correlation_id.set(str(uuid.uuid4())), resource.set(str(key))
        started = self.services.clock.monotonic()
        try:
            with self.services.traces.span(f"reconcile {key.kind.value}", _attributes(key)) as span:
                result = await self._result(key, span)
                span.tell("azurebastion.result", result)
        finally:
            correlation_id.reset(token)
            resource.reset(about)
        self.services.metrics.passes.labels(key.kind.value, result).inc()
        took = self.services.clock.monotonic() - started
        self.services.metrics.pass_seconds.labels(key.kind.value).observe(took)

    async def _result(self, key: Key, span: Span) -> str:
        try:
            outcome = await self.passes[key.kind](self.services, key)
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            # Something that the pass waited for was cancelled, not the worker.
            result = self._failed(key, RuntimeError(f"the pass was broken off: {error!r}"))
        except Exception as error:  # noqa: BLE001 - one resource's trouble must not end the loop for all others
            result = self._failed(key, error)
            lasts = isinstance(error, InvalidError) or not isinstance(error, _FORESEEN)
            if self.backoff.failures(key) > 1 and lasts:
                await self._tell_broken_off(key, error)
        else:
            self.backoff.reset(key)
            if outcome.again_in is not None:
                spread = 1 + self.random.uniform(-_JITTER, 0)
                self.services.queue.add_after(key, outcome.again_in * spread)
            return outcome.result
        span.failed(result)
        return result

    def _failed(self, key: Key, error: Exception) -> str:
        wait = self.backoff.next(key)
        if isinstance(error, UnavailableError) and error.retry_after:
            wait = max(wait, error.retry_after)
        self.services.queue.add_after(key, wait)
        # A traceback only for what nobody foresaw: the text of the foreseen says it all.
        _log.warning(
            "%s: again in %.0f s: %s", key, wait, error, exc_info=None if isinstance(error, _FORESEEN) else error
        )
        return type(error).__name__

    async def _tell_broken_off(self, key: Key, error: Exception) -> None:
        try:
            await tell_broken_off(self.services, key, error)
        except Exception as refusal:  # noqa: BLE001 - what cannot be told must not end the loop either
            _log.info("%s: its status cannot tell so: %s", key, refusal)


def _attributes(key: Key) -> dict[str, str]:
    """What a span tells of a pass, by OpenTelemetry's names where there is one."""
    return {
        "k8s.namespace.name": key.namespace,
        "azurebastion.kind": key.kind.value,
        "azurebastion.name": key.name,
        "azurebastion.correlation_id": correlation_id.get(),
    }
