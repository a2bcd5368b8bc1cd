"""A submission's file in its second pass: duplicates are named, synthetic rows mixed in.

Rules: synthetic rows get fresh random handles each time; they go through the same encoder as real
ones; they are noted, with the key that the manifest commits to, before the file appears in the
outbox, so that no synthetic row is ever at the hub that this agent does not know; they never touch
the vault.
"""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from governance.agreements.quality import Quality
from governance.exchange.sentinels import SALT_BYTES, SyntheticRecord, commitment, write_key
from governance.exchange.submission import HANDLE_BYTES
from partner_agent.encoding.submission import SubmissionEncoder
from partner_agent.sentinels.mixing import Sampler, interleave, synthetic_rows
from partner_agent.sentinels.store import SyntheticKey, SyntheticRows
from partner_agent.submissions.duplicates import DuplicatesColumn


@dataclass(frozen=True)
class Mixture:
    """Encoded synthetic rows of a submission, noted in the agent's store.

    Attributes:
        batch: as the submission has them.
        frame: the same rows, cleaned columns.
        commitment: of the key to them, for the manifest.
    """

    batch: pa.RecordBatch
    frame: pd.DataFrame = field(repr=False)
    commitment: str


def make_mixture(
    store: SyntheticRows,
    sampler: Sampler,
    quality: Quality,
    key: bytes,
    encoder: SubmissionEncoder,
    *,
    submission: str,
    source: str,
    today: date,
) -> Mixture:
    """Make, encode and note the synthetic rows of a submission.

    Args:
        store: where they are noted.
        sampler: saw the source's real rows.
        quality: how many, by the agreement.
        key: of the agreement and epoch for synthetic people.
        encoder: the submission's.
        submission: its id.
        source: the source system.
        today: the day of the extract.
    """
    made = synthetic_rows(sampler, quality, key, source, today)
    handles = [secrets.token_bytes(HANDLE_BYTES) for _ in made.kinds]
    encoded = encoder.encode(made.frame, handles)
    kept = [at for at, accepted in enumerate(encoded.accepted.tolist()) if accepted]
    records = [
        SyntheticRecord(handles[at].hex(), made.persons[at], made.kinds[at], made.groups[at])
        for at in kept
    ]
    content = write_key(records, secrets.token_bytes(SALT_BYTES))
    rows = made.frame.drop(columns=["row"]).to_dict("records")
    store.put(
        SyntheticKey(submission, source, content),
        [handles[at] for at in kept],
        [{str(name): text for name, text in rows[at].items() if text} for at in kept],
        today,
    )
    return Mixture(encoded.batch, made.frame[encoded.accepted], commitment(content))


def finished_batches(
    real: Path, kept: NDArray[np.bool_], duplicates: DuplicatesColumn, mixture: Mixture | None
) -> Iterator[pa.RecordBatch]:
    """A file's batches with duplicates named, and synthetic rows among them in random order.

    Args:
        real: the file of the first pass.
        kept: which of its rows leave, bool (n,).
        duplicates: of those rows in order, and then of the synthetic ones.
        mixture: synthetic rows, if there are to be any.
    """
    with pa.ipc.open_file(real) as reader:
        ends = np.cumsum([reader.get_batch(at).num_rows for at in range(reader.num_record_batches)])
        masks = np.split(kept, ends)[:-1]
        sizes = [int(mask.sum()) for mask in masks]
        batches = (
            duplicates.named(reader.get_batch(at).filter(pa.array(mask)), sum(sizes[:at]))
            for at, mask in enumerate(masks)
        )
        if mixture is None:
            yield from batches
        else:
            yield from interleave(batches, sizes, duplicates.named(mixture.batch, sum(sizes)))
