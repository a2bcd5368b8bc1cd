"""Records are taken out of results, and nothing of anybody else is."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from linkage_hub.rights.records import held_in_runs, left_out_of, lift, mark, take_out
from linkage_hub.store.database import HubDatabase
from linkage_hub.store.tables import (
    families,
    family_addresses,
    family_details,
    family_members,
    family_needs,
    household_members,
    id_events,
    links,
    person_records,
    review_pairs,
    rulings,
    run_rulings,
    runs,
    unlinked,
)

RUN, AGREEMENT = "a" * 32, "sha256:" + "a" * 64
OLDER = "b" * 32  # its results gave way
MOTHER, CHILD, OTHER = ("p-" + letter * 32 for letter in "123")
HOME, ALONE = "f-" + "1" * 32, "f-" + "2" * 32
OWN, THEIRS, KIT, LONE = ("1" * 32, "2" * 32, "3" * 32, "4" * 32)


@pytest.fixture
def database(database_url: str) -> Iterator[HubDatabase]:
    """A mother whom police and council hold, her child, and somebody who lives alone."""
    opened = HubDatabase(database_url)
    with opened.writing() as connection:
        for table, rows in _ROWS.items():
            connection.execute(insert(table), rows)
    yield opened
    opened.close()


_ROWS: dict[Any, list[dict[str, Any]]] = {
    runs: [
        {
            "id": RUN, "agreement": AGREEMENT, "state": "finished", "is_current": True,
            "created": "2026-11-01T00:00:00Z", "sources": 2, "records": 4, "persons": 3,
            "families": 2, "flagged": 1,
        }
    ],
    person_records: [
        {"run": RUN, "handle": handle, "person": person, "party": party, "source": party}
        for handle, person, party in (
            (OWN, MOTHER, "council"), (THEIRS, MOTHER, "police"), (KIT, CHILD, "council"),
            (LONE, OTHER, "council"),
        )
    ],
    families: [
        {
            "run": RUN, "family": family, "confidence": 0.9, "reasons": '["same_surname"]',
            "members": members, "adults": 1, "children": members - 1, "needs_met": 1,
            "needs_unknown": 2, "in_programme": False, "is_resident": family == ALONE,
            "flagged": True, "residence": "here" if family == ALONE else "left", "told_month": 9,
        }
        for family, members in ((HOME, 2), (ALONE, 1))
    ],
    family_members: [
        {
            "run": RUN, "family": family, "person": person, "role": "parent", "adult": adult,
            "confidence": 0.9, "is_primary": True, "reasons": '["same_surname"]',
        }
        for family, person, adult in (
            (HOME, MOTHER, True), (HOME, CHILD, False), (ALONE, OTHER, True),
        )
    ],
    family_needs: [
        {"run": RUN, "family": family, "need": "neet", "state": "met", "sources": 1}
        for family in (HOME, ALONE)
    ],
    family_details: [
        {"run": RUN, "family": family, "indicator": "in_programme", "state": "unmet"}
        for family in (HOME, ALONE)
    ],
    family_addresses: [
        {"run": RUN, "family": family, "position": 0, "household": "0" * 32, "first_month": 1}
        for family in (HOME, ALONE)
    ],
    household_members: [
        {
            "run": RUN, "person": person, "household": "0" * 32, "first_month": 1,
            "is_dated": True, "is_home": True, "is_institutional": False,
        }
        for person in (MOTHER, CHILD, OTHER)
    ],
    id_events: [
        {"run": RUN, "position": 0, "kind": "new", "id": OTHER, "others": "[]"},
        {"run": RUN, "position": 1, "kind": "merge", "id": CHILD, "others": f'["{OTHER}"]'},
        {"run": OLDER, "position": 0, "kind": "split", "id": OTHER, "others": f'["{CHILD}"]'},
    ],
    review_pairs: [
        {
            "run": RUN, "position": number, "left": left, "right": right, "left_source": "a",
            "right_source": "b", "probability": 0.5, "changes": 1.0,
        }
        for number, (left, right) in enumerate(((OWN, THEIRS), (THEIRS, KIT)))
    ],
    links: [
        {"run": RUN, "left": left, "right": right, "similarity": 0.9, "probability": 0.8}
        for left, right in ((OWN, THEIRS), (THEIRS, KIT))
    ],
    unlinked: [
        {"run": RUN, "handle": handle, "barrier": "in_doubt"} for handle in (OWN, THEIRS)
    ],
    run_rulings: [{"run": RUN, "ruling": 1, "followed": True}],
    rulings: [
        {
            "agreement": AGREEMENT, "left": OWN, "right": THEIRS, "same": True,
            "person": AGREEMENT, "party": "council", "decided": "2026-11-01T00:00:00Z",
        }
    ],
}  # fmt: skip


def test_a_person_whom_somebody_else_holds_stays(database: HubDatabase) -> None:
    """The record goes; the person, by the police's record, and the family stay, and know less."""
    with database.writing() as connection:
        mark(connection, "council", "r" * 32, {OWN})
        assert held_in_runs(connection, "council", {OWN, LONE}) == {RUN: {OWN, LONE}}
        take_out(connection)
        take_out(connection)
        assert held_in_runs(connection, "council", {OWN}) == {}
        assert set(connection.scalars(select(person_records.c.handle))) == {THEIRS, KIT, LONE}
        home = connection.execute(select(families).where(families.c.family == HOME)).one()
        assert (home.members, home.adults, home.needs_met, home.needs_unknown) == (2, 1, 0, 3)
        assert (home.flagged, home.reasons) == (False, "[]")
        assert (home.is_resident, home.residence, home.told_month) == (True, "untold", None)
        for table in (family_needs, family_details, family_addresses):
            assert set(connection.scalars(select(table.c.family))) == {ALONE}
        assert set(connection.scalars(select(household_members.c.person))) == {CHILD, OTHER}
        known = connection.execute(select(family_members.c.person, family_members.c.reasons)).all()
        assert dict(map(tuple, known)) == {MOTHER: "[]", CHILD: "[]", OTHER: '["same_surname"]'}
        (pair,) = connection.execute(select(review_pairs)).all()
        assert (pair.left, pair.right) == (THEIRS, KIT)
        (link,) = connection.execute(select(links)).all()
        assert (link.left, link.right) == (THEIRS, KIT)
        assert list(connection.scalars(select(unlinked.c.handle))) == [THEIRS]
        assert connection.execute(select(rulings)).first() is None
        assert connection.execute(select(run_rulings)).first() is None
        untouched = connection.execute(select(families).where(families.c.family == ALONE)).one()
        assert (untouched.flagged, untouched.needs_met) == (True, 1)
        assert (untouched.residence, untouched.told_month) == ("here", 9)


def test_of_a_run_of_before_nobody_asked_where_families_live(database: HubDatabase) -> None:
    """One family of which nothing is known any more does not make it a run that asked."""
    with database.writing() as connection:
        connection.execute(update(families).values(residence=None, told_month=None))
        mark(connection, "council", "r" * 32, {OWN})
        take_out(connection)
        assert set(connection.scalars(select(families.c.residence))) == {None}


def test_the_last_record_takes_person_and_family_along(database: HubDatabase) -> None:
    """No pseudonym of the person is left, in no list of what changed either."""
    with database.writing() as connection:
        mark(connection, "council", "r" * 32, {LONE})
        take_out(connection)
        assert set(connection.scalars(select(families.c.family))) == {HOME}
        assert OTHER not in set(connection.scalars(select(family_members.c.person)))
        (event,) = connection.execute(select(id_events)).all()
        assert (event.id, json.loads(event.others)) == (CHILD, [])


def test_a_party_marks_its_own_records_only(database: HubDatabase) -> None:
    """Whatever handles it names, another party's records stay."""
    with database.writing() as connection:
        mark(connection, "police", "r" * 32, {OWN, KIT, LONE})
        take_out(connection)
        assert len(connection.execute(select(person_records)).all()) == 4
        assert left_out_of(connection, "council") == set()


def test_what_is_lifted_is_marked_no_more(database: HubDatabase) -> None:
    """Two requests about one record: it takes part again once both are lifted."""
    with database.writing() as connection:
        for request in ("r", "s"):
            mark(connection, "council", request * 32, {OWN})
        lift(connection, "r" * 32)
        assert left_out_of(connection, "council") == {bytes.fromhex(OWN)}
        lift(connection, "s" * 32)
        assert left_out_of(connection, "council") == set()
