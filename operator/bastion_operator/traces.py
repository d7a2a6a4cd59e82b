"""Traces of passes and of calls to Azure: what is told of them, to whomever it is told. Off, it costs a call that does nothing.

The collector's side is :mod:`bastion_operator.otlp`, which is imported only where somebody asks for traces.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Final, Protocol
from urllib.parse import urlsplit

Value = str | int


class Span(Protocol):
    """Something that takes time, while it does."""

    def tell(self, name: str, value: Value) -> None:
        """Tell one more thing of it."""

    def failed(self, why: str) -> None:
        """It ended badly; ``why`` is one of few values, such as an HTTP status or the class of an error."""


class Traces(Protocol):
    """Where spans go."""

    def span(
        self, name: str, attributes: Mapping[str, Value], *, to: str | None = None
    ) -> AbstractContextManager[Span]:
        """While the block runs; spans that begin in it, or in what it starts, are its children.

        ``name`` is one of few values. ``to`` is the host that is asked: None for what happens here. Texts of errors that
        leave the block are not kept, but their class is.
        """

    def close(self) -> None:
        """Send what is left. It may take a few seconds."""


class _Untold:
    def tell(self, name: str, value: Value) -> None:
        pass

    def failed(self, why: str) -> None:
        pass


_UNTOLD: Final = _Untold()


class NoTraces:
    """Nobody wants to know."""

    @contextmanager
    def span(self, name: str, attributes: Mapping[str, Value], *, to: str | None = None) -> Iterator[Span]:
        """Run the block."""
        del name, attributes, to
        yield _UNTOLD

    def close(self) -> None:
        """There is nothing."""


def collector_url(endpoint: str | None) -> str | None:
    """The endpoint as it was set; an empty one is none.

    :raises ValueError: it is no URL of a collector, or holds what a log should not
    """
    if not endpoint:
        return None
    if not _is_collector(endpoint):
        raise ValueError(
            "--traces-endpoint is no URL such as http://collector:4318; what a collector wants to know of its senders goes "
            "into OTEL_EXPORTER_OTLP_HEADERS"
        )
    return endpoint


def _is_collector(endpoint: str) -> bool:
    try:
        url = urlsplit(endpoint)
        port = url.port
    except ValueError:  # a bracket without its other, or a port that is no number or too large
        return False
    plain = "@" not in endpoint and not url.query and not url.fragment
    return plain and url.scheme in {"http", "https"} and bool(url.hostname) and port != 0


def traces_to(endpoint: str | None, *, instance: str, ca_file: str | None) -> Traces:
    """Traces for the collector at this URL, such as ``http://collector:4318``; without one, none.

    :param instance: the name of this process among its like
    :param ca_file: certificates to trust in place of the system's own
    """
    if endpoint is None:
        return NoTraces()
    from bastion_operator.otlp import OtlpTraces  # noqa: PLC0415 - it takes memory, and most have no collector

    return OtlpTraces(endpoint, instance=instance, ca_file=ca_file)
