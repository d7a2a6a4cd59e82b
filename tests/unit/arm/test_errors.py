"""Azure's errors: every code that is known has its class, and the most telling code is found wherever Azure puts it."""

import pytest

from bastion_operator.arm.errors import CLASS_OF_CODE, ErrorClass, classify, error_from_body, operation_failure

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
    assert CLASS_OF_CODE[code] is error_class
    for status in (200, 400, 409, 429, 500):
        assert classify(code.upper(), status) is error_class


@pytest.mark.parametrize(
    ("status", "error_class"),
    [
        (400, ErrorClass.REFUSED),
        (401, ErrorClass.CREDENTIAL),
        (403, ErrorClass.DENIED),
        (404, ErrorClass.REFUSED),
        (408, ErrorClass.TRANSIENT),
        (409, ErrorClass.REFUSED),
        (412, ErrorClass.CONTENTION),
        (429, ErrorClass.THROTTLED),
        (500, ErrorClass.TRANSIENT),
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
