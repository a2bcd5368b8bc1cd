"""A hub that lies in a round's parameters, against the agents' own arithmetic.

All parameters here pass ``check_parameters``: what stops the hub is each agent's own counting.
"""

import hashlib

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from governance.exchange.parameters import (
    HIGHEST_ODDS,
    IDENTIFIERS,
    LEVELS,
    LOWEST_THRESHOLD,
    FieldParameters,
    PairOdds,
    Parameters,
    check_parameters,
)
from linkage_hub.refinement.decisions import common_tokens
from partner_agent.refinement.answers import Answerer
from partner_agent.refinement.evidence import USUAL
from partner_agent.refinement.facets import COLUMNS, facet, field_value
from partner_agent.refinement.profile import agreement_level

KEY = bytes(range(32))
PAIR = hashlib.sha256(b"pair").digest()
FIRST = [a + b for a in ("jo", "ma", "ol", "pet", "sar", "ja") for b in ("hn", "ry", "ive", "er")]
LAST = [a + b for a in ("smi", "jon", "tay", "oka", "mac", "pat") for b in ("th", "es", "lor")]
Row = dict[str, str]


def _town() -> list[Row]:
    """A small town with few names, dates and streets, in which much agrees by chance."""
    draw = np.random.default_rng(7)
    rows = []
    for at in range(400):
        first, last = FIRST[draw.integers(len(FIRST))], LAST[draw.integers(len(LAST))]
        rows.append(
            {
                "first_name": first,
                "middle_name": FIRST[draw.integers(len(FIRST))],
                "surname": last,
                "date_of_birth": f"{draw.integers(1980, 1990)}-{draw.integers(1, 13):02}-15",
                "sex": "mf"[at % 2],
                "address": f"{at // 2 % 40 + 1} {('high', 'mill', 'church')[at % 3]} street",
                "postcode": f"ZZ{at % 30 + 10} 1AA",
                "uprn": "",
                "nhs_number": f"{9_000_000_000 + at}",
                "nino": f"qq{at:06}a",
                "upn": f"z{at:012}",
                "phone": f"07000{at // 2:06}",
                "email": f"{first}.{last}@example.org",
            }
        )
    return rows


TOWN = _town()


def tokens_in_common(parameters: Parameters, one: Row, other: Row) -> int:
    """What the hub sees of two rows of two agents that both know the town."""
    found = [
        Answerer(KEY, parameters, "decide", TOWN).answer(
            [b"h"], [row], [PAIR], [side], [parameters.odds[0]]
        )
        for side, row in enumerate((one, other))
    ]
    return int(common_tokens(*found)[0])


def telling(fields: frozenset[str], threshold: float = 4.0) -> Parameters:
    """Parameters under which some fields decide and all others are said to tell nothing."""
    made = []
    for field, levels in LEVELS.items():
        count = len(levels) + 1
        flat = (round(1.0 / count, 4),) * count
        match = (0.9, *[0.09 / count] * (count - 2), 1e-6)
        chance = (1e-6, *[1e-6] * (count - 2), 0.99)
        shares = (match, chance) if field in fields else (flat, flat)
        made.append(
            FieldParameters(
                field=field,
                match=shares[0],
                home=shares[1],
                chance=shares[1],
                missing=(0.001, 0.001),
            )
        )
    odds = PairOdds(first=0, second=1, match=HIGHEST_ODDS, home=-60.0)
    return Parameters(fields=tuple(made), odds=(odds,), threshold=threshold)


def strangers(agree: frozenset[str]) -> tuple[Row, Row]:
    """Two rows that agree in nothing but some fields."""
    one = TOWN[0]
    other = {
        "first_name": "xquv",
        "middle_name": "wzub",
        "surname": "vwyd",
        "date_of_birth": "1931-01-02",
        "sex": "x",
        "address": "77 quarry bank",
        "postcode": "AB1 2CD",
        "uprn": "",
        "nhs_number": "1",
        "nino": "2",
        "upn": "3",
        "phone": "4",
        "email": "5",
    }
    return one, other | {c: one[c] for field in agree for c in COLUMNS[field]}


@pytest.mark.parametrize("threshold", [LOWEST_THRESHOLD, 4.0])
@pytest.mark.parametrize("field", [name for name in LEVELS if name not in IDENTIFIERS])
def test_no_single_field_can_be_asked_for(field: str, threshold: float) -> None:
    """Two rows that agree in one field share no token, though the parameters decide by it alone."""
    parameters = telling(frozenset({field}), threshold)
    check_parameters(parameters)
    assert not tokens_in_common(parameters, *strangers(frozenset({field})))


@pytest.mark.parametrize(
    "fields",
    [{"surname", "address"}, {"sex", "date_of_birth"}, {"phone", "address", "email", "surname"}],
)
def test_what_a_home_shares_is_no_person(fields: set[str]) -> None:
    """What relatives at one address have in common is not answered, nor a birthday with a sex."""
    assert not tokens_in_common(telling(frozenset(fields)), *strangers(frozenset(fields)))


@pytest.mark.parametrize("fields", [{"first_name", "surname", "date_of_birth"}, {"nhs_number"}])
def test_a_person_can_be_asked_for(fields: set[str]) -> None:
    """Names with a date of birth are enough, and so is an official number of one row."""
    assert tokens_in_common(telling(frozenset(fields)), *strangers(frozenset(fields)))


def test_a_number_that_several_rows_hold_is_not_enough_alone() -> None:
    """An identifier that is a placeholder singles nobody out."""
    town = [row | {"nhs_number": TOWN[0]["nhs_number"]} for row in TOWN[:9]] + TOWN[9:]
    parameters = telling(frozenset({"nhs_number"}))
    answers = [
        Answerer(KEY, parameters, "decide", town).answer(
            [b"h"], [row], [PAIR], [side], [parameters.odds[0]]
        )
        for side, row in enumerate(strangers(frozenset({"nhs_number"})))
    ]
    assert not common_tokens(*answers)[0]


@st.composite
def lies(draw: st.DrawFn) -> Parameters:
    """Parameters of any shares that pass the check."""
    made = []
    for field, levels in LEVELS.items():
        count = len(levels) + 1
        share = st.floats(1e-6, 0.98)
        match = tuple(draw(share) for _ in range(count))
        gains = sorted((draw(st.floats(-10.0, 20.0)) for _ in range(count)), reverse=True)
        chance = tuple(min(0.98, max(1e-9, m * 2.0**-g)) for m, g in zip(match, gains, strict=True))
        made.append(
            FieldParameters(
                field=field,
                match=match,
                home=draw(st.sampled_from((chance, match))),
                chance=chance,
                missing=(draw(st.floats(0.0, 1.0)), draw(st.floats(0.0, 1.0))),
            )
        )
    odds = PairOdds(
        first=0, second=1, match=draw(st.floats(-20.0, HIGHEST_ODDS)), home=draw(st.just(-60.0))
    )
    return Parameters(
        fields=tuple(made),
        odds=(odds,),
        swapped=draw(st.floats(1e-6, 0.9)),
        threshold=draw(st.floats(LOWEST_THRESHOLD, 4.0)),
        tokens=1024,
    )


@given(
    parameters=lies(),
    one=st.sampled_from(TOWN),
    other=st.sampled_from(TOWN),
    copied=st.frozensets(st.sampled_from(sorted(LEVELS)), max_size=4),
)
@settings(max_examples=80, deadline=None)
def test_whatever_the_parameters_say_a_yes_singles_a_person_out(
    parameters: Parameters, one: Row, other: Row, copied: frozenset[str]
) -> None:
    """Where two rows share a token, next to no third row agrees with the first in as much."""
    try:
        check_parameters(parameters)
    except ValueError:
        assume(False)
    assume(one is not other)
    other = other | {column: one[column] for field in copied for column in COLUMNS[field]}
    if not tokens_in_common(parameters, one, other):
        return
    levels = {field: _level(field, one, other) for field in LEVELS if field != "sex"}
    agreeing = {f: level for f, level in levels.items() if level < len(LEVELS[f])}
    if set(agreeing).isdisjoint(IDENTIFIERS):
        assert len(agreeing) > 1
    as_much = [
        row
        for row in TOWN
        if row is not one and all(_level(f, one, row) <= level for f, level in agreeing.items())
    ]
    assert len(as_much) <= 2


def _level(field: str, one: Row, other: Row) -> int:
    values = field_value(one, field), field_value(other, field)
    if values[0] is None or values[1] is None:
        return len(LEVELS[field])
    return agreement_level(field, facet(field, values[0]), facet(field, values[1]))


def test_usual_shares_have_every_level() -> None:
    """What small sources lean on covers each field and level, weaker ones being met more often."""
    assert {field: len(shares) for field, shares in USUAL.items()} == {
        field: len(levels) for field, levels in LEVELS.items()
    }
    assert all(list(shares) == sorted(shares) for shares in USUAL.values())
