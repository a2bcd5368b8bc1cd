"""Files outlast a power failure: content first, then the name, then the folder."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from governance.durable import durable, write_durably
from governance.identity.files import write_secret
from governance.terminal import whole_file, write_bytes
from linkage_hub.refinement.decided import Decided, DecisionFiles
from linkage_hub.refinement.files import RoundFiles
from linkage_hub.refinement.pairs import PAIR
from linkage_hub.runs.work import Work
from linkage_hub.submissions.files import ContentFiles
from partner_agent.cleansing.files import whole_file as text_file

MANIFESTS = ["sha256:" + letter * 64 for letter in "ab"]


def _decisions(folder: Path) -> Path:
    pairs = np.zeros(1, dtype=PAIR)
    pairs["second"] = 1
    DecisionFiles(folder).add(MANIFESTS, Decided(pairs, np.ones(1, dtype=np.uint8)))
    return next(folder.glob("*.npy"))


def _parameters(folder: Path) -> Path:
    DecisionFiles(folder).keep_parameters(["a"], {"threshold": 1})
    return next(folder.glob("*.json"))


def _exported(folder: Path) -> Path:
    with whole_file(folder / "persons.csv") as file:
        file.write(b"x")
    return folder / "persons.csv"


def _settings(folder: Path) -> Path:
    with text_file(folder / "agent.json") as stream:
        stream.write("x")
    return folder / "agent.json"


def _document(folder: Path) -> Path:
    write_bytes(folder / "a.json", b"{}")
    return folder / "a.json"


def _secret(folder: Path) -> Path:
    write_secret(folder / "a.secret", b"{}")
    return folder / "a.secret"


def _candidates(folder: Path) -> Path:
    Work(folder).save_candidates([])
    return folder / "candidates.npz"


def _content(folder: Path) -> Path:
    ContentFiles(folder).append("a", 0, b"x", 1)
    return folder / "a.arrow"


def _answers(folder: Path) -> Path:
    RoundFiles(folder).write(np.zeros(0, dtype=PAIR), [])
    RoundFiles(folder).store_answers("police", 0, 1, b"x")
    return folder / "police.answers"


@pytest.mark.parametrize(
    "write",
    [
        _decisions, _parameters, _exported, _settings, _document, _secret, _candidates, _content,
        _answers,
    ],
)  # fmt: skip
def test_content_then_name_then_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[[Path], Path]
) -> None:
    """A file is synced while it has no name or grows, and its folder after it has one."""
    synced: list[tuple[int, bool]] = []
    fsync = os.fsync

    def watched(descriptor: int) -> None:
        found = os.fstat(descriptor)
        synced.append((found.st_ino, stat.S_ISDIR(found.st_mode)))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    path = write(tmp_path)
    assert (path.stat().st_ino, False) in synced
    assert synced[-1] == (tmp_path.stat().st_ino, True)
    assert not list(tmp_path.glob("*.part"))


def test_an_error_leaves_the_older_file(tmp_path: Path) -> None:
    """And nothing of the newer one."""
    path = tmp_path / "kept"
    write_durably(path, b"older")

    def fails() -> None:
        with durable(path) as file:
            file.write(b"newer")
            raise KeyError(path.name)

    with pytest.raises(KeyError):
        fails()
    assert path.read_bytes() == b"older"
    assert [each.name for each in tmp_path.iterdir()] == ["kept"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_draft_is_never_a_file_that_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a folder shared by a group, a link in the draft's place leads it nowhere."""
    shared, other = tmp_path / "shared", tmp_path / "other"
    shared.mkdir()
    other.write_bytes(b"of somebody else")
    monkeypatch.setattr("secrets.token_hex", lambda _bytes: "foreseen")
    for name in ("foreseen", str(os.getpid())):
        (shared / f".kept.{name}.part").symlink_to(other)
    with pytest.raises(FileExistsError):
        write_durably(shared / "kept", b"x")
    monkeypatch.undo()
    drafts, there = set(), {shared / "kept", *shared.iterdir()}
    for _ in range(2):
        with durable(shared / "kept", 0o640) as file:
            drafts |= set(shared.iterdir()) - there
            file.write(b"x")
    assert len(drafts) == 2
    assert other.read_bytes() == b"of somebody else"
    assert stat.S_IMODE((shared / "kept").stat().st_mode) == 0o640
