"""Risks come from the assessment, passes from recorded runs; none is claimed that was not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from governance.errors import FormatError
from governance.oversight.risks import Recorded, files_of, read_run, risks

ROOT = Path(__file__).resolve().parents[3]
ASSESSMENT = """
| id | risk | likelihood | severity | measure | guarded by | residual |
|---|---|---|---|---|---|---|
| R1 | names | low | high | [a rule](adr/1.md) | `tests/a/test_one.py`, `test_two.py` | **low** |
| R2 | time | low | low | none | `tests/test_three.py` | low |
"""


def run(day: int, *cases: str, commit: str = "c0ffee") -> Recorded:
    """A recorded run on a day; ``one.name!`` failed and ``one.name?`` was skipped."""
    lines = []
    for case in cases:
        module, name = case.split(".")
        inner = "<failure/>" if "!" in name else "<skipped/>" if "?" in name else ""
        where = "tests.test_three" if module == "three" else f"tests.a.test_{module}"
        lines.append(f'<testcase classname="{where}" name="{name.rstrip("!?")}">{inner}</testcase>')
    properties = f'<properties><property name="commit" value="{commit}"/></properties>'
    time = f"2026-11-{day:02d}T10:00:00+00:00"
    return read_run(
        f'<testsuites><testsuite name="pytest" timestamp="{time}">{properties}{"".join(lines)}'
        "</testsuite></testsuites>".encode()
    )


def test_without_a_recorded_run_nothing_passed() -> None:
    """Each risk names its tests, and none of them is said to have passed."""
    first, second = risks(ASSESSMENT, [])
    assert [guard.file for guard in first.guards] == ["tests/a/test_one.py", "tests/a/test_two.py"]
    assert {guard.state for risk in (first, second) for guard in risk.guards} == {"not run"}
    assert (first.measure, first.residual) == ("a rule", "low")


def test_a_pass_is_what_a_run_recorded() -> None:
    """Passed, failed, skipped only: with the time and the commit of the run."""
    (one, two), (three,) = (
        risk.guards
        for risk in risks(ASSESSMENT, [run(1, "one.a", "one.b?", "two.a", "two.b!", "three.a?")])
    )
    assert (one.state, one.passed, one.time, one.commit) == (
        "passed", 1, "2026-11-01T10:00:00Z", "c0ffee",
    )  # fmt: skip
    assert (two.state, two.passed, two.failed) == ("failed", 1, 1)
    assert three.state == "not run"


@pytest.mark.parametrize(
    ("runs", "state", "time"),
    [
        ([run(1, "three.a!"), run(2, "three.a")], "passed", "2026-11-02T10:00:00Z"),
        ([run(2, "three.a!"), run(1, "three.a")], "failed", "2026-11-02T10:00:00Z"),
        ([run(1, "three.a!", "three.b"), run(2, "three.b")], "failed", "2026-11-01T10:00:00Z"),
        ([run(1, "three.a", "three.b"), run(2, "three.b")], "passed", "2026-11-01T10:00:00Z"),
        ([run(1, "three.a"), run(2, "three.a?")], "passed", "2026-11-01T10:00:00Z"),
        ([run(1, "three.a", "three.a!")], "failed", "2026-11-01T10:00:00Z"),
    ],
)
def test_the_newest_result_of_each_test_counts(runs: list[Recorded], state: str, time: str) -> None:
    """A newer pass of one test hides no failure of another, and no older pass a newer failure."""
    (guard,) = risks(ASSESSMENT, runs)[1].guards
    assert (guard.state, guard.time) == (state, time)


def test_every_guard_of_the_projects_assessment_is_a_file_of_tests() -> None:
    """Also those that are named beside the one before them."""
    found = risks((ROOT / "docs/DPIA.md").read_text("utf-8"), [])
    assert len(found) >= 29
    files = [guard.file for risk in found for guard in risk.guards]
    assert all(risk.guards for risk in found)
    assert not [file for file in files if not (ROOT / file).is_file()]


def test_pytest_records_what_is_read_here(tmp_path: Path) -> None:
    """A real run with this project's plugin writes time, commit, and results by file."""
    out, own = tmp_path / "results.xml", tmp_path / "tests" / "test_one.py"
    own.parent.mkdir()
    own.write_text("def test_that_passes():\n    pass\n")
    command = [
        *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "tests.recorded"),
        *("--rootdir", str(tmp_path), str(own), f"--junitxml={out}"),
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True)
    found = read_run(out.read_bytes())
    assert found.passed == {"tests/test_one.py": {"test_that_passes": True}}
    command = ["git", "rev-parse", "HEAD"]
    head = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert found.commit.removesuffix("-dirty") == head.stdout.strip()  # nothing: no working copy


@pytest.mark.parametrize(
    "data",
    [b"", b"<a/>", b"{}", b'<testsuite timestamp="yesterday"/>', b"<testsuite/>",
     b'<testsuite timestamp="2026-11-01T10:00:00"/>',
     b'<!DOCTYPE a [<!ENTITY b "c">]><testsuite timestamp="2026-11-01T10:00:00+00:00"/>'],
)  # fmt: skip
def test_what_is_no_recorded_run_gets_a_message(data: bytes) -> None:
    """A file of another form, without a time, or with entities to expand."""
    with pytest.raises(FormatError, match="results of a test run"):
        read_run(data)


def test_an_assessment_without_risks_gets_a_message() -> None:
    """Another document, or a row of another form."""
    with pytest.raises(FormatError, match="table of risks"):
        risks("# Something else", [])
    with pytest.raises(FormatError, match="R1: expected 6 columns"):
        risks("| R1 | a | b |", [])


def test_a_bare_name_lies_beside_the_file_before_it() -> None:
    """As the assessment writes them."""
    assert files_of("`tests/a/test_b.py`, `test_c.py`, `tests/test_d.py`, `test_e.py`") == [
        "tests/a/test_b.py", "tests/a/test_c.py", "tests/test_d.py", "tests/test_e.py",
    ]  # fmt: skip
