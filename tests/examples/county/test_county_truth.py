import csv
from collections import Counter, defaultdict
from datetime import date
from pathlib import Path

from examples.county.generate import Summary

Truth = dict[str, list[dict[str, str]]]


def test_ids_in_the_truth_refer_to_something(truth: Truth) -> None:
    """Every person, family and address named in a file has a row in its own."""
    persons = {row["person_id"] for row in truth["persons"]}
    families = {row["family_id"] for row in truth["family_needs"]}
    addresses = {row["uprn"] for row in truth["addresses"]}
    for name in ("records", "families", "households", "referrals"):
        assert {row["person_id"] for row in truth[name]} <= persons
    for row in truth["relations"]:
        assert {row["person_a"], row["person_b"]} <= persons
    assert {row["family_id"] for row in truth["families"]} == families
    for name in ("records", "households"):
        assert {row["uprn"] for row in truth[name]} <= addresses
    households = {row["household_id"] for row in truth["households"]}
    assert {row["household_id"] for row in truth["persons"]} <= households


def test_every_person_has_a_record_and_a_family(truth: Truth) -> None:
    """Nobody is in the truth alone, and everyone has exactly one main family."""
    persons = {row["person_id"] for row in truth["persons"]}
    assert {row["person_id"] for row in truth["records"]} == persons
    main = Counter(row["person_id"] for row in truth["families"] if row["main"] == "y")
    assert set(main) == persons
    assert set(main.values()) == {1}


def test_record_ids_are_unique_in_their_source(truth: Truth) -> None:
    """A source's record id names one row, and rows count from one without a gap."""
    rows = defaultdict(list)
    for row in truth["records"]:
        rows[row["source"]].append(row)
    assert len(rows) == 20
    for of_source in rows.values():
        assert len({row["record_id"] for row in of_source}) == len(of_source)
        numbers = sorted(int(row["row"]) for row in of_source)
        assert numbers == list(range(1, len(of_source) + 1))


def test_every_kind_of_family_occurs(truth: Truth) -> None:
    """Each kind of family is there several times at 6,000 persons."""
    kinds = Counter(row["kind"] for row in truth["family_needs"])
    for kind in (
        "single",
        "couple",
        "couple_children",
        "lone_parent",
        "blended",
        "three_generations",
        "care_home_resident",
        "hostel_resident",
        "hostel_family",
        "student",
    ):
        assert kinds[kind] >= 5, kind
    roles = {row["role"] for row in truth["families"]}
    assert roles == {"child", "parent", "grandparent", "partner", "other_adult"}


def test_structures_that_make_families_hard_occur(truth: Truth) -> None:
    """Two homes, term time, separations, shared addresses, twins and moves are all present."""
    stays = Counter(row["stay"] for row in truth["households"])
    assert stays["second_home"] >= 50
    assert stays["term_time"] >= 1
    assert stays["before_separation"] >= 1
    assert sum(row["main"] == "n" for row in truth["families"]) >= 50
    assert sum(row["twin"] == "y" for row in truth["persons"]) >= 10
    homes = defaultdict(set)
    for row in truth["households"]:
        homes[row["person_id"]].add(row["uprn"])
    assert sum(len(of_person) > 1 for of_person in homes.values()) >= 300
    assert _shared_addresses(truth) >= 20


def _shared_addresses(truth: Truth) -> int:
    """Ordinary addresses where two households lived at one time."""
    stays = defaultdict(list)
    for row in truth["households"]:
        if row["stay"] == "home" and row["household_id"].startswith("H"):
            end = row["to"] or "2099-01-01"
            stays[row["uprn"]].append((row["from"], end, row["household_id"]))
    shared = 0
    for of_address in stays.values():
        shared += any(
            a[2] != b[2] and a[0] < b[1] and b[0] < a[1] for a in of_address for b in of_address
        )
    return shared


def test_surnames_change_and_names_are_shared(truth: Truth) -> None:
    """People marry and divorce inside the records' years, and sons bear their fathers' names."""
    persons = {row["person_id"]: row for row in truth["persons"]}
    changed = [row for row in persons.values() if row["former_surname"]]
    assert len(changed) >= 100
    assert all(row["former_surname"] != row["surname"] for row in changed)
    shared = [
        row
        for row in truth["relations"]
        if row["relation"] == "parent"
        and persons[row["person_a"]]["given"] == persons[row["person_b"]]["given"]
        and persons[row["person_a"]]["sex"] == persons[row["person_b"]]["sex"] == "m"
    ]
    assert len(shared) >= 5


def test_names_come_from_many_places(truth: Truth) -> None:
    """Origins, particles, hyphens, apostrophes and letters beyond ASCII all occur."""
    assert len({row["origin"] for row in truth["persons"]}) >= 18
    surnames = [row["surname"] for row in truth["persons"]]
    assert sum("-" in name for name in surnames) >= 50
    assert sum(" " in name for name in surnames) >= 20
    assert sum("'" in name for name in surnames) >= 20
    assert sum(not name.isascii() for name in surnames) >= 20
    counts = Counter(surnames).most_common()
    assert counts[0][1] > 8 * counts[len(counts) // 2][1]


def test_parents_are_older_than_children(truth: Truth) -> None:
    """A parent was at least fourteen when a child was born, and stays are not before birth."""
    born = {row["person_id"]: row["date_of_birth"] for row in truth["persons"]}
    for row in truth["relations"]:
        if row["relation"] == "parent":
            gap = date.fromisoformat(born[row["person_b"]]) - date.fromisoformat(
                born[row["person_a"]]
            )
            assert gap.days > 14 * 365
    for row in truth["households"]:
        assert row["from"] >= born[row["person_id"]]
        assert row["to"] == "" or row["to"] > row["from"]


def test_consents_name_records_that_the_partner_holds(
    county: tuple[Path, Summary], truth: Truth
) -> None:
    """Answers are to be found with the partner that holds the record; all states occur."""
    folder, summary = county
    held = {(row["partner"], row["source"], row["record_id"]) for row in truth["records"]}
    states: Counter[str] = Counter()
    for partner in ("police", "dwp", "nhs", "council"):
        path = folder / "partners" / partner / "consents.csv"
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        assert len(rows) == summary.consents[partner] > 0
        assert {(partner, row["source"], row["record_id"]) for row in rows} <= held
        assert all(row["date"] < row["expires"] for row in rows)
        assert all(
            (row["capacity"] == "parental_responsibility") == bool(row["parental_basis"])
            for row in rows
        )
        states.update(row["state"] for row in rows)
    assert set(states) == {"given", "refused", "withdrawn"}


def test_the_programme_names_council_records(county: tuple[Path, Summary], truth: Truth) -> None:
    """Every family already in the programme is named by a council record."""
    folder, _ = county
    held = {(r["source"], r["record_id"]) for r in truth["records"] if r["partner"] == "council"}
    with (folder / "programme.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows
    assert {(row["source"], row["record_id"]) for row in rows} <= held
