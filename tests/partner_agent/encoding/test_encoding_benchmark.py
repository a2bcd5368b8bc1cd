"""The encoder's benchmark runs, checks equality first, and writes what it prints."""

import json
from pathlib import Path

import pytest

from benchmarks.encoding import main


def test_table_and_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A small run prints the three contenders for both schemas and writes the same figures."""
    target = tmp_path / "figures.json"
    main(["--records", "300", "--runs", "1", "--json", str(target)])
    printed = capsys.readouterr().out
    tables = json.loads(target.read_text(encoding="utf-8"))
    assert [figures["kind"] for figures in tables] == ["person", "every field type"]
    for figures in tables:
        assert [row["encoder"] for row in figures["rows"]] == [
            "clkhash, from rows",
            "hearthlink, from rows",
            "hearthlink, from Arrow columns",
        ]
        assert all(row["encoder"] in printed for row in figures["rows"])
        assert figures["rows"][0]["times_clkhash"] == 1.0
