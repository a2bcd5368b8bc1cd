"""Privacy notices that people were shown: kept in the agent's folder, known by their hash.

A consent names its notice by the hash of its bytes, so the very file is kept, once, under that hash
and with the name that its owner knows it by.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from governance.canonical import sha256
from governance.durable import write_durably
from partner_agent.cleansing.errors import OutputNotWrittenError
from partner_agent.console.drafts import shown_name

FOLDER: Final = "notices"
NOTICE_MOST: Final = 8 * 2**20  # bytes


@dataclass(frozen=True)
class Notice:
    """One notice."""

    hash: str
    name: str


def notices(home: Path) -> list[Notice]:
    """Every notice that is kept, by name."""
    folder = home / FOLDER
    if not folder.is_dir():
        return []
    found = [
        Notice(f"sha256:{path.stem}", path.read_text("utf-8"))
        for path in folder.glob("*.name")
        if path.with_suffix(".notice").is_file()
    ]
    return sorted(found, key=lambda notice: (notice.name, notice.hash))


def keep_notice(home: Path, name: str, content: bytes) -> Notice:
    """Keep a notice; the same bytes are kept once.

    Raises:
        OutputNotWrittenError: the home cannot be written to.
    """
    notice = Notice(sha256(content), shown_name(name))
    place = home / FOLDER / notice.hash.removeprefix("sha256:")
    try:
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_durably(place.with_suffix(".notice"), content)
        write_durably(place.with_suffix(".name"), notice.name.encode("utf-8", "replace"))
    except OSError as error:
        raise OutputNotWrittenError(
            f"the notice could not be kept: {error.strerror or type(error).__name__}",
            next_step="free some space, then try again",
        ) from None
    return notice
