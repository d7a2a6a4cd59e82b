"""An aiohttp server over TLS whose one handler answers nothing: the yardstick for the local Azure's answers."""

import socket
import ssl
import sys
from pathlib import Path

import trustme
from aiohttp import web


async def _nothing(_request: web.Request) -> web.Response:
    return web.json_response({})


def main(folder: Path) -> None:
    """Serves until it is killed; the certificate to trust is in `folder`, the port is what it prints."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    certificate = authority.issue_cert("127.0.0.1")
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", _nothing)
    listener = socket.create_server(("127.0.0.1", 0))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.configure_cert(context)
    print(listener.getsockname()[1], flush=True)
    web.run_app(app, sock=listener, ssl_context=context, access_log=None, print=None)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
