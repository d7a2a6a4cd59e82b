"""A certificate authority of one's own and the server's certificate from it."""

import ssl
import tempfile
from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass(frozen=True, slots=True)
class Identity:
    """Three PEM texts: what clients have to trust, and what the server shows."""

    ca: str
    certificate: str
    key: str


def new_identity(host: str) -> Identity:
    """For loopback names and `host`."""
    authority = trustme.CA(organization_name="arm-emulator")
    names = {"localhost", "127.0.0.1", "::1", host} - {"0.0.0.0", "::", ""}  # noqa: S104  (left out, not bound)
    issued = authority.issue_cert(*sorted(names))
    chain = b"".join(blob.bytes() for blob in issued.cert_chain_pems)
    return Identity(authority.cert_pem.bytes().decode(), chain.decode(), issued.private_key_pem.bytes().decode())


def server_context(identity: Identity) -> ssl.SSLContext:
    """The TLS side of the listening socket: HTTP/1.1 only."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["http/1.1"])
    with tempfile.TemporaryDirectory() as folder:
        certificate, key = Path(folder, "certificate.pem"), Path(folder, "key.pem")
        certificate.write_text(identity.certificate)
        key.touch(mode=0o600)
        key.write_text(identity.key)
        context.load_cert_chain(certificate, key)
    return context


def write_ca(place: Path, identity: Identity) -> Path:
    """Writes the authority's certificate for clients, into a folder or beside a file; returns where."""
    path = place / "ca.pem" if place.is_dir() else place.with_name(place.name + ".ca.pem")
    path.write_text(identity.ca)
    return path
