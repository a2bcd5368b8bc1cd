"""What the model learns without truth."""

import numpy as np
import pandas as pd

from partner_agent.duplicates.finding import DuplicateFinder
from partner_agent.duplicates.texts import COLUMNS


def test_namesakes_who_never_share_an_address_are_no_persons() -> None:
    """Where names are all there is and addresses always differ, alike names make no persons."""
    rng = np.random.default_rng(3)
    rows = pd.DataFrame("", index=range(4_000), columns=list(COLUMNS))
    letters = [a + b for a in "bcdfghklmnprst" for b in "aeiou"]
    names = ["".join(rng.choice(letters, 3)) for _ in range(700)]
    origin = rng.integers(0, 35, len(rows))  # whose names go together
    rows["first_name"] = [
        names[20 * of + at] for of, at in zip(origin, rng.integers(0, 20, 4_000), strict=True)
    ]
    rows["surname"] = [
        names[699 - 20 * of - at] for of, at in zip(origin, rng.integers(0, 20, 4_000), strict=True)
    ]
    rows["address"] = [f"{at} {names[at % 700]} road" for at in range(len(rows))]
    finder = DuplicateFinder()
    finder.add(rows)
    assert len(finder.find().left) <= 0.01 * len(rows)
