"""Values that a schema refuses: found one by one, as clkhash finds them, and never shown."""

from typing import Any

import clkhash.field_formats
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from partner_agent.encoding.clk import ClkEncoder, InvalidField
from partner_agent.encoding.errors import ColumnMissingError, SecretError
from partner_agent.encoding.schema import LinkageSchema

SECRET = bytes(32)


def schema_of(*features: dict[str, Any]) -> LinkageSchema:
    """A schema of features with bigrams and ten bits a token."""
    return LinkageSchema.parse(
        {
            "version": 3,
            "clkConfig": {"l": 64, "kdf": {"type": "HKDF"}},
            "features": [
                {
                    "identifier": f"f{at}",
                    "format": {key: each[key] for key in each if key != "hashing"},
                    "hashing": {
                        "comparison": {"type": "ngram", "n": 2},
                        "strategy": {"bitsPerToken": 10},
                        **each.get("hashing", {}),
                    },
                }
                for at, each in enumerate(features)
            ],
        }
    )


NUMERIC = {"comparison": {"type": "numeric", "thresholdDistance": 2, "resolution": 2}}
CASES: list[tuple[dict[str, Any], str, str]] = [
    ({"type": "string", "pattern": "[a-z]+"}, "A", "field.pattern"),
    ({"type": "string", "minLength": 3}, "ab", "field.too_short"),
    ({"type": "string", "maxLength": 3}, "abcd", "field.too_long"),
    ({"type": "string", "maxLength": 3}, "éééé", "field.too_long"),
    ({"type": "string", "case": "lower"}, "aB", "field.case"),
    ({"type": "string", "case": "upper"}, "Ab", "field.case"),
    ({"type": "string", "case": "upper"}, "ß", "field.case"),
    ({"type": "string", "encoding": "ascii"}, "é", "field.unencodable"),
    ({"type": "string"}, "\ud800", "field.unencodable"),
    ({"type": "string", "encoding": "utf-16"}, "\udfff", "field.unencodable"),
    ({"type": "integer"}, "1.5", "field.not_integer"),
    ({"type": "integer", "minimum": 3}, "2", "field.out_of_range"),
    ({"type": "integer", "maximum": 3}, "4", "field.out_of_range"),
    ({"type": "date", "format": "%Y-%m-%d"}, "2023-02-29", "field.not_date"),
    ({"type": "date", "format": "%Y-%m-%d"}, "", "field.not_date"),
    ({"type": "enum", "values": ["a"]}, "b", "field.not_listed"),
    ({"type": "string", "hashing": NUMERIC}, "12a", "field.not_numeric"),
    ({"type": "string", "hashing": NUMERIC}, "inf", "field.not_numeric"),
    ({"type": "string", "hashing": NUMERIC}, "nan", "field.not_numeric"),
]


@pytest.mark.parametrize(("form", "value", "reason"), CASES)
def test_each_reason(form: dict[str, Any], value: str, reason: str) -> None:
    """Each kind of wrong value has its reason code; other rows are encoded all the same."""
    good = {"integer": "3", "date": "2024-02-29", "enum": "a"}.get(form["type"], "abc")
    good = {"upper": "ABC"}.get(form.get("case", ""), good)
    good = "7" if "hashing" in form else good
    chunk = ClkEncoder(schema_of(form), SECRET).encode({"f0": [good, value, good]})
    assert chunk.invalid == [InvalidField(1, "f0", reason)]
    assert chunk.accepted.tolist() == [True, False, True]
    assert not chunk.encodings[0, 1].any()
    assert chunk.encodings[0, 0].any()
    assert (chunk.encodings[0, 0] == chunk.encodings[0, 2]).all()


def test_every_wrong_field_of_a_row_is_named() -> None:
    """A row with two wrong fields is reported twice, in order."""
    schema = schema_of({"type": "integer"}, {"type": "string", "case": "lower"})
    chunk = ClkEncoder(schema, SECRET).encode({"f0": ["x", "1", "y"], "f1": ["A", "b", "c"]})
    assert [(each.row, each.feature) for each in chunk.invalid] == [
        (0, "f0"),
        (0, "f1"),
        (2, "f0"),
    ]


def test_wrong_rows_past_the_first_chunk() -> None:
    """Row numbers count from the start of the table, chunk or not."""
    values = ["1"] * 70_000
    values[69_999] = "one"
    chunk = ClkEncoder(schema_of({"type": "integer"}), SECRET).encode({"f0": values})
    assert chunk.invalid == [InvalidField(69_999, "f0", "field.not_integer")]
    assert int(chunk.accepted.sum()) == 69_999


def test_lone_surrogates_in_a_data_frame() -> None:
    """Text that is not Unicode is refused by row, in any table that can hold it."""
    frame = pd.DataFrame({"f0": pd.Series(["a", "\ud800", "a"], dtype=object)})
    chunk = ClkEncoder(schema_of({"type": "string"}), SECRET).encode(frame)
    assert chunk.invalid == [InvalidField(1, "f0", "field.unencodable")]
    assert np.array_equal(chunk.encodings[0, 0], chunk.encodings[0, 2])


def test_missing_values_are_not_checked() -> None:
    """A sentinel that breaks the format is a missing value, not a wrong one."""
    hashing = {"missingValue": {"sentinel": "n/a"}}
    schema = schema_of({"type": "date", "format": "%Y-%m-%d", "hashing": hashing})
    chunk = ClkEncoder(schema, SECRET).encode({"f0": ["n/a", "2020-01-01"]})
    assert chunk.accepted.all()


def test_missing_column_and_uneven_columns() -> None:
    """A table without a column of the schema, or with uneven columns, is refused whole."""
    encoder = ClkEncoder(schema_of({"type": "string"}, {"type": "string"}), SECRET)
    with pytest.raises(ColumnMissingError):
        encoder.encode({"f0": ["a"]})
    with pytest.raises(ColumnMissingError):
        encoder.encode({"f0": ["a"], "f1": ["a", "b"]})


def test_short_secret() -> None:
    """A secret too short to protect anything is refused."""
    with pytest.raises(SecretError):
        ClkEncoder(schema_of({"type": "string"}), b"short")


FORMS = [form for form, _, _ in CASES if "hashing" not in form]
odd = st.sampled_from(
    ["", " 7", "+7", "1_000", "٣", "2020-1-5", "2020-02-30", "0999-01-01", "2020-01-01 ", "1e3"]
)


@settings(max_examples=300, deadline=None)
@given(form=st.sampled_from(FORMS), value=st.text(max_size=6) | odd | st.dates().map(str))
def test_refused_exactly_when_clkhash_refuses(form: dict[str, Any], value: str) -> None:
    """Law: a value is invalid here exactly when clkhash's own check says so."""
    document = {
        "identifier": "f0",
        "format": form,
        "hashing": {"comparison": {"type": "exact"}, "strategy": {"bitsPerToken": 1}},
    }
    spec = clkhash.field_formats.spec_from_json_dict(document)
    try:
        spec.validate(value)
        wanted = True
    except clkhash.field_formats.InvalidEntryError:
        wanted = False
    chunk = ClkEncoder(schema_of(form), SECRET).encode({"f0": [value]})
    assert chunk.accepted.tolist() == [wanted]
