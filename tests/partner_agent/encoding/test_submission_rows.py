"""Cleaned rows become rows of a submission, and nothing that names a person is among them."""

import secrets
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.agreements.encoding import Hardening
from governance.exchange.submission import AGE_BANDS, NEAR_TOKENS
from governance.exchange.submission_file import ARROW_SCHEMA
from partner_agent.encoding.clk import ClkEncoder
from partner_agent.encoding.errors import EncodingError, SchemaUnsupportedError
from partner_agent.encoding.hardened import HardenedEncoder
from partner_agent.encoding.home_tokens import home_tokens
from partner_agent.encoding.mentions import containment, mention_numbers, mentions_of
from partner_agent.encoding.person import default_schema, schema_for
from partner_agent.encoding.schema import LinkageSchema
from partner_agent.encoding.submission import SubmissionEncoder, age_band
from partner_agent.encoding.tokens import LinkageKeys

SCHEMA = LinkageSchema.parse(default_schema())
KEYS = LinkageKeys.derive(bytes(range(32)), "sha256:" + "00" * 32, 1)
EXTRACTED = date(2026, 11, 22)
CLEANED = pd.DataFrame(
    {
        "row": [1, 2, 3],
        "source_record_id": ["canary-a", "canary-b", "canary-c"],
        "first_name": ["zebedee", "ottoline", "zebedee"],
        "surname": ["quillfeather", "quillfeather", "x" * 200],
        "date_of_birth": ["2012-05-06", "", "1980-01-01"],
        "sex": ["m", "f", ""],
        "address": ["9 canary wharf cottages", "9 canary wharf cottages", ""],
        "postcode": ["BN99 9ZZ", "BN99 9ZZ", ""],
        "address_from": ["2020-01-15", "", ""],
        "address_to": ["", "", ""],
        "mention.1.relation": ["parent", "", ""],
        "mention.1.first_name": ["ottoline", "", ""],
        "mention.1.surname": ["quillfeather", "", ""],
        "mention.1.date_of_birth": ["", "", ""],
        "indicator.school_absence": ["met", "unmet", ""],
        "indicator.neet": ["", "met", ""],
        "protected": ["", "y", ""],
    }
)
HANDLES = [secrets.token_bytes(16) for _ in range(3)]


def test_a_chunk_end_to_end() -> None:
    """Accepted rows carry encoding, home, mention, band and indicators; a bad row is reported."""
    rows = SubmissionEncoder(SCHEMA, KEYS, EXTRACTED).encode(CLEANED, HANDLES)
    assert rows.batch.schema.equals(ARROW_SCHEMA)
    assert rows.accepted.tolist() == [True, True, False]
    assert [(each.row, each.feature, each.reason) for each in rows.invalid] == [
        (2, "surname", "field.too_long")
    ]
    child, parent = rows.batch.to_pylist()
    assert [child["handle"], parent["handle"]] == HANDLES[:2]
    home = {"uprn": "", "address": CLEANED.address[0], "postcode": "BN99 9ZZ"}
    tokens = home_tokens(KEYS, **home, surname="quillfeather")
    assert child["households"] == [
        {
            **tokens._asdict(),
            "kin": list(tokens.kin),
            "first_month": 12 * 2020,
            "last_month": None,
        }
    ]
    assert parent["households"] == []  # protected
    assert (child["age_band"], parent["age_band"]) == ("11_15", None)
    assert child["indicators"] == [{"indicator": "school_absence", "met": True}]
    assert parent["indicators"] == [
        {"indicator": "school_absence", "met": False},
        {"indicator": "neet", "met": True},
    ]
    assert [each["relation"] for each in child["mentions"]] == ["parent"]
    assert parent["mentions"] == []


def test_nothing_of_the_extract_is_in_the_file() -> None:
    """The bytes that leave hold no name, address, date or source id."""
    batch = SubmissionEncoder(SCHEMA, KEYS, EXTRACTED).encode(CLEANED, HANDLES).batch
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, batch.schema) as writer:
        writer.write_batch(batch)
    data = sink.getvalue().to_pybytes()
    for canary in (b"zebedee", b"ottoline", b"quillfeather", b"canary", b"BN99", b"2012-05"):
        assert canary not in data


def test_a_mention_is_contained_in_its_person() -> None:
    """The record of the person mentioned contains the mention; a stranger's does not."""
    encoder = ClkEncoder(SCHEMA, KEYS.clk)
    named = pd.DataFrame(
        {
            "first_name": ["ottoline", "barnaby"],
            "middle_name": ["may", ""],
            "surname": ["quillfeather", "oxenford"],
            "date_of_birth": ["1985-07-08", "1971-02-03"],
            "sex": ["f", "m"],
            "address": ["9 canary wharf cottages", "14 elm grove"],
            "postcode": ["BN99 9ZZ", "BN1 1AA"],
        }
    )
    records = encoder.encode(named).encodings[0]
    (_, mention) = mentions_of(encoder, CLEANED)[0][0]
    bits = np.frombuffer(mention, dtype=np.uint8)
    assert containment(records[0], bits) == 1.0
    assert containment(records[1], bits) < 0.7
    assert containment(records[0], np.zeros(128, dtype=np.uint8)) == 0.0


MENTIONED = pd.DataFrame(
    [
        # relation, first name, surname, date of birth, address of the row
        ("parent", "ann", "lee", "2015-05-01", ""),
        ("parent", "ann", "lee", "", "1 high street"),
        ("parent", "ann", "", "2015-05-01", "1 high street"),
        ("parent", "ann", "", "", ""),
        ("parent", "ann", "lee", "", ""),
        ("parent", "ann", "lee", "2015-01-01", ""),  # perhaps a year alone
        ("parent", "ann", "", "2015-05-01", ""),
        ("parent", "ann", "", "", "1 high street"),
        ("parent", "", "lee", "2015-05-01", "1 high street"),
        ("friend", "ann", "lee", "2015-05-01", ""),
        ("child", "ann", "l" * 200, "2015-05-01", ""),
    ],
    columns=[
        "mention.2.relation", "mention.2.first_name", "mention.2.surname",
        "mention.2.date_of_birth", "address",
    ],
)  # fmt: skip


@pytest.mark.parametrize("encoder", [
    ClkEncoder(SCHEMA, KEYS.clk),
    HardenedEncoder(SCHEMA, Hardening(k=4, views=()), KEYS.hardened),
])  # fmt: skip
def test_mentions_say_no_less_than_tells_a_person(encoder: ClkEncoder | HardenedEncoder) -> None:
    """A first name and two of surname, date of birth and address, of a relation that is listed."""
    found = mentions_of(encoder, MENTIONED)
    assert [len(each) for each in found] == [1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0]
    assert mention_numbers(list(MENTIONED.columns)) == [2]


def test_mentions_of_which_the_schema_encodes_names_alone_are_left_out() -> None:
    """What a schema does not encode tells nobody apart."""
    schema = LinkageSchema.parse(schema_for(["first_name", "surname", "sex"]))
    assert not any(mentions_of(ClkEncoder(schema, KEYS.clk), MENTIONED))


def test_a_row_with_one_field_is_not_sent() -> None:
    """Encoded alone in profile clk, a name would be told by how often it comes."""
    names = {"first_name": ["zebedee", "", "zebedee"], "surname": ["", "", "quillfeather"]}
    postcodes = {"postcode": ["", "BN99 9ZZ", ""], "nhs_number": ["9434765919"] * 3}
    frame = pd.DataFrame(CLEANED[["row", "source_record_id"]].assign(**names, **postcodes))
    encoded = SubmissionEncoder(SCHEMA, KEYS, EXTRACTED).encode(frame, HANDLES)
    assert encoded.accepted.tolist() == [False, False, True]
    assert {(each.row, each.reason) for each in encoded.invalid} == {
        (0, "row.too_little_to_encode"), (1, "row.too_little_to_encode"),
    }  # fmt: skip
    assert encoded.batch.column("handle").to_pylist() == HANDLES[2:]


def test_no_rows() -> None:
    """An empty chunk makes an empty batch."""
    rows = SubmissionEncoder(SCHEMA, KEYS, EXTRACTED).encode(CLEANED.iloc[:0], [])
    assert rows.batch.num_rows == 0


def test_handles_must_fit() -> None:
    """One handle of 16 bytes for each row, no other number or length."""
    encoder = SubmissionEncoder(SCHEMA, KEYS, EXTRACTED)
    for handles in (HANDLES[:2], [b"short", *HANDLES[1:]]):
        with pytest.raises(EncodingError):
            encoder.encode(CLEANED, handles)


def test_other_lengths_are_refused() -> None:
    """A submission holds encodings of 1,024 bits only."""
    document = default_schema()
    document["clkConfig"]["l"] = 512
    with pytest.raises(SchemaUnsupportedError):
        SubmissionEncoder(LinkageSchema.parse(document), KEYS, EXTRACTED)


@pytest.mark.parametrize(
    ("born", "band"),
    [
        ("2026-11-22", "under_5"),
        ("2021-11-23", "under_5"),
        ("2021-11-22", "5_10"),
        ("2015-11-22", "11_15"),
        ("2010-11-22", "16_17"),
        ("2008-11-22", "18_24"),
        ("2001-11-22", "25_44"),
        ("1981-11-22", "45_64"),
        ("1961-11-22", "65_plus"),
        ("2026-11-23", None),
        ("1900-01-01", None),
        ("", None),
    ],
)
def test_age_bands(born: str, band: str | None) -> None:
    """A band begins on the birthday; the unborn and the impossibly old have none."""
    assert age_band(born, EXTRACTED) == band


@given(st.dates(date(1902, 1, 1), EXTRACTED))
def test_every_age_has_a_band(born: date) -> None:
    """Law: everyone alive at the extract has exactly one of the agreed bands."""
    assert age_band(str(born), EXTRACTED) in AGE_BANDS


@pytest.mark.invariant(1, "a dictionary of the very rows, under other secrets")
def test_a_dictionary_without_the_secret_finds_nothing() -> None:
    """Whoever knows every row and not the secret gets no encoding, household or kin token."""

    def said(keys: LinkageKeys) -> set[bytes]:
        rows = SubmissionEncoder(SCHEMA, keys, EXTRACTED).encode(CLEANED, HANDLES).batch.to_pylist()
        homes = [home for row in rows for home in row["households"]]
        found = {row["encoding"] for row in rows}
        found |= {mention["encoding"] for row in rows for mention in row["mentions"]}
        for home in homes:
            found |= {home["household"], *home["kin"], *(home[name] for name in NEAR_TOKENS)}
        return found - {None}

    true = said(KEYS)
    assert len(true) > len(CLEANED)
    agreement, other = "sha256:" + "00" * 32, "sha256:" + "01" * 32
    guesses = [LinkageKeys.derive(bytes([n]) * 32, agreement, 1) for n in range(1, 40)]
    guesses.append(LinkageKeys.derive(bytes(range(32)), other, 1))  # of another agreement
    guesses.append(LinkageKeys.derive(bytes(range(32)), agreement, 2))  # of another epoch
    assert not any(said(keys) & true for keys in guesses)
