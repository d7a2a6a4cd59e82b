"""The part of a BastionHost's plan that makes its public IP, or judges the one that is there.

Source: Microsoft's page "Bastion configuration settings": Standard, static, IPv4, in the host's region.
"""

from dataclasses import replace
from typing import Any

from bastion_operator.network.arm_id import same_id
from bastion_operator.planning.bastion_input import BastionHostInput
from bastion_operator.planning.bastion_ownership import PUBLIC_IP, claiming, hindered, own
from bastion_operator.planning.body import (
    described,
    differing,
    etag,
    has_failed,
    in_transition,
    properties,
    provisioning_state,
    referenced_id,
    with_named,
)
from bastion_operator.planning.identical_request import identical_request
from bastion_operator.planning.model import Body, Change, Plan, Verb, Wait
from bastion_operator.planning.obstacles import ObstacleCode
from bastion_operator.planning.ownership import adopted, asked_tags, tags_at_creation
from bastion_operator.planning.wording import named


def plan_public_ip(asked: BastionHostInput, network: Body, plan: Plan) -> Plan:
    """The plan with what a host that is yet to be made needs of its public IP."""
    resource_id = asked.ids.public_ip
    existing = asked.observed.get(resource_id)
    if existing is not None:
        return _use(asked, network, existing, plan)
    if asked.public_ip_given:
        message = (
            f"the public IP {resource_id} does not exist, or the identity may not read it: create it, grant Reader, or "
            "leave publicIP out"
        )
        return hindered(plan, ObstacleCode.PUBLIC_IP_NOT_FOUND, message, resource_id)
    change = Change(Verb.CREATE, resource_id, resource_id, "the host needs a public IP", _body(asked, network))
    return claiming(asked, replace(plan, changes=(*plan.changes, change)), resource_id, PUBLIC_IP)


def plan_public_ip_of_host(asked: BastionHostInput, plan: Plan) -> Plan:
    """The plan with the public IP of a host that stands: claimed if it carries the mark, its tags kept, and what failed sent again."""
    resource_id = asked.ids.public_ip
    body = asked.observed.get(resource_id)
    if body is None or asked.public_ip_given or asked.watching or not asked.owner.marked(body):
        return plan
    if adopted(plan.claims, resource_id):
        return plan
    plan = claiming(asked, plan, resource_id, PUBLIC_IP)
    found = differing(body, {("tags", name): value for name, value in asked_tags(asked.spec.tags).items()})
    if in_transition(body) or not (found or has_failed(body)):
        return plan
    if not found:
        return replace(plan, changes=(*plan.changes, identical_request(body, resource_id, resource_id)))
    change = Change(
        Verb.UPDATE,
        resource_id,
        resource_id,
        "the tags differ from the spec",
        with_named(body, found),
        described(body, found),
        etag(body),
    )
    return replace(plan, changes=(*plan.changes, change))


def user_of_address(address: Body) -> str:
    """The normalised id of what a public IP is attached to, empty if it is free. The reference leads to a part of it."""
    reference = referenced_id(properties(address).get("ipConfiguration"))
    return "/".join(reference.split("/")[:-2]) if reference else ""


def _use(asked: BastionHostInput, network: Body, existing: Body, plan: Plan) -> Plan:
    resource_id = asked.ids.public_ip
    if not asked.public_ip_given:
        plan = own(asked, plan, existing, resource_id, PUBLIC_IP)
    user = user_of_address(existing)
    if user and not same_id(user, asked.ids.host):
        message = f"{named(resource_id)} is in use by {user}: free it, or name another in publicIP"
        return hindered(plan, ObstacleCode.PUBLIC_IP_IN_USE, message, resource_id)
    wrong = _unfit(existing, network)
    if wrong:
        message = (
            f"{named(resource_id)} cannot be a Bastion's: it is {wrong}, and Azure wants Standard, static, IPv4, in the "
            "virtual network's region; name another in publicIP"
        )
        return hindered(plan, ObstacleCode.PUBLIC_IP_INVALID, message, resource_id)
    if in_transition(existing):
        return replace(plan, waits=(*plan.waits, Wait(resource_id, resource_id, provisioning_state(existing))))
    if has_failed(existing) and not asked.public_ip_given:
        # Azure refuses a reference to what has failed: the address comes first.
        return replace(plan, changes=(*plan.changes, identical_request(existing, resource_id, resource_id)))
    return plan


def _unfit(address: Body, network: Body) -> str:
    """What is wrong with the address, in words; empty if it fits. What the source leaves out is not held against it."""
    sku = address.get("sku")
    wanted = {
        "SKU": (sku.get("name") if isinstance(sku, dict) else None, "Standard"),
        "allocation": (properties(address).get("publicIPAllocationMethod"), "Static"),
        "version": (properties(address).get("publicIPAddressVersion"), "IPv4"),
        "region": (address.get("location"), network.get("location")),
    }
    wrong = [f"{name} {has}" for name, (has, fits) in wanted.items() if has and fits and _plain(has) != _plain(fits)]
    return ", ".join(wrong)


def _plain(text: object) -> str:
    # Azure writes regions as "West Europe" and as "westeurope".
    return str(text).lower().replace(" ", "")


def _body(asked: BastionHostInput, network: Body) -> dict[str, Any]:
    body: dict[str, Any] = {
        "location": network.get("location"),
        "sku": {"name": "Standard"},
        "tags": tags_at_creation(asked.owner, asked.claims, asked.ids.public_ip, asked.spec.tags),
        "properties": {"publicIPAllocationMethod": "Static", "publicIPAddressVersion": "IPv4"},
    }
    if asked.spec.zones:
        body["zones"] = list(asked.spec.zones)
    return body
