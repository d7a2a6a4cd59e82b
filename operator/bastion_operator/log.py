"""The program's log on stderr: one line a decision, with the correlation id of its pass and the custom resource."""

import logging
import sys
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

import orjson

from bastion_operator.correlation import correlation_id, resource

LOG_FORMAT: Final = "%(asctime)s %(levelname)s %(name)s [%(correlation)s] %(message)s"
_NONE: Final = "-"


class LogFormat(StrEnum):
    """Lines for people, or for a collector of logs."""

    TEXT = "text"
    JSON = "json"


def start_log(level: str, log_format: LogFormat) -> None:
    """Log what is of this level or worse; what other libraries say only from warnings on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if log_format is LogFormat.JSON else logging.Formatter(LOG_FORMAT))
    handler.addFilter(mark)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # The SDK logs requests with their URLs, and those of operations are signed; kopf tells of each event.
    logging.getLogger("azure").setLevel(logging.WARNING)
    logging.getLogger("kopf").setLevel(logging.WARNING)


def mark(record: logging.LogRecord) -> bool:
    """A filter of log handlers: puts the id where :data:`LOG_FORMAT` shows it; a hyphen outside of passes."""
    record.correlation = correlation_id.get() or _NONE
    return True


class JsonLines(logging.Formatter):
    """One JSON object a line: ``time`` (RFC 3339, UTC), ``level``, ``logger``, ``message``; within a pass ``correlationID``
    and ``resource`` (kind, namespace, name); ``error`` with the traceback of what nobody foresaw.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without its end."""
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {
            "time": moment.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if correlation := correlation_id.get():
            line["correlationID"] = correlation
        if about := resource.get():
            line["resource"] = about
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return orjson.dumps(line).decode()
