"""Who undoes what was done: the last writer by the activity log, where the identity may read it."""

import logging
from collections.abc import Iterable
from datetime import timedelta

from bastion_operator.arm.activity_log import READ, last_writer
from bastion_operator.arm.errors import AzureError
from bastion_operator.planning.model import Change
from bastion_operator.reconcile.keys import Key
from bastion_operator.reconcile.services import Services
from bastion_operator.reconcile.sessions import Session

_log = logging.getLogger(__name__)

# How far back the activity log is searched.
_LOOKED_BACK = timedelta(days=1)


async def tell_who_undoes(services: Services, session: Session, key: Key, changes: Iterable[Change]) -> None:
    """Look it up, one resource a pass. What the log does not tell keeps nothing from going on."""
    contention = services.attempts.contention
    for resource_id in contention.unexplained(key, changes)[:1]:
        since = services.clock.now() - _LOOKED_BACK
        try:
            writer = await last_writer(session.client, resource_id, since)
        except AzureError as error:
            _log.info("%s: the activity log of %s could not be read: %s", key, resource_id, error.code)
            words = (
                f"Who it is stands in the activity log, which the identity cannot read ({error.code}; it needs {READ})"
            )
        else:
            words = f"Last written by {writer}" if writer else "The activity log names nobody else yet"
        contention.explain(key, resource_id, words)
