"""Subscriptions, tenants and locations: what ARM answers above all resources."""

from collections.abc import Callable
from http import HTTPStatus

from arm_emulator.cloud import Cloud
from arm_emulator.errors import ArmError, Json, not_found
from arm_emulator.ids import SUBSCRIPTION_TYPE
from arm_emulator.messages import Answer, Request
from arm_emulator.principals import Principal
from arm_emulator.regions import REGIONS
from arm_emulator.store import Resource

READ = "Microsoft.Resources/subscriptions/read"


class SubscriptionEndpoints:
    """Answers for one cloud."""

    def __init__(self, cloud: Cloud) -> None:
        """The cloud whose subscriptions are shown."""
        self._cloud = cloud

    def answer(self, request: Request, principal: Principal, segments: list[str]) -> Answer | None:
        """The answer to a path of these lower-cased segments; None where it is none of these. Raises ArmError."""
        match segments:
            case ["subscriptions"]:
                return self._read(request, lambda: self._subscriptions(principal))
            case ["tenants"]:
                return self._read(request, self._tenants)
            case ["subscriptions", subscription]:
                return self._read(request, lambda: self._subscription(principal, subscription))
            case ["subscriptions", subscription, "locations"]:
                return self._read(request, lambda: self._locations(principal, subscription))
            case _:
                return None

    def subscription(self, subscription: str) -> Resource:
        """The subscription with this id. Raises SubscriptionNotFound."""
        found = self._cloud.store.get(f"/subscriptions/{subscription}".lower())
        if found is None:
            raise not_found("SubscriptionNotFound", f"The subscription '{subscription}' could not be found.")
        return found

    def _read(self, request: Request, answered: Callable[[], Answer]) -> Answer:
        if request.method not in ("GET", "HEAD"):
            raise ArmError(
                HTTPStatus.METHOD_NOT_ALLOWED,
                "UnsupportedHttpVerb",
                f"The HTTP verb '{request.method}' is not supported for '{request.path}'.",
            )
        return answered()

    def _subscriptions(self, principal: Principal) -> Answer:
        visible = [
            self._subscription_body(item)
            for item in self._cloud.store.listed("/", SUBSCRIPTION_TYPE)
            if self._cloud.rights.may(principal, READ, item.key)
        ]
        return Answer(HTTPStatus.OK, {"value": visible, "count": {"type": "Total", "value": len(visible)}})

    def _subscription(self, principal: Principal, subscription: str) -> Answer:
        self._cloud.rights.authorize(principal, READ, f"/subscriptions/{subscription}")
        return Answer(HTTPStatus.OK, self._subscription_body(self.subscription(subscription)))

    def _locations(self, principal: Principal, subscription: str) -> Answer:
        self._cloud.rights.authorize(principal, READ, f"/subscriptions/{subscription}")
        return Answer.listing([region.body(subscription) for region in REGIONS.values()])

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
            **({"tags": item.body["tags"]} if item.body.get("tags") else {}),
        }

    def _tenants(self) -> Answer:
        tenant = self._cloud.settings.tenant_id
        entry = {"id": f"/tenants/{tenant}", "tenantId": tenant, "countryCode": "US", "displayName": "Local tenant",
                 "domains": ["local.onmicrosoft.com"], "defaultDomain": "local.onmicrosoft.com", "tenantType": "AAD",
                 "tenantCategory": "Home"}  # fmt: skip
        return Answer.listing([entry])
