"""Two agents with submissions and a hub that refines, with an arithmetic of the tests' own.

The placeholder's one rule: records agree when surname and date of birth are the same. What the
tests hold is the protocol around it. Encodings are the same in every run: a new secret would let a
few dozen records resemble each other otherwise each time, and now and then link two people.
"""

import contextlib
import csv
import hmac
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import update

from governance.canonical import canonical_bytes, utc_now, write_time
from governance.ledger.payloads import RoundKind
from governance.refinement.errors import ParametersRefused
from linkage_hub.linkage.weighing import Weighed
from linkage_hub.refinement.pairs import PAIR, Pairs, make_pairs
from linkage_hub.store.tables import runs
from partner_agent.app import Agent
from partner_agent.encoding.tokens import LinkageKeys
from partner_agent.extracts.mapping import build_mapping
from partner_agent.extracts.reader import open_extract
from partner_agent.linkage_secret import accept_secret, create_secret, load_keys, share_secret
from partner_agent.submissions.prepare import Workshop, prepare
from partner_agent.submissions.upload import submit
from tests.hub_world import HubWorld, hub_world_in

TOKEN = 8  # bytes
SIZE = 4 * TOKEN
ALWAYS = (bytes(range(32)), f"sha256:{'0' * 64}", 1)
"""Linkage secret, agreement and epoch that keys of encodings come from, whatever the real ones."""
PARAMETERS: dict[str, Any] = {"threshold": 1}
HEADER = ("ID", "FIRST", "LAST", "DOB", "ADDR", "PC", "PROT")
FIRST = ("Ada", "Ben", "Cleo", "Dev", "Eve", "Finn", "Gus", "Hana", "Ida", "Jo")
LAST = ("Quixwald", "Brambleton", "Ashgrove", "Thornfield", "Merriweather")


class AgentCore:
    """The agent's half: a keyed digest of surname and date of birth among random tokens."""

    def check(self, kind: RoundKind, parameters: dict[str, Any]) -> int:
        """One size; a threshold below one is refused."""
        if kind is not RoundKind.CALIBRATE and parameters.get("threshold", 0) < 1:
            raise ParametersRefused("the threshold is below what an agent answers")
        return SIZE

    def profile(self, rows: Iterable[Mapping[str, str]]) -> dict[str, Any]:
        """How many rows."""
        return {"records": sum(1 for _ in rows)}

    def answerer(
        self,
        kind: RoundKind,
        parameters: dict[str, Any],
        record_key: bytes,
        background: Iterable[Mapping[str, str]],
    ) -> "AgentCore":
        """Itself."""
        del kind, parameters, record_key, background
        return self

    def answer(
        self,
        handles: Sequence[bytes],
        rows: Sequence[Mapping[str, str]],
        pair_keys: Sequence[bytes],
        sides: Sequence[int],
        submissions: Sequence[tuple[int, int]],
    ) -> Any:
        """One real token and three random ones."""
        del handles, sides, submissions
        out = np.frombuffer(secrets.token_bytes(SIZE * len(rows)), dtype=np.uint8)
        out = out.reshape(len(rows), SIZE).copy()
        for at, (row, key) in enumerate(zip(rows, pair_keys, strict=True)):
            text = f"{row.get('surname', '')}|{row.get('date_of_birth', '')}"
            token = hmac.digest(key, text.encode(), "sha256")[:TOKEN]
            out[at, :TOKEN] = np.frombuffer(token, dtype=np.uint8)
        return out


class HubCore:
    """The hub's half: every candidate pair up to the limits is worth a question."""

    parameters_sent: dict[str, Any] = PARAMETERS

    def answer_bytes(self, kind: RoundKind, parameters: dict[str, Any]) -> int:
        """One size."""
        del kind, parameters
        return SIZE

    def calibration_pairs(
        self, weighed: Sequence[Weighed], sizes: Sequence[int], share: float
    ) -> Pairs:
        """The most similar pairs, each record in one of them at most."""
        most = [int(share * size) for size in sizes]
        used: set[tuple[int, int]] = set()
        found = []
        for pair in _all(weighed):
            ends = (pair[0], pair[2]), (pair[1], pair[3])
            counts = [sum(place[0] == end[0] for place in used) for end in ends]
            free = all(n < most[end[0]] for n, end in zip(counts, ends, strict=True))
            if pair[0] != pair[1] and free and not used & set(ends):
                used |= set(ends)
                found.append(pair)
        return _pairs(found)

    def parameters(
        self,
        weighed: Sequence[Weighed],
        sizes: Sequence[int],
        profiles: Sequence[dict[str, Any] | None],
        pairs: Pairs,
        left: Any,
        right: Any,
    ) -> dict[str, Any] | None:
        """Fixed, once every profile is there."""
        del weighed, sizes, pairs, left, right
        return dict(self.parameters_sent) if all(profiles) else None

    def decide_levels(self, parameters: dict[str, Any], pairs: Pairs, left: Any, right: Any) -> Any:
        """As a decision."""
        del parameters, pairs
        return self.decide(left, right)

    def questions(
        self,
        weighed: Sequence[Weighed],
        sizes: Sequence[int],
        asked: Sequence[Any],
        per_record: int,
        most: int,
        exclude: Pairs,
    ) -> Pairs:
        """The most similar pairs, no record in more of them than it may."""
        del sizes
        counts = [each.copy() for each in asked]
        known = {tuple(pair) for pair in exclude.tolist()}
        found: list[tuple[int, int, int, int]] = []
        for first, second, left, right in _all(weighed):
            if (first, second, left, right) in known or len(found) >= most:
                continue
            if counts[first][left] < per_record and counts[second][right] < per_record:
                counts[first][left] += 1
                counts[second][right] += 1
                found.append((first, second, left, right))
        return _pairs(found)

    def well_formed(self, answers: Any) -> Any:
        """Whether no token is there twice."""
        tokens = np.sort(np.ascontiguousarray(answers).view(np.uint64), axis=1)
        return (tokens[:, 1:] != tokens[:, :-1]).all(axis=1)

    def decide(self, left: Any, right: Any) -> Any:
        """Whether any token is common."""
        a, b = (np.ascontiguousarray(each).view(np.uint64) for each in (left, right))
        return (a[:, :, None] == b[:, None, :]).any(axis=(1, 2))


def _all(weighed: Sequence[Weighed]) -> list[tuple[int, int, int, int]]:
    pairs = [
        (float(s), (b.first, b.second, int(left), int(right)))
        for b in (each.block for each in weighed if not each.inside)
        for s, left, right in zip(b.similarity, b.left, b.right, strict=True)
    ]
    return [pair for _, pair in sorted(pairs, key=lambda each: (-each[0], each[1]))]


def _pairs(found: Sequence[tuple[int, int, int, int]]) -> Pairs:
    if not found:
        return np.zeros(0, dtype=PAIR)
    return make_pairs(*np.array(found).T)


def person(number: int, **changes: str) -> tuple[str, ...]:
    """A row of a made-up person."""
    row = {
        "id": f"R{number}",
        "first": FIRST[number % len(FIRST)],
        "last": LAST[number % len(LAST)] + "abcdefgh"[number // 5 % 8],
        "dob": f"{1 + number % 28:02}/{1 + number % 12:02}/{1950 + number}",
        "address": f"{number + 1} High Street",
        "postcode": f"ZE1 0A{'ABDEFGHJLN'[number % 10]}",
        "protected": "N",
        **changes,
    }
    return tuple(row.values())


def allow(data: dict[str, Any], **limits: Any) -> None:
    """Let an agreement refine."""
    data["actions"].append("refine")
    data["limits"] |= {
        "refinement_pairs_per_record": 6,
        "refinement_pairs_per_run": 2_000,
        "calibration_share": 0.05,
        "refinement_answer_hours": 2,
        **limits,
    }


def make(
    world: HubWorld,
    agent: Agent,
    rows: Sequence[tuple[str, ...]],
    more: Sequence[str] = (),
    indicators: Mapping[str, Any] | None = None,
) -> None:
    """Prepare an extract of an agent's one source, with more columns than ``HEADER`` if named."""
    party = agent.settings.party
    file = world.root / f"{party}.csv"
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([(*HEADER, *more), *rows])
    mapping = build_mapping(
        {
            "source": f"{party}_records",
            "record_id": "ID",
            "columns": {
                "first_name": "FIRST", "surname": "LAST", "date_of_birth": "DOB",
                "address": "ADDR", "postcode": "PC",
            },
            "protected": {"column": "PROT", "equals": ["Y"]},
            "indicators": dict(indicators or {}),
        }
    )  # fmt: skip
    standing = agent.standing(agent.ledger.sync())
    keys = load_keys(agent.home, standing.agreement, None)
    workshop = Workshop(
        agent.home, agent.secrets, agent.database, agent.vault, agent.synthetic, keys, agent.now
    )
    prepare(workshop, standing, open_extract(file), mapping)


def send(
    world: HubWorld,
    agent: Agent,
    rows: Sequence[tuple[str, ...]],
    more: Sequence[str] = (),
    indicators: Mapping[str, Any] | None = None,
) -> None:
    """Prepare and submit an extract of an agent's one source; as ``make``."""
    make(world, agent, rows, more, indicators)
    item = next(item for item in agent.outbox.newest() if item.state == "prepared")
    submit(agent.hub, agent.outbox, item, wait=lambda _seconds: world.work())


@contextlib.contextmanager
def refining_world(
    root: Path,
    police: Sequence[tuple[str, ...]],
    council: Sequence[tuple[str, ...]],
    adjust: Callable[[dict[str, Any]], None] = allow,
    *,
    hub_database: str | None = None,
    ledger_database: str | None = None,
) -> Iterator[HubWorld]:
    """A world whose two parties hold one secret and have submitted these rows."""
    derive = LinkageKeys.derive
    with (
        pytest.MonkeyPatch.context() as patch,
        hub_world_in(
            root, adjust, hub_database=hub_database, ledger_database=ledger_database
        ) as world,
    ):
        patch.setattr(LinkageKeys, "derive", lambda *_real: derive(*ALWAYS))
        world.hub.core = HubCore()
        world.hub.__dict__.pop("refinement", None)
        world.hub.phases._refinement = world.hub.refinement
        first, second = world.agents["police"], world.agents["council"]
        create_secret(first.home, world.agreement, None)
        first.hub.post_secrets(
            share_secret(first.home, world.agreement, first.secrets, first.ledger, None)
        )
        accept_secret(
            second.home, world.agreement, second.secrets, second.ledger.sync(), second.hub, None
        )
        for agent, rows in ((first, police), (second, council)):
            agent.core = AgentCore()
            send(world, agent, rows)
        yield world


def start(world: HubWorld) -> dict[str, Any]:
    """Start a run and do what the hub can do at once."""
    body = canonical_bytes({"agreement": world.agreement.hash})
    answer = world.call("analyst", "POST", "/v1/runs", content=body)
    assert answer.status_code == 202, answer.text
    world.work()
    return view(world, answer.json()["id"])


def view(world: HubWorld, run: str) -> dict[str, Any]:
    """A run as the analyst sees it."""
    found: dict[str, Any] = world.call("analyst", "GET", f"/v1/runs/{run}").json()
    return found


def answer(world: HubWorld, *parties: str) -> list[Any]:
    """Parties answer once; what they will look at again later."""
    later = []
    for party in parties:
        desk = world.agents[party].questions
        later += desk.answer_all(world.agents[party].hub)
    world.work()
    return later


def a_minute_before(world: HubWorld, run: str) -> None:
    """Runs of a test may end in one second: let this one be the earlier."""
    then = write_time(utc_now() - timedelta(minutes=1))
    with world.hub.database.writing() as connection:
        connection.execute(update(runs).where(runs.c.id == run).values(created=then, finished=then))
