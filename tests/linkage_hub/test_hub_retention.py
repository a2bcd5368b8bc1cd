"""What agreements' retention ends at the hub is destroyed, and the ledger is told how much."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, select, update

from governance.canonical import canonical_bytes, hash_of, write_time
from governance.errors import GovernanceError
from governance.ledger.errors import LedgerRefusedError, LedgerUnavailableError
from governance.ledger.events import Event, EventType
from governance.ledger.payloads import RetentionPurged, read_payload
from linkage_hub.analytics.risk.documents import ModelDocument, Privacy
from linkage_hub.analytics.risk.models import LinearModel
from linkage_hub.retention import HubRetention, Purged
from linkage_hub.store.database import HubDatabase
from linkage_hub.store.tables import (
    answers,
    household_members,
    id_events,
    person_records,
    purges,
    released_tables,
    requests,
    risk_models,
    rulings,
    runs,
    submissions,
)
from linkage_hub.submissions.files import ContentFiles
from tests.hub_world import HubWorld
from tests.refinement_world import start
from tests.rights_world import council_rows, police_rows, resubmit, rights_world_in


def _short(data: dict[str, object]) -> None:
    data["retention"] = {
        "encodings_days": 90, "link_results_days": 60, "released_items_days": 10, "vault_days": 365,
    }  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubWorld]:
    """Two submissions and a finished run, kept for 90 and 60 days."""
    with rights_world_in(tmp_path_factory.mktemp("hub-retention"), _short) as found:
        yield found


def retention(
    world: HubWorld, days: int = 0, database: HubDatabase | None = None, home: Path | None = None
) -> HubRetention:
    """As it is so many days from now, over the world's database or another one."""
    hub, at = world.hub, home or world.hub.home
    return HubRetention(
        "hub", database or hub.database, ContentFiles(at / "submissions"), at / "runs",
        hub.refinement, hub.ledger, lambda: hub.now() + timedelta(days=days),
    )  # fmt: skip


def logged(world: HubWorld) -> list[RetentionPurged]:
    """What the ledger was told."""
    world.hub.ledger.sync()
    return [
        read_payload(event)
        for event in world.hub.ledger.mirror.entries(0)
        if event.leaf.type is EventType.RETENTION_PURGED
    ]


def files(world: HubWorld) -> int:
    """Submissions' files that are there."""
    return len(list((world.hub.home / "submissions").glob("*.arrow")))


def test_nothing_goes_before_its_time(world: HubWorld) -> None:
    """On the last day everything is still there, and a dry run is a dry run."""
    assert retention(world, 59).due() == {}
    assert retention(world, 61).due() == {world.agreement.hash: Purged(runs=1)}
    assert files(world) == 2
    assert retention(world).purge() == {}


def test_results_go_before_encodings_and_a_run_can_be_made_anew(world: HubWorld) -> None:
    """Each period for itself; the ledger has counts, once."""
    before = len(logged(world))
    late = retention(world, 61)
    for _ in range(2):
        late.daily()
    with world.hub.database.reading() as connection:
        for table in (person_records, household_members, id_events):
            assert connection.execute(select(table)).first() is None
        assert set(connection.scalars(select(runs.c.is_current))) == {False}
    (told,) = logged(world)[before:]
    assert (told.party, told.runs, told.files, told.rows) == ("hub", 1, 0, 0)
    assert start(world)["state"] == "finished"


def test_encodings_go_and_a_later_extract_is_taken(world: HubWorld) -> None:
    """Nothing can be linked any more; what a partner submits afterwards is no copy."""
    before = len(logged(world))
    (world.hub.home / "submissions" / ("f" * 32 + ".arrow")).write_bytes(b"left behind")
    (world.hub.home / "runs" / ("e" * 32)).mkdir(parents=True)
    retention(world, 91).daily()
    assert files(world) == 0
    assert list((world.hub.home / "runs").iterdir()) == []
    (told,) = logged(world)[before:]
    rows = len(council_rows()) + len(police_rows())
    assert (told.files, told.rows, told.runs) == (2, rows, 1)
    mine = world.agents["council"].hub.submissions().submissions
    assert {each.state for each in mine} == {"purged"}
    resubmit(world, "council", council_rows())
    assert files(world) == 1


def test_destroying_does_not_wait_for_the_ledger(
    world: HubWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What could not be told is told later, once."""
    resubmit(world, "council", council_rows())
    before, held = len(logged(world)), files(world)

    def away(_event: object) -> None:
        raise LedgerUnavailableError("away")

    late = retention(world, 91)
    with monkeypatch.context() as patched:
        patched.setattr(world.hub.ledger, "append", away)
        with pytest.raises(LedgerUnavailableError):
            late.daily()
    assert files(world) == 0
    for _ in range(2):
        late.daily()
    assert [each.files for each in logged(world)[before:]] == [held]


def test_what_the_ledger_refuses_holds_nothing_else_up(
    world: HubWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is handed in again, and the refusal is told."""
    before, honest = len(logged(world)), world.hub.ledger.append
    first = world.hub.ledger.author.write(
        EventType.RETENTION_PURGED,
        RetentionPurged(
            agreement=world.agreement.hash, party="hub", rows=0, synthetic_rows=1, files=0
        ),
    )
    second = world.hub.ledger.author.write(
        EventType.RETENTION_PURGED,
        RetentionPurged(
            agreement=world.agreement.hash, party="hub", rows=0, synthetic_rows=0, files=1
        ),
    )
    outgoing = retention(world)._outgoing
    with world.hub.database.writing() as connection:
        for event in (first, second):
            outgoing.keep(connection, event)
    handed: list[str] = []

    def append(event: Event) -> object:
        handed.append(event.leaf.id)
        return honest(event)

    monkeypatch.setattr(world.hub.ledger, "append", append)
    for _ in range(2):
        with pytest.raises(LedgerRefusedError):
            outgoing.tell()
    assert handed == [first.leaf.id, second.leaf.id, first.leaf.id]
    assert [each.files for each in logged(world)[before:]] == [1]
    with world.hub.database.writing() as connection:
        connection.execute(delete(purges).where(purges.c.logged.is_(False)))


def test_an_upload_that_was_never_complete_goes_untold(world: HubWorld) -> None:
    """The ledger has heard of no such submission, and a hub that accepted none may tell of none."""
    before = len(logged(world))
    with world.hub.database.writing() as connection:
        row = connection.execute(select(submissions)).first()
        assert row is not None
        begun = dict(row._mapping) | {"id": "d" * 32, "state": "receiving"}
        connection.execute(insert(submissions).values(**begun))
    late = retention(world, 91)
    due = late.due()[world.agreement.hash]
    assert due.files >= 1
    late.daily()
    with world.hub.database.reading() as connection:
        states = connection.scalars(select(submissions.c.state).where(submissions.c.id == "d" * 32))
        assert list(states) == ["purged"]
    assert sum(each.files for each in logged(world)[before:]) == due.files - 1


def test_nobody_but_parties_and_hubs_says_what_was_destroyed(world: HubWorld) -> None:
    """A hub speaks for itself; a partner cannot speak for it."""
    payload = RetentionPurged(
        agreement=world.agreement.hash, party="hub", rows=1, synthetic_rows=0, files=0
    )
    with pytest.raises(GovernanceError):
        world.agents["council"].ledger.write(EventType.RETENTION_PURGED, payload)


def test_requests_answers_and_rulings_go_by_their_own_periods(
    world: HubWorld, database_url: str, tmp_path: Path
) -> None:
    """Sealed items that nobody fetched go first, documents and rulings later; on both databases."""
    database, now = HubDatabase(database_url), world.hub.now()
    hash_, when = world.agreement.hash, write_time(now)
    with database.writing() as connection:
        connection.execute(
            insert(requests).values(
                id="sha256:" + "a" * 64, family="f-" + "0" * 32, requester=hash_, agreement=hash_,
                envelope=b"", document=b"", state="answered", created=when, expires=when,
            )
        )  # fmt: skip
        connection.execute(
            insert(answers).values(
                request="sha256:" + "a" * 64, party="police", sealed=b"x", answered=when
            )
        )
        connection.execute(
            insert(rulings).values(
                agreement=hash_, left="0" * 32, right="1" * 32, same=True, person=hash_,
                party="police", decided=when,
            )
        )  # fmt: skip
        connection.execute(
            insert(runs).values(
                id="b" * 32, agreement=hash_, state="finished", is_current=False, created=when,
                finished=when, sources=1, records=0, persons=0, families=0, flagged=0,
            )
        )  # fmt: skip
        connection.execute(
            insert(released_tables).values(
                run="c" * 32, table="helped", position=0, least=8, hash=hash_, numbers="[{}]",
                published="{}", released=when, newest="b" * 32,
            )
        )  # fmt: skip

    def at(days: int) -> HubRetention:
        return retention(world, days, database, tmp_path)

    assert at(9).due() == {}
    assert at(11).purge() == {hash_: Purged(releases=1)}
    with database.reading() as connection:
        row = connection.execute(select(answers)).one()
    assert (row.sealed, row.reason) == (None, "release.purged")
    before = len(logged(world))
    late = at(61)
    assert late.purge() == {hash_: Purged(rulings=1, releases=1, tables=1)}
    late.tell()
    told = logged(world)[before:]
    assert [(each.releases, each.tables) for each in told] == [(1, 0), (1, 1)]
    assert [("tables" in each.model_dump()) for each in told] == [False, True]
    with database.reading() as connection:
        for table in (answers, requests, rulings, submissions):
            assert connection.execute(select(table)).first() is None
        row = connection.execute(select(released_tables)).one()
    assert (row.numbers, row.published) == ("[]", "{}")
    database.close()


def test_a_shared_model_goes_with_results(world: HubWorld) -> None:
    """On its last day it is there; then the hub has its hash and its day, and not the model."""
    document, hub = world_model(world.agreement.hash), world.hub
    hub.models.enter(document, "e" * 32)
    with hub.database.writing() as connection:
        shared = {"shared": write_time(hub.now()), "document": canonical_bytes(document).decode()}
        connection.execute(update(risk_models).values(shared))
    retention(world, 59).purge()
    assert [each.document for each in hub.models.shared()] == [document]
    retention(world, 61).purge()
    assert hub.models.shared() == []
    with hub.database.reading() as connection:
        (row,) = connection.execute(select(risk_models))
    assert (row.hash, row.document, row.shared) == (hash_of(document), None, None)


def world_model(agreement: str) -> ModelDocument:
    """A model of one need."""
    return ModelDocument(
        model=LinearModel(
            kind="private-logistic", needs=("neet",), intercept=-3, coefficients=(1, 0)
        ),
        agreement=agreement, outcome="in_programme", families=10_000,
        privacy=Privacy(epsilon=1, delta=1e-6, opacus=1, dp_accounting=1, noise=1, clip=3,
                        steps=1, randomness="operating system"),
    )  # fmt: skip
