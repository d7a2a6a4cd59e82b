"""kopf's watches: each event is noted, and the key is queued if its pass is due. No decisions here.

Only ``on.event``: kopf then sets no finalizer, writes no annotation, keeps no progress, and starts nothing that a
deletion could leave behind (docs/adr/0002).
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import chain, repeat
from typing import Any

import kopf

from bastion_operator.api.meta import GROUP, VERSION
from bastion_operator.reconcile.first_look import MODELS
from bastion_operator.reconcile.keys import Key, Kind
from bastion_operator.reconcile.release import wake_dependents
from bastion_operator.reconcile.services import Services


def make_registry(services: Services) -> kopf.OperatorRegistry:
    """A registry of its own, so that nothing is global, with one watch for each kind that has passes."""
    registry = kopf.OperatorRegistry()
    kopf.on.login(registry=registry)(_login)
    for kind, model in MODELS.items():
        kopf.on.event(GROUP, VERSION, model.names.plural, registry=registry)(_watch(services, kind))
    return registry


def make_settings() -> kopf.OperatorSettings:
    """Kopf as a watcher and nothing else."""
    settings = kopf.OperatorSettings()
    settings.scanning.disabled = True
    settings.posting.enabled = False
    settings.peering.standalone = True
    # A watch that died silently is opened anew after this time.
    settings.watching.server_timeout = 270
    settings.watching.client_timeout = 300
    settings.watching.connect_timeout = 10
    # kopf gives up after the last of these, and the program with it: an outage must not end a loop.
    settings.networking.error_backoffs = _Endless()
    return settings


class _Endless:
    """Seconds between tries to reach the API server, as often as it takes."""

    def __iter__(self) -> Iterator[float]:
        return chain((1.0, 1.0, 2.0, 3.0, 5.0), repeat(10.0))


def _login(**kwargs: Any) -> kopf.ConnectionInfo | None:
    return kopf.login_with_kubeconfig(**kwargs) or kopf.login_with_service_account(**kwargs)


def _watch(services: Services, kind: Kind) -> Callable[..., None]:
    def noted(event: Mapping[str, Any], body: Mapping[str, Any], **_: Any) -> None:
        metadata = body["metadata"]
        key = Key(kind, metadata.get("namespace", ""), metadata["name"])
        gone = event.get("type") == "DELETED"
        if not services.objects.seen(key, None if gone else dict(body)):
            return
        services.queue.add(key)
        if gone:
            wake_dependents(services, key, body)

    return noted
