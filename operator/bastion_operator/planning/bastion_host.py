"""The plan of a BastionHost: subnet, public IP and host, in the order that Azure demands.

Sources: Microsoft's pages "Bastion configuration settings" and "Choose a SKU"; recorded traffic for the bodies.
"""

from dataclasses import replace
from typing import Any

from bastion_operator.api.bastion_host import Sku
from bastion_operator.api.meta import RECREATE_FAILED
from bastion_operator.network.arm_id import same_id
from bastion_operator.network.finding import Finding
from bastion_operator.planning.bastion_diagnostics import plan_diagnostics
from bastion_operator.planning.bastion_fields import (
    DEFAULTS,
    fields_at_creation,
    fields_to_keep,
    fixed_differences,
    is_developer,
    network_of_host,
)
from bastion_operator.planning.bastion_group import plan_subnet_rules, with_group
from bastion_operator.planning.bastion_input import BastionHostIds, BastionHostInput, bastion_host_ids
from bastion_operator.planning.bastion_ownership import HOST, claiming, own
from bastion_operator.planning.bastion_public_ip import plan_public_ip, plan_public_ip_of_host
from bastion_operator.planning.bastion_record import RECORDED, under_way, with_agreement, with_creation
from bastion_operator.planning.bastion_replacement import (
    differences_of_new_host,
    failed_host,
    make_anew,
    may_be_made_anew,
    plan_replacement,
)
from bastion_operator.planning.bastion_subnet import SUBNET_NAME, plan_subnet, subnet_hosts
from bastion_operator.planning.body import (
    Named,
    described,
    differing,
    etag,
    has_failed,
    in_transition,
    properties,
    provisioning_state,
    with_named,
)
from bastion_operator.planning.deletion_guard import guard_deletions, resource_of
from bastion_operator.planning.identical_request import identical_request
from bastion_operator.planning.model import Body, Change, Difference, Plan, Verb, Wait
from bastion_operator.planning.obstacles import ObstacleCode, obstacle
from bastion_operator.planning.ownership import claim_on, tags_at_creation
from bastion_operator.planning.target_rule_plan import plan_target_rules
from bastion_operator.planning.target_rules import TargetRules
from bastion_operator.planning.wording import named

__all__ = ["BastionHostIds", "BastionHostInput", "bastion_host_ids", "plan_bastion_host", "plan_with_targets"]

_IP_CONFIGURATION = "IpConf"
# Microsoft's page "Configure host scaling" says so of scale units; of the SKU it is presumed.
_DROPS_SESSIONS = frozenset({("sku", "name"), ("properties", "scaleUnits")})


def plan_bastion_host(asked: BastionHostInput) -> Plan:
    """What to do so that the host is there as the spec says."""
    network = asked.observed.get(asked.ids.virtual_network)
    if network is None:
        return Plan(claims=asked.claims, obstacles=(_network_not_found(asked.ids.virtual_network),))
    host = asked.observed.get(asked.ids.host)
    if host is not None:
        plan = _plan_existing_host(asked, network, host)
        # A host that is not the operator's to keep gets no rules of the operator's either.
        return plan if _not_ours(plan) else _plan_around(asked, network, plan)
    if asked.watching:
        # What does not exist can only be told: who only watches makes nothing.
        return Plan(claims=asked.claims)
    parts = _plan_parts(asked, network)
    if parts.obstacles:
        return parts
    # The host is claimed with the rest, so that one write of the status covers the whole creation.
    claimed = with_creation(asked, claiming(asked, parts, asked.ids.host, HOST))
    return replace(claimed, changes=(_create_host(asked, network),)) if claimed.settled else claimed


def _plan_around(asked: BastionHostInput, network: Body, plan: Plan) -> Plan:
    """The plan with what belongs to a host that stands and is the operator's to keep."""
    host = asked.observed.get(asked.ids.host)
    going = any(change.verb is Verb.DELETE for change in plan.changes)
    if host is not None and not in_transition(host) and not going:
        plan = plan_diagnostics(asked, plan)
    return plan_subnet_rules(asked, network, plan)


def _network_not_found(network_id: str) -> Finding:
    return obstacle(
        ObstacleCode.VIRTUAL_NETWORK_NOT_FOUND,
        f"the virtual network {network_id} does not exist, or the identity may not read it: create it, grant Reader, "
        "or correct the id",
        network_id,
    )


def plan_with_targets(asked: BastionHostInput, rules: TargetRules | None, hidden: frozenset[str] = frozenset()) -> Plan:
    """The same, with the rules that let the host into its targets, and with a guard before deletions in bulk.

    A host that is not there yet has no targets.
    """
    plan = plan_bastion_host(asked)
    if asked.observed.get(asked.ids.host) is not None and not _not_ours(plan):
        plan = plan_target_rules(asked, rules, plan, hidden)
    if asked.watching:
        return plan
    return guard_deletions(plan, asked.claims, allowed=asked.allow_plan, part_of=resource_of, now=asked.now)


def _not_ours(plan: Plan) -> bool:
    return any(each.code in {ObstacleCode.NOT_OWNED, ObstacleCode.HOST_ELSEWHERE} for each in plan.obstacles)


# --- subnet and public IP ----------------------------------------------------------------------------------------


def _plan_parts(asked: BastionHostInput, network: Body) -> Plan:
    """What a dedicated host needs before it can be made. With an obstacle nothing is made at all."""
    plan = Plan(claims=asked.claims)
    if asked.spec.sku == Sku.DEVELOPER:
        return plan
    other = _another_host(asked, network)
    if other is not None:
        return replace(plan, obstacles=(other,))
    parts = plan_subnet(asked.spec, network, plan, asked.now)
    if not parts.obstacles:
        parts = plan_subnet_rules(asked, network, with_group(asked, network, parts))
    if asked.needs_public_ip:
        parts = plan_public_ip(asked, network, parts)
    if parts.obstacles:
        # A public IP costs money: none is made for a host that cannot come to be.
        return replace(plan, obstacles=parts.obstacles)
    # A source that is late may not show a host that stands and needs none of them: it is read again as well.
    changes = (replace(change, also_read=(*change.also_read, asked.ids.host)) for change in parts.changes)
    return replace(parts, changes=tuple(changes))


def _another_host(asked: BastionHostInput, network: Body) -> Finding | None:
    others = [host for host in subnet_hosts(network) if not same_id(host, asked.ids.host)]
    if not others:
        return None
    return obstacle(
        ObstacleCode.ANOTHER_BASTION,
        f"{SUBNET_NAME} is in use by {others[0]}, and a virtual network holds one Bastion: "
        "set azureName and resourceGroup to those of that host (with adoptionPolicy: IfUnmanaged), or delete it",
        others[0],
    )


# --- a new host --------------------------------------------------------------------------------------------------


def _create_host(asked: BastionHostInput, network: Body) -> Change:
    body: dict[str, Any] = {
        "location": network.get("location"),
        "tags": tags_at_creation(asked.owner, asked.claims, asked.ids.host, asked.spec.tags),
        "properties": _placement(asked),
    }
    if asked.spec.zones:
        body["zones"] = list(asked.spec.zones)
    body = with_named(body, fields_at_creation(asked.spec))
    anew = under_way(claim_on(asked.claims, asked.ids.host))
    reason = f"the host was deleted to be made anew ({anew})" if anew else "the host does not exist"
    return Change(Verb.CREATE, asked.ids.host, asked.ids.host, reason, body)


def _placement(asked: BastionHostInput) -> dict[str, Any]:
    if asked.spec.sku == Sku.DEVELOPER:
        return {"virtualNetwork": {"id": asked.ids.virtual_network}, "ipConfigurations": []}
    return {"ipConfigurations": _ip_configurations(asked)}


def _ip_configurations(asked: BastionHostInput) -> list[dict[str, Any]]:
    configuration: dict[str, Any] = {
        "privateIPAllocationMethod": "Dynamic",
        "subnet": {"id": asked.ids.subnet},
    }
    if asked.needs_public_ip:
        configuration["publicIPAddress"] = {"id": asked.ids.public_ip}
    return [{"name": _IP_CONFIGURATION, "properties": configuration}]


# --- a host that stands ------------------------------------------------------------------------------------------


def _plan_existing_host(asked: BastionHostInput, network: Body, host: Body) -> Plan:
    host_id = asked.ids.host
    elsewhere = network_of_host(host)
    if elsewhere and not same_id(elsewhere, asked.ids.virtual_network):
        return Plan(claims=asked.claims, obstacles=(_stands_elsewhere(host_id, elsewhere),))
    plan = own(asked, Plan(claims=asked.claims), host, host_id, HOST)
    if plan.obstacles:
        return plan
    if in_transition(host):
        return replace(plan, waits=(_at_work(host_id, host, plan),))
    if asked.watching:
        return _told(asked, host, plan)
    return _plan_kept_host(asked, network, host, plan)


def _plan_kept_host(asked: BastionHostInput, network: Body, host: Body, plan: Plan) -> Plan:
    """The plan for a host at rest that is the operator's to keep."""
    if may_be_made_anew(asked, host):
        return make_anew(
            asked, network, host, plan, (), f"it is {provisioning_state(host)} and {RECREATE_FAILED} names it"
        )
    anew = differences_of_new_host(asked, host)
    if anew:
        return plan_replacement(asked, network, host, plan, anew)
    if _recorded_beside_native_client(asked, host):
        return replace(plan, obstacles=(_native_client_excluded(asked.ids.host),))
    found = differing(host, fields_to_keep(asked.spec), DEFAULTS)
    if found and _leaves_developer(asked, host):
        return _plan_upgrade_from_developer(asked, network, host, plan, found)
    if found:
        return replace(plan, changes=(_update(asked.ids.host, host, found),))
    if has_failed(host):
        return _plan_retry(asked, host, plan)
    return plan_public_ip_of_host(asked, with_agreement(asked, plan))


def _recorded_beside_native_client(asked: BastionHostInput, host: Body) -> bool:
    """The spec asks for recording and leaves the native client, which it excludes, as it is: on. CEL sees the spec alone."""
    features = asked.spec.features
    left_on = features.native_client is None and bool(properties(host).get("enableTunneling"))
    return bool(features.session_recording) and left_on


def _native_client_excluded(host_id: str) -> Finding:
    return obstacle(
        ObstacleCode.RECORDING_EXCLUDES,
        "the host has the native client on, and session recording excludes it: set features.nativeClient to false, or leave "
        "features.sessionRecording out",
        host_id,
    )


def _at_work(host_id: str, host: Body, plan: Plan) -> Wait:
    anew = under_way(claim_on(plan.claims, host_id))
    return Wait(host_id, host_id, provisioning_state(host), f"it is made anew ({anew})" if anew else "")


def _told(asked: BastionHostInput, host: Body, plan: Plan) -> Plan:
    """What differs, for somebody else to change."""
    host_id = asked.ids.host
    fixed = fixed_differences(asked, host)
    found = differing(host, fields_to_keep(asked.spec), DEFAULTS)
    if found or fixed:
        change = _update(host_id, host, found)
        plan = replace(plan, changes=(replace(change, differences=(*change.differences, *fixed)),))
    return replace(plan, obstacles=(_provisioning_failed(host_id, host),)) if has_failed(host) else plan


def _update(host_id: str, host: Body, found: Named) -> Change:
    body, changes = with_named(host, found), described(host, found)
    dropping = "; this drops the sessions that are open" if _DROPS_SESSIONS & found.keys() else ""
    return Change(Verb.UPDATE, host_id, host_id, f"the host differs from the spec{dropping}", body, changes, etag(host))


def _plan_retry(asked: BastionHostInput, host: Body, plan: Plan) -> Plan:
    # Whether it was tried is the caller's memory.
    change = replace(identical_request(host, asked.ids.host, asked.ids.host), once=True)
    return with_agreement(asked, replace(plan, changes=(change,), obstacles=(failed_host(asked, host),)), RECORDED)


def _provisioning_failed(host_id: str, host: Body) -> Finding:
    return obstacle(
        ObstacleCode.PROVISIONING_FAILED,
        f"Azure reports the host as {provisioning_state(host)}: whoever keeps it may send the same request once more, which is "
        "the first cure; if it stays so, look into Azure's activity log",
        host_id,
    )


def _leaves_developer(asked: BastionHostInput, host: Body) -> bool:
    return is_developer(host) and asked.spec.sku not in {None, Sku.DEVELOPER}


def _plan_upgrade_from_developer(asked: BastionHostInput, network: Body, host: Body, plan: Plan, found: Named) -> Plan:
    """A Developer host has neither subnet nor public IP; any other SKU needs both, so these come first."""
    parts = _plan_parts(replace(asked, claims=plan.claims), network)
    if parts.obstacles or not parts.settled:
        return parts
    change = _update(asked.ids.host, host, found)
    body = with_named(change.body or {}, {("properties", "ipConfigurations"): _ip_configurations(asked)})
    # What Azure fixes once a host has a place of its own is asked for with it.
    body = with_named(body, fields_at_creation(asked.spec))
    if asked.spec.zones:
        body["zones"] = list(asked.spec.zones)
    placed = Difference("properties.ipConfigurations", "none", SUBNET_NAME)
    fixed = fixed_differences(asked, host)
    change = replace(change, body=body, differences=(*change.differences, placed, *fixed))
    return replace(parts, changes=(change,))


def _stands_elsewhere(host_id: str, network_id: str) -> Finding:
    return obstacle(
        ObstacleCode.HOST_ELSEWHERE,
        f"{named(host_id)} exists already and stands in {network_id}, not in the virtual network of the spec: choose "
        "another azureName, or give that virtualNetworkID",
        host_id,
    )
