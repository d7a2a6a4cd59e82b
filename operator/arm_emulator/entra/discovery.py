"""What clients read before they ask for a token: OpenID configuration, instance discovery, a cloud's endpoints."""

from urllib.parse import urlsplit

from arm_emulator.errors import Json


def openid_configuration(authority: str, tenant: str) -> Json:
    """What MSAL reads before it asks for a token."""
    base = f"{authority}/{tenant}"
    return {
        "token_endpoint": f"{base}/oauth2/v2.0/token",
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "jwks_uri": f"{base}/discovery/v2.0/keys",
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": f"{base}/v2.0",
        "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
        "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
        "end_session_endpoint": f"{base}/oauth2/v2.0/logout",
        "tenant_region_scope": None,
        "cloud_instance_name": urlsplit(authority).netloc,
    }


def instance_discovery(authority: str, tenant: str) -> Json:
    """The answer to MSAL's question whether this authority is one."""
    host = urlsplit(authority).netloc
    return {
        "tenant_discovery_endpoint": f"{authority}/{tenant}/v2.0/.well-known/openid-configuration",
        "api-version": "1.1",
        "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
    }


def endpoints(endpoint: str, api_version: str) -> Json | list[Json]:
    """The cloud's endpoints, all of them here.

    Versions from 2019-05-01 on answer a list of clouds, and from 2022-09-01 on the one that was asked: `az cloud register`
    and HashiCorp's go-azure-sdk read that.
    """
    host = endpoint.partition("//")[2]
    cloud: Json = {
        "name": "LocalAzure",
        "portal": endpoint,
        "authentication": {
            "loginEndpoint": endpoint,
            "audiences": ["https://management.core.windows.net/", "https://management.azure.com/"],
            "tenant": "common",
            "identityProvider": "AAD",
        },
        "graph": endpoint,
        "graphAudience": endpoint,
        "resourceManager": endpoint,
        "media": endpoint,
        "activeDirectoryDataLake": endpoint,
        "batch": endpoint,
        "gallery": endpoint,
        "sqlManagement": endpoint,
        "microsoftGraphResourceId": endpoint,
        "suffixes": {"keyVaultDns": host, "storage": host, "acrLoginServer": host, "sqlServerHostname": host},
    }
    if api_version >= "2022-09-01":
        return cloud
    if api_version >= "2019-05-01":
        return [cloud]
    return {
        "galleryEndpoint": endpoint,
        "graphEndpoint": endpoint,
        "portalEndpoint": endpoint,
        "authentication": {
            "loginEndpoint": endpoint,
            "audiences": ["https://management.core.windows.net/", "https://management.azure.com/"],
        },
    }
