"""What a protected person or home is known by: keyed hashes of parts of a cleaned row.

A person is known by the partner's own record id, by each identifier, and by name with date of
birth, so that another row of the same person is protected as well; a home by UPRN and by cleaned
address with postcode. HMAC-SHA256 under a key of the vault: whoever steals the database alone
learns neither who nor where.

The messages are persisted as their hashes: labels and order never change.
"""

import hmac
from collections.abc import Iterator, Mapping
from typing import Final

RECORD: Final = "record"
PERSON: Final = "person"
UPRN: Final = "uprn"
ADDRESS: Final = "address"
_IDENTIFIERS: Final = ("nhs_number", "nino", "upn")
_NAMED: Final = ("first_name", "surname", "date_of_birth")
_SEPARATOR: Final = "\x1f"  # ASCII unit separator: in no cleaned value


def record_key(key: bytes, source: str, record_id: str) -> tuple[str, bytes]:
    """Of a record id of a source."""
    return RECORD, _hash(key, RECORD, source, record_id)


def person_keys(key: bytes, clean: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    """Of the person of a cleaned row, wherever it stands; (what it is made of, hash)."""
    for name in _IDENTIFIERS:
        if value := clean.get(name):
            yield name, _hash(key, name, value)
    named = [clean.get(name, "") for name in _NAMED]
    if all(named):
        yield PERSON, _hash(key, PERSON, *named)


def home_keys(key: bytes, clean: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    """Of the home of a cleaned row; (what it is made of, hash)."""
    if number := clean.get("uprn", "").lstrip("0"):  # some systems pad it to twelve digits
        yield UPRN, _hash(key, UPRN, number)
    address, postcode = clean.get("address", ""), clean.get("postcode", "")
    if address and postcode:
        yield ADDRESS, _hash(key, ADDRESS, address, postcode)


def _hash(key: bytes, *parts: str) -> bytes:
    message = _SEPARATOR.join(parts).encode("utf-8", "surrogatepass")
    return hmac.digest(key, b"hearthlink/protection/v1\0" + message, "sha256")
