"""Logs hold no words of an error."""

import json
import logging
import sys
import time

import pytest

from governance.web.logs import JsonFormatter


def test_an_errors_words_are_in_no_log() -> None:
    """Nor where they have several lines, as a database driver's have."""
    try:
        int("first\n[parameters: ('Ada Quixwald',)]\nlast")
    except ValueError:
        record = logging.LogRecord(
            "test", logging.ERROR, __file__, 1, "failed", None, sys.exc_info()
        )
    line = JsonFormatter().format(record)
    assert "Quixwald" not in line
    data = json.loads(line)
    assert data["error"] == "ValueError"
    assert "test_logs.py" in data["where"]


def test_times_are_in_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever the computer stands: logs of several parties can be put beside each other."""
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    try:
        record = logging.makeLogRecord({"created": 0.25, "msecs": 250.0, "msg": "begun"})
        line = json.loads(JsonFormatter().format(record))
    finally:
        monkeypatch.undo()
        time.tzset()
    assert line["time"] == "1970-01-01T00:00:00.250Z"


def test_a_line_is_one_line() -> None:
    """What a caller made up begins no line of its own, and steers no terminal."""
    made_up = '/x\r\n{"level": "info"}\x1b[2J'
    record = logging.makeLogRecord({"msg": "refused", "levelname": "INFO", "path": made_up})
    line = JsonFormatter().format(record)
    assert line.isprintable()
    assert json.loads(line)["path"] == made_up
