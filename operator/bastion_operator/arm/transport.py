"""The connections to ARM: pooled, with timeouts of ours and one TLS context.

azure-core makes a new TLS context for each request once it is given a file of certificates, and with another context no
connection is used twice: so the context is the pool's own here.
"""

import ssl

import aiohttp
from azure.core.pipeline.transport import AioHttpTransport

from bastion_operator.arm.write_fence import fenced_request
from bastion_operator.leadership import Leadership


class PooledTransport(AioHttpTransport):  # type: ignore[misc]  # azure.core exports it lazily, without a type
    """A transport whose session trusts ``ca_file``, or the system's certificates. ``timeout`` is in seconds: to connect,
    and for each part of an answer (the SDK's own is five minutes). A client that is given its transport passes it none.
    """

    def __init__(self, ca_file: str | None, timeout: float, leadership: Leadership) -> None:
        super().__init__(connection_timeout=timeout, read_timeout=timeout)
        self._request_class = fenced_request(leadership)
        self._context = ssl.create_default_context(cafile=ca_file)

    async def open(self) -> None:
        """Open the pool, on the event loop that is to use it."""
        if not self.session:
            self.session: aiohttp.ClientSession | None = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=self._context),
                request_class=self._request_class,
                trust_env=True,
                cookie_jar=aiohttp.DummyCookieJar(),
                # azure-core decompresses by itself.
                auto_decompress=False,
            )
        await super().open()
