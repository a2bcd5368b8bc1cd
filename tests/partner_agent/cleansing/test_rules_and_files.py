"""Indicator and marker rules, the rejects file, and files written whole."""

import csv
import resource
import signal
from pathlib import Path

import pytest

from partner_agent.cleansing.errors import OutputNotWrittenError
from partner_agent.cleansing.files import whole_file
from partner_agent.cleansing.rejects import rejects_file
from partner_agent.cleansing.rules import indicator_rule, marker_rule
from partner_agent.extracts.mapping import Indicator, Marker
from partner_agent.extracts.model import Reject


@pytest.mark.parametrize(
    ("rule", "cell", "expected"),
    [
        ({"below": 90}, "89.9", "met"),
        ({"below": 90}, "90", "unmet"),
        ({"below": 90}, "87%", "met"),
        ({"at_least": 1000}, "1,000", "met"),
        ({"at_least": 3}, "2", "unmet"),
        ({"at_least": 3}, "many", ""),
        ({"at_least": 3}, "", ""),
        ({"equals": ["Y", "1"]}, "y", "met"),
        ({"equals": ["Y"]}, "N", "unmet"),
        ({"equals": ["Y"]}, "not known", ""),
        ({"equals": ["NFA"]}, "NFA", "met"),
    ],
)
def test_indicators(rule: dict[str, object], cell: str, expected: str) -> None:
    """Blank, unknown and non-numbers are unknown, never unmet."""
    indicator = Indicator.model_validate({"column": "C", **rule})
    assert indicator_rule(indicator)(cell).value == expected


def test_markers_err_on_the_safe_side() -> None:
    """Listed values are yes or no, and anything else is a doubt."""
    rule = marker_rule(Marker(column="C", equals=("Y",), clear=("A",)))
    assert [rule(cell).value for cell in ("y", " Y ", "", "No", "0", "a", "B")] == [
        "y", "y", "", "", "", "", "?",
    ]  # fmt: skip


def test_the_rejects_file(tmp_path: Path) -> None:
    """Row, column, reason and the row itself, for its owner's eyes, with no live formula."""
    path = tmp_path / "rejects.csv"
    with rejects_file(path, ["id", "name"]) as writer:
        writer.write([Reject(2, "", "row.field_count", ("=cmd()",))])
        writer.write(Reject(n, "id", "row.undecodable", ("\udcff", "x")) for n in range(3, 10_003))
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream))
    assert rows[0] == ["row", "column", "reason", "id", "name"]
    assert rows[1] == ["2", "", "row.field_count", "'=cmd()"]
    assert len(rows) == 10_002
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_failed_run_leaves_the_older_file(tmp_path: Path) -> None:
    """Nothing half-written stands under the name, and no draft is left."""
    path = tmp_path / "out.csv"
    path.write_text("older")
    broken = Reject("x", "", "r", (None,))  # type: ignore[arg-type]
    with pytest.raises(AttributeError), rejects_file(path, ["half"]) as writer:
        writer.write([broken])
    assert path.read_text() == "older"
    assert [found.name for found in tmp_path.iterdir()] == ["out.csv"]


def test_a_full_disk_is_a_reason_not_a_trace(tmp_path: Path) -> None:
    """The system refuses to write further: the error says so, and the older file stays."""
    path = tmp_path / "out.csv"
    path.write_text("older")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # else the limit kills the process
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_096, before[1]))
    try:
        with pytest.raises(OutputNotWrittenError) as caught, whole_file(path) as stream:
            stream.write("x" * 1_000_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert caught.value.reason == "output.not_written"
    assert path.read_text() == "older"
    assert [found.name for found in tmp_path.iterdir()] == ["out.csv"]
