"""What stands between a permitted write and the resource provider: subscription state, locks, registration, policies."""

from collections.abc import Callable
from http import HTTPStatus

from arm_emulator import policies, registration, rendering
from arm_emulator.ancestry import levels
from arm_emulator.cloud import Cloud
from arm_emulator.errors import ArmError, Json, conflict
from arm_emulator.ids import GROUP_TYPE, SUBSCRIPTION_TYPE, ResourceId
from arm_emulator.life_cycle import merged
from arm_emulator.resource_types import type_of
from arm_emulator.resource_types.locks import LOCKS

READS = ("GET", "HEAD")
READ_ONLY_STATES = ("Disabled", "Warned", "Expired", "Deleted")


class Gate:
    """Lets writes through, or refuses them as ARM does before it asks a provider."""

    def __init__(self, cloud: Cloud) -> None:
        """The cloud whose locks, policies and subscriptions count."""
        self._cloud = cloud

    def check(self, method: str, resource_id: ResourceId, read: Callable[[], Json | None]) -> None:
        """Raises ReadOnlyDisabledSubscription, ScopeLocked, MissingSubscriptionRegistration or RequestDisallowedByPolicy.

        `read` tells the body of a PUT or PATCH; None where there is none or it cannot be read.
        """
        if method in READS:
            return
        self.check_state(method, resource_id)
        self.check_locks(method, resource_id)
        if method == "PUT":
            self._check_registration(resource_id)
        if method in ("PUT", "PATCH") and policies.any_assigned(self._cloud):
            body = read()
            if body is not None:
                self.check_policies(resource_id, body, whole=method == "PUT")

    def check_state(self, method: str, resource_id: ResourceId) -> None:
        """Raises ReadOnlyDisabledSubscription (409): such a subscription is read and deleted from only.

        Rule: the ARM resource provider contract, subscription states.
        """
        subscription = self._cloud.store.get(f"/subscriptions/{resource_id.subscription}".lower())
        if subscription is None or method == "DELETE":
            return
        if subscription.properties.get("state", "Enabled") in READ_ONLY_STATES:
            raise conflict(
                "ReadOnlyDisabledSubscription",
                f"The subscription '{resource_id.subscription}' is disabled and therefore marked as read only. You cannot "
                "perform any write actions on this subscription until it is re-enabled.",
            )

    def check_locks(self, method: str, resource_id: ResourceId) -> None:
        """Raises ScopeLocked (409): of locks at a scope and above it, and for a deletion of those below it too.

        Rule: https://learn.microsoft.com/azure/azure-resource-manager/management/lock-resources
        """
        locks = self._cloud.store.listed("/", LOCKS)
        if not locks or resource_id.type == LOCKS:
            return
        key = resource_id.key
        here = set(levels(self._cloud.store, key))
        deletes = method == "DELETE"
        found = [
            lock.id.scope
            for lock in locks
            if (lock.id.scope.lower() in here or (deletes and lock.id.scope.lower().startswith(f"{key}/")))
            and (deletes or lock.properties.get("level") == "ReadOnly")
        ]
        if found:
            raise conflict(
                "ScopeLocked",
                f"The scope '{resource_id}' cannot perform {'delete' if deletes else 'write'} operation because following "
                f"scope(s) are locked: '{', '.join(dict.fromkeys(found))}'. Please remove the lock and try again.",
            )

    def _check_registration(self, resource_id: ResourceId) -> None:
        subscription = self._cloud.store.get(f"/subscriptions/{resource_id.subscription}".lower())
        if subscription is not None and resource_id.type not in (GROUP_TYPE, SUBSCRIPTION_TYPE):
            registration.check(self._cloud, subscription, resource_id.type.partition("/")[0])

    def check_policies(self, resource_id: ResourceId, body: Json, *, whole: bool) -> None:
        """Raises RequestDisallowedByPolicy (403); a body that is not whole is merged into what stands first."""
        if resource_id.type in policies.OWN_TYPES:
            return
        old = self._cloud.store.get(resource_id.key)
        wanted = body if whole or old is None else merged(rendering.answered(self._cloud, old), body)
        indexed = type_of(resource_id.type).tracked and resource_id.type != GROUP_TYPE
        violations = policies.violations(self._cloud, resource_id, wanted, indexed=indexed)
        if violations:
            raise refused(resource_id, violations)


def refused(resource_id: ResourceId, violations: list[policies.Violation]) -> ArmError:
    """RequestDisallowedByPolicy (403), with what each policy found.

    Shape: https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-policy-requestdisallowedbypolicy
    """
    named = [one.identifiers() for one in violations]
    reasons = [one.message for one in violations if one.message]
    text = policies.compact(named)
    message = (
        f"Resource '{resource_id.name}' was disallowed by policy. Reasons: '{'; '.join(reasons)}'. See error details for "
        "policy resource IDs."
        if reasons
        else f"Resource '{resource_id.name}' was disallowed by policy. Policy identifiers: '{text}'."
    )
    return ArmError(
        HTTPStatus.FORBIDDEN,
        "RequestDisallowedByPolicy",
        message,
        target=resource_id.name,
        additional_info=[{"type": "PolicyViolation", "info": one.info()} for one in violations],
    )
