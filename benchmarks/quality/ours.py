"""Our side: the very code that agents and hub run, from extract to persons and families."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from benchmarks.quality.dataset import Dataset
from governance.agreements.encoding import Hardening
from governance.exchange.submission_file import ARROW_SCHEMA
from linkage_hub.linkage.persons import LinkResult, link
from linkage_hub.runs.inputs import SourceData
from partner_agent.cleansing.cleanser import Cleanser
from partner_agent.cleansing.uprn import UprnIndex
from partner_agent.duplicates.finding import DuplicateFinder
from partner_agent.encoding.person import schema_for
from partner_agent.encoding.schema import LinkageSchema
from partner_agent.encoding.submission import SubmissionEncoder
from partner_agent.encoding.tokens import LinkageKeys
from partner_agent.extracts.mapping import SourceMapping
from partner_agent.extracts.reader import open_extract
from partner_agent.submissions.duplicates import DuplicatesColumn
from partner_agent.submissions.scope import mapping_items

SECRET = bytes(range(32))  # fixed, so that a run repeats


@dataclass(frozen=True)
class Encoded:
    """One source through the agent: what it would submit, and its own ids for the referee."""

    name: str
    record_ids: list[str]
    clean: pd.DataFrame
    data: SourceData

    @property
    def encodings(self) -> npt.NDArray[np.uint8]:
        """uint8 (v, n, 128)."""
        return self.data.encodings


def encode_sources(
    folder: Path, dataset: Dataset, hardening: Hardening | None = None
) -> dict[str, Encoded]:
    """Every source through cleansing and encoding, under one schema as in an agreement.

    Args:
        folder: where the sources are.
        dataset: what they are.
        hardening: of profile ``hardened``, such as ``default_hardening(schema_for(items))``; None
            for profile ``clk``.
    """
    return {each.name: each for each in encoded_one_by_one(folder, dataset, hardening)}


def encoded_one_by_one(
    folder: Path, dataset: Dataset, hardening: Hardening | None = None
) -> Iterator[Encoded]:
    """The same, one source at a time: cleaned tables of a million records take gigabytes."""
    items = {item for source in dataset.sources.values() for item in mapping_items(source.mapping)}
    schema = LinkageSchema.parse(schema_for(items))
    keys = LinkageKeys.derive(SECRET, "sha256:" + "0" * 64, 1)
    uprn = None if dataset.uprn is None else UprnIndex.from_csv(folder / dataset.uprn)
    for name, source in dataset.sources.items():
        yield _encode(
            name,
            folder / source.file,
            source.mapping,
            SubmissionEncoder(schema, keys, dataset.day, hardening),
            dataset.day,
            uprn,
        )


def _encode(
    name: str,
    path: Path,
    mapping: SourceMapping,
    encoder: SubmissionEncoder,
    today: date,
    uprn: UprnIndex | None,
) -> Encoded:
    extract = open_extract(path, sheet=mapping.sheet)
    mapping.check_columns(extract.columns)
    cleanser = Cleanser(mapping, today=today, uprn=uprn)
    batches, frames, finder = [], [], DuplicateFinder()
    for chunk in extract:
        clean = cleanser.clean(chunk).table
        rows = encoder.encode(clean, [secrets.token_bytes(16) for _ in range(len(clean))])
        batches.append(rows.batch)
        frames.append(clean[rows.accepted])
        finder.add(frames[-1])
    frame = pd.concat(frames, ignore_index=True)
    data = SourceData.of("bench", name, "", submitted(batches, finder, len(frame)))
    return Encoded(name, frame["source_record_id"].tolist(), frame, data)


def submitted(batches: list[pa.RecordBatch], finder: DuplicateFinder, real: int) -> pa.Table:
    """A submission's records, duplicates named.

    Args:
        batches: as encoded.
        finder: has seen the same rows in the same order.
        real: how many of them are real; the others are synthetic.
    """
    handles = [handle for batch in batches for handle in batch.column("handle").to_pylist()]
    column = DuplicatesColumn(b"".join(handles), finder.find(), real)
    starts = np.cumsum([0, *(batch.num_rows for batch in batches)]).tolist()
    named = [column.named(batch, start) for batch, start in zip(batches, starts, strict=False)]
    return pa.Table.from_batches(named, ARROW_SCHEMA).combine_chunks()


def link_persons(sources: list[Encoded]) -> LinkResult:
    """Persons over several sources, duplicates within a source included."""
    return link(
        [source.encodings for source in sources],
        duplicates=[source.data.duplicates for source in sources],
    )
