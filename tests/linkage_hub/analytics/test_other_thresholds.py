"""The table of other thresholds, on persons made by hand; and what stands in the way of records."""

import numpy as np
import pyarrow as pa
import pytest

from linkage_hub.analytics.alone import BARRIERS, barriers_of
from linkage_hub.analytics.thresholds import FamilyMembers, threshold_rows
from linkage_hub.linkage.answers import PairAnswers
from linkage_hub.linkage.duplicates import Duplicates
from linkage_hub.linkage.persons import LinkResult, SourcePair
from linkage_hub.linkage.threshold import Estimate, estimate_of
from linkage_hub.runs.inputs import SourceData

PROBABILITY = np.array([0.999, 0.75, 0.35, 0.15])
ROWS = np.arange(4)


def linked() -> LinkResult:
    """Two sources of four records: row 0 sure, 1 likely, 2 unlikely, 3 hardly one person."""
    pair = SourcePair(0, 1, 0.7, estimate_of(PROBABILITY), ROWS, ROWS, PROBABILITY)
    persons = [np.array([0, 1, 2, 3]), np.array([0, 1, 4, 5])]
    return LinkResult(persons, 6, 0.7, Estimate(2, 2.2, 0.9, 0.8), [pair])


FAMILIES = FamilyMembers(
    np.array([0, 0, 1, 2]), np.array([0, 1, 2, 3]), np.array([True, False, True])
)
NO_RULINGS = PairAnswers.none()


def ruling(row: int, *, same: bool) -> PairAnswers:
    """A ruling on the two records of a row."""
    first, second, at = np.array([0]), np.array([1]), np.array([row])
    return PairAnswers(first, second, at, at, np.array([same]))


def test_stricter_thresholds_part_and_laxer_ones_join() -> None:
    """Persons, links and touched families follow the pairs whose side of the threshold changes."""
    rows = {row.threshold: row for row in threshold_rows(linked(), NO_RULINGS, FAMILIES, 0.9, 0.8)}
    own = rows[0.5]
    assert (own.persons, own.links, own.joined, own.parted) == (6, 2, 0, 0)
    assert (own.estimated_precision, own.estimated_recall) == pytest.approx((0.9, 0.8))
    strict = rows[0.8]
    assert (strict.persons, strict.links, strict.parted, strict.joined) == (7, 1, 1, 0)
    assert (strict.families_touched, strict.flagged_touched) == (1, 1)
    assert strict.estimated_precision > own.estimated_precision
    gained = PROBABILITY[:2].sum()
    assert strict.estimated_recall == pytest.approx(0.8 * PROBABILITY[0] / gained, abs=1e-4)
    lax = rows[0.3]
    assert (lax.persons, lax.links, lax.joined, lax.parted) == (5, 3, 2, 0)
    assert (lax.families_touched, lax.flagged_touched) == (1, 0)
    assert lax.estimated_precision < own.estimated_precision
    assert lax.estimated_recall > own.estimated_recall
    assert rows[0.1].persons == 4
    assert rows[0.6].persons == 6


def test_rulings_bind_at_every_threshold() -> None:
    """What is ruled one person is never parted, what is ruled two never joined."""
    held = threshold_rows(linked(), ruling(1, same=True), FAMILIES, 0.9, 0.8)
    assert {row.persons for row in held if row.threshold >= 0.5} == {6}
    apart = threshold_rows(linked(), ruling(2, same=False), FAMILIES, 0.9, 0.8)
    assert {row.persons for row in apart if 0.2 <= row.threshold < 0.5} == {6}


def test_what_two_sources_should_have_shown_speaks_against_joining() -> None:
    """A laxer threshold does not chain persons through one pair where the others are absent."""
    bridge = SourcePair(
        0, 1, 0.7, estimate_of(PROBABILITY), np.array([0, 1, 0]), np.array([0, 1, 1]),
        np.array([0.99, 0.99, 0.45]),
    )  # fmt: skip
    both = LinkResult(
        [np.array([0, 1]), np.array([0, 1])], 2, 0.7, Estimate(2, 2.2, 0.9, 0.8), [bridge]
    )
    nobody = FamilyMembers(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.bool_))
    rows = threshold_rows(both, NO_RULINGS, nobody, 0.9, 0.8)
    assert {row.persons for row in rows if row.threshold in {0.3, 0.4}} == {2}


def test_nothing_linked_is_no_table() -> None:
    """Of a run without records there is none."""
    empty = LinkResult([], 0, 1.0, Estimate(0, 0.0, 1.0, 1.0))
    assert threshold_rows(empty, NO_RULINGS, FAMILIES, 1.0, 1.0) == []


def source(number: int, bands: list[str | None], ones: list[int]) -> SourceData:
    """Records with an age band and so many bits of a byte set."""
    size = len(bands)
    handles = np.array([bytes([number, at]) + b"\1" * 14 for at in range(size)], dtype="V16")
    encodings = np.stack(
        [np.full((128,), (1 << each) - 1, dtype=np.uint8) for each in ones]
    )[None]  # fmt: skip
    table = pa.table({"age_band": pa.array(bands, pa.string())})
    return SourceData("council", f"s{number}", "", handles, encodings, Duplicates.none(), table)


def test_barriers_are_told_in_order() -> None:
    """Namesakes, few fields, no birth date, in doubt; what resembles nobody has no barrier."""
    one = source(0, ["25_44", None, None, "25_44", "25_44"], [3, 1, 3, 3, 3])
    other = source(1, ["25_44"] * 4, [3] * 4)
    pair = SourcePair(
        0, 1, 0.7, estimate_of(PROBABILITY), np.array([0, 0, 3]), np.array([0, 1, 2]),
        np.array([0.45, 0.4, 0.3]),
    )  # fmt: skip
    found = LinkResult(
        [np.arange(5), np.array([5, 6, 7, 4])], 8, 0.7, Estimate(0, 1.0, 1.0, 1.0), [pair]
    )
    told = barriers_of([one, other], found, hardened=False)
    words = [BARRIERS[at] if at >= 0 else at for at in told.tolist()]
    assert words[:5] == ["namesakes", "few_fields", "no_birth_date", "in_doubt", -2]
    assert words[5:] == ["in_doubt", "in_doubt", "in_doubt", -2]
    told = barriers_of([one, other], found, hardened=True)
    assert BARRIERS[told[1]] == "no_birth_date"
