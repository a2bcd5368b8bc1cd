"""An entry's proof as one text that other programs read (c2sp.org/tlog-proof).

Index, inclusion proof from the leaf upwards, and the checkpoint with its cosignatures. No ``extra``
line is written or taken: nobody vouches for what it holds.

Signed format: the bytes never change.
"""

import re
from dataclasses import dataclass
from typing import Final

from governance.canonical import b64, unb64
from governance.errors import FormatError
from governance.ledger.errors import ProofShapeError
from governance.ledger.note import NOTE_MAX_BYTES, Note, parse_note

HEADER: Final = "c2sp.org/tlog-proof@v1"
PROOF_MAX_BYTES: Final = NOTE_MAX_BYTES + 64 * 64
_INDEX: Final = re.compile(r"index (0|[1-9][0-9]{0,18})")


@dataclass(frozen=True)
class EntryProof:
    """Where an entry is, the path to the root, and the checkpoint with that root."""

    index: int
    hashes: tuple[bytes, ...]
    note: Note

    def __str__(self) -> str:
        path = "".join(f"{b64(value)}\n" for value in self.hashes)
        return f"{HEADER}\nindex {self.index}\n{path}\n{self.note}"

    def encode(self) -> bytes:
        """UTF-8 bytes of the whole text."""
        return str(self).encode()


def parse_proof(data: bytes) -> EntryProof:
    """Read a proof; nothing in it is verified yet.

    Raises:
        ProofShapeError: not a proof in its one spelling.
        NoteFormatError: what follows the path is no signed note.
    """
    wrong = ProofShapeError(f"not a {HEADER} in its one spelling")
    if len(data) > PROOF_MAX_BYTES:
        raise wrong
    try:
        head, _, note = data.decode("utf-8").partition("\n\n")
        first, index, *path = head.split("\n")
        hashes = tuple(unb64(line) for line in path)
    except (ValueError, FormatError):  # a UnicodeDecodeError among them
        raise wrong from None
    found = _INDEX.fullmatch(index)
    if first != HEADER or found is None:
        raise wrong
    return EntryProof(int(found[1]), hashes, parse_note(note.encode()))
