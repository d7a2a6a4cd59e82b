"""Where Azure is: the endpoints of a cloud, from the environment variables that the Azure SDKs share."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

PUBLIC_AUTHORITY = "https://login.microsoftonline.com"
PUBLIC_RESOURCE_MANAGER = "https://management.azure.com"

# Authorities that azure-identity can verify by instance discovery; any other host (Azure Stack, a local Azure) cannot be.
_KNOWN_AUTHORITIES = frozenset(
    {
        "login.microsoftonline.com",
        "login.microsoftonline.us",
        "login.chinacloudapi.cn",
        "login.partner.microsoftonline.cn",
    }
)


class CloudSettingsError(ValueError):
    """An endpoint that is not an https URL; the message names the setting and what to write instead."""


@dataclass(frozen=True, slots=True)
class Cloud:
    """The endpoints of one Azure cloud, without trailing slashes."""

    authority: str = PUBLIC_AUTHORITY
    resource_manager: str = PUBLIC_RESOURCE_MANAGER

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

        :raises CloudSettingsError: if one of them is not an https URL
        """
        return cls(
            authority=_https_url("AZURE_AUTHORITY_HOST", environment.get("AZURE_AUTHORITY_HOST") or PUBLIC_AUTHORITY),
            resource_manager=_https_url(
                "AZURE_RESOURCE_MANAGER_ENDPOINT",
                environment.get("AZURE_RESOURCE_MANAGER_ENDPOINT") or PUBLIC_RESOURCE_MANAGER,
            ),
        )


def _https_url(setting: str, value: str) -> str:
    # azure-identity takes a bare host as well, so this does too.
    url = value if "://" in value else f"https://{value}"
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        raise CloudSettingsError(f"{setting} is {value!r}: give an https URL such as {PUBLIC_RESOURCE_MANAGER}")
    return url.rstrip("/")
