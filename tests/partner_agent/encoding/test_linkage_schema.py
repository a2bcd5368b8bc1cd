"""Reading linkage schemas: what is typed, and what is refused with which reason."""

import re
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.canonical import hash_of
from partner_agent.encoding.errors import ColumnMissingError, EncodingError
from partner_agent.encoding.features import Exact, Missing, Ngram, Numeric, Strategy
from partner_agent.encoding.person import default_schema, schema_for
from partner_agent.encoding.schema import LinkageSchema

BASE: dict[str, Any] = {
    "version": 3,
    "clkConfig": {"l": 512, "xor_folds": 1, "kdf": {"type": "HKDF", "keySize": 32}},
    "features": [
        {"identifier": "skip", "ignored": True},
        {
            "identifier": "name",
            "format": {"type": "string", "pattern": "[a-z]*", "encoding": "ascii"},
            "hashing": {
                "comparison": {"type": "ngram", "n": 2, "positional": True},
                "strategy": {"bitsPerFeature": 100},
                "missingValue": {"sentinel": "-", "replaceWith": ""},
            },
        },
        {
            "identifier": "age",
            "format": {"type": "integer", "minimum": 0, "maximum": 120},
            "hashing": {
                "comparison": {
                    "type": "numeric",
                    "thresholdDistance": 1.5,
                    "resolution": 2,
                    "fractional_precision": 1,
                },
                "strategy": {"bitsPerToken": 7},
            },
        },
        {
            "identifier": "born",
            "format": {"type": "date", "format": "%d.%m.%Y"},
            "hashing": {"comparison": {"type": "exact"}, "strategy": {"bitsPerToken": 7}},
        },
    ],
}


def changed(path: str, value: Any) -> dict[str, Any]:
    """The base document with one entry replaced, or removed where the value is None."""
    document = deepcopy(BASE)
    *parents, last = [int(each) if each.isdigit() else each for each in path.split("/")]
    target: Any = document
    for each in parents:
        target = target[each]
    target[last] = value
    return document


def test_everything_is_typed() -> None:
    """Each setting of a document has its place in the typed schema."""
    schema = LinkageSchema.parse(BASE)
    name, age, born = schema.features
    assert (schema.bits, schema.folds, schema.filter_bits, schema.feature_count) == (
        512,
        1,
        1024,
        4,
    )
    assert schema.kdf.key_bytes == 32
    assert schema.columns == ("name", "age", "born")
    assert [each.index for each in schema.features] == [1, 2, 3]
    assert name.comparison == Ngram(2, positional=True)
    assert name.strategy == Strategy(per_token=0, per_feature=100)
    assert name.missing == Missing("-", "")
    assert name.pattern == re.compile("[a-z]*")
    assert name.encoding == "ascii"
    assert age.comparison == Numeric(interval=15, resolution=2, precision=1)
    assert (age.minimum, age.maximum) == (0, 120)
    assert born.comparison == Exact()
    assert born.date_format == "%d.%m.%Y"


def test_hash_is_of_the_document_as_given() -> None:
    """The hash covers exactly the document, which reading does not change."""
    document = deepcopy(BASE)
    assert LinkageSchema.parse(document).hash == hash_of(BASE)
    assert document == BASE


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("version", 2, "encoding.schema_version"),
        ("version", 3.0, "encoding.schema_version"),
        ("version", "3", "encoding.schema_version"),
        ("features/1/hashing/hash", {"type": "doubleHash"}, "encoding.double_hash"),
        ("features/1/hashing/hash", {"type": "md5"}, "encoding.schema_invalid"),
        ("features/1/format/pattern", "[", "encoding.schema_invalid"),
        ("features/1/format", {"type": "money"}, "encoding.schema_invalid"),
        ("features", {}, "encoding.schema_invalid"),
        ("clkConfig/kdf", {"type": "scrypt"}, "encoding.schema_invalid"),
        ("clkConfig/kdf", {"type": "HKDF", "salt": "a"}, "encoding.schema_invalid"),
        ("features/2/hashing/comparison/thresholdDistance", 0.01, "encoding.schema_invalid"),
        ("features", [], "encoding.schema_unsupported"),
        ("features", [{"identifier": "a", "ignored": True}], "encoding.schema_unsupported"),
        ("clkConfig/xorFolds", 1, "encoding.schema_unsupported"),
        ("clkConfig/xor_folds", -1, "encoding.schema_unsupported"),
        ("clkConfig/l", 1000, "encoding.schema_unsupported"),
        ("clkConfig/l", 4, "encoding.schema_unsupported"),
        ("clkConfig/l", 512.0, "encoding.schema_unsupported"),
        ("clkConfig/l", 1 << 17, "encoding.schema_unsupported"),
        ("clkConfig/kdf/keySize", 65, "encoding.schema_unsupported"),
        ("clkConfig/kdf", {"type": "HKDF", "keySize": 64}, ""),
        ("features/1/hashing/hash", {"type": "blakeHash"}, ""),
        ("features/1/hashing/strategy", {"bitsPerToken": 2.0}, "encoding.schema_unsupported"),
        ("features/1/hashing/strategy", {"bitsPerToken": 5000}, "encoding.schema_unsupported"),
        ("features/1/hashing/comparison/n", 65, "encoding.schema_unsupported"),
        ("features/2/format/minimum", 1.0, "encoding.schema_unsupported"),
        ("features/1/hashing/missingValue/replaceWith", "é", "encoding.schema_unsupported"),
        (
            "features/2/hashing/missingValue",
            {"sentinel": "", "replaceWith": "none"},
            "encoding.schema_unsupported",
        ),
        ("features/3/format/format", "%Q", "encoding.schema_unsupported"),
        ("features/3/format/format", "%", "encoding.schema_unsupported"),
    ],
)
def test_refusals(path: str, value: Any, reason: str) -> None:
    """What cannot be encoded bit for bit is refused, each with its reason; the rest is read."""
    document = changed(path, value)
    if not reason:
        assert LinkageSchema.parse(document).features
        return
    with pytest.raises(EncodingError) as caught:
        LinkageSchema.parse(document)
    assert caught.value.reason == reason


def test_too_much_key_material() -> None:
    """HKDF makes at most 255 blocks, which 64 features of the default key size exceed."""
    document = changed("clkConfig/kdf", {"type": "HKDF"})
    document["features"] = [
        {**deepcopy(BASE["features"][3]), "identifier": str(at)} for at in range(64)
    ]
    with pytest.raises(EncodingError, match="key material"):
        LinkageSchema.parse(document)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=3),
                    lambda inner: st.lists(inner, max_size=3)
                    | st.dictionaries(st.sampled_from(["version", "features", "clkConfig", "l",
                                                       "hashing", "format"]), inner, max_size=4),
                    max_leaves=12))  # fmt: skip
def test_any_json_is_read_or_refused_with_a_reason(data: Any) -> None:
    """Law: no JSON object ends in anything but a schema or a reasoned refusal."""
    document = data if isinstance(data, dict) else {"features": data}
    for version in (document, {**document, "version": 3}):
        with pytest.raises(EncodingError):
            LinkageSchema.parse(version)


def test_default_schema_is_read_and_is_a_new_copy() -> None:
    """The project's own schema is valid, of 1,024 bits, and cannot be changed by its users."""
    first = default_schema()
    schema = LinkageSchema.parse(first)
    assert schema.bits == 1024
    assert "date_of_birth" in schema.columns
    first["features"].clear()
    assert default_schema()["features"]


def test_schema_for_leaves_out_what_no_source_has() -> None:
    """Only the columns that some source fills remain, in the schema's order."""
    document = schema_for(["surname", "first_name", "uprn"])
    assert LinkageSchema.parse(document).columns == ("first_name", "surname")
    with pytest.raises(ColumnMissingError):
        schema_for(["uprn"])
