"""The error codes of Resource Manager, Microsoft.Network, Resource Graph and Entra: each with its class and next step.

Sources: recorded traffic, Microsoft's pages on common deployment errors
(https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors), on errors of
Resource Graph (https://learn.microsoft.com/azure/governance/resource-graph/troubleshoot/general) and of Entra
(https://learn.microsoft.com/entra/identity-platform/reference-error-codes), for a token that is asked for too often
https://learn.microsoft.com/entra/identity-platform/reference-breaking-changes. The numbers for a federated credential that
does not fit stand on neither page: 700211 (issuer), 700212 (audience) and 700213 (subject) are users' reports, such as
https://github.com/Azure/azure-workload-identity/issues/1200; so are 70025 (the app has none), 7000272 and 50013 (the key or its
signature) and 90061 (the issuer's documents cannot be had). A gateway's 408 and 502 have no code of Azure's: their status
tells.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from bastion_operator.arm.error_classes import CLASS_OF_STATUS, HANDLING, ErrorClass, Handling


class Place(StrEnum):
    """Where an error can come from."""

    PUT = "PUT"
    GET = "GET"
    DELETE = "DELETE"
    OPERATION = "operation"
    GRAPH = "graph"
    TOKEN = "token"  # noqa: S105 - the name of a place


_WRITES = frozenset({Place.PUT, Place.DELETE, Place.OPERATION})
_CREATES = frozenset({Place.PUT, Place.OPERATION})
_DELETES = frozenset({Place.DELETE, Place.OPERATION})
_CALLS = frozenset({Place.PUT, Place.GET, Place.DELETE})
_ARM = _CALLS | {Place.OPERATION}
_PUT = frozenset({Place.PUT})
_GRAPH = frozenset({Place.GRAPH})
_TOKEN = frozenset({Place.TOKEN})


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """One code.

    :ivar status: the HTTP status that it comes with; in an operation it is told in an answer of 200
    :ivar next_step: what a person can do, with the names of facts in braces that Azure's message gives
        (:mod:`~bastion_operator.arm.next_steps`); empty where only time helps
    :ivar shortest: seconds, where the class' own do not fit this code; ``longest`` likewise
    :ivar absent: on a GET or DELETE it says that the resource is not there
    """

    name: str
    error_class: ErrorClass
    status: int
    places: frozenset[Place]
    next_step: str = ""
    shortest: float | None = None
    longest: float | None = None
    absent: bool = False

    @property
    def handling(self) -> Handling:
        """What follows from this code."""
        common = HANDLING[self.error_class]
        return replace(
            common,
            shortest=common.shortest if self.shortest is None else self.shortest,
            longest=common.longest if self.longest is None else self.longest,
        )


_BUSY = "if it lasts, look in the activity log of the resource for what keeps it busy"
_GRANT = "grant {identity} a role with the action {action} at {scope}"
_FREE = "delete or detach what still uses it; with deletionPolicy: Retain the custom resource goes and Azure stays"
_PREFIXES = "correct the address prefixes of one of the two virtual networks, or take the spoke off the spec"
_CAPACITY = "try another zone or region, or wait: capacity comes back in hours, or not"
_QUOTA = "delete what is not needed, or ask for a higher quota under Usage + quotas of the subscription"
_GATEWAYS = "correct useRemoteGateways and allowGatewayTransit in the spec, or make the gateway first"
_SPEC = "correct the field in the spec"
_REPORT = "report it: the operator has sent a request that Azure does not understand"
_SECRET = "put a valid one into {secret}"  # noqa: S105 - advice, no secret
_FEDERATION = (
    "add a federated credential to the app with the issuer, subject and audience of the operator's service account"
)
_PUBLISH = (
    "let Entra fetch, from the issuer of the cluster's service account tokens, /.well-known/openid-configuration and the keys "
    "that sign them now"
)
_C, _T, _I, _O, _R, _X, _D, _E = (
    ErrorClass.CONTENTION,
    ErrorClass.THROTTLED,
    ErrorClass.TRANSIENT,
    ErrorClass.OTHER_ACT,
    ErrorClass.REFUSED,
    ErrorClass.DELETE_ORDER,
    ErrorClass.DENIED,
    ErrorClass.CREDENTIAL,
)

_ROWS = (
    ErrorCode("AnotherOperationInProgress", _C, 409, _WRITES, _BUSY),
    ErrorCode("RetryableErrorDueToAnotherOperation", _C, 429, _WRITES, _BUSY),
    ErrorCode("RetryableError", _C, 429, _WRITES, _BUSY),
    ErrorCode("ReferencedResourceNotProvisioned", _C, 400, _CREATES, _BUSY),
    ErrorCode("CanceledAndSupersededDueToAnotherOperation", _C, 409, frozenset({Place.OPERATION}), _BUSY),
    ErrorCode("ConflictingConcurrentWriteNotAllowed", _C, 409, _WRITES, _BUSY),
    ErrorCode("PreconditionFailed", _C, 412, frozenset({Place.PUT, Place.DELETE}), _BUSY),
    ErrorCode("OperationNotAllowedOnResourceInTransition", _C, 409, _WRITES, _BUSY),
    ErrorCode("TooManyRequests", _T, 429, _ARM),
    ErrorCode("SubscriptionRequestsThrottled", _T, 429, _ARM),
    ErrorCode("ResourceRequestsThrottled", _T, 429, _ARM),
    ErrorCode("OperationNotAllowedDueToThrottling", _T, 429, _WRITES),
    ErrorCode("RateLimiting", _T, 429, _GRAPH),
    ErrorCode("InternalServerError", _I, 500, _ARM | _GRAPH),
    ErrorCode("ServerTimeout", _I, 503, _ARM),
    ErrorCode("GatewayTimeout", _I, 504, _ARM | _GRAPH),
    ErrorCode("ServiceUnavailable", _I, 503, _ARM | _GRAPH),
    # A gateway takes most of an hour to be allocated; fast retries only prolong it.
    ErrorCode("GatewayAllocationFailed", _I, 500, _CREATES, _CAPACITY, shortest=120.0, longest=1800.0),
    ErrorCode("RemotePeeringIsDisconnected", _O, 400, _CREATES),
    ErrorCode("ResourceNotFound", _O, 404, _CALLS, absent=True),
    ErrorCode("NotFound", _O, 404, _CALLS, absent=True),
    ErrorCode("ParentResourceNotFound", _O, 404, _CALLS, absent=True),
    ErrorCode("OperationNotFound", _O, 404, frozenset()),
    ErrorCode("VnetAddressSpacesOverlap", _R, 400, _CREATES, _PREFIXES),
    ErrorCode("VnetAddressSpaceOverlapsWithAlreadyPeeredVnet", _R, 400, _CREATES, _PREFIXES),
    ErrorCode("RemoteVnetHasNoGateways", _R, 400, _CREATES, _GATEWAYS),
    ErrorCode("AnotherPeeringUsesRemoteGateways", _R, 400, _CREATES, _GATEWAYS),
    ErrorCode("RemotePeeringDoesNotAllowGatewayTransit", _R, 400, _CREATES, _GATEWAYS),
    ErrorCode("VnetHasGatewaysAndUsesRemoteGateways", _R, 400, _CREATES, _GATEWAYS),
    ErrorCode("RemotePeeringUsesRemoteGateways", _R, 400, _CREATES | {Place.DELETE}, _GATEWAYS),
    ErrorCode(
        "AnotherPeeringAlreadyReferencesRemoteVnet",
        _R,
        400,
        _CREATES,
        "delete the other peering between the two virtual networks, or adopt it with adoptionPolicy: IfUnmanaged",
    ),
    ErrorCode("VirtualNetworkPeeringCountLimitReached", _R, 400, _CREATES, "take spokes off the hub: Azure allows 500"),
    ErrorCode("SubnetNameMustBeAzureBastionSubnet", _R, 400, _CREATES, _REPORT),
    ErrorCode(
        "NetworkSecurityGroupNotCompliantForAzureBastionSubnet",
        _R,
        400,
        _CREATES,
        "add the rules that Bastion needs to the NSG, or set networkSecurity.subnet to Enforce",
    ),
    ErrorCode("BastionHostSubnetMustBeDedicated", _R, 400, _CREATES, "move everything but Bastion out of the subnet"),
    ErrorCode("BastionHostSubnetSizeNotSupported", _R, 400, _CREATES, "make AzureBastionSubnet /26 or larger"),
    ErrorCode("BastionHostSubnetCannotBeDelegated", _R, 400, _CREATES, "take the delegation off AzureBastionSubnet"),
    ErrorCode("RouteTableCannotBeAttachedForAzureBastionSubnet", _R, 400, _CREATES, "detach the subnet's route table"),
    ErrorCode("NetcfgInvalidSubnet", _R, 400, _CREATES, "choose a subnetPrefix inside the network's address space"),
    ErrorCode("NetcfgSubnetRangesOverlap", _R, 400, _CREATES, "choose a subnetPrefix that no other subnet uses"),
    ErrorCode(
        "FeatureNotSupportedForDeveloperBastionSku", _R, 400, _CREATES, "take the feature off, or choose a larger sku"
    ),
    ErrorCode("InvalidBastionHostSku", _R, 400, _CREATES, "choose another sku: Azure cannot downgrade a Bastion"),
    ErrorCode("InvalidBastionHostScaleUnits", _R, 400, _CREATES, "choose scaleUnits that the sku allows"),
    ErrorCode("BastionUpdateNotSupported", _R, 400, _CREATES, "undo the change, or delete the host and make it anew"),
    ErrorCode(
        "PropertyChangeNotAllowed", _R, 409, _CREATES, "undo the change, or delete the resource and make it anew"
    ),
    ErrorCode("ResourceAvailabilityZonesCannotBeModified", _R, 400, _CREATES, "undo the change of zones"),
    ErrorCode("PublicIPSkuMismatch", _R, 400, _CREATES, "let publicIP name a static address of SKU Standard"),
    ErrorCode("InvalidPublicIPAddressSku", _R, 400, _CREATES, "let publicIP name a static address of SKU Standard"),
    ErrorCode("PublicIPAddressInUse", _R, 400, _CREATES, "let publicIP name an address that nothing else uses"),
    ErrorCode(
        "InvalidResourceReference", _R, 400, _CREATES, "make the resource that the message names, in the same region"
    ),
    ErrorCode("SecurityRuleConflict", _R, 400, _CREATES, "free the priority, or change one of the two rules"),
    ErrorCode(
        "NetworkSecurityGroupMaxRulesExceeded", _R, 400, _CREATES, "remove rules from the NSG: Azure allows 1,000"
    ),
    ErrorCode("QuotaExceeded", _R, 409, _CREATES, _QUOTA),
    ErrorCode("PublicIPCountLimitReached", _R, 400, _CREATES, _QUOTA),
    ErrorCode("SkuNotAvailable", _R, 409, _CREATES, "choose another region, zone or sku"),
    ErrorCode("AllocationFailed", _R, 409, _CREATES, _CAPACITY),
    ErrorCode("ZonalAllocationFailed", _R, 409, _CREATES, _CAPACITY),
    ErrorCode("OutOfCapacity", _R, 409, _CREATES, _CAPACITY),
    ErrorCode("OperationNotAllowed", _R, 409, _WRITES, "do what the message says, or undo the change of the spec"),
    ErrorCode("InvalidRequestFormat", _R, 400, _PUT, _SPEC),
    ErrorCode("InvalidRequestContent", _R, 400, _PUT, _SPEC),
    ErrorCode("InvalidParameter", _R, 400, _PUT, _SPEC),
    ErrorCode("InvalidResourceName", _R, 400, _PUT, "choose another name"),
    ErrorCode(
        "InvalidResourceLocation", _R, 409, _PUT, "delete what has this name in the other region, or choose another"
    ),
    ErrorCode("LocationNotAvailableForResourceType", _R, 400, _PUT, "choose a region that has this type of resource"),
    ErrorCode("NoRegisteredProviderFound", _R, 400, _CALLS, _REPORT),
    ErrorCode("InvalidApiVersionParameter", _R, 400, _CALLS, _REPORT),
    ErrorCode("ResourceGroupBeingDeleted", _R, 409, _PUT, "wait until the resource group is gone, and make it again"),
    ErrorCode("InvalidQuery", _R, 400, _GRAPH, _REPORT),
    ErrorCode("ParserFailure", _R, 400, _GRAPH, _REPORT),
    ErrorCode("DisallowedMaxNumberOfRemoteTables", _R, 400, _GRAPH, _REPORT),
    ErrorCode("ResponsePayloadTooLarge", ErrorClass.TOO_LARGE, 400, _GRAPH),
    ErrorCode("InUseSubnetCannotBeDeleted", _X, 400, _DELETES, _FREE),
    ErrorCode("PublicIPAddressCannotBeDeleted", _X, 400, _DELETES, _FREE),
    ErrorCode("InUseNetworkSecurityGroupCannotBeDeleted", _X, 400, _DELETES, _FREE),
    ErrorCode("InUseVirtualNetworkCannotBeDeleted", _X, 400, _DELETES, _FREE),
    ErrorCode("InUseRouteTableCannotBeDeleted", _X, 400, _DELETES, _FREE),
    ErrorCode("CannotDeleteResource", _X, 409, _DELETES, _FREE),
    ErrorCode("AuthorizationFailed", _D, 403, _CALLS | _GRAPH, _GRANT),
    ErrorCode("LinkedAuthorizationFailed", _D, 403, frozenset({Place.PUT, Place.DELETE}), _GRANT),
    ErrorCode(
        "RequestDisallowedByPolicy", _D, 403, _PUT, "exempt the scope from {policies}, or let the spec comply with it"
    ),
    ErrorCode(
        "ScopeLocked",
        _D,
        409,
        frozenset({Place.PUT, Place.DELETE}),
        "remove {locks}, at least for as long as the change takes",
    ),
    ErrorCode(
        "ReadOnlyDisabledSubscription", _D, 409, frozenset({Place.PUT, Place.DELETE}), "enable {subscription} again"
    ),
    ErrorCode(
        "SubscriptionNotFound", _D, 404, _CALLS, "correct the id of {subscription}, or grant {identity} Reader there"
    ),
    ErrorCode(
        "InvalidSubscriptionId", _D, 400, _CALLS, "correct the id of {subscription}, or grant {identity} Reader there"
    ),
    ErrorCode("ResourceGroupNotFound", _D, 404, _CALLS, "create {group}, or name another one in the spec", absent=True),
    ErrorCode("MissingSubscriptionRegistration", _D, 409, _PUT, "`az provider register --namespace {namespace}`"),
    ErrorCode("SubscriptionNotRegistered", _D, 409, _PUT, "`az provider register --namespace {namespace}`"),
    ErrorCode("InvalidAuthenticationToken", _E, 401, _CALLS | _GRAPH, "check {identity} and {secret}"),
    ErrorCode("InvalidAuthenticationTokenTenant", _E, 401, _CALLS, "correct spec.tenantID of {identity}"),
    ErrorCode("ExpiredAuthenticationToken", _E, 401, _CALLS | _GRAPH, "check the clock of the operator's machine"),
    ErrorCode("AuthenticationFailed", _E, 401, _CALLS | _GRAPH, "check {identity} and {secret}"),
    ErrorCode("AADSTS7000215", _E, 401, _TOKEN, f"the client secret is wrong (is it the secret's id?): {_SECRET}"),
    ErrorCode("AADSTS7000222", _E, 401, _TOKEN, f"the client secret has expired: make a new one and {_SECRET}"),
    ErrorCode("AADSTS700027", _E, 401, _TOKEN, "add the certificate to the app, or the app's certificate to {secret}"),
    ErrorCode("AADSTS700016", _E, 400, _TOKEN, "correct spec.clientID and spec.tenantID of {identity}"),
    ErrorCode("AADSTS7000112", _E, 400, _TOKEN, "enable the app of {identity} again"),
    ErrorCode("AADSTS7000229", _E, 401, _TOKEN, "create the app's service principal in the tenant (`az ad sp create`)"),
    ErrorCode("AADSTS90002", _E, 400, _TOKEN, "correct spec.tenantID of {identity}"),
    ErrorCode("AADSTS500011", _E, 400, _TOKEN, "correct AZURE_RESOURCE_MANAGER_ENDPOINT: the tenant does not know it"),
    ErrorCode("AADSTS53003", _E, 400, _TOKEN, "let Conditional Access pass the workload identity of {identity}"),
    ErrorCode(
        "AADSTS700024", _E, 401, _TOKEN, "check the clock of the operator's machine, and that {secret} is renewed"
    ),
    ErrorCode("AADSTS70021", _E, 400, _TOKEN, _FEDERATION),
    ErrorCode("AADSTS700211", _E, 400, _TOKEN, _FEDERATION),
    ErrorCode("AADSTS700212", _E, 400, _TOKEN, _FEDERATION),
    ErrorCode("AADSTS700213", _E, 400, _TOKEN, _FEDERATION),
    ErrorCode("AADSTS70025", _E, 401, _TOKEN, _FEDERATION),
    ErrorCode("AADSTS7000272", _E, 401, _TOKEN, _PUBLISH),
    ErrorCode("AADSTS50013", _E, 401, _TOKEN, _PUBLISH),
    ErrorCode("AADSTS90061", _E, 400, _TOKEN, _PUBLISH),
    ErrorCode("AADSTS90033", _I, 503, _TOKEN),
    ErrorCode("AADSTS50196", _T, 400, _TOKEN, "many requests for one token: is {identity} used by another program?"),
    # Ours: no answer of Azure's, or none that can be used.
    ErrorCode("ConnectionFailed", _I, 0, frozenset(), "check the network, the proxy and SSL_CERT_FILE"),
    ErrorCode("EntraUnavailable", _I, 503, frozenset()),
    ErrorCode("CredentialUnavailable", _E, 0, frozenset(), "check {identity} and {secret}"),
    ErrorCode(
        "SubscriptionNotAllowed", _D, 0, frozenset(), "add the subscription to spec.allowedSubscriptions of {identity}"
    ),
)

CODES: Mapping[str, ErrorCode] = {row.name: row for row in _ROWS}
# Azure spells some codes in more than one case.
_BY_LOWER_NAME = {row.name.lower(): row for row in _ROWS}

WRAPPERS = frozenset(
    {
        "badrequest",
        "canceled",
        "conflict",
        "deploymentfailed",
        "failed",
        "invalidoperation",
        "operationnotallowed",
        "resourcedeploymentfailure",
        "resourceoperationfailure",
    }
)
"""Codes that only wrap another, in lower case; where there is one inside, it says what happened."""

# Codes that Azure writes in several forms, by how all of them begin: an operation that gave way; a federated credential
# whose audience or subject does not fit, where one more digit tells of the form (7002138: only the case differs).
_FAMILIES = (
    ("canceledandsuperseded", "CanceledAndSupersededDueToAnotherOperation"),
    ("aadsts700212", "AADSTS700212"),
    ("aadsts700213", "AADSTS700213"),
)
_SERVER_ERROR = 500


def known_code(code: str) -> ErrorCode | None:
    """The row of a code, in any case; None for one that is not in the table."""
    lower = code.lower()
    family = next((name for start, name in _FAMILIES if lower.startswith(start)), None)
    return CODES[family] if family is not None else _BY_LOWER_NAME.get(lower)


def classify(code: str, status: int) -> ErrorClass:
    """The class of a code; of an unknown one, what its HTTP status suggests."""
    known = known_code(code)
    if known is not None:
        return known.error_class
    if status >= _SERVER_ERROR:
        return ErrorClass.TRANSIENT
    return CLASS_OF_STATUS.get(status, ErrorClass.REFUSED)
