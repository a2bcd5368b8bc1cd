"""Needs of a run's families as figures: how many, which, which together, and where.

Rules: unknown is a column of its own and never counted as unmet; a share is of those of whom it is
known, and beside it stands between what it would be were all the unknown unmet, or met. Figures of
all families are exact: staff who see them work with the families. By area, team or length of
engagement they follow the agreement: no count below its threshold, and none that totals give away
(``governance.disclosure.margins``).
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import permutations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from governance.agreements.models import Agreement, UsedAs
from governance.disclosure.margins import Shape, shape_of
from governance.reports.models import Cell, Highlight, Part, Report, Table
from linkage_hub.analytics.figures.documents import HIDDEN, NOTE, heat, part_of, stacked, worded
from linkage_hub.analytics.held import FamilyColumns
from linkage_hub.analytics.needs import MET, SEVERAL, STATES, UNKNOWN, UNMET, UNSAID, Categories

SEVERAL_NEEDS: Final = 2
_FORWARD: Final = (
    "{} needs put a family forward that lives in the area as far as is known and of which nobody "
    "is in the programme. A family may be in several lines."
)
_SHARE: Final = (
    "The share is of the families of which it is known. Were the need unmet in all others, it "
    "would be the share at least; were it met in all of them, the share at most."
)
_TOGETHER: Final = (
    "Among families of which both needs are known. Share: of those that meet the first, those that "
    "meet the second too. Times: how often that is as it is in all. What is met together need not "
    "have to do with each other."
)
Bools = NDArray[np.bool_]
_ALL: Final = "all"
_INSIDE: Final = "known to be in the programme"
_UNTOLD: Final = "of these, nobody tells whether they live here still"
_FORWARDED: Final = "put forward for professional consideration"
_TITLES: Final[Mapping[UsedAs, str]] = {
    "area": "area",
    "team": "team",
    "engagement": "length of engagement",
}
_STATES: Final = ("met", "unmet", "unknown")
_CODES: Final = tuple(STATES.index(word) for word in _STATES)


def document_of(
    parts: Sequence[Part], terms: Agreement, *, run: str, finished: str, made_on: date, program: str
) -> Report:
    """A report to read, of the parts about a run.

    Args:
        parts: as ``parts_of`` has them.
        terms: the run's agreement.
        run: its id.
        finished: when, RFC 3339.
        made_on: today.
        program: hash of the one that makes it.
    """
    counts = {row[0]: row[1] for table in parts[0].tables for row in table.rows}
    return Report(
        kind="needs",
        title="Needs of families",
        lead=(f"{terms.title}. Of run {run[:8]}, finished {finished[:10]}.", NOTE),
        agreement=terms.hash,
        runs=(run,),
        made_on=made_on.isoformat(),
        program=program,
        highlights=tuple(
            Highlight(name=name, count=int(str(counts[line])))
            for name, line in (
                ("families", _ALL), ("put forward", _FORWARDED), ("in the programme", _INSIDE)
            )
        ),
        parts=tuple(worded(part) for part in parts),
    )  # fmt: skip


def parts_of(
    terms: Agreement, families: FamilyColumns, categories: Mapping[UsedAs, Categories]
) -> Iterator[Part]:
    """Every part about a run, with ids of needs and categories.

    Args:
        terms: the run's agreement.
        families: with the agreement's needs.
        categories: those that the agreement has, of the same families.
    """
    yield part_of(_families(terms, families))
    yield part_of(_how_many(terms, families))
    yield _prevalence(families)
    yield _together(families)
    for use, found in categories.items():
        yield from _by(use, terms, families, found)


def below(terms: Agreement, families: FamilyColumns) -> tuple[Bools, Bools]:
    """Families open to the programme with fewer needs met than put one forward.

    Returns:
        Those that meet several all the same; those that would be put forward were enough of the
        needs met that nobody knows about. Both bool (f,).
    """
    met, unknown = _count(families, MET), _count(families, UNKNOWN)
    fewer = families.resident & ~families.in_programme & (met < terms.minimum_needs)
    return fewer & (met >= SEVERAL_NEEDS), fewer & (met + unknown >= terms.minimum_needs)


def _count(families: FamilyColumns, state: int) -> NDArray[np.int64]:
    return np.asarray((families.state == state).sum(axis=1), dtype=np.int64)


def _families(terms: Agreement, families: FamilyColumns) -> Table:
    several, undecided = below(terms, families)
    counts: dict[str, Bools] = {
        _ALL: np.ones(len(families), dtype=np.bool_),
        "here still, or nobody tells that they have left": families.resident,
        **({} if families.untold is None else {_UNTOLD: families.untold}),
        _INSIDE: families.in_programme,
        _FORWARDED: families.flagged,
        "several needs, fewer than put a family forward": several,
        "fewer, but enough if needs that nobody knows about were met": undecided,
        "no need known to be met": _count(families, MET) == 0,
    }
    return Table(
        id="families",
        title="Families",
        notes=(_FORWARD.format(terms.minimum_needs),),
        headings=("which", "families"),
        rows=tuple((word, int(which.sum())) for word, which in counts.items()),
    )


def _how_many(terms: Agreement, families: FamilyColumns) -> Table:
    met = _count(families, MET)
    _, undecided = below(terms, families)
    rows: list[tuple[Cell, ...]] = []
    for number in range(len(families.needs) + 1):
        here = met == number
        parts = (here, families.flagged & here, families.in_programme & here, undecided & here)
        rows.append((str(number), *(int(part.sum()) for part in parts)))
    return Table(
        id="needs-met",
        title="Families by how many needs are known to be met",
        notes=("Undecided: enough if needs that nobody knows about were met.",),
        headings=("needs met", "families", "put forward", "in the programme", "undecided"),
        rows=tuple(rows),
    )


def _prevalence(families: FamilyColumns) -> Part:
    rows: list[tuple[Cell, ...]] = []
    for at, need in enumerate(families.needs):
        met, unmet, unknown = (int((families.state[:, at] == code).sum()) for code in _CODES)
        everybody = max(1, len(families))
        rows.append(
            (
                need,
                met,
                unmet,
                unknown,
                _share(met, met + unmet),
                met / everybody,
                (met + unknown) / everybody,
                int((families.flagged & (families.state[:, at] == MET)).sum()),
            )
        )
    rows.sort(key=lambda row: -row[1] if isinstance(row[1], int) else 0)
    table = Table(
        id="needs",
        title="How common each need is",
        notes=(_SHARE,),
        headings=("need", *_STATES, "share", "at least", "at most", "put forward with it"),
        rows=tuple(rows),
        forms=dict.fromkeys(("share", "at least", "at most"), "share"),
    )
    label = "Families by need: met, unmet and unknown; the table below has it"
    return part_of(table, stacked(label, rows, _STATES))


def _together(families: FamilyColumns) -> Part:
    """Each two needs, both ways round: of those with the one, how many have the other."""
    known, met = families.state != UNKNOWN, families.state == MET
    rows: list[tuple[Cell, ...]] = []
    for one, other in permutations(range(len(families.needs)), 2):
        here = known[:, one] & known[:, other]
        both = int((met[:, one] & met[:, other]).sum())
        with_one, with_other = (int((met[:, at] & here).sum()) for at in (one, other))
        share, alone = _share(both, with_one), _share(with_other, int(here.sum()))
        times = share / alone if share is not None and alone else None
        rows.append(
            (families.needs[one], families.needs[other], both, with_one, share, alone, times)
        )
    table = Table(
        id="needs-together",
        title="Needs that are met together",
        notes=(_TOGETHER,),
        headings=("first", "second", "both", "with the first", "share", "share in all", "times"),
        rows=tuple(rows),
        forms={"share": "share", "share in all": "share", "times": ".2f"},
    )
    label = "Of families that meet the first need, the share that meets the second"
    return part_of(table, heat(label, table, "first", "second", "share"))


def _by(
    use: UsedAs, terms: Agreement, families: FamilyColumns, found: Categories
) -> Iterator[Part]:
    least = terms.suppression_threshold
    names = (*found.names, "several", "unknown")
    place = np.where(found.of == SEVERAL, len(found.names), found.of)
    place = np.where(found.of == UNSAID, len(found.names) + 1, place)
    note = (
        f"Counts below {least}, and those that would give one away, are not shown; categories with "
        f"so few families are put together. Several: as many records say one as another."
    )
    title = _TITLES[use]
    chosen = (families.flagged, families.in_programme)
    shapes = [_shaped(place, which.astype(np.int64), (len(names), 2), least) for which in chosen]
    yield part_of(
        Table(
            id=f"{use}-families",
            title=f"Families by {title}",
            notes=(note,),
            headings=(title, "families", "put forward", "in the programme"),
            rows=tuple(
                (_names(names, group), int(total), *(_shown(shape, at, 1) for shape in shapes))
                for at, (group, total) in enumerate(
                    zip(shapes[0].rows, shapes[0].row_totals, strict=True)
                )
            ),
        )
    )
    rows: list[tuple[Cell, ...]] = []
    for at, need in enumerate(families.needs):
        shape = _shaped(place, families.state[:, at].astype(np.int64), (len(names), 3), least)
        for row, group in enumerate(shape.rows):
            counts = [_shown(shape, row, code) for code in _CODES]
            met, unmet = counts[_CODES.index(MET)], counts[_CODES.index(UNMET)]
            share = None
            if isinstance(met, int) and isinstance(unmet, int):
                share = _share(met, met + unmet)
            rows.append((_names(names, group), need, *counts, share))
    table = Table(
        id=f"{use}-needs",
        title=f"Needs by {title}",
        notes=(note, "The share is of the families of which the need is known."),
        headings=(title, "need", *_STATES, "share"),
        rows=tuple(rows),
        forms={"share": "share"},
    )
    label = f"Share of families that meet each need, by {title}"
    yield part_of(table, heat(label, table, title, "need", "share"))


def _shaped(
    row: NDArray[np.int64], column: NDArray[np.int64], shape: tuple[int, int], least: int
) -> Shape:
    cell = np.bincount(row * shape[1] + column, minlength=shape[0] * shape[1])
    return shape_of(cell.reshape(shape).astype(np.int64), least)


def _shown(shape: Shape, row: int, code: int) -> int | str:
    """A count, where its row is shown and its column stands by itself."""
    alone = (code,)
    if not shape.shown[row] or alone not in shape.columns:
        return HIDDEN
    return int(shape.cells[row, shape.columns.index(alone)])


def _names(names: tuple[str, ...], group: tuple[int, ...]) -> str:
    return " or ".join(names[at] for at in group)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
