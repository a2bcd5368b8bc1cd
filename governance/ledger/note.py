"""Signed notes, checkpoints and cosignatures as C2SP specifies them.

Sources: c2sp.org/signed-note, c2sp.org/tlog-checkpoint, c2sp.org/tlog-cosignature (Ed25519 forms:
signature types 0x01 and 0x04).

Rules, in order: a note is UTF-8 without control characters, at most ``NOTE_MAX_BYTES``; base64 and
numbers have one spelling only; lines of unknown keys are ignored; a line that claims a known key
and does not verify refuses the whole note.

Signed format: the bytes of a checkpoint and of a cosigned message never change.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from governance.canonical import b64, unb64
from governance.errors import FormatError, SignatureError
from governance.identity.keys import SIGNING_PUBLIC_BYTES, Signer, verify_ed25519
from governance.ledger.errors import NoteFormatError, NoteSignatureError
from governance.ledger.merkle import HASH_BYTES

NOTE_MAX_BYTES: Final = 64 * 1024
SIGNATURES_MAX: Final = 128  # the specification asks for at least 16
KEY_ID_BYTES: Final = 4
TIMESTAMP_BYTES: Final = 8
TIMESTAMP_MAX: Final = 2**63 - 1  # seconds since the epoch
_SIGNATURE_START: Final = "\u2014 "
_NAME: Final = re.compile(r"[^\s+]{1,255}")
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,18}")
_CHECKPOINT_LINES: Final = 3


class KeyKind(IntEnum):
    """Signature type bytes of the signed-note specification that are used here."""

    LOG = 0x01
    COSIGNATURE = 0x04


@dataclass(frozen=True)
class VerifierKey:
    """A named Ed25519 public key for one kind of signature (a ``vkey``)."""

    name: str
    kind: KeyKind
    public: bytes

    def __post_init__(self) -> None:
        _check_name(self.name)
        if len(self.public) != SIGNING_PUBLIC_BYTES:
            raise NoteFormatError(f"a verifier key holds {SIGNING_PUBLIC_BYTES} bytes")

    @property
    def key_id(self) -> bytes:
        """First four bytes of SHA-256(name, newline, kind, key)."""
        material = self.name.encode() + b"\n" + bytes([self.kind]) + self.public
        return hashlib.sha256(material).digest()[:KEY_ID_BYTES]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{b64(bytes([self.kind]) + self.public)}"


@dataclass(frozen=True)
class NoteSignature:
    """One signature line: the key's name and id, and the bytes that follow the id."""

    name: str
    key_id: bytes
    value: bytes

    @property
    def line(self) -> str:
        """The line as it stands in a note, with its newline."""
        return f"{_SIGNATURE_START}{self.name} {b64(self.key_id + self.value)}\n"

    def by(self, key: VerifierKey) -> bool:
        """Whether the line claims to be by this key."""
        return (self.name, self.key_id) == (key.name, key.key_id)


@dataclass(frozen=True)
class Note:
    """Text, ending in a newline, with its signatures."""

    text: str
    signatures: tuple[NoteSignature, ...]

    def __str__(self) -> str:
        return self.text + "\n" + "".join(signature.line for signature in self.signatures)

    def encode(self) -> bytes:
        """UTF-8 bytes of the whole note."""
        return str(self).encode()

    def with_signatures(self, more: Iterable[NoteSignature]) -> "Note":
        """The same note with further lines."""
        return Note(self.text, (*self.signatures, *more))


@dataclass(frozen=True)
class Checkpoint:
    """A tree head: which log, how many leaves, and their root."""

    origin: str
    size: int
    root: bytes

    def __post_init__(self) -> None:
        _check_name(self.origin)  # stricter than the specification: it is our key name as well
        if not 0 <= self.size <= TIMESTAMP_MAX or len(self.root) != HASH_BYTES:
            raise NoteFormatError("a checkpoint holds a tree size and a root of 32 bytes")

    @property
    def text(self) -> str:
        """The note text. Extension lines are not written: nobody could audit them."""
        return f"{self.origin}\n{self.size}\n{b64(self.root)}\n"


def parse_vkey(text: str) -> VerifierKey:
    """Read ``name+keyid+base64``.

    Raises:
        NoteFormatError: not an Ed25519 verifier key, or its id is not that of its key.
    """
    parts = text.split("+", 2)
    if len(parts) != 3:  # noqa: PLR2004 - name, id, key
        raise NoteFormatError("a verifier key looks like name+keyid+base64")
    name, key_id, material_text = parts
    material = _unbase64(material_text)
    if not material or material[0] not in set(KeyKind):
        raise NoteFormatError("a verifier key has signature type 0x01 or 0x04")
    key = VerifierKey(name, KeyKind(material[0]), material[1:])
    if key_id != key.key_id.hex():
        raise NoteFormatError("a verifier key's id does not belong to its name and key")
    return key


def witness_name(origin: str, party: str) -> str:
    """The key name of a party as a witness of one log: a path below the log's."""
    return f"{origin}/witness/{party}"


def witness_key(origin: str, party: str, public: bytes) -> VerifierKey:
    """The verifier key of a party as a witness of one log."""
    return VerifierKey(witness_name(origin, party), KeyKind.COSIGNATURE, public)


def parse_note(data: bytes) -> Note:
    """Read a signed note; nothing in it is verified yet.

    Raises:
        NoteFormatError: not a signed note in its one spelling.
    """
    if len(data) > NOTE_MAX_BYTES:
        raise NoteFormatError(f"a note has at most {NOTE_MAX_BYTES} bytes")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise NoteFormatError("a note is UTF-8") from None
    if any(ord(char) < 0x20 and char != "\n" for char in text):  # noqa: PLR2004 - U+0020
        raise NoteFormatError("a note has no control characters but newlines")
    body, blank, tail = text.rpartition("\n\n")
    if not blank or not tail.endswith("\n"):
        raise NoteFormatError("a note is text, an empty line, and signature lines")
    lines = tail[:-1].split("\n")
    if len(lines) > SIGNATURES_MAX:
        raise NoteFormatError(f"a note has at most {SIGNATURES_MAX} signatures")
    return Note(body + "\n", tuple(parse_signature_line(line + "\n") for line in lines))


def parse_signature_line(line: str) -> NoteSignature:
    """Read one signature line with its newline.

    Raises:
        NoteFormatError: not a signature line.
    """
    if not line.startswith(_SIGNATURE_START) or not line.endswith("\n"):
        raise NoteFormatError("a signature line begins with an em dash and a space")
    name, space, value = line[len(_SIGNATURE_START) : -1].partition(" ")
    _check_name(name)
    data = _unbase64(value)
    if not space or len(data) <= KEY_ID_BYTES:
        raise NoteFormatError("a signature line holds a key name, a key id and a signature")
    return NoteSignature(name, data[:KEY_ID_BYTES], data[KEY_ID_BYTES:])


def parse_checkpoint(text: str) -> Checkpoint:
    """Read the text of a checkpoint.

    Raises:
        NoteFormatError: not a checkpoint, or one with extension lines, which our log never signs.
    """
    lines = text.split("\n")
    if len(lines) != _CHECKPOINT_LINES + 1 or lines[-1]:
        raise NoteFormatError("a checkpoint has three lines: origin, tree size, root")
    return Checkpoint(lines[0], _number(lines[1]), _unbase64(lines[2]))


def sign_checkpoint(checkpoint: Checkpoint, key: VerifierKey, signer: Signer) -> Note:
    """A checkpoint signed by its log (type 0x01)."""
    value = signer.sign(checkpoint.text.encode())
    return Note(checkpoint.text, (NoteSignature(key.name, key.key_id, value),))


def open_checkpoint(note: Note, key: VerifierKey) -> Checkpoint:
    """The checkpoint of a note, once the log's signature on it verified.

    Args:
        note: as parsed.
        key: the log's key, known beforehand; its name is the log's origin.

    Raises:
        NoteSignatureError: no signature by this key, or a wrong one.
        NoteFormatError: the text is no checkpoint of this log.
    """
    claimed = [signature for signature in note.signatures if signature.by(key)]
    if not claimed or key.kind is not KeyKind.LOG:
        raise NoteSignatureError("the log did not sign this checkpoint")
    for signature in claimed:
        _verify(key, signature.value, note.text.encode())
    checkpoint = parse_checkpoint(note.text)
    if checkpoint.origin != key.name:
        raise NoteFormatError("the checkpoint is of another log")
    return checkpoint


def cosign(text: str, key: VerifierKey, signer: Signer, time: int) -> NoteSignature:
    """A witness's timestamped signature on a checkpoint's text.

    Args:
        text: the text of a checkpoint that the witness has verified.
        key: the witness's verifier key (type 0x04).
        signer: its private half.
        time: seconds since the epoch.
    """
    message = cosigned_message(text, time)
    value = time.to_bytes(TIMESTAMP_BYTES, "big") + signer.sign(message)
    return NoteSignature(key.name, key.key_id, value)


def cosigned_message(text: str, time: int) -> bytes:
    """What a witness signs: header line, time line, then the checkpoint's text.

    Raises:
        NoteFormatError: the time is outside what the format can carry.
    """
    if not 0 <= time <= TIMESTAMP_MAX:
        raise NoteFormatError("a cosignature's time is seconds since the epoch")
    return f"cosignature/v1\ntime {time}\n{text}".encode()


def verify_cosignature(text: str, signature: NoteSignature, key: VerifierKey) -> int:
    """Check a witness's signature on a checkpoint's text.

    Returns:
        The time at which the witness signed, in seconds since the epoch.

    Raises:
        NoteSignatureError: by another key, of another form, or wrong.
    """
    if key.kind is not KeyKind.COSIGNATURE or not signature.by(key):
        raise NoteSignatureError("the cosignature is by another key")
    time = int.from_bytes(signature.value[:TIMESTAMP_BYTES], "big")
    if time > TIMESTAMP_MAX:
        raise NoteSignatureError("the cosignature's time is impossible")
    _verify(key, signature.value[TIMESTAMP_BYTES:], cosigned_message(text, time))
    return time


def _verify(key: VerifierKey, signature: bytes, message: bytes) -> None:
    try:
        verify_ed25519(key.public, signature, message)
    except SignatureError:
        raise NoteSignatureError("a signature on the note does not verify") from None


def _check_name(name: str) -> None:
    # isspace covers Unicode spaces; isprintable covers every control and format character
    if not _NAME.fullmatch(name) or not name.isprintable():
        raise NoteFormatError("a key name has no spaces and no plus sign, and is not empty")


def _number(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise NoteFormatError("a tree size is a decimal number without leading zeroes")
    return int(text)


def _unbase64(text: str) -> bytes:
    try:
        data = unb64(text)
    except FormatError as error:
        raise NoteFormatError(error.message) from None
    if b64(data) != text:  # spare bits set: two spellings of one value
        raise NoteFormatError("base64 is not in its one spelling")
    return data
