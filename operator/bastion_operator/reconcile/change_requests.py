"""The changes of a plan as requests: which may be sent now, sending them, and following what they start."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

from bastion_operator.arm.answers import Operation, Written
from bastion_operator.arm.budgets import BudgetSpentError
from bastion_operator.arm.client import ArmClient
from bastion_operator.arm.errors import AzureError, OperationLostError
from bastion_operator.arm.locks import with_names_of_locks
from bastion_operator.arm.operations import Ended
from bastion_operator.network.arm_id import normalise_id
from bastion_operator.planning.model import Change, Observed, Plan, Verb
from bastion_operator.reconcile.keys import Key
from bastion_operator.reconcile.planned_changes import labels_of
from bastion_operator.reconcile.read_ahead import roots_after
from bastion_operator.reconcile.services import Services
from bastion_operator.reconcile.sessions import Session
from bastion_operator.reconcile.side_by_side import AT_ONCE, side_by_side
from bastion_operator.reconcile.write_budget import Write

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ChangeRequests:
    """The requests of one pass.

    :ivar sent: the changes that Azure took
    """

    services: Services
    session: Session
    key: Key
    sent: list[Change] = field(default_factory=list)

    def write(self, change: Change, observed: Observed) -> Write:
        """The change as Azure's budgets count it."""
        region = self.services.writes.region_of(change.root_id, change.body, observed.get(change.root_id))
        return Write(change.root_id, change.verb, region)

    def first(self, changes: Iterable[Change], held_for: Callable[[Key, Change], float]) -> list[Change]:
        """The first change of each root that is not busy, without those that are held back for a while, or that refer to
        a network to which Azure takes no reference now.
        """
        found: dict[str, Change] = {}
        for change in changes:
            root = normalise_id(change.root_id)
            if root in found or self.services.in_flight.busy(root) or self._in_the_way(change):
                continue
            if held_for(self.key, change) <= 0:
                found[root] = change
        return list(found.values())

    def _in_the_way(self, change: Change) -> list[str]:
        """The networks that a PUT refers to and that are at something which keeps Azure from taking it."""
        if change.verb is Verb.DELETE:
            return []
        return [each for each in change.also_read if self.services.in_flight.unreferable(each)]

    def await_others(self, changes: Iterable[Change], plan: Plan) -> None:
        """What is in the way may be another custom resource's work in the same network: its end wakes this one as well."""
        in_flight = self.services.in_flight
        for change in changes:
            if in_flight.busy(change.root_id):
                in_flight.await_end(change.root_id, self.key)
            for network in self._in_the_way(change):
                in_flight.await_end(network, self.key)
        for wait in plan.waits:
            if in_flight.running(wait.resource_id):
                in_flight.await_end(wait.resource_id, self.key)

    async def send(
        self, due: list[Change], plan: Plan, observed: Observed, write_claims: Callable[[], Awaitable[None]] | None
    ) -> None:
        """Send those changes of the plan that are due, each to another root.

        :param write_claims: what is to be written down before the first of them: a crash after it must find what it made
        """
        unsent = {normalise_id(change.root_id): change for change in due}
        for change in due:
            self.services.in_flight.begin(change.root_id, change.resource_id)
        after = roots_after(plan.changes)
        limit = asyncio.Semaphore(AT_ONCE)

        async def send_one(change: Change) -> None:
            async with limit:
                del unsent[normalise_id(change.root_id)]
                await self._send_one(change, self.write(change, observed), after[normalise_id(change.root_id)])

        try:
            if due and write_claims is not None:
                await write_claims()
            await side_by_side(send_one(change) for change in due)
        finally:
            for change in unsent.values():
                self.services.in_flight.end(change.root_id, change.resource_id)

    async def _send_one(self, change: Change, write: Write, after: Iterable[str]) -> None:
        """Send one; ``after`` are the roots to be read once the operation that it starts has ended."""
        client, operation = self.session.client, None
        try:
            # What is in the way may have begun while the claims were written down.
            in_the_way = self._in_the_way(change)
            for network in in_the_way:
                self.services.in_flight.await_end(network, self.key)
            if not in_the_way and self.services.writes.spend(self.key, client.principal, write):
                _log.info("%s: %s", self.key, change)
                written = await _sent(client, change, write.region)
                self.sent.append(change)
                self.services.metrics.writes.labels(*labels_of(self.key, change)).inc()
                operation = written.operation
        except AzureError as error:
            _log.warning("%s: %s of %s: %s", self.key, change.verb, change.resource_id, error)
            if not isinstance(error, BudgetSpentError):
                self.services.attempts.failed(self.key, change, await with_names_of_locks(client, error))
        finally:
            if operation is None:
                self.services.in_flight.end(change.root_id, change.resource_id)
        if operation is not None:
            self.services.in_flight.follow(
                client, change.root_id, change.resource_id, operation, self._ended(change, after)
            )
        elif change in self.sent:
            self.services.attempts.taken(self.key, change)
            self.services.attempts.worked_on(self.key, change)
            self.services.queue.add(self.key)

    def _ended(self, change: Change, after: Iterable[str]) -> Ended:
        services, key = self.services, self.key

        def ended(_: Operation, error: AzureError | None) -> None:
            if error is None or isinstance(error, OperationLostError):
                # A lost one was taken as well: whether it succeeded is told by the resource, which is read next.
                services.attempts.taken(key, change)
            else:
                services.attempts.failed(key, change, error)
            services.attempts.worked_on(key, change)
            services.read_ahead.expect(key, after)
            services.queue.add(key)

        return ended


async def _sent(client: ArmClient, change: Change, region: str) -> Written:
    if change.verb is Verb.DELETE:
        return await client.delete(change.resource_id, if_match=change.if_match, region=region, held=True)
    return await client.put(
        change.resource_id, change.body or {}, if_match=change.if_match, query=change.query, region=region, held=True
    )
