"""What records say of needs, as columns, joined to the families of their persons."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from linkage_hub.analytics.needs import Said
from linkage_hub.runs.inputs import SourceData

Ints = NDArray[np.int64]


class SaidOfPersons(NamedTuple):
    """One row a word of one source on one indicator of one person; no word twice."""

    person: Ints
    indicator: Ints
    source: Ints
    met: NDArray[np.bool_]


def read_indicators(
    sources: Sequence[SourceData],
    person_of: Sequence[Ints],
    names: Sequence[str],
    member_family: Ints,
    member_person: Ints,
) -> Said:
    """What is said of every family's members.

    Args:
        sources: with the column ``indicators``.
        person_of: person of each record of each source, int64 (n,).
        names: indicators that count; others are passed over.
        member_family: the family of each member; a person may be in several.
        member_person: the person of each member.
    """
    said = said_of_persons(sources, person_of, names)
    return said_of_families(said, names, member_family, member_person)


def said_of_families(
    said: SaidOfPersons, names: Sequence[str], member_family: Ints, member_person: Ints
) -> Said:
    """What is said of persons as what is said of their families; see ``read_indicators``."""
    order = np.argsort(member_person, kind="stable")
    sorted_person = member_person[order]
    first = np.searchsorted(sorted_person, said.person, side="left")
    times = np.searchsorted(sorted_person, said.person, side="right") - first
    row = np.repeat(np.arange(len(said.person)), times)
    step = np.arange(len(row)) - np.repeat(np.cumsum(times) - times, times)
    family = member_family[order[first[row] + step]]
    return Said(family, said.indicator[row], said.source[row], said.met[row], tuple(names))


def said_of_persons(
    sources: Sequence[SourceData], person_of: Sequence[Ints], names: Sequence[str]
) -> SaidOfPersons:
    """What sources say of persons; see ``read_indicators``."""
    known = pa.array(list(names), pa.string())
    parts = []
    for number, source in enumerate(sources):
        column = source.table.column("indicators").combine_chunks()
        for chunk in column.chunks if isinstance(column, pa.ChunkedArray) else [column]:
            row = pc.list_parent_indices(chunk).to_numpy(zero_copy_only=False).astype(np.int64)
            values = chunk.flatten()
            code = pc.fill_null(pc.index_in(values.field("indicator"), value_set=known), -1)
            indicator = code.to_numpy(zero_copy_only=False).astype(np.int64)
            met = values.field("met").to_numpy(zero_copy_only=False).astype(np.int64)
            key = (person_of[number][row] * max(1, len(names)) + indicator) * 2 + met
            distinct = np.unique(key[indicator >= 0])
            parts.append((distinct, np.full(len(distinct), number, dtype=np.int64)))
    key = np.concatenate([np.zeros(0, dtype=np.int64), *(part[0] for part in parts)])
    source_of = np.concatenate([np.zeros(0, dtype=np.int64), *(part[1] for part in parts)])
    pair = key // 2
    return SaidOfPersons(
        pair // max(1, len(names)), pair % max(1, len(names)), source_of, key % 2 == 1
    )
