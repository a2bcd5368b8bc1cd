"""What a reader works out of tables by adding and subtracting: never a small number or change."""

import json
from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
import pytest
from numpy.typing import NDArray

from governance.disclosure import margins
from governance.disclosure.arithmetic import Where, held_back, small_changes, worked_out
from governance.disclosure.counts import least_shown
from governance.disclosure.errors import ReleasedOtherwise
from governance.disclosure.register import ReleaseRegister
from governance.disclosure.tables import PublishedTable, protect
from tests.governance.disclosure.test_register import (
    DIVIDED,
    TABLES,
    Families,
    counted,
    families,
    published,
)

LATER: Final = "2" * 32
PAIRS: Final = 10_000


def a_month_later(rng: np.random.Generator, people: Families) -> Families:
    """Some families are gone, and of a few something else is known."""
    count = len(people["area"])
    who = rng.choice(count, min(int(rng.integers(1, 30)), count), replace=False)
    stay = rng.random(count) > 0.01
    found = {}
    for name, categories in DIVIDED.items():
        values = people[name].copy()
        values[who] = rng.integers(0, len(categories), len(who))
        found[name] = values[stay]
    return found


def without_one(people: Families, at: int) -> Families:
    """The same families but for one."""
    return {name: np.delete(values, at) for name, values in people.items()}


def tables_of(people: Families, threshold: int, population: str) -> list[PublishedTable]:
    """All tables of the list, protected."""
    return [protect(counted(people, kind, population), TABLES, threshold)[0] for kind in TABLES]


def truth(people: Families, where: Where) -> int:
    """How many families meet some conditions."""
    meet: NDArray[np.bool_] = np.ones(len(people["area"]), dtype=np.bool_)
    for name, of in where:
        meet &= np.isin(people[name], [DIVIDED[name].index(each) for each in of])
    return int(meet.sum())


def given_away(people: Families, tables: list[PublishedTable], least: int) -> list[Where]:
    """Numbers of few families that arithmetic tells to be some, or to be few."""
    return [
        where
        for where, (low, high) in worked_out(tables).items()
        if truth(people, where) < least and not (low <= 1 and high >= least)
    ]


def two_months(seed: int) -> Iterator[tuple[Families, Families, int]]:
    """Families now and a month later, and a threshold."""
    rng = np.random.default_rng(seed)
    while True:
        people = families(rng)
        yield people, a_month_later(rng, people), int(rng.choice([2, 7, 8, 10, 12]))


@pytest.mark.invariant(21, "10,000 random pairs of two months' tables, with all that sums tell")
def test_nothing_small_is_told_by_arithmetic() -> None:
    """Neither a count in any table nor a change between two; each published pair apart or alike."""
    pairs = held = whole_lists = small = 0
    for people, later, threshold in two_months(210):
        least = least_shown(threshold)
        before, whole = tables_of(people, threshold, "1" * 32), tables_of(later, threshold, LATER)
        back = held_back(whole, [before], least)
        after = [table for table in whole if table.table not in back]
        for old in before:
            for new in after:
                one, other = np.array(published(old)), np.array(published(new))
                apart = np.abs(one[:, None] - other[None, :])
                assert ((apart == 0) | (apart >= least)).all()
        for who, tables in ((people, before), (later, after)):
            assert given_away(who, tables, least) == []
        assert not small_changes(worked_out(before), worked_out(after), least)
        small += sum(truth(people, where) < least for where in worked_out(before))
        pairs, held = pairs + len(before) * len(after), held + len(back)
        whole_lists += len(whole)
        if pairs >= PAIRS:
            break
    assert small > 500
    assert 0.02 < held / whole_lists < 0.04  # ADR 30 says how much it costs in a small county


@pytest.mark.invariant(21, "every table of a run again, after one family left it")
def test_a_run_without_one_family_is_not_published_again() -> None:
    """Whichever family it is: a table that its absence changes at all is refused, or the same."""
    rng, refused = np.random.default_rng(211), 0
    for people, _, threshold in two_months(212):
        least = least_shown(threshold)
        fewer = without_one(people, int(rng.integers(len(people["area"]))))
        for kind in TABLES:
            table, answers = protect(counted(people, kind), TABLES, threshold)
            register = ReleaseRegister().with_table(table, answers, least)
            again, numbers = protect(counted(fewer, kind), TABLES, threshold)
            try:
                assert register.with_table(again, numbers, least) is register
            except ReleasedOtherwise:
                refused += 1
        if refused > 500:
            break


def test_what_is_worked_out_holds_the_truth() -> None:
    """No bound leaves out how many families there are: else the rule would rest on nonsense."""
    narrowed = 0
    for _, (people, later, threshold) in zip(range(40), two_months(213), strict=False):
        for who in (people, later):
            tables = tables_of(who, threshold, LATER)
            bounds = worked_out(tables)
            for where, (low, high) in bounds.items():
                assert low <= truth(who, where) <= high
            alone = {w: b for table in tables for w, b in worked_out([table]).items()}
            narrowed += sum(bounds[where] != alone[where] for where in bounds)
    assert narrowed > 100


def test_without_holding_back_a_change_is_told() -> None:
    """The rule is needed: two whole months' tables tell of small changes, and held ones do not."""
    told = 0
    for _, (people, later, threshold) in zip(range(100), two_months(214), strict=False):
        least = least_shown(threshold)
        before, after = tables_of(people, threshold, "1" * 32), tables_of(later, threshold, LATER)
        for where in small_changes(worked_out(before), worked_out(after), least):
            told += 1
            change = truth(later, where) - truth(people, where)
            assert 0 < abs(change) < least
    assert told > 10


def small_rows_alone(cells: margins.Ints, least: int) -> NDArray[np.bool_]:
    """Secondary suppression left out."""
    return np.asarray((cells < least).any(axis=1))


def nothing_merged(totals: margins.Ints, _least: int) -> margins.Groups:
    """Global recoding left out."""
    return tuple((at,) for at in range(len(totals)))


@pytest.mark.parametrize(
    ("rule", "broken"), [("hidden_rows", small_rows_alone), ("merged", nothing_merged)]
)
def test_a_broken_rule_is_found_out(
    monkeypatch: pytest.MonkeyPatch, rule: str, broken: Callable[..., object]
) -> None:
    """The judge can fail: without either rule of ``margins`` it finds small numbers."""
    monkeypatch.setattr(margins, rule, broken)
    found = 0
    for _, (people, _later, threshold) in zip(range(60), two_months(215), strict=False):
        found += len(
            given_away(people, tables_of(people, threshold, LATER), least_shown(threshold))
        )
    assert found > 5


def test_categories_put_together_in_one_month_are_added_up_in_the_other() -> None:
    """A change is seen also where one month has apart what the other has put together."""
    old: dict[Where, tuple[int, int]] = {(("area", ("hill", "lake")),): (20, 21)}
    new: dict[Where, tuple[int, int]] = {
        (("area", ("hill",)),): (10, 11),
        (("area", ("lake",)),): (13, 14),
    }
    assert small_changes(old, new, 8) == set(new)
    assert small_changes(new, old, 8) == set(old)
    assert not small_changes(old, {(("area", ("hill",)),): (10, 11)}, 8)


def test_numbers_that_one_month_has_both_apart_and_together_are_counted_once() -> None:
    """Two tables of a month may put categories together otherwise: no change hides behind that."""
    old: dict[Where, tuple[int, int]] = {(("area", ("hill", "lake", "moor")),): (30, 31)}
    new: dict[Where, tuple[int, int]] = {
        (("area", ("hill",)),): (10, 11),
        (("area", ("lake",)),): (10, 13),
        (("area", ("hill", "lake")),): (20, 24),
        (("area", ("moor",)),): (13, 13),
    }
    assert small_changes(old, new, 8) == set(new)
    overlapping: dict[Where, tuple[int, int]] = {
        (("area", ("hill", "lake")),): (16, 16),
        (("area", ("lake", "moor")),): (17, 17),
    }
    four: dict[Where, tuple[int, int]] = {(("area", ("hill", "lake", "moor", "town")),): (30, 31)}
    assert not small_changes(four, overlapping, 8)


def test_what_tables_put_together_otherwise_narrows_each_other() -> None:
    """A reader adds up the areas of one table to those that another has together."""

    def table(*lines: tuple[tuple[str, ...], int]) -> PublishedTable:
        least = {"most": 7, "base": 5}
        shown = [
            {"of": of, "total": {"about": about, **least}, "cells": None} for of, about in lines
        ]
        return PublishedTable.model_validate_json(
            json.dumps(
                {"table": "t", "title": "t", "population": LATER, "rows_are": "area",
                 "columns_are": None, "columns": [], "column_totals": [], "lines": shown,
                 "total": {"about": 55, **least}}
            )
        )  # fmt: skip

    apart = table((("hill",), 10), (("lake",), 10), (("moor",), 30))
    together = table((("hill", "lake"), 25), (("moor",), 30))
    assert worked_out([apart])[(("area", ("hill",)),)] == (9, 12)
    assert worked_out([apart, together])[(("area", ("hill",)),)] == (11, 12)
