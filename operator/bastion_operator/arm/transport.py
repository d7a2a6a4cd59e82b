"""The connections to ARM: pooled, with timeouts of ours and one TLS context.

azure-core makes a new TLS context for each request once it is given a file of certificates, and with another context no
connection is used twice: so the context is the pool's own here. And aiohttp, told to look into the environment, reads
the user's ``.netrc`` and the proxies' variables in another thread for every single request, which takes longer than all
else that it does: so the variables are read once, and no ``.netrc`` at all.
"""

import ssl
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from azure.core.exceptions import ServiceRequestError
from azure.core.pipeline.transport import AioHttpTransport
from azure.core.rest import AsyncHttpResponse, HttpRequest
from yarl import URL

from bastion_operator.arm.write_fence import fenced_request
from bastion_operator.leadership import Leadership


class ProxySettingError(ServiceRequestError):
    """What the environment names as a proxy is no URL of one. The text tells nothing of it: it may hold a password."""


class PooledTransport(AioHttpTransport):  # type: ignore[misc]  # azure.core exports it lazily, without a type
    """A transport whose session trusts ``ca_file``, or the system's certificates. ``timeout`` is in seconds: to connect,
    and for each part of an answer (the SDK's own is five minutes). A client that is given its transport passes it none.
    Proxies are those that ``HTTPS_PROXY``, ``HTTP_PROXY`` and ``NO_PROXY`` name when it is made.
    """

    def __init__(self, ca_file: str | None, timeout: float, leadership: Leadership) -> None:
        super().__init__(connection_timeout=timeout, read_timeout=timeout)
        self._request_class = fenced_request(leadership)
        self._context = ssl.create_default_context(cafile=ca_file)
        self._proxies = getproxies()
        self._ways: dict[tuple[str, str], URL | None] = {}

    async def open(self) -> None:
        """Open the pool, on the event loop that is to use it."""
        if not self.session:
            self.session: aiohttp.ClientSession | None = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=self._context),
                request_class=self._request_class,
                cookie_jar=aiohttp.DummyCookieJar(),
                # azure-core decompresses by itself.
                auto_decompress=False,
            )
        await super().open()

    async def send(self, request: HttpRequest, **config: Any) -> AsyncHttpResponse:
        """Send the request by the proxy that the environment names for its host, if any.

        :raises ProxySettingError: if that is no proxy
        """
        answer: AsyncHttpResponse = await super().send(request, proxy=self._proxy_to(request.url), **config)
        return answer

    def _proxy_to(self, url: str) -> URL | None:
        parts = urlsplit(url)
        # Azure has few hosts, and a look at NO_PROXY compares with each of its entries.
        way = (parts.scheme, parts.netloc)
        if way not in self._ways:
            named = None if proxy_bypass(parts.netloc) else self._proxies.get(parts.scheme)
            self._ways[way] = None if named is None else _proxy_url(named)
        return self._ways[way]


def _proxy_url(named: str) -> URL:
    """As curl reads it: without a scheme it is plain HTTP to the proxy."""
    try:
        url = URL(named if "://" in named else f"http://{named}")
    except ValueError:
        url = URL()
    if url.scheme not in {"http", "https"} or not url.host:
        raise ProxySettingError("HTTPS_PROXY (or HTTP_PROXY) does not name a proxy as http://host:port") from None
    return url
