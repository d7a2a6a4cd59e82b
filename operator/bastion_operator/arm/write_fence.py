"""Where a write to Azure is stopped that another process may be making by now.

Azure knows no fencing tokens: it takes whatever reaches it. So the right to write is asked for as late as it can be:
in the last policy, after the token, which may have taken a minute to come; when the connection is there, which may have to
be made first; and before the first byte of a body, which aiohttp writes in a task of its own, a turn of the event loop
later. What is on its way by then is in Azure's hands.
"""

from typing import Any

from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import AsyncHTTPPolicy

from bastion_operator.leadership import Leadership

_READS = frozenset({"GET", "HEAD"})
# Its queries are sent by POST.
_GRAPH = "/providers/microsoft.resourcegraph/"


class WriteFencePolicy(AsyncHTTPPolicy[Any, Any]):
    """The last policy of a pipeline; a request that is sent again passes it again."""

    def __init__(self, leadership: Leadership) -> None:
        super().__init__()
        self._leadership = leadership

    async def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        """Send a read on, and a write if it may be made.

        :raises NotLeadingError: another process may be writing
        """
        if is_write(request.http_request.method, request.http_request.url):
            self._leadership.check()
        return await self.next.send(request)


def is_write(method: str, url: str) -> bool:
    """Whether a request can change something: all but reads and the graph's queries."""
    return method.upper() not in _READS and _GRAPH not in url.lower()
