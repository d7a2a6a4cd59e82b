"""Carrying out a plan: read afresh what it would touch, plan again, write the claims down, send what may be sent."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial

from bastion_operator.api.common import Claim
from bastion_operator.arm.errors import AzureError
from bastion_operator.network.arm_id import normalise_id
from bastion_operator.planning.conditions import Failure
from bastion_operator.planning.model import NOT_READ, UNDER_WAY, Change, Observed, Plan, Verb, Wait, root_of
from bastion_operator.reconcile.change_requests import ChangeRequests
from bastion_operator.reconcile.keys import Key, Kind
from bastion_operator.reconcile.outcome import routine_look
from bastion_operator.reconcile.planned_changes import labels_of
from bastion_operator.reconcile.reading import READ_AGAIN, Reading
from bastion_operator.reconcile.services import Services
from bastion_operator.reconcile.sessions import Session
from bastion_operator.reconcile.side_by_side import AT_ONCE, side_by_side
from bastion_operator.reconcile.who_undoes import tell_who_undoes
from bastion_operator.reconcile.write_budget import Write

_log = logging.getLogger(__name__)

# Seconds between looks at a resource that Azure is working on, where no operation is followed.
_POLL = 10.0
# A fresh reading can bring up something else that must be read afresh: the network at the other end, for one.
_ROUNDS = 3
# Roots that are read for a removal whether there is a turn for writing to them or not.
_READ_AT_ONCE = 16
# Seconds after which a pass comes again for a turn that it could not use.
_TURN_CAME = 1.0

MakePlan = Callable[[Observed], Plan]
WriteClaims = Callable[[tuple[Claim, ...]], Awaitable[None]]


@dataclass(slots=True)
class ChangeResult:
    """How a plan was carried out.

    :ivar plan: the plan as made from the freshest that was read
    :ivar sent: the changes that Azure took
    :ivar planned: the changes that are not made, because the spec only watches, and were not told of before
    :ivar failures: what Azure refused, now or earlier, and is still wanted
    :ivar unread: normalised ids of what could not be read: what the plan says of them is a guess
    :ivar again_in: seconds until the next pass has something to do; None if only the interval asks for one
    """

    plan: Plan
    observed: Observed
    sent: list[Change] = field(default_factory=list)
    planned: list[Change] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    unread: frozenset[str] = frozenset()
    again_in: float | None = None

    @property
    def nothing_left(self) -> bool:
        """Of a removal: nothing is claimed any more, nothing is left to do, and that is certain."""
        return self.plan.settled and not self.plan.claims and not self.failures and not self.unread

    def next_look(self, interval: timedelta) -> float:
        """Seconds until the next pass: when there is something to do, at the latest by the interval."""
        routine = routine_look(interval)
        return routine if self.again_in is None else min(self.again_in, routine)


@dataclass(frozen=True, slots=True)
class ChangeRun:
    """One pass' way from a plan to requests.

    :ivar aside: whether plans can take so long that they are made in a thread, off the event loop
    """

    services: Services
    session: Session
    key: Key
    claims: tuple[Claim, ...]
    write_claims: WriteClaims
    may_write: bool = True
    aside: bool = False

    async def carry_out(self, observed: Observed, make_plan: MakePlan) -> ChangeResult:
        """Plan on what is known; if that leaves anything to do or to wait for, plan on what a GET says and act on that.

        Nothing is sent for a resource that was not read afresh in this very pass, and nothing is read for a change whose
        turn in Azure's budgets has not come: a thousand changes that wait cost no reads.
        """
        reading = await self.read(self._expected_roots())
        plan = await self._planned(make_plan, observed.updated(reading.fresh) if reading.fresh else observed)
        if plan.settled and not plan.obstacles and plan.claims == self.claims:
            self.services.attempts.in_sync(self.key)
            self.services.operations.forget(self.key)
            self.services.writes.in_sync(self.key)
            self.services.planned.forget(self.key)
            return ChangeResult(plan, observed.updated(reading.fresh))
        for _ in range(_ROUNDS):
            unread = [root for root in self._roots(plan, reading, observed) if not reading.tried(root)]
            if not unread:
                break
            reading += await self.read(unread)
            plan = await self._planned(make_plan, observed.updated(reading.fresh))
        observed, known = observed.updated(reading.fresh), reading.known
        plan = replace(_without_guesses(plan, reading.unread), claims=self._certain_claims(plan, known))
        result = self._result(plan, observed, reading)
        if any(not reading.tried(root) for root in self._roots(plan, reading, observed)):
            result.again_in = min(READ_AGAIN, result.again_in or READ_AGAIN)
        news = self._take_note(_judged(plan, reading))
        if self.may_write:
            await self._send(_judged(plan, reading), known, result)
        else:
            result.planned = news
            self.services.writes.release(self.key)
        self._watch_work(result)
        return result

    async def take_down(
        self, roots: Iterable[str], make_plan: MakePlan, *, ordered: Iterable[str] = ()
    ) -> ChangeResult:
        """Plan a removal on what a GET says of each root, and on nothing else, and act on it.

        Where there are many roots, only those are read that may be written to now, and those that are ``ordered``; the plan
        waits for the others.
        """
        wanted = list(dict.fromkeys(roots))
        later: list[Write] = []
        if len(wanted) > _READ_AT_ONCE and self.claims:
            reading, later = await self._read_in_turn(ordered, make_plan)
        else:
            reading = await self.read(wanted)
        observed = Observed(reading.fresh)
        result = self._result(await self._planned(make_plan, observed), observed, reading)
        self._take_note(result.plan.changes)
        await self._send(list(result.plan.changes), reading.known, result, later)
        self._watch_work(result)
        return result

    @property
    def _requests(self) -> ChangeRequests:
        return ChangeRequests(self.services, self.session, self.key)

    async def _planned(self, make_plan: MakePlan, observed: Observed) -> Plan:
        return await asyncio.to_thread(make_plan, observed) if self.aside else make_plan(observed)

    def _take_note(self, changes: Iterable[Change]) -> list[Change]:
        """Count and log what was not asked for before; returns that."""
        news = self.services.planned.news(self.key, changes)
        for change in news:
            self.services.metrics.drift.labels(*labels_of(self.key, change)).inc()
            _log.info("%s: %s: %s", self.key, "planned" if self.may_write else "not done", change)
        return news

    def _result(self, plan: Plan, observed: Observed, reading: Reading) -> ChangeResult:
        """What is known before anything is sent."""
        again_in = reading.again_in(self.services.clock.monotonic())
        return ChangeResult(plan, observed, failures=list(reading.failures), unread=reading.unread, again_in=again_in)

    def _watch_work(self, result: ChangeResult) -> None:
        """Tell what Azure has been at for longer than usual, and look again when something will have been."""
        operations, running = self.services.operations, self.services.in_flight.running
        started = (each for each in result.plan.changes if running(each.resource_id))
        waits = [Wait(each.resource_id, each.root_id, f"{each.verb} {UNDER_WAY}") for each in started]
        result.failures += operations.note(self.key, [*waits, *result.plan.waits])
        looks = (result.again_in, operations.due_in(self.key))
        result.again_in = min((each for each in looks if each is not None), default=None)

    async def _read_in_turn(self, ordered: Iterable[str], make_plan: MakePlan) -> tuple[Reading, list[Write]]:
        """What was read of the ordered roots, of the claimed ones whose turn it is and of what they are judged by; the writes
        to the others.
        """
        claimed = {normalise_id(root): root for root in (root_of(claim.id) for claim in self.claims)}
        writes, in_flight = self.services.writes, self.services.in_flight
        for root in filter(in_flight.busy, claimed.values()):
            in_flight.await_end(root, self.key)
        wanted = {
            name: Write(root, Verb.DELETE, writes.region_of(root))
            for name, root in claimed.items()
            if not in_flight.busy(root)
        }
        granted = writes.ask(self.key, self.session.client.principal, wanted.values())
        now = {normalise_id(root): root for root in ordered} | {
            name: claimed[name] for name in claimed if name in granted
        }
        reading = await self.read(now.values())
        for _ in range(_ROUNDS):
            waits = (await self._planned(make_plan, Observed(reading.fresh))).waits
            more = [
                wait.root_id for wait in waits if wait.state == NOT_READ and reading.tried(root_of(wait.resource_id))
            ]
            unread = [root for root in dict.fromkeys(more) if not reading.tried(root)]
            if not unread:
                break
            reading += await self.read(unread)
        return reading, [write for write in wanted.values() if not reading.tried(write.root_id)]

    def _expected_roots(self) -> list[str]:
        """What this pass is known to need, because an operation of the last one has ended."""
        expected = self.services.read_ahead.take(self.key)
        return [root for root in expected if not self.services.in_flight.busy(root)]

    def _roots(self, plan: Plan, reading: Reading, observed: Observed) -> list[str]:
        """What must be read afresh to act on the plan now: not what waits behind another change of the same root, nor for
        its turn in Azure's budgets.
        """
        attempts = self.services.attempts
        # A change that cannot be judged must not keep those behind it from being read for.
        judged = _judged(plan, reading)
        requests = self._requests
        first = requests.first(judged, attempts.refused_for)
        if self.may_write:
            granted = self._ask(requests.first(judged, attempts.wait_for), observed)
            # What Azure took a moment ago is not sent again now: one GET tells whether it is done.
            first = [
                change
                for change in first
                if attempts.wait_for(self.key, change) > 0 or normalise_id(change.root_id) in granted
            ]
        roots = [root for change in first for root in change.reads]
        roots += [wait.root_id for wait in plan.waits if not self.services.in_flight.running(wait.resource_id)]
        # An obstacle is read again as well: what a late source shows as missing may be there.
        roots += [root_of(finding.resource) for finding in plan.obstacles if finding.resource]
        # And a claim is neither taken nor given up on a late source's word.
        before, after = ({normalise_id(claim.id) for claim in claims} for claims in (self.claims, plan.claims))
        roots += [root_of(resource_id) for resource_id in sorted(before - after)]
        return list({normalise_id(root): root for root in roots}.values())

    def _ask(self, changes: Iterable[Change], observed: Observed) -> set[str]:
        """The normalised ids of the roots that may be written to now."""
        wanted = [self._requests.write(change, observed) for change in changes]
        return self.services.writes.ask(self.key, self.session.client.principal, wanted)

    def _certain_claims(self, plan: Plan, known: set[str]) -> tuple[Claim, ...]:
        """The plan's claims, and those that it gives up on the word of a source that was not read just now."""
        kept = {normalise_id(claim.id) for claim in plan.claims}
        doubtful = (claim for claim in self.claims if normalise_id(root_of(claim.id)) not in known)
        return (*plan.claims, *(claim for claim in doubtful if normalise_id(claim.id) not in kept))

    async def read(self, roots: Iterable[str]) -> Reading:
        """GET each root; what could not be read is a failure and stays as it was known."""
        limit = asyncio.Semaphore(AT_ONCE)
        reading = Reading()

        async def read_one(root_id: str) -> None:
            async with limit:
                try:
                    body = await self.session.client.get(root_id, region=self.services.writes.region_of(root_id))
                except AzureError as error:
                    _log.warning("%s: %s could not be read: %s", self.key, root_id, error)
                    reading.failed[root_id] = self.services.attempts.unread(self.key, root_id, error)
                    return
            self.services.attempts.read(self.key, root_id)
            reading.fresh[root_id] = body
            self.services.writes.note(root_id, body)
            if self.services.fleet.record(root_id, body):
                wake_bastions(self.services, self.session.identity, but=self.key)

        await side_by_side(read_one(root_id) for root_id in roots)
        return reading

    async def _send(
        self, changes: list[Change], known: set[str], result: ChangeResult, later: Iterable[Write] = ()
    ) -> None:
        """Send those of the changes that were judged by what was read, whose turn it is and whose root is free.

        ``later`` are writes to what was not read yet.
        """
        attempts, requests = self.services.attempts, self._requests
        later = list(later)
        wanted = [requests.write(change, result.observed) for change in requests.first(changes, attempts.wait_for)]
        granted = self.services.writes.ask(self.key, self.session.client.principal, [*wanted, *later])
        sure = [change for change in changes if known.issuperset(map(normalise_id, change.reads))]
        due = [each for each in requests.first(sure, attempts.wait_for) if normalise_id(each.root_id) in granted]
        requests.await_others(changes, result.plan)
        claims = result.plan.claims
        write_claims = partial(self.write_claims, claims) if claims != self.claims else None
        await requests.send(due, result.plan, result.observed, write_claims)
        result.sent = requests.sent
        # What was one call too many waits for its budget as the others do.
        left = [
            requests.write(each, result.observed) for each in requests.first(changes, attempts.wait_but_for_budgets)
        ]
        self.services.writes.expect(self.key, self.session.client.principal, [*left, *later])
        held = self.services.writes.told(self.key, len(result.plan.changes) + len(later))
        result.plan = replace(result.plan, held=held)
        await tell_who_undoes(self.services, self.session, self.key, result.plan.changes)
        unread = {normalise_id(wait.resource_id) for wait in result.plan.waits if wait.state == NOT_READ}
        result.failures += attempts.failures(self.key, result.plan.changes, unread)
        looks = [
            wait
            for change in result.plan.changes
            if change not in result.sent and (wait := attempts.wait_for(self.key, change)) > 0
        ]
        waits = [wait for wait in result.plan.waits if not (later and wait.state == NOT_READ)]
        if any(not self.services.in_flight.running(wait.resource_id) for wait in waits):
            # The end of an operation that is followed wakes the key; any other is looked at by the clock.
            looks.append(_POLL)
        if self.services.writes.holds(self.key):
            # A turn came at the last moment, for something that was not read.
            looks.append(_TURN_CAME)
        if result.again_in is not None:
            looks.append(result.again_in)
        result.again_in = min(looks, default=None)


def _judged(plan: Plan, reading: Reading) -> list[Change]:
    """The changes without those that are judged by something that could not be read."""
    return [change for change in plan.changes if reading.unread.isdisjoint(map(normalise_id, change.reads))]


def _without_guesses(plan: Plan, unread: Collection[str]) -> Plan:
    """The plan without obstacles on what could not be read: it is not known to be missing."""
    known = tuple(finding for finding in plan.obstacles if normalise_id(root_of(finding.resource or "")) not in unread)
    return replace(plan, obstacles=known)


def wake_bastions(services: Services, identity: str, *, but: Key) -> None:
    """What is known of Azure has changed: the verdicts of the identity's BastionHosts may have turned."""
    for key in services.objects.using_identity(identity):
        if key != but and key.kind is Kind.BASTION_HOST:
            services.queue.add_after(key, 1.0)
