"""How old the inventory may be for a pass, and what is said when it cannot be read."""

import logging
from datetime import timedelta

from bastion_operator.arm.errors import AzureError
from bastion_operator.planning.conditions import Failure
from bastion_operator.reconcile.attempts import failure_of
from bastion_operator.reconcile.keys import Key, Kind
from bastion_operator.reconcile.outcome import routine_look
from bastion_operator.reconcile.services import Services
from bastion_operator.reconcile.sessions import Session

_log = logging.getLogger(__name__)

# After so many intervals without an inventory it is said; before that a late graph would only make conditions flap.
_TOLERATED_INTERVALS = 3
# Seconds after which the inventory is asked for again that could not be had.
_ASK_AGAIN = 15.0


async def refresh_fleet(
    services: Services, session: Session, key: Key, interval: timedelta, *, at_once: bool
) -> list[Failure]:
    """Read the identity's inventory again if it is due; the failure, if there is none that is young enough to go by.

    A pass that goes on where an operation has ended does not wait for it: it comes again when it was read.

    :param at_once: somebody has asked for a pass now, so nothing that was read before will do
    """
    identity = session.identity
    try:
        max_age = 0.0 if at_once else routine_look(interval)
        until_read = interval.total_seconds() if services.read_ahead.expects(key) and not at_once else 0.0
        access = services.objects.access_asked_of(identity)
        unused = services.fleet.age(identity) is None
        reading = await services.fleet.refresh(
            identity, session.client, session.subscriptions, max_age, access=access, until_read=until_read
        )
        if reading is not None:
            reading.add_done_callback(lambda _: services.queue.add(key))
        if unused:
            # Somebody uses it now: whether its roles suffice is to be told.
            services.queue.add(Key(Kind.AZURE_IDENTITY, "", identity))
    except AzureError as error:
        _log.warning("the inventory of AzureIdentity %s could not be read: %s", identity, error)
        services.queue.add_after(key, max(_ASK_AGAIN, error.wait(1)))
        age = services.fleet.age(identity)
        if age is None or age > _TOLERATED_INTERVALS * interval.total_seconds():
            return [failure_of(error, "Microsoft.ResourceGraph/resources")]
    return []
