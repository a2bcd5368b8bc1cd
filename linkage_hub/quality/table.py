"""The table of a run's quality, and its forms: JSON, CSV and a page.

Rules: a row shows real records only as a count, and no count below the agreement's suppression
threshold; where such a row is hidden and could be had by subtraction from its group's other rows,
the next smallest is hidden too (agreement: suppression_threshold). Figures of synthetic records
are about nobody and are shown whatever their number.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from governance.exchange.hub_api import QualityRow, QualityTable, Share3
from linkage_hub.quality import calibrate
from linkage_hub.quality.curve import Fitted
from linkage_hub.quality.frame import UNKNOWN, Records
from linkage_hub.quality.intervals import Interval, Logit, Observed
from linkage_hub.quality.measure import Expected, Linkage, Seen, expected, fitted, hard_pairs, seen
from linkage_hub.quality.pairs import Indices, Mask, PairEvidence, RecordPairs, joined_and_parted

OVERALL: Final = "all records"
HARD: Final = "hard to tell apart"
FEW: Final = 10  # effective observations; fewer show next to nothing
HIDDEN: Final = "fewer records than the agreement shows"
NOT_BANDED: Final = "the agreement does not have agents band real records by this"
NONE: Final = Logit(0.0, 0.0)
Corrections = tuple[Logit, Logit]


def quality_table(
    records: Records,
    person_of: Sequence[Indices],
    evidence: Sequence[PairEvidence],
    threshold: int,
) -> QualityTable:
    """The table of one run.

    Args:
        records: of all sources, with what the partners revealed.
        person_of: person of each record, by source, int64.
        evidence: the model's, by pair of sources.
        threshold: smallest number of real records that may be shown.
    """
    labels = np.concatenate(person_of) if person_of else np.empty(0, dtype=np.int64)
    if not len(labels):
        return QualityTable(rows=())
    joined, parted = joined_and_parted(labels, records.offsets, evidence)
    linkage = Linkage(records, labels, joined, parted)
    everyone = np.ones(len(labels), dtype=bool)
    worth_of = fitted(linkage)
    rows = [_row(linkage, worth_of, "", OVERALL, everyone, (NONE, NONE))]
    for group in records.groups:
        rows += _hidden_small(list(_group(linkage, worth_of, group)), threshold)
    rows += _hidden_small(list(_sources(linkage, worth_of)), threshold)
    rows.append(_hard_row(linkage))
    return QualityTable(rows=tuple(rows))


def _row(
    linkage: Linkage,
    worth_of: Fitted,
    group: str,
    value: str,
    members: Mask,
    corrections: Corrections,
) -> QualityRow:
    real = expected(linkage, members, worth_of, synthetic=False)
    found = seen(linkage, members)
    records = int((members & linkage.records.real).sum())
    return _line(group, value, records, real, found, corrections)


def _line(
    group: str, value: str, records: int, real: Expected, found: Seen, corrections: Corrections
) -> QualityRow:
    """A row; nothing is predicted from fewer than ten pairs."""
    enough = real.joined >= FEW
    precision = calibrate.calibrated(real.precision, corrections[0], calibrate.PRECISION_ALLOWANCE)
    recall = calibrate.calibrated(real.recall, corrections[1], calibrate.RECALL_ALLOWANCE)
    few = found.recall.observations < FEW or found.precision.observations < FEW
    notes = [] if enough else ["few pairs"]
    return QualityRow(
        group=group,
        value=value,
        records=records,
        predicted_precision=_share(precision) if enough else None,
        predicted_recall=_share(recall) if enough else None,
        sentinel_pairs=found.pairs,
        sentinel_recall=_observed(found.recall),
        sentinel_precision=_observed(found.precision),
        note=", ".join([*notes, *(["few sentinels"] if few else [])]),
    )


def _group(linkage: Linkage, worth_of: Fitted, group: str) -> Iterator[QualityRow]:
    column = linkage.records.groups[group]
    banded = bool((column[linkage.records.real] >= 0).any())
    for number, value in enumerate((*linkage.records.values[group], UNKNOWN)):
        members = column == (number if value != UNKNOWN else -1)
        if not members.any() or (not banded and value == UNKNOWN):
            continue
        synthetic = expected(linkage, members, worth_of, synthetic=True)
        corrections = calibrate.differences(synthetic, seen(linkage, members), calibrate.A_GROUP)
        row = _row(linkage, worth_of, group, value, members, corrections)
        if not banded:
            row = row.model_copy(
                update={
                    "records": None, "predicted_precision": None, "predicted_recall": None,
                    "note": NOT_BANDED,
                }
            )  # fmt: skip
        yield row


def _sources(linkage: Linkage, worth_of: Fitted) -> Iterator[QualityRow]:
    """Two sources at a time, where the model joined any of their records."""
    records = linkage.records
    everyone = np.ones(len(records.source), dtype=bool)
    counts = np.bincount(records.source[records.real], minlength=len(records.names))
    joined, parted = _by_sources(records, linkage.joined), _by_sources(records, linkage.parted)
    nothing = linkage.parted.where(np.zeros(len(linkage.parted), dtype=bool))
    for (first, second), pairs in sorted(joined.items()):
        part = Linkage(records, linkage.labels, pairs, parted.get((first, second), nothing))
        found = seen(part, everyone, sources=(first, second))
        synthetic = expected(part, everyone, worth_of, synthetic=True)
        corrections = calibrate.differences(synthetic, found, calibrate.TWO_SOURCES)
        real = expected(part, everyone, worth_of, synthetic=False)
        names = records.names[first], records.names[second]
        value = " x ".join(names) if first != second else f"within {names[0]}"
        count = int(counts[list({first, second})].sum())
        yield _line("sources", value, count, real, found, corrections)


def _by_sources(records: Records, pairs: RecordPairs) -> dict[tuple[int, int], RecordPairs]:
    """Pairs by the two sources that they are of."""
    own = records.source[pairs.left], records.source[pairs.right]
    key = np.minimum(*own) * len(records.names) + np.maximum(*own)
    order = np.argsort(key, kind="stable")
    numbers, starts, counts = np.unique(key[order], return_index=True, return_counts=True)
    return {
        divmod(int(number), len(records.names)): pairs.at(order[start : start + count])
        for number, start, count in zip(numbers, starts, counts, strict=True)
    }


def _hard_row(linkage: Linkage) -> QualityRow:
    pairs, wrong = hard_pairs(linkage)
    return QualityRow(
        group="",
        value=HARD,
        records=None,
        predicted_precision=None,
        predicted_recall=None,
        sentinel_pairs=pairs,
        sentinel_recall=None,
        sentinel_precision=None,
        note=f"twins, parent and child of one name, namesakes of one birth year: "
        f"{wrong} of {pairs} joined pairs are wrong",
    )


def _hidden_small(rows: list[QualityRow], threshold: int) -> list[QualityRow]:
    counts = {at: row.records for at, row in enumerate(rows) if row.records is not None}
    small = {at for at, count in counts.items() if 0 < count < threshold}
    exclusive = bool(rows) and rows[0].group != "sources"
    if exclusive and small and sum(counts[at] or 0 for at in small) < threshold:
        rest = [at for at in counts if at not in small and counts[at]]
        if rest:
            small.add(min(rest, key=lambda at: counts[at] or 0))
    return [
        row.model_copy(
            update={
                "records": None, "predicted_precision": None, "predicted_recall": None,
                "note": HIDDEN,
            }
        )
        if at in small
        else row
        for at, row in enumerate(rows)
    ]  # fmt: skip


def _share(interval: Interval) -> Share3:
    return Share3(value=_rounded(interval.value), low=_rounded(interval.low),
                  high=_rounded(interval.high))  # fmt: skip


def _observed(observed: Observed) -> Share3 | None:
    return _share(observed.interval) if observed.observations > 0 else None


def _rounded(share: float) -> float:
    return round(min(1.0, max(0.0, share)), 4)
