"""A hub that holds an older submission has nothing more worked out about who opted out since."""

import csv
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from governance.exchange.hub_client import HubClient
from partner_agent.extracts.mapping import build_mapping
from partner_agent.extracts.reader import open_extract
from partner_agent.linkage_secret import load_keys
from partner_agent.submissions.prepare import Workshop, prepare
from partner_agent.submissions.upload import submit
from tests.hub_world import HubWorld
from tests.partner_agent.refinement.test_desk import LyingHub, ask, handle, manifest, notes, states
from tests.refinement_world import HEADER, AgentCore, person, refining_world

ROWS = [person(n) for n in range(20)]
ANN = 3
OTHER = b"\x05" * 16


class Seen(AgentCore):
    """The arithmetic, which remembers every row that it is given."""

    def __init__(self) -> None:
        self.rows: list[Mapping[str, str]] = []

    def profile(self, rows: Iterable[Mapping[str, str]]) -> dict[str, Any]:
        """How many rows."""
        return super().profile(self._seen(rows))

    def answerer(self, *arguments: Any) -> AgentCore:
        """Itself, once it has the rarity of values."""
        list(self._seen(arguments[-1]))
        return self

    def answer(
        self, handles: Sequence[bytes], rows: Sequence[Mapping[str, str]], *others: Any
    ) -> Any:
        """One real token and three random ones."""
        return super().answer(handles, list(self._seen(rows)), *others)

    def _seen(self, rows: Iterable[Mapping[str, str]]) -> Iterator[Mapping[str, str]]:
        for row in rows:
            self.rows.append(row)
            yield row


def opt_out(world: HubWorld, number: int, seconds: int = 0) -> None:
    """The police prepare their next extract, so much later, in which somebody has opted out."""
    police = world.agents["police"]
    file = world.root / "opted_out.csv"
    rows = [person(n, protected="Y" if n == number else "N") for n in range(len(ROWS))]
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([HEADER, *rows])
    mapping = build_mapping(
        {
            "source": "police_records",
            "record_id": "ID",
            "columns": {
                "first_name": "FIRST", "surname": "LAST", "date_of_birth": "DOB",
                "address": "ADDR", "postcode": "PC",
            },
            "opt_out": {"column": "PROT", "equals": ["Y"]},
        }
    )  # fmt: skip
    standing = police.standing(police.ledger.sync())
    keys = load_keys(police.home, standing.agreement, None)
    workshop = Workshop(
        police.home, police.secrets, police.database, police.vault, police.synthetic, keys,
        lambda: police.now() + timedelta(seconds=seconds),
    )  # fmt: skip
    done = prepare(workshop, standing, open_extract(file), mapping)
    assert done.manifest.counts.opted_out == 1


@pytest.fixture
def world(tmp_path: Path) -> Iterator[HubWorld]:
    """Both partners have submitted, and Ann was among the people."""
    with refining_world(tmp_path, ROWS, ROWS) as found:
        yield found


def asked(world: HubWorld, older: str, ann: bytes) -> tuple[LyingHub, Seen]:
    """The hub asks about Ann and another in the older submission, and for what is typical of it."""
    police = world.agents["police"]
    police.core = seen = Seen()
    police.__dict__.pop("questions", None)
    hub = LyingHub(world)
    hub.profiles_wanted = True
    questions = ask((ann, OTHER), (handle(world, ANN + 1), OTHER))
    both = [manifest(world, "council"), older]
    run = secrets.token_hex(16)  # twice in a second it would be the same round
    hub.show(questions, submissions=both, kind="calibrate", parameters={}, run=run)
    assert police.questions.answer_all(_as_hub(hub)) == []
    return hub, seen


def _as_hub(hub: LyingHub) -> HubClient:
    return hub  # type: ignore[return-value]


def encoded(seen: Seen) -> set[str]:
    """Surnames that reached the arithmetic."""
    return {row["surname"].lower() for row in seen.rows}


@pytest.mark.invariant(14, "a hub that keeps its verdict back", double="withholds")
def test_a_hub_that_keeps_its_verdict_back_asks_in_vain(world: HubWorld) -> None:
    """The submission that it holds stays in force, and Ann is in it: her row is not opened."""
    older, ann = manifest(world, "police"), handle(world, ANN)
    opt_out(world, ANN)
    hub, seen = asked(world, older, ann)
    assert sum(states(hub)) == 1
    assert notes(hub).refused == {"refinement.unusable": 1}
    assert person(ANN)[2].lower() not in encoded(seen)
    assert person(ANN + 1)[2].lower() in encoded(seen)


@pytest.mark.invariant(14, "a hub that asks before the extract is prepared anew", double="slow")
def test_between_a_check_and_the_next_extract_nothing_is_answered(world: HubWorld) -> None:
    """Ann has opted out, as the check says that was imported just now; her row is there still."""
    older, ann, police = manifest(world, "police"), handle(world, ANN), world.agents["police"]
    soon = police.now() + timedelta(seconds=5)
    police.opt_outs.replace("police_records", ["9434765919"], police.now().date(), soon)
    hub, seen = asked(world, older, ann)
    assert sum(states(hub)) == 0
    assert notes(hub).refused == {"refinement.replaced": 2}
    assert seen.rows == []
    opt_out(world, ANN, seconds=10)
    hub, seen = asked(world, older, ann)
    assert sum(states(hub)) == 1
    assert person(ANN)[2].lower() not in encoded(seen)


@pytest.mark.invariant(14, "a hub that asks by a submission that was replaced", double="replays")
def test_a_replaced_submission_is_asked_by_in_vain(world: HubWorld) -> None:
    """Nothing of it is answered, Ann's row or another's."""
    older, ann, police = manifest(world, "police"), handle(world, ANN), world.agents["police"]
    opt_out(world, ANN)
    (item,) = (each for each in police.outbox.newest() if each.state == "prepared")
    submit(police.hub, police.outbox, item, wait=lambda _seconds: world.work())
    hub, seen = asked(world, older, ann)
    assert sum(states(hub)) == 0
    assert notes(hub).refused == {"refinement.replaced": 2}
    assert seen.rows == []
