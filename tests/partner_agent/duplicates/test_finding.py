"""Which rows of one source are of one person."""

from itertools import product

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from partner_agent.duplicates.finding import LEAST, DuplicateFinder, Duplicates
from partner_agent.duplicates.texts import COLUMNS

FIRST = tuple(
    """adam beth carl dora egon faye gary hana ivan jade kurt lena mark nina omar petra
    quin rosa saul tina umar vera walt xena yann zara aaron bella cyril diana""".split()  # noqa: SIM905
)
HEADS = ("har", "wel", "bro", "kin", "san", "mor", "tho", "fel", "gar", "dun")
TAILS = ("ris", "ton", "wick", "man", "field", "ley", "croft", "son", "hurst", "well")
LAST = [head + tail for head, tail in product(HEADS, TAILS)]


def people(count: int, seed: int = 1) -> pd.DataFrame:
    """Rows of different people, each complete."""
    rng = np.random.default_rng(seed)
    year, month, day = (rng.integers(*edges, count) for edges in ((1940, 2020), (1, 13), (1, 29)))
    rows = pd.DataFrame("", index=range(count), columns=list(COLUMNS))
    rows["first_name"] = rng.choice(FIRST, count)
    rows["surname"] = rng.choice(LAST, count)
    rows["date_of_birth"] = [f"{y}-{m:02}-{d:02}" for y, m, d in zip(year, month, day, strict=True)]
    rows["sex"] = rng.choice(["m", "f"], count)
    rows["address"] = [
        f"{n} {w} road"
        for n, w in zip(rng.integers(1, 90, count), rng.choice(LAST, count), strict=True)
    ]
    rows["postcode"] = [f"AB{n % 90 + 1} {n // 90 % 9 + 1}CD" for n in rng.integers(0, 800, count)]
    return rows


def found(*frames: pd.DataFrame) -> Duplicates:
    """What a finder says about frames that it is given one after another."""
    finder = DuplicateFinder()
    for frame in frames:
        finder.add(frame)
    return finder.find()


def pairs(duplicates: Duplicates) -> dict[tuple[int, int], float]:
    """Probability by pair."""
    return dict(
        zip(
            zip(duplicates.left.tolist(), duplicates.right.tolist(), strict=True),
            duplicates.probability.tolist(),
            strict=True,
        )
    )


def test_no_rows_one_row_and_no_columns_are_no_duplicates() -> None:
    """A source that is empty, has one row, or holds nothing, has no duplicates."""
    blank = pd.DataFrame("", index=range(5), columns=list(COLUMNS))
    for frames in ((), (people(0),), (people(1),), (blank,), (pd.DataFrame({"row": [1, 2]}),)):
        duplicates = found(*frames)
        assert len(duplicates.left) == 0
        assert duplicates.left.dtype == duplicates.right.dtype == np.int64
        assert duplicates.probability.dtype == np.float32


def test_strangers_are_not_joined() -> None:
    """In a source that holds everyone once nobody is found twice."""
    assert pairs(found(people(600))) == {}


@settings(deadline=None, max_examples=10)
@given(st.integers(2, 120), st.integers(0, 10_000))
def test_an_exact_copy_is_found(count: int, seed: int) -> None:
    """A complete row that is there twice is found, and neither copy is joined with another row."""
    rows = people(count, seed)
    again = pairs(found(rows, rows.iloc[[0]]))
    assert again.get((0, count), 0.0) > 0.9
    assert [pair for pair in again if 0 in pair or count in pair] == [(0, count)]


@settings(deadline=None, max_examples=10)
@given(st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(random: object) -> None:
    """Rows in another order and in other chunks give the same pairs with the same probability."""
    rows = pd.concat([people(200), slipped(people(200).iloc[:30])], ignore_index=True)
    order = list(range(len(rows)))
    random.shuffle(order)  # type: ignore[attr-defined]
    shuffled = rows.iloc[order]
    again = {
        tuple(sorted((order[a], order[b]))): p
        for (a, b), p in pairs(found(shuffled.iloc[:70], shuffled.iloc[70:])).items()
    }
    assert again == pairs(found(rows))


def slipped(rows: pd.DataFrame) -> pd.DataFrame:
    """The same people with a letter of the surname lost and another address."""
    return rows.assign(
        surname=rows["surname"].str[:-2] + rows["surname"].str[-1],
        address=[f"{at} other street" for at in range(len(rows))],
        postcode=[f"AB99 {at % 9}ZZ" for at in range(len(rows))],
    )


def test_rows_with_slips_are_found() -> None:
    """A slip in a name and a move leave a person recognisable."""
    rows = people(500)
    again = pairs(found(rows, slipped(rows.iloc[:60])))
    assert sum((at, 500 + at) in again for at in range(60)) >= 57
    assert len(again) <= 60


def test_names_in_each_others_place_are_found() -> None:
    """A row whose names were written into each other's column is found."""
    rows = people(300)
    turned = rows.iloc[:10].rename(columns={"first_name": "surname", "surname": "first_name"})
    again = pairs(found(rows, turned))
    assert all((at, 300 + at) in again for at in range(10))


def test_relatives_are_not_one_person() -> None:
    """Brothers and sisters of one home, twins among them, stay apart."""
    rows = people(400)
    kin = rows.iloc[:200].assign(
        first_name=[
            FIRST[(FIRST.index(name) + 7) % len(FIRST)] for name in rows["first_name"][:200]
        ],
        date_of_birth=people(400, 2)["date_of_birth"][:200],
    )
    twins = rows.iloc[200:220].assign(
        first_name=[
            FIRST[(FIRST.index(name) + 11) % len(FIRST)] for name in rows["first_name"][200:220]
        ]
    )
    assert pairs(found(rows, kin, twins)) == {}


def test_every_pair_is_told_once_in_order() -> None:
    """Pairs are ordered, the smaller row first, and at least as likely as not."""
    rows = people(300)
    duplicates = found(rows, rows.iloc[:40], rows.iloc[:40])
    assert (duplicates.left < duplicates.right).all()
    assert (np.diff(duplicates.left * 1_000 + duplicates.right) > 0).all()
    assert (duplicates.probability >= LEAST).all()
    assert (duplicates.probability <= 1.0).all()
    assert len(duplicates.left) == 3 * 40
