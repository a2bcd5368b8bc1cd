"""The quality report of one extract: counts by column and reason, never a value.

Ages and years are coarse, and a band with 1 to 4 people is written as suppressed.
"""

from datetime import date

import numpy as np
from pydantic import BaseModel, ConfigDict

from partner_agent.cleansing.distinct import ColumnTally, Texts
from partner_agent.cleansing.outcome import Kind

SUPPRESS_BELOW = 5  # people in a band
_AGE_BANDS = (
    (0, 4),
    (5, 10),
    (11, 15),
    (16, 17),
    (18, 24),
    (25, 44),
    (45, 64),
    (65, 84),
    (85, 120),
)


class _Counts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ColumnQuality(_Counts):
    """What became of one column; ``present + missing`` is the number of accepted rows.

    Attributes:
        dropped: cells that held something which was not kept; they count as missing.
        repaired: kept in another form. queried: kept, and worth a look.
        reasons: note code to count.
    """

    present: int
    missing: int
    repaired: int
    queried: int
    dropped: int
    completeness: float
    reasons: dict[str, int]


class Band(_Counts):
    """People in one band; ``count`` is None where it is from 1 to 4."""

    label: str
    count: int | None


class QualityReport(_Counts):
    """Format persisted as JSON beside the HTML; fields are added, never removed.

    Attributes:
        rows: rows read. accepted, rejected, opted_out: what became of them.
        rejects: reason code to count.
        likeness: see ``LikenessMeter``; None where it was not measured.
    """

    source: str
    cleaned_on: date
    rows: int
    accepted: int
    rejected: int
    opted_out: int
    protected: int
    rejects: dict[str, int]
    columns: dict[str, ColumnQuality]
    ages: list[Band]
    birth_decades: list[Band]
    first_of_month_percent: float | None
    first_of_january_percent: float | None
    likeness: float | None = None


def column_quality(tally: ColumnTally) -> ColumnQuality:
    """The public form of a tally."""
    return ColumnQuality(
        present=tally.present,
        missing=tally.rows - tally.present,
        repaired=tally.by_kind(Kind.REPAIRED),
        queried=tally.by_kind(Kind.QUERIED),
        dropped=tally.by_kind(Kind.DROPPED),
        completeness=round(tally.present / tally.rows, 4) if tally.rows else 0.0,
        reasons=dict(sorted(tally.notes.items())),
    )


class BirthTally:
    """Ages, decades and suspicious days of the dates of birth of an extract."""

    def __init__(self, today: date) -> None:
        self._today = today
        self._ages = np.zeros(len(_AGE_BANDS), dtype=np.int64)
        self._decades: dict[int, int] = {}
        self._total = 0
        self._first_of_month = 0
        self._first_of_january = 0

    def add(self, births: Texts) -> None:
        """Count ISO dates; blanks are passed over."""
        for text, times in zip(
            *np.unique(births[births != ""].astype(str), return_counts=True), strict=True
        ):
            self._add_one(date.fromisoformat(str(text)), int(times))

    def _add_one(self, birth: date, times: int) -> None:
        had = (self._today.month, self._today.day) >= (birth.month, birth.day)
        age = self._today.year - birth.year - (not had)
        for at, (low, high) in enumerate(_AGE_BANDS):
            if low <= age <= high:
                self._ages[at] += times
        decade = birth.year // 10 * 10
        self._decades[decade] = self._decades.get(decade, 0) + times
        self._total += times
        if birth.day == 1:
            self._first_of_month += times
            self._first_of_january += times * (birth.month == 1)

    def ages(self) -> list[Band]:
        """Bands of whole years."""
        return [
            Band(label=f"{low} to {high}", count=_suppressed(int(count)))
            for (low, high), count in zip(_AGE_BANDS, self._ages, strict=True)
        ]

    def decades(self) -> list[Band]:
        """Bands of ten years of birth."""
        return [
            Band(label=f"{decade}s", count=_suppressed(count))
            for decade, count in sorted(self._decades.items())
        ]

    def percent_first_of_month(self) -> float | None:
        """About 3.3 in real data."""
        return self._percent(self._first_of_month)

    def percent_first_of_january(self) -> float | None:
        """About 0.3 in real data."""
        return self._percent(self._first_of_january)

    def _percent(self, count: int) -> float | None:
        enough = self._total >= SUPPRESS_BELOW and (count == 0 or count >= SUPPRESS_BELOW)
        return round(100 * count / self._total, 1) if enough else None


def _suppressed(count: int) -> int | None:
    return count if count == 0 or count >= SUPPRESS_BELOW else None
