"""What only the partner's own rows can say, before anything of them is taken."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any, cast

import pytest

from governance.canonical import parse_json
from governance.identity.envelope import parse_model
from governance.release.models import Order, RecordRef, Request
from governance.release.verify import VerifiedOrder
from partner_agent.protection.register import Guard
from partner_agent.releases.errors import AgeMismatch, NotHeld, ProtectedPerson, WithdrawnHere
from partner_agent.releases.local import own_rows, released_records, require_newest_word
from partner_agent.releases.milestones import ADULT_YEARS, is_of
from partner_agent.vault.store import StoredRow, Vault, VaultError
from tests.governance.world import NOON, World

MOTHER, CHILD, AT_POLICE = "1" * 32, "2" * 32, "3" * 32
TODAY = date(2026, 11, 22)


class Rows:
    """A vault that holds a few rows."""

    def __init__(self) -> None:
        self.sealed: set[str] = set()  # kept, and the key does not open them
        self.rows = {
            MOTHER: self.row(MOTHER, {"first_name": "ann", "address": "1 HIGH ST"}, {}),
            CHILD: self.row(
                CHILD,
                {"first_name": "cy", "surname": "fry", "date_of_birth": "2012-06-05"},
                {"first_name": "Cy F.", "address": "1 High Street"},
            ),
        }

    @staticmethod
    def row(handle: str, clean: dict[str, str], source: dict[str, str], **more: Any) -> StoredRow:
        """One row of the council's records."""
        about: dict[str, Any] = {"source_id": "council_records", "protected": False} | more
        return StoredRow(bytes.fromhex(handle), clean=clean, source=source, **about)

    def get(self, handle: bytes) -> StoredRow:
        """The row of a handle."""
        if handle.hex() not in self.rows:
            raise VaultError("not held")
        return self.rows[handle.hex()]

    def get_many(self, handles: Iterable[bytes]) -> dict[bytes, StoredRow]:
        """The rows of those handles that are held."""
        if any(handle.hex() in self.sealed for handle in handles):
            raise VaultError("not opened")
        return {each: self.rows[each.hex()] for each in handles if each.hex() in self.rows}


@pytest.fixture
def rows() -> Rows:
    """A mother and her child."""
    return Rows()


def opened(rows: Rows, *released: str, without: tuple[str, ...] = (), adult: bool = False) -> Any:
    """What leaves of the released records, by first letters of persons."""
    world = World()
    members = world.members(
        ("1", True, [(world.partners[0], AT_POLICE), (world.council, MOTHER)]),
        ("2", adult, [(world.council, CHILD)]),
    )
    request = world.request(
        members,
        items=["address", "first_name", "surname"],
        without=["p-" + name * 32 for name in without],
    )
    order = Order(
        request=request, approval=world.approval(request), members=members, checkpoint="note"
    )
    verified = VerifiedOrder(
        order,
        parse_model(parse_json(request.payload_bytes), Request),
        request.payload_hash,
        world.manager.keys,
        world.agreement,
        cast(Any, None),
        {
            RecordRef(party="council", source="council_records", handle=handle): cast(Any, None)
            for handle in released
        },
    )
    guard = Guard(b"key", frozenset(), frozenset())
    own = own_rows(order, verified.request.without, "council", cast(Vault, rows), guard, TODAY)
    found = released_records(verified, "council", own)
    return {record.person[2]: record.items for record in found}


def test_the_extracts_own_words_leave_where_there_are_any(rows: Rows) -> None:
    """Names that only the cleansed row has are written as names, an address as it is."""
    assert opened(rows, MOTHER, CHILD) == {
        "1": {"first_name": "Ann", "address": "1 HIGH ST"},
        "2": {"first_name": "Cy F.", "surname": "Fry", "address": "1 High Street"},
    }


def test_records_that_are_not_released_are_looked_at_and_stay(rows: Rows) -> None:
    """Only what was verified leaves."""
    assert list(opened(rows, CHILD)) == ["2"]


@pytest.mark.invariant(1, "a hub that names a record that is not held", double="lies")
def test_a_record_that_is_not_held_stops_the_order(rows: Rows) -> None:
    """Unknown here, or of another source than the order says."""
    del rows.rows[CHILD]
    with pytest.raises(NotHeld, match="not held"):
        opened(rows, MOTHER)
    rows.rows[CHILD] = rows.row(CHILD, {}, {}, source_id="council_other")
    with pytest.raises(NotHeld, match="another source"):
        opened(rows, MOTHER)


def test_one_protected_person_stops_the_order(rows: Rows) -> None:
    """Whichever record is released, and whoever is left out: the address is theirs too."""
    rows.rows[CHILD] = rows.row(CHILD, {}, {}, protected=True)
    for without in ((), ("2",)):
        with pytest.raises(ProtectedPerson):
            opened(rows, MOTHER, without=without)
    rows.sealed = {CHILD}  # whether they are protected cannot be known
    with pytest.raises(NotHeld):
        opened(rows, MOTHER, without=("2",))
    rows.sealed = set()
    del rows.rows[CHILD]  # nothing is known of it any more, and nothing of it leaves
    assert list(opened(rows, MOTHER, without=("2",))) == ["1"]


def test_every_own_record_is_looked_at_wherever_it_stands(rows: Rows) -> None:
    """Behind another partner's, too."""
    rows.rows[MOTHER] = rows.row(MOTHER, {}, {}, protected=True)
    with pytest.raises(ProtectedPerson):
        opened(rows, CHILD)


def test_a_child_without_a_date_of_birth_is_taken_for_one(rows: Rows) -> None:
    """Where the partner knows no date, the hub's word stands."""
    rows.rows[CHILD] = rows.row(CHILD, {"first_name": "cy"}, {})
    assert opened(rows, CHILD) == {"2": {"first_name": "Cy"}}


@pytest.mark.invariant(2, "a ledger that shows an old consent after a withdrawal", double="replays")
def test_a_consent_that_is_shown_late_does_not_outweigh_a_withdrawal() -> None:
    """Withdrawn here a second after it was recorded: the newest entry is not the newest word."""
    world = World()
    ours = [world.consent(world.council, MOTHER), world.consent(world.council, MOTHER)]
    other = world.consent(world.council, CHILD, kind="confidentiality")
    theirs = world.consent(world.partners[0], AT_POLICE)
    members = world.members(
        ("3", True, [(world.partners[0], AT_POLICE)]),
        ("1", True, [(world.council, "9" * 32), (world.council, MOTHER)]),
        ("2", False, [(world.council, CHILD)]),
    )
    request = world.request(members)
    order = Order(
        request=request, approval=world.approval(request), members=members, checkpoint="note"
    )

    def newest(accepted: dict[str, datetime], *without: str, party: str = "council") -> None:
        left_out = ["p-" + name * 32 for name in without]
        require_newest_word(order, left_out, party, world.state.consents, accepted)

    later = NOON + timedelta(seconds=1)
    newest({})
    for grant in ours:
        newest({grant.leaf.id: NOON})
        newest({grant.leaf.id: later}, "1")
        with pytest.raises(WithdrawnHere):
            newest({grant.leaf.id: later})
    with pytest.raises(WithdrawnHere):
        newest({ours[0].leaf.id: later, ours[1].leaf.id: NOON})
    newest({other.leaf.id: later, theirs.leaf.id: later, "7" * 32: later})
    with pytest.raises(WithdrawnHere):
        newest({theirs.leaf.id: later}, party="police")


@pytest.mark.invariant(11, "a hub that calls an adult a child", double="lies")
@pytest.mark.parametrize(("born", "adult"), [("2008-11-22", True), ("2008-11-23", False)])
def test_an_adult_is_no_child_from_the_birthday_on(rows: Rows, born: str, adult: bool) -> None:
    """The partner's own date of birth decides; whom the order takes for an adult is not asked."""
    rows.rows[CHILD] = rows.row(CHILD, {"date_of_birth": born}, {})
    assert is_of(born, ADULT_YEARS, TODAY) is adult
    if adult:
        with pytest.raises(AgeMismatch):
            opened(rows, MOTHER)
    assert list(opened(rows, MOTHER, adult=True)) == ["1"]


@pytest.mark.parametrize(
    ("born", "adult"),
    [
        ("", False), ("unknown", False), ("2008-10-30", True), ("2008-12-01", False),
        ("1950-12-31", True), ("2026-01-01", False),
    ],
)  # fmt: skip
def test_who_is_of_age(born: str, adult: bool) -> None:
    """Eighteen years to the day; nobody whose date of birth is not known."""
    assert is_of(born, ADULT_YEARS, TODAY) is adult
