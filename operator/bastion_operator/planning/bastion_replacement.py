"""Making a host anew where Azure changes nothing in place: never unless asked for, and only once all else is known to be right.

A host is deleted and made again for a changed spec with ``replacePolicy: Recreate``, or where it has failed and the annotation
names its etag. First what the new host needs is looked at and made, then it is told what will be lost, and in a pass after that
the host is deleted; the host that is not there is then made as any other. What others changed is no reason.

Source: Microsoft's pages "Bastion configuration settings" (what is fixed at creation) and "Choose a SKU" (no downgrade).
"""

from dataclasses import replace

from bastion_operator.api.bastion_host import ReplacePolicy, Sku
from bastion_operator.api.meta import RECREATE_FAILED
from bastion_operator.network.arm_id import same_id
from bastion_operator.network.developer_regions import AS_OF, has_developer
from bastion_operator.network.finding import Finding
from bastion_operator.network.sku import DEFAULT_SCALE_UNITS, FEATURES, parse_sku
from bastion_operator.planning.bastion_fields import (
    address_of_host,
    fields_at_creation,
    fixed_differences,
    is_developer,
    sku_of,
)
from bastion_operator.planning.bastion_input import BastionHostInput
from bastion_operator.planning.bastion_public_ip import plan_public_ip
from bastion_operator.planning.bastion_record import (
    SKU,
    announced,
    changed_in_spec,
    with_agreement,
    with_announcement,
)
from bastion_operator.planning.bastion_rules import unmet_of
from bastion_operator.planning.bastion_subnet import SUBNET_NAME, plan_subnet
from bastion_operator.planning.body import child, etag, has_failed, properties, provisioning_state
from bastion_operator.planning.model import NOT_READ, Body, Change, Difference, Plan, Verb, Wait
from bastion_operator.planning.obstacles import ObstacleCode, obstacle
from bastion_operator.planning.ownership import asked_tags, claim_on, is_mark
from bastion_operator.planning.wording import named

TO_BE_MADE_ANEW = "to be deleted and made anew"
_DELETE = "delete the host in Azure to have it made anew"
_NOBODY_CONNECTS = "until the new host stands, after about 20 minutes, nobody can connect through it"


def differences_of_new_host(asked: BastionHostInput, host: Body) -> tuple[Difference, ...]:
    """What the spec asks for and only a new host can have; empty where Azure changes all of it in place."""
    current, wanted = sku_of(host), parse_sku(asked.spec.sku) if asked.spec.sku is not None else None
    lower = wanted is not None and current is not None and wanted.rank < current.rank
    downgrade = (Difference(SKU, str(current), str(wanted)),) if lower else ()
    # A Developer host has none of the others yet, and gets them when its SKU is raised.
    return downgrade if is_developer(host) else (*downgrade, *fixed_differences(asked, host))


def plan_replacement(
    asked: BastionHostInput, network: Body, host: Body, plan: Plan, differences: tuple[Difference, ...]
) -> Plan:
    """The plan for a host that differs in what only a new host can have: refused, or made anew."""
    claim = claim_on(plan.claims, asked.ids.host)
    changed = changed_in_spec(asked, claim, differences)
    if asked.spec.replace_policy is not ReplacePolicy.RECREATE or not changed:
        refusal = _refusal(asked, host, differences, changed=changed)
        return with_agreement(asked, replace(plan, obstacles=(refusal,)), _not_as_asked(asked, host, differences))
    return make_anew(
        asked, network, host, plan, differences, "the spec asks for what Azure changes in no host that stands"
    )


def make_anew(
    asked: BastionHostInput, network: Body, host: Body, plan: Plan, differences: tuple[Difference, ...], why: str
) -> Plan:
    """The next step to a new host in place of this one; with an obstacle nothing is touched."""
    parts = _parts(asked, network, _judged_openness(asked, host, plan))
    if parts.obstacles:
        return with_agreement(asked, replace(plan, obstacles=parts.obstacles), _not_as_asked(asked, host, differences))
    if parts.waits:
        return parts
    host_id, lost = asked.ids.host, what_is_lost(asked, host)
    if not announced(asked, claim_on(plan.claims, host_id)):
        about = "; ".join((why, *map(str, differences), lost))
        told = replace(plan, waits=(Wait(host_id, host_id, TO_BE_MADE_ANEW, about),))
        return with_announcement(asked, told)
    if not parts.settled:
        return parts
    judged_by = [asked.ids.virtual_network, *_group_of(network)]
    if asked.needs_public_ip and asked.spec.sku != Sku.DEVELOPER:
        judged_by.append(asked.ids.public_ip)
    reason = f"it is to be made anew: {why}; {lost}"
    change = Change(
        Verb.DELETE,
        host_id,
        host_id,
        reason,
        differences=differences,
        if_match=etag(host),
        also_read=tuple(judged_by),
    )
    return replace(parts, changes=(change,))


def may_be_made_anew(asked: BastionHostInput, host: Body) -> bool:
    """Whether a person has named just this failed host, by its etag, to be made anew."""
    wanted, found = asked.recreate_failed, etag(host)
    return has_failed(host) and wanted is not None and found is not None and bare(wanted) == bare(found)


def failed_host(asked: BastionHostInput, host: Body) -> Finding:
    """What is told of a failed host, with the last resort."""
    found = etag(host)
    asked_for, now = bare(asked.recreate_failed or ""), bare(found or "")
    other = f"; the annotation names {asked_for}, and the host has changed since" if asked_for not in {"", now} else ""
    resort = (
        f"annotate this BastionHost with {RECREATE_FAILED}={now}, and it is deleted and made anew" if now else _DELETE
    )
    return obstacle(
        ObstacleCode.PROVISIONING_FAILED,
        f"Azure reports the host as {provisioning_state(host)}, which mostly still serves: the same request once more is the "
        f"first cure; if it stays so, look into Azure's activity log, and as a last resort {resort} "
        f"({what_is_lost(asked, host)}){other}",
        asked.ids.host,
    )


def bare(text: str) -> str:
    """An etag without what HTTP puts around it: ``W/"1"`` and ``1`` name one."""
    return text.strip().removeprefix("W/").strip('"')


def what_is_lost(asked: BastionHostInput, host: Body) -> str:
    """What goes with the host, in words."""
    lost = ["open sessions"]
    if name := properties(host).get("dnsName"):
        lost.append(f"the DNS name {name}")
    address = address_of_host(host)
    private = not asked.needs_public_ip or asked.spec.sku == Sku.DEVELOPER
    if address is not None and (private or not same_id(address, asked.ids.public_ip)):
        shown = properties(asked.observed.get(address) or {}).get("ipAddress")
        lost.append(f"its public IP address {shown or named(address)} ({named(address)} itself is kept)")
    if unnamed := _unnamed_settings(asked, host):
        lost.append(f"what the spec leaves out ({', '.join(unnamed)})")
    return f"lost with the host: {', '.join(lost)}; {_NOBODY_CONNECTS}"


def _unnamed_settings(asked: BastionHostInput, host: Body) -> list[str]:
    """The settings of the host that a new one would not get, because the spec does not name them."""
    named_by_spec = {path[-1] for path in fields_at_creation(asked.spec)}
    held = properties(host)
    fields = (feature.arm_field for feature in FEATURES.values() if feature.arm_field is not None)
    found = sorted(field for field in fields if held.get(field) is True and field not in named_by_spec)
    units = held.get("scaleUnits")
    if units not in {None, DEFAULT_SCALE_UNITS} and asked.spec.scale_units is None:
        found.append(f"scaleUnits {units}")
    if host.get("zones") and not asked.spec.zones:
        found.append(f"zones {', '.join(map(str, host['zones']))}")
    asked_for = {name.lower() for name in asked_tags(asked.spec.tags)}
    tags = host.get("tags")
    names = sorted(tags) if isinstance(tags, dict) else []
    return [*found, *(f"tag {name}" for name in names if name.lower() not in asked_for and not is_mark(name))]


def _not_as_asked(asked: BastionHostInput, host: Body, differences: tuple[Difference, ...]) -> set[str]:
    """The recorded fields in which the host is not as the spec asks, the SKU also where it could be raised in place."""
    raised = {SKU} if asked.spec.sku is not None and sku_of(host) is not parse_sku(asked.spec.sku) else set()
    return raised | {each.field for each in differences}


# --- what keeps a host from being made anew ----------------------------------------------------------------------


def _refusal(asked: BastionHostInput, host: Body, differences: tuple[Difference, ...], *, changed: bool) -> Finding:
    fields = "; ".join(map(str, differences))
    if changed:
        way = f"set replacePolicy: Recreate, and it is deleted and made anew ({what_is_lost(asked, host)})"
    else:
        way = (
            "delete the host in Azure, and it is made anew as the spec says. It does not come from a change of the spec that the "
            "operator has seen, so it makes nothing anew for it"
        )
    downgrade = next((each for each in differences if each.field == SKU), None)
    if downgrade is None:
        code = ObstacleCode.FIXED_AT_CREATION
        text = (
            f"the host differs in what Azure fixes at creation ({fields}): set it in the spec as it is or leave it out"
        )
    else:
        code = ObstacleCode.DOWNGRADE
        text = f"the host is {downgrade.before}, and Azure does not downgrade ({fields}): set sku to {downgrade.before}"
    return obstacle(code, f"{text}; or {way}", asked.ids.host)


def _parts(asked: BastionHostInput, network: Body, plan: Plan) -> Plan:
    """The plan with what the new host needs beside it; an obstacle where one of these would keep Azure from making it."""
    if asked.spec.sku == Sku.DEVELOPER:
        return _judged_region(asked, network, plan)
    parts = _judged_group(asked, network, plan_subnet(asked.spec, network, plan, asked.now))
    if not asked.needs_public_ip:
        return parts
    parts = plan_public_ip(asked, network, parts)
    zones = _zones_not_covered(asked)
    return replace(parts, obstacles=(*parts.obstacles, zones)) if zones is not None else parts


def _judged_openness(asked: BastionHostInput, host: Body, plan: Plan) -> Plan:
    """A host that is private only does not come to face the internet because a spec leaves it open."""
    if asked.spec.features.private_only is not None or not properties(host).get("enablePrivateOnlyBastion"):
        return plan
    message = (
        "the host is private only and the spec does not say whether the new one is to be: set features.privateOnly to true, or "
        "to false for a host with a public IP address"
    )
    return replace(plan, obstacles=(*plan.obstacles, obstacle(ObstacleCode.FIXED_AT_CREATION, message, asked.ids.host)))


def _judged_region(asked: BastionHostInput, network: Body, plan: Plan) -> Plan:
    region = str(network.get("location") or "")
    if not region or has_developer(region):
        return plan
    message = (
        f"region {region} had no Developer SKU on {AS_OF}, so no host is given up for one: choose another sku; or, if the region "
        "has it by now, delete the host in Azure, and it is made anew"
    )
    return replace(plan, obstacles=(*plan.obstacles, obstacle(ObstacleCode.DEVELOPER_REGION, message, asked.ids.host)))


def _zones_not_covered(asked: BastionHostInput) -> Finding | None:
    address = asked.observed.get(asked.ids.public_ip)
    zones = [str(zone) for zone in (address or {}).get("zones") or ()]
    missing = sorted(set(asked.spec.zones or ()) - set(zones)) if zones else []
    if not missing:
        return None
    message = (
        f"{named(asked.ids.public_ip)} is in zone {', '.join(zones)}, and the host is to be in zone {', '.join(missing)} as well: "
        "name another address in publicIP"
    )
    return obstacle(ObstacleCode.PUBLIC_IP_INVALID, message, asked.ids.public_ip)


def _group_of(network: Body) -> list[str]:
    subnet = child(network, "subnets", SUBNET_NAME)
    reference = properties(subnet).get("networkSecurityGroup") if subnet is not None else None
    return [str(reference["id"])] if isinstance(reference, dict) and reference.get("id") else []


def _judged_group(asked: BastionHostInput, network: Body, plan: Plan) -> Plan:
    """Azure makes no host on a subnet whose group lacks one of the eight rules, and does not say which of them it checks."""
    for group_id in _group_of(network):
        group = asked.observed.get(group_id)
        if group is None and not asked.observed.looked_at(group_id):
            return replace(plan, waits=(*plan.waits, Wait(group_id, group_id, NOT_READ)))
        if group is None:
            why = "cannot be read, so it is not known whether Azure would make a host there: grant the identity Reader on it"
        elif unmet := unmet_of(asked, network, {**group, "id": group_id}):
            why = f"lacks what Azure wants of it before it makes a host: {'; '.join(told.message for _, told in unmet)}"
        else:
            continue
        message = f"{named(group_id)} on {SUBNET_NAME} {why} ({group_id})"
        code = ObstacleCode.GROUP_NOT_FOUND if group is None else ObstacleCode.GROUP_NOT_COMPLIANT
        return replace(plan, obstacles=(*plan.obstacles, obstacle(code, message, group_id)))
    return plan
