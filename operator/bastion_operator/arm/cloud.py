"""Where Azure is: the endpoints of a cloud, from the environment variables that the Azure SDKs share."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from bastion_operator.problems import Problems, WrongSettingsError

PUBLIC_AUTHORITY = "https://login.microsoftonline.com"
PUBLIC_RESOURCE_MANAGER = "https://management.azure.com"
TOKEN_FILE = "AZURE_FEDERATED_TOKEN_FILE"  # noqa: S105 - the name of a variable

# Authorities that azure-identity can verify by instance discovery; any other host (Azure Stack, a local Azure) cannot be.
_KNOWN_AUTHORITIES = frozenset(
    {
        "login.microsoftonline.com",
        "login.microsoftonline.us",
        "login.chinacloudapi.cn",
        "login.partner.microsoftonline.cn",
    }
)


class CloudSettingsError(WrongSettingsError):
    """Settings that cannot be used; the message names each and what to write instead."""


@dataclass(frozen=True, slots=True)
class Cloud:
    """The endpoints of one Azure cloud, without trailing slashes.

    :ivar ca_file: certificates to trust in place of the system's own, as a private cloud or a proxy needs them
    :ivar token_file: the service account's token for Entra, which Azure's workload identity webhook mounts
    """

    authority: str = PUBLIC_AUTHORITY
    resource_manager: str = PUBLIC_RESOURCE_MANAGER
    ca_file: str | None = None
    token_file: str | None = None

    @property
    def scope(self) -> str:
        """The OAuth scope that ARM's tokens are asked for."""
        return f"{self.resource_manager}/.default"

    @property
    def verify_authority(self) -> bool:
        """Whether Entra's instance discovery knows the authority."""
        return urlsplit(self.authority).hostname in _KNOWN_AUTHORITIES

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Cloud":
        """Read AZURE_AUTHORITY_HOST and AZURE_RESOURCE_MANAGER_ENDPOINT; the public cloud where they are not set.

        AZURE_FEDERATED_TOKEN_FILE is only taken note of: who has no use for it needs no such file.

        :raises CloudSettingsError: if an endpoint is not an https URL, or SSL_CERT_FILE names no file
        """
        problems = Problems()
        authority = problems.read(lambda: _https_url(environment, "AZURE_AUTHORITY_HOST", PUBLIC_AUTHORITY))
        resource_manager = problems.read(
            lambda: _https_url(environment, "AZURE_RESOURCE_MANAGER_ENDPOINT", PUBLIC_RESOURCE_MANAGER)
        )
        ca_file = problems.read(lambda: _file("SSL_CERT_FILE", environment.get("SSL_CERT_FILE")))
        problems.settle(CloudSettingsError)
        return cls(authority, resource_manager, ca_file, environment.get(TOKEN_FILE) or None)


def _file(setting: str, value: str | None) -> str | None:
    # OpenSSL passes over a file that is not there, and every call would fail with an unknown authority.
    if value and not Path(value).is_file():
        raise ValueError(f"{setting} is {value!r}: no such file; name a file of PEM certificates, or unset it")
    return value or None


def _https_url(environment: Mapping[str, str], setting: str, public: str) -> str:
    value = environment.get(setting) or public
    # azure-identity takes a bare host as well, so this does too.
    url = value if "://" in value else f"https://{value}"
    if not _is_https(url):
        raise ValueError(f"{setting} is {value!r}: give an https URL such as {public}")
    return url.rstrip("/")


def _is_https(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:  # a bracket without its other
        return False
    return parts.scheme == "https" and bool(parts.hostname)
