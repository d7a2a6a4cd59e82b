"""What all identities share on the way to Azure: the cloud's endpoints, one transport, one clock."""

from dataclasses import dataclass, field
from typing import Any

from azure.core.pipeline.transport import AioHttpTransport, AsyncHttpTransport

from bastion_operator.arm.client import ArmClient, CallObserver
from bastion_operator.arm.cloud import Cloud
from bastion_operator.arm.credentials import Identity, make_credential
from bastion_operator.clock import Clock


@dataclass(slots=True)
class ArmConnection:
    """Makes clients; close it when the last of them is closed."""

    cloud: Cloud
    clock: Clock
    observer: CallObserver | None = None
    _transport: AsyncHttpTransport[Any, Any] = field(default_factory=AioHttpTransport)

    def client(self, identity: Identity) -> ArmClient:
        """A client that acts as this identity.

        :raises CredentialSettingsError: if the identity's settings cannot be used
        """
        return ArmClient(make_credential(identity, self.cloud), self.cloud, self.clock, self._transport, self.observer)

    async def close(self) -> None:
        """Close the transport's connections."""
        await self._transport.close()
