"""Parameters from calibration answers, and what answers do to probabilities."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.agreements.models import SOURCES_MOST
from governance.canonical import canonical_bytes
from governance.exchange.parameters import LEVELS, TOKEN_BYTES, FieldProfile, SourceProfile
from linkage_hub.api.partners import DOCUMENT_MOST
from linkage_hub.refinement.calibration import MISSING, USUAL, _monotone, _told, estimate
from linkage_hub.refinement.decisions import common_tokens, decide
from linkage_hub.refinement.fellegi_sunter import ANSWER_TOKENS, with_room

FIELDS = ("first_name", "surname", "date_of_birth")
CHANCE = {
    "first_name": (0.004, 0.003, 0.01, 0.06, 0.92),
    "surname": (0.003, 0.002, 0.01, 0.98),
    "date_of_birth": (3e-5, 0.002, 0.003, 0.99),
}


def profile() -> SourceProfile:
    """A source of three fields."""
    return SourceProfile(
        records=5000,
        shared_home=2e-4,
        fields=tuple(
            FieldProfile(field=name, missing=0.02, chance=CHANCE[name]) for name in FIELDS
        ),
    )


def sample(count: int, wrong: float) -> np.ndarray:
    """Calibration pairs: matches whose first name differs with a given share, and strangers."""
    draw = np.random.default_rng(3)
    levels = np.full((2 * count, len(LEVELS) + 1), MISSING, dtype=np.int8)
    levels[:, -1] = 0
    for name in FIELDS:
        at = list(LEVELS).index(name)
        levels[:count, at] = 0
        levels[count:, at] = len(LEVELS[name])
    first = list(LEVELS).index("first_name")
    differs = draw.random(count) < wrong
    levels[:count, first][differs] = len(LEVELS["first_name"])
    return levels


def test_errors_are_learned_without_truth() -> None:
    """How often first names of matches differ is found in a sample that is half strangers."""
    found = []
    for wrong in (0.05, 0.4):
        levels = sample(200, wrong)
        parameters = estimate([profile()] * 2, levels, {(0, 1): -11.0}, [(0, 1)] * len(levels))
        fields = {each.field: each for each in parameters.fields}
        found.append(fields["first_name"].match[-1])
        assert fields["surname"].match[0] > 0.9
    assert found[0] == pytest.approx(0.05, abs=0.03)
    assert found[1] == pytest.approx(0.4, abs=0.08)


def test_pairs_that_are_seldom_drawn_stand_for_more() -> None:
    """A sample with three clean matches for each dirty one finds half of all dirty."""
    levels = sample(400, 0.25)
    first = list(LEVELS).index("first_name")
    dirty = levels[:, first] == len(LEVELS["first_name"])
    drawn = np.where(dirty, 1.0, 3.0)
    pairs = [(0, 1)] * len(levels)
    parameters = estimate([profile()] * 2, levels, {(0, 1): -11.0}, pairs, drawn=drawn)
    assert parameters.fields[0].match[-1] == pytest.approx(0.5, abs=0.08)


def test_answers_have_room_for_the_ways_in_which_matches_agree() -> None:
    """Dirty records take more tokens than clean ones."""
    clean = estimate([profile()] * 2, sample(400, 0.0), {(0, 1): -11.0}, [(0, 1)] * 800)
    draw = np.random.default_rng(5)
    levels = sample(400, 0.4)
    for name in FIELDS[1:]:
        at = list(LEVELS).index(name)
        levels[:400, at] = draw.integers(0, len(LEVELS[name]), 400)
    dirty = estimate([profile()] * 2, levels, {(0, 1): -11.0}, [(0, 1)] * 800)
    assert with_room(clean).tokens <= with_room(dirty).tokens
    assert {with_room(each).tokens for each in (clean, dirty)} <= set(ANSWER_TOKENS)


def test_without_calibration_the_usual_shares_hold() -> None:
    """No answers, or a field that one source lacks, leave what person data usually shows."""
    none = np.empty((0, len(LEVELS) + 1), dtype=np.int8)
    other = profile().model_copy(update={"fields": profile().fields[:2]})
    parameters = estimate([profile(), other], none, {(0, 1): -11.0}, [])
    assert [each.field for each in parameters.fields] == ["first_name", "surname"]
    assert parameters.fields[0].match == pytest.approx(USUAL["first_name"], rel=1e-3)


@given(
    match=st.lists(st.floats(1e-4, 1.0), min_size=5, max_size=5),
    chance=st.lists(st.floats(1e-5, 1.0), min_size=4, max_size=4),
)
def test_estimated_parameters_pass_the_agents_bounds(
    match: list[float], chance: list[float]
) -> None:
    """Whatever was learned of matches and of strangers, no weaker level outweighs a stronger."""
    shares = np.array(match) / sum(match)
    others = np.array([*chance, 4.0]) / (sum(chance) + 4.0)
    told = _told(_monotone(np.clip(shares, 1e-6, 0.98), others))
    ratio = np.array(_told(shares)) / np.array(told)
    assert (ratio[1:] <= ratio[:-1] * 1.01).all()


def test_two_submissions_are_compared_by_what_both_hold() -> None:
    """A field that one of them lacks is none of theirs, whatever a third one holds."""
    none = np.empty((0, len(LEVELS) + 1), dtype=np.int8)
    short = profile().model_copy(update={"fields": profile().fields[:2]})
    odds = {(0, 1): -11.0, (0, 2): -11.0}
    parameters = estimate([profile(), short, profile()], none, odds, [])
    both = parameters.between(0, 1)
    assert [each.field for each in both.fields] == ["first_name", "surname"]
    assert both.fields[0].missing == (0.02, 0.02)
    assert [each.field for each in parameters.between(0, 2).fields] == list(FIELDS)
    assert parameters.fields[2].missing == (0.02, 1.0, 0.02)


def test_a_source_that_told_nothing_is_taken_for_a_usual_one() -> None:
    """Without a profile its fields are compared as if it held what the others hold."""
    none = np.empty((0, len(LEVELS) + 1), dtype=np.int8)
    silent = SourceProfile(records=0, shared_home=0.0, fields=())
    odds = {(0, 1): -11.0, (0, 2): -11.0}
    parameters = estimate([profile(), profile(), silent], none, odds, [])
    assert [each.field for each in parameters.between(0, 2).fields] == list(FIELDS)


def test_the_most_sources_of_an_agreement_have_room_for_their_odds() -> None:
    """A round covers every two of them; refinement is not lost by their number."""
    none = np.empty((0, len(LEVELS) + 1), dtype=np.int8)
    odds = dict.fromkeys(combinations(range(SOURCES_MOST), 2), -11.0)
    parameters = estimate([profile()] * SOURCES_MOST, none, odds, [])
    assert parameters.pair_odds(SOURCES_MOST - 1, 3) == parameters.pair_odds(3, SOURCES_MOST - 1)
    assert len(canonical_bytes(parameters)) < DOCUMENT_MOST
    with pytest.raises(KeyError):
        parameters.pair_odds(0, 0)


def answer(*tokens: int) -> np.ndarray:
    """One answer of a few tokens."""
    return np.array([list(b"".join(t.to_bytes(TOKEN_BYTES, "big") for t in tokens))], np.uint8)


def test_a_common_token_is_a_yes() -> None:
    """Wherever it stands in the two answers."""
    assert decide(answer(1, 5, 9), answer(2, 9, 11)).tolist() == [True]
    assert decide(answer(1, 5, 9), answer(2, 8, 11)).tolist() == [False]
    assert common_tokens(answer(1, 5, 9), answer(9, 5, 11)).tolist() == [2]


def test_an_answer_that_repeats_a_token_is_none() -> None:
    """One side alone cannot make a match, whatever the other says."""
    assert common_tokens(answer(4, 4, 9), answer(2, 9, 11)).tolist() == [0]
    assert common_tokens(answer(1, 5, 9), answer(9, 7, 7)).tolist() == [0]


def test_answers_of_two_sizes_are_refused() -> None:
    """They belong to no one question."""
    with pytest.raises(ValueError, match="size"):
        decide(answer(1, 2), answer(1, 2, 3))
