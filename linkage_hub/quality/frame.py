"""A finished linkage as the estimates see it: records in one numbering, synthetic ones, groups."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from governance.exchange.sentinels import DECOY, HARD, SyntheticRecord
from linkage_hub.quality.pairs import Indices, Mask

REAL: Final = -1
UNKNOWN: Final = "unknown"
_KIND: Final = {"plain": 0, HARD: 1, DECOY: 2}


@dataclass(frozen=True, slots=True)
class Records:
    """Records of all sources, numbered in order.

    Attributes:
        source: number of the source of each, int64 (n,).
        names: of the sources.
        person: the synthetic person's number, or ``REAL``, int64 (n,).
        kind: 0 plain, 1 hard, 2 decoy, or ``REAL``, int8 (n,).
        groups: for each group, the value's number of each record, int16 (n,); -1 where unknown.
        values: of each group.
    """

    source: Indices
    names: Sequence[str]
    person: Indices
    kind: NDArray[np.int8]
    groups: Mapping[str, NDArray[np.int16]] = field(default_factory=dict)
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def real(self) -> Mask:
        """Records of people who exist, bool (n,)."""
        return np.asarray(self.person == REAL)

    @property
    def offsets(self) -> Indices:
        """Where each source's records begin, and their number at the end."""
        counts = np.bincount(self.source, minlength=len(self.names))
        return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


def records_of(
    handles: Sequence[Sequence[str]],
    names: Sequence[str],
    synthetic: Sequence[Mapping[str, SyntheticRecord]],
    bands: Mapping[str, Sequence[Sequence[str | None]]],
    values: Mapping[str, tuple[str, ...]],
) -> Records:
    """Records of a run.

    Args:
        handles: of each source's records.
        names: of the sources.
        synthetic: what was revealed of each source, by handle.
        bands: for each group, each source's values by record; a synthetic person's own come first.
        values: closed list of each group.
    """
    flat = [
        named.get(handle)
        for source, named in zip(handles, synthetic, strict=True)
        for handle in source
    ]
    numbers: dict[str, int] = {}
    person = np.full(len(flat), REAL, dtype=np.int64)
    kind = np.full(len(flat), REAL, dtype=np.int8)
    revealed = [(at, record) for at, record in enumerate(flat) if record is not None]
    for at, record in revealed:
        person[at] = numbers.setdefault(record.person, len(numbers))
        kind[at] = _KIND[record.kind]
    groups = {}
    for name, known in values.items():
        code = {value: number for number, value in enumerate(known)}
        given = bands.get(name)
        column = np.full(len(flat), -1, dtype=np.int16)
        if given is not None:
            column[:] = [code.get(str(value), -1) for source in given for value in source]
        for at, record in revealed:
            column[at] = code.get(record.groups.get(name, ""), -1)
        groups[name] = column
    source = np.repeat(np.arange(len(handles)), [len(each) for each in handles]).astype(np.int64)
    return Records(source, names, person, kind, groups, values)
