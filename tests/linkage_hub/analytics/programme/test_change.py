"""What became of families: followed by their people, each with one reason, and all add up."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from linkage_hub.analytics.exported import read_homes
from linkage_hub.analytics.programme.change import ADDED, DROPPED, Followed, change
from linkage_hub.analytics.programme.figures import forward_figures, membership
from linkage_hub.analytics.programme.models import ForwardFigures, Membership
from linkage_hub.analytics.programme.month import Month
from tests.linkage_hub.analytics.programme.months import month, months

NEEDY = {"flagged": "+", "neet": "+", "offence": "+"}
INSIDE = {"in_programme": "+"}


def joined(before: Month, now: Month) -> Membership:
    """Of two months."""
    return membership(now, change(before, now), before)


def forward(before: Month, now: Month) -> ForwardFigures:
    """Of two months."""
    return forward_figures(before, now, change(before, now))


def test_who_joined_and_who_left() -> None:
    """By hand: one stays, one joins, one is new; one left, one nobody speaks of, one is gone."""
    before = month([INSIDE, {}, INSIDE, INSIDE, INSIDE], e=["gone"])
    left, silent = {"in_programme": "-", "left_6m": "+"}, {"in_programme": "?"}
    found = joined(before, month([INSIDE, INSIDE, left, silent, INSIDE], e=["new"]))
    assert (found.worked_with, found.stayed, found.joined, found.new_families) == (3, 1, 1, 1)
    assert (found.before, found.still_in) == (4, 1)
    assert (found.left, found.not_told, found.gone, found.left_lately) == (1, 1, 1, 1)


def test_a_family_that_split_or_merged_neither_joined_nor_left() -> None:
    """A grown child's own home comes of a family that was in it; two that became one are one."""
    before = month([INSIDE, INSIDE], a=["mother", "son"], b=["aunt"])
    found = joined(before, month([INSIDE, INSIDE], a=["mother", "aunt"], b=["son"]))
    assert (found.stayed, found.joined, found.new_families) == (2, 0, 0)
    assert (found.before, found.still_in, found.left, found.gone) == (2, 2, 0, 0)


def test_time_in_the_programme_comes_in_bands() -> None:
    """The shortest band that holds; longer than all of them only where that is known."""
    now = month(
        [
            INSIDE | {"joined_3m": "+", "joined_12m": "+"},
            INSIDE | {"joined_3m": "-", "joined_12m": "+"},
            INSIDE | {"joined_3m": "-", "joined_12m": "-"},
            INSIDE | {"joined_3m": "-"},
            {"joined_3m": "+"},
        ]
    )
    assert membership(now, None, None).time == {
        "within 3 months": 1, "within 12 months": 1, "more than 12 months ago": 1,
        "at a time not known": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("was", "why", "needs", "unknown"),
    [
        ({"neet": "+", "offence": "-"}, "more_needs", ("offence",), ()),
        ({"neet": "+"}, "more_needs", ("offence",), ("offence",)),
        ({"neet": "+", "offence": "+", "in_programme": "+"}, "left_programme", (), ()),
        ({"neet": "+", "offence": "+", "away": "+"}, "living_here_again", (), ()),
        ({"neet": "+", "offence": "+"}, "otherwise", (), ()),
    ],
)
def test_why_a_family_is_put_forward_now(
    was: dict[str, str], why: str, needs: tuple[str, ...], unknown: tuple[str, ...]
) -> None:
    """One reason each, with the needs that came, and those of which nobody spoke before."""
    found = forward(month([was]), month([NEEDY]))
    (family,) = found.added_families
    assert (family.reason, family.needs, family.unknown) == (why, needs, unknown)
    assert found.added == dict.fromkeys(ADDED, 0) | {why: 1}


@pytest.mark.parametrize(
    ("is_", "why", "needs", "unknown"),
    [
        ({"neet": "+", "offence": "-"}, "needs_resolved", ("offence",), ()),
        ({"neet": "+"}, "needs_unknown", ("offence",), ("offence",)),
        ({"neet": "?", "offence": "-"}, "needs_resolved", ("neet", "offence"), ("neet",)),
        ({"neet": "+", "offence": "+", "in_programme": "+"}, "joined_programme", (), ()),
        ({"neet": "+", "offence": "+", "away": "+"}, "moved_away", (), ()),
    ],
)
def test_why_a_family_is_no_longer_put_forward(
    is_: dict[str, str], why: str, needs: tuple[str, ...], unknown: tuple[str, ...]
) -> None:
    """A source that has fallen silent is not a need that was resolved."""
    found = forward(month([NEEDY]), month([is_]))
    (family,) = found.dropped_families
    assert (family.reason, family.needs, family.unknown) == (why, needs, unknown)
    assert found.dropped == dict.fromkeys(DROPPED, 0) | {why: 1}


def test_new_and_gone_families_are_told_as_such() -> None:
    """Nobody of them was there before, or is there now."""
    found = forward(month([NEEDY], a=["old"]), month([NEEDY], a=["new"]))
    assert (found.added["new_family"], found.dropped["gone"]) == (1, 1)
    assert all(each.came == each.went == 0 for each in found.needs)


def test_needs_that_changed_are_counted() -> None:
    """Over all families that both months know of; what was unknown is told apart."""
    before = month([{"neet": "-"}, {}, {"neet": "+"}, {"neet": "+"}, {"neet": "+"}])
    now = month([{"neet": "+"}, {"neet": "+"}, {"neet": "-"}, {}, {"neet": "+"}])
    neet = forward(before, now).needs[1]
    assert (neet.came, neet.known_since, neet.went, neet.silent) == (2, 1, 2, 1)


@settings(max_examples=30)
@given(months(), months())
def test_all_families_add_up(before: Month, now: Month) -> None:
    """For any two months: every family of either is in one part."""
    found, listed = joined(before, now), forward(before, now)
    assert found.worked_with == (found.stayed or 0) + (found.joined or 0) + (
        found.new_families or 0
    )
    parts = (found.still_in, found.left, found.not_told, found.gone)
    assert found.before == sum(part or 0 for part in parts)
    assert sum(found.time.values()) == found.worked_with
    assert listed.now == listed.stayed + sum(listed.added.values())
    assert listed.before == listed.kept + sum(listed.dropped.values())
    assert len(listed.added_families) == sum(listed.added.values())
    for each in listed.needs:
        assert each.known_since <= each.came
        assert each.silent <= each.went


@settings(max_examples=30)
@given(months())
def test_a_month_beside_itself_has_not_changed(now: Month) -> None:
    """For any month: nobody joined, left, came on the list or went."""
    found, listed = joined(now, now), forward(now, now)
    assert (found.joined, found.new_families, found.left, found.gone) == (0, 0, 0, 0)
    assert sum(listed.added.values()) == sum(listed.dropped.values()) == 0
    assert all(each.came == each.went == 0 for each in listed.needs)


def test_a_home_that_is_nobodys_first_is_followed_by_all_its_people(tmp_path: Path) -> None:
    """Among such families alone: a child's first home is not followed into the second one."""
    names = {"first": f"f-{1:032x}", "second": f"f-{2:032x}"}
    lines = ["family,person,is_primary", f"{names['first']},p1,True", f"{names['second']},p1,False"]
    (tmp_path / "members.csv").write_text("\n".join(lines) + "\n", "utf-8")
    now = month([INSIDE, {}])
    families = dataclasses.replace(now.families, family=np.array(list(names.values())))
    people = read_homes(tmp_path, families)
    assert people.to_numpy().tolist() == [["p1", 0, True], ["p1", 1, False]]
    there = dataclasses.replace(now, people=people)
    found = Followed.of(there, there)
    assert list(zip(found.before.tolist(), found.now.tolist(), strict=True)) == [(0, 0), (1, 1)]
