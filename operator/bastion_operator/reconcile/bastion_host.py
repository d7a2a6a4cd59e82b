"""A pass of a BastionHost: observe, plan, apply, publish; then the verdicts on its targets."""

from dataclasses import replace

from bastion_operator.api.bastion_host import BastionHost, BastionHostStatus
from bastion_operator.api.named_ids import named_ids
from bastion_operator.planning.bastion_host import BastionHostIds, BastionHostInput, bastion_host_ids, plan_with_targets
from bastion_operator.planning.bastion_removal import ordered_roots, plan_bastion_removal
from bastion_operator.planning.bastion_status import bastion_states, describe_host
from bastion_operator.planning.model import Observed, Plan, root_of
from bastion_operator.reconcile.course import Course, Pass, follow, status_of
from bastion_operator.reconcile.keys import Key, Kind
from bastion_operator.reconcile.outcome import Outcome
from bastion_operator.reconcile.publication import publish, tell_changes, tell_planned, tell_turns
from bastion_operator.reconcile.services import Services
from bastion_operator.reconcile.sessions import Session
from bastion_operator.reconcile.snapshot_age import refresh_fleet
from bastion_operator.reconcile.target_rules import look_for_target_rules
from bastion_operator.reconcile.verdicts import look_at_targets

# Seconds until a pass comes again that has found out what it was not planned by.
_SOON = 1.0


async def bastion_host_pass(services: Services, key: Key) -> Outcome:
    """Bring Azure, the reports and the status of one BastionHost to where its spec wants them.

    :raises KubeError: the API server does not answer
    """
    return await follow(_COURSE, services, key)


async def _synchronise(passing: Pass[BastionHost], session: Session) -> Outcome:
    services, raw, host = passing.services, passing.raw, passing.resource
    status = host.status or BastionHostStatus()
    interval = host.spec.interval
    trouble = await refresh_fleet(services, session, passing.key, interval, at_once=passing.asked_for_now)
    asked = _input(passing, services.fleet.observed(session.identity))

    rules = await look_for_target_rules(services, passing.key, session, asked)
    hidden = frozenset(services.fleet.unreadable(session.identity))

    def make_plan(observed: Observed) -> Plan:
        return plan_with_targets(replace(asked, observed=observed), rules, hidden)

    result = await passing.run(session, aside=_COURSE.aside).carry_out(asked.observed, make_plan)
    # An Event before the status: one that cannot be written must not take with it what is told only once.
    await tell_changes(services, BastionHost, raw, result.sent)
    await tell_planned(services, BastionHost, raw, result.planned)
    seen = await look_at_targets(services, passing.key, raw, host, session, asked.ids)
    await tell_turns(services, raw, seen.turns)
    if seen.found.verdicts is not None:
        services.standings.note(passing.key, host.metadata.uid, seen.standings)
    asked = replace(asked, observed=result.observed)
    states = bastion_states(asked, result.plan, [*result.failures, *trouble], seen.found)
    claims = result.plan.claims if passing.manages else status.claims
    new = seen.into(status, host.spec).replace(**describe_host(asked), claims=claims)
    await publish(services, BastionHost, raw, status, new, states)
    # What this very pass has read, such as the host just made, may ask for other rules: they do not wait for the interval.
    others = await look_for_target_rules(services, passing.key, session, asked) != rules
    return Outcome(min(result.next_look(interval), _SOON) if others else result.next_look(interval))


def _plan_removal(passing: Pass[BastionHost], observed: Observed) -> Plan:
    return plan_bastion_removal(_input(passing, observed))


def _removal_roots(host: BastionHost) -> list[str]:
    return [*_ordered_removal_roots(host), *(root_of(claim.id) for claim in status_of(host).claims)]


def _ordered_removal_roots(host: BastionHost) -> list[str]:
    return ordered_roots(_ids(host), host.spec, status_of(host).claims)


async def _gone(services: Services, key: Key) -> None:
    # One that was only observed had no finalizer, and not every cluster collects garbage by owner.
    await services.reports.delete_all({"metadata": {"namespace": key.namespace, "name": key.name}})


def _named_ids(host: BastionHost) -> tuple[str, ...]:
    """What must lie in the identity's subscriptions: what the host is made of, and all that the spec names."""
    ids = _ids(host)
    return (ids.host, ids.public_ip, ids.subnet, *named_ids(host.spec))


def _asks_for(host: BastionHost) -> list[str]:
    """The host, and its network's one place for a Bastion."""
    ids = _ids(host)
    return [ids.host, ids.virtual_network]


def _ids(host: BastionHost) -> BastionHostIds:
    return bastion_host_ids(host.metadata.name, host.spec)


def _input(passing: Pass[BastionHost], observed: Observed) -> BastionHostInput:
    host = passing.resource
    return BastionHostInput(
        owner=passing.owner,
        spec=host.spec,
        ids=_ids(host),
        claims=status_of(host).claims,
        observed=observed,
        now=passing.services.clock.now(),
        recreate_failed=host.metadata.recreate_failed,
        allow_plan=host.metadata.allow_plan,
    )


_COURSE = Course(
    kind=BastionHost,
    key_kind=Kind.BASTION_HOST,
    ids=_named_ids,
    asks_for=_asks_for,
    synchronise=_synchronise,
    removal_roots=_removal_roots,
    ordered_removal_roots=_ordered_removal_roots,
    plan_removal=_plan_removal,
    gone=_gone,
    # Rules in a thousand network security groups take a second to plan.
    aside=True,
)
