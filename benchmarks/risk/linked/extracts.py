"""A county's extracts, those of a year later included, as the hub has them.

What is added to ``examples.county``, so that a programme and later referrals reach the hub as
everything does, by records with errors:

- the council's records of families in the programme are marked by the indicator ``in_programme``
  (``programme.csv`` says which they are);
- people who were referred after the day of the extracts come in a source of their own, with a
  referral's haste in names and dates (errors as those of social care), one record a referral.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from benchmarks.county import describe
from benchmarks.quality.dataset import Dataset, SourceFile, read_truth
from benchmarks.quality.ours import Encoded, encoded_one_by_one
from examples.county.model import REFERENCE, Ints, day
from examples.county.population import make_population
from examples.county.sources.base import Selection
from examples.county.sources.council import CHILDRENS_SOCIAL_CARE
from examples.county.sources.render import render
from examples.county.sources.selection import Pick
from examples.county.writers import write_extract
from governance.agreements.models import IN_PROGRAMME
from governance.exchange.submission_file import ARROW_SCHEMA
from linkage_hub.runs.inputs import SourceData

REFERRALS: Final = "later_referrals"
HALF: Final = REFERENCE + 202
"""The day that parts the two periods: referrals are of days 5 to 399 after the extracts."""


@dataclass(frozen=True)
class County:
    """What the hub is given, and what only the referee knows.

    Attributes:
        sources: as submitted, the referrals last.
        person: true person of each record, int64 (r,).
        unit: true family of each person, int64 (p,).
        later: for each referral its record number among all, and whether it is of the second
            period: int64 (n,), bool (n,).
        families: truth of each unit, by number.
        people: truth of each person, by number.
    """

    sources: list[SourceData]
    person: Ints
    unit: Ints
    referral: Ints
    second: npt.NDArray[np.bool_]
    families: pd.DataFrame
    people: pd.DataFrame

    @property
    def before(self) -> list[SourceData]:
        """Sources without what came later."""
        return self.sources[:-1]


def read_county(folder: Path, persons: int, seed: int) -> County:
    """A generated county through the agents' code.

    Args:
        folder: that ``examples.county.generate`` wrote with the same persons and seed.
        persons: of the county.
        seed: likewise.
    """
    truth = folder / "truth"
    people = pd.read_csv(truth / "persons.csv", dtype=str, keep_default_na=False)
    families = pd.read_csv(truth / "family_needs.csv", dtype=str, keep_default_na=False)
    referrals = pd.read_csv(truth / "referrals.csv", dtype=str, keep_default_na=False)
    number = pd.Index(people.person_id)
    who = number.get_indexer(pd.Index(referrals.person_id))
    days = np.array([day(*map(int, each.split("-"))) for each in referrals.date], dtype=np.int64)
    row_of = _write_referrals(folder, persons, seed, who, days)
    dataset = _with_referrals(folder)
    known = read_truth(folder, describe(folder))
    of_record = dict(zip(zip(known.source, known.record_id, strict=True), known.person_id,
                         strict=True))  # fmt: skip
    sources, person, begins = [], [], 0
    referral, second = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.bool_)
    for each in _marked(folder, dataset):
        sources.append(each.data)
        if each.name == REFERRALS:
            at = np.array([row_of[id_] for id_ in each.record_ids], dtype=np.int64)
            person.append(who[at])
            referral, second = begins + np.arange(len(at)), days[at] > HALF
        else:
            ids = [of_record[each.name, id_] for id_ in each.record_ids]
            person.append(number.get_indexer(pd.Index(ids)))
        begins += len(each.record_ids)
    unit = pd.Index(families.family_id).get_indexer(pd.Index(people.family_id))
    return County(
        sources, np.concatenate(person).astype(np.int64), unit.astype(np.int64),
        referral, second, families, people,
    )  # fmt: skip


def _write_referrals(
    folder: Path, persons: int, seed: int, who: Ints, days: Ints
) -> dict[str, int]:
    """Write their extract; the row of each referral by the extract's own id."""
    source = replace(
        CHILDRENS_SOCIAL_CARE, name=REFERRALS, about="referrals", mentions=(), selection=Selection()
    )
    extract = render(make_population(persons, seed), source, Pick(who, days), seed)
    extract.columns["Taken on"] = np.full(len(who), "Y", dtype=object)
    write_extract(folder / "later", extract)
    return {str(id_): at for at, id_ in enumerate(extract.record_id.tolist())}


def _with_referrals(folder: Path) -> Dataset:
    dataset = describe(folder)
    mapping: dict[str, Any] = replace(CHILDRENS_SOCIAL_CARE, name=REFERRALS, mentions=()).mapping()
    mapping["indicators"] = {IN_PROGRAMME: {"column": "Taken on", "equals": ["Y"]}}
    later = SourceFile.model_validate(
        {"file": f"later/council/{REFERRALS}.csv", "mapping": mapping}
    )
    return dataset.model_copy(update={"sources": {**dataset.sources, REFERRALS: later}})


def _marked(folder: Path, dataset: Dataset) -> Iterator[Encoded]:
    """Sources, with the mark of families that are in the programme."""
    rows = pd.read_csv(folder / "programme.csv", dtype=str, keep_default_na=False)
    for each in encoded_one_by_one(folder, dataset):
        marked = set(rows.record_id[rows.source == each.name])
        yield _mark(each, [id_ in marked for id_ in each.record_ids]) if marked else each


def _mark(each: Encoded, marked: list[bool]) -> Encoded:
    field = ARROW_SCHEMA.field("indicators")
    said = each.data.table.column("indicators").to_pylist()
    added = [
        [*own, {"indicator": IN_PROGRAMME, "met": True}] if mark else own
        for own, mark in zip(said, marked, strict=True)
    ]
    at = each.data.table.schema.get_field_index("indicators")
    table = each.data.table.set_column(at, field, pa.array(added, field.type))
    return replace(each, data=replace(each.data, table=table))
