"""Logs hold no words of an error."""

import json
import logging
import sys

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
