"""Subscriptions, tenants, locations and resource providers: what ARM answers above all resources."""

from http import HTTPStatus

from arm_emulator.cloud import Cloud
from arm_emulator.errors import Json, not_found
from arm_emulator.ids import SUBSCRIPTION_TYPE
from arm_emulator.messages import Answer, Request
from arm_emulator.principals import Principal
from arm_emulator.providers import PROVIDERS, spelt_namespace
from arm_emulator.regions import REGIONS
from arm_emulator.resource_types import TYPES
from arm_emulator.store import Resource

READ = "Microsoft.Resources/subscriptions/read"


class SubscriptionEndpoints:
    """Answers for one cloud."""

    def __init__(self, cloud: Cloud) -> None:
        """The cloud whose subscriptions are shown."""
        self._cloud = cloud

    def answer(self, request: Request, principal: Principal, segments: list[str]) -> Answer | None:
        """The answer to a path of these lower-cased segments; None where it is none of these. Raises ArmError."""
        del request  # the path says all
        match segments:
            case ["subscriptions"]:
                return self._subscriptions(principal)
            case ["tenants"]:
                return self._tenants()
            case ["subscriptions", subscription]:
                self._cloud.rights.authorize(principal, READ, f"/subscriptions/{subscription}")
                return Answer(HTTPStatus.OK, self._subscription_body(self.subscription(subscription)))
            case ["subscriptions", subscription, "providers"]:
                return Answer.listing([self._provider(subscription, name) for name in PROVIDERS])
            case ["subscriptions", subscription, "providers", namespace, *rest] if rest in ([], ["register"]):
                if namespace not in PROVIDERS:
                    raise not_found("InvalidResourceNamespace", f"The resource namespace '{namespace}' is invalid.")
                return Answer(HTTPStatus.OK, self._provider(subscription, namespace))
            case ["subscriptions", subscription, "locations"]:
                return Answer.listing([self._location(subscription, name) for name in REGIONS])
            case _:
                return None

    def subscription(self, subscription: str) -> Resource:
        """The subscription with this id. Raises SubscriptionNotFound."""
        found = self._cloud.store.get(f"/subscriptions/{subscription}".lower())
        if found is None:
            raise not_found("SubscriptionNotFound", f"The subscription '{subscription}' could not be found.")
        return found

    def _subscriptions(self, principal: Principal) -> Answer:
        visible = [
            self._subscription_body(item)
            for item in self._cloud.store.listed("/", SUBSCRIPTION_TYPE)
            if self._cloud.rights.may(principal, READ, item.key)
        ]
        return Answer(HTTPStatus.OK, {"value": visible, "count": {"type": "Total", "value": len(visible)}})

    def _subscription_body(self, item: Resource) -> Json:
        guid = item.id.subscription
        return {
            "id": f"/subscriptions/{guid}",
            "authorizationSource": "RoleBased",
            "managedByTenants": [],
            "subscriptionId": guid,
            "tenantId": self._cloud.settings.tenant_id,
            "displayName": item.body.get("_displayName", guid),
            "state": item.properties.get("state", "Enabled"),
            "subscriptionPolicies": {
                "locationPlacementId": "Public_2014-09-01",
                "quotaId": "EnterpriseAgreement_2014-09-01",
                "spendingLimit": "Off",
            },
        }

    def _tenants(self) -> Answer:
        tenant = self._cloud.settings.tenant_id
        entry = {"id": f"/tenants/{tenant}", "tenantId": tenant, "countryCode": "US", "displayName": "Local tenant",
                 "domains": ["local.onmicrosoft.com"], "tenantCategory": "Home"}  # fmt: skip
        return Answer.listing([entry])

    def _location(self, subscription: str, name: str) -> Json:
        return {
            "id": f"/subscriptions/{subscription}/locations/{name}",
            "name": name,
            "type": "Region",
            "displayName": name,
            "regionalDisplayName": name,
            "metadata": {"regionType": "Physical", "regionCategory": "Recommended"},
        }

    def _provider(self, subscription: str, namespace: str) -> Json:
        spelt = spelt_namespace(namespace)
        types = [declared for key, declared in TYPES.items() if key.startswith(namespace + "/")]
        return {
            "id": f"/subscriptions/{subscription}/providers/{spelt}",
            "namespace": spelt,
            "registrationState": "Registered",
            "registrationPolicy": "RegistrationRequired",
            "resourceTypes": [
                {
                    "resourceType": declared.name.partition("/")[2],
                    "locations": list(REGIONS),
                    "apiVersions": list(declared.api_versions),
                    "capabilities": "SupportsTags, SupportsLocation" if declared.tracked else "None",
                }
                for declared in types
            ],
        }
