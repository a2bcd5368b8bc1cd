"""What the public register shows, and what nobody can tell from it."""

from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.agreements.models import Agreement
from governance.canonical import write_time
from governance.disclosure.counts import publish
from governance.ledger.events import EventType
from governance.ledger.payloads import (
    AgreementProposed,
    Decided,
    Refused,
    ReleaseRefused,
    Requested,
    RightsClosed,
    RightsOpened,
    Sealed,
)
from governance.oversight.public import PublicRegister, public_register
from governance.oversight.state import Overseen
from tests.governance.oversight.copied import overseen
from tests.governance.world import NOON, Party, World

HASH = "sha256:" + "0" * 64
DECEMBER = datetime(2026, 12, 8, 9, 0, tzinfo=UTC)
HIDDEN = 7  # the largest count that is, by the world's agreement


class County(World):
    """A world in which families' details are released, and people ask for their data."""

    def ask(self, number: int, now: datetime, *, release: bool) -> None:
        """A request about a family, which the police answer, or refuse."""
        police = self.partners[0]
        members = self.members(("1", True, [(police, f"{number:032x}")]))
        request = self.request(
            members,
            id=f"{number:032x}",
            created=write_time(now),
            expires=write_time(now + timedelta(hours=9)),
        )
        approval = Decided(approval=self.approval(request, created=write_time(now)))
        about = request.payload_hash
        self.write(self.hub, EventType.RELEASE_REQUESTED, Requested(request=request), now=now)
        self.write(self.hub, EventType.RELEASE_APPROVED, approval, now=now)
        if release:
            sealed = Sealed(
                request=about, order=HASH, party="police", records=1, ciphertext_sha256=HASH
            )
            self.write(police, EventType.RELEASE_SEALED, sealed, now=now)
        else:
            refusal = ReleaseRefused(request=about, party="police", reason="consent.withdrawn")
            self.write(police, EventType.RELEASE_REFUSED, refusal, now=now)

    def note(self, now: datetime) -> None:
        """Something that is no release: it moves the ledger's clock."""
        payload = Refused(party="police", action="prepare", reason="submission", about=None)
        self.write(self.partners[0], EventType.REFUSED, payload, now=now)


def page(county: World, now: datetime = DECEMBER) -> PublicRegister:
    """The register as somebody sees it at a time."""
    return public_register(overseen(county), now)


@pytest.mark.invariant(21, "every two counts under every threshold of an agreement")
@pytest.mark.parametrize("threshold", [2, 5, 7, 10, 11, 30, 100])
def test_two_published_counts_are_the_same_or_differ_by_the_threshold(threshold: int) -> None:
    """Small ones are one word, nought among them; larger ones are rounded."""
    shown = [publish(count, threshold) for count in range(600)]
    least = max(8, threshold)
    assert {str(each) for each in shown[:least]} == {f"{least - 1} or fewer"}
    numbers = sorted({each.about for each in shown if each.about is not None})
    assert all(each.about is not None for each in shown[least:])
    assert numbers[0] >= least
    assert min(b - a for a, b in pairwise(numbers)) >= least
    for count, each in enumerate(shown):
        assert each.about is None or abs(each.about - count) <= max(each.base // 2, each.base - 1)


def test_anybody_may_read_the_agreement() -> None:
    """Parties, gateways, purposes, items, dates: as they were signed; a draft is not shown."""
    county = County()
    draft = county.agreement.model_copy(update={"version": 2, "title": "A draft"})
    payload = AgreementProposed(agreement=draft)
    county.write(county.council, EventType.AGREEMENT_PROPOSED, payload)
    register = page(county)
    (shown,) = register.agreements
    assert (shown.state, shown.title) == ("in_force", county.agreement.title)
    assert {party.legal_gateway for party in shown.parties} == {"Crime and Disorder Act 1998 s115"}
    assert "date_of_birth" in shown.items
    assert "date_of_birth" not in shown.released
    assert register.figures == ()


@pytest.mark.invariant(21, "the register before and after a release, a refusal, a withdrawal")
def test_a_neighbour_who_watches_the_page_sees_no_event() -> None:
    """The page is the same, byte for byte, before and after each, until the month is over."""
    county = County()
    then = DECEMBER + timedelta(hours=1)
    county.note(DECEMBER - timedelta(days=6))
    before = page(county)
    assert [month.month for month in before.figures[0].months] == ["2026-11"]
    police = county.partners[0]
    grant = county.consent(police, "1" * 32, now=then)
    seen = [page(county, then)]
    county.withdraw(police, grant)
    seen.append(page(county, then))
    for number, release in [(1, True), (2, False), *((number, True) for number in range(10, 20))]:
        county.ask(number, then, release=release)
        seen.append(page(county, then))
    assert {each.model_dump_json() for each in seen} == {before.model_dump_json()}


@pytest.mark.invariant(21, "an entry that states a month which was published")
def test_what_was_published_of_a_month_never_changes() -> None:
    """A late entry, dated back, counts where it came; a month is shown once a later one began."""
    county = County()
    for number in range(12):
        county.ask(number, NOON, release=True)
    assert page(county).figures == ()  # the ledger has no entry of December yet
    county.note(DECEMBER - timedelta(days=6))
    (figures,) = page(county).figures
    assert [(each.month, str(each.released)) for each in figures.months] == [
        ("2026-11", "about 10"),
    ]
    for number in range(20, 40):
        county.ask(number, NOON + timedelta(days=1), release=True)  # dated back to November
    assert page(county).figures == (figures,)
    county.note(datetime(2027, 1, 2, tzinfo=UTC))
    (later,) = page(county, datetime(2027, 1, 9, tzinfo=UTC)).figures
    assert [str(each.released) for each in later.months] == ["about 20", "about 10"]


@pytest.mark.invariant(21, "a month closed by an entry of a stranger, which does not count")
def test_an_entry_that_does_not_count_moves_no_clock() -> None:
    """Who may not write closes no month, and makes nothing count in another."""
    county = County()
    county.ask(1, NOON, release=True)
    state = overseen(county)
    payload = Refused(party="police", action="prepare", reason="submission", about=None)
    later = NOON + timedelta(days=40)
    state.apply(Party("stranger").author(later).write(EventType.REFUSED, payload))
    assert not state.admitted(state.size - 1)
    assert state.chronicle.clock == write_time(NOON)
    assert public_register(state, DECEMBER).until == ""


def test_a_month_is_shown_a_week_after_its_end() -> None:
    """Whoever watches for the first entry of a month sees nothing of it."""
    county = County()
    county.note(DECEMBER - timedelta(days=7, hours=1))
    assert page(county, DECEMBER - timedelta(days=1)).until == ""
    assert page(county, DECEMBER).until == "2026-11"


def test_a_request_counts_once_however_many_answer() -> None:
    """Refused by one partner and then released by another is both; sealed twice is one."""
    county = County()
    county.ask(1, NOON, release=False)
    nhs, about = county.partners[1], next(iter(overseen(county).releases.requests))
    for party in (nhs, county.council):
        sealed = Sealed(
            request=about, order=HASH, party=party.name, records=1, ciphertext_sha256=HASH
        )
        county.write(party, EventType.RELEASE_SEALED, sealed)
    happened = overseen(county).chronicle.happened
    assert happened == {
        ("2026-11", "county-families", "refused"): 1,
        ("2026-11", "county-families", "released"): 1,
    }


@pytest.mark.invariant(21, "a laxer version of the agreement after a month was published")
def test_a_laxer_threshold_publishes_nothing_anew() -> None:
    """The strictest until a month's end holds for it, and for later ones."""
    county = County()
    strict = county.agreement.model_dump() | {"version": 2, "suppression_threshold": 20}
    agree(county, strict)
    for number in range(12):
        county.ask(number, NOON, release=True)
    county.note(DECEMBER - timedelta(days=6))
    before = page(county).figures
    agree(county, strict | {"version": 3, "suppression_threshold": 9})
    assert page(county).figures == before
    assert str(before[0].months[0].released) == "19 or fewer"


def agree(county: County, data: dict[str, object]) -> None:
    """All sign another version, which is the one of later requests."""
    county.agreement = Agreement.model_validate(data | {"supersedes": county.agreement_hash})
    payload = AgreementProposed(agreement=county.agreement)
    county.write(county.council, EventType.AGREEMENT_PROPOSED, payload)
    for party in county.partners:
        county.sign_agreement(party)


@cache
def closed_year() -> Overseen:
    """A ledger in which 2026 and all of its months are over."""
    county = County()
    county.note(datetime(2027, 1, 2, tzinfo=UTC))
    return overseen(county)


@given(
    hidden=st.lists(st.integers(0, HIDDEN), min_size=4, max_size=4),
    other=st.lists(st.integers(0, HIDDEN), min_size=4, max_size=4),
    shown=st.integers(HIDDEN + 1, 400),
)
@pytest.mark.invariant(21, "every hidden cell of the register put to any other small count")
def test_no_hidden_count_follows_from_what_is_shown(
    hidden: list[int], other: list[int], shown: int
) -> None:
    """Beside any shown count, every table of hidden ones gives the same page: no total tells."""
    pages = []
    for cells in (hidden, other):
        state = closed_year()
        state.chronicle.happened.clear()
        id_ = "county-families"
        for month, what, count in [
            ("2026-11", "released", cells[0]), ("2026-11", "refused", shown),
            ("2026-12", "released", shown), ("2026-12", "refused", cells[1]),
            ("2026-11", "rights.access", shown), ("2026-12", "rights.erasure", cells[2]),
            ("2026-11", "rights.objection", cells[3]),
        ]:  # fmt: skip
            state.chronicle.happened[month, id_, what] = count
        pages.append(public_register(state, datetime(2027, 1, 9, tzinfo=UTC)).model_dump_json())
    assert pages[0] == pages[1]


def test_rights_are_told_by_the_year_and_only_of_many() -> None:
    """Nine requests for access, two answered late: the two are hidden, half took two weeks."""
    county = County()
    police = county.partners[0]
    for number in range(9):
        opened = RightsOpened(
            agreement=county.agreement_hash, party="police", kind="access",
            received="2026-11-22", due="2026-12-20",
        )  # fmt: skip
        event = county.write(police, EventType.RIGHTS_OPENED, opened)
        days = 30 if number < 2 else 9
        closed = RightsClosed(outcome="done", reason=None)
        county.write(
            police, EventType.RIGHTS_CLOSED, closed, (event.leaf.id,), NOON + timedelta(days=days)
        )
    assert page(county, datetime(2026, 12, 30, tzinfo=UTC)).figures[0].years == ()
    county.note(datetime(2027, 1, 2, tzinfo=UTC))
    (figures,) = page(county, datetime(2027, 1, 9, tzinfo=UTC)).figures
    (year,) = figures.years
    access, *others = year.rights
    assert (year.year, str(access.asked), str(access.late)) == ("2026", "about 10", "7 or fewer")
    assert access.half_within_weeks == 2
    assert {str(each.asked) for each in others} == {"7 or fewer"}
    assert all(each.half_within_weeks is None for each in others)
