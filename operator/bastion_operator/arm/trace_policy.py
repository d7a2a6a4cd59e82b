"""A span for each call to Azure: what was asked of which resource, what came of it, and the ids by which support finds it.

No header, no query and no body is told: tokens, signed URLs and what people wrote stay here.
"""

import re
from typing import Any
from urllib.parse import urlsplit

from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import AsyncHTTPPolicy

from bastion_operator.traces import Traces

_REFUSED = 400
# People write ids in any case.
_PROVIDERS = re.compile("/providers/", re.IGNORECASE)


class TracePolicy(AsyncHTTPPolicy[Any, Any]):
    """The first policy of a pipeline: what a token takes is part of the call."""

    def __init__(self, traces: Traces) -> None:
        super().__init__()
        self._traces = traces

    async def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        """Send it on, and tell of it. Names are those of OpenTelemetry's conventions where there is one."""
        http = request.http_request
        url = urlsplit(http.url)
        attributes = {
            "http.request.method": http.method,
            "url.path": url.path,
            "azurebastion.correlation_id": http.headers.get("x-ms-correlation-request-id", ""),
        }
        with self._traces.span(f"{http.method} {type_in(url.path)}", attributes, to=url.hostname or "") as span:
            answer = await self.next.send(request)
            response = answer.http_response
            span.tell("http.response.status_code", response.status_code)
            span.tell("azure.service.request.id", response.headers.get("x-ms-request-id", ""))
            if response.status_code >= _REFUSED:
                span.failed(str(response.status_code))
            return answer


def type_in(path: str) -> str:
    """``virtualNetworks/subnets`` of the path of a URL; ``subscriptions/resourceGroups`` of one without a provider."""
    # Without a provider a slash stands in front of the first type, as the provider's namespace does otherwise.
    parts = _PROVIDERS.split(path)[-1].rstrip("/").split("/")
    return "/".join(parts[1::2]) or "none"
