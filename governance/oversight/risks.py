"""The DPIA's risks, the tests that guard each, and when those last passed.

Rules: the assessment (docs/DPIA.md) is the one source of risks and of the names of tests; a pass is
what a recorded run says (JUnit XML, as ``make invariants`` and ``make tests`` write it) and nothing
else; of each test the newest result counts, a skipped one never; a file of tests of which one
failed has failed, one of which none ran was not run, and the time shown is that of the oldest
result that counts, so that every test of the file that is counted passed then or later.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Final, Literal
from xml.etree import ElementTree as ET

from governance.canonical import Frozen, write_time
from governance.errors import FormatError
from governance.terminal import FileProblem

RESULTS_MAX_BYTES: Final = 16 * 1024 * 1024
_ROW: Final = re.compile(r"^\| (R[0-9]+) \|(.*)\|\s*$", re.MULTILINE)
_TEST: Final = re.compile(r"`([\w./]+\.py)`")
_LINK: Final = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_COLUMNS: Final = 6

State = Literal["passed", "failed", "not run"]


class Guard(Frozen):
    """A file of tests that guards a risk, as recorded runs left it.

    Attributes:
        passed: how many of its tests passed; ``failed`` likewise.
        time: when the oldest of the runs that count began; empty where it was not run.
        commit: which commit that run tested; empty where it does not say.
    """

    file: str
    state: State
    passed: int
    failed: int
    time: str
    commit: str


class Risk(Frozen):
    """A risk as the assessment has it."""

    id: str
    risk: str
    likelihood: str
    severity: str
    measure: str
    residual: str
    guards: tuple[Guard, ...]


@dataclass(frozen=True)
class Recorded:
    """A recorded run of tests.

    Attributes:
        time: when it began, aware.
        commit: what was tested, or empty.
        passed: for each file of tests, by the test's name, whether it passed; skipped ones are not
            there.
    """

    time: datetime
    commit: str
    passed: dict[str, dict[str, bool]]


def risks(assessment: str, runs: Iterable[Recorded]) -> list[Risk]:
    """The risks of an assessment, each with its guards.

    Args:
        assessment: the text of docs/DPIA.md.
        runs: recorded runs of tests, in any order.

    Raises:
        FormatError: it has no table of risks, or a row of another form.
    """
    newest = sorted(runs, key=lambda run: run.time, reverse=True)
    found = [_risk(match[1], match[2], newest) for match in _ROW.finditer(assessment)]
    if not found:
        raise FormatError("expected an assessment with a table of risks R1, R2 and so on")
    return found


def _risk(id_: str, cells: str, runs: list[Recorded]) -> Risk:
    columns = [cell.strip() for cell in cells.split("|")]
    if len(columns) != _COLUMNS:
        raise FormatError(f"{id_}: expected {_COLUMNS} columns after the number")
    risk, likelihood, severity, measure, guarded, residual = map(_plain, columns)
    return Risk(
        id=id_,
        risk=risk,
        likelihood=likelihood,
        severity=severity,
        measure=measure,
        residual=residual,
        guards=tuple(_guard(file, runs) for file in files_of(guarded)),
    )


def files_of(guarded: str) -> list[str]:
    """Files of tests that a cell names; a bare name lies beside the file before it."""
    found: list[str] = []
    for name in _TEST.findall(guarded):
        beside = PurePosixPath(found[-1]).parent if found and "/" not in name else None
        found.append(str(beside / name) if beside else name)
    return found


def _plain(text: str) -> str:
    """Without links and marks of emphasis."""
    return _LINK.sub(r"\1", text).replace("**", "")


def _guard(file: str, runs: list[Recorded]) -> Guard:
    """As the runs left it, which come newest first."""
    newest: dict[str, bool] = {}
    oldest: Recorded | None = None
    for run in runs:
        fresh = {
            test: passed for test, passed in run.passed.get(file, {}).items() if test not in newest
        }
        newest |= fresh
        oldest = run if fresh else oldest
    if oldest is None:
        return Guard(file=file, state="not run", passed=0, failed=0, time="", commit="")
    passed = sum(newest.values())
    return Guard(
        file=file,
        state="passed" if passed == len(newest) else "failed",
        passed=passed,
        failed=len(newest) - passed,
        time=write_time(oldest.time),
        commit=oldest.commit,
    )


def read_results(path: Path) -> Recorded:
    """A recorded run from a file.

    Raises:
        FileProblem: it cannot be read, or is too large.
        FormatError: see ``read_run``.
    """
    try:
        if path.stat().st_size > RESULTS_MAX_BYTES:
            raise FileProblem(f"{path.name} has more than {RESULTS_MAX_BYTES} bytes")
        return read_run(path.read_bytes())
    except OSError as error:
        raise FileProblem(f"{path.name} cannot be read: {error.strerror}") from None


def read_run(data: bytes) -> Recorded:
    """A recorded run from JUnit XML as pytest writes it.

    Raises:
        FormatError: too large, not such a file, or without the time at which the run began.
    """
    wrong = FormatError(
        "expected the results of a test run as pytest writes them",
        next_step="make invariants writes build/invariants.xml",
    )
    if len(data) > RESULTS_MAX_BYTES or b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise wrong
    try:
        suite = next(ET.fromstring(data).iter("testsuite"))  # noqa: S314 - no entities
        time = datetime.fromisoformat(suite.attrib["timestamp"])
    except (ET.ParseError, StopIteration, KeyError, ValueError):
        raise wrong from None
    if time.tzinfo is None:
        raise wrong
    passed: dict[str, dict[str, bool]] = {}
    for case in suite.iter("testcase"):
        file, name = _file_of(case.attrib.get("classname", "")), case.attrib.get("name", "")
        tags = {child.tag for child in case}
        if file and "skipped" not in tags:
            tests = passed.setdefault(file, {})
            # a test that passes and fails while it is taken down stands there twice
            tests[name] = tests.get(name, True) and not tags & {"failure", "error"}
    properties = {each.get("name"): each.get("value", "") for each in suite.iter("property")}
    return Recorded(time.astimezone(UTC), properties.get("commit", ""), passed)


def _file_of(classname: str) -> str:
    """The file of a test, from the dotted name of its module and class; empty where it is none."""
    parts = classname.split(".")
    modules = [at for at, part in enumerate(parts) if part.startswith("test_")]
    return "/".join(parts[: modules[-1] + 1]) + ".py" if modules else ""
