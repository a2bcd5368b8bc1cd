"""Whatever the hub calls a family, an agent answers few choices of who is left out in a day."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.canonical import sha256
from governance.release.errors import MembersChanged, NothingToRelease, TooManyChoices
from governance.release.models import Member, Members, Order, RecordRef, Request
from governance.release.tries import CHOICES_MOST, WITHIN
from partner_agent.protection.register import Guard
from partner_agent.releases.choices import KEPT, Choices
from partner_agent.releases.errors import AskedOtherwise, NotHeld, told
from partner_agent.store.database import AgentDatabase
from partner_agent.vault.store import StoredRow, VaultError
from tests.governance.world import NOON

KEY = b"k" * 32
REFUSED = (TooManyChoices, AskedOtherwise)
Person = tuple[str, ...]
"""Records of one person: ``c1`` the council's, ``n1`` another party's."""


def row(record: str, **clean: str) -> StoredRow:
    """A row of the council's vault."""
    handle = bytes.fromhex(_handle(record))
    return StoredRow(handle, "council_records", clean, {}, protected=False)


def _handle(record: str) -> str:
    return sha256(record.encode())[7:39]


class Rows:
    """A vault that holds a few rows."""

    hash_key = KEY

    def __init__(self, rows: Sequence[StoredRow]) -> None:
        self.rows = {each.handle: each for each in rows}
        self.opens = True

    def has(self, handles: Any) -> set[bytes]:
        """Those that are held."""
        return {each for each in handles if each in self.rows}

    def get_many(self, handles: Any) -> dict[bytes, StoredRow]:
        """Those that are held."""
        if not self.opens:
            raise VaultError("not opened")
        return {each: self.rows[each] for each in handles if each in self.rows}


@dataclass
class Agent:
    """The council's choices, and a hub that calls everybody what it likes."""

    choices: Choices
    rows: Rows
    guard: Guard = field(default_factory=lambda: Guard(KEY, frozenset(), frozenset()))
    asked: int = 0

    def order(self, kept: Sequence[Person], out: Sequence[Person] = ()) -> tuple[Order, Request]:
        """An order for these people without those, under names that were never used before."""
        self.asked += 1
        members = Members(
            family=f"f-{self.asked:032x}",
            agreement=sha256(b"agreement"),
            members=tuple(
                Member(
                    person=f"p-{self.asked * 100 + at:032x}",
                    adult=True,
                    records=tuple(_ref(record) for record in person),
                )
                for at, person in enumerate([*kept, *out])
            ),
        )
        request = SimpleNamespace(
            members=members.digest, without=[each.person for each in members.members[len(kept) :]]
        )
        hash_ = sha256(str(self.asked).encode())
        order = SimpleNamespace(members=members, request=SimpleNamespace(payload_hash=hash_))
        return cast(Order, order), cast(Request, request)

    def ask(self, *kept: Person, out: Sequence[Person] = (), hours: float = 0) -> None:
        """Ask so many hours after noon; raises what the agent refuses with."""
        self.again(self.order(kept, out), hours)

    def again(self, order: tuple[Order, Request], hours: float = 0) -> None:
        """Hand the same order in."""
        self.choices.require_few(*order, self.guard, NOON + timedelta(hours=hours))

    def refuses(self, *kept: Person, out: Sequence[Person] = (), hours: float = 0) -> None:
        """Ask for what is one choice too many."""
        with pytest.raises(REFUSED):
            self.ask(*kept, out=out, hours=hours)


def _ref(record: str) -> RecordRef:
    party = {"c": "council", "n": "nhs"}[record[0]]
    return RecordRef(party=party, source=f"{party}_records", handle=_handle(record))


def agent_in(folder: Path, *rows: StoredRow) -> Agent:
    """An agent that holds these rows, and ``c0`` to ``c9`` of nobody known."""
    held = Rows([*(row(f"c{at}") for at in range(10)), *rows])
    return Agent(Choices(AgentDatabase(folder / "agent.db"), cast(Any, held), "council"), held)


@pytest.fixture
def agent(tmp_path: Path) -> Agent:
    """An agent to whom its rows say nothing."""
    return agent_in(tmp_path)


@pytest.mark.invariant(20, "members left out one after another under new names", double="lies")
def test_a_new_name_gives_no_new_choice(agent: Agent) -> None:
    """Two are answered, and again, under names that were never used before; a third is not."""
    for _ in range(3):
        agent.ask(("c1",), ("c2",), ("c3",))
        agent.ask(("c2",), ("c1",), out=[("c3",)])
    agent.refuses(("c1",), ("c3",), out=[("c2",)])
    agent.refuses(("c1",), out=[("c2",), ("c3",)], hours=23.9)
    agent.ask(("c1",), ("c3",), out=[("c2",)], hours=24.1)


@pytest.mark.parametrize(
    ("kept", "out"),
    [
        ([("c1",), ("c2",)], []),  # the third is named no more
        ([("c1",), ("c2",), ("c3",), ("c9",)], []),  # a stranger is added
        ([("c1",), ("c2", "c3")], []),  # two are called one person
        ([("c1",), ("c2",), ("c3",)], [("c9",)]),  # a stranger is left out
        ([("c1",), ("c2",), ("n3",)], []),  # another party's record of the third
        ([("c3",), ("n1",), ("n2",)], []),  # and of the others
        ([("c3",)], []),
    ],
)
def test_another_list_of_members_is_another_choice(
    agent: Agent, kept: list[Person], out: list[Person]
) -> None:
    """What a hub may change of it, one at a time."""
    agent.ask(("c1",), ("c2",), ("c3",))
    agent.ask(("c1",), ("c3",), out=[("c2",)])
    agent.refuses(*kept, out=out)


def test_a_child_taken_for_an_adult_is_another_choice(agent: Agent) -> None:
    """Who has to agree differs."""
    agent.ask(("c1",), ("c2",))
    agent.ask(("c1",), out=[("c2",)])
    order, request = agent.order([("c1",), ("c2",)])
    first, *rest = order.members.members
    changed = order.members.model_copy(
        update={"members": (first.model_copy(update={"adult": False}), *rest)}
    )
    cast(Any, order).members, cast(Any, request).members = changed, changed.digest
    with pytest.raises(TooManyChoices):
        agent.again((order, request))


def test_others_records_are_counted_as_own_ones(agent: Agent) -> None:
    """Whoever agreed at another party is not tried out here, beside one stranger and another."""
    agent.ask(("c1",), ("n1",))
    agent.ask(("c2",), ("n1",), ("n2",))
    agent.refuses(("c3",), ("n1",), ("n3",))
    agent.ask(("c3",), ("n4",))


def test_who_holds_nothing_of_a_family_is_not_asked_how_it_decided(agent: Agent) -> None:
    """No record of this party is asked for, or none that it holds."""
    with pytest.raises(NothingToRelease):
        agent.ask(("n1",), out=[("c1",)])
    with pytest.raises(NotHeld):
        agent.ask(("c99", "n1"))
    agent.rows.opens = False
    with pytest.raises(NotHeld):
        agent.ask(("c1",))


def test_a_family_in_two_halves_is_one_home(tmp_path: Path) -> None:
    """Rows of one home or one person are the same people, in whatever source they stand.

    What follows from own rows alone is told like everything that does.
    """
    home = {"address": "1 HIGH ST", "postcode": "ZE1 0AA"}
    named = {"first_name": "ann", "surname": "fry", "date_of_birth": "1980-02-01"}
    agent = agent_in(
        tmp_path,
        row("c11", **home), row("c12", **home), row("c13", uprn="000000000123", **home),
        row("c14", uprn="123"), row("c15", nhs_number="1", **named), row("c16", **named),
        row("c17", nhs_number="1"),
    )  # fmt: skip
    agent.ask(("c11",))
    agent.ask(("c12",))
    with pytest.raises(AskedOtherwise) as refusal:
        agent.ask(("c13",))
    assert (refusal.value.reason, told(refusal.value)) == ("release.choices", "release.local")
    agent.ask(("c14",))  # of the refused one nothing was counted
    agent.ask(("c16",))
    agent.ask(("c17",))
    agent.refuses(("c15",))


def test_rows_of_the_protected_tell_nothing(tmp_path: Path) -> None:
    """Else whether two are of one home would show by how often a hub may ask."""
    home = {"address": "1 HIGH ST", "postcode": "ZE1 0AA"}
    hidden = row("c13", **home)
    agent = agent_in(
        tmp_path, row("c11", **home), row("c12", **home), replace(hidden, protected=True)
    )
    agent.ask(("c11",))
    agent.ask(("c12",))
    agent.ask(("c13",))


def test_an_order_that_comes_again_is_one_choice(agent: Agent) -> None:
    """It may have to wait for the ledger, and is looked at each time."""
    first, second = agent.order([("c1",), ("c2",)]), agent.order([("c1",)], [("c2",)])
    for _ in range(2):
        agent.again(first)
        agent.again(second)
    third = agent.order([("c2",)], [("c1",)])
    for _ in range(2):
        with pytest.raises(TooManyChoices):
            agent.again(third)
    agent.again(second, hours=40)


def test_other_members_than_those_of_the_request_are_not_counted(agent: Agent) -> None:
    """The hub cannot use up the choices of a family by an order that says something else."""
    (order, _), (_, request) = agent.order([("c1",)]), agent.order([("c2",)])
    for _ in range(CHOICES_MOST + 1):
        with pytest.raises(MembersChanged):
            agent.again((order, request))
    agent.ask(("c1",), ("c2",))
    agent.ask(("c1",))


def test_a_choice_is_kept_for_two_days(agent: Agent) -> None:
    """No longer, whether or not anything else is asked."""
    count = "SELECT count(*) FROM choices"
    database = cast(Any, agent.choices)._database
    agent.ask(("c1",), ("c2",))
    for hours, left in ((KEPT.total_seconds() / 3600 - 0.1, 2), (KEPT.days * 24 + 0.1, 0)):
        agent.choices.forget(NOON + timedelta(hours=hours))
        with database.reading() as connection:
            assert connection.exec_driver_sql(count).scalar() == left
    agent.ask(("c1",), ("c2",))
    agent.ask(("c3",), hours=100)
    with database.reading() as connection:
        assert connection.exec_driver_sql(count).scalar() == 1


def test_a_family_that_grows_as_its_people_agree_is_never_held_up(tmp_path: Path) -> None:
    """Eight people of one home agree over the months, and whoever has agreed is asked for.

    On each day once without those who have not, and once more after the hub has linked anew.
    """
    home = {"address": "1 HIGH ST", "postcode": "ZE1 0AA"}
    people = [(f"c2{at}", f"n{at}") for at in range(8)]
    agent = agent_in(tmp_path, *(row(person[0], **home) for person in people))
    for week in range(8):
        for hours in (0, 3):
            agent.ask(*people[: week + 1], out=people[week + 1 :], hours=week * 7 * 24 + hours)
        agent.ask(*people[: week + 1], out=[("n99",), *people[week + 1 :]], hours=week * 168 + 4)


@st.composite
def _orders(draw: st.DrawFn) -> tuple[list[Person], list[Person], float]:
    """Who is asked for, who is left out, and how many hours after the order before."""
    records = draw(st.lists(st.sampled_from(_NAMES), min_size=1, max_size=6, unique=True))
    people: list[list[str]] = []
    for record in records:
        joined = draw(st.booleans())
        if people and joined:
            people[-1].append(record)
        else:
            people.append([record])
    cut = draw(st.integers(1, len(people)))
    hours: float = draw(st.sampled_from((0.0, 0.5, 6.0, 13.0, 30.0, -2.0)))
    return [tuple(each) for each in people[:cut]], [tuple(each) for each in people[cut:]], hours


_NAMES = [f"c3{at}" for at in range(6)] + ["n1", "n2"]
_HOMES = {"c30": "a", "c31": "a", "c32": "a", "c33": "b", "c34": "b"}


@given(st.lists(_orders(), max_size=14))
@settings(max_examples=40)
def test_no_sequence_of_names_gets_more_choices_answered(
    orders: list[tuple[list[Person], list[Person], float]],
) -> None:
    """Of each record, and each home of one's own, few different choices in any one day.

    The law is held by what was answered, apart from how the agent counts; whether the agent is
    not stricter than that, by looking at what it refuses.
    """
    answered: list[tuple[datetime, frozenset[str], object]] = []
    now = NOON
    with TemporaryDirectory() as folder:
        agent = agent_in(
            Path(folder),
            *(row(n, address=_HOMES.get(n, ""), postcode="ZE1 0AA") for n in _NAMES if n[0] == "c"),
        )
        for kept, out, hours in orders:
            now += timedelta(hours=hours)
            records = {record for person in (*kept, *out) for record in person}
            of = frozenset(records | {_HOMES[each] for each in records if each in _HOMES})
            choice = tuple(frozenset(map(frozenset, each)) for each in (kept, out))
            near = {
                other for when, about, other in answered if about & of and abs(when - now) <= WITHIN
            }
            order = agent.order(kept, out)
            try:
                agent.choices.require_few(*order, agent.guard, now)
            except REFUSED:
                assert choice not in near
                assert len(near) >= CHOICES_MOST
            except NothingToRelease:
                assert not any(record[0] == "c" for person in kept for record in person)
            else:
                answered.append((now, of, choice))
    for when, about, _ in answered:
        for one in about:
            day = {
                choice
                for other, names, choice in answered
                if one in names and timedelta(0) <= other - when <= WITHIN
            }
            assert len(day) <= CHOICES_MOST
