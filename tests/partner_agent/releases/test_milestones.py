"""From sixteen on a young person's own yes is needed, by the partner's own date of birth."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from governance.canonical import utc_now
from partner_agent.releases.milestones import birthday, is_of
from partner_agent.vault.occurrences import Occurrences
from partner_agent.vault.store import Row
from tests.hub_world import HubWorld, hub_world_in
from tests.partner_agent.consent_world import decide, hold, run
from tests.partner_agent.releases.test_desk import (
    approve,
    ask,
    both_agree,
    consent,
    submit_and_link,
)

PARENT = {"capacity": "parental_responsibility", "parental_basis": "birth_registration"}


def born(years: int, *, days: int = 0) -> str:
    """A date of birth: so many years before today and so many days later."""
    today = utc_now().date() + timedelta(days=days)
    return (birthday(today.isoformat(), -years) or today).isoformat()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[HubWorld]:
    """A council that has submitted a mother and her child."""
    with hub_world_in(tmp_path) as found:
        submit_and_link(found)
        yield found


def grow_up(world: HubWorld, date_of_birth: str) -> None:
    """Let the vault know the child as born on another day than the hub believes."""
    vault = world.agents["council"].vault
    (handle,) = vault.find("council_records", "A2")
    row = vault.get(handle)
    clean = row.clean | {"date_of_birth": date_of_birth}
    vault.put(
        "council_records",
        [Row("A2", clean, row.source, protected=False)],
        utc_now().date(),
        Occurrences(),
    )


def answer(world: HubWorld, date_of_birth: str, *, waits: bool = False) -> str | None:
    """Ask for the family, whose child is as old as that; why it is refused, if it is.

    Args:
        world: the world.
        date_of_birth: as the council's vault has it when the order comes.
        waits: whether the order is sealed before, and the items wait for the hub.
    """
    request = ask(world).json()["id"]
    approve(world, request)
    agent = world.agents["council"]
    if waits:
        with pytest.MonkeyPatch.context() as away:
            away.setattr(agent.desk, "deliver", lambda _hub: [])
            agent.desk.answer_all(agent.hub)
    grow_up(world, date_of_birth)
    answers, _ = agent.desk.answer_all(agent.hub)
    (found,) = (item for item in answers if item.request == request)
    assert found.sealed is (found.reason is None)
    told = agent.ledger.sync().releases.requests[request].refused_by
    assert told == ({} if found.sealed else {"council": "release.local"})
    return found.reason


@pytest.mark.invariant(2, "a parent's word for somebody of sixteen, also by a birthday meanwhile")
def test_a_parents_word_alone_ends_at_sixteen(world: HubWorld) -> None:
    """On the day before it does; on the birthday not; sealed before and held up, not either."""
    both_agree(world)
    assert answer(world, born(16, days=1)) is None
    assert answer(world, born(16), waits=True) == "release.own_word"
    assert answer(world, born(16)) == "release.own_word"
    consent(world, "A2")  # the young person, for themself
    assert answer(world, born(16)) is None


@pytest.mark.parametrize(
    ("date_of_birth", "today", "old"),
    [
        ("2010-11-28", date(2026, 11, 28), True), ("2010-11-29", date(2026, 11, 28), False),
        ("2008-02-29", date(2025, 2, 28), True), ("2009-03-01", date(2025, 2, 28), False),
        ("2012-02-29", date(2028, 2, 29), True), ("", date(2026, 11, 28), False),
        ("unknown", date(2026, 11, 28), False),
    ],
)  # fmt: skip
def test_who_is_sixteen(date_of_birth: str, today: date, old: bool) -> None:
    """To the day, leap days too; nobody whose date of birth is not known."""
    assert is_of(date_of_birth, 16, today) is old


def test_a_leap_day_is_kept_on_the_first_of_march() -> None:
    """In a year without 29 February."""
    assert birthday("2008-02-29", 18) == date(2026, 3, 1)


def test_milestones_are_listed_beforehand_and_expiry_too(hub_world: HubWorld) -> None:
    """Parents' consents whose child reaches 16 or 18, without any birthday; what ends soon."""
    hold(
        hub_world,
        ("M1", {"date_of_birth": born(16, days=30)}), ("M2", {"date_of_birth": born(17)}),
        ("M3", {"date_of_birth": born(10)}), ("M4", {}), ("M5", {"date_of_birth": born(16)}),
    )  # fmt: skip
    numbers = {case: decide(hub_world, case, **PARENT)[0] for case in ("M1", "M2", "M3", "M4")}
    decide(hub_world, "M5")
    code, out, err = run(hub_world, "--json", "consent", "milestones", "--within", "60")
    told = json.loads(out)
    assert code == 0, err
    assert [(one["grant"], one["years"], one["passed"]) for one in told["milestones"]] == [
        (numbers["M2"], 16, True), (numbers["M1"], 16, False),
    ]  # fmt: skip
    assert told["date_of_birth_unknown"] == 1
    assert not any(born(16, days=30) in text for text in (out, err))
    soon = json.loads(run(hub_world, "--json", "consent", "list", "--expiring", "301")[1])["grants"]
    assert len(soon) == 5
    assert json.loads(run(hub_world, "--json", "consent", "list", "--expiring", "299")[1]) == {
        "grants": []
    }


def test_every_state_is_reached_by_a_command(hub_world: HubWorld) -> None:
    """Requested, given, refused, reaffirmed, withdrawn, invalidated, terminated, expired."""
    notice = hub_world.root / "notice.txt"
    notice.write_text("notice", "utf-8")
    cases = ("requested", "given", "refused", "reaffirm", "withdraw", "invalidate", "terminate",
             "expired")  # fmt: skip
    hold(hub_world, *((case, {}) for case in cases))
    tomorrow = (utc_now() + timedelta(days=1)).date().isoformat()
    numbers = {}
    for case in cases:
        state = case if case in {"requested", "refused"} else "given"
        code, out, err = run(
            hub_world, "--json", "consent", "record", "--source", "council_records", "--record-id",
            case, "--expires", tomorrow, "--method", "in_person", "--notice", notice, "--state",
            state,
        )  # fmt: skip
        assert code == 0, err
        (numbers[case],) = json.loads(out)["grants"]
    for case in ("reaffirm", "withdraw", "invalidate", "terminate"):
        code, _, err = run(hub_world, "consent", case, numbers[case])
        assert code == 0, err
    agent = hub_world.agents["council"]
    grants = agent.ledger.sync().consents.grants
    now, later = utc_now(), utc_now() + timedelta(days=2)
    states = [grants[numbers[case]].state(now).value for case in cases[:-1]]
    assert states == [
        "requested", "given", "refused", "reaffirmed", "withdrawn", "invalidated", "terminated",
    ]  # fmt: skip
    assert grants[numbers["expired"]].state(later).value == "expired"
    code, _, err = run(hub_world, "consent", "reaffirm", numbers["withdraw"])
    assert code != 0
    assert "only a grant that stands" in err
