"""What a table of families over time was made from.

Rules: a table lies beside its provenance, ``TABLE.provenance.json``, which names it by its SHA-256,
the agreement, and the provenance of every run that it was made from; a table without one, or of
another agreement, is not used. Where the user says that a table was made elsewhere, reports take it
and repeat that; nothing is published of it.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field

from governance.canonical import Frozen, Hash, Hex128
from governance.terminal import read_document
from governance.transparency.models import Program
from linkage_hub.analytics.outcomes.errors import NotProved
from linkage_hub.analytics.outcomes.months import Month
from linkage_hub.analytics.provenance import file_hash

ENDING: Final = ".provenance.json"
ELSEWHERE: Final = "The table was made elsewhere: where it comes from has not been checked."
Count = Annotated[int, Field(ge=0)]
Progress = Literal["every", "some"]
"""Which of the needs that were met at the start have to be resolved."""


class FromRun(Frozen):
    """One run: the month that its extracts are of, its id, and the hash of its provenance.

    Attributes:
        run: None in tables that earlier versions made; nothing is published of those.
    """

    month: Month
    run: Hex128 | None = None
    provenance: Hash


class TableProvenance(Frozen):
    """``outcomes-provenance/v1``.

    Attributes:
        kind: which table.
        agreement: hash of the version under which it was made.
        table: SHA-256 of its bytes.
        runs: by month.
        progress: what counts as progress.
        months: for how long a need has to stay resolved (spells), or after how long outcomes are
            looked at (cases).
        left_out: families that are not in the table, by reason.
        program: the one that made it.
    """

    format: Literal["outcomes-provenance/v1"] = "outcomes-provenance/v1"
    kind: Literal["spells", "cases"]
    agreement: Hash
    table: Hash
    runs: tuple[FromRun, ...]
    progress: Progress
    months: Annotated[int, Field(ge=0, le=120)]
    left_out: dict[str, Count]
    program: Program


def beside(table: Path) -> Path:
    """Where a table's provenance lies."""
    return table.with_name(table.name + ENDING)


def read_provenance(
    table: Path, kind: Literal["spells", "cases"], belongs: Callable[[str], bool]
) -> TableProvenance:
    """A table's provenance, checked.

    Raises:
        NotProved: it has none, or is not what it says.
    """
    path = beside(table)
    if not path.exists():
        raise NotProved(
            f"{table.name} has no provenance beside it",
            next_step="make it from runs; a report takes --made-elsewhere, and repeats it",
        )
    found = read_document(path, TableProvenance)
    if found.kind != kind:
        raise NotProved(f"{table.name} is a table of {found.kind}: expected {kind}")
    if not belongs(found.agreement):
        raise NotProved(f"{table.name} was made under another agreement")
    if found.table != file_hash(table):
        raise NotProved(f"{table.name} is not as it was written")
    return found


def runs_of(provenance: TableProvenance) -> tuple[str, ...]:
    """Ids of the runs that a table was made from.

    Raises:
        NotProved: the table does not say.
    """
    found = tuple(each.run for each in provenance.runs if each.run is not None)
    if not found or len(found) != len(provenance.runs):
        raise NotProved(
            "the table does not say which runs it was made from",
            next_step="make it anew: an earlier version of this program made it",
        )
    return found
