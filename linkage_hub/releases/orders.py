"""Orders for partners, and the relay of their answers.

An order is made anew at each poll, from the newest checkpoint that the agreement's quorum has
cosigned, once that covers the decision and as long as the members are still the same. Partners
verify all of it themselves; what the hub checks saves everyone's time and proves nothing.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite

from governance.canonical import canonical_bytes, parse_json, write_time
from governance.exchange.release_api import AnswerPost, OrderItem, OrderList
from governance.identity.envelope import Envelope, open_envelope, parse_canonical, parse_model
from governance.ledger.errors import LedgerError
from governance.ledger.note import parse_checkpoint
from governance.ledger.party import PartyLedger
from governance.ledger.state import LedgerState
from governance.release.errors import MembersChanged
from governance.release.models import SEALED, Members, Order, SealedItems
from linkage_hub.releases.errors import AnswerRefused, FamilyTooLarge, UnknownFamily
from linkage_hub.releases.families import Families
from linkage_hub.releases.kept import KeptRequests
from linkage_hub.store.database import HubDatabase
from linkage_hub.store.tables import answers, requests


class Orders:
    """The release desk of the hub, for partners; the same parts as that for staff."""

    def __init__(
        self,
        database: HubDatabase,
        families: Families,
        ledger: PartyLedger,
        kept: KeptRequests,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._families = families
        self._ledger = ledger
        self._kept = kept
        self._now = now

    def orders(self, party: str) -> OrderList:
        """Orders that a party has to answer now."""
        with self._database.reading() as connection:
            rows = connection.execute(select(requests).where(requests.c.state == "approved")).all()
            answered = set(
                connection.scalars(select(answers.c.request).where(answers.c.party == party))
            )
        open_rows = [row for row in rows if row.id not in answered and not self._kept.over(row)]
        if not open_rows:
            return OrderList(orders=())
        state = self._ledger.sync()
        orders = []
        for row in open_rows:
            document = parse_canonical(row.document, Members)
            if not self._kept.captured(party, document, state):
                continue
            order = self._order(row, document, state)
            if order is not None:
                orders.append(OrderItem(request=row.id, order=order))
        return OrderList(orders=tuple(orders))

    def _order(self, row: Any, document: Members, state: LedgerState) -> Order | None:
        if not self._is_as_it_was(row, document):
            self._kept.refuse(row.id, MembersChanged.reason)
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
            request=self._kept.envelope(row),
            approval=parse_model(parse_json(row.approval), Envelope),
            members=document,
            checkpoint=str(note),
        )

    def _is_as_it_was(self, row: Any, document: Members) -> bool:
        try:
            return self._families.document(row.family, [row.agreement]).digest == document.digest
        except (UnknownFamily, FamilyTooLarge):  # it is gone, or has grown
            return False

    def answer(self, party: str, id_: str, post: AnswerPost) -> None:
        """Take a partner's answer; may be repeated.

        Raises:
            AnswerRefused: it does not fit the order, was ordered of nobody or of others, or another
                answer was given before.
        """
        row = self._kept.known(id_)
        if party not in parse_canonical(row.document, Members).holders:
            raise AnswerRefused("only organisations that hold records of the family answer")
        if (post.sealed is None) == (post.refusal is None):
            raise AnswerRefused("an answer is sealed items or a refusal")
        sealed = None if post.sealed is None else self._check_sealed(party, id_, post.sealed)
        if row.approval is None or row.state == "declined":
            raise AnswerRefused("the request was not approved, so nobody was ordered to answer")
        kept = self._keep(party, id_, sealed, post.refusal)
        if (kept.sealed, kept.reason) != (sealed, post.refusal):
            raise AnswerRefused("this party has answered otherwise before")
        self._settle(row)  # also of a repeated answer: a crash may have come after the first

    def _keep(self, party: str, id_: str, sealed: bytes | None, reason: str | None) -> Any:
        """A party's first answer: this one, or one of before or of the same moment."""
        insert = sqlite.insert if self._database.is_sqlite else postgresql.insert
        with self._database.writing() as connection:
            connection.execute(
                insert(answers)
                .values(
                    request=id_,
                    party=party,
                    sealed=sealed,
                    reason=reason,
                    answered=write_time(self._now()),
                )
                .on_conflict_do_nothing()
            )
            return connection.execute(
                select(answers).where(answers.c.request == id_, answers.c.party == party)
            ).one()

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
        views = self._kept.answers(row)
        if any(answer.state == "waiting" for answer in views):
            return
        sealed = any(answer.state == "sealed" for answer in views)
        reason = next((answer.reason for answer in views if answer.reason), None)
        with self._database.writing() as connection:
            connection.execute(
                update(requests)
                .where(requests.c.id == row.id, requests.c.state == "approved")
                .values(
                    state="answered" if sealed else "refused", reason=None if sealed else reason
                )
            )
