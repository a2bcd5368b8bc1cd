"""Canonical bytes, hashes, base64 and times: made here and nowhere else.

Canonical JSON is RFC 8785 (JCS). Nearly everything here is text under ASCII keys, for which the
standard library's compact, sorted JSON is that form byte for byte, at a fifth of the time; all else
goes to the ``rfc8785`` package. Hashes are written ``sha256:<64 lower-case hex>``, times as RFC
3339 UTC to the second.
"""

import base64
import binascii
import hashlib
import json
import math
import re
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import rfc8785
from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

from governance.errors import FormatError

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{1,39}$")]
Hash = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
Hex128 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]


class Frozen(BaseModel):
    """Base of every format: immutable, and unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


def canonical_bytes(value: BaseModel | dict[str, Any] | list[Any]) -> bytes:
    """RFC 8785 bytes of a model or of plain JSON data.

    Raises:
        FormatError: the value cannot be written as I-JSON.
    """
    try:
        data = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
        return _ENCODE(data).encode("utf-8") if _plain(data) else rfc8785.dumps(data)
    except (ValueError, RecursionError) as error:  # lone surrogates and depth among them
        raise FormatError(f"not canonical JSON: {type(error).__name__}") from None


# RFC 8785 3.2.2 and ECMAScript agree with Python on text, literals and small integers. They differ
# on floating point, and sort keys by UTF-16 code units, which for ASCII is the same order.
_ENCODE: Final = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, sort_keys=True, separators=(",", ":")
).encode
_INTEGER_MOST: Final = 2**53 - 1


def _plain(data: object) -> bool:
    """Whether data hold nothing that Python writes otherwise than RFC 8785."""
    kind = type(data)  # exact: a subclass may write itself in another way
    if kind is str or data is None or kind is bool:
        return True
    if kind is int:
        return -_INTEGER_MOST <= data <= _INTEGER_MOST  # type: ignore[operator]
    if kind is dict:
        return all(
            type(key) is str and key.isascii() and _plain(value)
            for key, value in data.items()  # type: ignore[attr-defined]
        )
    return kind in {list, tuple} and all(map(_plain, data))  # type: ignore[call-overload]


def parse_json(data: bytes) -> Any:
    """Parse JSON, refusing duplicate keys, NaN, boundless numbers and all that is not UTF-8.

    Raises:
        FormatError: with the offset, never the text.
    """
    try:
        return json.loads(
            data.decode("utf-8"),  # json.loads would guess UTF-16 and UTF-32 too
            object_pairs_hook=_no_duplicates,
            parse_constant=_no_constant,
            parse_float=_finite,
        )
    except json.JSONDecodeError as error:
        raise FormatError(f"not JSON at character {error.pos}") from None
    except (UnicodeDecodeError, RecursionError):
        raise FormatError("not JSON in UTF-8") from None
    except ValueError:  # an integer of thousands of digits
        raise FormatError("a JSON number is too large") from None


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise FormatError("a JSON object has the same key twice")
    return found


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise FormatError("a JSON number is too large")
    return number


def _no_constant(_name: str) -> Any:
    raise FormatError("NaN and Infinity are not JSON")


def sha256(data: bytes) -> str:
    """``sha256:<hex>`` of bytes."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def hash_of(value: BaseModel | dict[str, Any] | list[Any]) -> str:
    """``sha256:<hex>`` of the canonical bytes."""
    return sha256(canonical_bytes(value))


def b64(data: bytes) -> str:
    """Standard base64 with padding (RFC 4648 section 4)."""
    return base64.b64encode(data).decode("ascii")


def unb64(text: str) -> bytes:
    """The bytes of standard base64, in its one canonical spelling.

    Raises:
        FormatError: not base64, or with stray bits at its end.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise FormatError("not standard base64") from None
    if b64(data) != text:
        raise FormatError("not the canonical spelling of its base64")
    return data


def _is_base64(text: str) -> str:
    try:
        unb64(text)
    except FormatError as error:
        raise ValueError(error.message) from None
    return text


Base64 = Annotated[str, AfterValidator(_is_base64)]


def _is_time(text: str) -> str:
    try:
        parse_time(text)
    except FormatError as error:
        raise ValueError(error.message) from None
    return text


Time = Annotated[str, AfterValidator(_is_time)]

_TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
_TIME: Final = re.compile(r"[1-9]\d{3}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)


def write_time(moment: datetime) -> str:
    """RFC 3339 UTC to the second."""
    return moment.astimezone(UTC).strftime(_TIME_FORMAT)


def parse_time(text: str) -> datetime:
    """An aware UTC time.

    Raises:
        FormatError: not ``YYYY-MM-DDTHH:MM:SSZ``.
    """
    if _TIME.fullmatch(text):  # one spelling only, so that times sort as text
        try:
            return datetime.fromisoformat(text)
        except ValueError:  # no such day or hour
            pass
    raise FormatError("a time must look like 2026-11-22T09:30:00Z")


def utc_now() -> datetime:
    """The wall clock; handed to composition roots, never called deeper down."""
    return datetime.now(UTC)
