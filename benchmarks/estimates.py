"""``python -m benchmarks.estimates``: do the intervals of the quality table hold the truth?

Counties are generated, each from a seed of its own and under a linkage secret of its own; their
sources go through the agents' code with sentinels and decoys mixed in; the hub's code links them
and makes the table, which sees no truth. Then the truth is looked up: the share of intervals that
hold it should be near 95 %, by kind of row.
"""

import hashlib
import secrets
import tempfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import typer

from benchmarks.county import describe
from benchmarks.quality.dataset import Dataset, read_truth
from benchmarks.quality.ours import submitted
from examples.county.generate import generate
from governance.agreements.quality import Quality
from governance.exchange.hub_api import QualityRow, QualityTable, Share3
from governance.exchange.sentinels import GROUPS, SyntheticRecord
from linkage_hub.linkage.persons import link
from linkage_hub.quality.pairs import joined_and_parted
from linkage_hub.quality.render import HEADINGS, cells
from linkage_hub.quality.service import measured
from linkage_hub.runs.inputs import SourceData
from partner_agent.cleansing.cleanser import Cleanser
from partner_agent.duplicates.finding import DuplicateFinder
from partner_agent.encoding.person import default_hardening, schema_for
from partner_agent.encoding.schema import LinkageSchema
from partner_agent.encoding.submission import SubmissionEncoder
from partner_agent.encoding.tokens import LinkageKeys
from partner_agent.extracts.mapping import SourceMapping
from partner_agent.extracts.reader import open_extract
from partner_agent.sentinels.bands import bands_of
from partner_agent.sentinels.mixing import Sampler, synthetic_rows
from partner_agent.submissions.scope import mapping_items

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
AGREEMENT = "sha256:" + "0" * 64
FEW_PAIRS = 50  # true pairs; of fewer the truth itself is a matter of luck


@dataclass(frozen=True)
class Submitted:
    """One source as the hub has it, and whom its real records are of."""

    data: SourceData
    record_ids: dict[str, str]  # by handle
    synthetic: list[SyntheticRecord]


@dataclass(frozen=True)
class Checked:
    """One interval beside the truth."""

    kind: str
    figure: str
    row: str
    interval: Share3
    truth: float

    @property
    def holds(self) -> bool:
        """Whether the truth lies in it, the rounding of both forgiven."""
        return self.interval.low - 5e-5 <= self.truth <= self.interval.high + 5e-5


class _Agents:
    """Every partner's part, under one agreement."""

    def __init__(
        self, dataset: Dataset, folder: Path, quality: Quality, seed: int, *, hard: bool
    ) -> None:
        items = {item for each in dataset.sources.values() for item in mapping_items(each.mapping)}
        secret = hashlib.sha256(b"%d" % seed).digest()
        document = schema_for(items)
        self._keys = LinkageKeys.derive(secret, AGREEMENT, 1)
        self._encoder = SubmissionEncoder(
            LinkageSchema.parse(document),
            self._keys,
            dataset.day,
            default_hardening(document) if hard else None,
            lambda frame: bands_of(frame, GROUPS, dataset.day),
        )
        self._dataset, self._folder, self._quality = dataset, folder, quality

    def submit(self) -> list[Submitted]:
        """Every source, synthetic rows included."""
        return [
            self._one(name, self._folder / source.file, source.mapping, self._dataset.day)
            for name, source in self._dataset.sources.items()
        ]

    def _one(self, name: str, path: Path, mapping: SourceMapping, today: date) -> Submitted:
        extract = open_extract(path, sheet=mapping.sheet)
        cleanser, sampler, finder = Cleanser(mapping, today=today), Sampler(), DuplicateFinder()
        batches: list[pa.RecordBatch] = []
        ids: dict[str, str] = {}
        for chunk in extract:
            clean = cleanser.clean(chunk).table
            batch, kept, known = self._encoded(clean)
            batches.append(batch)
            sampler.see(kept)
            finder.add(kept)
            ids |= dict(zip(known, kept["source_record_id"], strict=True))
        made = synthetic_rows(sampler, self._quality, self._keys.sentinels, name, today)
        handles = [secrets.token_bytes(16) for _ in made.kinds]
        encoded = self._encoder.encode(made.frame, handles)
        synthetic = [
            SyntheticRecord(handles[at].hex(), made.persons[at], made.kinds[at], made.groups[at])
            for at in np.flatnonzero(encoded.accepted).tolist()
        ]
        finder.add(made.frame[encoded.accepted])
        table = submitted([*batches, encoded.batch], finder, len(ids))
        data = SourceData.of("bench", name, "", table)
        return Submitted(data, ids, synthetic)

    def _encoded(self, clean: pd.DataFrame) -> tuple[pa.RecordBatch, pd.DataFrame, list[str]]:
        handles = [secrets.token_bytes(16) for _ in range(len(clean))]
        encoded = self._encoder.encode(clean, handles)
        there = [each.hex() for each, kept in zip(handles, encoded.accepted, strict=True) if kept]
        return encoded.batch, clean[encoded.accepted], there


@dataclass(frozen=True)
class _Truth:
    """Whom each real record is of, over all sources, and its bands."""

    person: Ints
    found: Ints
    source: Ints
    names: list[str]
    groups: dict[str, list[str]]

    def of(self, row: QualityRow) -> tuple[float, float, float] | None:
        """True precision and recall of a row, and the true pairs that it stands for."""
        weight = self._weight(row)
        if weight is None:
            return None
        joined = _pairs_within(self.found)
        true = _pairs_within(self.person)
        right = self.person[joined[0]] == self.person[joined[1]]
        together = self.found[true[0]] == self.found[true[1]]
        of_joined, of_true = weight(*joined), weight(*true)
        if not of_joined.sum() or not of_true.sum():
            return None
        precision = float((of_joined * right).sum() / of_joined.sum())
        recall = float((of_true * together).sum() / of_true.sum())
        return precision, recall, float(of_true.sum())

    def _weight(self, row: QualityRow) -> Callable[[Ints, Ints], Floats] | None:
        if row.value == "all records":
            return lambda left, _right: np.ones(len(left), dtype=np.float64)
        if row.group in self.groups:
            mine = np.array([value == row.value for value in self.groups[row.group]])
            half = np.where(mine, 0.5, 0.0)

            def of_group(left: Ints, right: Ints) -> Floats:
                found: Floats = half[left] + half[right]
                return found

            return of_group
        if row.group == "sources":
            names = row.value.removeprefix("within ").split(" x ")
            one, other = self.names.index(names[0]), self.names.index(names[-1])
            low, high = min(one, other), max(one, other)

            def between(left: Ints, right: Ints) -> Floats:
                a, b = self.source[left], self.source[right]
                same = (np.minimum(a, b) == low) & (np.maximum(a, b) == high)
                found: Floats = same.astype(np.float64)
                return found

            return between
        return None


def _pairs_within(labels: Ints) -> tuple[Ints, Ints]:
    """Every two records of one label."""
    joined, _ = joined_and_parted(labels, np.array([0, len(labels)]), [])
    return joined.left, joined.right


def check(table: QualityTable, truth: _Truth) -> list[Checked]:
    """Every interval of the table beside the truth."""
    found = []
    for row in table.rows:
        if row.predicted_precision is None or row.predicted_recall is None:
            continue
        so = truth.of(row)
        if so is None or so[2] < FEW_PAIRS:
            continue
        kind = row.group if row.group in {"", "sources"} else "group"
        name = row.value if not row.group else f"{row.group}: {row.value}"
        found.append(Checked(kind, "precision", name, row.predicted_precision, so[0]))
        found.append(Checked(kind, "recall", name, row.predicted_recall, so[1]))
    return found


def one_county(
    persons: int, seed: int, quality: Quality, *, hard: bool
) -> tuple[QualityTable, list[Checked]]:
    """Generate, submit, link, measure, and look up the truth."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        generate(persons, seed, folder)
        dataset = describe(folder)
        sources = _Agents(dataset, folder, quality, seed, hard=hard).submit()
        people = read_truth(folder, dataset)
    linked = link(
        [each.data.encodings for each in sources],
        duplicates=[each.data.duplicates for each in sources],
    )
    synthetic = [{record.handle: record for record in each.synthetic} for each in sources]
    done = measured([each.data for each in sources], linked, synthetic, 7)
    truth = _truth_of(done.sources, sources, people, done.linked.person_of)
    return done.table, check(done.table, truth)


def _truth_of(
    real: Sequence[SourceData],
    sources: Sequence[Submitted],
    people: pd.DataFrame,
    person_of: Sequence[Ints],
) -> _Truth:
    known = {
        (str(row.source), str(row.record_id)): str(row.person_id)
        for row in people.itertuples(index=False)
    }
    names = [each.source for each in real]
    persons = [
        known[source.source, each.record_ids[bytes(handle).hex()]]
        for source, each in zip(real, sources, strict=True)
        for handle in source.handles
    ]
    _, person = np.unique(np.array(persons), return_inverse=True)
    groups: dict[str, list[str]] = {
        name: [
            value or "unknown" for source in real for value in source.table.column(name).to_pylist()
        ]
        for name in GROUPS
    }
    source = np.repeat(np.arange(len(real)), [len(each.handles) for each in real])
    return _Truth(
        person.astype(np.int64), np.concatenate(person_of), source.astype(np.int64), names, groups
    )


def main(
    persons: Annotated[int, typer.Option(help="people of each county")] = 6_000,
    counties: Annotated[int, typer.Option(help="how many counties")] = 5,
    first_seed: Annotated[int, typer.Option(help="seed of the first")] = 101,
    sentinels: Annotated[int, typer.Option(help="sentinels of a source")] = 200,
    decoys: Annotated[int, typer.Option(help="decoys, percent of rows")] = 5,
    hardened: Annotated[bool, typer.Option(help="profile hardened, else clk")] = True,
    show: Annotated[bool, typer.Option(help="print the first county's table")] = True,
) -> None:
    """Print the table of the first county, and how often intervals held the truth."""
    quality = Quality(
        sentinels=sentinels, decoy_percent=decoys, groups=GROUPS, outcodes=(), reveal_hours=1
    )
    everything: list[Checked] = []
    for number in range(counties):
        table, found = one_county(persons, first_seed + number, quality, hard=hardened)
        if show and not number:
            _print_table(table, found)
        everything += found
        for each in (each for each in found if not each.kind):
            print(f"county {first_seed + number}: {_line(each)}")
    _print_coverage(everything)


def _line(each: Checked) -> str:
    span = f"{each.interval.value:.3f} [{each.interval.low:.3f}, {each.interval.high:.3f}]"
    return f"{each.row}, {each.figure} {span}, truth {each.truth:.3f} {'' if each.holds else 'X'}"


def _print_table(table: QualityTable, found: Sequence[Checked]) -> None:
    print(" | ".join(HEADINGS))
    for row in table.rows:
        if row.group != "sources":
            print(" | ".join(cells(row)))
    print()
    for each in found:
        if each.kind != "sources":
            print(_line(each))


def _print_coverage(found: Sequence[Checked]) -> None:
    counted: dict[tuple[str, str], list[Checked]] = defaultdict(list)
    for each in found:
        counted[each.kind or "all records", each.figure].append(each)
    print("\nrows | figure | intervals | hold the truth | mean width | mean error")
    for (kind, figure), checked in counted.items():
        width = np.mean([one.interval.high - one.interval.low for one in checked])
        error = np.mean([one.interval.value - one.truth for one in checked])
        share = np.mean([one.holds for one in checked])
        print(f"{kind} | {figure} | {len(checked)} | {share:.2f} | {width:.3f} | {error:+.3f}")


if __name__ == "__main__":
    typer.run(main)
