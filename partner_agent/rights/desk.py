"""The rights desk: requests that people make of this partner, from receipt to answer.

Rules: who asks is known here alone; the ledger learns of a random id, a kind and the days. Erasure,
restriction and objection block the records first, so that no release leaves from that moment on;
then live consents are withdrawn, rows destroyed (a restriction keeps them) and prepared files
cleared; then the ledger is told, with the handles sealed to the hub. A rectification is carried out
once an accepted submission holds another row than the one that was complained of. What the ledger
does not have yet is handed in as soon as it can be reached.
"""

import secrets
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Final

from governance.agreements.models import Agreement
from governance.canonical import parse_time, write_time
from governance.consent.models import ConsentState
from governance.errors import ReasonedError
from governance.identity.envelope import parse_model
from governance.identity.files import PartySecrets
from governance.ledger.errors import LedgerUnavailableError
from governance.ledger.events import EventType
from governance.ledger.payloads import (
    RightsCarriedOut,
    RightsClosed,
    RightsExtended,
    RightsLifted,
    RightsOpened,
    SealedHandles,
)
from governance.ledger.state import LedgerState
from governance.rights.models import MONTHS, MONTHS_EXTENDED, TAKES_OUT, RightsKind, months_after
from governance.rights.seal import seal_handles
from partner_agent.consents import Consents
from partner_agent.ledger import AgentLedger
from partner_agent.rights.errors import NotCorrected, RightsInput
from partner_agent.rights.files import OutboxFiles
from partner_agent.rights.recipients import recipients
from partner_agent.rights.store import Request, RightsStore, Subject
from partner_agent.vault.store import Vault

_ENDED: Final = frozenset({ConsentState.REFUSED, ConsentState.WITHDRAWN})


class RightsDesk:
    """One partner's.

    Args:
        secrets: the party's keys.
        store: requests.
        vault: the encrypted rows.
        files: prepared submissions.
        consents: the consent desk.
        ledger: mirror and pen.
        now: the clock.
    """

    def __init__(
        self,
        secrets: PartySecrets,
        store: RightsStore,
        vault: Vault,
        files: OutboxFiles,
        consents: Consents,
        ledger: AgentLedger,
        now: Callable[[], datetime],
    ) -> None:
        self._party = secrets.keys.party
        self._store = store
        self._vault = vault
        self._files = files
        self._consents = consents
        self._ledger = ledger
        self._now = now

    def open(
        self,
        agreement: Agreement,
        kind: RightsKind,
        records: Sequence[tuple[str, str]],
        received: date,
    ) -> Request:
        """Take a request, and start its clock.

        Args:
            agreement: under which the records are held.
            kind: what is asked for.
            records: source and own record id of each record of the person.
            received: the day on which it came.

        Raises:
            RightsInput: records or day do not fit.
        """
        sources = {source for source, _ in records}
        own = {each.id for each in agreement.sources if each.party == self._party}
        if not records or not sources <= own:
            raise RightsInput("a request names records of this partner's sources")
        if kind is RightsKind.RECTIFICATION and len(sources) > 1:
            raise RightsInput(
                "a rectification is about records of one source", next_step="open one for each"
            )
        if received > self._now().date():
            raise RightsInput("a request is received before it is opened")
        subjects = [each for record in records for each in self._subjects(*record)]
        if kind is RightsKind.RECTIFICATION and any(each.handle is None for each in subjects):
            raise RightsInput(
                "the vault holds no row of one of these record ids",
                next_step="nothing of it was sent: correct your own system",
            )
        due = months_after(received, MONTHS).isoformat()
        event = self._ledger.author.write(
            EventType.RIGHTS_OPENED,
            RightsOpened(
                agreement=agreement.hash,
                party=self._party,
                kind=kind,
                received=received.isoformat(),
                due=due,
            ),
            id_=secrets.token_hex(16),
        )
        request = Request(
            event.leaf.id, kind, agreement.hash, received.isoformat(), due, False,
            write_time(self._now()), None, None, None, None, None,
        )  # fmt: skip
        self._store.open(request, subjects, event)
        self.tell()
        return request

    def extend(self, id_: str, reason: str) -> Request:
        """Take two further months, of which the person is told (Article 12(3)).

        Raises:
            RightsInput: extended before, overdue or closed.
        """
        request = self._live(id_)
        if request.extended or self._now().date() > date.fromisoformat(request.due):
            raise RightsInput(
                "a request is extended once, and before it is due", next_step="answer it now"
            )
        due = months_after(date.fromisoformat(request.received), MONTHS_EXTENDED).isoformat()
        payload = parse_model({"due": due, "reason": reason}, RightsExtended)
        event = self._ledger.author.write(EventType.RIGHTS_EXTENDED, payload, (id_,))
        self._store.note(id_, event, due=due, extended=True)
        self.tell()
        return self._store.get(id_)

    def carry_out(self, id_: str, state: LedgerState) -> Request:
        """Do what is asked; the same call again goes on where it was broken off.

        Args:
            id_: of the request.
            state: of the ledger, as the mirror has it.

        Raises:
            RightsInput: an access request, one that is closed or was carried out.
            NotCorrected: no accepted submission holds a corrected row.
        """
        request = self._live(id_)
        if request.carried_out is not None:
            raise RightsInput("the request was carried out", next_step="partner-agent rights show")
        if request.kind in TAKES_OUT:
            payload = self._take_out(request, state)
        elif request.kind is RightsKind.RECTIFICATION:
            payload = self._rectify(request, state)
        else:
            raise RightsInput(
                "an access request is answered with a report",
                next_step=f"partner-agent rights report {id_}",
            )
        event = self._ledger.author.write(EventType.RIGHTS_CARRIED_OUT, payload, (id_,))
        self._store.note(id_, event, carried_out=write_time(self._now()))
        self.tell()
        return self._store.get(id_)

    def close(self, id_: str, outcome: str, reason: str | None, state: LedgerState) -> Request:
        """Note that the person was answered.

        Raises:
            RightsInput: it does not fit what was done.
        """
        request = self._live(id_)
        acts = request.kind is not RightsKind.ACCESS
        if outcome in ("done", "not_proven") and acts and request.carried_out is None:
            raise RightsInput(
                "the request was not carried out", next_step=f"partner-agent rights carry-out {id_}"
            )
        logged = state.rights.requests.get(id_)
        if outcome == "done" and acts and (logged is None or logged.carried_out is None
                                           or logged.unproven):  # fmt: skip
            raise RightsInput(
                "the hub has not confirmed that it took the records out",
                next_step="wait for it, or tell the person so and close with --outcome not_proven",
            )
        if (outcome == "refused") != (reason is not None):
            raise RightsInput("a refusal, and nothing else, has a reason")
        payload = parse_model({"outcome": outcome, "reason": reason}, RightsClosed)
        event = self._ledger.author.write(EventType.RIGHTS_CLOSED, payload, (id_,))
        self._store.note(id_, event, closed=write_time(self._now()), outcome=outcome)
        self.tell()
        return self._store.get(id_)

    def lift(self, id_: str, reason: str) -> Request:
        """Let the records take part again, from the next extract on.

        Raises:
            RightsInput: nothing of the request is blocked.
        """
        request = self._store.get(id_)
        if request.kind not in TAKES_OUT or not request.carried_out or request.lifted:
            raise RightsInput("nothing is blocked by this request")
        payload = parse_model({"reason": reason}, RightsLifted)
        event = self._ledger.author.write(EventType.RIGHTS_LIFTED, payload, (id_,))
        self._store.lift(id_, event, write_time(self._now()))
        self.tell()
        return self._store.get(id_)

    def tell(self) -> None:
        """Hand to the ledger what it does not have yet; one that is away is tried again later."""
        stopped: set[str] = set()
        for number, request, event in self._store.waiting():
            if request in stopped:
                continue
            try:
                self._ledger.append(event)
            except LedgerUnavailableError:
                return
            except ReasonedError:
                stopped.add(request)  # later events of it rest on this one
                continue
            self._store.logged(number)

    def overdue(self) -> int:
        """Requests that are past their day and not closed."""
        today = self._now().date().isoformat()
        return sum(each.closed is None and each.due < today for each in self._store.all())

    def counts(self) -> dict[str, int]:
        """How many requests are open, and how many of them are overdue."""
        live = sum(each.closed is None for each in self._store.all())
        return {"open": live, "overdue": self.overdue()}

    # --- parts ------------------------------------------------------------------------------

    def _live(self, id_: str) -> Request:
        request = self._store.get(id_)
        if request.closed is not None:
            raise RightsInput("the request is closed", next_step="open another")
        return request

    def _subjects(self, source: str, record_id: str) -> list[Subject]:
        place = self._vault.locator(source, record_id)
        return [
            Subject(source, place, handle, self._vault.digest(handle))
            for handle in self._vault.at(source, place)
        ] or [Subject(source, place, None, None)]

    def _take_out(self, request: Request, state: LedgerState) -> RightsCarriedOut:
        places = self._store.subjects(request.id)
        known = {each.handle for each in places}
        since = [
            Subject(place.source, place.locator, handle, None)
            for place in {(each.source, each.locator): each for each in places}.values()
            for handle in self._vault.at(place.source, place.locator)
            if handle not in known
        ]
        self._store.block(request.id, places, since)
        handles = {each.handle for each in (*places, *since) if each.handle is not None}
        ended = self._consents.withdraw(self._standing(state, handles), self._now())
        rows = 0 if request.kind is RightsKind.RESTRICTION else self._vault.destroy(handles)
        files = self._files.take_out({each.source for each in places}, handles)
        return RightsCarriedOut(
            rows=rows,
            consents=len(ended),
            files=files,
            replaced_by=None,
            sealed=self._sealed(request, handles, state),
        )

    def _standing(self, state: LedgerState, handles: set[bytes]) -> list[str]:
        """Ids of decisions about the records that the person has not taken back."""
        names = {handle.hex() for handle in handles}
        return [
            grant.id
            for grant in self._consents.own(state, self._party)
            if grant.subject in names and grant.state(self._now()) not in _ENDED
        ]

    def _rectify(self, request: Request, state: LedgerState) -> RightsCarriedOut:
        places = self._store.subjects(request.id)
        for place in places:
            rows = self._vault.at(place.source, place.locator)
            if place.handle in rows and self._vault.digest(place.handle) == place.digest:
                raise NotCorrected(
                    "the vault still holds the row as it was",
                    next_step="correct it in your own system, then prepare and submit an extract",
                )
        opened = write_time(parse_time(request.opened) - timedelta(seconds=1))
        manifest = self._files.accepted(places[0].source, opened, state.submissions.accepted)
        if manifest is None:
            raise NotCorrected(
                "no submission of the source was accepted since the request was opened",
                next_step="partner-agent submit, then partner-agent run",
            )
        handles = {each.handle for each in places if each.handle is not None}
        return RightsCarriedOut(
            rows=len(handles),
            consents=0,
            files=0,
            replaced_by=manifest,
            sealed=self._sealed(request, handles, state),
        )

    def _sealed(
        self, request: Request, handles: set[bytes], state: LedgerState
    ) -> tuple[SealedHandles, ...]:
        """The handles for each hub that holds a submission of this partner's."""
        if not handles:
            return ()
        parties = state.identities.parties
        agreement = state.agreements.standing(request.agreement).agreement
        made = self._files.manifests()
        return tuple(
            SealedHandles(
                recipient=hub,
                ciphertext=seal_handles(handles, parties[hub].sealing, request.id, self._party),
            )
            for hub in recipients(agreement, self._party, state.submissions, made)
        )
