"""The published keys of other issuers: fetched by OpenID Connect discovery, or read from a JWKS file; kept by issuer.

Discovery: https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig
"""

import asyncio
import ipaddress
import ssl
from collections import defaultdict
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import jwt
import orjson
from cryptography.hazmat.primitives.asymmetric import rsa

from arm_emulator.entra.credentials import FederatedCredential
from arm_emulator.entra.errors import invalid_request

_TIMEOUT = aiohttp.ClientTimeout(total=10)
_LARGEST_DOCUMENT = 1024 * 1024


class _Unusable(Exception):  # noqa: N818  (never leaves this file)
    """An issuer's document cannot be had, or is not what it should be; the message says why."""


class IssuerKeys:
    """Keys by issuer and kid. An unknown kid makes it look again, as after a rotation."""

    def __init__(self) -> None:
        """Knows nothing yet."""
        self._keys: dict[str, dict[str, rsa.RSAPublicKey]] = {}
        self._locks: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def known(self, issuer: str) -> Mapping[str, rsa.RSAPublicKey]:
        """What `refresh` has brought so far."""
        return self._keys.get(issuer, {})

    async def refresh(self, credential: FederatedCredential, key_id: str) -> None:
        """Makes sure that the issuer's keys are known, and are fresh if `key_id` is not among them.

        Raises TokenError 90061 where they cannot be had, with the reason.
        """
        async with self._locks[credential.issuer]:
            if key_id in self.known(credential.issuer):
                return
            try:
                self._keys[credential.issuer] = await _published(credential)
            except _Unusable as reason:
                raise invalid_request(
                    90061, f"Request to External OIDC endpoint failed. [Reason - {credential.issuer}: {reason}]"
                ) from None


def refused_issuer(issuer: str) -> str | None:
    """Why an issuer's URL cannot be one: it is neither https nor http on this machine. None where it can."""
    try:
        url = urlsplit(issuer)
        host = url.hostname or ""
    except ValueError:
        return "expected a URL"
    if not host or url.query or url.fragment:
        return "expected a URL with a host and without query and fragment"
    if url.scheme == "https" or (url.scheme == "http" and _is_loopback(host)):
        return None
    return "expected https, or http on a loopback address"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def _published(credential: FederatedCredential) -> dict[str, rsa.RSAPublicKey]:
    if credential.keys_file is not None:
        try:
            return _keys(orjson.loads(credential.keys_file.read_bytes()))
        except (OSError, orjson.JSONDecodeError) as error:
            raise _Unusable(f"{credential.keys_file}: {error}") from None
    try:
        context = ssl.create_default_context()
        if credential.ca_file is not None:
            context.load_verify_locations(credential.ca_file)
    except OSError as error:
        raise _Unusable(f"{credential.ca_file}: {error}") from None
    connector = aiohttp.TCPConnector(ssl=context)
    async with aiohttp.ClientSession(connector=connector, timeout=_TIMEOUT, trust_env=True) as session:
        discovery = await _document(session, credential.issuer.rstrip("/") + "/.well-known/openid-configuration")
        if discovery.get("issuer") != credential.issuer:
            raise _Unusable(f"its discovery document is of issuer '{discovery.get('issuer')}'")
        where = discovery.get("jwks_uri")
        if not isinstance(where, str) or refused_issuer(where) is not None:
            raise _Unusable("its discovery document has no jwks_uri with https, or with http on a loopback address")
        return _keys(await _document(session, where))


async def _document(session: aiohttp.ClientSession, url: str) -> dict[str, Any]:
    try:
        async with session.get(url, allow_redirects=False) as response:
            if response.status != 200:  # noqa: PLR2004  (OK)
                raise _Unusable(f"{url} answered {response.status}")
            found = orjson.loads(await response.content.read(_LARGEST_DOCUMENT))
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise _Unusable(f"{url}: {str(error) or type(error).__name__}") from None
    if not isinstance(found, dict):
        raise _Unusable(f"{url} answered no object")
    return found


def _keys(document: Any) -> dict[str, rsa.RSAPublicKey]:
    """The RSA keys of a JWKS by their kid; others are left out, as Entra takes none."""
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        raise _Unusable("its key document has no list 'keys'")
    found = {}
    for entry in listed:
        try:
            key = jwt.PyJWK(entry).key
        except (jwt.PyJWKError, jwt.InvalidKeyError, AttributeError, TypeError, ValueError):
            continue
        if isinstance(key, rsa.RSAPublicKey):
            found[str(entry.get("kid", ""))] = key
    return found
