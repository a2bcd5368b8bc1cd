"""Families of several runs of one agreement, month by month.

Rules: a month is that of a run's extracts, said by whoever gives the folder, each month once;
folders are of runs of one agreement in whatever version, which keep families' pseudonyms; every
file is as its provenance says it was written. A family that a run does not have is not seen in
that month, and nothing is known of it then; one whose pseudonym was given up in a merge is not seen
any more.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from governance.terminal import read_document
from linkage_hub.analytics.exported import FAMILIES, NEEDS, read_families
from linkage_hub.analytics.held import FamilyColumns
from linkage_hub.analytics.needs import MET, UNMET
from linkage_hub.analytics.outcomes.errors import NotATable, NotProved
from linkage_hub.analytics.provenance import PROVENANCE, Provenance, file_hash

Bools = NDArray[np.bool_]
MONTHS_LEAST: Final = 2


@dataclass(frozen=True, slots=True)
class Panel:
    """Families by month.

    Attributes:
        months: numbers, ascending, int64 (m,).
        family: pseudonyms of all that were ever seen, str (f,).
        needs: ids, k of them.
        state: int8 (m, f, k), codes of ``STATES``; unknown where a family is not seen.
        seen, in_programme, resident: bool (m, f).
    """

    months: NDArray[np.int64]
    family: NDArray[np.object_]
    needs: tuple[str, ...]
    state: NDArray[np.int8]
    seen: Bools
    in_programme: Bools
    resident: Bools


def panel_of(by_month: Mapping[int, FamilyColumns]) -> Panel:
    """Runs' families side by side, all with the same needs.

    Raises:
        NotATable: fewer than two months, or needs that differ.
    """
    months = sorted(by_month)
    if len(months) < MONTHS_LEAST:
        raise NotATable("expected runs of two months or more")
    needs = by_month[months[0]].needs
    if any(each.needs != needs for each in by_month.values()):
        raise NotATable("expected the same needs in every month")
    names = pd.Index(np.unique(np.concatenate([by_month[each].family for each in months])))
    shape = (len(months), len(names))
    state = np.zeros((*shape, len(needs)), dtype=np.int8)
    seen, enrolled, resident = (np.zeros(shape, dtype=np.bool_) for _ in range(3))
    for row, month in enumerate(months):
        families = by_month[month]
        at = names.get_indexer(pd.Index(families.family))
        state[row, at] = families.state
        seen[row, at] = True
        enrolled[row, at] = families.in_programme
        resident[row, at] = families.resident
    return Panel(
        np.array(months, dtype=np.int64), names.to_numpy(object), needs, state, seen, enrolled,
        resident,
    )  # fmt: skip


def read_panel(
    folders: Mapping[int, Path], needs: Sequence[str], belongs: Callable[[str], bool]
) -> tuple[Panel, tuple[Provenance, ...]]:
    """Exported runs, each checked against its provenance; provenances in the order of months.

    Args:
        folders: of each month.
        needs: ids of the agreement's.
        belongs: whether a hash is of a version of the agreement.

    Raises:
        NotProved: a folder's files are not as written, are twice the same run's, or are of another
            agreement.
        NotAnExport, FileProblem, FormatError: see there.
    """
    order = sorted(folders)
    sources = tuple(proved(folders[month], belongs) for month in order)
    if len({each.run for each in sources}) != len(sources):
        raise NotProved("one run is given for two months")
    columns = {month: read_families(folders[month], needs) for month in order}
    return panel_of(columns), sources


def proved(folder: Path, belongs: Callable[[str], bool]) -> Provenance:
    """What a folder's files came from, once they are found to be as they were written.

    Raises:
        NotProved: they are not, or are of another agreement.
    """
    source = read_document(folder / PROVENANCE, Provenance)
    if not belongs(source.agreement):
        raise NotProved(f"{folder.name}: files of another agreement")
    for name in (FAMILIES, NEEDS):
        if source.files.get(name) != file_hash(folder / name):
            raise NotProved(
                f"{folder.name}: {name} is not as it was written",
                next_step="linkage-hub runs export RUN --out FOLDER",
            )
    return source


def resolved(targets: Bools, state: NDArray[np.int8], *, every: bool) -> tuple[Bools, Bools]:
    """Whether families have made progress, and whether it is known that they have not.

    A need that was met is resolved when it is known to be unmet; one that nobody speaks of any more
    is neither resolved nor known not to be.

    Args:
        targets: needs that were met at the start, bool (f, k).
        state: later, int8 (f, k).
        every: all of them have to be resolved; else one is enough.

    Returns:
        Progress and no progress, each bool (f,); neither where it is unknown, or there is no
        target.
    """
    done, still = targets & (state == UNMET), targets & (state == MET)
    some = targets.any(axis=1)
    if every:
        return some & ~(targets & ~done).any(axis=1), still.any(axis=1)
    return done.any(axis=1), some & ~(targets & ~still).any(axis=1)
