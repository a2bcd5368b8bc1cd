"""A run's quality, from what it found and what partners revealed; and what remains of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pyarrow as pa

from governance.exchange.hub_api import QualityTable
from governance.exchange.sentinels import VALUES, SyntheticRecord
from linkage_hub.linkage.persons import LinkResult
from linkage_hub.quality.errors import NotTheKey
from linkage_hub.quality.frame import records_of
from linkage_hub.quality.pairs import Mask
from linkage_hub.quality.removal import without_synthetic
from linkage_hub.quality.table import quality_table
from linkage_hub.runs.inputs import SourceData

_BANDS: Final = tuple(VALUES)


@dataclass(frozen=True)
class Measured:
    """A run without its synthetic records, and what they showed."""

    sources: list[SourceData]
    linked: LinkResult
    table: QualityTable


def measured(
    sources: Sequence[SourceData],
    linked: LinkResult,
    synthetic: Sequence[Mapping[str, SyntheticRecord]],
    threshold: int,
) -> Measured:
    """Measure a run, then leave out the records that do not exist.

    Args:
        sources: as submitted.
        linked: persons over all of them.
        synthetic: what was revealed of each source, by handle.
        threshold: smallest number of real records that the table shows.

    Raises:
        NotTheKey: a key names a record that its own submission does not hold, such as another
            partner's.
    """
    handles = [[bytes(each).hex() for each in source.handles] for source in sources]
    real = []
    for source, known, named in zip(sources, handles, synthetic, strict=True):
        mask = np.array([handle not in named for handle in known], dtype=bool)
        strange = len(named) - int((~mask).sum())
        if strange:
            raise NotTheKey(
                f"{source.party}/{source.source}: the key names {strange} records that the "
                "submission does not hold",
                next_step="the partner has to prepare and submit the extract again",
            )
        real.append(mask)
    records = records_of(
        handles,
        [source.source for source in sources],
        synthetic,
        {name: [_column(source.table, name) for source in sources] for name in _BANDS},
        {str(name): values for name, values in VALUES.items()},
    )
    table = quality_table(records, linked.person_of, linked.pairs, threshold)
    return Measured(
        [only(source, mask) for source, mask in zip(sources, real, strict=True)],
        without_synthetic(linked, real),
        table,
    )


def headline(table: QualityTable) -> dict[str, float]:
    """The run's own figures from its table: what sentinels put right comes before the model's."""
    first = next(iter(table.rows), None)
    if first is None or first.predicted_precision is None or first.predicted_recall is None:
        return {}
    return {
        "estimated_precision": first.predicted_precision.value,
        "estimated_recall": first.predicted_recall.value,
    }


def _column(table: pa.Table, name: str) -> list[str | None]:
    values: list[str | None] = table.column(name).to_pylist()
    return values


def only(source: SourceData, real: Mask) -> SourceData:
    """A source with some of its records only."""
    if real.all():
        return source
    return replace(
        source,
        handles=source.handles[real],
        encodings=np.ascontiguousarray(source.encodings[:, real]),
        duplicates=source.duplicates.among(real),
        table=source.table.filter(pa.array(real)).combine_chunks(),
    )
