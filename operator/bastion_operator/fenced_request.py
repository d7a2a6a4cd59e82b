"""Requests that ask for the right to write when their connection is there, which may have had to be made first."""

from collections.abc import Callable

import aiohttp
from aiohttp.abc import AbstractStreamWriter
from aiohttp.client_reqrep import ClientResponse
from aiohttp.connector import Connection

from bastion_operator.leadership import Leadership, NotLeadingError

IsWrite = Callable[[str, str], bool]
"""Whether a request of this method to this path can change something."""


def fenced_request(leadership: Leadership, is_write: IsWrite) -> type[aiohttp.ClientRequest]:
    """A class of requests that ask for the right to write when their connection is there, just before the first byte."""

    class FencedRequest(aiohttp.ClientRequest):
        async def send(self, conn: Connection) -> ClientResponse:
            if is_write(self.method, self.url.path):
                leadership.check()
            return await super().send(conn)

        async def write_bytes(
            self, writer: AbstractStreamWriter, conn: Connection, content_length: int | None = None
        ) -> None:
            try:
                if is_write(self.method, self.url.path):
                    leadership.check()
            except NotLeadingError as error:
                # Whoever waits for the answer is told; headers and body would have gone out together.
                if conn.protocol is not None:
                    conn.protocol.set_exception(error)
                conn.close()
                return
            await super().write_bytes(writer, conn, content_length)

    return FencedRequest
