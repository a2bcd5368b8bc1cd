"""Which synthetic rows a submission gets, and how they are mixed in.

Rules: a synthetic row has the gaps, indicators, address dates and mentions' pattern of a real row
of its own source, drawn at random, so that neither its columns nor their emptiness set it apart;
its values belong to nobody. Sentinels are chosen so that sources of like age hold many of the same
people: each source takes a month's people in one order, by the ages of its own rows, and passes
over a quarter of them by a draw of its own; it holds some of them twice, as often as it repeats
real names with their dates of birth, so that duplicates do not set real rows apart. Decoys are put
together from different rows of the source: one row's given name, sex and about its year of birth,
another's surname, a third's street under another house number. Rows come to lie at random places,
real ones among themselves too, so that the order of an extract tells nothing.
"""

import hmac
import random
import re
import secrets
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from governance.agreements.quality import Quality
from governance.exchange.sentinels import DECOY, GROUPS, HARD, PLAIN
from governance.exchange.submission import AGE_BANDS
from partner_agent.encoding.submission import age_band
from partner_agent.encoding.tokens import cleaned_column, month_number
from partner_agent.sentinels.bands import bands_of, bands_of_person
from partner_agent.sentinels.errors import Disagreements, ErrorRates, with_gaps, written_down
from partner_agent.sentinels.people import Person, month_key, people_of

SAMPLE_ROWS: Final = 2_000  # real rows of which the pattern is borrowed
PASSED_OVER: Final = 0.25  # of a month's people, by each source for itself
POOL: Final = 4  # people of a month for each sentinel of a source
SMALLEST: Final = 20  # sentinels of a source, whatever its size
FEWEST_ROWS: Final = 10  # of which decoys are put together
LARGEST_SHARE: Final = 0.25  # of a source's real rows
_MENTION: Final = re.compile(r"mention\.(\d+)\.(\w+)")
_NUMBER: Final = re.compile(r"\d+")


@dataclass(frozen=True)
class Synthetic:
    """Synthetic rows of one submission, before they have handles.

    Attributes:
        frame: cleaned columns.
        persons: of each row, 32 hexadecimal digits.
        kinds: of each row.
        groups: of each row's person.
        rates: of the errors that were made.
    """

    frame: pd.DataFrame = field(repr=False)
    persons: list[str]
    kinds: list[str]
    groups: list[dict[str, str]]
    rates: ErrorRates


class Sampler:
    """A sample of an extract's cleaned rows, and how they err; sees each chunk once."""

    def __init__(self) -> None:
        self._rng = np.random.default_rng(secrets.randbits(128))
        self._keys = np.zeros(0)
        self._frame: pd.DataFrame | None = None
        self._errors = Disagreements()
        self._people: list[NDArray[np.uint64]] = []
        self.rows = 0

    def see(self, frame: pd.DataFrame) -> None:
        """Add a chunk; a protected row lends nothing."""
        self.rows += len(frame)
        self._errors.see(frame)
        self._people.append(_people_in(frame))
        open_rows = frame[frame["protected"] == ""] if "protected" in frame else frame
        keys = self._rng.random(len(open_rows))
        both = np.concatenate([self._keys, keys])
        kept = np.argsort(both, kind="stable")[:SAMPLE_ROWS]
        joined = open_rows if self._frame is None else pd.concat([self._frame, open_rows])
        self._keys, self._frame = both[kept], joined.iloc[kept]

    @property
    def frame(self) -> pd.DataFrame:
        """The sample."""
        return pd.DataFrame() if self._frame is None else self._frame.reset_index(drop=True)

    @property
    def repeated(self) -> float:
        """Share of the rows with names and date of birth that repeat another row's, at most .5."""
        people = np.concatenate([np.empty(0, dtype=np.uint64), *self._people])
        return min(0.5, 1.0 - len(np.unique(people)) / len(people)) if len(people) else 0.0

    @property
    def rates(self) -> ErrorRates:
        """How the source errs."""
        return self._errors.rates()


def synthetic_rows(
    sampler: Sampler, quality: Quality, key: bytes, source: str, today: date
) -> Synthetic:
    """The synthetic rows of a submission.

    Args:
        sampler: saw the real rows.
        quality: how many, by the agreement.
        key: of the agreement and epoch for synthetic people.
        source: the source system.
        today: the day of the extract; its month decides which people there are.
    """
    rng = random.Random(secrets.token_bytes(32))
    sample, rates = sampler.frame, sampler.rates
    if not len(sample):
        return Synthetic(sample, [], [], [], rates)
    wanted = min(quality.sentinels, max(SMALLEST, int(sampler.rows * LARGEST_SHARE)))
    seed = month_key(key, month_number(today))
    people = people_of(seed, POOL * quality.sentinels, month_number(today), quality.outcodes)
    donors = [{str(name): text for name, text in row.items()} for row in sample.to_dict("records")]
    held = _sentinels(people, donors, wanted, seed, source, today, rng)
    chosen = list(islice(_twice(held, sampler.repeated, rng), wanted))
    rows = [_row(rng, person, donor, rates, people) for person, donor in chosen]
    sentinels = pd.DataFrame(rows, columns=sample.columns)
    count = _decoys_wanted(sampler.rows + len(sentinels), quality.decoy_percent)
    count = count if len(sample) >= FEWEST_ROWS else 0
    decoys = _decoys(sample, count, rng)
    groups = [bands_of_person(person, today) for person, _ in chosen]
    frame = pd.concat([sentinels, decoys], ignore_index=True)
    frame["source_record_id"] = ""  # nobody's
    return Synthetic(
        frame.assign(row=0),
        [person.id for person, _ in chosen] + [secrets.token_hex(16) for _ in range(count)],
        [HARD if person.hard else PLAIN for person, _ in chosen] + [DECOY] * count,
        groups + bands_of(decoys, GROUPS, today),
        rates,
    )


def interleave(
    real: Iterable[pa.RecordBatch], sizes: Sequence[int], synthetic: pa.RecordBatch
) -> Iterator[pa.RecordBatch]:
    """Real batches with synthetic rows among them, every batch in random order.

    Args:
        real: batches.
        sizes: rows of each.
        synthetic: rows.
    """
    rng = np.random.default_rng(secrets.randbits(128))
    total = sum(sizes)
    shares = np.array(sizes) / total if total else np.ones(len(sizes)) / max(1, len(sizes))
    counts = rng.multinomial(synthetic.num_rows, shares)
    order = rng.permutation(synthetic.num_rows)
    start = 0
    for batch, count in zip(real, counts.tolist(), strict=True):
        part = synthetic.take(pa.array(order[start : start + count]))
        start += count
        table = pa.Table.from_batches([batch, part]).combine_chunks()
        mixed = table.take(pa.array(rng.permutation(table.num_rows)))
        yield from mixed.combine_chunks().to_batches()


def _sentinels(
    people: Sequence[Person],
    donors: Sequence[dict[str, str]],
    wanted: int,
    seed: bytes,
    source: str,
    today: date,
    rng: random.Random,
) -> Iterator[tuple[Person, dict[str, str]]]:
    """People of this source, each with a row whose pattern it borrows."""
    waiting: defaultdict[str | None, list[Person]] = defaultdict(list)
    for person in reversed(people):
        if not _passed_over(seed, person, source):
            waiting[age_band(person.born.isoformat(), today)].append(person)
    bands = [age_band(donor.get("date_of_birth", ""), today) for donor in donors]
    known = Counter(band for band in bands if band is not None) or Counter(AGE_BANDS)
    for at in rng.choices(range(len(donors)), k=wanted):
        band = bands[at] or rng.choices(list(known), list(known.values()))[0]
        if waiting[band]:
            yield waiting[band].pop(), donors[at]


def _twice(
    held: Iterable[tuple[Person, dict[str, str]]], share: float, rng: random.Random
) -> Iterator[tuple[Person, dict[str, str]]]:
    """Some people a second time, so that they make that share of all rows."""
    for each in held:
        yield each
        if rng.random() < share / (1.0 - share):
            yield each


def _people_in(frame: pd.DataFrame) -> NDArray[np.uint64]:
    """What stands for names and date of birth of the rows that have them all, uint64 (n,)."""
    columns = [cleaned_column(frame, name) for name in ("first_name", "surname", "date_of_birth")]
    whole = ["\n".join(row) for row in zip(*columns, strict=True) if all(row)]
    return np.asarray(pd.util.hash_array(np.array(whole, dtype=object)), dtype=np.uint64)


def _passed_over(seed: bytes, person: Person, source: str) -> bool:
    digest = hmac.digest(seed, f"held\n{person.id}\n{source}".encode(), "sha256")
    return int.from_bytes(digest[:4]) < PASSED_OVER * 2**32


def _row(
    rng: random.Random,
    person: Person,
    donor: dict[str, str],
    rates: ErrorRates,
    people: Sequence[Person],
) -> dict[str, str]:
    """One record of a person: the donor's pattern, the person's values with errors."""
    values = written_down(rng, person, rates)
    row = dict(donor) | {name: "" for name in values if name in donor}
    row |= {name: value for name, value in with_gaps(values, donor).items() if name in donor}
    others: dict[str, Person] = {}
    for name, text in donor.items():
        found = _MENTION.fullmatch(name)
        if found and found[2] != "relation" and text:
            other = others.setdefault(found[1], rng.choice(people))
            row[name] = values["surname"] if found[2] == "surname" else other.truth[found[2]]
    return row


def _decoys_wanted(rows: int, percent: int) -> int:
    """So many that they are that share of all rows."""
    return rows * percent // (100 - percent)


def _decoys(sample: pd.DataFrame, count: int, rng: random.Random) -> pd.DataFrame:
    """People put together from different rows of the source."""
    rows = [rng.sample(range(len(sample)), 3) for _ in range(count)]  # three different ones
    frame, family, place = (
        sample.iloc[[row[part] for row in rows]].reset_index(drop=True) for part in range(3)
    )
    frame["surname"] = family["surname"]
    for name in (name for name in sample.columns if _MENTION.fullmatch(str(name))):
        frame[name] = family[name]
    for name in ("address", "postcode", "uprn"):
        frame[name] = place[name]
    frame["address"] = [
        _NUMBER.sub(lambda _: str(rng.randint(1, 160)), text, count=1) for text in frame["address"]
    ]
    frame["date_of_birth"] = [_other_day(rng, iso) for iso in frame["date_of_birth"]]
    for name in ("uprn", "nhs_number", "nino", "upn", "phone", "email"):
        frame[name] = [_other_digits(rng, text) for text in frame[name]]
    return frame


def _other_day(rng: random.Random, iso: str) -> str:
    """Another day of that year or of one before."""
    if not iso:
        return ""
    year = int(iso[:4]) - rng.randint(0, 2)
    return f"{year:04d}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}"


def _other_digits(rng: random.Random, text: str) -> str:
    """Every digit but the first drawn anew, and an email's name made another."""
    changed = "".join(
        str(rng.randrange(10)) if letter.isdigit() and at else letter
        for at, letter in enumerate(text)
    )
    return f"{rng.choice('abcdefghijklmnop')}{changed}" if "@" in text else changed
