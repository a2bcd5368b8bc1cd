"""From sixteen on a young person's own yes is needed, by the partner's own date of birth."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from governance.canonical import utc_now
from partner_agent.releases.milestones import birthday, is_of
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
        Counter(),
    )


@pytest.mark.invariant(2, "a parent's word for somebody of sixteen")
@pytest.mark.parametrize(
    ("date_of_birth", "own", "sealed"),
    [(born(16, days=1), False, True), (born(16), False, False), (born(16), True, True)],
)
def test_a_parents_word_alone_ends_at_sixteen(
    world: HubWorld, date_of_birth: str, own: bool, sealed: bool
) -> None:
    """On the day before it does, on the birthday it does not, unless the young person agrees."""
    both_agree(world)
    if own:
        consent(world, "A2")
    request = ask(world).json()["id"]
    approve(world, request)
    grow_up(world, date_of_birth)
    agent = world.agents["council"]
    answers, _ = agent.desk.answer_all(agent.hub)
    assert [(item.sealed, item.reason) for item in answers] == [
        (sealed, None if sealed else "release.own_word")
    ]
    if not sealed:
        refused = agent.ledger.sync().releases.requests[request].refused_by
        assert refused == {"council": "release.local"}


@pytest.mark.invariant(2, "a birthday while sealed items wait")
def test_a_birthday_takes_back_what_has_not_left(
    world: HubWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sealed the evening before, and held up until the young person is sixteen: not released."""
    both_agree(world)
    request = ask(world).json()["id"]
    approve(world, request)
    agent = world.agents["council"]
    with monkeypatch.context() as away:
        away.setattr(agent.desk, "deliver", lambda _hub: [])
        agent.desk.answer_all(agent.hub)
    grow_up(world, born(16))
    answers, _ = agent.desk.answer_all(agent.hub)
    assert [(item.sealed, item.reason) for item in answers] == [(False, "release.own_word")]


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


def test_milestones_are_listed_beforehand_and_expiry_too(world: HubWorld) -> None:
    """Parents' consents whose child reaches 16 or 18, without any birthday; what ends soon."""
    hold(
        world,
        ("M1", {"date_of_birth": born(16, days=30)}), ("M2", {"date_of_birth": born(17)}),
        ("M3", {"date_of_birth": born(10)}), ("M4", {}), ("M5", {"date_of_birth": born(16)}),
    )  # fmt: skip
    numbers = {case: decide(world, case, **PARENT)[0] for case in ("M1", "M2", "M3", "M4")}
    decide(world, "M5")
    code, out, err = run(world, "--json", "consent", "milestones", "--within", "60")
    told = json.loads(out)
    assert code == 0, err
    assert [(one["grant"], one["years"], one["passed"]) for one in told["milestones"]] == [
        (numbers["M2"], 16, True), (numbers["M1"], 16, False),
    ]  # fmt: skip
    assert told["date_of_birth_unknown"] == 1
    assert not any(born(16, days=30) in text for text in (out, err))
    soon = json.loads(run(world, "--json", "consent", "list", "--expiring", "31")[1])["grants"]
    assert len(soon) == 5
    assert json.loads(run(world, "--json", "consent", "list", "--expiring", "29")[1]) == {
        "grants": []
    }


def test_every_state_is_reached_by_a_command(world: HubWorld) -> None:
    """Requested, given, refused, reaffirmed, withdrawn, invalidated, terminated, expired."""
    notice = world.root / "notice.txt"
    notice.write_text("notice", "utf-8")
    cases = ("requested", "given", "refused", "reaffirm", "withdraw", "invalidate", "terminate",
             "expired")  # fmt: skip
    hold(world, *((case, {}) for case in cases))
    tomorrow = (utc_now() + timedelta(days=1)).date().isoformat()
    numbers = {}
    for case in cases:
        state = case if case in {"requested", "refused"} else "given"
        code, out, err = run(
            world, "--json", "consent", "record", "--source", "council_records", "--record-id",
            case, "--expires", tomorrow, "--method", "in_person", "--notice", notice, "--state",
            state,
        )  # fmt: skip
        assert code == 0, err
        (numbers[case],) = json.loads(out)["grants"]
    for case in ("reaffirm", "withdraw", "invalidate", "terminate"):
        code, _, err = run(world, "consent", case, numbers[case])
        assert code == 0, err
    agent = world.agents["council"]
    grants = agent.ledger.sync().consents.grants
    now, later = utc_now(), utc_now() + timedelta(days=2)
    states = [grants[numbers[case]].state(now).value for case in cases[:-1]]
    assert states == [
        "requested", "given", "refused", "reaffirmed", "withdrawn", "invalidated", "terminated",
    ]  # fmt: skip
    assert grants[numbers["expired"]].state(later).value == "expired"
    code, _, err = run(world, "consent", "reaffirm", numbers["withdraw"])
    assert code != 0
    assert "only a grant that stands" in err
