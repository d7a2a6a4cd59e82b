"""Each error code in the source is one that Azure is known to answer, or is said to be a guess in the README."""

import ast
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import arm_emulator
from arm_emulator.resource_types.quotas import QUOTAS

ROOT = Path(arm_emulator.__file__).parent
CODE = re.compile(r"[A-Z][a-z]+(?:[A-Z][A-Za-z]+)+")
RAISED_BY = {"ArmError", "bad_request", "conflict", "not_found", "refuse_used", "refused"}
OWN = {
    "ControlSideClosed", "InvalidCalls", "InvalidClock", "InvalidControlToken", "InvalidFault", "InvalidLag", "InvalidPrincipalChange",
    "InvalidResource", "InvalidSnapshot", "InvalidSubscription", "SnapshotNotFound", "UnknownControl", "UnknownPrincipal",
}  # fmt: skip
"""Codes of the control side, which Azure does not have."""
KNOWN = {
    "AnotherOperationInProgress", "AnotherPeeringAlreadyReferencesRemoteVnet", "AuthorizationFailed",
    "BastionUpdateNotSupported", "CannotDeleteResource", "FeatureNotSupportedForDeveloperBastionSku",
    "InUseNetworkSecurityGroupCannotBeDeleted", "InUsePrefixCannotBeDeleted", "InUseRouteTableCannotBeDeleted",
    "InUseSubnetCannotBeDeleted", "InternalServerError", "InvalidAddressPrefixFormat", "InvalidApiVersionParameter",
    "InvalidAuthenticationToken", "InvalidCIDRNotation", "InvalidFilterInQueryString", "InvalidRequestContent",
    "InvalidRequestFormat", "InvalidResourceName", "InvalidResourceNamespace", "InvalidResourceReference",
    "InvalidResourceType", "InvalidRoleAssignmentId", "LinkedAuthorizationFailed", "LinkedInvalidPropertyId",
    "LocationNotAvailableForResourceGroup", "LocationNotAvailableForResourceType", "LocationRequired", "MissingApiVersionParameter", "NetcfgInvalidSubnet",
    "NetcfgSubnetRangesOverlap", "NetworkSecurityGroupNotCompliantForAzureBastionSubnet", "NicInUse",
    "NicInUseWithPrivateEndpoint", "NoRegisteredProviderFound", "NotFound", "OperationNotAllowed",
    "ParentResourceNotFound", "PolicyDefinitionNotFound", "PrincipalNotFound", "PrivateIPAddressIsAllocated",
    "PrivateIPAddressNotInAnySubnet", "PrivateIPAddressNotInSubnet", "PropertyChangeNotAllowed", "PublicIPAddressCannotBeDeleted", "PublicIPAddressInUse",
    "PublicIPSkuMismatch", "RateLimiting", "ReadOnlyDisabledSubscription", "RemoteVnetHasNoGateways",
    "RequestDisallowedByPolicy", "ResourceAvailabilityZonesCannotBeModified", "ResourceGroupBeingDeleted",
    "ResourceGroupDeletionBlocked", "ResourceGroupNotFound", "ResponsePayloadTooLarge", "RetryableError",
    "RoleAssignmentExists", "RoleAssignmentUpdateNotPermitted", "RoleDefinitionHasAssignments",
    "RoleDefinitionWithSameNameExists", "RouteTableCannotBeAttachedForAzureBastionSubnet", "ScopeLocked",
    "SecurityRuleConflict", "SecurityRuleInvalidAddressPrefix", "SecurityRuleInvalidPriority", "StandardSkuPublicIPAddressesMustBeStatic", "SubnetIsFull",
    "SubnetNameMustBeAzureBastionSubnet", "SubscriptionNotFound", "SubscriptionRequestsThrottled", "TooManyRequests",
    "UnsupportedMediaType",
    "VnetAddressSpaceOverlapsWithAlreadyPeeredVnet", "VnetAddressSpacesOverlap",
}  # fmt: skip
"""Codes that recordings, Microsoft's pages or users' reports show."""
IN_ONE_WORD = ("VirtualHub", "VirtualWan", "RoutingIntent", "PublicIPPrefix", "PrivateEndpoint", "AzureFirewall")
"""What the README says of all codes that begin so."""
RECORD_SETS = {"CnameRecordSetConflict", "RecordSetConflictsWithCname"}


def constants(argument: ast.expr) -> Iterator[str]:
    """The texts that an argument may be: one, or either of a condition's two."""
    for one in (argument.body, argument.orelse) if isinstance(argument, ast.IfExp) else (argument,):
        if isinstance(one, ast.Constant) and isinstance(one.value, str):
            yield one.value


def raised() -> set[str]:
    calls = (
        node
        for file in ROOT.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in RAISED_BY
    )
    texts = (text for call in calls for argument in call.args for text in constants(argument))
    return {text for text in texts if CODE.fullmatch(text)}


def guessed() -> set[str]:
    """What the README lists in code style as not verified; `{a,b}` stands for either."""
    text = (ROOT / "README.md").read_text()
    told: set[str] = set()
    for name in re.findall(r"`([^`\n]+)`", text[text.index("## How far to trust it") :]):
        parts = re.split(r"\{([^}]*)\}", name)
        choices = [part.split(",") if number % 2 else [part] for number, part in enumerate(parts)]
        told |= {"".join(chosen) for chosen in itertools.product(*choices)}
    return told


def test_the_source_is_searched_for_codes() -> None:
    assert len(raised()) > 150


@pytest.mark.parametrize("code", sorted(raised() - KNOWN - OWN))
def test_a_code_that_nothing_shows_is_said_to_be_a_guess(code: str) -> None:
    by_family = code.startswith(IN_ONE_WORD) or code in RECORD_SETS | {one.code for one in QUOTAS.values()}
    assert by_family or code in guessed()
