"""A partner as witness: what it cosigns, whose cosignatures it counts, and how long it waits."""

from collections.abc import Callable, Collection, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from governance.agreements.errors import AgreementNotWitnessed
from governance.agreements.policy import Standing
from governance.canonical import b64, write_time
from governance.errors import GovernanceError
from governance.identity.files import PartySecrets
from governance.identity.keys import SigningKey
from governance.ledger.database import Database
from governance.ledger.errors import QuorumError, WithdrawalMissingError
from governance.ledger.events import Event, EventType, read_event
from governance.ledger.note import Note
from governance.ledger.service import LedgerService
from governance.ledger.store import LedgerStore
from partner_agent.ledger import POLL_SECONDS, AgentLedger
from tests.governance.world import NOON, ORIGIN, Party, World

LOG = SigningKey(b"\x21" * 32)
SUBJECT = "c" * 32
DELAY = timedelta(minutes=5)  # the agreement's merge delay
AGE = timedelta(minutes=15)  # the age to which its witnesses' cosignatures are fresh
SECOND = timedelta(seconds=1)


class Client:
    """The ledger's service, called as its HTTP client is."""

    def __init__(self, service: LedgerService) -> None:
        self.consistency_proof = service.consistency_proof
        self._service = service

    def checkpoint(
        self, size: int | None = None, witnesses: int = 0, by: Collection[str] = ()
    ) -> Note:
        """The newest checkpoint, that of a size, or the largest cosigned."""
        return self._service.checkpoint(size, witnesses, by)

    def entries(self, start: int, end: int) -> list[Event]:
        """Entries from ``start`` on."""
        return [read_event(*stored) for stored in self._service.entries(start, end)]

    def cosign(self, note: Note) -> tuple[str, ...]:
        """Keep a cosignature."""
        return tuple(self._service.keep_cosignatures(note))

    def close(self) -> None:
        """Nothing is open."""


class Partners:
    """Three partners' ledgers over one service, and a clock that all of them read."""

    def __init__(self, folder: Path) -> None:
        self.world, self.now = World(), NOON
        self.grant = self.world.consent(self.world.council, SUBJECT)
        self.store = LedgerStore(Database(f"sqlite:///{folder / 'log.db'}", "log"), ORIGIN)
        self.service = LedgerService(self.store, LOG, ORIGIN, lambda: self.now)
        for event in self.world.events:
            self.service.append(event)
        self.accepted: dict[str, datetime] = {}
        self.ledgers = {
            party.name: self.ledger(folder / party.name, party) for party in self.world.partners
        }

    def ledger(self, home: Path, party: Party) -> AgentLedger:
        """A partner's ledger, up to date."""
        home.mkdir()
        secrets = PartySecrets(
            keys=party.keys,
            signing=b64(party.signing.seed),
            witness=b64(party.witness.seed),
            sealing=b64(party.sealing.seed),
        )
        ledger = AgentLedger(
            home, "http://127.0.0.1:9", str(self.service.log_key), secrets,
            lambda: self.now, lambda: self.accepted,
        )  # fmt: skip
        ledger.client.close()
        ledger.client = cast(Any, Client(self.service))
        ledger.sync()
        return ledger

    @property
    def council(self) -> AgentLedger:
        """The council's ledger."""
        return self.ledgers["council"]

    @property
    def standing(self) -> Standing:
        """The agreement, as the council's mirror has it."""
        return self.council.state.agreements.standing(self.world.agreement_hash)

    def witness(self, *parties: str) -> None:
        """Partners cosign what the ledger has now."""
        for party in parties:
            self.ledgers[party].sync()
            assert [name.rsplit("/")[-1] for name in self.ledgers[party].witness()] == [party]


@pytest.fixture
def partners(tmp_path: Path) -> Iterator[Partners]:
    """An agreement that three partners signed and nobody has witnessed."""
    found = Partners(tmp_path)
    yield found
    for ledger in found.ledgers.values():
        ledger.close()
    found.store.close()


@pytest.mark.invariant(6, "an under-witnessed and a stale checkpoint", double="withholds")
def test_an_agreement_counts_once_a_quorum_has_witnessed_it_lately(partners: Partners) -> None:
    """Two of three, to the last second of fifteen minutes."""
    for party in ("police", "nhs"):
        with pytest.raises(AgreementNotWitnessed):
            partners.council.require_witnessed(partners.standing)
        partners.witness(party)
    partners.council.require_witnessed(partners.standing)
    record = partners.world.consent_record(partners.world.council, "d" * 32)
    newer = partners.council.author.write(EventType.CONSENT_RECORDED, record)
    partners.service.append(newer)  # which nobody has witnessed yet
    partners.council.require_witnessed(partners.standing)
    assert newer.leaf.time == write_time(NOON)
    partners.now = NOON + AGE
    partners.council.require_witnessed(partners.standing)
    partners.now += SECOND
    with pytest.raises(AgreementNotWitnessed, match="witnessed checkpoint") as refused:
        partners.council.require_witnessed(partners.standing)
    assert isinstance(refused.value.__cause__, GovernanceError)
    partners.witness("council", "nhs")
    partners.council.require_witnessed(partners.standing)


@pytest.mark.parametrize("complete_at", [None, "size"])
def test_the_last_signature_is_in_what_was_witnessed(
    partners: Partners, complete_at: str | None
) -> None:
    """An unsigned agreement is witnessed by nothing, nor is one that was signed since."""
    partners.witness("police", "council")
    size = len(partners.world.events)
    standing = partners.standing
    assert standing.complete_at is not None
    for place in (standing.complete_at, size - 1):
        partners.council.require_witnessed(_completed(standing, place))
    with pytest.raises(AgreementNotWitnessed, match="last signature"):
        partners.council.require_witnessed(_completed(standing, complete_at and size))


def _completed(standing: Standing, at: int | str | None) -> Standing:
    return Standing(
        standing.agreement, standing.signed_by, standing.suspended_by, standing.superseded,
        cast(Any, at),
    )  # fmt: skip


def test_a_new_agreement_is_awaited_for_as_long_as_was_said(partners: Partners) -> None:
    """Once a second, and the mirror follows; then the refusal stands."""
    waited: list[float] = []
    with pytest.raises(AgreementNotWitnessed):
        partners.council.await_witnessed(partners.standing, 2, waited.append)
    assert waited == [POLL_SECONDS] * 2
    with pytest.raises(AgreementNotWitnessed):
        partners.council.await_witnessed(partners.standing, 0, waited.append)
    assert len(waited) == 2

    def work(_seconds: float) -> None:
        partners.service.append(partners.world.consent(partners.world.council, "d" * 32))
        partners.witness("police", "nhs")

    partners.council.await_witnessed(partners.standing, 1, work)
    assert partners.council.state.size == len(partners.world.events)
    partners.council.await_witnessed(partners.standing, 0, work)


@pytest.mark.invariant(4, "a checkpoint that the wrong partners cosigned", double="withholds")
@pytest.mark.invariant(6, "a checkpoint without a holder's cosignature", double="withholds")
def test_who_holds_a_record_is_among_the_witnesses(partners: Partners) -> None:
    """The quorum alone is not enough; and a holder that is no witness is refused at once."""
    agreement, council = partners.standing.agreement, partners.council
    partners.witness("police", "nhs")
    note = partners.service.checkpoint(witnesses=2)

    def counted(*holders: str) -> Callable[[], object]:
        policy = council.policy(agreement, holders)
        return lambda: council.mirror.verify_witnessed(note, policy, partners.now)

    for holders in ((), ("police",), ("police", "nhs")):
        counted(*holders)()
    with pytest.raises(QuorumError):
        counted("council")()
    with pytest.raises(QuorumError):
        counted("hub")
    policy = council.policy(agreement)
    assert (policy.quorum, policy.max_age, policy.required) == (2, AGE, frozenset())
    assert policy.log == council.log_key
    assert {key.name.rsplit("/")[-1] for key in policy.witnesses} == {"police", "nhs", "council"}


@pytest.mark.invariant(3, "a ledger that withholds withdrawals", double="withholds")
def test_nothing_is_cosigned_while_a_withdrawal_is_overdue(partners: Partners) -> None:
    """To the second; what the mirror has is not overdue; the message says how many."""
    partners.accepted = {partners.grant.leaf.id: NOON}
    partners.now = NOON + DELAY
    partners.witness("council")
    partners.now += SECOND
    with pytest.raises(WithdrawalMissingError, match="lacks 1 of"):
        partners.council.witness()
    partners.service.append(partners.world.withdraw(partners.world.council, partners.grant))
    with pytest.raises(WithdrawalMissingError):
        partners.council.witness()  # its own mirror does not have it
    partners.witness("council")
    note = partners.service.checkpoint(len(partners.world.events))
    assert len(note.signatures) == 2
