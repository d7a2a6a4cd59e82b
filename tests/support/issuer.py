"""Another issuer of tokens, such as a cluster's API server: a real https server with discovery document and JWKS."""

import json
import ssl
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import jwt
import trustme
from cryptography.hazmat.primitives.asymmetric import rsa


class Issuer:
    """Serves on a thread of its own while its context is open. Trusted by `ca_file`."""

    def __init__(self, folder: Path) -> None:
        authority = trustme.CA()
        self.ca_file = folder / "issuer-ca.pem"
        authority.cert_pem.write_to_path(str(self.ca_file))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost").configure_cert(context)
        self._server = ThreadingHTTPServer(("localhost", 0), self._handler())
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"https://localhost:{self._server.server_port}"
        self.claimed_url = self.url
        self.asked: list[str] = []
        self.keys: dict[str, rsa.RSAPrivateKey] = {}
        self.rotate()

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def rotate(self) -> None:
        """A new key in place of the old one."""
        self.keys = {uuid.uuid4().hex[:8]: rsa.generate_private_key(public_exponent=65537, key_size=2048)}

    def jwks(self) -> dict[str, Any]:
        listed = []
        for kid, key in self.keys.items():
            public = jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
            listed.append({**public, "kid": kid, "use": "sig", "alg": "RS256"})
        return {"keys": listed}

    def token(self, subject: str, *, lifetime: float = 600, **changed: Any) -> str:
        """As a cluster projects them; `changed` are claims in place of the usual ones."""
        now = int(time.time())
        claims = {
            "iss": self.url,
            "sub": subject,
            "aud": ["api://AzureADTokenExchange"],
            "iat": now,
            "nbf": now,
            "exp": now + lifetime,
            **changed,
        }
        [(kid, key)] = self.keys.items()
        return jwt.encode(claims, key, algorithm="RS256", headers={"kid": kid})

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked.append(self.path)
                configuration = {"issuer": issuer.claimed_url, "jwks_uri": f"{issuer.url}/openid/v1/jwks"}
                documents = {"/.well-known/openid-configuration": configuration, "/openid/v1/jwks": issuer.jwks()}
                answer = documents.get(self.path)
                self.send_response(404 if answer is None else 200)
                self.end_headers()
                self.wfile.write(json.dumps(answer).encode())

            def log_message(self, *_args: object) -> None:
                """The requests are in `asked`."""

        return Handler
