"""What staff do with requests: ask, decide, look, fetch what was sealed, say what came of it.

Rules for a request, in order: it is signed by the calling service manager; the family is in the
current results of the agreement that it names, the caller's organisation is a party of that, and
one request may name all its members; it is logged before it is shown to anyone; what :mod:`checks`
says. A refusal of what is logged is logged too, also of what a hub that was killed had logged and
cannot keep any more.

Requests are seen by staff of the parties of their agreement alone: by their requester, and by IG
leads. To others they are not there.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update

from governance.canonical import canonical_bytes, parse_json
from governance.errors import SignatureError
from governance.exchange.release_api import EarlierRequest, ReleaseView, RequestView
from governance.identity.envelope import Envelope, parse_model
from governance.identity.models import PersonKeys, Role
from governance.ledger.events import EventType
from governance.ledger.party import PartyLedger
from governance.ledger.payloads import Decided, Outcome, Requested
from governance.release.models import Approval
from governance.release.registry import RequestRecord, read_approval, read_request
from governance.release.verify import require_accepted_kind
from linkage_hub.releases.checks import refusal_of
from linkage_hub.releases.errors import (
    FamilyTooLarge,
    RequestDecided,
    UnknownFamily,
    UnknownRequest,
)
from linkage_hub.releases.families import Families
from linkage_hub.releases.kept import KeptRequests
from linkage_hub.releases.logged import log_outcome, logged_decision
from linkage_hub.store.database import HubDatabase
from linkage_hub.store.tables import answers, requests
from linkage_hub.submissions.service import log_once


class Releases:
    """The release desk of the hub, for staff.

    Args:
        database: the hub's.
        families: in the current results.
        ledger: mirror and pen.
        kept: requests.
        party: the hub's own name.
        now: the clock.
    """

    def __init__(
        self,
        database: HubDatabase,
        families: Families,
        ledger: PartyLedger,
        kept: KeptRequests,
        party: str,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._families = families
        self._ledger = ledger
        self._kept = kept
        self._party = party
        self._now = now

    def ask(self, caller: PersonKeys, envelope: Envelope) -> RequestView:
        """Take a request; may be repeated.

        Raises:
            SignatureError: nothing is in the ledger.
            UnknownFamily, FamilyTooLarge: nothing is, or the refusal where the request was.
            ReasonedError: by the first rule that fails; the refusal is in the ledger.
        """
        state = self._ledger.sync()
        request, requester = read_request(envelope, state.identities)
        if requester.thumbprint != caller.thumbprint:
            raise SignatureError("a request is signed by the person who sends it")
        id_ = envelope.payload_hash
        if self._kept.row(id_) is not None:
            return self.view(caller, id_)
        agreements = {request.agreement}.intersection(self._agreements(caller))
        logged = state.releases.requests.get(id_)
        try:
            document = self._families.document(request.family, agreements)
        except (UnknownFamily, FamilyTooLarge) as gone:
            if logged is not None and self._is_left_open(logged):
                self._kept.log_refusal(id_, gone.reason)
            raise
        if logged is None:  # else it was logged, and then something failed
            state.identities.counted(envelope)
        log_once(
            self._ledger,
            EventType.RELEASE_REQUESTED,
            Requested(request=envelope),
            f"request:{id_}",
        )
        refusal = refusal_of(envelope, document, state, self._now())
        reason = None if refusal is None else refusal.reason
        if logged is not None:  # refused in the ledger is refused, whatever holds by now
            reason = logged.refused_by.get(self._party, reason)
        if reason is not None:  # before it is kept here: a crash may come in between
            self._kept.log_refusal(id_, reason)
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

    def _is_left_open(self, logged: RequestRecord) -> bool:
        """Whether this hub logged a request that nobody has answered or refused here."""
        mine = logged.logged_by == self._party
        return mine and self._party not in logged.refused_by and not logged.sealed_by

    def decide(self, caller: PersonKeys, id_: str, envelope: Envelope) -> RequestView:
        """Take an IG lead's decision; may be repeated.

        Raises:
            UnknownRequest: under none of the agreements of the caller's organisation.
            SignatureError, NotApproved, SamePerson: not a decision by another person who may.
            SignatureKindNotAccepted: signed with what the agreement does not accept.
            RequestDecided: decided before, or over.
        """
        state = self._ledger.sync()
        row = self._row(caller, id_)
        _, requester = read_request(self._kept.envelope(row), state.identities)
        approval, approver = read_approval(envelope, state.identities, requester)
        if approver.thumbprint != caller.thumbprint or approval.request != id_:
            raise SignatureError(
                "a decision is signed by the person who sends it, for this request"
            )
        require_accepted_kind(state.agreements.standing(row.agreement).agreement, envelope)
        if row.approval is not None and row.approval == canonical_bytes(envelope):
            return self.view(caller, id_)
        if row.state != "waiting_for_approval" or self._kept.over(row):
            raise RequestDecided("the request was decided before, or its time is over")
        logged = state.releases.requests.get(id_)
        if logged is None or logged.decision is None:
            state.identities.counted(envelope)
        self._log_decision(id_, approval, envelope)
        taken, decision = logged_decision(self._ledger, id_)
        with self._database.writing() as connection:
            connection.execute(
                update(requests)  # unless the same decision, sent twice, has led to answers by now
                .where(requests.c.id == id_, requests.c.state == "waiting_for_approval")
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
        """A request, for its requester and for IG leads of the agreement's partners.

        Raises:
            UnknownRequest: none that the caller may see.
        """
        look = self._row if caller.role is Role.IG_LEAD else self._own
        return self._kept.view(look(caller, id_))

    def _row(self, caller: PersonKeys, id_: str) -> Any:
        """A request under an agreement of the caller's organisation."""
        row = self._kept.known(id_)
        if row.agreement not in self._agreements(caller):
            raise UnknownRequest("no such request")
        return row

    def _own(self, caller: PersonKeys, id_: str) -> Any:
        """A request of the caller's."""
        row = self._row(caller, id_)
        if row.requester != caller.thumbprint:
            raise UnknownRequest("no such request")
        return row

    def _agreements(self, caller: PersonKeys) -> list[str]:
        return self._ledger.state.agreements.partnered_by(caller.party)

    def all(self, caller: PersonKeys) -> list[RequestView]:
        """Requests that the caller may see, newest first."""
        statement = (
            select(requests)
            .where(requests.c.agreement.in_(self._agreements(caller)))
            .order_by(requests.c.created.desc(), requests.c.id)
        )
        if caller.role is not Role.IG_LEAD:
            statement = statement.where(requests.c.requester == caller.thumbprint)
        with self._database.reading() as connection:
            rows = connection.execute(statement).all()
        return [self._kept.view(row) for row in rows]

    def earlier(self, caller: PersonKeys, family: str) -> tuple[EarlierRequest, ...]:
        """What was asked about a family of the caller's before, newest first; never who asked."""
        mine = requests.c.agreement.in_(self._agreements(caller))
        statement = (
            select(requests)
            .where(requests.c.family == family, mine)
            .order_by(requests.c.created.desc(), requests.c.id)
        )
        with self._database.reading() as connection:
            rows = connection.execute(statement).all()
        return tuple(
            EarlierRequest(
                created=row.created,
                state=self._kept.state(row),
                outcome=row.outcome,
                own=row.requester == caller.thumbprint,
            )
            for row in rows
        )

    def release(self, caller: PersonKeys, id_: str) -> ReleaseView:
        """Sealed answers, for the requester alone.

        Raises:
            UnknownRequest: not the caller's.
        """
        row = self._own(caller, id_)
        with self._database.reading() as connection:
            found = connection.execute(
                select(answers).where(answers.c.request == id_).order_by(answers.c.party)
            ).all()
        sealed = [parse_model(parse_json(a.sealed), Envelope) for a in found if a.sealed]
        return ReleaseView(request=id_, sealed=tuple(sealed), answers=self._kept.answers(row))

    def conclude(self, caller: PersonKeys, id_: str, outcome: Any) -> RequestView:
        """Record what came of an approach; may be repeated, and said otherwise later.

        Raises:
            UnknownRequest: not the caller's.
            RequestNotLogged: the ledger does not show the request.
        """
        self._own(caller, id_)
        held = log_outcome(self._ledger, Outcome(request=id_, outcome=outcome))
        with self._database.writing() as connection:
            connection.execute(update(requests).where(requests.c.id == id_).values(outcome=held))
        return self.view(caller, id_)
