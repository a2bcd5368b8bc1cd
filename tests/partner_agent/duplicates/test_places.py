"""Values that go together where many live."""

import numpy as np
import pandas as pd

from partner_agent.duplicates.finding import DuplicateFinder
from partner_agent.duplicates.texts import COLUMNS


def rows_of(count: int, names: list[str], surnames: list[str], town: str) -> pd.DataFrame:
    """People of one town, whose names are of its own few."""
    rng = np.random.default_rng(len(town))
    rows = pd.DataFrame("", index=range(count), columns=list(COLUMNS))
    rows["first_name"] = rng.choice(names, count)
    rows["surname"] = rng.choice(surnames, count)
    rows["date_of_birth"] = [
        f"{year}-{month:02}-{day:02}"
        for year, month, day in zip(
            rng.integers(1950, 2010, count),
            rng.integers(1, 13, count),
            rng.integers(1, 29, count),
            strict=True,
        )
    ]
    rows["address"] = town
    return rows


def test_names_of_a_place_tell_little_there() -> None:
    """Two of a town's many namesakes stay apart though their name is rare elsewhere."""
    others = [
        head + tail for head in ("har", "wel", "bro", "kin") for tail in ("ris", "ton", "ley")
    ]
    towns = [
        rows_of(150, ["ann", "bob", "cat", "dan", "eve", "fin"], others, town)
        for town in ("north", "southern", "west end", "east", "middle town", "upper hill")
    ]
    small = rows_of(60, ["nguyet", "phuong"], ["nguyen", "pham"], "harbour")
    small.loc[1, ["first_name", "surname", "date_of_birth"]] = ["nguyet", "pham", "1990-05-03"]
    small.loc[2, ["first_name", "surname", "date_of_birth"]] = ["nguyet", "pham", "1990-05-23"]
    finder = DuplicateFinder()
    for frame in (small, *towns):
        finder.add(frame)
    found = finder.find()
    assert (1, 2) not in set(zip(found.left.tolist(), found.right.tolist(), strict=True))
