"""Every code that an operator has to tell apart, brought about by a state of Azure that brings it about.

What no state here brings about is in `BY_RULE`: the control side's faults do (tests/component/arm_emulator/test_errors_by_rule.py).
"""

from collections.abc import Callable
from pathlib import Path

import pytest

import arm_emulator
from arm_emulator import registration
from arm_emulator.principals import Assignment, Principal
from arm_emulator.store import Resource
from tests.support.arm import (
    NET,
    PUBLIC_IP,
    RG,
    SUB,
    Arm,
    Reply,
    bastion_body,
    link_body,
    network_body,
    rule_body,
    subnet_body,
)
from tests.support.governance import lock

HOST = f"{NET}/bastionHosts/b"
GROUP = f"{NET}/networkSecurityGroups/n"
HUB, SPOKE = f"{NET}/virtualNetworks/hub", f"{NET}/virtualNetworks/spoke"
SUBNET = f"{HUB}/subnets/AzureBastionSubnet"
TO_SPOKE, TO_HUB = f"{HUB}/virtualNetworkPeerings/l", f"{SPOKE}/virtualNetworkPeerings/l"
ADDRESS = f"{NET}/publicIPAddresses/pip-hub"
NEW = f"{NET}/virtualNetworks/new"
STALE = {"If-Match": 'W/"other"'}

README = Path(arm_emulator.__file__).with_name("README.md")

BY_RULE = {
    "AllocationFailed": "a region that has run out of machines",
    "ConflictingConcurrentWriteNotAllowed": "two writes at the same moment; here one is done after the other",
    "GatewayAllocationFailed": "a region that has run out of machines",
    "ResourceRequestsThrottled": "limits of a resource that are not published",
    "SkuNotAvailable": "sizes that a region does not offer to a subscription",
    "SubscriptionNotRegistered": "what a provider says in place of the gateway; when is not known",
}
"""What brings a code about in Azure and has no counterpart here."""


def pair(arm: Arm) -> None:
    arm.network("hub", "10.0.0.0/16")
    arm.network("spoke", "10.1.0.0/16")


def connected(arm: Arm) -> None:
    pair(arm)
    arm.made(TO_SPOKE, link_body(SPOKE))
    arm.made(TO_HUB, link_body(HUB))


def standing(arm: Arm) -> None:
    arm.made(HOST, arm.bastion_ready())


def subscription(arm: Arm) -> Resource:
    found = arm.cloud.store.get(f"/subscriptions/{SUB}")
    assert found is not None
    return found


# -- contention --------------------------------------------------------------------------------------------------


def another_operation(arm: Arm) -> Reply:
    arm.network("hub", "10.0.0.0/16")
    arm.put(f"{HUB}/subnets/a", subnet_body("10.0.0.0/24"))
    return arm.put(f"{HUB}/subnets/b", subnet_body("10.0.1.0/24"))


def retryable_due_to_another(arm: Arm) -> Reply:
    arm.network("hub", "10.0.0.0/16")
    arm.put(f"{HUB}/subnets/a", subnet_body("10.0.0.0/24"))
    return arm.put(HUB, network_body("10.0.0.0/16"))


def not_provisioned(arm: Arm) -> Reply:
    body = arm.bastion_ready()
    arm.put(f"{HUB}/subnets/a", subnet_body("10.0.0.0/24"))
    return arm.put(HOST, body)


def superseded(arm: Arm) -> Reply:
    first = arm.put(HUB, network_body("10.0.0.0/16")).headers["azure-asyncoperation"]
    arm.put(HUB, network_body("10.0.0.0/16"))
    return arm.get(first)


def precondition(arm: Arm) -> Reply:
    arm.network("hub", "10.0.0.0/16")
    return arm.put(HUB, network_body("10.0.0.0/16"), headers=STALE)


# -- throttling --------------------------------------------------------------------------------------------------


def bucket_empty(arm: Arm) -> Reply:
    for _ in range(200):
        arm.delete(NEW)
    return arm.delete(NEW)


def window_full(arm: Arm) -> Reply:
    for _ in range(1000):
        arm.wait(0.1)
        arm.delete(NEW)
    return arm.delete(NEW)


# -- wrong request or environment --------------------------------------------------------------------------------


def remote_disconnected(arm: Arm) -> Reply:
    connected(arm)
    arm.gone(TO_HUB)
    return arm.put(TO_HUB, link_body(HUB))


def spaces_overlap(arm: Arm) -> Reply:
    arm.network("hub", "10.0.0.0/16")
    arm.network("spoke", "10.0.0.0/16")
    return arm.put(TO_SPOKE, link_body(SPOKE))


def overlap_with_peer(arm: Arm) -> Reply:
    connected(arm)
    other = arm.network("other", "10.1.0.0/24")
    return arm.put(f"{HUB}/virtualNetworkPeerings/m", link_body(other))


def no_gateways(arm: Arm) -> Reply:
    pair(arm)
    return arm.put(TO_SPOKE, link_body(SPOKE, useRemoteGateways=True))


def second_link(arm: Arm) -> Reply:
    connected(arm)
    return arm.put(f"{HUB}/virtualNetworkPeerings/m", link_body(SPOKE))


def wrong_subnet_name(arm: Arm) -> Reply:
    arm.bastion_ready()
    arm.made(f"{HUB}/subnets/s", subnet_body("10.0.9.0/26"))
    return arm.put(HOST, bastion_body(f"{HUB}/subnets/s", ADDRESS))


def group_not_compliant(arm: Arm) -> Reply:
    arm.bastion_ready()
    arm.made(GROUP, {"location": "westeurope"})
    return arm.put(SUBNET, subnet_body("10.0.1.0/26", networkSecurityGroup={"id": GROUP}))


def developer_feature(arm: Arm) -> Reply:
    network = {"id": arm.network("hub", "10.0.0.0/16")}
    properties = {"virtualNetwork": network, "enableTunneling": True}
    return arm.put(HOST, {"location": "westeurope", "sku": {"name": "Developer"}, "properties": properties})


def downgrade(arm: Arm) -> Reply:
    standing(arm)
    return arm.put(HOST, bastion_body(SUBNET, ADDRESS, "Basic"))


def sku_mismatch(arm: Arm) -> Reply:
    arm.bastion_ready()
    arm.made(f"{NET}/publicIPAddresses/basic", {"location": "westeurope", "properties": {}})
    return arm.put(HOST, bastion_body(SUBNET, f"{NET}/publicIPAddresses/basic"))


def missing_reference(arm: Arm) -> Reply:
    arm.network("hub", "10.0.0.0/16")
    return arm.put(TO_SPOKE, link_body(SPOKE))


def rule_conflict(arm: Arm) -> Reply:
    arm.made(GROUP, {"location": "westeurope", "properties": {"securityRules": [{"name": "a", **rule_body(200)}]}})
    return arm.put(f"{GROUP}/securityRules/b", rule_body(200))


def quota(arm: Arm) -> Reply:
    for number in range(10):
        arm.put(f"{NET}/publicIPAddresses/p{number}", PUBLIC_IP)
    return arm.put(f"{NET}/publicIPAddresses/p10", PUBLIC_IP)


# -- order of deletion -------------------------------------------------------------------------------------------


def subnet_in_use(arm: Arm) -> Reply:
    standing(arm)
    return arm.delete(SUBNET)


def address_in_use(arm: Arm) -> Reply:
    standing(arm)
    return arm.delete(ADDRESS)


def group_in_use(arm: Arm) -> Reply:
    arm.made(GROUP, {"location": "westeurope"})
    inner = {"name": "s", **subnet_body("10.0.0.0/24", networkSecurityGroup={"id": GROUP})}
    arm.network("v", "10.0.0.0/16", subnets=[inner])
    return arm.delete(GROUP)


# -- rights and policy -------------------------------------------------------------------------------------------


def not_authorized(arm: Arm) -> Reply:
    return arm.put(NEW, network_body("10.0.0.0/16"), by="reader")


def not_authorized_on_the_remote(arm: Arm) -> Reply:
    pair(arm)
    mine = Assignment("/", ("*",), ("Microsoft.Network/virtualNetworks/peer/action",))
    arm.add(Principal("p", "p", "x", "p", (mine,)))
    return arm.put(TO_SPOKE, link_body(SPOKE), by="p")


def policy(arm: Arm) -> Reply:
    rule = {"if": {"field": "type", "equals": "Microsoft.Network/virtualNetworks"}, "then": {"effect": "deny"}}
    definition = f"/subscriptions/{SUB}/providers/Microsoft.Authorization/policyDefinitions/d"
    arm.put(definition, {"properties": {"mode": "All", "policyRule": rule}}, version="2023-04-01")
    assignment = f"{RG}/providers/Microsoft.Authorization/policyAssignments/a"
    arm.put(assignment, {"properties": {"policyDefinitionId": definition}}, version="2023-04-01")
    return arm.put(NEW, network_body("10.0.0.0/16"))


def locked(arm: Arm) -> Reply:
    lock(arm, RG, "CanNotDelete")
    arm.network("hub", "10.0.0.0/16")
    return arm.delete(HUB)


def read_only(arm: Arm) -> Reply:
    subscription(arm).properties["state"] = "Disabled"
    return arm.put(NEW, network_body("10.0.0.0/16"))


def not_registered(arm: Arm) -> Reply:
    registration.change(arm.cloud, subscription(arm), "Microsoft.Network", "NotRegistered")
    return arm.put(NEW, network_body("10.0.0.0/16"))


def no_subscription(arm: Arm) -> Reply:
    return arm.get(NEW.replace(SUB, f"{SUB[:-1]}9"))


def no_group(arm: Arm) -> Reply:
    return arm.get(NEW.replace("/rg/", "/none/"))


STATES: dict[str, tuple[int, Callable[[Arm], Reply]]] = {
    "AnotherOperationInProgress": (409, another_operation),
    "AnotherPeeringAlreadyReferencesRemoteVnet": (400, second_link),
    "AuthorizationFailed": (403, not_authorized),
    "BastionUpdateNotSupported": (400, downgrade),
    "CanceledAndSupersededDueToAnotherOperation": (200, superseded),
    "FeatureNotSupportedForDeveloperBastionSku": (400, developer_feature),
    "InUseNetworkSecurityGroupCannotBeDeleted": (400, group_in_use),
    "InUseSubnetCannotBeDeleted": (400, subnet_in_use),
    "InvalidResourceReference": (400, missing_reference),
    "LinkedAuthorizationFailed": (403, not_authorized_on_the_remote),
    "MissingSubscriptionRegistration": (409, not_registered),
    "NetworkSecurityGroupNotCompliantForAzureBastionSubnet": (400, group_not_compliant),
    "PreconditionFailed": (412, precondition),
    "PublicIPAddressCannotBeDeleted": (400, address_in_use),
    "PublicIPSkuMismatch": (400, sku_mismatch),
    "QuotaExceeded": (400, quota),
    "ReadOnlyDisabledSubscription": (409, read_only),
    "ReferencedResourceNotProvisioned": (400, not_provisioned),
    "RemotePeeringIsDisconnected": (400, remote_disconnected),
    "RemoteVnetHasNoGateways": (400, no_gateways),
    "RequestDisallowedByPolicy": (403, policy),
    "ResourceGroupNotFound": (404, no_group),
    "RetryableError": (429, retryable_due_to_another),
    "RetryableErrorDueToAnotherOperation": (429, retryable_due_to_another),
    "ScopeLocked": (409, locked),
    "SecurityRuleConflict": (400, rule_conflict),
    "SubnetNameMustBeAzureBastionSubnet": (400, wrong_subnet_name),
    "SubscriptionNotFound": (404, no_subscription),
    "SubscriptionRequestsThrottled": (429, bucket_empty),
    "TooManyRequests": (429, window_full),
    "VnetAddressSpaceOverlapsWithAlreadyPeeredVnet": (400, overlap_with_peer),
    "VnetAddressSpacesOverlap": (400, spaces_overlap),
}
"""Status and what brings it about, by code; the code is the error's own or the one in its details."""


@pytest.mark.parametrize("code", sorted(STATES))
def test_a_state_brings_about(code: str) -> None:
    status, act = STATES[code]
    answer = act(Arm())
    error = answer.body["error"]
    assert answer.status == status
    assert code in (error["code"], *(detail["code"] for detail in error.get("details", ())))


@pytest.mark.parametrize("code", sorted(BY_RULE))
def test_the_readme_says_what_comes_by_rule_only(code: str) -> None:
    text = README.read_text()
    listed = text[text.index("These codes of Azure's come by rule only") :].partition("\n\n")[0]
    assert f"`{code}`" in listed
