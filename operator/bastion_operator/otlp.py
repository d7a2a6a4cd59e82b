"""Traces for a collector, by OpenTelemetry's own SDK and OTLP over HTTP.

Beyond the endpoint OpenTelemetry's variables decide: ``OTEL_EXPORTER_OTLP_HEADERS``, ``OTEL_TRACES_SAMPLER``,
``OTEL_RESOURCE_ATTRIBUTES``, ``OTEL_BSP_…``
(https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/).
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span as OtelSpan
from opentelemetry.trace import SpanKind, Status, StatusCode

from bastion_operator import __version__
from bastion_operator.traces import Span, Value

NAME: Final = "bastion-operator"
_PATH: Final = "/v1/traces"
_LAST_SECONDS: Final = 3.0


class _ToldSpan:
    def __init__(self, span: OtelSpan) -> None:
        self._span = span

    def tell(self, name: str, value: Value) -> None:
        self._span.set_attribute(name, value)

    def failed(self, why: str) -> None:
        self._span.set_attribute("error.type", why)
        self._span.set_status(Status(StatusCode.ERROR))


class OtlpTraces:
    """Spans are sent in batches by a thread of the SDK's own; a collector that is away costs them, and nothing else."""

    def __init__(self, endpoint: str, *, instance: str, ca_file: str | None) -> None:
        resource = Resource.create(
            {"service.name": NAME, "service.version": __version__, "service.instance.id": instance}
        )
        # The provider is not made the process' own: nothing but what is told here is traced.
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        exporter = OTLPSpanExporter(endpoint=endpoint.rstrip("/") + _PATH, certificate_file=ca_file)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer(NAME, __version__)

    @contextmanager
    def span(self, name: str, attributes: Mapping[str, Value], *, to: str | None = None) -> Iterator[Span]:
        """While the block runs."""
        here = attributes if to is None else {**attributes, "server.address": to}
        with self._tracer.start_as_current_span(
            name,
            kind=SpanKind.INTERNAL if to is None else SpanKind.CLIENT,
            attributes=here,
            # An error's text may be anything.
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            told = _ToldSpan(span)
            try:
                yield told
            except BaseException as error:
                told.failed(type(error).__name__)
                raise

    def close(self) -> None:
        """Send what is left, within seconds: a collector that is away holds up no shutdown."""
        last = threading.Thread(target=self._provider.shutdown, daemon=True)
        last.start()
        last.join(_LAST_SECONDS)
