"""The release desk: what comes as an order goes out as sealed items or as a refusal, once.

Rules: verification and sealing come first; the answer, and the event that will say so, are stored
in one transaction with the count that the rate limit needs and the withdrawals accepted here; the
event goes to the ledger, which admits one receipt for each request and party; only then does the
answer go to the hub. Each step is repeated after a crash with the very same bytes, so nothing is
released twice and nothing that was answered is lost.

Sealed items that waited (for the ledger, for the hub, through a crash) are looked at again before
they leave: where the request's time is over, the agreement no longer permits it or a member of the
family has withdrawn, a refusal goes to the hub in their place. An answer that ledger or hub will
not take holds no other up.

What may pass by itself (a mirror or a quorum that is behind, a ledger that is away) is no answer:
the order is looked at again later.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from governance.canonical import b64, parse_time, sha256, write_time
from governance.errors import GovernanceError, ReasonedError
from governance.exchange.hub_api import AnswerPost
from governance.exchange.hub_client import HubClient, HubRefused, HubUnavailable
from governance.identity.envelope import Envelope, open_envelope, sign
from governance.identity.files import PartySecrets
from governance.ledger.errors import LedgerError, LedgerUnavailableError, MirrorError
from governance.ledger.events import Event, EventType
from governance.ledger.note import parse_note
from governance.ledger.payloads import ReleaseRefused, Sealed
from governance.ledger.state import LedgerState
from governance.release.errors import MembersChanged, RequestNotLogged
from governance.release.models import REQUEST, SEALED, CheckpointRef, Order, Request
from governance.release.seal import seal_records
from governance.release.verify import VerifiedOrder, Witnessed, verify_order
from partner_agent.consents import Consents
from partner_agent.ledger import AgentLedger
from partner_agent.releases.answers import Answer, AnswerStore, Waiting
from partner_agent.releases.errors import WithdrawnHere
from partner_agent.releases.local import open_rows, own_grants
from partner_agent.releases.recheck import require_still_permitted
from partner_agent.store.database import AgentDatabase, AgentStoreError
from partner_agent.vault.keys import VaultKeyError
from partner_agent.vault.store import Vault

_PASSING: Final = (LedgerError, MirrorError, RequestNotLogged, AgentStoreError, VaultKeyError)
_AWAY: Final = (LedgerUnavailableError, HubUnavailable)
_ANSWERED_OTHERWISE: Final = "release.answer"
_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True)
class Later:
    """An order that cannot be answered yet, and why."""

    request: str
    reason: str


class ReleaseDesk:
    """Answers orders for one party."""

    def __init__(
        self,
        secrets: PartySecrets,
        database: AgentDatabase,
        vault: Vault,
        ledger: AgentLedger,
        consents: Consents,
        now: Callable[[], datetime],
    ) -> None:
        self._secrets = secrets
        self._database = database
        self._vault = vault
        self._ledger = ledger
        self._consents = consents
        self._now = now

    def answer_all(self, hub: HubClient) -> tuple[list[Answer], list[Later]]:
        """Answer every order that the hub has for this party, and hand out what is stored.

        Raises:
            HubUnavailable, HubRefused: the hub is away; nothing is lost.
        """
        later = []
        known = {answer.request for answer in self.answers()}
        for item in hub.orders().orders:
            request = item.order.request.payload_hash  # never the hub's word for it
            if request in known:
                continue
            try:
                self._answer(item.order)
            except _PASSING as error:
                later.append(Later(request, error.reason))
        self.deliver(hub)
        return self.answers(), later

    def deliver(self, hub: HubClient) -> None:
        """Log and hand out every stored answer that is not yet with ledger and hub."""
        with self._database.reading() as connection:
            waiting = connection.execute(
                select(answers).where(answers.c.delivered.is_(False))
            ).all()
        for row in waiting:
            if not row.logged:
                self._ledger.append(parse_model(parse_json(row.event), WireEvent).event())
                self._mark(row.request, logged=True)
            sealed = None if row.sealed is None else parse_model(parse_json(row.sealed), Envelope)
            hub.answer(row.request, AnswerPost(sealed=sealed, refusal=row.reason))
            self._mark(row.request, delivered=True)

    def answers(self) -> list[Answer]:
        """Every answer given here, oldest first."""
        with self._database.reading() as connection:
            rows = connection.execute(select(answers).order_by(answers.c.answered)).all()
        return [
            Answer(
                row.request, row.sealed is not None, row.reason, row.answered, row.logged,
                row.delivered,
            )
            for row in rows
        ]  # fmt: skip

    def _answer(self, order: Order) -> None:
        request = order.request.payload_hash
        try:
            verified = self._verify(order)
            sealed, event = self._seal(verified)
            most = verified.agreement.limits.releases_per_party_per_day
            self._store(request, sealed, None, event, most)
        except _PASSING:
            raise
        except ReasonedError as refusal:
            self._refuse(request, refusal.reason)

    def _verify(self, order: Order) -> VerifiedOrder:
        state = self._ledger.sync()
        request, _ = open_envelope(order.request, REQUEST, Request, state.identities.key)
        if order.members.agreement != request.agreement:
            raise MembersChanged("the order's members are of another agreement")
        agreement = state.agreements.standing(request.agreement).agreement
        note = parse_note(order.checkpoint.encode())
        found = self._ledger.mirror.verify_witnessed(
            note, self._ledger.policy(agreement), self._now()
        )
        checkpoint = CheckpointRef(size=found.checkpoint.size, root=b64(found.checkpoint.root))
        return verify_order(
            order,
            party=self._secrets.keys.party,
            state=state,
            witnessed=Witnessed(checkpoint, self._ledger.mirror.root),
            now=self._now(),
        )

    def _seal(self, verified: VerifiedOrder) -> tuple[Envelope, Event]:
        party = self._secrets.keys.party
        records = open_rows(
            verified, party, self._vault, self._consents.withdrawn_here(), self._now().date()
        )
        sealed = seal_records(
            records,
            request=verified.request_hash,
            order=verified.order.hash,
            party=party,
            recipient=verified.recipient,
            checkpoint=verified.checkpoint,
            created=write_time(self._now()),
        )
        envelope = sign(SEALED, sealed, self._secrets.signing_key, self._secrets.keys.thumbprint)
        receipt = Sealed(
            request=verified.request_hash,
            order=verified.order.hash,
            party=party,
            records=len(records),
            ciphertext_sha256=sha256(sealed.ciphertext.encode()),
        )
        return envelope, self._ledger.author.write(EventType.RELEASE_SEALED, receipt)

    def _store(
        self, request: str, sealed: Envelope | None, reason: str | None, event: Event, most: int
    ) -> None:
        """Keep an answer, once; with a sealed one, only while fewer than ``most`` are a day old."""
        now = self._now()
        since = write_time(now - RATE_WINDOW)
        with self._database.writing() as connection:
            recent = connection.scalar(
                select(func.count())
                .select_from(answers)
                .where(answers.c.sealed.is_not(None), answers.c.answered > since)
            )
            if sealed is not None and int(recent or 0) >= most:
                raise RateLimited(
                    f"this partner has released {recent} times within a day; agreed: {most}",
                    next_step="ask again tomorrow",
                )
            connection.execute(
                insert(answers).values(
                    request=request,
                    sealed=None if sealed is None else canonical_bytes(sealed),
                    reason=reason,
                    event=WireEvent.of(event).model_dump_json().encode(),
                    answered=write_time(now),
                    logged=False,
                    delivered=False,
                )
            )
        _LOG.info(
            "answered", extra={"request": request, "sealed": sealed is not None, "reason": reason}
        )

    def _refuse(self, request: str, reason: str) -> None:
        payload = ReleaseRefused(request=request, party=self._secrets.keys.party, reason=reason)
        event = self._ledger.author.write(EventType.RELEASE_REFUSED, payload)
        self._store(request, None, reason, event, 0)

    def _mark(self, request: str, **done: bool) -> None:
        with self._database.writing() as connection:
            connection.execute(update(answers).where(answers.c.request == request).values(**done))
