"""kopf's watches: each event is noted, and the key is queued if its pass is due. No decisions here.

Only ``on.event``: kopf then sets no finalizer, writes no annotation, keeps no progress, and starts nothing that a
deletion could leave behind (docs/adr/0002).
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import replace
from itertools import chain, count, repeat
from typing import Any

import kopf

from bastion_operator.api.meta import GROUP, VERSION
from bastion_operator.clock import Clock
from bastion_operator.reconcile.first_look import MODELS
from bastion_operator.reconcile.keys import Key, Kind
from bastion_operator.reconcile.release import wake_dependents
from bastion_operator.reconcile.services import Services

# Real seconds. A watch that died silently is opened anew after this time; the API server ends it a little earlier.
_WATCH_SECONDS, _WATCH_SLACK = 270, 30
# The API server counts in whole seconds.
_SHORTEST_WATCH = 5
# Seconds of the clock before credentials are tried again that were refused.
_LOGIN_AGAIN = 5.0


def make_registry(services: Services) -> kopf.OperatorRegistry:
    """A registry of its own, so that nothing is global, with one watch for each kind that has passes."""
    registry = kopf.OperatorRegistry()
    kopf.on.login(registry=registry)(_login(services.clock))
    for kind, model in MODELS.items():
        kopf.on.event(GROUP, VERSION, model.names.plural, registry=registry)(_watch(services, kind))
    return registry


def make_settings(clock: Clock) -> kopf.OperatorSettings:
    """Kopf as a watcher and nothing else."""
    settings = kopf.OperatorSettings()
    settings.scanning.disabled = True
    settings.posting.enabled = False
    settings.peering.standalone = True
    watch = max(round(_WATCH_SECONDS / clock.of_real(1)), _SHORTEST_WATCH)
    settings.watching.server_timeout = watch
    settings.watching.client_timeout = watch * (1 + _WATCH_SLACK / _WATCH_SECONDS)
    settings.watching.connect_timeout = 10
    # kopf gives up after the last of these, and the program with it: an outage must not end a loop.
    settings.networking.error_backoffs = _Endless()
    return settings


class _Endless:
    """Seconds between tries to reach the API server, as often as it takes."""

    def __iter__(self) -> Iterator[float]:
        return chain((1.0, 1.0, 2.0, 3.0, 5.0), repeat(10.0))


def _login(clock: Clock) -> Callable[..., Awaitable[kopf.ConnectionInfo | None]]:
    """Credentials as they are in their files now, as often as it takes.

    kopf remembers what was refused, and ends the program over it if it gets the same again: but a token can be refused
    for a while, by an API server that is starting or before the kubelet has written the next. So each is told apart by
    its priority, and waited for.
    """
    numbers = count()

    async def login(**kwargs: Any) -> kopf.ConnectionInfo | None:
        number = next(numbers)
        if number:
            await clock.sleep(_LOGIN_AGAIN)
        found = kopf.login_with_kubeconfig(**kwargs) or kopf.login_with_service_account(**kwargs)
        return None if found is None else replace(found, priority=number)

    return login


def _watch(services: Services, kind: Kind) -> Callable[..., Awaitable[None]]:
    # kopf runs plain functions in threads of its own, and neither the objects nor the queue can be changed from there.
    async def noted(event: Mapping[str, Any], body: Mapping[str, Any], **_: Any) -> None:
        metadata = body["metadata"]
        key = Key(kind, metadata.get("namespace", ""), metadata["name"])
        gone = event.get("type") == "DELETED"
        if not services.objects.seen(key, None if gone else dict(body)):
            return
        services.queue.add(key)
        if gone:
            wake_dependents(services, key, body)

    return noted
