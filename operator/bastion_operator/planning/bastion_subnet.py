"""The part of a BastionHost's plan that makes AzureBastionSubnet. A subnet that is there is used and never changed.

Source: Microsoft's page "Bastion configuration settings": the name to the letter, /26 or larger, nothing else in it.
"""

from dataclasses import replace
from datetime import datetime
from ipaddress import IPv4Network

from bastion_operator.api.bastion_host import BastionHostSpec
from bastion_operator.api.common import Claim, ClaimOrigin
from bastion_operator.api.identifiers import AUTO
from bastion_operator.network.prefixes import free_prefix
from bastion_operator.planning.body import (
    child,
    children,
    has_failed,
    in_transition,
    properties,
    provisioning_state,
    referenced_id,
)
from bastion_operator.planning.identical_request import identical_request
from bastion_operator.planning.model import Body, Change, Plan, Verb, Wait
from bastion_operator.planning.obstacles import ObstacleCode, obstacle
from bastion_operator.planning.ownership import claim_on, with_claim_in_place, without_claim

SUBNET_NAME = "AzureBastionSubnet"
SUBNET = "Subnet"
_SMALLEST = 26
_HOST_SEGMENT = "/bastionhosts/"


def plan_subnet(spec: BastionHostSpec, network: Body, plan: Plan, now: datetime) -> Plan:
    """The plan with what the subnet needs added."""
    network_id = spec.virtual_network_id
    subnet_id = f"{network_id}/subnets/{SUBNET_NAME}"
    existing = child(network, "subnets", SUBNET_NAME)
    if existing is not None:
        return _use(spec, existing, _without_void_claim(plan, subnet_id, existing), subnet_id, network_id)
    prefix = _wanted_prefix(spec, network)
    if isinstance(prefix, _Refusal):
        return replace(plan, obstacles=(*plan.obstacles, obstacle(prefix.code, prefix.message, subnet_id)))
    change = Change(
        Verb.CREATE,
        subnet_id,
        network_id,
        f"the virtual network has no {SUBNET_NAME}",
        {"properties": {"addressPrefix": prefix}},
    )
    # The prefix is written down with the claim: a subnet that somebody else makes in between has another, or was there.
    claim = Claim(id=subnet_id, purpose=SUBNET, origin=ClaimOrigin.CREATED, detail=prefix, claimed_at=now)
    claims = with_claim_in_place(plan.claims, claim)
    return replace(plan, changes=(*plan.changes, change), claims=claims)


def subnet_prefixes(subnet: Body) -> list[str]:
    """The subnet's prefixes, which Azure writes in the singular or in the plural field."""
    found = properties(subnet)
    plural = [str(prefix) for prefix in found.get("addressPrefixes") or []]
    single = found.get("addressPrefix")
    return plural or ([str(single)] if single else [])


def subnet_hosts(network: Body) -> list[str]:
    """The normalised ids of the Bastion hosts whose IP configurations lie in the network's AzureBastionSubnet."""
    subnet = child(network, "subnets", SUBNET_NAME)
    if subnet is None:
        return []
    references = [referenced_id(each) for each in children(subnet, "ipConfigurations")]
    hosts = [
        reference.partition("/bastionhostipconfigurations/")[0]
        for reference in references
        if _HOST_SEGMENT in reference
    ]
    return list(dict.fromkeys(hosts))


def _without_void_claim(plan: Plan, subnet_id: str, existing: Body) -> Plan:
    """A claim written ahead of a PUT that somebody else came before stands for nothing: their subnet has another prefix."""
    claim = claim_on(plan.claims, subnet_id)
    if claim is None or claim.origin is not ClaimOrigin.CREATED or claim.detail in subnet_prefixes(existing):
        return plan
    return replace(plan, claims=without_claim(plan.claims, subnet_id))


class _Refusal:
    """Why no prefix can be had, or why the subnet that is there cannot be used."""

    def __init__(self, code: ObstacleCode, message: str) -> None:
        self.code = code
        self.message = message


def _use(spec: BastionHostSpec, existing: Body, plan: Plan, subnet_id: str, network_id: str) -> Plan:
    unfit = _unfit(spec, existing)
    if unfit is not None:
        return replace(plan, obstacles=(*plan.obstacles, obstacle(unfit.code, unfit.message, subnet_id)))
    if in_transition(existing):
        return replace(plan, waits=(*plan.waits, Wait(subnet_id, network_id, provisioning_state(existing))))
    claim = claim_on(plan.claims, subnet_id)
    if has_failed(existing) and claim is not None and claim.origin is ClaimOrigin.CREATED:
        return replace(plan, changes=(*plan.changes, identical_request(existing, subnet_id, network_id)))
    return plan


def _unfit(spec: BastionHostSpec, existing: Body) -> _Refusal | None:
    name, found = str(existing.get("name")), subnet_prefixes(existing)
    if name != SUBNET_NAME:
        return _Refusal(
            ObstacleCode.SUBNET_NAME,
            f"the subnet is named {name}, and Azure takes {SUBNET_NAME} to the letter only: delete that subnet",
        )
    wanted = spec.subnet_prefix
    if wanted not in {None, AUTO} and wanted not in found:
        return _Refusal(
            ObstacleCode.SUBNET_DIFFERS,
            f"{SUBNET_NAME} exists with {', '.join(found)}, and the spec asks for {wanted}: set subnetPrefix to "
            f"{found[0] if found else AUTO}, or leave it out to use the subnet as it is",
        )
    prefixes = _ipv4(found)
    if prefixes and all(prefix.prefixlen > _SMALLEST for prefix in prefixes):
        return _Refusal(
            ObstacleCode.SUBNET_TOO_SMALL,
            f"{SUBNET_NAME} is {', '.join(found)}, and a new host needs /{_SMALLEST} or larger: make the subnet larger",
        )
    others = [
        user for each in children(existing, "ipConfigurations") if _HOST_SEGMENT not in (user := referenced_id(each))
    ]
    if others:
        return _Refusal(
            ObstacleCode.SUBNET_NOT_DEDICATED,
            f"{SUBNET_NAME} must hold nothing but a Bastion, and {others[0]} is in it: move that elsewhere",
        )
    return None


def _wanted_prefix(spec: BastionHostSpec, network: Body) -> str | _Refusal:
    spaces = [str(prefix) for prefix in (properties(network).get("addressSpace") or {}).get("addressPrefixes") or []]
    taken = [prefix for subnet in children(network, "subnets") for prefix in subnet_prefixes(subnet)]
    if spec.subnet_prefix is None:
        return _Refusal(
            ObstacleCode.SUBNET_PREFIX_MISSING,
            f"the virtual network has no {SUBNET_NAME}: set subnetPrefix to a free IPv4 prefix of /{_SMALLEST} or larger "
            "within its address space, or to Auto",
        )
    if spec.subnet_prefix == AUTO:
        return _free_prefix(network, spaces, taken)
    return _given_prefix(spec.subnet_prefix, spaces, taken)


def _free_prefix(network: Body, spaces: list[str], taken: list[str]) -> str | _Refusal:
    if (properties(network).get("addressSpace") or {}).get("ipamPoolPrefixAllocations"):
        return _Refusal(
            ObstacleCode.NO_FREE_PREFIX,
            "an IPAM pool governs the virtual network's address space, so Auto chooses nothing there: set subnetPrefix to "
            "the prefix that the pool's owners give you",
        )
    free = free_prefix(spaces, taken, _SMALLEST)
    return free or _Refusal(
        ObstacleCode.NO_FREE_PREFIX,
        f"no /{_SMALLEST} is free in {', '.join(spaces)}: widen the virtual network's address space, or free a range",
    )


def _given_prefix(wanted: str, spaces: list[str], taken: list[str]) -> str | _Refusal:
    prefix = IPv4Network(wanted)
    if not any(prefix.subnet_of(space) for space in _ipv4(spaces)):
        return _Refusal(
            ObstacleCode.SUBNET_PREFIX_INVALID,
            f"subnetPrefix {wanted} lies outside the virtual network's address space {', '.join(spaces)}",
        )
    clashing = [str(other) for other in _ipv4(taken) if prefix.overlaps(other)]
    if clashing:
        return _Refusal(
            ObstacleCode.SUBNET_PREFIX_INVALID,
            f"subnetPrefix {wanted} overlaps the subnet {clashing[0]}: choose a free prefix, or Auto",
        )
    return wanted


def _ipv4(prefixes: list[str]) -> list[IPv4Network]:
    return [IPv4Network(prefix, strict=False) for prefix in prefixes if ":" not in prefix]
