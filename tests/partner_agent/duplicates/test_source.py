"""A source's columns made ready."""

import numpy as np
import pandas as pd

from partner_agent.duplicates.source import Source
from partner_agent.duplicates.texts import COLUMNS, Columns


def test_a_date_of_another_shape_counts_as_none_and_no_error_holds_it() -> None:
    """Cleansing lets none through; should one come all the same, its text goes nowhere."""
    dates = ["1990-02-03", "3 Feb 1990", ""]
    frame = pd.DataFrame({name: ["", "", ""] for name in COLUMNS} | {"date_of_birth": dates})
    columns = Columns()
    columns.add(frame)
    source = Source.of(columns)
    codes = source.texts["date_of_birth"].codes
    assert np.array_equal(source.births[codes[0]], [1990, 2, 3])
    assert np.array_equal(source.births[codes[1]], [0, 0, 0])
    assert codes[2] == -1
