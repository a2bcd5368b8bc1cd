"""Splink 5 set up as its documentation recommends, for whatever columns a folder has.

Many narrow blocking rules, each left out where it would make too many pairs; ready-made
comparisons for names (with term frequencies and swapped names), dates of birth, postcodes and
e-mail; u by random sampling, m by expectation maximisation in sessions that do not block on what
families share; a prior from a deterministic rule whose recall the trained model states itself.
Nothing is told the truth.
"""

import importlib.util
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from typing import Any, Final, Literal

import pandas as pd

IDENTIFIERS: Final = ("nhs_number", "nino", "upn")
COLUMNS: Final = (
    "first_name",
    "middle_name",
    "surname",
    "date_of_birth",
    "sex",
    "postcode",
    "address",
    "email",
    "phone",
    *IDENTIFIERS,
)
FILLED: Final = 0.2  # share of records that hold a column, for it to be compared
RARE: Final = 0.02  # the same of exact identifiers and contacts, over all sources
DATED: Final = 0.9  # share with a date of birth, from which relatives are no danger
PAIRS_A_RECORD: Final = 100  # that one blocking rule may make
LEAST_PAIRS: Final = 2e6  # that it may make however few records there are
RECALL: Final = 0.7  # of the deterministic rule, before the model can tell
U_PAIRS: Final = 1e7  # compared at random; Splink's guide: often adequate
EM_PAIRS: Final = 5e6  # of one session, sampled beyond
_INITIAL: Final = "substr(first_name, 1, 1)"
_YEAR: Final = "substr(date_of_birth, 1, 4)"
_DAY: Final = "substr(date_of_birth, 9, 2)"
_MONTH_DAY: Final = "substr(date_of_birth, 6, 5)"
RULES: Final = (  # narrow ones first
    *((column,) for column in (*IDENTIFIERS, "email", "phone")),
    ("first_name", "surname"),
    ("sex", "date_of_birth"),
    ("surname", "postcode"),
    ("first_name", "postcode"),
    ("surname", "address"),
    ("postcode", _INITIAL),
    ("address", _INITIAL),
    (_INITIAL, _YEAR),
    (_INITIAL, _MONTH_DAY),
    ("substr(surname, 1, 1)", _MONTH_DAY),
    ("substr(surname, 1, 3)", _YEAR),
    ("substr(date_of_birth, 1, 7)",),
    (_YEAR, _DAY),
    ("date_of_birth",),
    ("surname", _INITIAL),
    ("first_name", "substr(surname, 1, 1)"),
    ("substr(first_name, 1, 3)", "substr(surname, 1, 3)"),
    ("substr(surname, 1, 4)", _INITIAL),
    ("right(surname, 4)", _INITIAL),
    ("surname",),
    ("first_name",),
    ("postcode",),
    ("address",),
)
FAMILY_RULES: Final = (  # that relatives fulfil, who are told apart by their dates of birth
    ("surname", "postcode"),
    ("surname", "address"),
    ("surname",),
    ("postcode",),
    ("address",),
)
_SWAPPED: Final = (
    "substr(l.first_name, 1, 3) = substr(r.surname, 1, 3) "
    "and substr(l.surname, 1, 3) = substr(r.first_name, 1, 3)"
)


@dataclass(frozen=True)
class Model:
    """A trained model.

    Attributes:
        linker: Splink's.
        rules: how many blocking rules were kept.
        left_out: rules that would have made too many pairs.
    """

    linker: Any
    rules: int
    left_out: list[str]


def available() -> bool:
    """Whether Splink is installed (``make bench-quality`` installs it)."""
    return importlib.util.find_spec("splink") is not None


def table_of(clean: pd.DataFrame) -> pd.DataFrame:
    """Cleaned rows as Splink takes them: ``unique_id`` is the row's position, missing is None."""
    held = clean[[column for column in COLUMNS if column in clean]].astype(object)
    found = held.where(held != "", None).reset_index(drop=True)
    found.insert(0, "unique_id", range(len(found)))
    return found


def train(
    tables: Sequence[pd.DataFrame],
    *,
    most: float | None = None,
    u_pairs: float = U_PAIRS,
    threads: int = 1,
    memory_mb: int = 4_000,
) -> Model:
    """A model of one table, to find duplicates in it, or of two, to link one with the other.

    Args:
        tables: from ``table_of``.
        most: pairs that one blocking rule may make; 100 a record when None, at least two million.
        u_pairs: compared at random for u; Splink takes a million unless told.
        threads: of DuckDB.
        memory_mb: that DuckDB may take before it uses the disk.
    """
    import duckdb  # noqa: PLC0415 - comes with Splink
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on  # noqa: PLC0415
    from splink.blocking_rule_library import CustomRule  # noqa: PLC0415

    used = _columns(tables)
    persons = len(tables) == 1
    kind: Literal["dedupe_only", "link_only"] = "dedupe_only" if persons else "link_only"
    dated = float(tables[0]["date_of_birth"].notna().mean()) >= DATED
    wanted = [
        rule
        for rule in RULES
        if _covered(rule, used) and (dated or not persons or rule not in FAMILY_RULES)
    ]
    rules, left_out = _affordable(wanted, tables, most)
    blocking: list[Any] = [block_on(*rule) for rule in rules]
    if {"first_name", "surname"} <= used:
        blocking.append(CustomRule(_SWAPPED))
    connection = duckdb.connect(
        ":memory:", config={"threads": threads, "memory_limit": f"{memory_mb}MB"}
    )
    with _quiet():
        api = DuckDBAPI(connection)
        held: Any = [api.register(each[["unique_id", *sorted(used)]]) for each in tables]
        linker = Linker(
            held,
            SettingsCreator(
                link_type=kind,
                comparisons=_comparisons(used, joined=persons),
                blocking_rules_to_generate_predictions=blocking,
                retain_matching_columns=False,
            ),
        )
        _fit(linker, used, tables, u_pairs)
    return Model(linker, len(blocking), left_out)


def predictions(model: Model, least: float | None = None) -> Any:
    """Splink's table of candidate pairs with their probabilities, at least ``least``."""
    with _quiet():
        return model.linker.inference.predict(threshold_match_probability=least)


def pairs_of(model: Model, predicted: Any) -> pd.DataFrame:
    """Candidate pairs: unique_id_l, unique_id_r, match_weight, match_probability."""
    columns = "unique_id_l, unique_id_r, match_weight, match_probability"
    with _quiet():
        found: pd.DataFrame = model.linker.misc.query_sql(
            f"select {columns} from {predicted.physical_name}",  # noqa: S608 - names of Splink's
            output_type="pandas",
        )
    return found


def clusters(model: Model, predicted: Any, threshold: float) -> list[Any]:
    """The group of every record at a probability, in the order of the table."""
    with _quiet():
        found = model.linker.clustering.cluster_pairwise_predictions_at_threshold(
            predicted, threshold_match_probability=threshold
        )
    frame: pd.DataFrame = found.as_pandas_dataframe()
    labels: list[Any] = frame.sort_values("unique_id")["cluster_id"].tolist()
    return labels


def _columns(tables: Sequence[pd.DataFrame]) -> set[str]:
    """Columns that are worth comparing."""
    used = set()
    for column in COLUMNS:
        exact = column in IDENTIFIERS or column in {"email", "phone"}
        enough = RARE if exact else FILLED
        if all(column in each and each[column].notna().mean() >= enough for each in tables):
            used.add(column)
    return used


def _covered(rule: tuple[str, ...], used: set[str]) -> bool:
    return all(any(column in part for column in used) for part in rule)


def _affordable(
    rules: list[tuple[str, ...]], tables: Sequence[pd.DataFrame], most: float | None
) -> tuple[list[tuple[str, ...]], list[str]]:
    """Rules that make few enough pairs, as Splink's guide to blocking counts them first."""
    import duckdb  # noqa: PLC0415 - comes with Splink

    if most is None:
        most = max(LEAST_PAIRS, PAIRS_A_RECORD * sum(map(len, tables)))
    kept, left_out = [], []
    with duckdb.connect(":memory:", config={"threads": 1}) as database:
        for rule in rules:
            names = [f"k{at}" for at in range(len(rule))]
            keys = ", ".join(f"{part} as {key}" for key, part in zip(names, rule, strict=True))
            held = " and ".join(f"{key} is not null" for key in names)
            by_key = ", ".join(names)
            blocks = [
                database.from_df(frame)
                .project(keys)
                .filter(held)
                .aggregate(f"{by_key}, count(*)::double as n{side}")
                for side, frame in enumerate(tables)
            ]
            if len(blocks) == 1:
                total = blocks[0].aggregate("sum(n0 * (n0 - 1) / 2)")
            else:
                total = blocks[0].join(blocks[1], by_key).aggregate("sum(n0 * n1)")
            pairs = total.fetchall()[0][0]
            if (pairs or 0) <= most:
                kept.append(rule)
            else:
                left_out.append(" and ".join(rule))
    return kept, left_out


def _comparisons(used: set[str], *, joined: bool) -> list[Any]:
    import splink.comparison_library as compare  # noqa: PLC0415 - an optional peer

    joined = joined and {"postcode", "address"} <= used
    ready: dict[str, Any] = {
        "first_name": lambda: _name("first_name", "surname", used),
        "surname": lambda: _name("surname", "first_name", used),
        "middle_name": _initials,
        "date_of_birth": lambda: compare.DateOfBirthComparison(
            "date_of_birth", input_is_string=True, invalid_dates_as_null=False
        ),
        "sex": lambda: compare.ExactMatch("sex"),
        "postcode": lambda: compare.PostcodeComparison("postcode"),
        "address": lambda: _address(joined=joined),
        "email": lambda: compare.EmailComparison("email"),
        "phone": lambda: compare.ExactMatch("phone"),
    }
    for column in IDENTIFIERS:
        ready[column] = lambda column=column: compare.DamerauLevenshteinAtThresholds(column, [1])
    if joined:
        del ready["postcode"]
    return [ready[column]() for column in COLUMNS if column in used and column in ready]


def _name(column: str, other: str, used: set[str]) -> Any:
    """Splink's comparison of names, and names in swapped order where that can be trained."""
    import splink.comparison_level_library as level  # noqa: PLC0415 - an optional peer
    import splink.comparison_library as compare  # noqa: PLC0415

    swapped = []
    if {column, other, "date_of_birth"} <= used:
        both = f"{column}_l = {other}_r and {other}_l = {column}_r"
        swapped = [level.CustomLevel(both, "names swapped")]
    return compare.CustomComparison(
        output_column_name=column,
        comparison_levels=[
            level.NullLevel(column),
            level.ExactMatchLevel(column, term_frequency_adjustments=True),
            *swapped,
            *(level.JaroWinklerLevel(column, least) for least in (0.92, 0.88, 0.7)),
            level.ElseLevel(),
        ],
    )


def _address(*, joined: bool) -> Any:
    """The address, and in it the postcode if they are ``joined``.

    They agree together, and apart they would count twice, so that relatives at one address would
    become one person. Two files linked one to one have better figures with them apart.
    """
    import splink.comparison_level_library as level  # noqa: PLC0415 - an optional peer
    import splink.comparison_library as compare  # noqa: PLC0415

    missing: Any = level.NullLevel("address")
    exact = level.ExactMatchLevel("address", term_frequency_adjustments=True)
    near = [level.JaroWinklerLevel("address", least) for least in (0.92, 0.8)]
    between: list[Any] = []
    if joined:
        missing = level.And(missing, level.NullLevel("postcode")).configure(is_null_level=True)
        same = level.ExactMatchLevel("postcode")
        between = [level.And(near[0], same), same]
    return compare.CustomComparison(
        output_column_name="address",
        comparison_levels=[missing, exact, *between, *near, level.ElseLevel()],
    )


def _initials() -> Any:
    """A middle name is often only its initial."""
    import splink.comparison_level_library as level  # noqa: PLC0415 - an optional peer
    import splink.comparison_library as compare  # noqa: PLC0415

    initial = "substr(middle_name_l, 1, 1) = substr(middle_name_r, 1, 1)"
    return compare.CustomComparison(
        output_column_name="middle_name",
        comparison_levels=[
            level.NullLevel("middle_name"),
            level.ExactMatchLevel("middle_name"),
            level.CustomLevel(initial, "initial"),
            level.ElseLevel(),
        ],
    )


def _fit(linker: Any, used: set[str], tables: Sequence[pd.DataFrame], u_pairs: float) -> None:
    """Prior, u and m, without truth."""
    from splink import block_on  # noqa: PLC0415 - an optional peer
    from splink.internals.exceptions import EMTrainingException  # noqa: PLC0415

    third = [c for c in ("date_of_birth", "address", "postcode", "middle_name") if c in used]
    certain = [c for c in ("first_name", "surname", *third[:1]) if c in used]
    prior = linker.training.estimate_probability_two_random_records_match
    prior([block_on(*certain)], recall=RECALL)
    linker.training.estimate_u_using_random_sampling(max_pairs=u_pairs, seed=1)
    sessions: list[tuple[str, ...]] = [
        ("first_name", "surname"),
        ("substr(first_name, 1, 2)", "substr(surname, 1, 3)"),
    ]
    if "date_of_birth" in used:
        sessions.append(("date_of_birth",))
    elif "middle_name" in used:
        sessions += [("surname", "middle_name"), ("first_name", "middle_name")]
    else:
        sessions += [(column,) for column in ("postcode", "address") if column in used]
    for session in sessions:
        if _covered(session, used):
            try:
                linker.training.estimate_parameters_using_expectation_maximisation(
                    block_on(*session),
                    estimate_without_term_frequencies=True,
                    max_pairs=EM_PAIRS,
                    record_sample_proportion=1.0,
                )
            except (EMTrainingException, ValueError):
                continue  # a rule without pairs, or with shares that vanish, teaches nothing
    prior([block_on(*certain)], recall=_recall(linker, certain, tables))


def _recall(linker: Any, certain: Sequence[str], tables: Sequence[pd.DataFrame]) -> float:
    """Share of matches that agree exactly on columns: the model's m, and both must hold them."""
    exact = {
        each["output_column_name"]: next(
            level.get("m_probability")
            for level in each["comparison_levels"]
            if not level.get("is_null_level")
        )
        for each in linker.misc.save_model_to_json()["comparisons"]
    }
    ends = [tables[0], tables[-1]]
    share = prod(
        (exact.get(column) or RECALL) * prod(float(each[column].notna().mean()) for each in ends)
        for column in certain
    )
    return min(0.99, max(0.001, share))


@contextmanager
def _quiet() -> Iterator[None]:
    """Without Splink's messages, which name levels and counts only but are many."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)
