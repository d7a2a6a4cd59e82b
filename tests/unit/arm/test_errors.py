"""Azure's errors: every code that is known has its class, and the most telling code is found wherever Azure puts it."""

import pytest

from bastion_operator.arm.error_classes import HANDLING, ErrorClass
from bastion_operator.arm.error_codes import CODES, WRAPPERS, Place, classify
from bastion_operator.arm.errors import CredentialHolder, error_from_body, operation_failure, token_error
from bastion_operator.arm.next_steps import next_step

# What to do about each code, as Microsoft documents it or recorded traffic shows it.
CLASSES = {
    ErrorClass.CONTENTION: "AnotherOperationInProgress RetryableErrorDueToAnotherOperation RetryableError "
    "ReferencedResourceNotProvisioned CanceledAndSupersededDueToAnotherOperation ConflictingConcurrentWriteNotAllowed",
    ErrorClass.THROTTLED: "TooManyRequests SubscriptionRequestsThrottled ResourceRequestsThrottled RateLimiting",
    ErrorClass.TRANSIENT: "GatewayAllocationFailed",
    ErrorClass.OTHER_ACT: "RemotePeeringIsDisconnected",
    ErrorClass.REFUSED: "VnetAddressSpacesOverlap VnetAddressSpaceOverlapsWithAlreadyPeeredVnet RemoteVnetHasNoGateways "
    "AnotherPeeringAlreadyReferencesRemoteVnet SubnetNameMustBeAzureBastionSubnet BastionUpdateNotSupported "
    "NetworkSecurityGroupNotCompliantForAzureBastionSubnet FeatureNotSupportedForDeveloperBastionSku QuotaExceeded "
    "PublicIPSkuMismatch InvalidResourceReference SecurityRuleConflict SkuNotAvailable AllocationFailed",
    ErrorClass.DELETE_ORDER: "InUseSubnetCannotBeDeleted PublicIPAddressCannotBeDeleted "
    "InUseNetworkSecurityGroupCannotBeDeleted",
    ErrorClass.DENIED: "AuthorizationFailed LinkedAuthorizationFailed RequestDisallowedByPolicy ScopeLocked "
    "ReadOnlyDisabledSubscription SubscriptionNotFound ResourceGroupNotFound MissingSubscriptionRegistration "
    "SubscriptionNotRegistered",
}
BY_CODE = [(code, error_class) for error_class, codes in CLASSES.items() for code in codes.split()]


@pytest.mark.parametrize(("code", "error_class"), BY_CODE)
def test_every_known_code_has_its_class_whatever_the_status_and_case(code: str, error_class: ErrorClass) -> None:
    assert CODES[code].error_class is error_class
    for status in (200, 400, 409, 429, 500):
        assert classify(code.upper(), status) is error_class


@pytest.mark.parametrize(
    ("status", "error_class"),
    [
        (400, ErrorClass.REFUSED),
        (401, ErrorClass.CREDENTIAL),
        (403, ErrorClass.DENIED),
        (404, ErrorClass.OTHER_ACT),
        (410, ErrorClass.OTHER_ACT),
        (408, ErrorClass.TRANSIENT),
        (409, ErrorClass.REFUSED),
        (412, ErrorClass.CONTENTION),
        (429, ErrorClass.THROTTLED),
        (500, ErrorClass.TRANSIENT),
        (502, ErrorClass.TRANSIENT),
        (504, ErrorClass.TRANSIENT),
    ],
)
def test_an_unknown_code_is_judged_by_its_status(status: int, error_class: ErrorClass) -> None:
    assert classify("NeverHeardOf", status) is error_class


def test_the_code_inside_a_wrapper_says_what_happened() -> None:
    body = {
        "error": {
            "code": "BadRequest",
            "message": "see details",
            "details": [{"code": "QuotaExceeded", "message": "10"}],
        }
    }
    error = error_from_body(body, status=400, target="/x")
    assert (error.code, error.message) == ("QuotaExceeded", "10")


def test_a_known_code_inside_goes_before_an_unknown_one_outside() -> None:
    body = {"error": {"code": "PublicIPCountLimitReached", "message": "m", "details": [{"code": "Whatever"}]}}
    assert error_from_body(body, status=400, target="/x").code == "PublicIPCountLimitReached"


@pytest.mark.parametrize("body", [None, [], "<html>", {}, {"error": "text"}, {"error": {"details": "none"}}])
def test_a_body_of_another_shape_keeps_the_status(body: object) -> None:
    error = error_from_body(body, status=502, target="/x")
    assert (error.code, error.error_class) == ("HttpStatus502", ErrorClass.TRANSIENT)


def test_an_operation_that_ended_without_an_error_body_says_how_it_ended() -> None:
    failure = operation_failure({"status": "Canceled"}, target="/x", correlation_id=None)
    assert (failure.code, failure.status) == ("OperationCanceled", 200)


def test_an_operation_that_gave_way_to_another_is_contention() -> None:
    details = [{"code": "CanceledAndSupersededDueToAnotherOperation", "message": "m"}]
    body = {"status": "Canceled", "error": {"code": "Canceled", "message": "c", "details": details}}
    failure = operation_failure(body, target="/x", correlation_id=None)
    assert failure.error_class is ErrorClass.CONTENTION


@pytest.mark.parametrize("status", [400, 409, 429])
@pytest.mark.parametrize("outer", sorted(WRAPPERS))
def test_contention_inside_any_wrapper_is_contention(outer: str, status: int) -> None:
    deep = {"code": "Deep", "details": [{"code": "ReferencedResourceNotProvisioned", "message": "not yet"}]}
    body = {"error": {"code": outer, "message": "see details", "details": [deep]}}
    error = error_from_body(body, status=status, target="/x")
    assert (error.code, error.message, error.error_class) == (
        "ReferencedResourceNotProvisioned",
        "not yet",
        ErrorClass.CONTENTION,
    )


def test_every_code_of_an_operation_that_gave_way_is_contention() -> None:
    assert classify("CanceledAndSupersededDueToSomethingNew", 200) is ErrorClass.CONTENTION


@pytest.mark.parametrize("code", ["ResourceNotFound", "NotFound", "ParentResourceNotFound", "ResourceGroupNotFound"])
def test_absence_is_what_azure_says_with_a_404_and_nothing_else(code: str) -> None:
    body = {"error": {"code": code, "message": "m"}}
    assert error_from_body(body, status=404, target="/x").absent
    assert not error_from_body(body, status=409, target="/x").absent


@pytest.mark.parametrize("body", [None, {"error": {"code": "SubscriptionNotFound", "message": "m"}}])
def test_a_404_of_a_proxy_or_of_a_subscription_is_no_absence(body: object) -> None:
    assert not error_from_body(body, status=404, target="/x").absent


HOLDER = CredentialHolder("AzureIdentity prod", "Secret azure in namespace ops, key clientSecret")
CLIENT = "The client 'c' with object id 'o'"
NEXT_STEPS = [
    (
        "AuthorizationFailed",
        (
            f"{CLIENT} does not have authorization to perform action 'Microsoft.Network/bastionHosts/write' over scope "
            "'/subscriptions/s/resourceGroups/g' or the scope is invalid."
        ),
        (
            "grant AzureIdentity prod a role with the action Microsoft.Network/bastionHosts/write at "
            "/subscriptions/s/resourceGroups/g"
        ),
    ),
    (
        "LinkedAuthorizationFailed",
        (
            f"{CLIENT} has permission to perform action 'Microsoft.Network/virtualNetworks/virtualNetworkPeerings/write' on "
            "scope '/a'; however, it does not have permission to perform action(s) "
            "'Microsoft.Network/virtualNetworks/peer/action' on the linked scope(s) '/b' (respectively) or the linked scope(s) "
            "are invalid."
        ),
        "grant AzureIdentity prod a role with the action Microsoft.Network/virtualNetworks/peer/action at /b",
    ),
    (
        "LinkedAuthorizationFailed",
        (
            f"{CLIENT} has permission to perform action 'Microsoft.Network/virtualNetworks/virtualNetworkPeerings/write' on "
            "scope '/a'; however, the current tenant 't' is not authorized to access linked subscription 's'."
        ),
        "grant AzureIdentity prod a role with the action Microsoft.Network/virtualNetworks/peer/action at /subscriptions/s",
    ),
    (
        "ScopeLocked",
        "The scope '/a/b' cannot perform write operation because following scope(s) are locked: '/a'. Please remove it.",
        "remove the lock at /a (`az lock list`), at least for as long as the change takes",
    ),
    (
        "RequestDisallowedByPolicy",
        """Resource 'x' was disallowed by policy. Policy identifiers: '[{"policyAssignment":{"name":"No links","id":"/p"}}]'.""",
        "exempt the scope from policy assignment No links, or let the spec comply with it",
    ),
    (
        "MissingSubscriptionRegistration",
        "The subscription is not registered to use namespace 'Microsoft.Network'. See https://aka.ms/rps-not-found",
        "`az provider register --namespace Microsoft.Network`",
    ),
    (
        "ResourceGroupNotFound",
        "Resource group 'net' could not be found.",
        "create resource group net, or name another one in the spec",
    ),
    (
        "SubscriptionNotFound",
        "The subscription 's' could not be found.",
        "correct the id of subscription s, or grant AzureIdentity prod Reader there",
    ),
]


@pytest.mark.parametrize(("code", "message", "expected"), NEXT_STEPS)
def test_the_next_step_names_what_azures_message_names(code: str, message: str, expected: str) -> None:
    assert next_step(code, {"message": message}, HOLDER) == expected


def test_the_policy_is_named_from_the_additional_information() -> None:
    info = {"policyAssignmentDisplayName": "Deny peerings", "policyAssignmentScope": "/subscriptions/s"}
    error = {"message": "m", "additionalInfo": [{"type": "PolicyViolation", "info": info}, {"type": "Other"}, "text"]}
    step = next_step("RequestDisallowedByPolicy", error, HOLDER)
    assert "policy assignment Deny peerings at /subscriptions/s" in step


@pytest.mark.parametrize("code", sorted(CODES))
def test_a_message_that_tells_nothing_leaves_a_sentence_without_gaps(code: str) -> None:
    step = next_step(code, {"message": "Something else."}, CredentialHolder())
    assert "{" not in step
    assert "None" not in step


@pytest.mark.parametrize("code", [each.name for each in CODES.values() if HANDLING[each.error_class].blocking])
def test_whoever_must_act_is_told_how(code: str) -> None:
    assert next_step(code, {"message": ""}, HOLDER)


def test_a_token_error_names_the_identity_and_its_secret_by_entras_number() -> None:
    text = (
        "Authentication failed: AADSTS7000222: The provided client secret keys for app 'c' are expired. Trace ID: 1 x"
    )
    error = token_error(text, status=401, target="/x", holder=HOLDER)
    assert (error.code, error.error_class) == ("AADSTS7000222", ErrorClass.CREDENTIAL)
    assert error.message.startswith("AzureIdentity prod gets no token: ")
    assert "Trace" not in error.message
    assert "Secret azure in namespace ops, key clientSecret" in error.next_step
    assert error.handling.reason == "CredentialUnavailable"


@pytest.mark.parametrize("code", ["AADSTS700212", "AADSTS7002121", "AADSTS700213", "AADSTS7002138"])
def test_every_form_of_a_federated_credential_that_does_not_fit_has_its_next_step(code: str) -> None:
    error = token_error(f"{code}: No matching federated identity record found.", status=401, target="/x", holder=HOLDER)
    assert error.code == code[: len("AADSTS700212")]
    assert code in error.message
    assert error.next_step.startswith("add a federated credential to the app")


@pytest.mark.parametrize(
    ("text", "status", "expected"),
    [
        ("busy", 503, ("EntraUnavailable", ErrorClass.TRANSIENT)),
        ("busy", 429, ("EntraUnavailable", ErrorClass.TRANSIENT)),
        ("AADSTS90033: A transient error.", 400, ("AADSTS90033", ErrorClass.TRANSIENT)),
        ("AADSTS99999: Never heard of.", 400, ("AADSTS99999", ErrorClass.CREDENTIAL)),
        ("", 0, ("CredentialUnavailable", ErrorClass.CREDENTIAL)),
    ],
)
def test_an_entra_that_is_ill_says_nothing_of_the_identity(
    text: str, status: int, expected: tuple[str, ErrorClass]
) -> None:
    error = token_error(text, status=status, target="/x", holder=HOLDER)
    assert (error.code, error.error_class) == expected


def test_signed_urls_do_not_get_into_messages() -> None:
    url = "https://management.azure.com/subscriptions/s/providers/Microsoft.Network/locations/w/operations/0a-1b?t=1&s=xyz"
    message = f"In progress. To retrieve status of the operation use uri: {url}. See https://aka.ms/x?y=z for more."
    error = error_from_body(
        {"error": {"code": "AnotherOperationInProgress", "message": message}}, status=409, target="/x"
    )
    assert "operation 0a-1b" in error.message
    assert "xyz" not in error.message
    assert "y=z" not in error.message
    assert "https://aka.ms/x for more." in error.message


def test_every_place_has_codes() -> None:
    assert {place for code in CODES.values() for place in code.places} == set(Place)
