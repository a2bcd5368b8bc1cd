"""Canonical bytes, base64 and times have one spelling, and nothing else is taken for it."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.canonical import (
    b64,
    canonical_bytes,
    hash_of,
    parse_json,
    parse_time,
    sha256,
    unb64,
    write_time,
)
from governance.errors import FormatError

SAFE = 2**53 - 1  # RFC 8785: integers that every reader of JSON keeps
JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-SAFE, SAFE)
    | st.floats(-SAFE, SAFE, allow_nan=False)  # beyond, 2.0**53 would be read as an integer
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4)
    ),
    max_leaves=20,
)


def test_the_rfcs_own_example_has_its_bytes() -> None:
    """RFC 8785 3.2.2 and 3.2.3: numbers, escapes and the order of keys."""
    source = (
        rb'{"numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],'
        rb' "string": "\u20ac$\u000F\u000aA\u0027\u0042\u0022\u005c\\\"\/",'
        rb' "literals": [null, true, false]}'
    )
    expected = (
        '{"literals":[null,true,false],'
        '"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )
    assert canonical_bytes(parse_json(source)) == expected.encode()


def test_keys_are_sorted_by_utf16() -> None:
    """RFC 8785 3.2.3: an emoji sorts before a Hebrew presentation form, unlike in code points."""
    names = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
    found = list(json.loads(canonical_bytes(dict.fromkeys(names, 0))))
    assert found == ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), JSON_VALUES, max_size=5))
def test_canonical_bytes_are_a_fixed_point(value: dict[str, Any]) -> None:
    """What was written is read again as itself and has the same bytes, in any order of keys."""
    data = canonical_bytes(value)
    assert canonical_bytes(parse_json(data)) == data
    assert canonical_bytes(dict(reversed(value.items()))) == data
    assert hash_of(value) == sha256(data)


@settings(max_examples=500, deadline=None)
@given(JSON_VALUES)
def test_canonical_bytes_are_those_of_the_library(value: Any) -> None:
    """The short way for text and small integers writes what the RFC's implementation writes."""
    assert canonical_bytes([value]) == rfc8785.dumps([value])


@pytest.mark.parametrize(
    ("text", "about"),
    [
        (b'{"a":1,"a":2}', "twice"),
        (b'{"x":{"a":1,"a":1}}', "twice"),
        (b'{"a":1,"\\u0061":1}', "twice"),
        (b"NaN", "not JSON"),
        (b"[-Infinity]", "not JSON"),
        (b"1e999", "too large"),
        (b"-1e999", "too large"),
        (b"1" * 5_000, "too large"),
        (b"{} {}", "at character 3"),
        (b"", "at character 0"),
        (b"\xff", "UTF-8"),
        (b'"\xed\xa0\x80"', "UTF-8"),
        ('{"a":1}'.encode("utf-16"), "UTF-8"),
        ('{"a":1}'.encode("utf-16-le"), "not JSON"),
        ('{"a":1}'.encode("utf-32-be"), "not JSON"),
        (b"\xef\xbb\xbf{}", "at character 0"),
        (b"[" * 200_000, "not JSON"),
        (b"{'a':1}", "at character 1"),
        (b"[01]", "not JSON"),
    ],
)
def test_what_is_not_plain_json_is_refused(text: bytes, about: str) -> None:
    """Duplicate keys, boundless numbers, other encodings and depth without end are refused."""
    with pytest.raises(FormatError, match=about):
        parse_json(text)


def test_a_parse_error_never_quotes_the_text() -> None:
    """A name in a broken document does not reach the message."""
    with pytest.raises(FormatError) as caught:
        parse_json(b'{"first_name": "Aurelia')
    assert "Aurelia" not in str(caught.value)


@pytest.mark.parametrize(
    "value",
    [
        {"a": 2**53},
        {"a": float("nan")},
        {"a": float("inf")},
        {"a": "\ud800"},
        {"\ud800": 1},
        {"a": b"bytes"},
        {1: "a"},
    ],
)
def test_what_json_cannot_carry_has_no_canonical_bytes(value: dict[Any, Any]) -> None:
    """Large integers, lone surrogates and other types are a format error, never a crash."""
    with pytest.raises(FormatError):
        canonical_bytes(value)


def test_depth_without_end_is_a_format_error() -> None:
    """A nested value deeper than the interpreter's stack is refused, not a crash."""
    value: list[Any] = []
    for _ in range(50_000):
        value = [value]
    with pytest.raises(FormatError):
        canonical_bytes(value)


@given(st.binary(max_size=100))
def test_base64_has_one_spelling(data: bytes) -> None:
    """What is written is read again; the same bytes spelt otherwise are refused."""
    text = b64(data)
    assert unb64(text) == data
    for other in (text + "\n", " " + text, text + "=", text.rstrip("=") + "%"):
        with pytest.raises(FormatError):
            unb64(other)
    if text.endswith("="):
        with pytest.raises(FormatError):
            unb64(text.rstrip("="))


@pytest.mark.parametrize("text", ["AB==", "AAF=", "_-8=", "AAAA====", "A", "AA\nAA", "\uff21" * 4])
def test_other_spellings_of_base64_are_refused(text: str) -> None:
    """Stray bits, the URL alphabet, too much padding, line breaks and look-alikes are refused."""
    with pytest.raises(FormatError):
        unb64(text)


@given(
    st.datetimes(datetime(1000, 1, 2), datetime(9999, 12, 30)),  # noqa: DTZ001 - made aware below
    st.integers(-14 * 60, 14 * 60),
)
def test_times_round_trip_in_utc(moment: datetime, offset: int) -> None:
    """A moment of any zone is written in UTC to the second and read again."""
    aware = moment.replace(tzinfo=timezone(timedelta(minutes=offset)), microsecond=0)
    text = write_time(aware)
    assert parse_time(text) == aware
    assert parse_time(text).tzinfo is UTC
    assert len(text) == len("2026-11-22T09:30:00Z")


@pytest.mark.parametrize(
    "text",
    [
        "2026-1-2T3:4:5Z",
        "2026-11-22T09:30:00",
        "2026-11-22T09:30:00+00:00",
        "2026-11-22T09:30:00.5Z",
        "2026-11-22 09:30:00Z",
        "2026-11-22T09:30:00z",
        "2026-11-22T24:00:00Z",
        "2026-02-29T00:00:00Z",
        "2026-12-31T23:59:60Z",
        "0026-11-22T09:30:00Z",
        "\uff12\uff10\uff12\uff16-11-22T09:30:00Z",
        "2026-11-22T09:30:00Z\n",
        " 2026-11-22T09:30:00Z",
        "",
    ],
)
def test_other_spellings_of_a_time_are_refused(text: str) -> None:
    """One spelling only: times are compared and hashed as text."""
    with pytest.raises(FormatError):
        parse_time(text)
