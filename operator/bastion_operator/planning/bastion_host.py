"""The plan of a BastionHost: subnet, public IP and host, in the order that Azure demands.

Sources: Microsoft's pages "Bastion configuration settings" and "Choose a SKU"; recorded traffic for the bodies.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bastion_operator.api.bastion_host import BastionHostSpec, Sku
from bastion_operator.api.common import AdoptionPolicy, Claim, ClaimOrigin, ManagementPolicy
from bastion_operator.network.arm_id import parse_arm_id, same_id
from bastion_operator.network.finding import Finding
from bastion_operator.network.sku import FEATURES, parse_sku
from bastion_operator.planning.bastion_subnet import SUBNET_NAME, plan_subnet, subnet_hosts
from bastion_operator.planning.body import (
    Named,
    differences,
    etag,
    in_transition,
    properties,
    provisioning_state,
    with_named,
)
from bastion_operator.planning.model import Body, Change, Observed, Plan, Verb, Wait
from bastion_operator.planning.obstacles import ObstacleCode, obstacle
from bastion_operator.planning.ownership import (
    Owner,
    Ownership,
    owner_of,
    ownership_by_tags,
    with_claim,
    with_claim_in_place,
)

HOST = "Host"
PUBLIC_IP = "PublicIP"
_IP_CONFIGURATION = "IpConf"


@dataclass(frozen=True, slots=True)
class BastionHostIds:
    """The ARM ids that a spec means."""

    virtual_network: str
    subnet: str
    public_ip: str
    host: str


def bastion_host_ids(name: str, spec: BastionHostSpec) -> BastionHostIds:
    """The ids of the things a BastionHost of this name stands for: in its virtual network's subscription and group.

    ``resourceGroup`` moves host and public IP to another group; the subnet is part of the virtual network.
    """
    network = parse_arm_id(spec.virtual_network_id)
    group = spec.resource_group or network.resource_group
    scope = f"/subscriptions/{network.subscription}/resourceGroups/{group}/providers/Microsoft.Network"
    host_name = spec.azure_name or name
    public_ip = spec.public_ip
    public_ip_name = (public_ip.name if public_ip else None) or f"{host_name}-ip"
    return BastionHostIds(
        virtual_network=spec.virtual_network_id,
        subnet=f"{spec.virtual_network_id}/subnets/{SUBNET_NAME}",
        public_ip=(public_ip.id if public_ip else None) or f"{scope}/publicIPAddresses/{public_ip_name}",
        host=f"{scope}/bastionHosts/{host_name}",
    )


@dataclass(frozen=True, slots=True)
class BastionHostInput:
    """All that the plan depends on."""

    owner: Owner
    spec: BastionHostSpec
    ids: BastionHostIds
    claims: tuple[Claim, ...]
    observed: Observed
    now: datetime


def plan_bastion_host(asked: BastionHostInput) -> Plan:
    """What to do so that the host is there as the spec says."""
    network = asked.observed.get(asked.ids.virtual_network)
    if network is None:
        return Plan(claims=asked.claims, obstacles=(_network_not_found(asked.ids.virtual_network),))
    host = asked.observed.get(asked.ids.host)
    if host is not None:
        return _plan_existing_host(asked, host)
    parts = Plan(claims=asked.claims)
    if asked.spec.management_policy is ManagementPolicy.OBSERVE:
        # What does not exist can only be told: who only watches makes nothing.
        return parts
    if asked.spec.sku != Sku.DEVELOPER:
        other = _another_host(asked, network)
        if other is not None:
            return replace(parts, obstacles=(other,))
        parts = plan_subnet(asked.spec, network, parts, asked.now)
        if _makes_public_ip_needed(asked.spec):
            parts = _plan_public_ip(asked, network, parts)
    if parts.obstacles or not parts.settled:
        # The host is claimed with the rest, so that one write of the status covers the whole creation.
        return parts if parts.obstacles else _claiming_host(asked, parts)
    return _claiming_host(asked, replace(parts, changes=(_create_host(asked, network),)))


def _network_not_found(network_id: str) -> Finding:
    return obstacle(
        ObstacleCode.VIRTUAL_NETWORK_NOT_FOUND,
        f"the virtual network {network_id} does not exist, or the identity may not read it: create it, grant Reader, "
        "or correct the id",
        network_id,
    )


def _makes_public_ip_needed(spec: BastionHostSpec) -> bool:
    return not spec.features.private_only


def _claiming_host(asked: BastionHostInput, plan: Plan) -> Plan:
    return replace(plan, claims=with_claim(plan.claims, _created(asked, asked.ids.host, HOST)))


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


# --- public IP ---------------------------------------------------------------------------------------------------


def _plan_public_ip(asked: BastionHostInput, network: Body, plan: Plan) -> Plan:
    resource_id = asked.ids.public_ip
    existing = asked.observed.get(resource_id)
    given = asked.spec.public_ip is not None and asked.spec.public_ip.id is not None
    if existing is None:
        if given:
            return _hindered(
                plan, ObstacleCode.PUBLIC_IP_NOT_FOUND, f"the public IP {resource_id} does not exist", resource_id
            )
        change = Change(
            Verb.CREATE, resource_id, resource_id, "the host needs a public IP", _public_ip_body(asked, network)
        )
        claims = with_claim(plan.claims, _created(asked, resource_id, PUBLIC_IP))
        return replace(plan, changes=(*plan.changes, change), claims=claims)
    if not given:
        plan = _own(asked, plan, existing, resource_id, PUBLIC_IP)
    if in_transition(existing):
        return replace(plan, waits=(*plan.waits, Wait(resource_id, resource_id, provisioning_state(existing))))
    return plan


def _public_ip_body(asked: BastionHostInput, network: Body) -> dict[str, Any]:
    body: dict[str, Any] = {
        "location": network.get("location"),
        "sku": {"name": "Standard"},
        "tags": {**asked.spec.tags, **asked.owner.tags()},
        "properties": {"publicIPAllocationMethod": "Static", "publicIPAddressVersion": "IPv4"},
    }
    if asked.spec.zones:
        body["zones"] = list(asked.spec.zones)
    return body


# --- host --------------------------------------------------------------------------------------------------------


def _create_host(asked: BastionHostInput, network: Body) -> Change:
    named = _named_fields(asked.spec)
    body: dict[str, Any] = {
        "location": network.get("location"),
        "tags": {**asked.spec.tags, **asked.owner.tags()},
        "properties": _placement(asked),
    }
    if asked.spec.zones:
        body["zones"] = list(asked.spec.zones)
    body = with_named(body, named)
    return Change(Verb.CREATE, asked.ids.host, asked.ids.host, "the host does not exist", body)


def _placement(asked: BastionHostInput) -> dict[str, Any]:
    if asked.spec.sku == Sku.DEVELOPER:
        return {"virtualNetwork": {"id": asked.ids.virtual_network}, "ipConfigurations": []}
    configuration: dict[str, Any] = {
        "privateIPAllocationMethod": "Dynamic",
        "subnet": {"id": asked.ids.subnet},
    }
    if _makes_public_ip_needed(asked.spec):
        configuration["publicIPAddress"] = {"id": asked.ids.public_ip}
    return {"ipConfigurations": [{"name": _IP_CONFIGURATION, "properties": configuration}]}


def _named_fields(spec: BastionHostSpec) -> dict[tuple[str, ...], Any]:
    """The fields of the body that the spec names: what it leaves out is neither compared nor changed."""
    named: dict[tuple[str, ...], Any] = {}
    if spec.sku is not None:
        named["sku", "name"] = spec.sku.value
    if spec.scale_units is not None:
        named["properties", "scaleUnits"] = spec.scale_units
    for name, wanted in spec.features.to_json().items():
        feature = FEATURES[name]
        if feature.arm_field is not None:
            named["properties", feature.arm_field] = wanted is not feature.inverted
    return named


def _plan_existing_host(asked: BastionHostInput, host: Body) -> Plan:
    host_id = asked.ids.host
    plan = _own(asked, Plan(claims=asked.claims), host, host_id, HOST)
    if plan.obstacles:
        return plan
    if in_transition(host):
        return replace(plan, waits=(Wait(host_id, host_id, provisioning_state(host)),))
    fixed = _fixed_at_creation(asked, host)
    if fixed is not None:
        return replace(plan, obstacles=(fixed,))
    named: Named = {**_named_fields(asked.spec), **{("tags", key): value for key, value in asked.spec.tags.items()}}
    found = differences(host, named)
    if found:
        body = with_named(host, named)
        change = Change(Verb.UPDATE, host_id, host_id, "the host differs from the spec", body, found, etag(host))
        return replace(plan, changes=(change,))
    if provisioning_state(host).lower() in {"failed", "canceled"}:
        # Microsoft's first cure for a failed resource: the same PUT once more. Whether it was tried is the caller's memory.
        reason = f"the host is in state {provisioning_state(host)}; an identical PUT lets Azure try again"
        change = Change(Verb.UPDATE, host_id, host_id, reason, dict(host), (), etag(host))
        failed = obstacle(
            ObstacleCode.PROVISIONING_FAILED, f"Azure reports the host as {provisioning_state(host)}", host_id
        )
        return replace(plan, changes=(change,), obstacles=(failed,))
    return plan


def _fixed_at_creation(asked: BastionHostInput, host: Body) -> Finding | None:
    sku = host.get("sku")
    current = parse_sku(sku.get("name") if isinstance(sku, dict) else None)
    wanted = parse_sku(asked.spec.sku) if asked.spec.sku is not None else None
    if wanted is not None and current is not None and wanted.rank < current.rank:
        return obstacle(
            ObstacleCode.DOWNGRADE,
            f"the host is {current}, and Azure does not downgrade to {wanted}: set sku to {current}, or delete this "
            "BastionHost and apply it again (sessions drop, the address may change)",
            asked.ids.host,
        )
    wanted_private = asked.spec.features.private_only
    if wanted_private is not None and wanted_private is not bool(properties(host).get("enablePrivateOnlyBastion")):
        return obstacle(
            ObstacleCode.FIXED_AT_CREATION,
            "features.privateOnly differs from the host, and Azure fixes it at creation: leave it out, or delete this "
            "BastionHost and apply it again",
            asked.ids.host,
        )
    return None


# --- ownership ---------------------------------------------------------------------------------------------------


def _own(asked: BastionHostInput, plan: Plan, body: Body, resource_id: str, purpose: str) -> Plan:
    """The plan with the resource claimed, or with the obstacle that it is not ours to touch."""
    if asked.spec.management_policy is ManagementPolicy.OBSERVE:
        return plan
    match ownership_by_tags(asked.owner, body, plan.claims, resource_id):
        case Ownership.CREATED:
            return replace(plan, claims=with_claim(plan.claims, _created(asked, resource_id, purpose)))
        case Ownership.ADOPTED:
            return plan
        case Ownership.ADOPTABLE if asked.spec.adoption_policy is AdoptionPolicy.IF_UNMANAGED:
            # A claim written ahead of a creation that somebody else came before is no evidence: the mark is missing.
            adopted = Claim(id=resource_id, purpose=purpose, origin=ClaimOrigin.ADOPTED, claimed_at=asked.now)
            return replace(plan, claims=with_claim_in_place(plan.claims, adopted))
        case _:
            owner = owner_of(body)
            whose = (
                f"it belongs to {owner}"
                if owner
                else "it carries nobody's mark (adoptionPolicy: IfUnmanaged takes it over)"
            )
            return _hindered(plan, ObstacleCode.NOT_OWNED, f"{resource_id} exists already; {whose}", resource_id)


def _created(asked: BastionHostInput, resource_id: str, purpose: str) -> Claim:
    return Claim(id=resource_id, purpose=purpose, origin=ClaimOrigin.CREATED, claimed_at=asked.now)


def _hindered(plan: Plan, code: ObstacleCode, message: str, resource_id: str) -> Plan:
    return replace(plan, obstacles=(*plan.obstacles, obstacle(code, message, resource_id)))
