"""The request log: a JSON line for each request, written when it is answered (or its client is gone), flushed at once."""

from pathlib import Path
from typing import BinaryIO

import orjson

from arm_emulator.errors import Json


class RequestLog:
    """Appends to a file, or to nothing."""

    def __init__(self, path: Path | None) -> None:
        """Opens the file; it is appended to, so that a restart keeps what is there."""
        self._file: BinaryIO | None = None if path is None else path.open("ab", buffering=0)

    def write(self, entry: Json) -> None:
        """One line: time, principal, method, url, api_version, status, code, ms."""
        if self._file is not None:
            self._file.write(orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE))

    def close(self) -> None:
        """Closes the file."""
        if self._file is not None:
            self._file.close()
