"""What a partner may hand in: once, in the agreed form, in time; garbage never holds a run up.

The tests share a round that waits for both parties; the last of them ends it.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from governance.canonical import utc_now
from governance.exchange.refinement import RoundItem, RoundList
from governance.exchange.refinement_bodies import QUESTION
from tests.hub_world import HubWorld
from tests.refinement_world import SIZE, answer, person, refining_world, start, view

ROWS = [person(n) for n in range(30)]


@contextmanager
def waiting(folder: Path) -> Iterator[HubWorld]:
    """A run that waits for decisions by both parties."""
    with refining_world(folder, ROWS, ROWS) as found:
        start(found)
        answer(found, "police", "council")
        yield found


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubWorld]:
    """One for all tests."""
    with waiting(tmp_path_factory.mktemp("rounds")) as found:
        yield found


def the_round(world: HubWorld, party: str = "police") -> RoundItem:
    """The open round as a party sees it."""
    (item,) = world.agents[party].hub.rounds().rounds
    return item


def post(world: HubWorld, what: str, party: str = "police", **arguments: Any) -> httpx.Response:
    """A party's post about the open round."""
    keys = world.agents[party].secrets
    path = f"/v1/rounds/{the_round(world).round.payload_hash}/{what}"
    return world.request(keys.keys.thumbprint, keys.signing_key, "POST", path, **arguments)


def count(world: HubWorld) -> int:
    """Questions in the police's first batch."""
    hub = world.agents["police"].hub
    return len(hub.questions(the_round(world).round.payload_hash, 0)) // QUESTION.itemsize


def noise(questions: int) -> bytes:
    """Answers of the right form that mean nothing."""
    table = np.zeros((questions, 1 + SIZE), dtype=np.uint8)
    table[:, 1:] = np.frombuffer(secrets.token_bytes(questions * SIZE), np.uint8).reshape(-1, SIZE)
    return table.tobytes()


def bad(questions: int) -> list[bytes]:
    """Bodies that no agent makes."""
    good = noise(questions)
    state = bytearray(good)
    state[0] = 7
    refused = bytearray(good)
    refused[0] = 1  # and yet an answer
    return [b"", good[:-1], good + b"\0", bytes(state), bytes(refused), bytes(len(good)),
            noise(1) * questions, b"{}", bytes([255]) * len(good)]  # fmt: skip


def test_rounds_and_batches_that_are_not_there_are_unknown(world: HubWorld) -> None:
    """A party sees its own questions and no others."""
    assert post(world, "answers/1", content=b"").status_code == 404
    hub_keys = world.hub.secrets
    path = f"/v1/rounds/{the_round(world).round.payload_hash}/questions/0"
    answered = world.request(hub_keys.keys.thumbprint, hub_keys.signing_key, "GET", path)
    assert (answered.status_code, answered.json()["reason"]) == (404, "refinement.unknown")


def test_profiles_are_wanted_in_calibration_only(world: HubWorld) -> None:
    """A round that decides takes no profiles."""
    assert post(world, "profiles", json={"profiles": []}).status_code == 404


def test_nothing_is_taken_after_the_round_has_closed(
    world: HubWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Late answers are told so, and the round is shown to nobody."""
    body, item = noise(count(world)), the_round(world)
    monkeypatch.setattr(world.hub.rounds, "_now", lambda: utc_now() + timedelta(hours=3))
    keys = world.agents["police"].secrets
    path = f"/v1/rounds/{item.round.payload_hash}/answers/0"
    answered = world.request(keys.keys.thumbprint, keys.signing_key, "POST", path, content=body)
    assert (answered.status_code, answered.json()["reason"]) == (409, "refinement.closed")
    assert world.agents["police"].hub.rounds() == RoundList(rounds=())


def test_a_refusal_of_the_round_lets_the_run_go_on(tmp_path: Path) -> None:
    """A partner that answers nothing says why; its pairs are undecided."""
    with waiting(tmp_path) as world:
        run = world.call("analyst", "GET", "/v1/runs").json()["runs"][0]["id"]
        answer(world, "council")
        assert view(world, run)["waiting_for"] == ["police"]
        assert post(world, "refusal", json={"reason": "refinement.budget"}).status_code == 204
        world.work()
        found = view(world, run)
        assert found["state"] == "finished"
        assert found["pairs_undecided"] > 0


def test_garbage_is_refused_and_noise_decides_nothing_wrongly(world: HubWorld) -> None:
    """Wrong sizes, states and repeated answers are 422, and a proper answer is taken after them.

    Repeating it is fine; answering otherwise is a conflict, also once it is over. A partner that
    answers at random matches nobody, and the run finishes.
    """
    run = world.call("analyst", "GET", "/v1/runs").json()["runs"][0]["id"]
    for body in bad(count(world)):
        answered = post(world, "answers/0", content=body)
        assert (answered.status_code, answered.json()["reason"]) == (422, "refinement.garbage")
    body, item = noise(count(world)), the_round(world).round.payload_hash
    assert post(world, "answers/0", content=body).status_code == 204
    keys = world.agents["police"].secrets

    def again() -> None:
        for content, status in ((body, 204), (noise(len(body) // (1 + SIZE)), 409)):
            answered = world.request(
                keys.keys.thumbprint, keys.signing_key, "POST", f"/v1/rounds/{item}/answers/0",
                content=content,
            )  # fmt: skip
            assert answered.status_code == status

    again()
    answer(world, "council")
    found = view(world, run)
    assert found["state"] == "finished"
    assert found["pairs_undecided"] == 0
    again()
