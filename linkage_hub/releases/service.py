"""Requests, decisions, orders and the relay of sealed answers.

Rules for a request, in order: it is signed by the calling service manager; it is logged before it
is shown to anyone; the family is in the current results; what :mod:`checks` says. A refusal is
logged too.

An order is made anew at each poll, from the newest checkpoint that the agreement's quorum has
cosigned, once that covers the decision and as long as the members are still the same. Partners
verify all of it themselves; what the hub checks saves everyone's time and proves nothing.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from sqlalchemy import insert, select, update

from governance.canonical import canonical_bytes, parse_json, parse_time, write_time
from governance.consent.models import ConsentKind
from governance.errors import SignatureError
from governance.exchange.hub_api import (
    AnswerPost,
    OrderItem,
    OrderList,
    PartyAnswer,
    ReleaseView,
    RequestView,
)
from governance.identity.envelope import Envelope, open_envelope, parse_canonical, parse_model
from governance.identity.models import PersonKeys, Role
from governance.ledger.errors import LedgerError
from governance.ledger.events import EventType
from governance.ledger.note import parse_checkpoint
from governance.ledger.party import PartyLedger
from governance.ledger.payloads import Decided, Outcome, ReleaseRefused, Requested
from governance.ledger.state import LedgerState
from governance.release.errors import MembersChanged
from governance.release.models import SEALED, Approval, Members, Order, SealedItems
from governance.release.registry import read_approval, read_request
from governance.release.verify import require_accepted_kind
from linkage_hub.releases.checks import refusal_of
from linkage_hub.releases.errors import AnswerRefused, RequestDecided, UnknownRequest
from linkage_hub.releases.families import Families
from linkage_hub.releases.logged import log_outcome, logged_decision
from linkage_hub.store.database import HubDatabase
from linkage_hub.store.tables import answers, requests
from linkage_hub.submissions.service import log_once

_OPEN: Final = ("waiting_for_approval", "approved")


class Releases:
    """The release desk of the hub."""

    def __init__(
        self,
        database: HubDatabase,
        families: Families,
        ledger: PartyLedger,
        party: str,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._families = families
        self._ledger = ledger
        self._party = party
        self._now = now

    # --- staff ------------------------------------------------------------------------------

    def ask(self, caller: PersonKeys, envelope: Envelope) -> RequestView:
        """Take a request; may be repeated.

        Raises:
            ReasonedError: by the first rule that fails; the refusal is in the ledger.
        """
        state = self._ledger.sync()
        request, requester = read_request(envelope, state.identities)
        if requester.thumbprint != caller.thumbprint:
            raise SignatureError("a request is signed by the person who sends it")
        id_ = envelope.payload_hash
        if self._row(id_) is not None:
            return self.view(caller, id_)
        logged = state.releases.requests.get(id_)
        if logged is None:  # else it was logged, and then something failed
            state.identities.counted(envelope)
        log_once(
            self._ledger,
            EventType.RELEASE_REQUESTED,
            Requested(request=envelope),
            f"request:{id_}",
        )
        document = self._families.document(request.family)
        refusal = refusal_of(envelope, document, state, self._now())
        reason = None if refusal is None else refusal.reason
        if logged is not None:  # refused in the ledger is refused, whatever holds by now
            reason = logged.refused_by.get(self._party, reason)
        if reason is not None:  # before it is kept here: a crash may come in between
            self._log_refusal(id_, reason)
        with self._database.writing() as connection:
            connection.execute(
                insert(requests).values(
                    id=id_,
                    family=request.family,
                    requester=requester.thumbprint,
                    agreement=request.agreement,
                    envelope=canonical_bytes(envelope),
                    document=canonical_bytes(document),
                    approval=None,
                    state="waiting_for_approval" if reason is None else "refused",
                    reason=reason,
                    created=request.created,
                    expires=request.expires,
                    outcome=None,
                )
            )
        if refusal is not None:
            raise refusal
        return self.view(caller, id_)

    def decide(self, caller: PersonKeys, id_: str, envelope: Envelope) -> RequestView:
        """Take an IG lead's decision; may be repeated.

        Raises:
            SignatureError, NotApproved, SamePerson: not a decision by another person who may.
            SignatureKindNotAccepted: signed with what the agreement does not accept.
            RequestDecided: decided before, or over.
        """
        row = self._known(id_)
        state = self._ledger.sync()
        _, requester = read_request(self._envelope(row), state.identities)
        approval, approver = read_approval(envelope, state.identities, requester)
        if approver.thumbprint != caller.thumbprint or approval.request != id_:
            raise SignatureError(
                "a decision is signed by the person who sends it, for this request"
            )
        require_accepted_kind(state.agreements.standing(row.agreement).agreement, envelope)
        if row.approval is not None and row.approval == canonical_bytes(envelope):
            return self.view(caller, id_)
        if row.state != "waiting_for_approval" or self._over(row):
            raise RequestDecided("the request was decided before, or its time is over")
        logged = state.releases.requests.get(id_)
        if logged is None or logged.decision is None:
            state.identities.counted(envelope)
        self._log_decision(id_, approval, envelope)
        taken, decision = logged_decision(self._ledger, id_)
        with self._database.writing() as connection:
            connection.execute(
                update(requests)
                .where(requests.c.id == id_)
                .values(
                    approval=canonical_bytes(taken),
                    state="approved" if decision.decision == "approve" else "declined",
                    reason=None if decision.decision == "approve" else decision.reason,
                )
            )
        if decision.decision != approval.decision:
            raise RequestDecided("the request was decided before, and otherwise")
        return self.view(caller, id_)

    def _log_decision(self, id_: str, approval: Approval, envelope: Envelope) -> None:
        approving = approval.decision == "approve"
        kind = EventType.RELEASE_APPROVED if approving else EventType.RELEASE_DECLINED
        log_once(self._ledger, kind, Decided(approval=envelope), f"decision:{id_}")

    def view(self, caller: PersonKeys, id_: str) -> RequestView:
        """A request, for its requester and for every IG lead.

        Raises:
            UnknownRequest: none that the caller may see.
        """
        row = self._known(id_)
        if caller.role is not Role.IG_LEAD and row.requester != caller.thumbprint:
            raise UnknownRequest("no such request of yours")
        return self._view(row)

    def all(self, caller: PersonKeys) -> list[RequestView]:
        """Requests that the caller may see, newest first."""
        statement = select(requests).order_by(requests.c.created.desc(), requests.c.id)
        if caller.role is not Role.IG_LEAD:
            statement = statement.where(requests.c.requester == caller.thumbprint)
        with self._database.reading() as connection:
            rows = connection.execute(statement).all()
        return [self._view(row) for row in rows]

    def release(self, caller: PersonKeys, id_: str) -> ReleaseView:
        """Sealed answers, for the requester alone.

        Raises:
            UnknownRequest: not the caller's.
        """
        row = self._known(id_)
        if row.requester != caller.thumbprint:
            raise UnknownRequest("no such request of yours")
        with self._database.reading() as connection:
            found = connection.execute(
                select(answers).where(answers.c.request == id_).order_by(answers.c.party)
            ).all()
        sealed = [parse_model(parse_json(a.sealed), Envelope) for a in found if a.sealed]
        return ReleaseView(request=id_, sealed=tuple(sealed), answers=self._answers(row))

    def conclude(self, caller: PersonKeys, id_: str, outcome: Any) -> RequestView:
        """Record what came of an approach; may be repeated, and said otherwise later.

        Raises:
            UnknownRequest: not the caller's.
            RequestNotLogged: the ledger does not show the request.
        """
        row = self._known(id_)
        if row.requester != caller.thumbprint:
            raise UnknownRequest("no such request of yours")
        held = log_outcome(self._ledger, Outcome(request=id_, outcome=outcome))
        with self._database.writing() as connection:
            connection.execute(update(requests).where(requests.c.id == id_).values(outcome=held))
        return self.view(caller, id_)

    # --- partners ---------------------------------------------------------------------------

    def orders(self, party: str) -> OrderList:
        """Orders that a party has to answer now."""
        with self._database.reading() as connection:
            rows = connection.execute(select(requests).where(requests.c.state == "approved")).all()
            answered = set(
                connection.scalars(select(answers.c.request).where(answers.c.party == party))
            )
        open_rows = [row for row in rows if row.id not in answered and not self._over(row)]
        if not open_rows:
            return OrderList(orders=())
        state = self._ledger.sync()
        orders = []
        for row in open_rows:
            document = parse_canonical(row.document, Members)
            if not self._captured(party, document, state):
                continue
            order = self._order(row, document, state)
            if order is not None:
                orders.append(OrderItem(request=row.id, order=order))
        return OrderList(orders=tuple(orders))

    def _order(self, row: Any, document: Members, state: LedgerState) -> Order | None:
        if self._families.document(row.family).digest != document.digest:
            self._refuse(row.id, MembersChanged.reason)
            return None
        record = state.releases.requests.get(row.id)
        if record is None or record.decision_index is None:
            return None
        quorum = state.agreements.standing(row.agreement).agreement.witnessing.quorum
        try:
            note = self._ledger.client.checkpoint(witnesses=quorum, by=document.holders)
        except LedgerError:
            return None  # no checkpoint has the quorum and every holder yet
        if parse_checkpoint(note.text).size <= record.decision_index:
            return None
        return Order(
            request=self._envelope(row),
            approval=parse_model(parse_json(row.approval), Envelope),
            members=document,
            checkpoint=str(note),
        )

    def answer(self, party: str, id_: str, post: AnswerPost) -> None:
        """Take a partner's answer; may be repeated.

        Raises:
            AnswerRefused: it does not fit the order, or another answer was given before.
        """
        row = self._known(id_)
        if (post.sealed is None) == (post.refusal is None):
            raise AnswerRefused("an answer is sealed items or a refusal")
        sealed = None if post.sealed is None else self._check_sealed(party, id_, post.sealed)
        with self._database.reading() as connection:
            known = connection.execute(
                select(answers).where(answers.c.request == id_, answers.c.party == party)
            ).first()
        if known is None:
            with self._database.writing() as connection:
                connection.execute(
                    insert(answers).values(
                        request=id_,
                        party=party,
                        sealed=sealed,
                        reason=post.refusal,
                        answered=write_time(self._now()),
                    )
                )
        elif (known.sealed, known.reason) != (sealed, post.refusal):
            raise AnswerRefused("this party has answered otherwise before")
        self._settle(row)  # also of a repeated answer: a crash may have come after the first

    def _check_sealed(self, party: str, id_: str, envelope: Envelope) -> bytes:
        identities = self._ledger.state.identities
        sealed, signers = open_envelope(
            envelope, SEALED, SealedItems, lambda key: identities.party_key(key)[1]
        )
        named = {identities.party_key(signer)[0] for signer in signers} | {sealed.party}
        if named != {party} or sealed.request != id_:
            raise AnswerRefused("sealed items are signed by the party that sends them")
        return canonical_bytes(envelope)

    def _settle(self, row: Any) -> None:
        """Once every partner has answered, the request is answered, or refused by all."""
        views = self._answers(row)
        if any(answer.state == "waiting" for answer in views):
            return
        sealed = any(answer.state == "sealed" for answer in views)
        reason = next((answer.reason for answer in views if answer.reason), None)
        with self._database.writing() as connection:
            connection.execute(
                update(requests)
                .where(requests.c.id == row.id)
                .values(
                    state="answered" if sealed else "refused", reason=None if sealed else reason
                )
            )

    # --- shared -----------------------------------------------------------------------------

    def _captured(self, party: str, document: Members, state: LedgerState) -> bool:
        return any(
            state.consents.current(party, record.handle, ConsentKind.APPROACH) is not None
            for member in document.members
            for record in member.records
            if record.party == party
        )

    def _answers(self, row: Any) -> tuple[PartyAnswer, ...]:
        document = parse_canonical(row.document, Members)
        state = self._ledger.state
        parties = sorted({r.party for member in document.members for r in member.records})
        with self._database.reading() as connection:
            given = {
                answer.party: answer
                for answer in connection.execute(select(answers).where(answers.c.request == row.id))
            }
        return tuple(
            PartyAnswer(
                party=party,
                state="waiting"
                if party not in given
                else ("sealed" if given[party].sealed else "refused"),
                reason=given[party].reason if party in given else None,
            )
            for party in parties
            if party in given or self._captured(party, document, state)
        )

    def _refuse(self, id_: str, reason: str) -> None:
        self._log_refusal(id_, reason)
        with self._database.writing() as connection:
            connection.execute(
                update(requests)
                .where(requests.c.id == id_, requests.c.state.in_(_OPEN))
                .values(state="refused", reason=reason)
            )

    def _log_refusal(self, id_: str, reason: str) -> None:
        payload = ReleaseRefused(request=id_, party=self._party, reason=reason)
        log_once(self._ledger, EventType.RELEASE_REFUSED, payload, f"refused:{id_}")

    def _over(self, row: Any) -> bool:
        return self._now() >= parse_time(row.expires)

    def _row(self, id_: str) -> Any:
        with self._database.reading() as connection:
            return connection.execute(select(requests).where(requests.c.id == id_)).first()

    def _known(self, id_: str) -> Any:
        row = self._row(id_)
        if row is None:
            raise UnknownRequest("no such request")
        return row

    @staticmethod
    def _envelope(row: Any) -> Envelope:
        return parse_model(parse_json(row.envelope), Envelope)

    def _view(self, row: Any) -> RequestView:
        state = "expired" if row.state in _OPEN and self._over(row) else row.state
        return RequestView(
            id=row.id,
            family=row.family,
            state=state,
            request=self._envelope(row),
            approval=None
            if row.approval is None
            else parse_model(parse_json(row.approval), Envelope),
            document=parse_canonical(row.document, Members),
            answers=self._answers(row),
            reason=row.reason,
            created=row.created,
            expires=row.expires,
            outcome=row.outcome,
        )
