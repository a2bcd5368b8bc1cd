"""Logs of the services: one JSON object a line on stderr; ids and counts, never a value."""

import json
import logging
import time
import traceback
from pathlib import Path
from typing import Final

_FIELDS: Final = frozenset(vars(logging.makeLogRecord({}))) | {
    "message",
    "asctime",
    "color_message",  # uvicorn's, for terminals
}

FRAMES: Final = 4
"""Calls of a failure that a log names."""


def where(error: BaseException) -> dict[str, str]:
    """What kind of error it was, and in which lines; never its words, which may hold a value.

    Returns:
        ``error``, the type's name, and ``where``, the innermost ``FRAMES`` of file, line, function.
    """
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
    return {
        "error": type(error).__name__,
        "where": " < ".join(
            f"{'/'.join(Path(frame.filename).parts[-2:])}:{frame.lineno} {frame.name}"
            for frame in reversed(frames)
        ),
    }


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time (UTC), level, message and the fields given as ``extra``."""

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        fields = {key: value for key, value in vars(record).items() if key not in _FIELDS}
        head = {
            "time": self.formatTime(record),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        if record.exc_info and record.exc_info[1]:
            head |= where(record.exc_info[1])
        return json.dumps(head | fields, default=str)


def log_to_stderr() -> None:
    """Send every log of this process to stderr as JSON lines."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for noisy in ("httpx", "alembic", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
