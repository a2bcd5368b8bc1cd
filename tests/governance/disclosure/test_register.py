"""All that was released, together."""

import json
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Final

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import linprog

from governance.disclosure.counts import least_shown, publish
from governance.disclosure.errors import (
    DisclosureRefused,
    NotListed,
    ReleasedOtherwise,
    WouldDisclose,
)
from governance.disclosure.register import ReleasedNumber, ReleasedTable, ReleaseRegister
from governance.disclosure.tables import Answer, Counted, Listed, PublishedTable, protect
from governance.errors import FormatError

RUN: Final = "1" * 32
AREAS: Final = ("hill", "lake", "moor", "vale")
STATES: Final = ("met", "unmet", "unknown")
DIVIDED: Final = {"area": AREAS, "neet": STATES, "debt": STATES, "flagged": ("no", "yes")}
TABLES: Final = (
    *(Listed(id=f"by-{name}", title=name, rows=name) for name in DIVIDED),
    *(
        Listed(id=f"{row}-by-{column}", title=f"{row} by {column}", rows=row, columns=column)
        for row, column in product(DIVIDED, DIVIDED)
        if row < column
    ),
)
Families = dict[str, NDArray[np.int64]]


def families(rng: np.random.Generator) -> Families:
    """Families with correlated needs, so that cells are small, nought and nearly everybody."""
    count = int(rng.integers(20, 400))
    found = {}
    for name, values in DIVIDED.items():
        shares = rng.dirichlet(np.full(len(values), 0.6))
        found[name] = rng.choice(len(values), count, p=shares)
    found["flagged"] = np.where(rng.random(count) < 0.9, found["neet"] == 0, found["flagged"] == 1)
    return {name: values.astype(np.int64) for name, values in found.items()}


def counted(people: Families, kind: Listed, population: str = RUN) -> Counted:
    """A table of the list, counted."""
    columns = DIVIDED[kind.columns] if kind.columns else ("",)
    column = people[kind.columns] if kind.columns else np.zeros_like(people[kind.rows])
    cells = np.zeros((len(DIVIDED[kind.rows]), len(columns)), dtype=np.int64)
    np.add.at(cells, (people[kind.rows], column), 1)
    return Counted(kind.id, population, DIVIDED[kind.rows], columns, cells)


def published(table: PublishedTable) -> list[int]:
    """Every number of a table."""
    lines = [[line.total, *(line.cells or ())] for line in table.lines]
    numbers = [table.total, *table.column_totals, *(each for line in lines for each in line)]
    return [number.about for number in numbers if number.about is not None]


ATOMS: Final = tuple(product(*DIVIDED.values()))
"""Every combination of categories: the finest that anybody could ask for."""


def atoms(number: ReleasedNumber | Answer) -> NDArray[np.bool_]:
    """Which of them a number counts."""
    return np.array(
        [all(dict(zip(DIVIDED, atom, strict=True))[name] in of for name, of in number.where.items())
         for atom in ATOMS]
    )  # fmt: skip


def released(people: Families, threshold: int, order: NDArray[np.int64]) -> ReleaseRegister:
    """The register once all tables were asked for."""
    register = ReleaseRegister()
    for at in order:
        table, answers = protect(counted(people, TABLES[at]), TABLES, threshold)
        register = register.with_table(table, answers, least_shown(threshold))
    return register


@pytest.mark.invariant(21, "10,000 random pairs of tables that were permitted")
def test_permitted_answers_differ_by_nought_or_the_threshold() -> None:
    """Published numbers differ by 0 or the threshold at least, and nested counts do too."""
    rng, pairs, small = np.random.default_rng(21), 0, 0
    while pairs < 10_000:
        threshold = int(rng.choice([2, 7, 8, 10, 12]))
        people, least = families(rng), least_shown(threshold)
        whole = [counted(people, kind) for kind in TABLES]
        small += sum(int((table.cells < least).sum()) for table in whole)
        shown = [np.unique(published(protect(each, TABLES, threshold)[0])) for each in whole]
        for one_table, other_table in product(shown, shown):
            apart = np.abs(one_table[:, None] - other_table[None, :])
            assert ((apart == 0) | (apart >= least)).all()
            pairs += 1
        order = rng.permutation(len(TABLES))
        numbers = {n for table in released(people, threshold, order).released for n in _keys(table)}
        masks = np.array([mask for mask, _ in numbers], dtype=np.bool_)
        counts = np.array([count for _, count in numbers], dtype=np.int64)
        within = (masks.astype(int) @ (~masks).T.astype(int)) == 0
        within &= ~within.T  # the same families under other words are no difference
        assert (np.subtract.outer(-counts, -counts)[within] >= least).all()
    assert small > 1_000


def _keys(table: ReleasedTable) -> Iterator[tuple[tuple[bool, ...], int]]:
    for number in table.numbers:
        yield tuple(atoms(number).tolist()), number.count


def test_all_tables_together_do_not_give_a_small_cell_away() -> None:
    """A linear program over everything released leaves each small cell 1 or less, and the least."""
    rng, tried = np.random.default_rng(11), 0
    while tried < 40:
        people = families(rng)
        bounds = [(0, None)] * len(ATOMS)
        lines, most = [], []
        for kind in TABLES:
            for answer in protect(counted(people, kind), TABLES, 7)[1]:
                shown, mask = publish(answer.count, 7), atoms(answer).astype(float)
                assert shown.about is not None
                low = max(8, shown.about - shown.base // 2)
                lines += [mask, -mask]
                most += [shown.about + shown.base // 2 - 1, -low]
        for kind in TABLES[len(DIVIDED) :]:
            table = counted(people, kind)
            small = np.argwhere(table.cells < 8)
            for row, column in small[:1]:
                cell = {kind.rows: table.rows[row], str(kind.columns): table.columns[column]}
                where = {name: frozenset({value}) for name, value in cell.items()}
                aim = atoms(Answer(where, 0)).astype(float)
                least, highest = (
                    linprog(sign * aim, lines, most, bounds=bounds, method="highs").fun
                    for sign in (1, -1)
                )
                assert least is not None
                assert highest is not None
                assert least <= 1
                assert highest <= -8
                tried += 1


def test_a_table_off_the_list_is_refused() -> None:
    """Nobody asks for a table of their own making."""
    kind = Listed(id="by-surname", title="", rows="area")
    with pytest.raises(NotListed, match="no such table"):
        protect(counted(families(np.random.default_rng(1)), kind), TABLES, 7)


def test_counts_that_are_no_table_are_refused() -> None:
    """Shares, negative counts and categories given twice are no counts of families."""
    for cells, rows in (
        (np.array([[0.5], [0.5]]), ("no", "yes")),
        (np.array([[-1], [9]]), ("no", "yes")),
        (np.array([[9], [9]]), ("no", "no")),
        (np.array([[9]]), ("no", "yes")),
    ):
        with pytest.raises(DisclosureRefused, match="expected counts"):
            protect(Counted("by-flagged", RUN, rows, ("",), cells), TABLES, 7)


def two(total: int, part: int) -> tuple[Counted, Counted]:
    """A table of areas, and another of needs, of one population."""
    areas = Counted("by-area", RUN, AREAS, ("",), np.array([[total], [50], [50], [50]]))
    cells = np.array([[part, total - part], [25, 25], [25, 25], [25, 25]])
    return areas, Counted("area-by-flagged", RUN, AREAS, ("no", "yes"), cells)


def test_what_was_released_stays() -> None:
    """The same again is no news; other content, or another count of the same, is refused."""
    areas, flagged = two(50, 25)
    register = ReleaseRegister().with_table(*protect(areas, TABLES, 7), 8)
    assert register.with_table(*protect(areas, TABLES, 7), 8) is register
    with pytest.raises(ReleasedOtherwise, match="in another form"):
        register.with_table(*protect(two(58, 25)[0], TABLES, 7), 8)
    with pytest.raises(ReleasedOtherwise, match="counted otherwise"):
        register.with_table(*protect(two(58, 25)[1], TABLES, 7), 8)
    assert len(register.with_table(*protect(flagged, TABLES, 7), 8).released) == 2


def test_a_difference_with_an_earlier_table_is_refused() -> None:
    """Under a laxer agreement, or none, a table would show that three families differ."""
    areas, flagged = two(50, 47)
    register = ReleaseRegister().with_table(*protect(areas, TABLES, 7), 8)
    table, answers = protect(flagged, TABLES, 7)
    assert table.lines[0].cells is None
    register.with_table(table, answers, 8)
    careless = [
        *answers,
        type(answers[0])({"area": frozenset({"hill"}), "flagged": frozenset({"no"})}, 47),
    ]
    with pytest.raises(WouldDisclose, match="almost the same families"):
        register.with_table(table, careless, 8)


def test_the_register_is_kept(tmp_path: Path) -> None:
    """It comes back from its file as it was, for its owner alone; another run is another matter."""
    path = tmp_path / "register.json"
    areas = two(50, 25)[0]
    register = ReleaseRegister.read(path).with_table(*protect(areas, TABLES, 7), 8)
    register.write(path)
    assert path.stat().st_mode & 0o077 == 0
    assert ReleaseRegister.read(path) == register
    later = Counted("by-area", "2" * 32, AREAS, ("",), areas.cells + 1)
    assert len(register.with_table(*protect(later, TABLES, 7), 8).released) == 2


@pytest.mark.parametrize("population", ["sha256:" + "a" * 64, "a" * 64, ""])
def test_a_register_of_another_kind_of_population_is_refused(
    tmp_path: Path, population: str
) -> None:
    """Earlier ones count digests of files, so nothing of a run would be held against them."""
    path = tmp_path / "register.json"
    path.write_text(json.dumps({
        "format": "disclosure-register/v1",
        "released": [{
            "table": "by-area", "population": population, "least": 8, "hash": "sha256:" + "b" * 64,
            "numbers": [{"where": {}, "count": 58}],
        }],
    }), "utf-8")  # fmt: skip
    with pytest.raises(FormatError, match=r"register\.json: .*population") as refusal:
        ReleaseRegister.read(path)
    assert "begin another register" in refusal.value.next_step
