"""``python -m benchmarks.choices COUNTY``: whom the limit on choices of the left out holds up.

Every present family of a synthetic county (``examples.county.generate``) with two needs or more is
asked for once, so many a day, by an agent that holds a row of everybody: in random order, and in
the order of addresses, as from door to door. Rows say the home by its UPRN, or
by building and postcode alone (``no flats``), where a block is one home to the agent. Nobody is
tried out here: each refusal is an honest request that has to wait for the next day.
"""

import argparse
import csv
import random
import tempfile
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from governance.canonical import sha256
from governance.release.errors import TooManyChoices
from governance.release.models import Member, Members, Order, RecordRef, Request
from partner_agent.protection.register import Guard
from partner_agent.releases.choices import Choices
from partner_agent.releases.errors import AskedOtherwise
from partner_agent.store.database import AgentDatabase
from partner_agent.vault.store import StoredRow

_KEY = bytes(32)
_SEVERAL = 2  # needs
_NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
_NOBODY = Guard(_KEY, frozenset(), frozenset())


def main() -> None:
    """Print a line for each way."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("county", type=Path)
    parser.add_argument("--a-day", type=int, default=20)
    given = parser.parse_args()
    families, homes = _county(given.county / "truth")
    print(f"{len(families)} families, {given.a_day} a day{'':10}{'refused':>10}")
    for flats in (True, False):
        rows = {person: _row(person, home, flats=flats) for person, home in homes.items()}
        shuffled = sorted(families.values())
        random.Random(1).shuffle(shuffled)
        by_door = sorted(families.values(), key=lambda people: homes[people[0]]["uprn"])
        for label, order in (("at random", shuffled), ("door to door", by_door)):
            refused = _refused(order, rows, given.a_day)
            print(f"{label}, {'UPRN' if flats else 'no flats':<24}{refused:>10}")


def _refused(families: Iterable[list[str]], rows: dict[str, StoredRow], a_day: int) -> int:
    held = {row.handle: row for row in rows.values()}
    vault = SimpleNamespace(
        hash_key=_KEY,
        has=lambda wanted: {each for each in wanted if each in held},
        get_many=lambda wanted: {each: held[each] for each in wanted},
    )
    refused = 0
    with tempfile.TemporaryDirectory() as folder:
        choices = Choices(AgentDatabase(Path(folder) / "agent.db"), cast(Any, vault), "council")
        for number, people in enumerate(families):
            now = _NOON + timedelta(days=number // a_day * 2, minutes=number % a_day)
            try:
                choices.require_few(*_order(number, people), _NOBODY, now)
            except (AskedOtherwise, TooManyChoices):
                refused += 1
    return refused


def _order(number: int, people: list[str]) -> tuple[Order, Request]:
    members = Members(
        family=f"f-{number:032x}",
        agreement=sha256(b""),
        members=tuple(
            Member(person="p-" + _handle(each), adult=True, records=(_ref(each),))
            for each in people
        ),
    )
    envelope = SimpleNamespace(payload_hash=sha256(str(number).encode()))
    order = SimpleNamespace(members=members, request=envelope)
    return cast(Order, order), cast(Request, SimpleNamespace(members=members.digest, without=()))


def _handle(person: str) -> str:
    return sha256(person.encode())[7:39]


def _ref(person: str) -> RecordRef:
    return RecordRef(party="council", source="council_records", handle=_handle(person))


def _row(person: str, home: dict[str, str], *, flats: bool) -> StoredRow:
    place = f"{home['building']} {home['number']} {home['street']}"
    clean = {"address": place, "postcode": home["postcode"]}
    of_home = {"uprn": home["uprn"]} if flats else clean
    handle = bytes.fromhex(_handle(person))
    return StoredRow(handle, "council_records", of_home, {}, protected=False)


def _county(truth: Path) -> tuple[dict[str, list[str]], dict[str, dict[str, str]]]:
    """People of each present family with two needs, and where each of them lives."""
    places = {row["uprn"]: row for row in _read(truth / "addresses.csv")}
    homes = {r["person_id"]: places[r["uprn"]] for r in _read(truth / "households.csv")}
    wanted = {
        row["family_id"]
        for row in _read(truth / "family_needs.csv")
        if row["current"] == "y" and len(row["needs"].split()) >= _SEVERAL
    }
    families = defaultdict(list)
    for row in _read(truth / "families.csv"):
        if row["family_id"] in wanted and row["person_id"] in homes:
            families[row["family_id"]].append(row["person_id"])
    return dict(families), homes


def _read(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


if __name__ == "__main__":
    main()
