"""What figures were made of: every file and what went into it, named by its hash (ADR 38).

Rules: beside what is written lies ``NAME.provenance.json``; a file that is checked is worked out
again from what went into it, and held against the bytes, not against a number. Hashes of figures
that staff see are told to nobody: whoever guesses a small number could tell that they guessed
right.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field

from governance.canonical import Frozen, Hash, Hex128
from governance.terminal import read_document, write_bytes, write_document
from governance.transparency.code import installed
from governance.transparency.models import Program
from linkage_hub.analytics.provenance import file_hash
from linkage_hub.errors import HubError

ENDING: Final = ".provenance.json"
Kind = Literal["tables", "private-tables", "needs", "later-referral", "money"]
Word = Annotated[str, Field(max_length=200)]


class Made(Frozen):
    """What some files were made of (``figures-provenance/v1``).

    Attributes:
        kind: which command.
        run, agreement: that they are of, where they are of one.
        inputs: hashes of what went in, by what it is.
        options: what was asked for, by the option's name.
        program: the one that made them.
        files: SHA-256 of each by its name.
    """

    format: Literal["figures-provenance/v1"] = "figures-provenance/v1"
    kind: Kind
    run: Hex128 | None = None
    agreement: Hash | None = None
    inputs: Annotated[dict[Word, Hash], Field(max_length=100)] = Field(default_factory=dict)
    options: Annotated[dict[Word, Word], Field(max_length=20)] = Field(default_factory=dict)
    program: Program
    files: Annotated[dict[Word, Hash], Field(min_length=1, max_length=100)]


class NotMadeSo(HubError):
    """Figures that are not as they were written, or that come out otherwise."""

    reason = "analytics.not_made_so"


def beside(path: Path) -> Path:
    """Where the provenance of a file lies."""
    return path.with_name(path.name + ENDING)


def write_made(
    main: Path,
    files: Mapping[Path, bytes],
    kind: Kind,
    *,
    run: str | None = None,
    agreement: str | None = None,
    inputs: Mapping[str, str] | None = None,
    options: Mapping[str, str] | None = None,
) -> Made:
    """Write files, and what they were made of beside the main one."""
    for path, content in files.items():
        write_bytes(path, content)
    made = Made(
        kind=kind,
        run=run,
        agreement=agreement,
        inputs=dict(inputs or {}),
        options=dict(options or {}),
        program=installed(),
        files={path.name: file_hash(path) for path in files},
    )
    write_document(beside(main), made)
    return made


def read_made(main: Path, kind: Kind) -> Made:
    """What a file was made of, and that all beside it are as they were written.

    Raises:
        NotMadeSo: it is of another kind, or a file was changed or is gone.
        FileProblem: there is no provenance, or none that can be read.
    """
    made = read_document(beside(main), Made)
    if made.kind != kind or main.name not in made.files:
        raise NotMadeSo(f"{beside(main).name} is not the provenance of such a file")
    changed = [
        name
        for name, hash_ in made.files.items()
        if not (main.parent / name).is_file() or file_hash(main.parent / name) != hash_
    ]
    if changed:
        raise NotMadeSo(f"not as it was written: {', '.join(sorted(changed))}")
    return made


def require_same(main: Path, again: bytes) -> None:
    """That a file's bytes are those that were worked out again.

    Raises:
        NotMadeSo: they are not.
    """
    if main.read_bytes() != again:
        raise NotMadeSo(
            f"{main.name} comes out otherwise",
            next_step="another version of the program may write it otherwise: see program in "
            f"{beside(main).name}",
        )
