"""The compiled path cuts values into the very tokens of the plain path."""

from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from partner_agent.encoding.feature_tokens import FeatureTokens
from partner_agent.encoding.features import Feature
from partner_agent.encoding.positions import Texts
from partner_agent.encoding.schema import LinkageSchema
from partner_agent.encoding.values import InvalidValueError, tokens_of

NGRAM = {"type": "ngram", "n": 2, "positional": True}
EXACT = {"type": "exact"}
STRATEGY = {"bitsPerToken": 3}
NUMBERS = st.one_of(
    st.integers(-(10**17), 10**17).map(str),
    st.integers(-(10**6), 10**6).map(str),
    st.floats(-1e9, 1e9).map(repr),
    st.decimals(-(10**6), 10**6, places=3).map(str),
    st.sampled_from(["", "-", "-0", "007", "+5", " 7 ", "1.", ".5", "1e3", "1_0", "--1", "2.5.1"]),
    st.text("0123456789.-", max_size=18),
)


class Recorder:
    """A store that keeps the tokens themselves."""

    def __init__(self) -> None:
        self.tokens: list[bytes] = []

    @property
    def count(self) -> int:
        """Tokens so far."""
        return len(self.tokens)

    def add(self, tokens: Texts) -> None:
        """Keep more tokens."""
        offsets, data = tokens
        text = data.tobytes()
        self.tokens += [text[a:b] for a, b in pairwise(offsets.tolist())]


def feature(form: dict[str, Any], comparison: dict[str, Any], **missing: Any) -> Feature:
    """One feature as the schema reads it."""
    document = {
        "version": 3,
        "clkConfig": {"l": 1024, "kdf": {"type": "HKDF"}},
        "features": [
            {
                "identifier": "a",
                "format": form,
                "hashing": {"comparison": comparison, "strategy": STRATEGY, **missing},
            }
        ],
    }
    return LinkageSchema.parse(document).features[0]


def check(each: Feature, values: list[str]) -> None:
    """Compare both paths on distinct values, in two chunks."""
    recorder = Recorder()
    tokens = FeatureTokens(each, recorder)
    for part in (values[::2], values[1::2]):
        found = tokens.of(pa.array(part, pa.large_string()))
        for at, value in enumerate(part):
            slots = found.slots[found.starts[at] : found.starts[at + 1]]
            mine = found.invalid.get(at) or [recorder.tokens[slot] for slot in slots]
            assert mine == plain(each, value)


def plain(each: Feature, value: str) -> list[bytes] | str:
    """The plain path's tokens, or its reason."""
    try:
        return tokens_of(each, value)
    except InvalidValueError as error:
        return error.reason


@settings(max_examples=150, deadline=None)
@given(
    st.lists(NUMBERS, unique=True, max_size=12),
    st.sampled_from([0.4, 1, 2.5, 7, 500]),
    st.integers(1, 5),
    st.integers(0, 7),
    st.sampled_from(
        [
            {"type": "string"},
            {"type": "integer"},
            {"type": "integer", "minimum": -100, "maximum": 10**5},
            {"type": "string", "maxLength": 5},
        ]
    ),
)
def test_grid_points(
    values: list[str], distance: float, resolution: int, precision: int, form: dict[str, Any]
) -> None:
    """Law: numbers in any spelling and limits give the plain path's grid points or its reason."""
    comparison = {"type": "numeric", "thresholdDistance": distance, "resolution": resolution}
    if precision:
        comparison["fractional_precision"] = precision
    if round(distance * 10**precision):
        check(feature(form, comparison), values)


@pytest.mark.parametrize(
    "form", ["%Y-%m-%d", "%d/%m/%Y", "%Y%m%d", "%m.%d.%Y", "%d %m %Y", "%y-%m-%d"]
)
def test_dates_of_any_format(form: str) -> None:
    """Real dates, impossible ones and other spellings, in formats of fixed width and others."""
    days = [date(1000 + 37 * at % 1100, at % 12 + 1, at % 28 + 1) for at in range(60)]
    values = [each.strftime(form) for each in days]
    values += ["", "31/02/2020", "2020-02-30", "1/2/2020", "20200230", "2020-2-3", "0999-01-01"]
    for comparison in (NGRAM, EXACT):
        check(feature({"type": "date", "format": form}, comparison), list(dict.fromkeys(values)))


@settings(max_examples=80, deadline=None)
@given(st.lists(st.text(max_size=12), unique=True, max_size=12))
def test_whole_values_and_ngrams(values: list[str]) -> None:
    """Law: any text, as a whole or in n-grams, with limits and a missing value."""
    missing = {"missingValue": {"sentinel": "", "replaceWith": "x"}}
    check(feature({"type": "string"}, EXACT), values)
    check(feature({"type": "string", "maxLength": 6}, EXACT, **missing), values)
    check(feature({"type": "string", "case": "lower"}, NGRAM, **missing), values)


def test_slots_of_a_slice() -> None:
    """Values that begin inside a larger Arrow buffer are read from their own beginning."""
    recorder = Recorder()
    tokens = FeatureTokens(feature({"type": "string"}, EXACT), recorder)
    found = tokens.of(pa.array(["skipped", "one", "", "två", "three"], pa.large_string()).slice(1))
    assert [recorder.tokens[slot] for slot in found.slots] == [b"one", "två".encode(), b"three"]
    assert np.array_equal(found.starts, [0, 1, 1, 2, 3])
