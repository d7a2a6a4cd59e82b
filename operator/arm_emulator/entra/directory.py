"""One tenant of Entra: who is known in it, and what a token request is answered.

Protocol: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson

from arm_emulator.clock import Clock
from arm_emulator.entra import assertions
from arm_emulator.entra.access_tokens import AccessTokens, Grant, Wanted
from arm_emulator.entra.accounts import Accounts
from arm_emulator.entra.assertions import Assertion
from arm_emulator.entra.errors import TokenError, invalid_client, invalid_request, missing_parameter
from arm_emulator.entra.issuer_keys import IssuerKeys
from arm_emulator.principals import Principal

TENANT_NAME = "local.onmicrosoft.com"
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_BY_SECRET, _BY_CERTIFICATE = "1", "2"


class Directory:
    """Answers token requests; keeps the keys of the issuers that its principals trust."""

    def __init__(
        self, *, tenant_id: str, principals: list[Principal], accounts: Accounts, tokens: AccessTokens, clock: Clock
    ) -> None:
        """`tokens` signs for the same principals."""
        self.tenant_id = tenant_id
        self.tokens = tokens
        self._principals = {principal.client_id.lower(): principal for principal in principals}
        self._accounts = accounts
        self._clock = clock
        self._issuer_keys = IssuerKeys()

    def known_tenant(self, tenant: str) -> None:
        """Raises AADSTS90002 for a tenant that is not this one."""
        if tenant.lower() not in (self.tenant_id, TENANT_NAME, "common", "organizations"):
            raise invalid_request(
                90002,
                f"Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into "
                "the correct cloud. Check with your subscription administrator, this may happen if there are no active "
                "subscriptions for the tenant.",
            )

    async def prepare(self, form: Mapping[str, str]) -> None:
        """Fetches the keys that `grant` will need for this form. Raises TokenError where an issuer does not have them."""
        principal = self._principals.get(form.get("client_id", "").lower())
        if principal is None or "client_assertion" not in form:
            return
        assertion = assertions.read(form["client_assertion"])
        if assertion.issuer.lower() == principal.client_id.lower():
            return
        credential = assertions.match(assertion, _called(principal), principal.credentials.federated)
        await self._issuer_keys.refresh(credential, assertion.key_id)

    def grant(self, tenant: str, form: Mapping[str, str], endpoint: str) -> Grant:
        """What a token request gets; `form` is the posted form, `endpoint` the authority as the client wrote it."""
        self.known_tenant(tenant)
        grant_type = form.get("grant_type")
        if grant_type is None:
            raise missing_parameter("grant_type")
        if grant_type != "client_credentials":
            raise TokenError(
                HTTPStatus.BAD_REQUEST,
                "unsupported_grant_type",
                70003,
                f"The app requested an unsupported grant type '{grant_type}'.",
            )
        principal, strength = self._authenticated(tenant, form, endpoint)
        return self.tokens.issue(principal, Wanted(_audience(form), strength, _capabilities(form.get("claims"))))

    def _authenticated(self, tenant: str, form: Mapping[str, str], endpoint: str) -> tuple[Principal, str]:
        """Who asks, and how strong the proof is."""
        if not form.get("client_id"):
            raise missing_parameter("client_id")
        principal = self._principal(form["client_id"])
        if "client_assertion" in form:
            if "client_assertion_type" not in form:
                raise missing_parameter("client_assertion_type")
            if form["client_assertion_type"] != _ASSERTION_TYPE:
                raise invalid_request(90100, "client_assertion_type parameter is empty or not valid.")
            self._check_assertion(assertions.read(form["client_assertion"]), principal, tenant, endpoint)
            return principal, _BY_CERTIFICATE
        if not form.get("client_secret"):
            raise invalid_client(
                7000218,
                "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
            )
        self._check_secret(principal, form["client_secret"])
        return principal, _BY_SECRET

    def _principal(self, client_id: str) -> Principal:
        principal = self._principals.get(client_id.lower())
        if principal is None:
            raise TokenError(
                HTTPStatus.BAD_REQUEST,
                "unauthorized_client",
                700016,
                f"Application with identifier '{client_id}' was not found in the directory '{self.tenant_id}'. This can "
                "happen if the application has not been installed by the administrator of the tenant or consented to by "
                "any user in the tenant. You may have sent your authentication request to the wrong tenant.",
            )
        if self._accounts[principal.client_id].disabled:
            raise TokenError(
                HTTPStatus.BAD_REQUEST,
                "unauthorized_client",
                7000112,
                f"Application {_called(principal)} is disabled.",
            )
        return principal

    def _check_assertion(self, assertion: Assertion, principal: Principal, tenant: str, endpoint: str) -> None:
        now = self._clock.now()
        if assertion.issuer.lower() == principal.client_id.lower():
            assertions.check_certificate(
                assertion,
                principal.client_id,
                principal.credentials.certificates,
                now=now,
                audiences=assertions.token_audiences(endpoint, [tenant, self.tenant_id]),
            )
            return
        keys = self._issuer_keys.known(assertion.issuer)
        assertions.check_federated(assertion, _called(principal), principal.credentials.federated, keys, now=now)

    def _check_secret(self, principal: Principal, secret: str) -> None:
        account = self._accounts[principal.client_id]
        if not account.knows(secret):
            raise invalid_client(
                7000215,
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, "
                f"not the client secret ID, for a secret added to app '{principal.client_id}'.",
            )
        if account.secret_expires is not None and account.secret_expires <= self._clock.now():
            raise invalid_client(
                7000222,
                f"The provided client secret keys for app '{principal.client_id}' are expired. Visit the Azure portal to "
                "create new keys for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials "
                "for added security: https://aka.ms/certCreds.",
            )


def _called(principal: Principal) -> str:
    return f"'{principal.client_id}'({principal.name})"


def _audience(form: Mapping[str, str]) -> str:
    """The audience that a v2 scope (`<resource>/.default`) or a v1 resource asks for."""
    scopes = [scope for scope in form.get("scope", "").split() if scope.endswith("/.default")]
    if scopes:
        return scopes[0].removesuffix("/.default")
    if form.get("resource"):
        return form["resource"]
    raise TokenError(
        HTTPStatus.BAD_REQUEST,
        "invalid_scope",
        1002012,
        f"The provided value for scope {form.get('scope', '')} is not valid. Client credential flows must have a scope "
        "value with /.default suffixed to the resource identifier (application ID URI).",
    )


def _capabilities(claims: str | None) -> tuple[str, ...]:
    """What a claims request declares that the client can do.

    Shape: https://learn.microsoft.com/entra/identity-platform/claims-challenge#claims-request
    """
    if not claims:
        return ()
    try:
        asked: Any = orjson.loads(claims)
        values = asked.get("access_token", {}).get("xms_cc", {}).get("values", [])
        return tuple(str(one) for one in values)
    except (orjson.JSONDecodeError, AttributeError, TypeError):
        raise invalid_request(90100, "claims parameter is empty or not valid.") from None
