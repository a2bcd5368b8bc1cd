"""Chunks of an extract on their way through cleansing, vault and encoder."""

from array import array
from datetime import date
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from governance.exchange.submission import HANDLE_BYTES
from partner_agent.cleansing.cleanser import CleanChunk, Cleanser
from partner_agent.cleansing.rejects import RejectsWriter
from partner_agent.duplicates.finding import DuplicateFinder
from partner_agent.encoding.submission import SubmissionEncoder
from partner_agent.extracts.mapping import SourceMapping
from partner_agent.extracts.model import Chunk, Reject
from partner_agent.sentinels.mixing import Sampler
from partner_agent.submissions.screen import Screen
from partner_agent.vault.occurrences import Occurrences
from partner_agent.vault.store import Row, Vault

NAMESAKE: Final = "row.encoded_like_another"
_RELEASED: Final = (
    "first_name",
    "middle_name",
    "surname",
    "full_name",
    "address",
    "postcode",
    "phone",
    "email",
)


class Line:
    """One extract's: what it has counted so far, and a sample of what was accepted.

    Attributes:
        sampler: of accepted rows, from which synthetic ones are made.
        finder: of accepted rows that are one person, numbered in their order.
        handles: of accepted rows, 16 bytes each.
        kept: which accepted rows leave, bool (n,), since ``leave_out``.
        rows: read, rejected ones too.
        submitted: accepted and encoded.
    """

    def __init__(
        self,
        vault: Vault,
        mapping: SourceMapping,
        cleanser: Cleanser,
        encoder: SubmissionEncoder,
        rejects: RejectsWriter,
        today: date,
        screen: Screen,
    ) -> None:
        self._vault = vault
        self._mapping = mapping
        self._cleanser = cleanser
        self._encoder = encoder
        self._rejects = rejects
        self._today = today
        self._screen = screen
        self._seen = Occurrences()
        self.sampler = Sampler()
        self.finder = DuplicateFinder()
        self._numbers = array("Q")
        self.kept = np.zeros(0, dtype=np.bool_)
        self.handles = bytearray()
        self.rows = 0
        self.submitted = 0

    def run(self, chunk: Chunk) -> pa.RecordBatch:
        """One chunk as a record batch."""
        self.rows += len(chunk.rows) + len(chunk.rejects)
        clean = self._screen.screen(self._cleanser.clean(chunk))
        handles = self._vault.put(
            self._mapping.source, self._vault_rows(chunk, clean), self._today, self._seen
        )
        encoded = self._encoder.encode(clean.table, handles)
        originals = chunk.table.iloc[clean.kept]
        unencoded = [
            Reject(
                int(clean.table["row"].iloc[field.row]),
                field.feature,
                field.reason,
                tuple(originals.iloc[field.row]),
            )
            for field in encoded.invalid
        ]
        self._rejects.write([*clean.rejects, *unencoded])
        self.submitted += encoded.batch.num_rows
        accepted = clean.table[encoded.accepted]
        self.sampler.see(accepted)
        self.finder.add(accepted)
        self._numbers.extend(accepted["row"].tolist())
        for handle, kept in zip(handles, encoded.accepted.tolist(), strict=True):
            if kept:
                self.handles += handle
        return encoded.batch

    def leave_out(self, namesakes: NDArray[np.bool_]) -> None:
        """Reject accepted rows whose encoding is that of somebody else's row as well.

        That is known once all rows are, and their cells are not at hand: the number is told.
        """
        self.kept = ~namesakes
        self._rejects.write(
            Reject(self._numbers[at], "", NAMESAKE, ()) for at in np.flatnonzero(namesakes).tolist()
        )
        self.submitted = int(self.kept.sum())

    @property
    def kept_handles(self) -> bytes:
        """Handles of the rows that leave, 16 bytes each."""
        whole = np.frombuffer(self.handles, dtype=f"V{HANDLE_BYTES}")
        return whole[self.kept].tobytes()

    def _vault_rows(self, chunk: Chunk, clean: CleanChunk) -> list[Row]:
        table = clean.table
        columns = {str(name): table[name].tolist() for name in table.columns if name != "row"}
        filled = {name: cells for name, cells in columns.items() if any(cells)}
        words = self._source_words(chunk.table.iloc[clean.kept])
        return [
            Row(
                record_id=record_id,
                clean={name: value for name, value in zip(filled, row, strict=True) if value},
                source=source,
                protected=protected == "y",
            )
            for record_id, protected, row, source in zip(
                columns["source_record_id"],
                columns["protected"],
                zip(*filled.values(), strict=True),
                words,
                strict=True,
            )
        ]

    def _source_words(self, table: pd.DataFrame) -> list[dict[str, str]]:
        """The extract's own words for what may be released."""
        found: dict[str, list[str]] = {}
        for item in _RELEASED:
            column = getattr(self._mapping.columns, item)
            if column is None:
                continue
            columns = [column] if isinstance(column, str) else list(column)
            cells = [table[name].tolist() for name in columns]
            found[item] = (
                cells[0]
                if len(cells) == 1
                else [", ".join(filter(None, row)) for row in zip(*cells, strict=True)]
            )
        return [
            {item: text for item, text in zip(found, row, strict=True) if text}
            for row in zip(*found.values(), strict=True)
        ] or [{} for _ in range(len(table))]
