"""Whether a custom resource may act as the identity that it names, on the things that it names.

All of it is answered without one Azure call: a namespace that may not use an identity learns nothing through it.
"""

from collections.abc import Iterable, Mapping

from bastion_operator.api.azure_identity import AllowedNamespaces
from bastion_operator.api.conditions import Reason
from bastion_operator.kube.selectors import namespace_allowed
from bastion_operator.network.arm_id import ArmIdError, parse_arm_id
from bastion_operator.planning.conditions import Refusal
from bastion_operator.planning.ownership import id_key
from bastion_operator.reconcile.keys import Key
from bastion_operator.reconcile.object_store import Raw, seniority


def refuse_namespace(
    identity: str, allowed: AllowedNamespaces | None, namespace: str, labels: Mapping[str, str]
) -> Refusal | None:
    """The refusal if the identity is not for this namespace."""
    if namespace_allowed(allowed, namespace, labels):
        return None
    return Refusal(
        Reason.IDENTITY_NOT_ALLOWED,
        f"AzureIdentity {identity} is not for namespace {namespace}: add it to spec.allowedNamespaces there, or name "
        "another identity in spec.identityRef",
    )


def refuse_subscriptions(identity: str, allowed: frozenset[str], ids: Iterable[str]) -> Refusal | None:
    """The refusal for the first ARM id that lies outside the subscriptions that the identity may be used in."""
    for resource_id in ids:
        try:
            subscription = (parse_arm_id(resource_id).subscription or "").lower()
        except ArmIdError as error:
            return Refusal(Reason.INVALID_SPEC, str(error))
        if subscription not in allowed:
            return Refusal(
                Reason.SUBSCRIPTION_NOT_ALLOWED,
                f"{resource_id} lies outside the subscriptions of AzureIdentity {identity}: add {subscription} to "
                "spec.allowedSubscriptions there, or name another identity in spec.identityRef",
            )
    return None


def refuse_conflict(
    key: Key, own: Raw, wanted: Iterable[str], others: Iterable[tuple[Key, Raw, Iterable[str]]]
) -> Refusal | None:
    """The refusal if an older resource asks for one of the same things; ``wanted`` are ids, compared without case."""
    mine = {id_key(each) for each in wanted}
    for other_key, raw, theirs in others:
        if other_key == key or seniority(raw) > seniority(own):
            continue
        common = mine.intersection(map(id_key, theirs))
        if common:
            return Refusal(
                Reason.CONFLICT,
                f"{other_key.namespace}/{other_key.name} was first to ask for {min(common)}: delete one of the two",
            )
    return None
