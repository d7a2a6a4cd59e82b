"""Federated tokens: those of another issuer, checked against the keys that it publishes."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import WorkloadIdentityCredential
from azure.identity.aio import WorkloadIdentityCredential as AioWorkloadIdentityCredential
from cryptography.hazmat.primitives.asymmetric import rsa

from dev.control_plane.errors import StartError
from dev.local_azure import LocalAzure
from tests.support.azure import Wire, claims_of, run_azure
from tests.support.issuer import Issuer

SCOPE = "https://management.azure.com/.default"
SUBJECT = "system:serviceaccount:bastion-operator:bastion-operator"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Issuer]:
    with Issuer(tmp_path_factory.mktemp("issuer")) as issuer:
        yield issuer


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory, issuer: Issuer) -> Iterator[LocalAzure]:
    folder = tmp_path_factory.mktemp("azure")
    (folder / "jwks.json").write_text(json.dumps(issuer.jwks()))
    trusted = {"issuer": issuer.url, "subject": SUBJECT, "ca_file": str(issuer.ca_file)}
    from_file = {"issuer": "https://kubernetes.default.svc", "subject": SUBJECT, "keys_file": "jwks.json"}
    gone = {"issuer": "http://127.0.0.1:1", "subject": SUBJECT}
    principals: list[dict[str, Any]] = [
        {"name": "workload", "assignments": [{"actions": ["*"]}], "federated_credentials": [trusted, from_file, gone]},
        {"name": "without", "assignments": []},
    ]
    yield from run_azure(folder, principals)


async def grant(azure: LocalAzure, assertion: str, name: str = "workload") -> tuple[int, dict[str, Any]]:
    async with Wire(azure, name) as wire:
        return await wire.grant(client_secret=None, client_assertion=assertion, client_assertion_type=ASSERTION_TYPE)


async def refusal(azure: LocalAzure, assertion: str, name: str = "workload") -> tuple[int, str, int]:
    status, answer = await grant(azure, assertion, name)
    return status, answer["error"], answer["error_codes"][0]


def arguments(azure: LocalAzure, token_file: Path) -> dict[str, Any]:
    return {
        "tenant_id": azure.tenant_id,
        "client_id": azure.clients["workload"].client_id,
        "token_file_path": str(token_file),
        "authority": azure.authority,
        "disable_instance_discovery": True,
        "connection_verify": azure.ca_file,
    }


async def test_a_token_of_a_trusted_issuer_gets_a_token(azure: LocalAzure, issuer: Issuer, tmp_path: Path) -> None:
    token_file = tmp_path / "token"
    token_file.write_text(issuer.token(SUBJECT))

    def token() -> str:
        with WorkloadIdentityCredential(**arguments(azure, token_file)) as credential:
            return credential.get_token(SCOPE).token

    claims = claims_of(await asyncio.to_thread(token))
    assert (claims["appid"], claims["appidacr"]) == (azure.clients["workload"].client_id, "2")


async def test_a_token_of_a_trusted_issuer_gets_a_token_asynchronously(
    azure: LocalAzure, issuer: Issuer, tmp_path: Path
) -> None:
    token_file = tmp_path / "token"
    token_file.write_text(issuer.token(SUBJECT))
    async with AioWorkloadIdentityCredential(**arguments(azure, token_file)) as credential:
        claims = claims_of((await credential.get_token(SCOPE)).token)
    assert claims["appid"] == azure.clients["workload"].client_id


async def test_azure_identity_tells_what_does_not_match(azure: LocalAzure, issuer: Issuer, tmp_path: Path) -> None:
    token_file = tmp_path / "token"
    token_file.write_text(issuer.token("system:serviceaccount:default:default"))
    async with AioWorkloadIdentityCredential(**arguments(azure, token_file)) as credential:
        with pytest.raises(ClientAuthenticationError) as caught:
            await credential.get_token(SCOPE)
    assert (
        "AADSTS700213: No matching federated identity record found for presented assertion subject "
        "'system:serviceaccount:default:default'." in str(caught.value)
    )


@pytest.mark.parametrize(
    ("changed", "number"),
    [
        ({"iss": "https://elsewhere.example"}, 700211),
        ({"sub": SUBJECT.upper()}, 700213),
        ({"aud": ["https://kubernetes.default.svc"]}, 700212),
        ({"exp": 1_000_000_000}, 700024),
        ({"nbf": 4_000_000_000}, 700024),
    ],
    ids=["issuer", "subject, by case", "audience", "expired", "not valid yet"],
)
async def test_a_token_that_does_not_match_is_refused_with_what_does_not(
    azure: LocalAzure, issuer: Issuer, changed: dict[str, Any], number: int
) -> None:
    assert await refusal(azure, issuer.token(SUBJECT, **changed)) == (401, "invalid_client", number)


async def test_a_principal_without_federated_credentials_is_AADSTS70025(azure: LocalAzure, issuer: Issuer) -> None:  # noqa: N802
    assert await refusal(azure, issuer.token(SUBJECT), "without") == (401, "invalid_client", 70025)


async def test_a_signature_by_another_key_under_a_published_name_is_AADSTS50013(  # noqa: N802
    azure: LocalAzure, issuer: Issuer
) -> None:
    [kid] = issuer.keys
    claims = claims_of(issuer.token(SUBJECT))
    forged = jwt.encode(claims, rsa.generate_private_key(65537, 2048), algorithm="RS256", headers={"kid": kid})
    assert await refusal(azure, forged) == (401, "invalid_client", 50013)


async def test_a_key_that_is_not_published_is_AADSTS7000272(azure: LocalAzure, issuer: Issuer) -> None:  # noqa: N802
    claims = claims_of(issuer.token(SUBJECT))
    forged = jwt.encode(claims, rsa.generate_private_key(65537, 2048), algorithm="RS256", headers={"kid": "unknown"})
    assert await refusal(azure, forged) == (401, "invalid_client", 7000272)


async def test_a_token_signed_with_a_shared_secret_is_AADSTS50027(azure: LocalAzure, issuer: Issuer) -> None:  # noqa: N802
    claims = claims_of(issuer.token(SUBJECT))
    forged = jwt.encode(claims, "x" * 32, algorithm="HS256", headers={"kid": next(iter(issuer.keys))})
    assert await refusal(azure, forged) == (401, "invalid_client", 50027)


async def test_keys_are_fetched_once_and_again_after_a_rotation(azure: LocalAzure, issuer: Issuer) -> None:
    assert (await grant(azure, issuer.token(SUBJECT)))[0] == 200
    before = len(issuer.asked)
    assert (await grant(azure, issuer.token(SUBJECT)))[0] == 200
    assert len(issuer.asked) == before
    old = issuer.token(SUBJECT)
    issuer.rotate()
    assert (await grant(azure, issuer.token(SUBJECT)))[0] == 200
    assert issuer.asked[before:] == ["/.well-known/openid-configuration", "/openid/v1/jwks"]
    assert await refusal(azure, old) == (401, "invalid_client", 7000272)


async def test_keys_of_a_file_stand_in_for_an_issuer_out_of_reach(tmp_path: Path) -> None:
    with Issuer(tmp_path) as issuer:
        (tmp_path / "jwks.json").write_text(json.dumps(issuer.jwks()))
        trusted = {"issuer": "https://kubernetes.default.svc", "subject": SUBJECT, "keys_file": "jwks.json"}
        entry = {"name": "workload", "assignments": [], "federated_credentials": [trusted]}
        for azure in run_azure(tmp_path, [entry]):
            assert (await grant(azure, issuer.token(SUBJECT, iss="https://kubernetes.default.svc")))[0] == 200
        assert issuer.asked == []


async def test_an_issuer_that_does_not_answer_is_AADSTS90061_with_the_reason(azure: LocalAzure, issuer: Issuer) -> None:  # noqa: N802
    status, answer = await grant(azure, issuer.token(SUBJECT, iss="http://127.0.0.1:1"))
    assert (status, answer["error"], answer["error_codes"]) == (400, "invalid_request", [90061])
    assert "http://127.0.0.1:1/.well-known/openid-configuration: " in answer["error_description"]


async def test_an_issuer_whose_discovery_names_another_is_AADSTS90061(azure: LocalAzure, issuer: Issuer) -> None:  # noqa: N802
    issuer.rotate()
    issuer.claimed_url = "https://elsewhere.example"
    try:
        assert await refusal(azure, issuer.token(SUBJECT)) == (400, "invalid_request", 90061)
    finally:
        issuer.claimed_url = issuer.url


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ({"issuer": "http://example.com", "subject": "s"}, "federated_credentials.issuer: expected https"),
        ({"issuer": "https://example.com"}, "federated_credentials.subject: expected a text"),
        ({"issuer": "https://example.com", "subject": "s", "keys_file": "none"}, "keys_file: .* is no file"),
        (
            {"issuer": "https://example.com", "subject": "s", "audience": "a"},
            "federated_credentials.audience: is none of",
        ),
    ],
)
def test_principals_with_federated_credentials_that_cannot_be_are_told_by_field(
    tmp_path: Path, entry: dict[str, Any], told: str
) -> None:
    path = tmp_path / "principals.json"
    path.write_text(json.dumps([{"name": "a", "assignments": [], "federated_credentials": [entry]}]))
    with pytest.raises(StartError, match=told):
        LocalAzure(tmp_path, speed=1, options=[f"--principals={path}"]).start()
