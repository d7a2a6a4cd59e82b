"""Resource providers: what types they have, where and since when, and whether a subscription is registered for them."""

from http import HTTPStatus

from arm_emulator import registration
from arm_emulator.cloud import Cloud
from arm_emulator.errors import ArmError, Json, not_found
from arm_emulator.gate import Gate
from arm_emulator.ids import SUBSCRIPTION_TYPE, ResourceId
from arm_emulator.messages import Answer, Request
from arm_emulator.principals import Principal
from arm_emulator.providers import PROVIDERS, spelt_namespace
from arm_emulator.regions import REGIONS
from arm_emulator.resource_types import TYPES, type_of
from arm_emulator.resource_types.versions import API_VERSIONS, versions_of
from arm_emulator.store import Resource

READ = "Microsoft.Resources/subscriptions/providers/read"
ON_ITS_WAY = {"register": "Registering", "unregister": "Unregistering"}
ALREADY = {"register": ("Registered", "Registering"), "unregister": ("NotRegistered", "Unregistered", "Unregistering")}


class ProviderEndpoints:
    """Answers for one cloud."""

    def __init__(self, cloud: Cloud) -> None:
        """The cloud whose subscriptions are registered."""
        self._cloud = cloud
        self._gate = Gate(cloud)

    def answer(self, request: Request, principal: Principal, segments: list[str]) -> Answer | None:
        """The answer to a path of these lower-cased segments; None where it is none of these. Raises ArmError."""
        match (request.method, *segments):
            case ("GET", "providers"):
                return Answer.listing([self._provider(None, name) for name in PROVIDERS])
            case ("GET", "providers", namespace):
                return Answer(HTTPStatus.OK, self._provider(None, _known(namespace)))
            case ("GET", "subscriptions", subscription, "providers"):
                item = self._subscription(principal, READ, subscription)
                return Answer.listing([self._provider(item, name) for name in PROVIDERS])
            case ("GET", "subscriptions", subscription, "providers", namespace):
                item = self._subscription(principal, READ, subscription)
                return Answer(HTTPStatus.OK, self._provider(item, _known(namespace)))
            case ("GET", "subscriptions", subscription, "providers", namespace, "resourcetypes"):
                item = self._subscription(principal, READ, subscription)
                return Answer.listing(self._provider(item, _known(namespace))["resourceTypes"])
            case ("POST", "subscriptions", subscription, "providers", namespace, "register" | "unregister" as action):
                return self._register(principal, subscription, _known(namespace), action)
            case (_, "subscriptions", _, "providers") | (_, "subscriptions", _, "providers", _) | (_, "providers"):
                raise ArmError(
                    HTTPStatus.METHOD_NOT_ALLOWED,
                    "UnsupportedHttpVerb",
                    f"The HTTP verb '{request.method}' is not supported for '{request.path}'.",
                )
            case _:
                return None

    def _subscription(self, principal: Principal, action: str, subscription: str) -> Resource:
        scope = f"/subscriptions/{subscription}"
        self._cloud.rights.authorize(principal, action, scope)
        found = self._cloud.store.get(scope)
        if found is None:
            raise not_found("SubscriptionNotFound", f"The subscription '{subscription}' could not be found.")
        return found

    def _register(self, principal: Principal, subscription: str, namespace: str, action: str) -> Answer:
        item = self._subscription(principal, f"{spelt_namespace(namespace)}/{action}/action", subscription)
        self._gate.check_state("POST", ResourceId(subscription, None, SUBSCRIPTION_TYPE, (subscription,)))
        if registration.state(self._cloud, item, namespace) not in ALREADY[action]:
            registration.change(self._cloud, item, namespace, ON_ITS_WAY[action])
        return Answer(HTTPStatus.OK, self._provider(item, namespace), write=str(item.id))

    def _provider(self, subscription: Resource | None, namespace: str) -> Json:
        """A provider as a subscription sees it, or the tenant, where nothing is said of registration."""
        provider = PROVIDERS[namespace]
        shown: Json = {
            "namespace": provider.namespace,
            "resourceTypes": [_type(name) for name in _names() if name.lower().startswith(f"{namespace}/")],
        }
        if subscription is None:
            return shown
        return {
            "id": f"{subscription.id}/providers/{provider.namespace}",
            **shown,
            "registrationState": registration.state(self._cloud, subscription, namespace),
            "registrationPolicy": "RegistrationFree" if provider.free else "RegistrationRequired",
        }


def _known(namespace: str) -> str:
    if namespace not in PROVIDERS:
        raise not_found("InvalidResourceNamespace", f"The resource namespace '{namespace}' is invalid.")
    return namespace


def _names() -> list[str]:
    """The types of all providers: those of resources, and what else takes requests."""
    resources = [declared.name for declared in TYPES.values()]
    return [*resources, *(name for name in API_VERSIONS if "/" in name and name.lower() not in TYPES)]


def _type(name: str) -> Json:
    """A type with the display names of its regions, as providers tell them; what has no location is everywhere."""
    tracked = name.lower() in TYPES and type_of(name).tracked
    versions = versions_of(name)
    return {
        "resourceType": name.partition("/")[2],
        "locations": [region.display for region in REGIONS.values()] if tracked else [],
        "apiVersions": list(versions),
        "defaultApiVersion": next((one for one in versions if "preview" not in one), versions[0]),
        "capabilities": "SupportsTags, SupportsLocation" if tracked else "None",
    }
