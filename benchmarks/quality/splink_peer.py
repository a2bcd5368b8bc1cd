"""The plaintext peer: Splink 5 on the cleaned columns, trained by EM without truth.

It sees names and dates in clear, so it is a ceiling, not a competitor.
"""

import importlib.util
import logging
from typing import Any

import pandas as pd

COLUMNS = ("first_name", "middle_name", "surname", "date_of_birth", "sex", "postcode", "address")
NAMES = ("first_name", "middle_name", "surname", "sex")
COARSE = ("sex", "middle_name")  # too few values to block on
Scored = list[tuple[str, str, float]]


def available() -> bool:
    """Whether Splink is installed (``make bench-quality`` installs it)."""
    return importlib.util.find_spec("splink") is not None


def predict(first: pd.DataFrame, second: pd.DataFrame) -> Scored:
    """Best pairs of two cleaned tables as (record of first, record of second, probability).

    Each record is kept in its most probable pair only, so that the links are one-to-one.
    """
    import splink.comparison_library as compare  # noqa: PLC0415 - an optional peer
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on  # noqa: PLC0415

    logging.getLogger("splink").setLevel(logging.ERROR)
    frames = [_prepare(first), _prepare(second)]
    used = [c for c in COLUMNS if all(frame[c].notna().mean() > 0.2 for frame in frames)]  # noqa: PLR2004
    comparisons = {
        "first_name": compare.JaroWinklerAtThresholds("first_name", [0.92, 0.8]).configure(
            term_frequency_adjustments=True
        ),
        "middle_name": compare.CustomComparison(_initials(), output_column_name="middle_name"),
        "surname": compare.JaroWinklerAtThresholds("surname", [0.92, 0.8]).configure(
            term_frequency_adjustments=True
        ),
        "date_of_birth": compare.DamerauLevenshteinAtThresholds("date_of_birth", [1, 2]),
        "sex": compare.ExactMatch("sex"),
        "postcode": compare.LevenshteinAtThresholds("postcode", [1, 2]),
        "address": compare.JaroWinklerAtThresholds("address", [0.92, 0.8]),
    }
    rules: list[Any] = [block_on(column) for column in used if column not in COARSE]
    rules.append(block_on("substr(first_name, 1, 3)", "substr(surname, 1, 3)"))
    rules.append(block_on("substr(first_name, 1, 1)", "substr(surname, 1, 4)"))
    api = DuckDBAPI()
    tables: Any = [api.register(frame) for frame in frames]
    linker = Linker(
        tables,
        SettingsCreator(
            link_type="link_only",
            comparisons=[comparisons[column] for column in used],
            blocking_rules_to_generate_predictions=rules,
        ),
    )
    linker.training.estimate_probability_two_random_records_match(
        [block_on("first_name", "surname", each) for each in used if each not in NAMES], recall=0.7
    )
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
    for rule in rules[:2]:
        linker.training.estimate_parameters_using_expectation_maximisation(rule)
    predicted: Any = linker.inference.predict()
    pairs: pd.DataFrame = predicted.as_pandas_dataframe()
    return _one_to_one(pairs)


def _initials() -> list[Any]:
    """A middle name is often only its initial."""
    import splink.comparison_level_library as level  # noqa: PLC0415 - an optional peer

    return [
        level.NullLevel("middle_name"),
        level.ExactMatchLevel("middle_name"),
        level.CustomLevel("substr(middle_name_l, 1, 1) = substr(middle_name_r, 1, 1)", "initial"),
        level.ElseLevel(),
    ]


def _prepare(frame: pd.DataFrame) -> pd.DataFrame:
    found = frame[["source_record_id", *COLUMNS]].rename(columns={"source_record_id": "unique_id"})
    return found.astype(object).where(found != "", None)


def _one_to_one(pairs: pd.DataFrame) -> Scored:
    ordered = pairs.sort_values("match_weight", ascending=False)
    left: set[str] = set()
    right: set[str] = set()
    kept: Scored = []
    for one, other, probability in ordered[
        ["unique_id_l", "unique_id_r", "match_probability"]
    ].itertuples(index=False):
        if one not in left and other not in right:
            left.add(one)
            right.add(other)
            kept.append((one, other, float(probability)))
    return kept
