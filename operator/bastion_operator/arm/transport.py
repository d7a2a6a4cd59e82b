"""The connections to ARM: pooled, with timeouts of ours and one TLS context.

azure-core makes a new TLS context for each request once it is given a file of certificates, and with another context no
connection is used twice: so the context is the pool's own here.
"""

import ssl
from typing import Any

import aiohttp
from azure.core.exceptions import ServiceRequestError
from azure.core.pipeline.transport import AioHttpTransport
from azure.core.rest import AsyncHttpResponse, HttpRequest

from bastion_operator.arm.write_fence import is_write
from bastion_operator.fenced_request import fenced_request
from bastion_operator.leadership import Leadership
from bastion_operator.proxies import ProxySettingError, proxy_to


class PooledTransport(AioHttpTransport):  # type: ignore[misc]  # azure.core exports it lazily, without a type
    """A transport whose session trusts ``ca_file``, or the system's certificates. ``timeout`` is in seconds: to connect,
    and for each part of an answer (the SDK's own is five minutes). A client that is given its transport passes it none.
    Proxies are those that ``HTTPS_PROXY``, ``HTTP_PROXY`` and ``NO_PROXY`` name.
    """

    def __init__(self, ca_file: str | None, timeout: float, leadership: Leadership) -> None:
        super().__init__(connection_timeout=timeout, read_timeout=timeout)
        self._request_class = fenced_request(leadership, is_write)
        self._context = ssl.create_default_context(cafile=ca_file)
        self._proxies: dict[str, str | None] = {}

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
        """Send the request by the proxy that the environment names for its host, if any."""
        try:
            proxy = self._proxy_to(request.url)
        except ProxySettingError as error:
            raise ServiceRequestError(str(error), error=error) from error
        answer: AsyncHttpResponse = await super().send(request, proxy=proxy, **config)
        return answer

    def _proxy_to(self, url: str) -> str | None:
        # Azure has few hosts, and a look at NO_PROXY compares with each of its entries.
        host = "/".join(url.split("/", 3)[:3])
        if host not in self._proxies:
            self._proxies[host] = proxy_to(url)
        return self._proxies[host]
