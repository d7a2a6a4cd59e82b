"""What all identities share on the way to Azure: the cloud's endpoints, one transport, one clock."""

from dataclasses import dataclass, field
from typing import Any

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.pipeline.transport import AsyncHttpTransport

from bastion_operator.arm.azure_time import AzureTime
from bastion_operator.arm.budgets import Budgets
from bastion_operator.arm.client import ArmClient, CallObserver
from bastion_operator.arm.cloud import Cloud
from bastion_operator.arm.credentials import Identity, make_credential, principal_of
from bastion_operator.arm.errors import CredentialHolder
from bastion_operator.arm.send_turns import SendTurns
from bastion_operator.arm.transport import PooledTransport
from bastion_operator.clock import Clock
from bastion_operator.leadership import Leadership
from bastion_operator.traces import Traces

# Seconds to wait for a connection, and for each part of an answer. The SDK's own are five minutes.
REQUEST_TIMEOUT = 60.0


@dataclass(slots=True)
class ArmConnection:
    """Makes clients; close it when the last of them is closed.

    :ivar leadership: whether writes may be sent; by default they always may
    :ivar traces: where each call is told of; None: nowhere
    :ivar budgets: those of all identities: two of one client id share theirs
    :ivar azure_time: the time by the answers to all of them
    """

    cloud: Cloud
    clock: Clock
    observer: CallObserver | None = None
    request_timeout: float = REQUEST_TIMEOUT
    leadership: Leadership = field(default_factory=Leadership.undisputed)
    traces: Traces | None = None
    budgets: Budgets = field(init=False)
    azure_time: AzureTime = field(init=False)
    _turns: SendTurns = field(default_factory=SendTurns, init=False)
    _transport: AsyncHttpTransport[Any, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.budgets = Budgets(self.clock)
        self.azure_time = AzureTime(self.clock)
        self._transport = PooledTransport(self.cloud.ca_file, self.request_timeout, self.leadership)

    def client(
        self,
        identity: Identity,
        holder: CredentialHolder | None = None,
        *,
        subscriptions: frozenset[str] | None = None,
    ) -> ArmClient:
        """A client that acts as this identity; its errors name the holder. It asks nothing outside ``subscriptions``, the
        ids in lower case; None sets no such limit.

        :raises CredentialSettingsError: if the identity's settings cannot be used
        """
        credential = make_credential(identity, self.cloud)
        return self.client_with(credential, principal_of(identity), holder, subscriptions=subscriptions)

    def client_with(
        self,
        credential: AsyncTokenCredential,
        principal: str,
        holder: CredentialHolder | None = None,
        *,
        subscriptions: frozenset[str] | None = None,
    ) -> ArmClient:
        """A client with a credential that is there already; ``principal`` is whom Azure counts its calls for."""
        return ArmClient(
            credential=credential,
            cloud=self.cloud,
            clock=self.clock,
            transport=self._transport,
            budgets=self.budgets,
            principal=principal,
            azure_time=self.azure_time,
            turns=self._turns,
            leadership=self.leadership,
            observer=self.observer,
            traces=self.traces,
            holder=holder or CredentialHolder(),
            subscriptions=subscriptions,
        )

    async def close(self) -> None:
        """Close the transport's connections."""
        await self._transport.close()
