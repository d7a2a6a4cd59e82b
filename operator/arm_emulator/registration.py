"""Whether a subscription is registered for a resource provider.

Rule: https://learn.microsoft.com/azure/azure-resource-manager/management/resource-providers-and-types. Subscriptions start
registered for all that the emulator has; estate rows, the control side and clients can change that.
"""

from http import HTTPStatus

from arm_emulator.cloud import Cloud
from arm_emulator.errors import ArmError, Json
from arm_emulator.providers import PROVIDERS, spelt_namespace
from arm_emulator.store import Resource

MEMBER = "_providers"
"""Member of a subscription's body: by lower-cased namespace the state, and since when where it is on its way."""
STATES = ("Registered", "Registering", "NotRegistered", "Unregistering", "Unregistered")
DONE = {"Registering": "Registered", "Unregistering": "Unregistered"}
SECONDS = 30.0
"""How long both ways take at speed 1."""


def state(cloud: Cloud, subscription: Resource, namespace: str) -> str:
    """The registration state of a namespace, in any casing."""
    kept: Json = (subscription.body.get(MEMBER) or {}).get(namespace.lower()) or {"state": "Registered"}
    current = str(kept["state"])
    if current in DONE and cloud.clock.now() >= float(kept["since"]) + cloud.clock.scaled(SECONDS):
        return DONE[current]
    return current


def change(cloud: Cloud, subscription: Resource, namespace: str, wanted: str) -> None:
    """Puts a namespace into a state; `Registering` and `Unregistering` end by themselves."""
    kept = {**(subscription.body.get(MEMBER) or {}), namespace.lower(): {"state": wanted, "since": cloud.clock.now()}}
    subscription.body[MEMBER] = kept
    cloud.store.put(subscription)


def check(cloud: Cloud, subscription: Resource, namespace: str) -> None:
    """Raises MissingSubscriptionRegistration; what is being registered can be used already."""
    provider = PROVIDERS.get(namespace.lower())
    if provider is None or provider.free or state(cloud, subscription, namespace) in ("Registered", "Registering"):
        return
    spelt = spelt_namespace(namespace)
    message = (
        f"The subscription is not registered to use namespace '{spelt}'. See https://aka.ms/rps-not-found for how to "
        "register subscriptions."
    )
    code = "MissingSubscriptionRegistration"
    details = [{"code": code, "target": spelt, "message": message}]
    raise ArmError(HTTPStatus.CONFLICT, code, message, details=details)
