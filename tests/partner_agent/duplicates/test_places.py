"""Values that go together where many live."""

import numpy as np
import pandas as pd

from partner_agent.duplicates.fields import FIELDS, Comparer
from partner_agent.duplicates.places import Places
from partner_agent.duplicates.rarity import Rarity
from partner_agent.duplicates.source import Source
from partner_agent.duplicates.texts import COLUMNS, Columns


def rows_of(town: str, count: int, names: list[str], surnames: list[str]) -> pd.DataFrame:
    """People of one town, whose names are of its own few."""
    rng = np.random.default_rng(count)
    rows = pd.DataFrame("", index=range(count), columns=list(COLUMNS))
    rows["first_name"] = rng.choice(names, count)
    rows["surname"] = rng.choice(surnames, count)
    rows["address"] = town
    return rows


def more_likely(frame: pd.DataFrame, left: list[int], right: list[int]) -> list[float]:
    """Log of how much likelier strangers are to agree as each pair does."""
    columns = Columns()
    columns.add(frame)
    source = Source.of(columns)
    comparer = Comparer(source)
    strangers = {field.name: np.array(field.stranger) for field in FIELDS}
    places = Places(comparer, Rarity(source), strangers)
    ends = np.array(left), np.array(right)
    levels, _ = comparer.levels(*ends)
    found: list[float] = places.chance(comparer, *ends, levels).tolist()
    return found


def test_names_of_a_place_tell_little_there() -> None:
    """Names that are of one place make its strangers alike, and nobody else."""
    many = [head + tail for head in ("har", "wel", "bro", "kin") for tail in ("ris", "ton", "ley")]
    harbour = rows_of("harbour", 60, ["nguyet", "phuong"], ["nguyen", "pham"])
    town = rows_of("town", 900, many, many)
    harbour.iloc[:2, :3] = ["nguyet", "", "pham"]
    frame = pd.concat([harbour, town], ignore_index=True)
    together, across = more_likely(frame, [0, 0], [1, 100])
    assert together > np.log(4)
    assert across == 0.0


def test_a_home_is_no_place() -> None:
    """A few people at one address are relatives, of whom the model has a class of its own."""
    frame = pd.concat(
        [rows_of(f"{at} high street", 4, ["ann", "bob"], ["cole"]) for at in range(50)],
        ignore_index=True,
    )
    assert more_likely(frame, [0, 0], [1, 2]) == [0.0, 0.0]
