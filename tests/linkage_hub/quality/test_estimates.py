"""Estimates without truth: intervals, chains of pairs, the curve, removal, suppression, forms."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.exchange.hub_api import QualityRow, QualityTable, Share3
from governance.exchange.sentinels import DECOY, SyntheticRecord
from governance.exchange.submission_file import ARROW_SCHEMA
from linkage_hub.linkage.duplicates import Duplicates
from linkage_hub.linkage.persons import LinkResult, SourcePair
from linkage_hub.linkage.threshold import Estimate
from linkage_hub.quality.curve import Known, fit, worth
from linkage_hub.quality.errors import NotTheKey
from linkage_hub.quality.frame import REAL, Records
from linkage_hub.quality.intervals import Interval, clustered, wilson
from linkage_hub.quality.pairs import UNSEEN, RecordPairs, joined_and_parted
from linkage_hub.quality.removal import without_synthetic
from linkage_hub.quality.render import as_csv, as_page, share_text
from linkage_hub.quality.service import measured
from linkage_hub.quality.table import HIDDEN, _hidden_small, quality_table
from linkage_hub.runs.inputs import SourceData

NOTHING = Estimate(0, 0.0, 1.0, 1.0)


@dataclass
class Evidence:
    """The model's word on pairs between two sources."""

    first: int
    second: int
    left: Any
    right: Any
    probability: Any


def evidence(first: int, second: int, *pairs: tuple[int, int, float]) -> Evidence:
    """Pairs as (row, row, probability)."""
    left, right, probability = zip(*pairs, strict=True)
    return Evidence(first, second, np.array(left), np.array(right), np.array(probability))


def test_wilson_gives_the_published_interval() -> None:
    """81 of 263 is .308 with .2553 to .3662 (Newcombe, Statistics in Medicine 17, 1998)."""
    found = wilson(81 / 263, 263)
    assert (round(found.low, 4), round(found.high, 4)) == (0.2553, 0.3662)
    assert wilson(0.0, 0) == Interval(0.0, 0.0, 1.0)


@given(st.floats(0, 1), st.floats(0.1, 1e6))
def test_an_interval_holds_its_share(share: float, observations: float) -> None:
    """Whatever is observed, the interval lies within 0 to 1 and holds it."""
    found = wilson(share, observations)
    assert 0.0 <= found.low <= share + 1e-12
    assert share - 1e-12 <= found.high <= 1.0


def test_clusters_count_for_less_than_their_pairs() -> None:
    """Pairs of one person that are all right or all wrong together are one observation."""
    alone = clustered(np.array([1.0, 0.0] * 50), np.ones(100), np.arange(100))
    together = clustered(np.repeat([1.0, 0.0] * 5, 10), np.ones(100), np.repeat(np.arange(10), 10))
    assert alone.interval.value == together.interval.value == 0.5
    assert together.observations < 12
    assert alone.observations > 90
    assert clustered(np.empty(0), np.empty(0), np.empty(0, dtype=np.int64)).observations == 0.0


def test_a_joined_pair_has_its_best_chain() -> None:
    """A pair that the model did not see has the product over the best way round."""
    labels = np.array([0, 1, 0, 0, 1])
    found = [
        evidence(0, 1, (0, 0, 0.9), (1, 0, 0.4), (1, 1, 0.2)),
        evidence(1, 1, (0, 1, 0.8)),
    ]
    joined, parted = joined_and_parted(labels, np.array([0, 2, 5]), found)
    chance = {
        (int(a), int(b)): round(float(p), 4)
        for a, b, p in zip(joined.left, joined.right, joined.probability, strict=True)
    }
    assert chance == {(0, 2): 0.9, (2, 3): 0.8, (0, 3): 0.72, (1, 4): UNSEEN}
    assert list(zip(parted.left, parted.right, strict=True)) == [(1, 2)]


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_every_joined_pair_is_counted_once(seed: int) -> None:
    """However records fall into persons, each two of one person are there once."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 12, 60)
    joined, _ = joined_and_parted(labels, np.array([0, 60]), [])
    ends = zip(joined.left.tolist(), joined.right.tolist(), strict=True)
    pairs = {frozenset(pair) for pair in ends}
    sizes = np.bincount(labels)
    assert len(pairs) == len(joined) == int((sizes * (sizes - 1) // 2).sum())
    assert (labels[joined.left] == labels[joined.right]).all()


def known(rng: np.random.Generator, size: int, share: float) -> Known:
    """Pairs whose model says .9 and of which a share is right, each of a person of its own."""
    at = np.arange(size)
    pairs = RecordPairs(at, at, np.full(size, 0.9), at)
    return Known(pairs, (rng.random(size) < share).astype(float), np.ones(size), at)


@pytest.mark.parametrize("share", [0.5, 0.97])
def test_the_curve_says_what_probabilities_are_worth(share: float) -> None:
    """Where .9 is right in half the cases the curve says half, with little spread left."""
    rng = np.random.default_rng(7)
    pairs = known(rng, 2_000, share)
    found = fit(pairs, known(rng, 5, 0.0), np.ones(2_000))
    assert abs(float(worth(np.array([0.9]), found.central.joined)[0]) - share) < 0.03
    precision, _ = found.spread(pairs.pairs, pairs.weight, pairs.pairs, pairs.weight)
    assert precision < 0.05


def test_without_sentinels_the_model_is_taken_at_its_word() -> None:
    """Nothing learnt, nothing changed, and no spread claimed."""
    none = np.empty(0, dtype=np.int64)
    pairs = RecordPairs(none, none, np.empty(0), none)
    nobody = Known(pairs, np.empty(0), np.empty(0), none)
    found = fit(nobody, nobody, np.empty(0))
    assert np.allclose(worth(np.array([0.2, 0.9]), found.central.joined), [0.2, 0.9])
    assert found.replicates == []


def linked(
    person_of: list[list[int]], *pairs: Evidence, bonds: Sequence[tuple[int, int]] = ()
) -> LinkResult:
    """A linkage as persons would hand it over."""
    return LinkResult(
        [np.array(each) for each in person_of],
        1 + max(max(each, default=-1) for each in person_of),
        0.8,
        NOTHING,
        [
            SourcePair(e.first, e.second, 0.8, NOTHING, e.left, e.right, e.probability)
            for e in pairs
        ],
        bonds=np.array(bonds, dtype=np.int64).reshape(-1, 2),
    )


def test_who_only_a_synthetic_record_held_together_is_parted() -> None:
    """Real, synthetic, real in a chain become two persons; two who belong together stay."""
    whole = linked(
        [[0, 1, 2], [0, 1], [0, 3]],
        evidence(0, 1, (0, 0, 0.9), (1, 1, 0.9)),
        evidence(1, 2, (0, 0, 0.9)),
        bonds=[(0, 3), (1, 4), (3, 5)],
    )
    real = [np.array([True, True, False]), np.array([False, True]), np.array([True, False])]
    found = without_synthetic(whole, real)
    assert [each.tolist() for each in found.person_of] == [[0, 1], [1], [2]]
    assert found.persons == 3
    assert [pair.left.tolist() for pair in found.pairs] == [[1], []]
    assert found.bonds.tolist() == [[1, 2]]
    everyone = [np.ones(len(each), dtype=bool) for each in real]
    assert without_synthetic(whole, everyone) is whole


def row(value: str, records: int) -> QualityRow:
    """A line of a group."""
    share = Share3(value=0.9, low=0.8, high=0.95)
    return QualityRow(
        group="sex", value=value, records=records, predicted_precision=share,
        predicted_recall=share, sentinel_pairs=3, sentinel_recall=share, sentinel_precision=share,
        note="",
    )  # fmt: skip


def test_a_small_group_cannot_be_had_by_subtraction() -> None:
    """Where one group is hidden the next smallest is too, unless several hide each other."""
    shown = _hidden_small([row("m", 900), row("f", 300), row("unknown", 3)], 7)
    assert [each.records for each in shown] == [900, None, None]
    assert shown[2].note == HIDDEN
    assert shown[2].predicted_recall is None
    assert shown[2].sentinel_recall is not None
    several = _hidden_small([row("m", 900), row("f", 4), row("unknown", 5)], 7)
    assert [each.records for each in several] == [900, None, None]
    assert [each.records for each in _hidden_small([row("m", 900), row("f", 7)], 7)] == [900, 7]


def test_the_table_corrects_a_model_that_is_too_sure() -> None:
    """A model that says .95 of pairs of which sentinels show .6 to be right is not believed."""
    rng = np.random.default_rng(3)
    count = 1_200  # records of each of two sources; the first third is synthetic
    synthetic = np.arange(count) < count // 3
    right = rng.random(count) < 0.6
    person = np.where(synthetic, np.arange(count), REAL)
    other = np.where(synthetic & ~right, count + np.arange(count), person)
    records = Records(
        np.repeat([0, 1], count),
        ["one", "two"],
        np.concatenate([person, other]),
        np.concatenate([np.where(synthetic, 0, REAL)] * 2).astype(np.int8),
    )
    pairs = evidence(0, 1, *((at, at, 0.95) for at in range(count)))
    table = quality_table(records, [np.arange(count), np.arange(count)], [pairs], 7)
    everyone = table.rows[0]
    assert everyone.records == 2 * (count - count // 3)
    assert everyone.predicted_precision is not None
    assert everyone.sentinel_precision is not None
    assert abs(everyone.sentinel_precision.value - 0.6) < 0.06
    assert everyone.predicted_precision.low < 0.6 < everyone.predicted_precision.high
    assert quality_table(records, [], [], 7).rows == ()


def test_the_table_is_written_for_spreadsheet_and_page() -> None:
    """Every number has a column; a page holds no markup from a name; intervals read in brackets."""
    table = QualityTable(rows=(row("<b>", 12),))
    lines = as_csv(table).decode().splitlines()
    assert len(lines[0].split(",")) == len(lines[1].split(",")) == 17
    page = as_page(table, "0" * 32).decode()
    assert "<b>" not in page
    assert "&lt;b&gt;" in page
    assert share_text(table.rows[0].predicted_recall) == "0.900 [0.800, 0.950]"
    assert share_text(None) == ""


def test_a_partner_calls_no_other_partners_record_synthetic() -> None:
    """A key that names a handle of another source ends the run; nothing of it is left out."""
    empty = ARROW_SCHEMA.empty_table()
    sources = []
    for number, party in enumerate(("council", "police")):
        handles = np.array([bytes([number + 1]) * 16], dtype="V16")
        encodings = np.zeros((1, 1, 128), dtype=np.uint8)
        own = Duplicates.none()
        sources.append(SourceData(party, f"{party}_records", "", handles, encodings, own, empty))
    theirs = sources[0].handles[0].tobytes().hex()
    key = {theirs: SyntheticRecord(theirs, "0" * 32, DECOY, {})}
    linked = LinkResult([np.array([0]), np.array([1])], 2, 0.8, NOTHING)
    with pytest.raises(NotTheKey, match="police/police_records") as caught:
        measured(sources, linked, [{}, key], 7)
    assert theirs not in str(caught.value)
