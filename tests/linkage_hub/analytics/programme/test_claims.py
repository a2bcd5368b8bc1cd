"""Claims: what may be claimed, what stands in the way, and that the unknown never claims."""

import dataclasses
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage_hub.analytics.needs import MET, UNKNOWN, UNMET
from linkage_hub.analytics.programme.claims import BARS, claims, spoken
from linkage_hub.analytics.programme.figures import claim_figures
from linkage_hub.analytics.programme.month import Month
from tests.linkage_hub.analytics.programme.months import criteria, month, months

SIGNS = {UNKNOWN: "?", UNMET: "-", MET: "+"}
CLEAN = {"in_programme": "+", "absence_start": "-", "offence_start": "-"}


@pytest.mark.parametrize(
    ("start", "now", "within", "bar"),
    [
        ("+", "-", "-", None),
        ("+", "+", "+", "still_met"),
        ("+", "-", "+", "not_lasted"),
        ("+", "?", "-", "now_unknown"),
        ("+", "?", "?", "now_unknown"),
        ("+", "-", "?", "lasting_unknown"),
        ("?", "-", "-", "start_unknown"),
        ("?", "?", "?", "start_unknown"),
        ("-", "+", "?", "still_met"),
        ("-", "?", "+", "not_lasted"),
        ("-", "-", "?", "lasting_unknown"),
    ],
)
def test_each_need_stands_in_the_way_for_its_reason(
    start: str, now: str, within: str, bar: str | None
) -> None:
    """By hand: resolved and lasting alone is claimed; whatever is not known has its own reason."""
    family = CLEAN | {"neet_start": start, "neet": now, "neet_6m": within}
    found = claims(month([family]))
    said = [reason for reason in BARS if found.barred(reason)[0, 1]]
    assert said == ([] if bar is None else [bar])
    assert found.full[0] == (bar is None)
    assert found.bars[0] == (bar is not None)


def test_a_need_that_never_was_is_not_claimed_for() -> None:
    """Nothing at the start: nothing stands in the way, and there is no claim."""
    found = claims(month([CLEAN | {"neet_start": "-"}]))
    assert (found.full[0], found.bars[0]) == (False, 0)


def test_the_figures_of_five_families() -> None:
    """By hand: one claim for two needs, one sole reason, several reasons, nothing, one outside."""
    done = {"neet_start": "+", "neet": "-", "neet_6m": "-"}
    now = month(
        [
            CLEAN | done | {"offence_start": "+", "offence": "-", "offence_6m": "-"},
            CLEAN | done | {"offence_start": "+", "offence": "+"},
            CLEAN | {"neet_start": "?", "offence_start": "?"},
            CLEAN | {"neet_start": "-", "in_programme": "-", "left_6m": "+"},
            CLEAN | done | {"in_programme": "-"},
        ]
    )
    found = claim_figures(now, claims(now), np.array([True] + [False] * 4))
    assert (found.scope, found.full, found.new) == (4, 1, 0)
    assert (found.one_bar, found.several_bars, found.nothing_at_start) == (1, 1, 1)
    absence, neet, offence = found.needs
    assert (absence.claimed, neet.claimed, offence.claimed) == (0, 1, 1)
    assert (neet.at_start, neet.unknown_at_start) == (2, 1)
    assert neet.bars == dict.fromkeys(BARS, 0) | {"start_unknown": 1}
    assert neet.sole == dict.fromkeys(BARS, 0)
    assert offence.bars == dict.fromkeys(BARS, 0) | {"still_met": 1, "start_unknown": 1}
    assert offence.sole == dict.fromkeys(BARS, 0) | {"still_met": 1}


@pytest.mark.parametrize(
    ("start", "now", "travelled"),
    [
        ("++-", "+--", True),  # between 80 and 50, then between 90 and 80
        ("+--", "++-", False),
        ("++-", "++-", False),
        ("++-", "---", False),  # at the target, which is no distance any more
        ("++-", "+?-", False),  # between 90 and 50 now, and nobody says where
        ("+?-", "+--", False),
    ],
)
def test_a_distance_is_travelled_where_both_ends_are_known(
    start: str, now: str, travelled: bool
) -> None:
    """A nearer band that is known beside a band at the start that is known, short of the target."""
    bands = ("absence", "absence_80", "absence_50")
    family = {"in_programme": "+"}
    family |= dict(zip(bands, now, strict=True))
    family |= {f"{name}_start": sign for name, sign in zip(bands, start, strict=True)}
    assert claims(month([family])).travelled[0].tolist() == [travelled, False, False]


@settings(max_examples=50)
@given(months())
def test_no_claim_without_every_fact(now: Month) -> None:
    """For any families: each need of the start is known, resolved and known to have lasted."""
    found = claims(now)
    for row in np.flatnonzero(found.full).tolist():
        start, state, within = (
            [int(now.said(f"{need.id}{end}")[row]) for need in criteria().needs]
            for end in ("_start", "", "_6m")
        )
        assert UNKNOWN not in start
        assert MET in start
        assert MET not in state + within
        for began, is_, was in zip(start, state, within, strict=True):
            assert began != MET or (is_, was) == (UNMET, UNMET)
        assert now.in_programme[row] or now.said("left_6m")[row] == MET
    assert not (found.travelled.any(axis=1) & found.full).any()


@settings(max_examples=50)
@given(months(), st.data())
def test_what_becomes_unknown_never_makes_a_claim(before: Month, data: st.DataObject) -> None:
    """For any families: whatever facts are not told any more, claims go, and none comes."""
    facts = sorted(set(before.held) - {"in_programme", "left_6m"})
    forgotten = data.draw(st.lists(st.sampled_from(facts), min_size=1, max_size=3))
    rows = []
    for row in range(len(before.families.family)):
        told = {name: SIGNS[int(held[row])] for name, held in before.held.items()}
        inside = "+" if before.in_programme[row] else "-"
        rows.append(told | dict.fromkeys(forgotten, "?") | {"in_programme": inside})
    assert not (claims(month(rows), spoken(before)).full & ~claims(before).full).any()


def test_whatever_is_forgotten_of_one_need_makes_no_claim() -> None:
    """Every state of three facts, and whatever is left of them, beside a need that is done."""
    done = CLEAN | {"neet_start": "+", "neet": "-", "neet_6m": "-"}
    facts = ("offence_start", "offence", "offence_6m")
    told = [done | dict(zip(facts, signs, strict=True)) for signs in product("?-+", repeat=3)]
    full = claims(month(told)).full
    assert full.sum() == 4  # done too, twice not there, never spoken of but for having lasted
    for gone in product((False, True), repeat=3):
        lost = dict.fromkeys((f for f, is_ in zip(facts, gone, strict=True) if is_), "?")
        found = claims(month([each | lost for each in told]), spoken(month(told)))
        assert not (found.full & ~full).any(), lost


def test_a_need_that_came_and_went_stands_in_the_way_once_nobody_says_so() -> None:
    """It was not there at the start and is not now; that it was meanwhile is not told any more."""
    done = CLEAN | {"neet_start": "+", "neet": "-", "neet_6m": "-", "offence": "-"}
    assert claims(month([done | {"offence_6m": "-"}])).full[0]
    for within in "+?":
        assert not claims(month([done | {"offence_6m": within}])).full[0]


def test_a_need_whose_sources_fell_silent_stands_in_the_way() -> None:
    """It was not there at the start, nor the month before; nobody knows whether it has come up."""
    done = CLEAN | {"neet_start": "+", "neet": "-", "neet_6m": "-"}
    now = month([done])
    assert claims(now).full[0]
    found = claims(now, month([done | {"offence": "-"}]).judged.state != UNKNOWN)
    assert (found.full[0], found.barred("now_unknown")[0].tolist()) == (False, [False, False, True])


@settings(max_examples=50)
@given(months())
def test_families_add_up(now: Month) -> None:
    """For any families: each in scope is in one part, and each sole reason in one cell."""
    found = claim_figures(now, claims(now), None)
    parts = (found.full, found.one_bar, found.several_bars, found.nothing_at_start)
    assert sum(parts) == found.scope
    assert sum(sum(each.sole.values()) for each in found.needs) == found.one_bar
    for each in found.needs:
        assert all(each.sole[reason] <= each.bars[reason] for reason in BARS)
        assert sum(each.bars.values()) + each.claimed <= found.scope
        assert each.at_start + each.unknown_at_start <= found.scope


def test_without_a_word_of_the_start_nothing_is_claimed() -> None:
    """A catalogue that names no baseline claims for nobody."""
    now = month([CLEAN | {"neet_start": "+", "neet": "-", "neet_6m": "-"}])
    assert claims(now).full[0]
    needs = tuple(need.model_copy(update={"baseline": None}) for need in now.criteria.needs)
    bare = now.criteria.model_copy(update={"needs": needs})
    judged = dataclasses.replace(now.judged, criteria=bare)
    assert not claims(dataclasses.replace(now, judged=judged)).full[0]
