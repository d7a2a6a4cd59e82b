"""The token endpoint and ARM's door, as azure-identity and bare clients meet them."""

import jwt
import pytest
from aiohttp import encode_basic_auth

from dev.local_azure import LocalAzure
from tests.component.arm_emulator.conftest import SUB
from tests.support.azure import AzureFactory, Wire


async def test_a_token_is_a_signed_jwt_of_the_published_keys(wire: Wire) -> None:
    status, answer = await wire.grant()
    assert (status, answer["token_type"], answer["expires_in"]) == (200, "Bearer", 3599)
    _, keys, _ = await wire.call("GET", f"/{wire.azure.tenant_id}/discovery/v2.0/keys")
    key = jwt.PyJWK(keys["keys"][0])
    claims = jwt.decode(answer["access_token"], key, algorithms=["RS256"], audience="https://management.azure.com")
    assert (claims["tid"], claims["appid"]) == (wire.azure.tenant_id, wire.azure.clients["somebody"].client_id)
    assert claims["exp"] - claims["iat"] == 3599


@pytest.mark.parametrize(
    ("changed", "status", "error", "number"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client", 7000215),
        ({"client_id": "00000000-dead-0000-0000-000000000000"}, 400, "unauthorized_client", 700016),
        ({"tenant": "00000000-dead-0000-0000-000000000000"}, 400, "invalid_request", 90002),
        ({"grant_type": "password"}, 400, "unsupported_grant_type", 70003),
        ({"scope": "nonsense"}, 400, "invalid_scope", 1002012),
    ],
)
async def test_refused_grants_are_answered_as_entra_does(
    wire: Wire, changed: dict[str, str], status: int, error: str, number: int
) -> None:
    found, answer = await wire.grant(**changed)
    assert (found, answer["error"], answer["error_codes"]) == (status, error, [number])
    assert answer["error_description"].startswith(f"AADSTS{number}: ")


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "AuthenticationFailed"),
        ({"Authorization": "Basic x"}, "AuthenticationFailedInvalidHeader"),
        ({"Authorization": "Bearer x.y.z"}, "InvalidAuthenticationToken"),
        ({"Authorization": "Bearer eyJhbGciOiJub25lIn0.e30."}, "InvalidAuthenticationToken"),
    ],
)
async def test_without_a_valid_token_arm_answers_401_with_a_challenge(
    wire: Wire, headers: dict[str, str], code: str
) -> None:
    status, body, answered = await wire.call("GET", "/subscriptions", headers=headers)
    assert (status, body["error"]["code"]) == (401, code)
    assert answered["WWW-Authenticate"].startswith("Bearer authorization_uri=")


async def test_a_token_for_another_audience_is_refused(wire: Wire) -> None:
    _, answer = await wire.grant(scope="https://graph.microsoft.com/.default")
    status, body, _ = await wire.call(
        "GET", "/subscriptions", headers={"Authorization": f"Bearer {answer['access_token']}"}
    )
    assert (status, body["error"]["code"]) == (401, "InvalidAuthenticationTokenAudience")


async def test_tokens_expire(azure_factory: AzureFactory) -> None:
    azure = azure_factory(token_lifetime=60)
    async with Wire(azure) as wire, azure.control() as control:
        assert (await wire.call("GET", "/subscriptions"))[0] == 200
        await control.advance(61)
        status, body, _ = await wire.call("GET", "/subscriptions")
        assert (status, body["error"]["code"]) == (401, "ExpiredAuthenticationToken")


async def test_discovery_for_msal_and_custom_clouds(shared: LocalAzure, wire: Wire) -> None:
    _, openid, _ = await wire.call("GET", f"/{shared.tenant_id}/v2.0/.well-known/openid-configuration")
    assert openid["token_endpoint"] == f"{shared.authority}/{shared.tenant_id}/oauth2/v2.0/token"
    _, instance, _ = await wire.call("GET", "/common/discovery/instance")
    assert (
        instance["tenant_discovery_endpoint"]
        == f"{shared.authority}/{shared.tenant_id}/v2.0/.well-known/openid-configuration"
    )
    _, clouds, _ = await wire.call("GET", "/metadata/endpoints?api-version=2020-06-01")
    assert [cloud["resourceManager"] for cloud in clouds] == [shared.endpoint]
    _, cloud, _ = await wire.call("GET", "/metadata/endpoints?api-version=2022-09-01")
    assert cloud == clouds[0]
    _, tenants, _ = await wire.call("GET", "/tenants")
    assert tenants["value"][0]["tenantId"] == shared.tenant_id
    _, subscriptions, _ = await wire.call("GET", "/subscriptions")
    assert [one["subscriptionId"] for one in subscriptions["value"]] == [SUB]


async def test_a_client_may_name_itself_by_a_basic_header(wire: Wire) -> None:
    client = wire.azure.clients["somebody"]
    assert wire.session is not None
    async with wire.session.post(
        f"{wire.azure.authority}/{wire.azure.tenant_id}/oauth2/v2.0/token",
        data={"grant_type": "client_credentials", "scope": "https://management.azure.com/.default"},
        headers={"Authorization": encode_basic_auth(client.client_id, client.client_secret)},
    ) as response:
        assert response.status == 200


async def test_the_older_endpoint_takes_a_resource_and_writes_numbers_as_text(wire: Wire) -> None:
    client = wire.azure.clients["somebody"]
    form = {
        "grant_type": "client_credentials",
        "client_id": client.client_id,
        "client_secret": client.client_secret,
        "resource": "https://management.core.windows.net/",
    }
    assert wire.session is not None
    async with wire.session.post(f"{wire.azure.authority}/{wire.azure.tenant_id}/oauth2/token", data=form) as response:
        answer = await response.json()
    assert (answer["resource"], answer["expires_in"]) == (form["resource"], "3599")
    assert int(answer["expires_on"]) - int(answer["not_before"]) == 3599
    wire.token = answer["access_token"]
    assert (await wire.call("GET", "/subscriptions"))[0] == 200


@pytest.mark.parametrize("tenant", ["common", "organizations", "local.onmicrosoft.com"])
async def test_the_tenant_has_more_names_than_its_id(wire: Wire, tenant: str) -> None:
    assert (await wire.grant(tenant=tenant))[0] == 200


@pytest.mark.parametrize(
    ("missing", "number"), [("grant_type", 900144), ("client_id", 900144), ("client_secret", 7000218)]
)
async def test_what_a_form_lacks_is_named(wire: Wire, missing: str, number: int) -> None:
    _, answer = await wire.grant(**{missing: None})
    assert answer["error_codes"] == [number]
    assert missing in answer["error_description"]
