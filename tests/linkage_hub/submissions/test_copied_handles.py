"""A partner that copies handles, its own or another's, stops nothing but its own submission."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from sqlalchemy import update

from governance.canonical import canonical_bytes
from governance.exchange.submission_file import ARROW_SCHEMA
from governance.identity.envelope import sign
from governance.ledger.events import EventType
from governance.ledger.payloads import read_payload
from linkage_hub.submissions.service import Submissions
from partner_agent.app import Agent
from partner_agent.store.tables import submissions
from partner_agent.submissions.digest import digest_of
from partner_agent.submissions.errors import SubmissionRefusedError
from partner_agent.submissions.prepare import SUBMISSION
from partner_agent.submissions.upload import submit
from tests.hub_world import HubWorld
from tests.refinement_world import allow, make, person, refining_world, start

ROWS = [person(n) for n in range(40)]


@contextlib.contextmanager
def _world(folder: Path) -> Iterator[HubWorld]:
    with refining_world(
        folder, ROWS, ROWS[5:], lambda data: allow(data, calibration_share=0)
    ) as it:
        yield it


@pytest.fixture
def world(tmp_path: Path) -> Iterator[HubWorld]:
    """Police and council with an accepted submission each."""
    with _world(tmp_path) as found:
        yield found


def send_copied(world: HubWorld, agent: Agent, victim: Agent, count: int) -> None:
    """Submit an extract with the first handles of a victim's file in it, signed as it is."""
    other = pa.ipc.open_file(victim.outbox.newest()[0].content).read_all()
    make(world, agent, ROWS[5:])
    (item,) = agent.outbox.newest()
    own = pa.ipc.open_file(item.content).read_all()
    handles = other.column("handle").to_pylist()[:count] + own.column("handle").to_pylist()[count:]
    own = own.set_column(0, ARROW_SCHEMA.field("handle"), pa.array(handles, pa.binary(16)))
    with pa.ipc.new_file(
        item.content, ARROW_SCHEMA, options=pa.ipc.IpcWriteOptions(compression="zstd")
    ) as writer:
        writer.write_table(own)
    digest, size = digest_of(item.content)
    manifest = item.manifest.model_copy(update={"content_sha256": digest, "content_bytes": size})
    secrets = agent.secrets
    envelope = sign(SUBMISSION, manifest, secrets.signing_key, secrets.keys.thumbprint)
    with agent.database.writing() as connection:
        connection.execute(
            update(submissions)
            .where(submissions.c.id == item.id)
            .values(manifest=canonical_bytes(envelope))
        )
    (item,) = agent.outbox.newest()
    submit(agent.hub, agent.outbox, item, wait=lambda _seconds: world.work())


@pytest.mark.invariant(19, "copied handles")
def test_handles_of_another_source_are_refused(world: HubWorld) -> None:
    """Invariant 19: at the verdict, with their number; the submission before stays in force."""
    council, police = world.agents["council"], world.agents["police"]
    with pytest.raises(SubmissionRefusedError, match=r"3 record handles.*foreign_handles"):
        send_copied(world, council, police, 3)
    states = [each.state for each in council.hub.submissions().submissions]
    assert sorted(states) == ["accepted", "refused"]


def test_a_run_goes_on_without_copied_handles(
    world: HubWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where two verdicts at once let a copy through, the later submission is left out, and told."""
    council, police = world.agents["council"], world.agents["police"]
    with monkeypatch.context() as patched:
        patched.setattr(Submissions, "_check_handles", lambda *_: None)
        send_copied(world, council, police, 3)
    run = start(world)
    assert run["state"] == "finished", run
    (refused,) = (each for each in council.hub.submissions().submissions if each.state == "refused")
    assert refused.reason == "submission.foreign_handles"
    world.hub.ledger.sync()
    logged = [
        read_payload(event)
        for event in world.hub.ledger.mirror.entries(0)
        if event.leaf.type is EventType.REFUSED
    ]
    (item,) = council.outbox.newest()
    assert [(each.reason, each.about) for each in logged] == [
        ("submission.foreign_handles", item.envelope.payload_hash)
    ]
