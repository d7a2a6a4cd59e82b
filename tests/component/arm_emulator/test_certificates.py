"""Client certificates: assertions that azure-identity signs, and those that Entra refuses."""

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
import trustme
from azure.identity import CertificateCredential
from azure.identity.aio import CertificateCredential as AioCertificateCredential
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from arm_emulator.entra.credentials import certificate
from dev.control_plane.errors import StartError
from dev.local_azure import LocalAzure
from tests.support.azure import Wire, claims_of, run_azure

SCOPE = "https://management.azure.com/.default"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificate and key in one file, as azure-identity takes them."""
    issued = trustme.CA().issue_cert("client.example", key_type=trustme.KeyType.RSA)
    path = tmp_path_factory.mktemp("certificate") / "client.pem"
    path.write_bytes(issued.private_key_and_cert_chain_pem.bytes())
    return path


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory, pem: Path) -> Iterator[LocalAzure]:
    folder = tmp_path_factory.mktemp("azure")
    (folder / "client.crt").write_text(certificate_in(pem))
    entry = {
        "name": "app",
        "assignments": [{"actions": ["*"]}],
        "certificates": ["client.crt"],
    }
    yield from run_azure(folder, [entry, {"name": "other", "assignments": []}])


def certificate_in(pem: Path) -> str:
    """The file without its key."""
    _, start, rest = pem.read_text().partition("-----BEGIN CERTIFICATE-----")
    return start + rest


def signed(azure: LocalAzure, pem: Path, header: dict[str, Any] | None = None, **changed: Any) -> str:
    """An assertion like MSAL's; `changed` are claims in place of the usual ones."""
    key = serialization.load_pem_private_key(pem.read_bytes(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    client_id = azure.clients["app"].client_id
    now = time.time()
    claims = {
        "aud": f"{azure.authority}/{azure.tenant_id}/oauth2/v2.0/token",
        "iss": client_id,
        "sub": client_id,
        "iat": now,
        "exp": now + 600,
        **changed,
    }
    x5t = certificate(certificate_in(pem).encode()).x5t
    return jwt.encode(claims, key, algorithm="RS256", headers={"x5t": x5t} if header is None else header)


async def refusal(azure: LocalAzure, assertion: str) -> tuple[int, str, int]:
    async with Wire(azure, "app") as wire:
        status, answer = await wire.grant(
            client_secret=None, client_assertion=assertion, client_assertion_type=ASSERTION_TYPE
        )
        return status, answer["error"], answer["error_codes"][0]


@pytest.mark.parametrize("send_certificate_chain", [False, True])
async def test_a_registered_certificate_gets_a_token(
    azure: LocalAzure, pem: Path, send_certificate_chain: bool
) -> None:
    def token() -> str:
        with CertificateCredential(
            azure.tenant_id,
            azure.clients["app"].client_id,
            str(pem),
            send_certificate_chain=send_certificate_chain,
            authority=azure.authority,
            disable_instance_discovery=True,
            connection_verify=azure.ca_file,
        ) as credential:
            return credential.get_token(SCOPE).token

    claims = claims_of(await asyncio.to_thread(token))
    assert (claims["appid"], claims["appidacr"]) == (azure.clients["app"].client_id, "2")


async def test_a_registered_certificate_gets_a_token_asynchronously(azure: LocalAzure, pem: Path) -> None:
    async with AioCertificateCredential(
        azure.tenant_id,
        azure.clients["app"].client_id,
        str(pem),
        authority=azure.authority,
        disable_instance_discovery=True,
        connection_verify=azure.ca_file,
    ) as credential:
        claims = claims_of((await credential.get_token(SCOPE)).token)
    assert claims["appid"] == azure.clients["app"].client_id


async def test_a_certificate_that_is_not_registered_is_AADSTS700027(azure: LocalAzure, pem: Path) -> None:  # noqa: N802
    assertion = signed(azure, pem, {"x5t": "AAAAAAAAAAAAAAAAAAAAAAAAAAA"})
    assert await refusal(azure, assertion) == (401, "invalid_client", 700027)


async def test_a_signature_by_another_key_is_AADSTS700027(azure: LocalAzure, pem: Path, tmp_path: Path) -> None:  # noqa: N802
    other = tmp_path / "other.pem"
    key = trustme.CA().issue_cert("client.example", key_type=trustme.KeyType.RSA).private_key_pem.bytes().decode()
    other.write_text(key + certificate_in(pem))
    assert await refusal(azure, signed(azure, other)) == (401, "invalid_client", 700027)


async def test_an_expired_assertion_is_AADSTS700024(azure: LocalAzure, pem: Path) -> None:  # noqa: N802
    assertion = signed(azure, pem, exp=time.time() - 400)
    assert await refusal(azure, assertion) == (401, "invalid_client", 700024)


async def test_the_clocks_may_differ_by_five_minutes(azure: LocalAzure, pem: Path) -> None:
    async with Wire(azure, "app") as wire:
        assertion = signed(azure, pem, exp=time.time() - 200)
        status, _ = await wire.grant(
            client_secret=None, client_assertion=assertion, client_assertion_type=ASSERTION_TYPE
        )
    assert status == 200


async def test_an_assertion_for_another_audience_is_AADSTS700023(azure: LocalAzure, pem: Path) -> None:  # noqa: N802
    assertion = signed(azure, pem, aud="https://elsewhere.example/token")
    assert await refusal(azure, assertion) == (401, "invalid_client", 700023)


async def test_an_assertion_about_another_client_is_AADSTS700021(azure: LocalAzure, pem: Path) -> None:  # noqa: N802
    assertion = signed(azure, pem, sub=azure.clients["other"].client_id)
    assert await refusal(azure, assertion) == (401, "invalid_client", 700021)


async def test_an_assertion_that_names_no_key_is_AADSTS5002723(azure: LocalAzure, pem: Path) -> None:  # noqa: N802
    assert await refusal(azure, signed(azure, pem, {})) == (401, "invalid_client", 5002723)


@pytest.mark.parametrize("assertion", ["", "x", "a.b.c", "eyJhbGciOiJub25lIn0.e30."])
async def test_an_assertion_that_is_no_signed_jwt_is_AADSTS50027(azure: LocalAzure, assertion: str) -> None:  # noqa: N802
    assert await refusal(azure, assertion) == (401, "invalid_client", 50027)


@pytest.mark.parametrize("exp", [None, "tomorrow", 1e30, True])
async def test_an_assertion_without_a_usable_expiry_is_AADSTS50027(azure: LocalAzure, pem: Path, exp: Any) -> None:  # noqa: N802
    assert await refusal(azure, signed(azure, pem, exp=exp)) == (401, "invalid_client", 50027)


def test_principals_with_certificates_that_are_none_are_told_by_field(tmp_path: Path) -> None:
    path = tmp_path / "principals.json"
    path.write_text(json.dumps([{"name": "a", "assignments": [], "certificates": ["missing.pem"]}]))
    azure = LocalAzure(tmp_path, speed=1, options=[f"--principals={path}"])
    with pytest.raises(StartError, match="entry 1: field certificates: no certificate"):
        azure.start()
