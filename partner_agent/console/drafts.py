"""Extracts that were handed to the console and are not prepared yet, on the disk.

Rules: a draft is a folder of the agent's home under a random id, readable by its owner alone; what
the file was called is kept for the page and is part of no path; the file is destroyed as soon as
its rows are in the outbox, when its owner throws it away, and after ``DRAFT_HOURS`` in any case,
the extract before what is noted of it; a folder of which nothing is noted, or a time that is still
to come, is as old as the last byte in it; where nothing is noted, it is destroyed when the program
starts again.
"""

import contextlib
import re
import secrets
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from governance.canonical import parse_json, parse_time, write_time
from governance.durable import sync_folder, write_durably
from governance.errors import FormatError
from governance.identity.envelope import parse_model
from partner_agent.cleansing.errors import OutputNotWrittenError
from partner_agent.cleansing.profile import ExtractProfile
from partner_agent.errors import AgentError

DRAFT_HOURS: Final = 24
NAME_MOST: Final = 120  # characters of a file's name that a page shows
_FOLDER: Final = "console"
_FILE: Final = "extract"
_STATE: Final = "draft.json"
_ID: Final = re.compile(r"[0-9a-f]{32}")
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class DraftUnknown(AgentError):
    """No such draft: thrown away, prepared, too old, or of another page."""

    reason = "console.draft"
    exit_code = 66  # EX_NOINPUT


class Draft(BaseModel):
    """One extract on its way; ``mapping`` is plain data as it would stand in YAML."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    source: str
    name: str
    bytes: int
    received: str
    profile: ExtractProfile | None = None
    mapping: dict[str, Any] | None = None


class Drafts:
    """The drafts of one home.

    Args:
        home: the agent's folder.
        now: the clock.
    """

    def __init__(self, home: Path, now: Callable[[], datetime]) -> None:
        self._folder = home / _FOLDER
        self._now = now

    def reserve(self) -> tuple[str, Path]:
        """A fresh id, and the file that its content belongs into.

        Raises:
            OutputNotWrittenError: the home cannot be written to.
        """
        id_ = secrets.token_hex(16)
        folder = self._folder / id_
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.mkdir(mode=0o700)
        except OSError as error:
            raise OutputNotWrittenError(
                f"the agent's folder cannot be written to: {error.strerror}",
                next_step="free some space, then try again",
            ) from None
        return id_, folder / _FILE

    def keep(self, id_: str, source: str, name: str, size: int) -> Draft:
        """Note a file that has come whole."""
        draft = Draft(
            id=id_, source=source, name=shown_name(name), bytes=size,
            received=write_time(self._now()),
        )  # fmt: skip
        self.save(draft)
        sync_folder(self._folder)
        return draft

    def save(self, draft: Draft) -> None:
        """Keep a draft as it is now.

        Raises:
            DraftUnknown: it was destroyed meanwhile.
        """
        folder = self._folder / draft.id
        if not folder.is_dir():
            raise _unknown()
        write_durably(folder / _STATE, draft.model_dump_json().encode())

    def change(self, id_: str, **values: object) -> Draft:
        """Change some of a draft.

        Raises:
            DraftUnknown: there is none.
        """
        draft = self.get(id_).model_copy(update=values)
        self.save(draft)
        return draft

    def get(self, id_: str) -> Draft:
        """A draft.

        Raises:
            DraftUnknown: there is none.
        """
        if not _ID.fullmatch(id_):
            raise _unknown()
        try:
            data = (self._folder / id_ / _STATE).read_bytes()
            return parse_model(parse_json(data), Draft)
        except (OSError, FormatError):
            raise _unknown() from None

    def file(self, draft: Draft) -> Path:
        """Where its rows are."""
        return self._folder / draft.id / _FILE

    def all(self) -> list[Draft]:
        """Every draft, the newest first."""
        found = []
        for folder in self._folders():
            try:
                found.append(self.get(folder.name))
            except DraftUnknown:
                continue  # being written, or being destroyed
        return sorted(found, key=lambda draft: draft.received, reverse=True)

    def destroy(self, id_: str) -> None:
        """Destroy a draft; nothing happens where there is none.

        The extract goes first: where it cannot be destroyed now (on Windows, while it is read) the
        draft stays, is shown, and is swept later.
        """
        if not _ID.fullmatch(id_):
            return
        try:
            (self._folder / id_ / _FILE).unlink(missing_ok=True)
        except OSError:
            return
        shutil.rmtree(self._folder / id_, ignore_errors=True)

    def sweep(self, *, begun: bool = False) -> int:
        """Destroy what is too old; how many.

        Args:
            begun: also what was being written, as the program does when it starts.
        """
        now = self._now()
        limit, done = now - timedelta(hours=DRAFT_HOURS), 0
        for folder in self._folders():
            try:
                received = parse_time(self.get(folder.name).received)
                old = (received if received <= now else _written(folder)) < limit
            except (DraftUnknown, FormatError):
                old = begun or _written(folder) < limit
            if old:
                self.destroy(folder.name)
                done += not folder.exists()
        return done

    def _folders(self) -> list[Path]:
        try:
            return [path for path in self._folder.iterdir() if _ID.fullmatch(path.name)]
        except OSError:  # there is none yet
            return []


def _written(folder: Path) -> datetime:
    """When something was last written to a folder."""
    times = [0.0]
    for path in (folder, folder / _FILE, folder / _STATE):
        with contextlib.suppress(OSError):
            times.append(path.stat().st_mtime)
    return datetime.fromtimestamp(max(times), UTC)


def shown_name(name: str) -> str:
    """A file's name as a page shows it: without folders and characters that change what is read."""
    last = re.split(r"[/\\]", name)[-1]
    return _CONTROLS.sub("", last)[:NAME_MOST].strip() or "a file without a name"


def _unknown() -> DraftUnknown:
    return DraftUnknown(
        "this extract is not here any more: it was prepared or thrown away, or a day has passed",
        next_step="choose the file again",
    )
