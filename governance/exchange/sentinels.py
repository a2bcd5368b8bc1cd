"""Synthetic rows of a submission: how a partner commits to them, and how it reveals them.

Rules: the submission's manifest holds the SHA-256 of a *key to the rows*, an Arrow file that names
each synthetic row's handle, the synthetic person that it stands for, and that person's groups. The
file is written when the submission is prepared, with 32 random bytes in its metadata, so that the
hub can neither guess it nor be given another one after it has linked. It is handed over only for
a run whose persons the hub has fixed in the ledger before (``SentinelsOpened``).

Persisted format ``sentinel-key/v1``: columns are never reordered, renamed or removed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, get_args

import pyarrow as pa

from governance.agreements.quality import QualityGroup
from governance.canonical import sha256
from governance.errors import FormatError
from governance.exchange.arrow import announced, batches_of, read_schema
from governance.exchange.submission import AGE_BANDS, HANDLE_BYTES

KEY_FORMAT: Final = "sentinel-key/v1"
SALT_BYTES: Final = 32
PERSON_BYTES: Final = 16
KEY_MOST: Final = 64 * 1024 * 1024  # bytes

GROUPS: Final[tuple[QualityGroup, ...]] = get_args(QualityGroup)
SEXES: Final = ("m", "f")
NAME_ORIGINS: Final = ("common_local", "other_latin", "transliterated")
MOVER: Final = ("mover", "stayer")
VALUES: Final[dict[QualityGroup, tuple[str, ...]]] = {
    "sex": SEXES,
    "age_band": AGE_BANDS,
    "name_origin": NAME_ORIGINS,
    "mover": MOVER,
}
"""Values of each group; a record of which it is not known has none (``unknown``)."""

KEY_SCHEMA: Final = pa.schema(
    [
        pa.field("handle", pa.binary(HANDLE_BYTES), nullable=False),
        pa.field("person", pa.binary(PERSON_BYTES), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        *(pa.field(name, pa.string()) for name in GROUPS),
    ]
)
PLAIN, HARD, DECOY = "plain", "hard", "decoy"
KINDS: Final = (PLAIN, HARD, DECOY)


@dataclass(frozen=True, slots=True)
class SyntheticRecord:
    """One synthetic row.

    Attributes:
        handle: 32 hexadecimal digits, as the submission has it.
        person: 32 hexadecimal digits; the same wherever the same synthetic person stands.
        kind: ``plain``; ``hard``, one of two people easily taken for one; ``decoy``, somebody
            whom no other row stands for.
        groups: the person's value of each group, where it has one.
    """

    handle: str
    person: str
    kind: str
    groups: dict[str, str]


def write_key(records: Sequence[SyntheticRecord], salt: bytes) -> bytes:
    """The key to a submission's synthetic rows, sorted by handle.

    Raises:
        FormatError: the salt does not have 32 bytes.
    """
    if len(salt) != SALT_BYTES:
        raise FormatError(f"a salt of {SALT_BYTES} bytes is expected")
    ordered = sorted(records, key=lambda record: record.handle)
    columns: dict[str, list[object]] = {
        "handle": [bytes.fromhex(record.handle) for record in ordered],
        "person": [bytes.fromhex(record.person) for record in ordered],
        "kind": [record.kind for record in ordered],
    }
    for name in GROUPS:
        columns[name] = [record.groups.get(name) for record in ordered]
    schema = KEY_SCHEMA.with_metadata({"format": KEY_FORMAT, "salt": salt.hex()})
    table = pa.Table.from_pydict(columns, schema=schema)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, schema) as writer:
        writer.write_table(table)
    found: bytes = sink.getvalue().to_pybytes()
    return found


def commitment(key: bytes) -> str:
    """What the manifest says of a key: its SHA-256, which the salt inside keeps from being guessed.

    ``sha256:<64 hex>``.
    """
    return sha256(key)


def read_key(key: bytes, most: int = KEY_MOST) -> list[SyntheticRecord]:
    """The synthetic rows that a key names.

    Args:
        key: the file.
        most: rows that it may name; checked before any is read.

    Raises:
        FormatError: it is not of the form above, announces more rows or more bytes than it has
            (a key is not compressed), names a handle twice, or a group's value is not in the closed
            lists.
    """
    whole = pa.py_buffer(key)
    schema = read_schema(whole)
    metadata = schema.metadata or {}
    if not schema.equals(KEY_SCHEMA) or metadata.get(b"format") != KEY_FORMAT.encode():
        raise FormatError(f"expected {KEY_FORMAT}")
    sizes = [announced(message) for message in batches_of(whole)]
    if sum(rows for rows, _ in sizes) > most or sum(size for _, size in sizes) > len(key):
        raise FormatError("the key to the synthetic rows announces more than it may hold")
    try:
        batches = [pa.ipc.read_record_batch(each, KEY_SCHEMA) for each in batches_of(whole)]
        table = pa.Table.from_batches(batches, schema=KEY_SCHEMA)
        table.validate(full=True)
    except (pa.ArrowException, OSError, ValueError):
        raise FormatError("the key to the synthetic rows is not Arrow, or is damaged") from None
    if any(table.column(name).null_count for name in ("handle", "person", "kind")):
        raise FormatError("the key to the synthetic rows: a value is missing")
    records = [_record(row) for row in table.to_pylist()]
    if len({record.handle for record in records}) != len(records):
        raise FormatError("the key to the synthetic rows names a handle twice")
    return records


def _record(row: dict[str, object]) -> SyntheticRecord:
    groups: dict[str, str] = {name: str(row[name]) for name in GROUPS if row[name] is not None}
    wrong = any(groups.get(name, values[0]) not in values for name, values in VALUES.items())
    if row["kind"] not in KINDS or wrong:
        raise FormatError("the key to the synthetic rows holds a value outside the closed lists")
    handle, person = row["handle"], row["person"]
    if not isinstance(handle, bytes) or not isinstance(person, bytes):
        raise FormatError("the key to the synthetic rows: bytes are expected")
    return SyntheticRecord(handle.hex(), person.hex(), str(row["kind"]), groups)
