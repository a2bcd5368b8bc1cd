"""Search in the ledger; nothing is shown that is not proved.

Rules, in order: the index only names places; an entry is read from the copy; its leaf's hash has to
lead by its inclusion proof (RFC 9162 2.1.3) to the root of a checkpoint that the log has signed,
and only then is it shown, with the proof and the checkpoint; the proof's text is C2SP
``tlog-proof``, which other programs verify. An entry that may not count is shown as such.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from pydantic import BaseModel, Field

from governance.canonical import Frozen, b64, parse_json, unb64
from governance.errors import FormatError
from governance.identity.envelope import Envelope
from governance.ledger.errors import OutOfRangeError
from governance.ledger.events import Event, EventType
from governance.ledger.merkle import HASH_BYTES, leaf_hash, verify_inclusion
from governance.ledger.mirror import Mirror
from governance.ledger.note import Note, open_checkpoint
from governance.ledger.payloads import read_payload
from governance.ledger.proof import EntryProof
from governance.oversight.state import Overseen, read_entry

PAGE: Final = 25  # entries
_HIDDEN: Final = frozenset({"signature", "signatures", "subject", "ciphertext", "format"})


class Query(Frozen):
    """What is searched; each condition that is given has to fit.

    Attributes:
        id: of an event.
        leaf: hash of a leaf: ``sha256:`` and hex, or base64 as in proofs.
        request: hash of a request: all about it.
        family: all about requests about it.
        party: who wrote the entry.
        kind: type of event.
        since: first day, UTC.
        until: last day, UTC.
    """

    id: str | None = Field(default=None, pattern=r"^[0-9a-f]{32}$")
    leaf: str | None = None
    request: str | None = Field(default=None, pattern=r"^sha256:[0-9a-f]{64}$")
    family: str | None = Field(default=None, pattern=r"^f-[0-9a-f]{32}$")
    party: str | None = None
    kind: EventType | None = None
    since: date | None = None
    until: date | None = None


class Proven(Frozen):
    """An entry with its proof, verified.

    Attributes:
        fields: what its payload says, but for signatures, ciphertexts and whom it is about.
        erased: whether there is no payload any more.
        counts: whether it was admitted.
        leaf_hash: base64, as in the proof; ``hashes`` are the path to the root.
        size: entries under the checkpoint, whose ``root`` the path leads to.
        proof: C2SP ``tlog-proof``.
    """

    index: int
    id: str
    kind: EventType
    time: str
    party: str
    refs: tuple[str, ...]
    fields: dict[str, Any]
    erased: bool
    counts: bool
    leaf_hash: str
    hashes: tuple[str, ...]
    size: int
    root: str
    checkpoint: str
    proof: str


@dataclass(frozen=True)
class Found:
    """A page of what was found.

    Attributes:
        total: places in all.
        entries: of this page, the newest first.
    """

    total: int
    entries: tuple[Proven, ...]


def search(
    state: Overseen, mirror: Mirror, note: Note, query: Query, start: int = 0, most: int = PAGE
) -> Found:
    """Entries that fit a query, each proved under a checkpoint.

    Args:
        state: the replay.
        mirror: the copy that it is of.
        note: a checkpoint that the log signed, of no more entries than the copy has.
        query: conditions.
        start: how many of the newest are passed over.
        most: entries of the page.

    Raises:
        FormatError: a leaf hash that is none.
        AlteredEntryError, ProofError: what the copy holds is not what the log signed.
    """
    total, shown = find(state, query, _size(mirror, note), start, most)
    return Found(total, tuple(proven(state, mirror, note, place) for place in shown))


def find(
    state: Overseen, query: Query, size: int, start: int = 0, most: int = PAGE
) -> tuple[int, list[int]]:
    """How many places fit a query, and a page of them, the newest first; nothing is proved.

    Args:
        state: the replay.
        query: conditions.
        size: of so many first entries only.
        start: how many of the newest are passed over.
        most: places of the page.

    Raises:
        FormatError: a leaf hash that is none.
    """
    columns = state.chronicle.entries
    narrowed: list[list[int]] = []
    if query.id is not None:
        narrowed.append(columns.with_id(query.id))
    if query.leaf is not None:
        narrowed.append(columns.with_hash(read_hash(query.leaf)))
    if query.request is not None:
        narrowed.append(_about(state, [query.request]))
    if query.family is not None:
        narrowed.append(_about(state, state.chronicle.families.get(query.family, ())))
    places = None
    if narrowed:
        places = sorted(set(narrowed[0]).intersection(*narrowed[1:]))
    found = columns.matching(
        kinds=None if query.kind is None else frozenset({query.kind}),
        authors=None if query.party is None else state.parties(query.party),
        since=None if query.since is None else _start(query.since),
        before=None if query.until is None else _start(query.until + timedelta(days=1)),
        places=places,
        most=size,
    )
    return len(found), found[start : start + most].tolist()


def proven(state: Overseen, mirror: Mirror, note: Note, index: int) -> Proven:
    """An entry with its proof, once that has verified.

    Raises:
        OutOfRangeError: replay or the checkpoint has no such entry.
        AlteredEntryError, ProofError: what the copy holds is not what the log signed.
    """
    checkpoint = open_checkpoint(note, mirror.log_key)
    if not 0 <= index < checkpoint.size:
        raise OutOfRangeError(f"the checkpoint has {checkpoint.size} entries")
    event = read_entry(state, mirror, index)
    digest = leaf_hash(event.leaf_bytes)
    hashes = mirror.inclusion_proof(index, checkpoint.size)
    verify_inclusion(digest, index, checkpoint.size, hashes, checkpoint.root)
    leaf = event.leaf
    return Proven(
        index=index,
        id=leaf.id,
        kind=leaf.type,
        time=leaf.time,
        party=state.party(leaf.author),
        refs=leaf.refs,
        fields=fields(event),
        erased=event.payload is None,
        counts=state.admitted(index),
        leaf_hash=b64(digest),
        hashes=tuple(map(b64, hashes)),
        size=checkpoint.size,
        root=b64(checkpoint.root),
        checkpoint=str(note),
        proof=str(EntryProof(index, tuple(hashes), note)),
    )


def fields(event: Event) -> dict[str, Any]:
    """What a payload says, to be read: signed documents opened, whom a consent is about left out.

    Nothing is verified here; replay has done so, or the entry does not count.
    """
    if event.payload is None:
        return {}
    try:
        return dict(_plain(read_payload(event)))
    except FormatError:  # of no form: it does not count
        return {}


def _plain(value: object) -> Any:
    match value:
        case Envelope():
            return _plain(parse_json(value.payload_bytes))
        case BaseModel():
            return {
                name: _plain(getattr(value, name))
                for name in type(value).model_fields
                if name not in _HIDDEN
            }
        case dict():
            return {
                str(name): _plain(inner) for name, inner in value.items() if name not in _HIDDEN
            }
        case list() | tuple():
            return [_plain(inner) for inner in value]
        case _:
            return value


def asked_for(state: Overseen, text: str) -> Query:
    """The query that an id, a hash or a family means.

    Raises:
        FormatError: none of them.
    """
    plain = text.strip()
    if re.fullmatch(r"[0-9a-f]{32}", plain):
        return Query(id=plain)
    if re.fullmatch(r"f-[0-9a-f]{32}", plain):
        return Query(family=plain)
    if plain in state.chronicle.requests:
        return Query(request=plain)
    read_hash(plain)
    return Query(leaf=plain)


def read_hash(text: str) -> bytes:
    """A leaf's hash from ``sha256:`` and hex, hex alone, or base64.

    Raises:
        FormatError: none of them.
    """
    plain = text.strip().removeprefix("sha256:")
    try:
        found = bytes.fromhex(plain) if len(plain) == 2 * HASH_BYTES else unb64(plain)
    except (ValueError, FormatError):
        found = b""
    if len(found) != HASH_BYTES:
        raise FormatError("a leaf's hash is sha256: and 64 hex digits, or 44 characters of base64")
    return found


def _about(state: Overseen, requests: Sequence[str]) -> list[int]:
    known = state.chronicle.requests
    return [place for request in requests if request in known for place in known[request].entries]


def _size(mirror: Mirror, note: Note) -> int:
    return open_checkpoint(note, mirror.log_key).size


def _start(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
