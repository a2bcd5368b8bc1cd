"""The encoder's benchmark runs, checks equality first, and writes what it prints."""

import json
from pathlib import Path

import pytest

from benchmarks.encoding import main


def test_table_and_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A small run prints the three contenders and writes the same figures."""
    target = tmp_path / "figures.json"
    main(["--records", "300", "--runs", "1", "--json", str(target)])
    printed = capsys.readouterr().out
    figures = json.loads(target.read_text(encoding="utf-8"))
    assert [row["encoder"] for row in figures["rows"]] == [
        "clkhash, from rows",
        "hearthlink, from rows",
        "hearthlink, from Arrow columns",
    ]
    for row in figures["rows"]:
        assert row["encoder"] in printed
    assert figures["rows"][0]["times_clkhash"] == 1.0
