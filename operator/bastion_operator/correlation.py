"""The id that all that one pass does has in common: its requests to Azure, its lines in the log, its Events.

What a pass has started and leaves to go on (the watch of an operation, a reading of the inventory) keeps its id.
"""

import logging
from contextvars import ContextVar

correlation_id: ContextVar[str] = ContextVar("correlation_id", default="")
LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s [%(correlation)s] %(message)s"
# Annotation of an Event, as a note with it would make each repetition an Event of its own.
ANNOTATION = "azurebastion.dev/correlation-id"
_NONE = "-"


def mark(record: logging.LogRecord) -> bool:
    """A filter of log handlers: puts the id where :data:`LOG_FORMAT` shows it; a hyphen outside of passes."""
    record.correlation = correlation_id.get() or _NONE
    return True
