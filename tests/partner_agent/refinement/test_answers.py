"""Answers of two agents, met as the hub meets them."""

import hashlib
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.exchange.parameters import (
    CALIBRATION_SIZE,
    LEVELS,
    TOKEN_BYTES,
    PairOdds,
    Parameters,
    SourceProfile,
    check_parameters,
)
from linkage_hub.refinement.calibration import MISSING, estimate, observed_levels
from linkage_hub.refinement.decisions import common_tokens, decide
from partner_agent.refinement.answers import Answerer
from partner_agent.refinement.profile import source_profile

KEY = bytes(range(32))
FIRST = ("john", "mary", "olive", "peter", "sarah", "jacob", "amelia", "george")
LAST = ("smith", "jones", "taylor", "okafor", "macdonald", "patel", "begum", "walker")
Row = dict[str, str]


def people(count: int = 600) -> list[Row]:
    """Rows of a small town, always the same."""
    draw = np.random.default_rng(5)
    rows = []
    for at in range(count):
        year, month, day = draw.integers(1930, 2015), draw.integers(1, 13), draw.integers(1, 29)
        rows.append(
            {
                "first_name": FIRST[draw.integers(len(FIRST))],
                "middle_name": "",
                "surname": LAST[draw.integers(len(LAST))],
                "date_of_birth": f"{year}-{month:02}-{day:02}",
                "sex": "mf"[at % 2],
                "address": f"{at // 2 + 1} {['high', 'mill', 'church', 'station'][at % 4]} street",
                "postcode": f"ZZ{at % 90 + 10} {at % 9 + 1}AA",
                "uprn": "",
                "nhs_number": "" if at % 3 else f"{9000000000 + at}",
            }
        )
    return rows


TOWN = people()


@pytest.fixture(scope="module")
def parameters() -> Parameters:
    """Parameters that a hub would estimate for the town, without any calibration pair."""
    profile = source_profile(TOWN)
    none = np.empty((0, len(LEVELS) + 1), dtype=np.int8)
    return estimate([profile, profile], none, {(0, 1): -9.0}, [])


def answers(parameters: Parameters, row: Row, side: int, pair: int) -> np.ndarray:
    """One answer about one pair."""
    answerer = Answerer(KEY, parameters, "decide", TOWN)
    key = hashlib.sha256(b"%d" % pair).digest()
    return answerer.answer([b"h"], [row], [key], [side], [parameters.pair_odds(0, 1)])


def met(parameters: Parameters, one: Row, other: Row, sides: tuple[int, int] = (0, 1)) -> int:
    """Tokens in common."""
    first = answers(parameters, one, sides[0], 7)
    return int(common_tokens(first, answers(parameters, other, sides[1], 7))[0])


@given(at=st.integers(0, len(TOWN) - 1))
@settings(max_examples=25, deadline=None)
def test_equal_rows_match(parameters: Parameters, at: int) -> None:
    """Two rows that are equal and full always match."""
    assert met(parameters, TOWN[at], TOWN[at]) > 0


@given(at=st.integers(0, len(TOWN) - 1), to=st.integers(0, len(TOWN) - 1), gap=st.integers(0, 6))
@settings(max_examples=40, deadline=None)
def test_sides_may_be_exchanged(parameters: Parameters, at: int, to: int, gap: int) -> None:
    """It makes no difference which of the two rows is on which side."""
    one, other = TOWN[at] | {list(TOWN[at])[gap]: ""}, TOWN[at if gap % 2 else to]
    assert met(parameters, one, other) == met(parameters, one, other, (1, 0))


@pytest.mark.parametrize("lost", ["first_name", "sex", "address", "nhs_number", "date_of_birth"])
def test_a_missing_field_is_no_disagreement(parameters: Parameters, lost: str) -> None:
    """A row that lacks one field still matches itself, whichever side lacks it, or both."""
    row = TOWN[3]
    short = row | {lost: ""} | ({"postcode": ""} if lost == "address" else {})
    assert met(parameters, row, short)
    assert met(parameters, short, row)
    assert met(parameters, short, short)


def test_missing_weighs_more_than_different(parameters: Parameters) -> None:
    """What matches with a field missing does not match when an identifier differs instead."""
    held = ("first_name", "date_of_birth", "sex", "postcode", "nhs_number")
    row = {key: TOWN[3][key] for key in held}
    other = row | {"nhs_number": "9999999999"}
    strict = parameters.model_copy(update={"threshold": 4.0})
    assert met(strict, row, row | {"nhs_number": ""})
    assert not met(strict, row, other)


def test_sources_that_hold_little_match_beside_sources_that_hold_much() -> None:
    """Fields that only other sources of the round hold take no room in an answer."""
    held = {
        "middle_name": "ann", "nino": "QQ123456", "upn": "A123456789012",
        "phone": "+447700900000", "email": "a@example.org",
    }  # fmt: skip
    rich = [
        row | {name: value[:-3] + f"{at:03}" for name, value in held.items()}
        for at, row in enumerate(TOWN)
    ]
    poor = [
        row | {"date_of_birth": "", "sex": "", "nhs_number": "", "middle_name": ""} for row in TOWN
    ]
    profiles = [source_profile(rows) for rows in (rich, poor, rich)]
    none = np.empty((0, len(LEVELS) + 1), dtype=np.int8)
    parameters = estimate(profiles, none, {(0, 1): -9.0, (0, 2): -9.0}, [])
    one, other = (Answerer(KEY, parameters, "decide", rows) for rows in (rich, poor))
    keys = [hashlib.sha256(b"%d" % at).digest() for at in range(40)]
    handles, odds = [b"%d" % at for at in range(40)], [parameters.pair_odds(0, 1)] * 40
    left = one.answer(handles, rich[:40], keys, [0] * 40, odds)
    assert decide(left, other.answer(handles, poor[:40], keys, [1] * 40, odds)).all()
    assert not decide(left, other.answer(handles, poor[100:140], keys, [1] * 40, odds)).any()


def test_submissions_without_fields_in_common_never_match() -> None:
    """Where nothing is compared, an answer holds only what means nothing."""
    names = [{"surname": row["surname"]} for row in TOWN]
    homes = [{"address": row["address"], "postcode": row["postcode"]} for row in TOWN]
    profiles = [source_profile(rows) for rows in (TOWN, names, homes)]
    none = np.empty((0, len(LEVELS) + 1), dtype=np.int8)
    parameters = estimate(profiles, none, {(0, 1): -9.0, (1, 2): -9.0}, [])
    key, odds = hashlib.sha256(b"7").digest(), parameters.pair_odds(1, 2)
    one, other = (
        Answerer(KEY, parameters, "decide", rows).answer([b"h"], rows[:1], [key], [side], [odds])
        for side, rows in enumerate((names, homes))
    )
    assert not decide(one, other).any()


def test_swapped_names_match(parameters: Parameters) -> None:
    """First name and surname in each other's place still match."""
    row = TOWN[4]
    assert met(parameters, row, row | {"first_name": row["surname"], "surname": row["first_name"]})


def test_strangers_do_not_match(parameters: Parameters) -> None:
    """Of many pairs of different people none matches."""
    answerer = Answerer(KEY, parameters, "decide", TOWN)
    keys = [hashlib.sha256(b"%d" % at).digest() for at in range(200)]
    odds = [parameters.pair_odds(0, 1)] * 200
    first = answerer.answer([b"%d" % at for at in range(200)], TOWN[:200], keys, [0] * 200, odds)
    second = answerer.answer(
        [b"%d" % at for at in range(200)], TOWN[200:400], keys, [1] * 200, odds
    )
    assert not decide(first, second).any()


def test_no_token_is_equal_across_pairs(parameters: Parameters) -> None:
    """The same two rows give no common token under the keys of two pairs."""
    row = TOWN[0]
    assert not decide(answers(parameters, row, 0, 1), answers(parameters, row, 1, 2)).any()


def test_an_answer_hides_how_many_patterns_suffice(parameters: Parameters) -> None:
    """A full row and a nearly empty one give answers of one size, of distinct sorted tokens."""
    full, poor = TOWN[0], {"first_name": "john", "surname": "smith"}
    for row in (full, poor):
        answer = answers(parameters, row, 0, 1)
        assert answer.shape == (1, parameters.tokens * TOKEN_BYTES)
        tokens = [bytes(each) for each in answer.reshape(-1, TOKEN_BYTES)]
        assert all(one < other for one, other in pairwise(tokens))


def test_calibration_shows_levels() -> None:
    """The hub sees of a calibration pair at which level each field agrees, and what is missing."""
    one = TOWN[3] | {"middle_name": "ann"}
    other = one | {"first_name": one["first_name"] + "x", "sex": "", "surname": "zzz"}
    key = hashlib.sha256(b"pair").digest()
    found = []
    for row in (one, other):
        found.append(Answerer(KEY, None, "calibrate", ()).answer([b"h"], [row], [key], [0]))
        assert found[-1].shape == (1, CALIBRATION_SIZE)
    levels = dict(zip(LEVELS, observed_levels(*found)[0].tolist(), strict=False))
    assert levels["middle_name"] == levels["date_of_birth"] == levels["address"] == 0
    assert levels["first_name"] == LEVELS["first_name"].index("near")
    assert levels["surname"] == len(LEVELS["surname"])
    assert levels["sex"] == levels["upn"] == MISSING


def test_a_profile_holds_no_value() -> None:
    """A profile is a few shares in two digits, and small counts are not told."""
    profile = source_profile(TOWN)
    text = profile.model_dump_json()
    assert not any(name in text for name in (*FIRST, *LAST))
    assert SourceProfile.model_validate_json(text) == profile
    named = {each.field: each for each in profile.fields}
    assert set(named) <= set(LEVELS)
    assert "middle_name" not in named


def test_estimated_parameters_are_accepted(parameters: Parameters) -> None:
    """An agent accepts what a hub estimates."""
    check_parameters(parameters)


def test_parameters_that_tell_a_field_are_refused(parameters: Parameters) -> None:
    """One field alone, a low threshold, and a field that weighs backwards are refused."""
    for wrong in (
        {"fields": parameters.fields[:1]},
        {"threshold": -30.0},
        {"odds": (PairOdds(first=0, second=1, match=30.0, home=0.0),)},
    ):
        with pytest.raises(ValueError, match=r"."):
            check_parameters(parameters.model_copy(update=wrong))
