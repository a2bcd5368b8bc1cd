"""A link run waits for partners' answers, survives their absence, and never asks twice."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from governance.canonical import utc_now
from linkage_hub.store.tables import jobs
from tests.hub_world import HubWorld
from tests.refinement_world import allow, answer, person, refining_world, send, start, view

SAME = range(30)
POLICE = [person(n) for n in SAME] + [person(n) for n in range(40, 45)]
COUNCIL = [person(n, first="Zed") for n in SAME] + [person(n) for n in range(50, 55)]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[HubWorld]:
    """Police and council, thirty people in both."""
    with refining_world(tmp_path, POLICE, COUNCIL) as found:
        yield found


def test_a_run_calibrates_decides_and_finishes(world: HubWorld) -> None:
    """Two rounds are answered by both parties, counted in the ledger, and make persons."""
    run = start(world)
    assert (run["state"], run["phase"]) == ("waiting", "calibrate")
    assert run["waiting_for"] == ["council", "police"]
    assert answer(world, "police") == []
    assert view(world, run["id"])["waiting_for"] == ["council"]
    assert answer(world, "council") == []
    run = view(world, run["id"])
    assert (run["state"], run["phase"]) == ("waiting", "decide")
    answer(world, "police", "council")
    run = view(world, run["id"])
    assert run["state"] == "finished", run
    assert run["pairs_asked"] == run["pairs_answered"] > 60
    assert run["pairs_undecided"] == 0
    assert 38 <= run["persons"] <= 42
    listed = world.call("analyst", "GET", f"/v1/review/{world.agreement.hash}").json()["pairs"]
    assert all(pair["views"][0]["view"] == "full" for pair in listed)
    assert {pair["answer"] for pair in listed} & {"yes", "no"}
    state = world.hub.ledger.sync()
    rounds = list(state.refinement.rounds.values())
    assert [each.opened.kind.value for each in rounds] == ["calibrate", "decide"]
    for each in rounds:
        assert set(each.answered) == {"police", "council"}
        assert all(said.answered == said.asked for said in each.answered.values())
    assert not state.rejected


def test_decided_pairs_hold_in_the_next_run(world: HubWorld) -> None:
    """With the same submissions nothing is asked that was decided, and the persons are the same."""
    first = start(world)
    answer(world, "police", "council")
    answer(world, "police", "council")
    second = start(world)
    if second["state"] == "waiting":
        answer(world, "police", "council")
        second = view(world, second["id"])
    assert second["state"] == "finished"
    assert second["persons"] == view(world, first["id"])["persons"]
    notes = world.agents["police"].rounds.all()
    assert not any("refinement.asked_before" in note.refused for note in notes)


def test_a_partner_that_never_answers_holds_nothing_up(world: HubWorld) -> None:
    """When the time is over the run goes on, and says how many pairs nobody answered."""
    run = start(world)
    answer(world, "police", "council")
    answer(world, "police")
    assert view(world, run["id"])["state"] == "waiting"
    world.work()
    assert view(world, run["id"])["waiting_for"] == ["council"]
    later(world, timedelta(hours=3))
    world.work()
    run = view(world, run["id"])
    assert run["state"] == "finished"
    assert run["pairs_undecided"] > 30
    assert answer(world, "council") == []


def test_what_nobody_answered_is_asked_again(world: HubWorld) -> None:
    """Pairs that neither end said anything to are open in the next run, and in no other way."""
    first = start(world)
    answer(world, "police", "council")
    later(world, timedelta(hours=3))
    world.work()
    first = view(world, first["id"])
    assert first["state"] == "finished"
    assert first["pairs_undecided"] > 30
    later(world, timedelta(0))
    second = start(world)
    assert (second["state"], second["phase"]) == ("waiting", "decide")
    answer(world, "police", "council")
    second = view(world, second["id"])
    assert (second["state"], second["pairs_undecided"]) == ("finished", 0)
    assert second["pairs_answered"] > 60
    notes = world.agents["police"].rounds.all()
    assert not any("refinement.asked_before" in note.refused for note in notes)


def test_runs_of_one_day_share_a_budget(tmp_path: Path) -> None:
    """The hub asks what an earlier run of the day has left, so that no agent refuses a round."""
    with refining_world(
        tmp_path, POLICE, COUNCIL, lambda data: allow(data, refinement_pairs_per_run=40)
    ) as world:
        first = start(world)
        answer(world, "police", "council")
        answer(world, "police", "council")
        assert view(world, first["id"])["state"] == "finished"
        assert start(world)["pairs_asked"] == 0
        notes = world.agents["police"].rounds.all()
        assert sum(note.asked for note in notes) == 40
        assert {note.state for note in notes} == {"done"}
        world.hub.refinement._now = lambda: utc_now() + timedelta(hours=25)
        assert start(world)["pairs_asked"] > 0


def test_another_run_cannot_start_meanwhile(world: HubWorld) -> None:
    """A second run under the agreement is refused while the first one waits."""
    start(world)
    answer_ = world.call("analyst", "POST", "/v1/runs", json={"agreement": world.agreement.hash})
    assert (answer_.status_code, answer_.json()["reason"]) == (409, "run.in_progress")


def test_a_replaced_submission_changes_nothing_in_a_waiting_run(world: HubWorld) -> None:
    """The run goes on with what it started from; questions about what was replaced are refused."""
    run = start(world)
    send(world, world.agents["council"], COUNCIL[:-20])
    answer(world, "police", "council")
    answer(world, "police", "council")
    run = view(world, run["id"])
    assert run["state"] == "finished"
    assert run["records"] == len(POLICE) + len(COUNCIL)
    notes = world.agents["council"].rounds.all()
    assert any("refinement.replaced" in note.refused for note in notes)
    assert run["pairs_undecided"] > 0
    assert not list((world.hub.home / "runs").glob("*"))


def test_without_permission_nothing_is_asked(tmp_path: Path) -> None:
    """An agreement without the action links as before."""
    with refining_world(tmp_path, POLICE, COUNCIL, lambda _data: None) as world:
        run = start(world)
        assert (run["state"], run["pairs_asked"]) == ("finished", 0)
        assert not world.hub.ledger.sync().refinement.rounds


def test_without_calibration_nothing_is_decided(tmp_path: Path) -> None:
    """Where no levels may be asked and none are known, the run goes on without questions."""
    with refining_world(
        tmp_path, POLICE, COUNCIL, lambda data: allow(data, calibration_share=0)
    ) as world:
        assert start(world)["state"] == "finished"


def later(world: HubWorld, by: timedelta) -> None:
    """Let the hub's clocks go on."""

    def now() -> datetime:
        return utc_now() + by

    world.hub.rounds._now = now
    with world.hub.database.writing() as connection:
        connection.execute(update(jobs).values(not_before=jobs.c.not_before - by.total_seconds()))
