"""The whole ledger as one file that an auditor verifies without any service.

The file is JSON Lines, gzip when its name ends in ``.gz``: first a header with the log's name, the
number of entries and the cosigned checkpoint; then each entry in order, as ``/v1/entries`` gives
it.

Rules of reading, in order: the header is an export's; the log signed its checkpoint (the caller's
key); every line is an entry, in its one spelling; there are exactly so many entries as the
checkpoint says; their leaves lead to its root; no payload is missing but of a consent record that a
``consent.erased`` names, since a hidden suspension or refusal would not count. What a caller
collects while reading counts only once the last line has been read.

Persisted format ``ledger-export/v1``: fields are never renamed or removed.
"""

import gzip
import io
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, BinaryIO, Final, Literal, cast

from pydantic import Field

from governance.canonical import Frozen, canonical_bytes, unb64
from governance.errors import FormatError
from governance.identity.envelope import parse_canonical
from governance.ledger.errors import LedgerError
from governance.ledger.events import (
    LEAF_MAX_BYTES,
    PAYLOAD_MAX_BYTES,
    Event,
    EventType,
    Leaf,
    WireEvent,
    read_event,
)
from governance.ledger.note import (
    NOTE_MAX_BYTES,
    Checkpoint,
    Note,
    VerifierKey,
    open_checkpoint,
    parse_note,
)
from governance.ledger.tree import MemoryTree

LINE_MAX_BYTES: Final = 4 * (LEAF_MAX_BYTES + PAYLOAD_MAX_BYTES) // 3 + 1_024  # base64 in JSON
_BASE64: Final = rb"[A-Za-z0-9+/]*={0,2}"
_LINE: Final = re.compile(  # canonical JSON of a WireEvent, since base64 needs no escapes
    rb'\{"leaf":"(%s)","payload":(?:"(%s)"|null),"salt":(?:"(%s)"|null)\}\n' % ((_BASE64,) * 3)
)
_ERASURE: Final = canonical_bytes({"type": EventType.CONSENT_ERASED.value}).strip(b"{}")
_AGAIN: Final = "ask whoever made the file for it again; if it stays so, tell the other partners"


class ExportError(LedgerError):
    """A file is no whole export of a ledger."""

    reason = "export.format"
    exit_code = 65  # EX_DATAERR


class ExportTruncated(ExportError):
    """The file holds fewer or more entries than its checkpoint says."""

    reason = "export.truncated"


class ExportAltered(ExportError):
    """The file's entries do not lead to the signed root."""

    reason = "export.altered"


class PayloadsWithheld(ExportError):
    """The file lacks payloads that nobody has erased."""

    reason = "export.withheld"


class ExportHeader(Frozen):
    """The first line."""

    format: Literal["ledger-export/v1"] = "ledger-export/v1"
    origin: Annotated[str, Field(max_length=255)]
    size: Annotated[int, Field(ge=1)]
    checkpoint: Annotated[str, Field(max_length=NOTE_MAX_BYTES)]


@dataclass(frozen=True)
class RawEntry:
    """An entry as bytes, not yet looked into but for its place."""

    index: int
    leaf: bytes
    salt: bytes | None
    payload: bytes | None

    @property
    def erases(self) -> bool:
        """Whether it says that records were erased; by its bytes, so that few have to be parsed."""
        return _ERASURE in self.leaf


class LedgerExport:
    """One file, opened with the log's pinned key.

    Raises:
        ExportError: unreadable, or not an export.
        NoteFormatError, NoteSignatureError: the checkpoint is not by this log.
    """

    def __init__(self, path: Path, log_key: VerifierKey) -> None:
        self._path = path
        with self._open() as file:
            header = self._header(file)
        self.note: Note = parse_note(header.checkpoint.encode())
        self.checkpoint: Checkpoint = open_checkpoint(self.note, log_key)
        if (header.origin, header.size) != (log_key.name, self.checkpoint.size):
            raise ExportError(f"{path.name}: header and checkpoint differ", next_step=_AGAIN)
        self.tree = MemoryTree()
        """Every leaf, once ``entries`` has ended."""

    def entries(self) -> Iterator[RawEntry]:
        """Every entry in order.

        Raises:
            ExportError: a line is no entry.
            ExportTruncated: fewer or more entries than the checkpoint says.
            ExportAltered: raised after the last entry: they do not lead to the root.
            PayloadsWithheld: likewise: a payload is missing that nobody has erased.
        """
        self.tree = MemoryTree()
        missing: dict[str, int] = {}
        erased: set[str] = set()
        with self._open() as file:
            self._header(file)
            while line := self._line(file):
                if self.tree.size == self.checkpoint.size:
                    raise ExportTruncated(f"{self._path.name}: entries after the last one")
                entry = self._entry(line)
                self.tree.append(entry.leaf)
                if entry.payload is None:
                    missing[self._erasable(entry).id] = entry.index
                elif entry.erases:
                    erased.update(self._leaf(entry).refs)
                yield entry
        if self.tree.size != self.checkpoint.size:
            raise ExportTruncated(
                f"{self._path.name} holds {self.tree.size} of {self.checkpoint.size} entries",
                next_step=_AGAIN,
            )
        if self.tree.root() != self.checkpoint.root:
            raise ExportAltered(
                f"{self._path.name}: its entries do not lead to the signed root", next_step=_AGAIN
            )
        require_erased(index for id_, index in missing.items() if id_ not in erased)

    def _entry(self, line: bytes) -> RawEntry:
        index = self.tree.size
        try:
            return _raw(index, line)
        except FormatError as error:
            raise ExportError(
                f"{self._path.name}: line {index + 2} is no entry of a ledger: {error.message}",
                next_step=_AGAIN,
            ) from None

    def _erasable(self, entry: RawEntry) -> Leaf:
        """The leaf of an entry without payload, which has to be a consent record's."""
        leaf = self._leaf(entry)
        if leaf.type is not EventType.CONSENT_RECORDED:
            require_erased([entry.index])
        return leaf

    def _leaf(self, entry: RawEntry) -> Leaf:
        try:
            return parse_canonical(entry.leaf, Leaf)
        except FormatError as error:
            raise ExportError(f"entry {entry.index}: {error.message}", next_step=_AGAIN) from None

    def _header(self, file: BinaryIO) -> ExportHeader:
        try:
            return parse_canonical(self._line(file).removesuffix(b"\n"), ExportHeader)
        except FormatError:
            raise ExportError(
                f"{self._path.name} is no export of a ledger",
                next_step="governance ledger export --ledger URL --ledger-key FILE --out FILE",
            ) from None

    def _line(self, file: BinaryIO) -> bytes:
        try:
            line = file.readline(LINE_MAX_BYTES)
        except (OSError, EOFError, zlib.error):
            raise ExportError(
                f"{self._path.name} cannot be read to its end", next_step=_AGAIN
            ) from None
        if line and not line.endswith(b"\n"):
            raise ExportTruncated(f"{self._path.name} ends within a line", next_step=_AGAIN)
        return line

    def _open(self) -> BinaryIO:
        try:
            if self._path.suffix == ".gz":
                return cast("BinaryIO", gzip.open(self._path, "rb"))
            return self._path.open("rb")
        except OSError as error:
            raise ExportError(f"{self._path.name} cannot be read: {error.strerror}") from None


def write_export(
    file: BinaryIO, note: Note, checkpoint: Checkpoint, events: Iterable[Event], *, packed: bool
) -> None:
    """Write an export.

    Args:
        file: opened for bytes.
        note: the checkpoint with its cosignatures.
        checkpoint: what the note says, verified.
        events: exactly the entries of that checkpoint, in order.
        packed: gzip; the same ledger gives the same bytes.
    """
    stream: BinaryIO | gzip.GzipFile = (
        gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) if packed else file
    )
    lines = io.BufferedWriter(cast("io.RawIOBase", stream), 1 << 20)
    header = ExportHeader(origin=checkpoint.origin, size=checkpoint.size, checkpoint=str(note))
    lines.write(canonical_bytes(header) + b"\n")
    for event in events:
        lines.write(canonical_bytes(WireEvent.of(event)) + b"\n")
    lines.flush()
    lines.detach()
    if stream is not file:
        stream.close()


def _raw(index: int, line: bytes) -> RawEntry:
    """The bytes of one line; only what is chosen is parsed further.

    Raises:
        FormatError: not leaf, payload and salt in their one spelling.
    """
    found = _LINE.fullmatch(line)
    if found is None:
        raise FormatError("expected leaf, payload and salt in canonical JSON")
    leaf, payload, salt = (
        None if value is None else unb64(value.decode()) for value in found.groups()
    )
    return RawEntry(index, leaf or b"", salt, payload)


def require_erased(withheld: Iterable[int]) -> None:
    """Check that nothing is left of the entries whose payloads are missing and were not erased.

    Raises:
        PayloadsWithheld: something is.
    """
    if indexes := sorted(withheld):
        raise PayloadsWithheld(
            f"{len(indexes)} entries have no payload, the first of them entry {indexes[0]}",
            next_step="ask whoever made the export for them: only consent records that their party "
            "has erased lack theirs",
        )


def event_of(entry: RawEntry) -> Event:
    """Parse an entry, and check that its payload is what the leaf commits to.

    Raises:
        ExportError: it is not.
    """
    try:
        return read_event(entry.leaf, entry.salt, entry.payload)
    except FormatError as error:
        raise ExportError(f"entry {entry.index}: {error.message}", next_step=_AGAIN) from None
