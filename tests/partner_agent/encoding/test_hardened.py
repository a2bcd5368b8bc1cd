"""Hardened encodings: the definition, its laws, its keys and its test vectors."""

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from governance.agreements.encoding import Hardening, View
from partner_agent.encoding.errors import SchemaUnsupportedError, SecretError
from partner_agent.encoding.features import Feature
from partner_agent.encoding.hardened import CHUNK_ROWS, HardenedEncoder, view_keys
from partner_agent.encoding.person import default_hardening, default_schema
from partner_agent.encoding.profiles import vector_digest
from partner_agent.encoding.schema import LinkageSchema
from partner_agent.encoding.tokens import LinkageKeys
from partner_agent.encoding.values import InvalidValueError, tokens_of
from partner_agent.encoding.vectors import VECTORS

SECRET = bytes(range(32))
DOCUMENT = default_schema()
SCHEMA = LinkageSchema.parse(DOCUMENT)
HARDENING = default_hardening(DOCUMENT)
KEYS = LinkageKeys.derive(SECRET, "sha256:" + "ab" * 32, 1)
DIGEST = "sha256:68168ef4c25eb73d961cfcd69ebdb7e01a7f16f1bde3ea886d3c42e5cdc182c9"
ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789-'.,"
DATE_PLACES = {"date_of_birth.year": range(6, 10), "date_of_birth.day_month": range(1, 5)}


def columns_of(records: Sequence[Mapping[str, str]]) -> dict[str, list[str]]:
    """Records as columns of the schema."""
    return {name: [each.get(name, "") for each in records] for name in SCHEMA.columns}


def reference(record: Mapping[str, str], hardening: Hardening, secret: bytes) -> list[bytes] | None:
    """The definition, in plain Python with exact integers: encodings of one record."""
    found = []
    keys = view_keys(SCHEMA, hardening, secret)
    views = [((), ()), *((view.leaves_out, view.needs) for view in hardening.views)]
    for key, (agreed, needs) in zip(keys, views, strict=True):
        leaves_out = () if any(not record.get(each) for each in needs) else agreed
        total = np.zeros(hardening.k * hardening.bits, dtype=np.int64)
        for feature in SCHEMA.features:
            try:
                tokens = tokens_of(feature, record.get(feature.identifier, ""))
            except InvalidValueError:
                return None
            weight = math.isqrt(16 * feature.strategy.per_feature // max(1, len(tokens))) or 1
            for token in _kept(tokens, feature, leaves_out):
                total += weight * (2 * _votes(key, feature, token, len(total)) - 1)
        ties = _bits(hashlib.shake_256(key.ljust(136, b"\0") + b"\xff\xfftie"), len(total))
        signs = 2 * total + 2 * ties - 1 < 0
        bits = np.bitwise_xor.reduce(signs.reshape(hardening.k, -1), axis=0)
        found.append(np.packbits(bits, bitorder="little").tobytes())
    return found


def _kept(tokens: list[bytes], feature: Feature, leaves_out: Sequence[str]) -> list[bytes]:
    if feature.identifier in leaves_out:
        return []
    for part, places in DATE_PLACES.items():
        if part in leaves_out and part.startswith(feature.identifier):
            return [each for each in tokens if int(each.split(b" ")[0]) in places]
    return tokens


def _votes(key: bytes, feature: Feature, token: bytes, count: int) -> NDArray[np.int64]:
    message = key.ljust(136, b"\0") + feature.index.to_bytes(2, "big") + token
    return _bits(hashlib.shake_256(message), count)


def _bits(sponge: Any, count: int) -> NDArray[np.int64]:
    data = np.frombuffer(sponge.digest(count // 8), dtype=np.uint8)
    return np.unpackbits(data, bitorder="little").astype(np.int64)


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_the_kernels_follow_the_definition(k: int) -> None:
    """Every view of every test vector equals the plain definition, refusals included."""
    hardening = default_hardening(DOCUMENT, k)
    found = HardenedEncoder(SCHEMA, hardening, SECRET).encode(columns_of(VECTORS))
    for at, record in enumerate(VECTORS):
        wanted = reference(record, hardening, SECRET)
        assert found.accepted[at] == (wanted is not None)
        assert [each.tobytes() for each in found.encodings[:, at]] == (
            wanted or [bytes(128)] * len(found.encodings)
        )


def test_vectors_are_published() -> None:
    """The digest of the fixed records under a fixed secret never changes (docs/adr/0008)."""
    assert vector_digest(SCHEMA, KEYS, HARDENING) == DIGEST


def test_digest_and_keys_bind_every_parameter() -> None:
    """Another k, another view or the other profile gives another digest and other view keys."""
    others = [
        None,
        default_hardening(DOCUMENT, 2),
        Hardening(k=4, views=HARDENING.views[1:]),
        Hardening(k=4, views=(View(id="other", leaves_out=("surname",)),)),
        Hardening(k=4, views=(View(id="other", leaves_out=("sex",)),)),
    ]
    digests = {vector_digest(SCHEMA, KEYS, each) for each in (HARDENING, *others)}
    assert len(digests) == 1 + len(others)
    keys = [
        key
        for k in (1, 2)
        for name in ("one", "two")
        for key in view_keys(
            SCHEMA, Hardening(k=k, views=(View(id=name, leaves_out=("sex",)),)), SECRET
        )
    ]
    assert len(set(keys)) == 6  # the full view's key depends on k alone


def test_the_file_stays_the_same_in_any_cut() -> None:
    """Chunks, threads and the cache of votes change nothing."""
    rng = np.random.default_rng(5)
    records = pd.DataFrame(columns_of(VECTORS[:10]))
    frame = records.iloc[rng.integers(0, 10, CHUNK_ROWS + 100)].reset_index(drop=True)
    one = HardenedEncoder(SCHEMA, HARDENING, SECRET, workers=1).encode(frame)
    many = HardenedEncoder(SCHEMA, HARDENING, SECRET, workers=3)
    assert np.array_equal(one.encodings, many.encode(frame).encodings)
    assert np.array_equal(one.encodings[:, 40:80], many.encode(frame.iloc[40:80]).encodings)


def test_a_missing_field_leaves_its_view_whole() -> None:
    """Where a field is missing, its view has the record's whole set of tokens."""
    there = {"first_name": "ada", "surname": "quixwald", "date_of_birth": "1980-02-01"}
    hardening = Hardening(
        k=3, views=(View(id="without_address", leaves_out=("address", "postcode")),)
    )
    here = there | {"address": "1 high street", "postcode": "BN1 1AA"}
    found = HardenedEncoder(SCHEMA, hardening, SECRET).encode(columns_of([there, here])).encodings
    assert np.array_equal(found[1, 0], found[1, 1])
    assert not np.array_equal(found[0, 0], found[0, 1])


def test_an_error_in_one_part_leaves_that_parts_view_untouched() -> None:
    """A wrong year changes all views but the one without the year; so too day and month."""
    right = {"first_name": "ada", "surname": "quixwald", "date_of_birth": "1980-02-01"}
    records = [
        right,
        right | {"date_of_birth": "1981-02-01"},
        right | {"date_of_birth": "1980-01-02"},
    ]
    found = HardenedEncoder(SCHEMA, HARDENING, SECRET).encode(columns_of(records)).encodings
    names = [view.id for view in HARDENING.views]
    year, birthday = names.index("without_birth_year") + 1, names.index("without_birthday") + 1
    for view in range(len(found)):
        assert np.array_equal(found[view, 0], found[view, 1]) == (view == year)
        assert np.array_equal(found[view, 0], found[view, 2]) == (view == birthday)


def test_what_cannot_be_hardened_is_refused() -> None:
    """A short secret, weights beyond 16 bits, an unknown feature, a date without places."""
    with pytest.raises(SecretError):
        HardenedEncoder(SCHEMA, HARDENING, b"short")
    heavy = default_schema()
    for each in heavy["features"]:
        each["hashing"]["strategy"]["bitsPerFeature"] = 4096
    with pytest.raises(SchemaUnsupportedError, match="add up"):
        HardenedEncoder(LinkageSchema.parse(heavy), Hardening(k=1), SECRET)
    unknown = Hardening(k=1, views=(View(id="none", leaves_out=("phone",)),))
    with pytest.raises(SchemaUnsupportedError, match="no feature"):
        HardenedEncoder(SCHEMA, unknown, SECRET)
    unplaced = default_schema()
    unplaced["features"][3]["hashing"]["comparison"]["positional"] = False
    with pytest.raises(SchemaUnsupportedError, match="positional"):
        HardenedEncoder(LinkageSchema.parse(unplaced), HARDENING, SECRET)


def test_a_value_of_too_many_tokens_is_reported() -> None:
    """Sums hold 512 tokens of a value; a longer one is an invalid field, without its text."""
    document = default_schema()
    del document["features"][5]["format"]["maxLength"]
    encoder = HardenedEncoder(LinkageSchema.parse(document), HARDENING, SECRET)
    found = encoder.encode(columns_of([{"address": "x" * 512}, {"address": "x" * 511}]))
    assert found.accepted.tolist() == [False, True]
    assert [(each.feature, each.reason) for each in found.invalid] == [
        ("address", "field.too_long")
    ]


def one_feature(n: int = 2) -> LinkageSchema:
    """A schema of one string of n-grams."""
    document = default_schema()
    document["features"] = [document["features"][0]]
    document["features"][0]["hashing"]["comparison"]["n"] = n
    document["features"][0]["hashing"]["strategy"] = {"bitsPerToken": 10}
    return LinkageSchema.parse(document)


def encode_texts(texts: Sequence[str], k: int, secret: bytes = SECRET) -> NDArray[np.uint8]:
    """Encodings of texts that are cut into single letters."""
    encoder = HardenedEncoder(one_feature(1), Hardening(k=k), secret, workers=1)
    found: NDArray[np.uint8] = encoder.encode({"first_name": list(texts)}).encodings[0]
    return found


@settings(max_examples=40, deadline=None)
@given(st.text("abcdefghij", min_size=1, max_size=60), st.randoms(use_true_random=False))
def test_order_of_tokens_is_irrelevant(text: str, random: Any) -> None:
    """Law: equal tokens in another order give the same encoding."""
    shuffled = "".join(random.sample(text, len(text)))
    one, other = encode_texts([text, shuffled], 3)
    assert np.array_equal(one, other)


@settings(max_examples=40, deadline=None)
@given(st.text("abcdefghijklmnop", min_size=1, max_size=30), st.binary(min_size=32, max_size=32))
def test_another_key_gives_about_half_the_bits(text: str, secret: bytes) -> None:
    """Law: under another key half of the bits differ, within six standard deviations."""
    one, other = encode_texts([text], 3)[0], encode_texts([text], 3, secret)[0]
    differing = int(np.bitwise_count(one ^ other).sum())
    assert secret == SECRET or abs(differing - 512) < 6 * 16


@pytest.mark.parametrize("k", [1, 2, 3, 4])
@pytest.mark.parametrize("common", [0, 10, 16, 18, 20])
def test_agreement_follows_the_overlap_of_tokens(k: int, common: int) -> None:
    """Law: bits agree with probability (1 + c^k) / 2, c the correlation of two majorities.

    For many tokens c is 1 - 2 arccos(overlap) / pi, overlap the common tokens over all of one set
    (Sheppard 1899); for 20 tokens it is counted out, ties included.
    """
    first, second = ALPHABET[:20], ALPHABET[20 - common : 40 - common]
    agree = []
    for salt in range(12):
        one, other = encode_texts([first, second], k, bytes([salt]) * 32)
        agree.append(1 - int(np.bitwise_count(one ^ other).sum()) / 1024)
    c = majority_correlation(20, common)
    assert abs(np.mean(agree) - (1 + c**k) / 2) < 0.02
    assert abs(c - (1 - 2 * math.acos(common / 20) / math.pi)) < 0.1


def majority_correlation(tokens: int, common: int) -> float:
    """Correlation of two majorities of equally weighed votes; a tie counts as a vote against."""

    def for_(votes: int, ahead: int) -> float:
        """Probability that so many votes, added to a lead, make more for than against."""
        wins = [math.comb(votes, yes) for yes in range(votes + 1) if 2 * yes - votes + ahead > 0]
        return float(sum(wins) / 2**votes)

    total = 0.0
    for yes in range(common + 1):
        q = for_(tokens - common, 2 * yes - common)
        total += math.comb(common, yes) / 2**common * (q * q + (1 - q) * (1 - q))
    return 2 * total - 1
