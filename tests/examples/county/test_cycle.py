"""The county's next months: month 0 stays as it was, records keep their ids, people live on."""

import csv
from collections import Counter
from datetime import date
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from examples.county.cycle.cases import SOURCE, told, with_details
from examples.county.cycle.county import County, first_county, next_county, write_month
from examples.county.cycle.extracts import is_due
from examples.county.cycle.kept import families_kept, persons_kept
from examples.county.cycle.people import living, next_month
from examples.county.demo.agreement import template
from examples.county.demo.truth import Referee
from examples.county.generate import Summary
from examples.county.model import OPEN, SpellKind
from examples.county.sources.categories import USED_AS
from examples.county.writers import write_csv
from governance.agreements.criteria import Criteria
from governance.agreements.models import IN_PROGRAMME, IndicatorItem
from linkage_hub.analytics.shipped import read_catalogue
from linkage_hub.cli.catalogue import PACKAGE

TODAY = date(2027, 3, 1)


@pytest.fixture(scope="module")
def months() -> tuple[County, County, County]:
    """Three months of the county that the tests of this folder share."""
    first = first_county(6000, 20261122)
    second = next_county(first)
    return first, second, next_county(second)


def test_month_0_is_the_generated_county(
    county: tuple[Path, Summary], months: tuple[County, County, County], tmp_path: Path
) -> None:
    """Letter for letter: what is told beside needs comes in columns behind the others."""
    folder, first = county[0] / "partners", months[0]
    for name in ("mental_health", "housing_tenancies", "youth_offending"):
        extract = first.extracts[name]
        source = extract.source
        write_csv(
            tmp_path / "again.csv", list(extract.columns),
            zip(*extract.columns.values(), strict=True),
            encoding=source.encoding, delimiter=source.delimiter,
        )  # fmt: skip
        made = (folder / source.partner / f"{name}.csv").read_bytes()
        assert (tmp_path / "again.csv").read_bytes() == made
        more = told(extract, first.people, first.cases, first.day, TODAY)
        assert list(more.columns)[: len(extract.columns)] == list(extract.columns)
        assert all(more.columns[each] is cells for each, cells in extract.columns.items())


def test_people_live_on_next_to_their_families(months: tuple[County, County, County]) -> None:
    """Rows of a family follow each other; everybody who was there is there, some are new."""
    for before, after in pairwise(months):
        people = after.people
        assert (people.unit == np.repeat(np.arange(len(people.units)), people.units.size)).all()
        assert set(before.ids) <= set(after.ids)
        assert len(set(after.ids)) == len(people) == len(set(people.nhs))
        born = dict(zip(before.ids, before.people.born, strict=True))
        assert all(
            born.get(id_, day) == day for id_, day in zip(after.ids, people.born, strict=True)
        )
        assert (np.diff(people.spells.person) >= 0).all()
        assert (people.names.given[people.canaries] == before.people.names.given[
            before.people.canaries
        ]).all()  # fmt: skip
    last = months[2].people
    assert len(last) > 6000
    assert len(last.units) > len(months[0].people.units)
    homes = last.spells.person[(last.spells.end == OPEN) & (last.spells.kind == SpellKind.HOME)]
    assert max(Counter(homes.tolist()).values()) == 1


@pytest.mark.parametrize("persons", [600, 800])
def test_a_small_county_lives_on_too(persons: int) -> None:
    """Where no home stands empty, families share one; a year of months, each of them whole."""
    county = first_county(persons, 1)
    for _ in range(12):
        county = next_county(county)
        people = county.people
        assert set(people.spells.person.tolist()) == set(range(len(people)))
    assert len(people) >= persons


def test_the_same_seed_gives_the_same_month(months: tuple[County, County, County]) -> None:
    """Cell for cell, and another seed another month."""
    first, second, _ = months
    again = next_county(first)
    for name, extract in second.extracts.items():
        for column, cells in extract.columns.items():
            assert (again.extracts[name].columns[column] == cells).all()
    inside = first.cases.inside
    one, other = (next_month(first.people, inside, second.day, seed) for seed in (1, 2))
    assert (one.needs_changed.sum(), one.moved.sum()) != (
        other.needs_changed.sum(), other.moved.sum(),
    )  # fmt: skip


def test_records_keep_their_ids_and_most_keep_every_letter(
    months: tuple[County, County, County],
) -> None:
    """One id is one person in every month; a record that nobody touched is the same."""
    first, second, _ = months
    for name, after in second.extracts.items():
        before = first.extracts[name]
        whose = dict(zip(before.record_id, first.ids[before.person], strict=True))
        assert len(set(after.record_id)) == len(after.record_id)
        assert all(
            whose.get(record, person) == person
            for record, person in zip(after.record_id, second.ids[after.person], strict=True)
        )
        then, now = (
            dict(zip(each.record_id, zip(*each.columns.values(), strict=True), strict=True))
            for each in (before, after)
        )
        shared = then.keys() & now.keys()
        same = sum(then[record] == now[record] for record in shared)
        assert len(shared) >= 0.97 * len(then)
        assert same == len(shared) if not is_due(name, 1) else 0.9 * len(shared) < same
    changed = second.extracts["gp_registrations"], first.extracts["gp_registrations"]
    assert len(changed[0].person) > len(changed[1].person)


def test_sources_come_at_their_own_rates(months: tuple[County, County, County]) -> None:
    """Every source in month 0, some each month, some each quarter, one never again."""
    first, second, third = months
    assert len(first.due) == 21
    assert SOURCE in second.due
    assert "neet_tracking" not in second.due
    assert "neet_tracking" in third.due
    assert not any(is_due("legacy_benefits", month) for month in range(1, 13))
    assert is_due("council_tax", 3)


def test_needs_come_and_go_and_families_join_and_leave(
    months: tuple[County, County, County],
) -> None:
    """Both ways; who is in the programme has a day and needs of the start; canaries do not."""
    first, second, _ = months
    place = {id_: row for row, id_ in enumerate(second.ids.tolist())}
    rows = np.array([place[id_] for id_ in first.ids.tolist()])
    was, is_ = first.people.needs, second.people.needs[rows]
    assert (was & ~is_).any()
    assert (~was & is_).any()
    units = len(first.people.units)
    inside = first.cases.inside, second.cases.inside[:units]
    assert (inside[0] & ~inside[1]).any()
    assert (inside[1] & ~inside[0]).any()
    assert second.cases.start[second.cases.inside].any(axis=1).mean() > 0.9
    assert not second.cases.inside[second.people.unit[second.people.canaries]].any()
    assert living(second.people).sum() > 2000


def test_a_month_is_written_with_mappings_that_an_agreement_is_drawn_up_from(
    months: tuple[County, County, County], tmp_path: Path
) -> None:
    """Details name what they tell more of, and the catalogue knows each of them."""
    first, second, _ = months
    write_month(first, tmp_path / "partners", tmp_path / "truth", TODAY)
    drawn_up = with_details(template(tmp_path, TODAY))
    items = {each["id"]: IndicatorItem.model_validate(each) for each in drawn_up["indicators"]}
    counted_by = {name for name, item in items.items() if item.used_as is not None}
    assert counted_by == set(USED_AS)
    needs = {
        name
        for name, item in items.items()
        if item.detail_of is None and name != IN_PROGRAMME and name not in counted_by
    }
    local = read_catalogue("local-example", PACKAGE, Criteria)
    assert needs == set(local.indicators)
    assert items.keys() - needs - counted_by == set(local.details) - needs
    assert (items["joined_3m"].detail_of, items["joined_3m"].window_months) == ("in_programme", 3)
    assert items["school_absence_80_at_start"].detail_of == "school_absence"
    assert items["school_absence_6m"].window_months == 6
    paths = write_month(second, tmp_path / "later", tmp_path / "later-truth", TODAY)
    assert len(paths) == len(second.due)
    with (tmp_path / "later" / "council" / "early_help.csv").open(encoding="utf-8") as file:
        days = {row["STARTED"] for row in csv.DictReader(file)}
    assert max(days) <= TODAY.isoformat()


def test_kept_ids_are_counted_by_the_truth(tmp_path: Path) -> None:
    """By hand: one person kept, one under another id; a family of other people is left out."""
    exports = (
        ("before", [("h1", "p-1", "f-1"), ("h2", "p-2", "f-1"), ("h3", "p-3", "f-2")], ""),
        (
            "after",
            [
                ("h1", "p-1", "f-1"),
                ("h2", "p-9", "f-9"),
                ("h3", "p-3", "f-2"),
                ("h4", "p-4", "f-2"),
            ],
            "0,split,p-2,[]\n1,new,p-4,[]\n2,new,f-9,[]\n",
        ),
    )
    for name, rows, events in exports:
        folder = tmp_path / name
        folder.mkdir()
        records = "".join(f"{handle},{person},council,s\n" for handle, person, _ in rows)
        (folder / "records.csv").write_text("handle,person,party,source\n" + records)
        members = "".join(f"{family},{person},True\n" for _, person, family in rows)
        (folder / "members.csv").write_text("family,person,is_primary\n" + members)
        (folder / "ids.csv").write_text("position,kind,id,others\n" + events)
    person_of = {"h1": "A", "h2": "B", "h3": "C"}
    now = Referee(
        person_of | {"h4": "D"}, {"h1": "F1", "h2": "F2", "h3": "F3", "h4": "F3"},
        frozenset(), frozenset(),
    )  # fmt: skip
    folders = tmp_path / "before", tmp_path / "after"
    people = persons_kept(*folders, now)
    assert (people.both, people.kept, people.split, people.new) == (3, 2, 1, 1)
    truth = tmp_path / "truth"
    truth.mkdir()
    (truth / "persons.csv").write_text("person_id,family_id\nA,F1\nB,F2\nC,F3\n")
    then = now.families_in(truth)
    assert then == {"h1": "F1", "h2": "F2", "h3": "F3"}
    families = families_kept(*folders, now, then)
    assert (families.both, families.kept, families.new) == (2, 1, 1)
