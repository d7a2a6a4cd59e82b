"""Whatever is asked of the token endpoint: a token, or one of Entra's errors."""

import base64
import json

import jwt
import pytest
import trustme
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from arm_emulator.clock import Clock
from arm_emulator.entra.access_tokens import AccessTokens, new_signing_key
from arm_emulator.entra.accounts import Accounts
from arm_emulator.entra.credentials import Credentials, FederatedCredential, certificate
from arm_emulator.entra.directory import Directory
from arm_emulator.entra.errors import TokenError
from arm_emulator.principals import Principal

ENDPOINT = "https://127.0.0.1:8443"
ISSUED = trustme.CA().issue_cert("client.example", key_type=trustme.KeyType.RSA)
CERTIFICATE = certificate(ISSUED.cert_chain_pems[0].bytes())
KEY = serialization.load_pem_private_key(ISSUED.private_key_pem.bytes(), None)
TRUSTED = FederatedCredential("https://issuer.example", "subject")
PRINCIPAL = Principal("app", "client", "secret", "object", (), Credentials((CERTIFICATE,), (TRUSTED,)))
NOW = 1_700_000_000.0


def directory() -> Directory:
    clock = Clock(wall=lambda: NOW)
    accounts = Accounts([PRINCIPAL], lambda _name: None, lambda _name, _text: None)
    tokens = AccessTokens(
        tenant_id="tenant",
        principals=[PRINCIPAL],
        accounts=accounts,
        signing_key=new_signing_key(),
        clock=clock,
        lifetime=3599,
    )
    return Directory(tenant_id="tenant", principals=[PRINCIPAL], accounts=accounts, tokens=tokens, clock=clock)


DIRECTORY = directory()
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
ANY = SCALARS | st.lists(SCALARS, max_size=3) | st.dictionaries(st.text(max_size=4), SCALARS, max_size=2)
LIKELY = st.sampled_from(["client", "https://issuer.example", "subject", "api://AzureADTokenExchange", NOW + 60, 0])
CLAIMS = st.fixed_dictionaries({}, optional=dict.fromkeys(("iss", "sub", "aud", "exp", "nbf", "iat"), LIKELY | ANY))
HEADERS = st.fixed_dictionaries(
    {"alg": st.sampled_from(["RS256", "PS256", "HS256", "none"]) | ANY},
    optional={"x5t": st.just(CERTIFICATE.x5t) | ANY, "x5t#S256": ANY, "kid": ANY, "typ": ANY, "crit": ANY, "b64": ANY},
)


def encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@st.composite
def assertions(draw: st.DrawFn) -> str:
    """Any text, or three parts of which the first two are JSON and the third may be a good signature."""
    if draw(st.integers(0, 5)) == 0:
        return draw(st.text(max_size=20))
    signed = f"{encoded(draw(HEADERS))}.{encoded(draw(CLAIMS | ANY))}"
    assert isinstance(KEY, rsa.RSAPrivateKey)
    algorithm = jwt.algorithms.RSAAlgorithm(jwt.algorithms.RSAAlgorithm.SHA256)
    signature = algorithm.sign(signed.encode(), KEY) if draw(st.booleans()) else draw(st.binary(max_size=8))
    return f"{signed}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


FORMS = st.fixed_dictionaries(
    {},
    optional={
        "grant_type": st.just("client_credentials") | st.text(max_size=8),
        "client_id": st.sampled_from(["client", "CLIENT", ""]) | st.text(max_size=8),
        "client_secret": st.just("secret") | st.text(max_size=8),
        "client_assertion": assertions(),
        "client_assertion_type": st.just("urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
        | st.text(max_size=8),
        "scope": st.just("https://management.azure.com/.default") | st.text(max_size=8),
        "resource": st.text(max_size=8),
        "claims": st.builds(json.dumps, ANY) | st.text(max_size=8),
    },
)


@given(st.sampled_from(["tenant", "common", "elsewhere"]), FORMS)
def test_every_form_gets_a_token_or_an_error_of_entras(tenant: str, form: dict[str, str]) -> None:
    try:
        grant = DIRECTORY.grant(tenant, form, ENDPOINT)
    except TokenError:
        return
    assert DIRECTORY.tokens.verify(f"Bearer {grant.token}", grant.audience) == PRINCIPAL


@pytest.mark.parametrize("name", ["x5t", "kid"])
def test_an_assertion_of_the_certificate_gets_a_token(name: str) -> None:
    claims = {"iss": "client", "sub": "client", "aud": f"{ENDPOINT}/tenant/oauth2/v2.0/token", "exp": NOW + 60}
    assert isinstance(KEY, rsa.RSAPrivateKey)
    assertion = jwt.encode(claims, KEY, algorithm="RS256", headers={name: CERTIFICATE.x5t})
    form = {
        "grant_type": "client_credentials",
        "client_id": "client",
        "client_assertion": assertion,
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "scope": "https://management.azure.com/.default",
    }
    assert DIRECTORY.grant("tenant", form, ENDPOINT).audience == "https://management.azure.com"
