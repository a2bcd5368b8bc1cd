"""Logs of the services: one JSON object a line on stderr; ids and counts, never a value."""

import json
import logging
from typing import Final

_FIELDS: Final = frozenset(vars(logging.makeLogRecord({}))) | {
    "message",
    "asctime",
    "color_message",  # uvicorn's, for terminals
}


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, message and the fields given as ``extra``."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        fields = {key: value for key, value in vars(record).items() if key not in _FIELDS}
        head = {
            "time": self.formatTime(record),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        if record.exc_info and record.exc_info[2]:
            head["where"] = self.formatException(record.exc_info).splitlines()[-2].strip()
        return json.dumps(head | fields, default=str)


def log_to_stderr() -> None:
    """Send every log of this process to stderr as JSON lines."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for noisy in ("httpx", "alembic", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
