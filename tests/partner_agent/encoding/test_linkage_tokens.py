"""Keys, months, key check value and test vectors."""

import hmac
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partner_agent.encoding.errors import SecretError
from partner_agent.encoding.person import default_schema, schema_for
from partner_agent.encoding.profiles import vector_digest
from partner_agent.encoding.schema import LinkageSchema
from partner_agent.encoding.tokens import (
    LinkageKeys,
    key_check_value,
    month_interval,
    month_of,
)

SECRET = bytes(range(32))
AGREEMENT = "sha256:" + "ab" * 32
KEYS = LinkageKeys.derive(SECRET, AGREEMENT, 1)


def hkdf(secret: bytes, info: bytes) -> bytes:
    """RFC 5869 with SHA-256, no salt, one block, written out."""
    extracted = hmac.digest(bytes(32), secret, "sha256")
    return hmac.digest(extracted, info + b"\x01", "sha256")


def test_key_derivation_is_pinned() -> None:
    """Each key is HKDF over its label, the agreement's hash and the epoch; the format is fixed."""
    info = b"hearthlink/encoding/v1/%b\n" + AGREEMENT.encode() + b"\n1"
    assert KEYS.clk == hkdf(SECRET, info % b"clk")
    assert KEYS.household == hkdf(SECRET, info % b"household-token")
    assert KEYS.kin == hkdf(SECRET, info % b"kin-token")
    assert KEYS.near == hkdf(SECRET, info % b"near-token")
    assert KEYS.check == hkdf(SECRET, info % b"key-check")
    assert KEYS.vectors == hkdf(SECRET, info % b"test-vectors")


def test_keys_differ_by_use_agreement_epoch_and_secret() -> None:
    """No key repeats when any of what it is bound to changes."""
    others = [
        KEYS,
        LinkageKeys.derive(SECRET, AGREEMENT, 2),
        LinkageKeys.derive(SECRET, "sha256:" + "cd" * 32, 1),
        LinkageKeys.derive(bytes(32), AGREEMENT, 1),
    ]
    keys = [
        key
        for each in others
        for key in (each.clk, each.household, each.kin, each.near, each.check)
    ]
    assert len(set(keys)) == len(keys)
    assert len({key_check_value(each) for each in others}) == len(others)


def test_keys_are_not_shown() -> None:
    """A traceback or a log of the keys holds no key."""
    assert repr(KEYS) == "LinkageKeys()"


def test_secret_of_another_length() -> None:
    """Only 32 bytes make a linkage secret."""
    with pytest.raises(SecretError):
        LinkageKeys.derive(bytes(31), AGREEMENT, 1)


def test_month_numbers() -> None:
    """A month is twelve times the year plus the month less one."""
    assert month_of("2015-01-31") == 12 * 2015
    assert month_of("2015-12-01") == 12 * 2015 + 11
    assert month_of("") is None
    assert month_of("2015-13-01") is None


@pytest.mark.parametrize(
    ("first", "last", "wanted"),
    [
        ("2015-02-01", "2016-03-01", (24181, 24194)),
        ("2015-02-01", "", (24181, None)),
        ("", "", (24250, None)),
        ("", "2016-03-01", (24194, 24194)),
        ("", "2030-01-01", (24250, 24360)),
        ("2016-03-01", "2015-02-01", (24181, 24194)),
    ],
)
def test_month_intervals(first: str, last: str, wanted: tuple[int, int | None]) -> None:
    """Open ends stay open, unknown beginnings are the extract's month, swapped ends are turned."""
    assert month_interval(first, last, date(2020, 11, 22)) == wanted


@given(st.dates().map(str) | st.just(""), st.dates().map(str) | st.just(""), st.dates())
def test_intervals_are_ordered(first: str, last: str, known_on: date) -> None:
    """Law: an interval never ends before it begins."""
    begin, end = month_interval(first, last, known_on)
    assert end is None or begin <= end


def test_vectors_tell_schemas_and_secrets_apart() -> None:
    """The digest repeats for the same schema and keys, and for no other."""
    schema = LinkageSchema.parse(default_schema())
    other = LinkageSchema.parse(schema_for(["first_name", "nhs_number", "surname"]))
    digest = vector_digest(schema, KEYS)
    assert digest == vector_digest(schema, KEYS)
    assert digest != vector_digest(other, KEYS)
    assert digest != vector_digest(schema, LinkageKeys.derive(SECRET, AGREEMENT, 2))
