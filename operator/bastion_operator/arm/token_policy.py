"""How a request gets its token, and what is done about a token that Azure no longer takes.

Microsoft's page on continuous access evaluation: a client that declares it can (``cp1``) gets tokens that live for a
day and are revoked by a 401 with a claims challenge; the base class answers that. A 401 without one, as for a token that
somebody revoked in another way, is answered here: once, with a token that is newer than the refusal.
"""

import json
from datetime import datetime
from typing import Any

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.mgmt.core.policies import AsyncARMChallengeAuthenticationPolicy

from bastion_operator.arm.azure_time import date_of
from bastion_operator.clock import Clock

_UNAUTHORIZED = 401


class TokenPolicy(AsyncARMChallengeAuthenticationPolicy):
    """Puts the token on a request; after a 401 asks Entra once for another and sends the request again.

    Raises what the credential raises where Entra issues none. A second 401 is the answer.
    """

    def __init__(self, credential: AsyncTokenCredential, scope: str, clock: Clock) -> None:
        super().__init__(credential, scope, enable_cae=True)
        self._clock = clock

    async def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        """Send the request with a token."""
        response = await super().send(request)
        if response.http_response.status_code != _UNAUTHORIZED:
            return response
        held = self._token
        if held is None:
            # By Azure's own clock, as a challenge would have it: this machine's may be ahead by hours.
            refused_at = date_of(response.http_response.headers.get("Date")) or self._clock.now()
            await self.authorize_request(request, *self._scopes, claims=_newer_than(refused_at))
        elif request.http_request.headers["Authorization"] != f"Bearer {held.token}":
            # Another request has got a newer one meanwhile.
            await self.on_request(request)
        else:
            # The newest was refused: the base class has answered a challenge with it.
            return response
        return await self.next.send(request)


def _newer_than(now: datetime) -> str:
    """A claims request that no cached token meets: credentials pass their cache over for it."""
    return json.dumps({"access_token": {"nbf": {"essential": True, "value": str(int(now.timestamp()))}}})
