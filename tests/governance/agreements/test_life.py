"""One function says where an agreement is in its life, and never differs from what is refused."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from governance.agreements.errors import AgreementRefusal
from governance.agreements.life import REVIEW_NOTICE, Life, LifeState, draft, life
from governance.agreements.models import Agreement
from governance.agreements.policy import Standing, in_force
from tests.governance.world import Party, agreement_data

AGREEMENT = Agreement.model_validate(
    agreement_data([Party("police"), Party("nhs"), Party("council")])
)
EVERYONE = ("police", "nhs", "council")
DAYS = st.dates(date(2026, 9, 1), date(2028, 1, 1))


def on(day: str, **changes: object) -> Life:
    """Its life at noon of a day."""
    fields = {
        "agreement": AGREEMENT,
        "signed_by": frozenset(EVERYONE),
        "suspended_by": frozenset(),
        "superseded": False,
    }
    noon = datetime.fromisoformat(f"{day}T12:00:00+00:00")
    return life(Standing(**(fields | changes)), noon)  # type: ignore[arg-type]


def test_an_agreement_goes_from_draft_to_its_end() -> None:
    """Every state of DESIGN 3, in the order of a life."""
    assert draft().state is LifeState.DRAFT
    assert on("2026-10-15", signed_by=frozenset()).state is LifeState.REVIEW
    assert on("2026-10-15").state is LifeState.SIGNED
    assert on("2026-11-01").state is LifeState.IN_FORCE
    assert on("2027-03-03").state is LifeState.REVIEW_DUE
    assert on("2027-05-02").state is LifeState.REVIEW_OVERDUE
    assert on("2026-12-01", suspended_by=frozenset({"nhs"})).state is LifeState.SUSPENDED
    assert on("2026-12-01", superseded=True).state is LifeState.SUPERSEDED
    assert on("2027-11-01").state is LifeState.EXPIRED


def test_each_state_says_who_does_what_and_by_when() -> None:
    """Who has not signed, who suspended, and the day of the review."""
    review = on("2026-10-15", signed_by=frozenset({"police"}))
    assert (review.who, review.by) == (("nhs", "council"), date(2026, 11, 1))
    assert on("2026-12-01", suspended_by=frozenset({"nhs"})).who == ("nhs",)
    due = on("2027-03-03")
    assert (due.who, due.by) == (EVERYONE, date(2027, 5, 1))
    assert "version 2" in due.next_step
    assert on("2026-12-01").by == date(2027, 5, 1)
    assert on("2027-11-01").who == EVERYONE


def test_a_review_is_due_sixty_days_before_its_day() -> None:
    """The sixtieth day before is the first; on the day itself it still permits."""
    review = date(2027, 5, 1)
    first = review - REVIEW_NOTICE
    assert on((first - timedelta(days=1)).isoformat()).state is LifeState.IN_FORCE
    assert on(first.isoformat()).state is LifeState.REVIEW_DUE
    assert on(review.isoformat()).permits


@given(
    day=DAYS,
    signed=st.sets(st.sampled_from(EVERYONE)),
    suspended=st.sets(st.sampled_from(EVERYONE)),
    superseded=st.booleans(),
)
def test_what_is_shown_is_what_is_refused(
    day: date, signed: set[str], suspended: set[str], superseded: bool
) -> None:
    """Whatever happened, the state permits exactly when nothing is refused, with the same code."""
    standing = Standing(AGREEMENT, frozenset(signed), frozenset(suspended), superseded)
    now = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    shown = life(standing, now)
    refused = ""
    try:
        in_force(standing, now)
    except AgreementRefusal as refusal:
        refused = refusal.reason
    assert (shown.reason, shown.permits) == (refused, not refused)
