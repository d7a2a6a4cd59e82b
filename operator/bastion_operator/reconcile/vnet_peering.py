"""A pass of a VNetPeering: observe, plan, apply, publish."""

from collections.abc import Mapping
from dataclasses import replace

from bastion_operator.api.common import ManagementPolicy
from bastion_operator.api.named_ids import named_ids
from bastion_operator.api.vnet_peering import VNetPeering, VNetPeeringStatus
from bastion_operator.network.resource_types import VIRTUAL_NETWORKS
from bastion_operator.planning.model import Observed, Plan, root_of
from bastion_operator.planning.peering_members import matching_networks
from bastion_operator.planning.peering_pairs import asked_pairs
from bastion_operator.planning.peering_removal import plan_all_links_removal
from bastion_operator.planning.peering_settings import remote_of
from bastion_operator.planning.peering_status import report_peering
from bastion_operator.planning.vnet_peering import VNetPeeringInput, plan_vnet_peering
from bastion_operator.reconcile.course import Course, Pass, follow, managed_by, status_of
from bastion_operator.reconcile.keys import Key, Kind
from bastion_operator.reconcile.object_store import Raw, seniority
from bastion_operator.reconcile.outcome import Outcome
from bastion_operator.reconcile.publication import publish, tell_changes, tell_planned, tell_remains
from bastion_operator.reconcile.services import Services
from bastion_operator.reconcile.sessions import Session
from bastion_operator.reconcile.snapshot_age import refresh_fleet


async def vnet_peering_pass(services: Services, key: Key) -> Outcome:
    """Bring Azure and the status of one VNetPeering to where its spec wants them.

    :raises KubeError: the API server does not answer
    """
    return await follow(_COURSE, services, key)


async def _synchronise(passing: Pass[VNetPeering], session: Session) -> Outcome:
    services, raw, peering = passing.services, passing.raw, passing.resource
    status = peering.status or VNetPeeringStatus()
    interval = peering.spec.interval
    trouble = await refresh_fleet(services, session, passing.key, interval, at_once=passing.asked_for_now)
    earliest, latest = session.client.azure_time.bounds()
    asked = VNetPeeringInput(
        owner=passing.owner,
        spec=peering.spec,
        claims=status.claims,
        observed=services.fleet.observed(session.identity),
        now=earliest,
        latest=latest,
        found=await _found(services, session, peering),
        taken=await _taken(services, session, passing),
        allow_plan=peering.metadata.allow_plan,
    )
    if passing.manages and (unclaimed := asked.unclaimed):
        networks = {end for half in unclaimed for end in (half.local_id, half.remote_id)}
        asked = replace(asked, lacking=await services.rights.lacking(session.client, networks))

    def make_plan(observed: Observed) -> Plan:
        return plan_vnet_peering(replace(asked, observed=observed))

    result = await passing.run(session).carry_out(asked.observed, make_plan)
    now = replace(asked, observed=result.observed, claims=result.plan.claims)
    report = report_peering(now, result.plan, [*result.failures, *trouble])
    new = status.replace(
        claims=result.plan.claims if passing.manages else status.claims,
        connected=report.connected,
        counts=report.counts,
        spokes=report.rows,
    )
    # Events before the status: one that cannot be written must not take with it what is told only once.
    await tell_changes(services, VNetPeering, raw, result.sent)
    await tell_planned(services, VNetPeering, raw, result.planned)
    await tell_remains(services, VNetPeering, raw, result.plan.remains)
    await publish(services, VNetPeering, raw, status, new, report.states)
    return Outcome(result.next_look(interval))


async def _found(services: Services, session: Session, peering: VNetPeering) -> tuple[str, ...]:
    """The networks that the selector finds among the rows that the identity sees."""
    selector = peering.spec.spoke_selector
    inventory = await services.fleet.inventory(session.identity) if selector is not None else None
    return (
        () if selector is None or inventory is None else matching_networks(selector, inventory.rows(VIRTUAL_NETWORKS))
    )


async def _taken(services: Services, session: Session, passing: Pass[VNetPeering]) -> Mapping[str, str]:
    """The pairs that an older VNetPeering asks for, by its selector or its list, with its namespace and name.

    Who lists a pair that an older one lists is not acted on at all; this is of pairs that one of the two has found.
    """
    own = seniority(passing.raw)
    taken: dict[str, str] = {}
    if passing.resource.spec.spoke_selector is not None:
        for key, raw, pairs in services.objects.asked_for(Kind.VNET_PEERING, managed_by(_COURSE)):
            if pairs and key != passing.key and seniority(raw) < own:
                taken |= dict.fromkeys(pairs, str(key))
    for key, raw in services.objects.selecting():
        if key != passing.key and seniority(raw) < own and (other := _managed(raw)) is not None:
            pairs = [pair.key for pair in asked_pairs(other.spec, await _found(services, session, other))]
            taken |= dict.fromkeys(pairs, str(key))
    return taken


def _managed(raw: Raw) -> VNetPeering | None:
    """Another VNetPeering that writes to Azure; one that cannot be read asks for nothing: it must not stop all others."""
    try:
        other = VNetPeering.model_validate(raw)
    except ValueError:
        return None
    return other if other.spec.management_policy is ManagementPolicy.MANAGE else None


def _plan_removal(passing: Pass[VNetPeering], observed: Observed) -> Plan:
    peering = passing.resource
    return plan_all_links_removal(passing.owner, peering.spec, status_of(peering).claims, observed)


def _removal_roots(peering: VNetPeering) -> list[str]:
    claims = status_of(peering).claims
    if not claims:
        # The status was lost, or nothing was ever made: the networks of the spec tell which.
        return _named_ids(peering)
    # Both ends: whether a link carries somebody's way on-premises can stand at the other.
    roots = [root_of(claim.id) for claim in claims] + [remote for claim in claims if (remote := remote_of(claim))]
    return list({root.lower(): root for root in roots}.values())


def _named_ids(peering: VNetPeering) -> list[str]:
    hub = [peering.spec.hub.virtual_network_id] if peering.spec.hub else []
    return list(dict.fromkeys([*hub, *(half.local_id for pair in asked_pairs(peering.spec) for half in pair.halves)]))


def _ids(peering: VNetPeering) -> list[str]:
    """What must lie in the identity's subscriptions: the networks that are named, and where the selector looks.

    With ``sides: HubOnly`` the spokes as well: the hub's half takes the identity's right to peer with each of them.
    """
    selector = peering.spec.spoke_selector
    where = [f"/subscriptions/{each}" for each in selector.subscriptions] if selector is not None else []
    return [*named_ids(peering.spec), *where]


def _asks_for(peering: VNetPeering) -> list[str]:
    """Each pair of networks, whichever way round."""
    return [pair.key for pair in asked_pairs(peering.spec)]


_COURSE = Course(
    kind=VNetPeering,
    key_kind=Kind.VNET_PEERING,
    ids=_ids,
    asks_for=_asks_for,
    synchronise=_synchronise,
    removal_roots=_removal_roots,
    plan_removal=_plan_removal,
)
