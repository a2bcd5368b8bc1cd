"""What a killed program, or an officer who went home, leaves on the disk is there for a day."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from governance.canonical import utc_now, write_time
from partner_agent.console.drafts import Drafts
from partner_agent.leftovers import sweep

DAY = timedelta(hours=25)


def draft(home: Path) -> Path:
    """A draft whose file has come whole; its file."""
    drafts = Drafts(home, utc_now)
    id_, file = drafts.reserve()
    file.write_bytes(b"a,b\n1,2\n")
    drafts.keep(id_, "council_records", "a.csv", 8)
    return file


@pytest.mark.parametrize("state", [None, b"", b"{}", b'{"received": "long ago"}'])
def test_a_copy_goes_after_a_day_whatever_is_known_of_it(
    tmp_path: Path, state: bytes | None
) -> None:
    """What is being written stays, and what was noted of it need not be readable."""
    file = draft(tmp_path)
    if state is None:
        (file.parent / "draft.json").unlink()
    else:
        (file.parent / "draft.json").write_bytes(state)
    assert sweep(tmp_path, utc_now()) == 0
    assert file.exists()
    assert sweep(tmp_path, utc_now() + DAY) == 1
    assert not file.parent.exists()


def test_a_draft_of_which_a_time_is_no_time_goes_too(tmp_path: Path) -> None:
    """Its state is one that a person has edited."""
    file = draft(tmp_path)
    state = file.parent / "draft.json"
    drafts = Drafts(tmp_path, utc_now)
    drafts.change(file.parent.name, received="tomorrow")
    assert sweep(tmp_path, utc_now()) == 0
    assert sweep(tmp_path, utc_now() + DAY) == 1
    assert not state.exists()


def test_the_extract_goes_before_what_is_noted_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that cannot be destroyed now is one that the next sweep finds."""
    file = draft(tmp_path)
    real = Path.unlink

    def held(path: Path, *, missing_ok: bool = False) -> None:
        if path.name == "extract":
            raise PermissionError
        real(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", held)
    Drafts(tmp_path, utc_now).destroy(file.parent.name)
    assert [each.id for each in Drafts(tmp_path, utc_now).all()] == [file.parent.name]
    monkeypatch.undo()
    assert sweep(tmp_path, utc_now() + DAY) == 1
    assert not file.parent.exists()


def test_half_written_files_go_once_nobody_writes_to_them(tmp_path: Path) -> None:
    """Rows in plain text that a killed command left; what is at work or whole stays."""
    (tmp_path / "reports").mkdir()
    (tmp_path / "outbox").mkdir()
    left = [
        tmp_path / "reports" / ".council_records.rejects.csv.4711.part",
        tmp_path / "outbox" / f".{'a' * 32}.real",
        tmp_path / "outbox" / f"..{'a' * 32}.real.4711.part",
        tmp_path / ".mapping.yaml.1.part",
        tmp_path / f".mapping.yaml.{'0a' * 8}.part",
    ]
    whole = [tmp_path / "reports" / "council_records.rejects.csv", tmp_path / ".part"]
    old = (datetime.now(UTC) - DAY).timestamp()
    for path in [*left, *whole]:
        path.write_bytes(b"x")
        os.utime(path, (old, old))
    at_work = tmp_path / "reports" / f".police_cases.rejects.csv.{'0b' * 8}.part"
    at_work.write_bytes(b"x")
    assert sweep(tmp_path, utc_now()) == len(left)
    assert [path.exists() for path in [*left, *whole, at_work]] == [False] * 5 + [True] * 3


def test_what_cannot_be_destroyed_holds_up_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A stubborn file, and a folder that vanishes or is closed, are told without their names."""
    old = (datetime.now(UTC) - DAY).timestamp()
    files = [tmp_path / name / ".jane_doe.csv.1.part" for name in ("a", "b", "c")]
    for file in files:
        file.parent.mkdir()
        file.write_bytes(b"x")
        os.utime(file, (old, old))
    unlink, scandir = Path.unlink, os.scandir

    def held(path: Path, *, missing_ok: bool = False) -> None:
        if path.parent.name == "a":
            raise PermissionError(13, "held", str(path))
        unlink(path, missing_ok=missing_ok)

    def closed(path: Path) -> Iterator[os.DirEntry[str]]:
        if Path(path).name == "b":
            raise PermissionError(13, "closed", str(path))
        return scandir(path)

    monkeypatch.setattr(Path, "unlink", held)
    monkeypatch.setattr(os, "scandir", closed)
    assert sweep(tmp_path, utc_now()) == 1
    assert [file.exists() for file in files] == [True, True, False]
    assert [record.message for record in caplog.records] == ["not swept"] * 2
    assert "jane" not in " ".join(str(vars(record)) for record in caplog.records)


def test_a_draft_of_the_future_goes_a_day_after_its_last_byte(tmp_path: Path) -> None:
    """The clock was wrong when it was received."""
    file = draft(tmp_path)
    later = write_time(utc_now() + timedelta(days=900))
    Drafts(tmp_path, utc_now).change(file.parent.name, received=later)
    assert sweep(tmp_path, utc_now(), begun=True) == 0
    assert sweep(tmp_path, utc_now() + DAY) == 1
    assert not file.parent.exists()
