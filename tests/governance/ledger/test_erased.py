"""Invariant 18: payloads that a partner erases are gone everywhere, and permit nothing more.

The log, whoever follows it and whoever begins anew; a ledger that hides a payload and calls it
erased; a partner that erases what is another's, or erases to undo; a crash between two steps.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from governance.agreements.models import AGREEMENT, Agreement
from governance.canonical import canonical_bytes
from governance.consent.models import ConsentKind, ConsentState, place_of
from governance.consent.rules import Approach, require_family_permission
from governance.errors import GovernanceError
from governance.identity.envelope import sign_bytes
from governance.identity.keys import SigningKey
from governance.ledger import replayed
from governance.ledger.admission import NotAdmissible
from governance.ledger.database import Database
from governance.ledger.errors import WithheldPayloadError
from governance.ledger.events import Event, EventType, read_event
from governance.ledger.note import Note
from governance.ledger.party import PartyLedger
from governance.ledger.payloads import (
    AgreementProposed,
    AgreementSigned,
    ConsentErased,
    Refused,
)
from governance.ledger.service import LedgerService
from governance.ledger.state import LedgerState
from governance.ledger.store import _TREE, LedgerStore
from governance.ledger.tables import StoredEntry
from tests.governance.world import KEPT, NOON, ORIGIN, Party, World, agreement_data

LOG = SigningKey(b"\x21" * 32)
DEAD, LIVING, ELSEWHERE = "c" * 32, "d" * 32, "f" * 32
APPROACH = ConsentKind.APPROACH
LATER = NOON + KEPT


class Log:
    """A log with a refusal and a consent of the council's, and one of the police's."""

    def __init__(self, url: str, folder: Path) -> None:
        self.world = World()
        council, police = self.world.council, self.world.partners[0]
        self.refusal = self.world.consent(council, DEAD, state="refused")
        self.given = self.world.consent(council, LIVING)
        self.world.consent(police, ELSEWHERE)
        self.store = LedgerStore(Database(url, "log"), ORIGIN)
        self.kept = folder / "ledger.state"
        self.service = self.start()
        self.service.replay()
        for event in self.world.events:
            self.service.append(event)
        self.service.keep()

    def start(self) -> LedgerService:
        """The service, started on what its store holds."""
        return LedgerService(self.store, LOG, ORIGIN, lambda: LATER, self.kept)

    def erasure(
        self,
        *grants: Event,
        by: Party | None = None,
        handle: str = DEAD,
        of: str = "council",
        at: datetime = LATER,
    ) -> Event:
        """What the council writes, or somebody else."""
        place = place_of(of, handle, APPROACH)
        payload = ConsentErased(agreement=self.world.agreement_hash, place=place)
        author = (by or self.world.council).author(at)
        return author.write(
            EventType.CONSENT_ERASED, payload, tuple(grant.leaf.id for grant in grants)
        )

    def index(self, grant: Event) -> int:
        """Of the entry that holds a record."""
        return self.world.events.index(grant)


class Reader:
    """The log as a mirror reads it; ``meanwhile`` happens after a checkpoint was given."""

    def __init__(self, log: Log, hidden: int | None = None) -> None:
        self._service = log.service
        self._hidden = hidden
        self.consistency_proof = log.service.consistency_proof
        self.meanwhile: Callable[[], object] = lambda: None

    def checkpoint(self, size: int | None = None) -> Note:
        """The newest checkpoint, or that of a size."""
        note, meanwhile = self._service.checkpoint(size), self.meanwhile
        self.meanwhile = lambda: None
        meanwhile()
        return note

    def entries(self, start: int, end: int) -> list[Event]:
        """Entries from ``start`` on, one of them without its payload."""
        found = []
        for at, entry in enumerate(self._service.entries(start, end), start):
            shown = StoredEntry(entry.leaf, None, None) if at == self._hidden else entry
            found.append(read_event(*shown))
        return found


@pytest.fixture(autouse=True)
def _always_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also a short log's state is kept."""
    monkeypatch.setattr(replayed, "WORTH_EVENTS", 1)


@pytest.fixture
def log(database_url: str, tmp_path: Path) -> Iterator[Log]:
    """A log, on SQLite and on PostgreSQL."""
    found = Log(database_url, tmp_path)
    yield found
    found.store.close()


@pytest.fixture
def party(log: Log, tmp_path: Path) -> Iterator[Callable[[str], PartyLedger]]:
    """A party's side of the ledger, by the name of its folder."""
    opened: list[PartyLedger] = []

    def start(name: str) -> PartyLedger:
        (tmp_path / name).mkdir(exist_ok=True)
        nhs = log.world.partners[1]
        opened.append(
            PartyLedger(
                tmp_path / name / "mirror.db",
                "http://127.0.0.1:9",
                str(log.service.log_key),
                nhs.keys.thumbprint,
                nhs.signing,
                lambda: NOON,
            )
        )
        return opened[-1]

    yield start
    for each in opened:
        each.close()


def answer(log: Log, state: LedgerState, *records: tuple[Party, str]) -> str:
    """The reason why an approach to one person is refused; nothing if it is permitted."""
    members = log.world.members(("1", True, list(records)))
    approach = Approach(log.world.agreement, "offer-help", ("first_name",), "council", NOON)
    try:
        require_family_permission(members, (), state.consents, approach)
    except GovernanceError as refusal:
        return refusal.reason
    return ""


def holding(folder: Path, secret: bytes | None) -> list[str]:
    """Files that hold a payload or a salt."""
    assert secret is not None
    files = [path for path in folder.rglob("*") if path.is_file()]
    return sorted(path.name for path in files if secret in path.read_bytes())


@pytest.mark.invariant(18, "an erasure, followed by who had the payload and by who comes later")
def test_what_is_erased_is_gone_in_the_log_and_in_every_copy(
    log: Log, party: Callable[[str], PartyLedger], tmp_path: Path
) -> None:
    """No file holds handle or salt; both copies answer alike, and what was refused stays so."""
    council, police = log.world.council, log.world.partners[0]
    follower = party("follower")
    follower.mirror.sync(Reader(log))
    assert follower.state.consents.grants.keys() >= {log.refusal.leaf.id}
    assert answer(log, follower.state, (council, DEAD), (police, ELSEWHERE)) == "consent.refused"
    log.service.append(log.erasure(log.refusal))
    follower.mirror.sync(Reader(log))
    anew = party("anew")
    anew.mirror.sync(Reader(log))
    at = log.index(log.refusal)
    assert log.store.entries(at, at + 1)[0].payload is None
    for ledger in (follower, anew):
        state = ledger.state
        assert state.rejected == []
        assert state.consents.unopened == {}
        (erased,) = ledger.mirror.entries(at, at + 1)
        assert (erased.salt, erased.payload) == (None, None)
        assert ledger.mirror.verify().size == len(log.world.events) + 1
        assert answer(log, state, (council, DEAD), (police, ELSEWHERE)) == "consent.withdrawn"
        assert answer(log, state, (council, LIVING)) == ""
        current = state.consents.current("council", DEAD, APPROACH)
        assert current is not None
        assert current.state(NOON) is ConsentState.WITHDRAWN
    assert follower.state.consents.grants == anew.state.consents.grants
    log.service.keep()
    assert holding(tmp_path, log.refusal.salt) == []
    assert holding(tmp_path, DEAD.encode()) == []
    assert "replayed.state" in holding(tmp_path, LIVING.encode())


@pytest.mark.invariant(18, "records said again at a place that was erased", double="replays")
def test_a_place_that_was_erased_is_closed_for_good(log: Log) -> None:
    """A consent that the ledger held back counts for nothing, and no handle comes back in clear."""
    council = log.world.council
    record = log.world.consent_record(council, DEAD)
    held_back = council.author().write(EventType.CONSENT_RECORDED, record)
    log.service.append(log.erasure(log.refusal))
    with pytest.raises(NotAdmissible, match="nothing more is recorded"):
        log.service.append(held_back)
    other = log.world.consent_record(council, DEAD, kind="confidentiality")
    log.service.append(council.author().write(EventType.CONSENT_RECORDED, other))


@pytest.mark.invariant(2, "an erasure of another partner's record", double="lies")
@pytest.mark.parametrize("who", ["police", "ledger", "hub"])
def test_nobody_erases_what_another_has_recorded(log: Log, who: str) -> None:
    """Not the ledger's operator either: a refusal would be gone."""
    parties = (log.world.operator, log.world.hub, *log.world.partners)
    by = next(each for each in parties if each.name == who)
    for of in ("council", who):
        with pytest.raises(NotAdmissible):
            log.service.append(log.erasure(log.refusal, by=by, of=of))


@pytest.mark.invariant(
    2, "an erasure under a false place, so that no place is closed", double="lies"
)
def test_a_false_place_is_refused(log: Log) -> None:
    """The place of another record, of another kind, or of records of two places."""
    wrong = [
        log.erasure(log.refusal, handle=LIVING),
        log.erasure(log.refusal, of="police"),
        log.erasure(log.refusal, log.given),
        log.erasure(log.refusal, log.refusal),
        log.erasure(),
    ]
    for event in wrong:
        with pytest.raises(NotAdmissible):
            log.service.append(event)
    at = log.index(log.refusal)
    assert log.store.entries(at, at + 1) == [log.refusal]
    log.service.append(log.erasure(log.refusal))
    with pytest.raises(NotAdmissible, match="once"):
        log.service.append(log.erasure(log.refusal))


@pytest.mark.invariant(2, "an erasure that hides what a partner has done", double="lies")
def test_a_record_is_kept_for_as_long_as_is_agreed(log: Log) -> None:
    """A second too soon; under one that says nothing, is not signed by all, or is of others.

    Whoever has released against a refusal cannot have it forgotten before it can be looked into.
    """
    council, world = log.world.council, log.world
    with pytest.raises(NotAdmissible, match="as long as the agreement asks for"):
        log.service.append(log.erasure(log.refusal, at=LATER - timedelta(seconds=1)))
    days = world.agreement.retention.model_copy(update={"consent_payload_days": None})
    soon = world.agreement.retention.model_copy(update={"consent_payload_days": 1})
    everybody, others = world.partners, world.partners[:2]
    unsaid, short = (
        world.agreement.model_dump(mode="json")
        | {"retention": retention, "version": 2, "supersedes": world.agreement_hash}
        for retention in (days.model_dump(), soon.model_dump())
    )
    without = agreement_data(others) | {"retention": soon.model_dump(), "version": 3}
    for data, signing in ((unsaid, everybody), (short, everybody[:-1]), (without, others)):
        agreement = Agreement.model_validate(data)
        proposed = AgreementProposed(agreement=agreement)
        log.service.append(others[0].author().write(EventType.AGREEMENT_PROPOSED, proposed))
        for party in signing:
            signature = sign_bytes(
                AGREEMENT, canonical_bytes(agreement), party.signing, party.keys.thumbprint
            )
            payload = AgreementSigned(agreement=agreement.hash, signature=signature)
            log.service.append(party.author().write(EventType.AGREEMENT_SIGNED, payload))
        erased = ConsentErased(agreement=agreement.hash, place=place_of("council", DEAD, APPROACH))
        with pytest.raises(NotAdmissible, match="every party has signed"):
            log.service.append(
                council.author(LATER).write(
                    EventType.CONSENT_ERASED, erased, (log.refusal.leaf.id,)
                )
            )


@pytest.mark.invariant(2, "a refusal whose payload the ledger hides", double="withholds")
@pytest.mark.parametrize("begun", [True, False])
def test_a_ledger_that_hides_a_refusal_and_says_nothing_is_evidence(
    log: Log, party: Callable[[str], PartyLedger], *, begun: bool
) -> None:
    """Nothing of it is taken, at a first synchronisation and at a later one."""
    ledger = party("nhs")
    if begun:
        ledger.mirror.sync(Reader(log))
    hidden = log.service.size()
    refused = log.world.consent_record(log.world.council, "e" * 32, state="refused")
    log.service.append(log.world.council.author().write(EventType.CONSENT_RECORDED, refused))
    log.service.append(log.erasure(log.given, handle=LIVING))  # of another record
    with pytest.raises(WithheldPayloadError, match=f"entry {hidden}"):
        ledger.mirror.sync(Reader(log, hidden))
    assert [each.reason for each in ledger.mirror.evidence()] == ["mirror.withheld"]
    assert ledger.mirror.size() == (hidden if begun else 0)
    ledger.mirror.sync(Reader(log))
    assert ledger.state.size == hidden + 2


@pytest.mark.invariant(2, "a refusal that a stranger's event calls erased", double="lies")
def test_an_erasure_that_may_not_count_opens_nothing(
    log: Log, party: Callable[[str], PartyLedger]
) -> None:
    """The ledger logs an event of its own that names the refusal: nobody's permission is read."""
    with log.store.writing() as writer:
        writer.append([log.erasure(log.refusal, by=log.world.operator, of="ledger")])
    ledger = party("nhs")
    ledger.mirror.sync(Reader(log, log.index(log.refusal)))
    state = ledger.state
    assert [each.index for each in state.rejected] == [len(log.world.events)]
    with pytest.raises(WithheldPayloadError):
        state.consents.require_opened()
    assert answer(log, state, (log.world.council, LIVING)) == "mirror.withheld"


@pytest.mark.invariant(2, "a record's payload taken out of a mirror's own file")
def test_a_payload_that_is_missing_in_a_mirrors_file_opens_nothing(
    log: Log, party: Callable[[str], PartyLedger]
) -> None:
    """Somebody who can write to the file hides a refusal; every hash still fits."""
    ledger = party("nhs")
    ledger.mirror.sync(Reader(log))
    ledger.mirror.erase(log.index(log.refusal))
    assert answer(log, ledger.state, (log.world.council, LIVING)) == "mirror.withheld"


def test_an_erasure_while_a_mirror_fetches_is_no_lie(
    log: Log, party: Callable[[str], PartyLedger]
) -> None:
    """The checkpoint was given before it and the entry after it: a newer one is asked for."""
    reader = Reader(log)
    reader.meanwhile = lambda: log.service.append(log.erasure(log.refusal))
    ledger = party("nhs")
    assert ledger.mirror.sync(reader).size == len(log.world.events) + 1
    assert ledger.mirror.evidence() == []
    assert list(ledger.state.consents.erased) == [log.refusal.leaf.id]


@pytest.mark.invariant(2, "a first copy taken in steps from a ledger that hides a refusal",
                       double="withholds")  # fmt: skip
def test_a_first_copy_in_steps_is_judged_at_its_end(
    log: Log, party: Callable[[str], PartyLedger], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The word that a record was erased may come steps later.

    Where it never comes, nobody's permission is read at any step.
    """
    monkeypatch.setattr("governance.ledger.mirror_sync.STEP", 4)
    ledger = party("nhs")
    at = log.index(log.refusal)
    with pytest.raises(WithheldPayloadError, match=f"entry {at}"):
        ledger.mirror.sync(Reader(log, at))
    assert at < ledger.mirror.size() < log.service.size()
    assert answer(log, ledger.state, (log.world.council, LIVING)) == "mirror.withheld"
    log.service.append(log.erasure(log.refusal))
    ledger.mirror.sync(Reader(log))
    assert answer(log, ledger.state, (log.world.council, LIVING)) == ""
    anew = party("anew")
    anew.mirror.sync(Reader(log))
    assert (anew.mirror.evidence(), anew.state.consents.unopened) == ([], {})


@pytest.mark.invariant(2, "a ledger that is always about to say what was erased", double="slow")
def test_a_mirror_does_not_ask_for_ever(log: Log, party: Callable[[str], PartyLedger]) -> None:
    """Each newer checkpoint says nothing of the payload that is missing."""
    reader = Reader(log, log.index(log.refusal))
    asked: list[int] = []

    def grow() -> None:
        asked.append(log.service.size())
        refused = Refused(party="council", action="prepare", reason="test.reason", about=None)
        log.service.append(log.world.council.author().write(EventType.REFUSED, refused))
        reader.meanwhile = grow

    reader.meanwhile = grow
    ledger = party("nhs")
    with pytest.raises(WithheldPayloadError):
        ledger.mirror.sync(reader)
    assert len(asked) == 5
    assert ledger.mirror.size() == 0


@pytest.mark.invariant(18, "a crash between a copy's erasure and its kept state", double="slow")
def test_what_a_crash_left_is_erased_at_the_next_start(
    log: Log,
    party: Callable[[str], PartyLedger],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Before the copy is changed, and before the kept state is dropped."""
    first = party("nhs")
    first.mirror.sync(Reader(log))
    assert first.state.size == len(log.world.events)
    log.service.append(log.erasure(log.refusal))
    first.mirror.sync(Reader(log))

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(first.mirror, "erase", crash)
        with pytest.raises(KeyboardInterrupt):
            _ = first.state
    second = party("nhs")
    with monkeypatch.context() as patched:
        patched.setattr(replayed.KeptState, "drop", crash)
        with pytest.raises(KeyboardInterrupt):
            _ = second.state
    assert DEAD.encode() in (tmp_path / "nhs" / replayed.NAME).read_bytes()
    third = party("nhs")
    assert list(third.state.consents.erased) == [log.refusal.leaf.id]
    for each in (first, second, third):
        each.close()
    assert holding(tmp_path / "nhs", log.refusal.salt) == []


@pytest.mark.invariant(18, "a log restored from a backup of before", double="rolls back")
def test_a_ledger_erases_again_what_a_backup_brought_back(log: Log) -> None:
    """The payload is put back under the log; at the next start it is gone."""
    log.service.append(log.erasure(log.refusal))
    log.service.keep()
    at = log.index(log.refusal)
    with log.store.writing() as writer:
        table = _TREE.leaf
        writer._connection.execute(
            table.update()
            .where(table.c.position == at)
            .values(salt=log.refusal.salt, payload=log.refusal.payload)
        )
    log.kept.unlink()
    log.start().replay()
    assert log.store.entries(at, at + 1)[0].payload is None
