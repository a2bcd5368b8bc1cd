"""The hub's arithmetic between rounds: what it asks, and which answers it believes."""

import secrets
from typing import Any

import numpy as np
import pytest

from governance.exchange.parameters import CALIBRATION_SIZE, LEVELS, TOKEN_BYTES
from linkage_hub.linkage.candidates import PairBlock
from linkage_hub.linkage.weighing import first_stage
from linkage_hub.refinement.fellegi_sunter import FellegiSunter
from linkage_hub.refinement.pairs import make_pairs

TOKENS = 16


def answers(count: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Answers of random tokens."""
    noise = secrets.token_bytes(count * TOKENS * TOKEN_BYTES)
    return np.frombuffer(noise, dtype=np.uint8).reshape(count, -1).copy()


def block(first: int, second: int, size: int) -> PairBlock:
    """Every pair of two sources, by two views, none of them telling."""
    left, right = np.divmod(np.arange(size * size, dtype=np.int64), size)
    similarity = np.random.default_rng(first).uniform(0.6, 0.7, size * size)
    order = np.argsort(-similarity)
    similarity = similarity[order]
    views = np.column_stack([similarity, similarity]).astype(np.float32)
    return PairBlock(first, second, similarity, left[order], right[order], 0.5, views)


def test_one_partner_alone_cannot_make_a_pair_match() -> None:
    """An answer that holds a token twice is no answer, whatever the other side says."""
    core = FellegiSunter()
    left, right = answers(3), answers(3)
    left[1, :TOKEN_BYTES] = left[1, -TOKEN_BYTES:]
    left[2, :TOKEN_BYTES] = right[2, -TOKEN_BYTES:]
    assert core.well_formed(left).tolist() == [True, False, True]
    assert core.well_formed(right).all()
    assert core.decide(left[[0, 2]], right[[0, 2]]).tolist() == [False, True]


def test_questions_stay_within_the_record_and_the_run() -> None:
    """Over all sources together no record is in more pairs than it may."""
    core = FellegiSunter()
    blocks = [block(0, 1, 30), block(0, 2, 30), block(1, 2, 30)]
    sizes = [30, 30, 30]
    asked = [np.zeros(30, dtype=np.int64) for _ in sizes]
    asked[0][:10] = 1
    none = make_pairs([], [], [], [])
    weighed = first_stage(blocks, sizes, None, [])
    found = core.questions(weighed, sizes, asked, 1, 1_000, none)
    ends = [(int(p["first"]), int(p["left"])) for p in found]
    ends += [(int(p["second"]), int(p["right"])) for p in found]
    assert len(set(ends)) == len(ends)
    assert not {(0, row) for row in range(10)} & set(ends)
    assert len(core.questions(weighed, sizes, asked, 5, 7, none)) == 7


def profile(records: int, **changes: Any) -> dict[str, Any]:
    """What a source of two fields tells, one of them changed."""
    fields = [
        {"field": name, "missing": 0.1, "chance": [0.01] * len(LEVELS[name]) + [0.9]}
        for name in ("surname", "date_of_birth")
    ]
    fields[0] |= changes
    return {
        "format": "refinement-profile/v1",
        "records": records,
        "shared_home": 0.01,
        "fields": fields,
    }


def surname_chance(*profiles: dict[str, Any]) -> list[float] | None:
    """Chance shares of surnames that a hub takes from these sources of 30 records each."""
    sizes = [30] * len(profiles)
    weighed = first_stage([block(0, 1, 30)], sizes, None, [])
    nobody = np.zeros((0, CALIBRATION_SIZE), dtype=np.uint8)
    pairs = make_pairs([], [], [], [])
    found = FellegiSunter().parameters(weighed, sizes, profiles, pairs, nobody, nobody)
    if found is None:
        return None
    return next(list(each["chance"]) for each in found["fields"] if each["field"] == "surname")


def test_a_source_weighs_by_no_more_records_than_it_has() -> None:
    """A partner that claims any number of records neither ends the run nor decides its shares."""
    other = {"chance": [0.1, 0.1, 0.1, 0.7]}
    fair = surname_chance(profile(30), profile(30), profile(30, **other))
    assert fair is not None
    for claimed in (10**9, 10**400):
        assert surname_chance(profile(30), profile(30), profile(claimed, **other)) == fair


@pytest.mark.parametrize(
    "nonsense",
    [
        {"chance": [0.5, 0.5]},
        {"home": [1.0]},
        {"field": "date_of_birth", "chance": [0.1, 0.1, 0.1, 0.7]},
        {"field": "shoe_size"},
    ],
)
def test_a_profile_that_is_nonsense_counts_for_nothing(nonsense: dict[str, Any]) -> None:
    """The run goes on by the other sources' profiles, as if the partner had told none."""
    without = surname_chance(profile(30), profile(30))
    assert without is not None
    assert surname_chance(profile(30), profile(30), profile(30, **nonsense)) == without
