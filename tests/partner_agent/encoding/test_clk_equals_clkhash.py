"""The encoder and clkhash give the same bits, for every field type, strategy and comparison."""

import base64
import io
import random
from typing import Any

import clkhash.clk
import clkhash.schema
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from partner_agent.encoding.clk import ClkEncoder, feature_keys
from partner_agent.encoding.person import default_schema
from partner_agent.encoding.schema import LinkageSchema

SECRET = b"thirty-two bytes for these tests"
SCRIPTS = (
    "abcdefghijklmnopqrstuvwxyz '-",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
    "àâäçéèêëîïôöùûüÿñßøåæœ",
    "абвгдежзийклмнопрстуфхцчшщ",
    "αβγδεζηθικλμνξοπρστυφχψω",
    "عبدالرحمنمحمدفاطمة",
    "李王张刘陈杨赵黄周吴",
    "शर्माकुमारसिंह",
    "김이박최정강조윤장임",
    "ก ข ค ง จ ฉ ช",
    "\U0001f600\U00020000\t\x00~",
)


def feature(
    name: str,
    form: dict[str, Any],
    comparison: dict[str, Any],
    strategy: dict[str, int],
    **hashing: Any,
) -> dict[str, Any]:
    """One feature of a linkage schema document."""
    return {
        "identifier": name,
        "format": form,
        "hashing": {"comparison": comparison, "strategy": strategy, **hashing},
    }


def document(features: list[dict[str, Any]], **config: Any) -> dict[str, Any]:
    """A linkage schema document."""
    return {
        "version": 3,
        "clkConfig": {"l": 1024, "kdf": {"type": "HKDF"}} | config,
        "features": features,
    }


def ngram(n: int, *, positional: bool = False) -> dict[str, Any]:
    """An n-gram comparison."""
    return {"type": "ngram", "n": n, "positional": positional}


TEXT = {"type": "string"}
ISO = {"type": "date", "format": "%Y-%m-%d"}
EXACT = {"type": "exact"}
NUMERIC = {"type": "numeric", "thresholdDistance": 7, "resolution": 4}
DECIMAL = NUMERIC | {"thresholdDistance": 2.5, "fractional_precision": 2}
EMPTY = {"sentinel": ""}
KDF = {
    "type": "HKDF",
    "hash": "SHA512",
    "salt": base64.b64encode(b"some salt").decode(),
    "info": base64.b64encode(b"some info").decode(),
    "keySize": 32,
}

VARIED = document(
    [
        feature("any", TEXT, ngram(2), {"bitsPerToken": 10}),
        {"identifier": "ignored", "ignored": True},
        feature("latin", TEXT, ngram(3, positional=True), {"bitsPerFeature": 90}),
        feature("any", TEXT, EXACT, {"bitsPerToken": 45}),
        feature("iso", ISO, ngram(1, positional=True), {"bitsPerToken": 12}, missingValue=EMPTY),
        feature("uk", {"type": "date", "format": "%d/%m/%Y"}, ngram(2), {"bitsPerFeature": 100}),
        feature("whole", {"type": "integer"}, NUMERIC, {"bitsPerFeature": 100}),
        feature("sex", {"type": "enum", "values": ["m", "f", "é"]}, EXACT, {"bitsPerFeature": 30}),
        feature(
            "code", {"type": "string", "pattern": "[a-z]{2}[0-9]+"}, ngram(4), {"bitsPerToken": 3}
        ),
    ]
)
FOLDED = document(
    [
        feature("latin", TEXT, ngram(2), {"bitsPerFeature": 300}),
        feature("any", TEXT, ngram(1), {"bitsPerFeature": 70}),
        feature("number", TEXT, DECIMAL, {"bitsPerToken": 9}, missingValue=EMPTY),
        feature("iso", ISO, ngram(2, positional=True), {"bitsPerFeature": 150},
                missingValue={"sentinel": "", "replaceWith": "19000101"}),
        feature("whole", {"type": "integer", "minimum": -999}, ngram(2), {"bitsPerToken": 20}),
    ],
    l=512,
    xor_folds=2,
    kdf=KDF,
)  # fmt: skip
ENCODINGS = document(
    [
        feature("latin", {"type": "string", "encoding": "ascii"}, ngram(6), {"bitsPerToken": 2}),
        feature("any", {"type": "string", "encoding": "utf-16"}, ngram(2), {"bitsPerToken": 5}),
        feature("any", {"type": "string", "encoding": "utf-32"}, ngram(7), {"bitsPerFeature": 64}),
        feature("latin", {"type": "string", "case": "lower", "maxLength": 100}, ngram(5),
                {"bitsPerFeature": 11}, missingValue={"sentinel": "a", "replaceWith": "Ω"}),
    ],
    l=128,
)  # fmt: skip
LONG = document(
    [
        feature("any", {"type": "string", "minLength": 0}, ngram(2), {"bitsPerToken": 70}),
        feature("latin", TEXT, ngram(2, positional=True), {"bitsPerFeature": 2000}),
    ],
    l=16384,
    xor_folds=1,
)
PERSON = default_schema()


def text(rng: random.Random, alphabet: str, longest: int) -> str:
    """Random text, sometimes empty, sometimes long."""
    length = rng.choice((0, 1, 2, rng.randint(3, 12), rng.randint(3, 12), rng.randint(0, longest)))
    return "".join(rng.choice(alphabet) for _ in range(length))


def make_record(rng: random.Random) -> dict[str, str]:
    """A record with a valid value in every column of every schema here."""
    year, month, day = rng.randint(1800, 2100), rng.randint(1, 12), rng.randint(1, 28)
    number = rng.randint(-900, 10**6)
    iso = f"{year}-{month:02}-{day:02}"
    latin = SCRIPTS[0]
    return {
        "any": text(rng, rng.choice(SCRIPTS), 60),
        "ignored": "ignored",
        "latin": text(rng, latin, 80),
        "iso": rng.choice((iso, iso, f"{year}-{month}-{day}", "")),
        "uk": f"{day:02}/{month:02}/{year}",
        "whole": rng.choice((str(number), f"+{abs(number)}", f" {number} ", f"00{abs(number)}")),
        "number": rng.choice((str(number), f"{number / 7:.4f}", f"{number}e-3", "")),
        "sex": rng.choice("mf"),
        "code": f"{rng.choice('abc')}{rng.choice('xyz')}{rng.randint(0, 99999)}",
        "first_name": text(rng, latin[:26], 20),
        "middle_name": text(rng, latin[:26], 20),
        "surname": text(rng, rng.choice((latin, SCRIPTS[2])), 30),
        "date_of_birth": rng.choice((iso, "")),
        "address": f"{rng.randint(1, 99)} {text(rng, latin, 100)}",
        "postcode": f"BN{rng.randint(1, 40)} {rng.randint(1, 9)}{text(rng, 'ABDEFG', 2)}",
    }  # fmt: skip


def by_clkhash(schema: dict[str, Any], records: list[dict[str, str]]) -> list[bytes]:
    """Encodings by clkhash, in one process."""
    names = [each["identifier"] for each in schema["features"]]
    rows = [tuple(record.get(name, "") for name in names) for record in records]
    loaded = clkhash.schema.from_json_dict(schema)
    found = clkhash.clk.generate_clks(rows, loaded, SECRET, max_workers=1)
    return [each.tobytes() for each in found]


def columns_of(records: list[dict[str, str]]) -> dict[str, list[str]]:
    """Records as columns."""
    return {name: [record.get(name, "") for record in records] for name in records[0]}


def encode(schema: dict[str, Any], columns: Any) -> list[bytes]:
    """Encodings by the project, all accepted."""
    chunk = ClkEncoder(LinkageSchema.parse(schema), SECRET).encode(columns)
    assert chunk.invalid == []
    assert chunk.accepted.all()
    return [row.tobytes() for row in chunk.encodings[0]]


@pytest.mark.parametrize(
    ("schema", "count"),
    [(VARIED, 6000), (FOLDED, 5000), (ENCODINGS, 3000), (LONG, 1000), (PERSON, 5000)],
    ids=["varied", "folded", "encodings", "long", "person"],
)
def test_twenty_thousand_varied_records(schema: dict[str, Any], count: int) -> None:
    """The same bits as clkhash on 20,000 records of many scripts under five schemas."""
    rng = random.Random(count)
    records = [make_record(rng) for _ in range(count)]
    assert encode(schema, columns_of(records)) == by_clkhash(schema, records)


def test_clkhash_reading_a_file() -> None:
    """The same bits as clkhash's own CSV route, header checked."""
    rng = random.Random(3)
    records = [make_record(rng) for _ in range(300)]
    names = [each["identifier"] for each in PERSON["features"]]
    frame = pd.DataFrame(records)[names]
    loaded = clkhash.schema.from_json_dict(default_schema())
    found = clkhash.clk.generate_clk_from_csv(
        io.StringIO(frame.to_csv(index=False)), SECRET, loaded, progress_bar=False, max_workers=1
    )
    assert encode(PERSON, frame) == [each.tobytes() for each in found]


def test_every_kind_of_table_gives_the_same() -> None:
    """Mapping, Arrow table, batch, dictionary columns and data frame encode alike."""
    rng = random.Random(4)
    columns = columns_of([make_record(rng) for _ in range(400)])
    wanted = encode(FOLDED, columns)
    table = pa.table(columns)
    halves = pa.concat_tables([table.slice(0, 150), table.slice(150)])
    coded = pa.table({name: table[name].dictionary_encode() for name in table.schema.names})
    frame = pd.DataFrame(columns)
    for other in (table, halves, coded, coded.slice(0), table.to_batches()[0], frame,
                  frame.astype(object), frame.astype("category")):  # fmt: skip
        assert encode(FOLDED, other) == wanted
    assert encode(FOLDED, coded.slice(390)) == wanted[390:]
    assert encode(FOLDED, frame.iloc[390:]) == wanted[390:]


def test_null_is_the_empty_string() -> None:
    """A null in any kind of table encodes as a missing value."""
    schema = document([feature("a", TEXT, ngram(2), {"bitsPerToken": 4}, missingValue=EMPTY)])
    wanted = encode(schema, {"a": ["x", "", "y"]})
    values = pa.array(["x", None, "y"])
    for column in (values, values.dictionary_encode(), values.dictionary_encode("encode")):
        assert encode(schema, pa.table({"a": column})) == wanted
    assert encode(schema, pd.DataFrame({"a": ["x", None, "y"]})) == wanted


def test_more_rows_than_a_chunk() -> None:
    """Rows past the first chunk keep their place."""
    schema = document([feature("a", {"type": "integer"}, EXACT, {"bitsPerToken": 8})])
    values = [str(at % 977) for at in range(70_000)]
    found = encode(schema, {"a": values})
    assert found == [found[at % 977] for at in range(70_000)]
    assert len(set(found)) == 977


def test_many_tokens_outgrow_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache that is emptied between chunks changes nothing."""
    monkeypatch.setattr("partner_agent.encoding.positions.CACHE_BYTES", 1024)
    rng = random.Random(5)
    records = [make_record(rng) for _ in range(200)]
    encoder = ClkEncoder(LinkageSchema.parse(VARIED), SECRET)
    wanted = by_clkhash(VARIED, records)
    for _ in range(3):
        found = encoder.encode(columns_of(records))
        assert [row.tobytes() for row in found.encodings[0]] == wanted


def test_empty_table() -> None:
    """No rows, no encodings."""
    chunk = ClkEncoder(LinkageSchema.parse(PERSON), SECRET).encode(
        {name: [] for name in LinkageSchema.parse(PERSON).columns}
    )
    assert chunk.encodings.shape == (1, 0, 128)
    assert chunk.encodings.dtype == np.uint8


def test_keys_are_those_of_clkhash() -> None:
    """Feature keys are the first of each pair that clkhash derives."""
    schema = LinkageSchema.parse(FOLDED)
    pairs = clkhash.clk.generate_key_lists(
        SECRET, 5, key_size=32, salt=b"some salt", info=b"some info", hash_algo="SHA512"
    )
    assert feature_keys(schema, SECRET) == [first for first, _ in pairs]


comparisons = st.one_of(
    st.builds(ngram, st.integers(1, 9), positional=st.booleans()), st.just(EXACT)
)
strategies = st.one_of(
    st.builds(lambda bits: {"bitsPerToken": bits}, st.integers(1, 100)),
    st.builds(lambda bits: {"bitsPerFeature": bits}, st.integers(1, 300)),
)
texts = st.text(max_size=40) | st.text("abc ", max_size=80)


@settings(max_examples=150, deadline=None)
@given(
    values=st.lists(texts, min_size=1, max_size=8),
    comparison=comparisons,
    strategy=strategies,
    encoding=st.sampled_from(["utf-8", "utf-16", "utf-32"]),
    power=st.integers(6, 11),
    folds=st.integers(0, 3),
)
def test_any_text_and_any_settings(
    values: list[str],
    comparison: dict[str, Any],
    strategy: dict[str, int],
    encoding: str,
    power: int,
    folds: int,
) -> None:
    """Law: whatever the text, comparison, strategy, length and folds, the bits are clkhash's."""
    form = TEXT | {"encoding": encoding}
    schema = document(
        [feature("a", form, comparison, strategy)], l=1 << (power - 3), xor_folds=folds
    )
    assert encode(schema, {"a": values}) == by_clkhash(schema, [{"a": each} for each in values])
