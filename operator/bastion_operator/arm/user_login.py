"""The login of the person at the keyboard, for commands that ask Azure in their name. The operator never uses it."""

from typing import Any, Self

from azure.core.credentials import AccessToken
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import ClientAuthenticationError
from azure.identity.aio import DefaultAzureCredential

from bastion_operator.arm.cloud import Cloud
from bastion_operator.arm.errors import CredentialHolder

USER = "the user"
"""Whom budgets are counted for."""
USERS_LOGIN = CredentialHolder(
    "your login", "sign in with az login, or set AZURE_TENANT_ID, AZURE_CLIENT_ID and its secret"
)


class TenantCredential:
    """azure-identity's default chain, asked for the tokens of one tenant; None for the login's own."""

    def __init__(self, chain: AsyncTokenCredential, tenant_id: str | None) -> None:
        self._chain = chain
        self._tenant_id = tenant_id

    async def get_token(self, *scopes: str, tenant_id: str | None = None, **options: Any) -> AccessToken:
        """A token, of the tenant that a challenge of Azure names, else of the one asked for.

        Raises ClientAuthenticationError, its first line what Entra said where one of the chain's credentials got that far.
        """
        try:
            return await self._chain.get_token(*scopes, tenant_id=tenant_id or self._tenant_id, **options)
        except ClientAuthenticationError as error:
            said = next((line.strip() for line in error.message.splitlines() if "AADSTS" in line), None)
            if said is None:
                raise
            raise ClientAuthenticationError(said, response=error.response) from error

    async def close(self) -> None:
        """Close the chain's connections."""
        await self._chain.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()


def user_login(cloud: Cloud, tenant_id: str | None = None) -> AsyncTokenCredential:
    """Whatever azure-identity finds: environment variables, the machine's identity, the logins of az and other tools."""
    chain = DefaultAzureCredential(
        authority=cloud.authority,
        disable_instance_discovery=not cloud.verify_authority,
        connection_verify=cloud.ca_file or True,
        additionally_allowed_tenants=["*"] if tenant_id else [],
    )
    return TenantCredential(chain, tenant_id)
