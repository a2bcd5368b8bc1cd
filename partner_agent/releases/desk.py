"""The release desk: what comes as an order goes out as sealed items or as a refusal, once.

Rules: verification and sealing come first; the answer, and the event that will say so, are stored
in one transaction with the count that the rate limit needs and what was withdrawn and blocked here;
the event goes to the ledger, which admits one receipt for each request and party; only then does
the answer go to the hub. Each step is repeated after a crash with the very same bytes, so nothing
is released twice and nothing that was answered is lost.

Sealed items that waited (for the ledger, for the hub, through a crash) are looked at again before
they leave: where the request's time is over, the agreement no longer permits it or a member of the
family has withdrawn, objected or is protected by now, a refusal goes to the hub in their place. An
answer that ledger or hub will not take holds no other up. Sealed items that waited for longer than
they may be kept are destroyed, and a refusal waits in their place.

A hub that does not take an answer (it was restored from a backup, say, and knows the request no
more) is handed it again for as long as any request lives; then the answer is given up. By that time
sealed items have become a refusal, which the ledger has all the same.

What may pass by itself (a mirror or a quorum that is behind, a ledger that is away, a request that
the mirror does not hold) is no answer: the order is looked at again later. So a hub that makes up
orders has no event written and the ledger not asked, and leaves nothing behind.
"""

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from governance.canonical import b64, sha256, write_time
from governance.consent.rules import Approach
from governance.errors import GovernanceError, ReasonedError
from governance.exchange.hub_client import HubClient, HubRefused, HubUnavailable
from governance.exchange.release_api import AnswerPost
from governance.identity.envelope import Envelope, sign
from governance.identity.files import PartySecrets
from governance.ledger.errors import LedgerError, LedgerUnavailableError, MirrorError
from governance.ledger.events import Event, EventType
from governance.ledger.note import parse_note
from governance.ledger.payloads import ReleaseRefused, Sealed
from governance.release.errors import MembersChanged, RequestExpired, RequestNotLogged
from governance.release.models import REQUEST_MAX_HOURS, SEALED, CheckpointRef, Order
from governance.release.registry import read_request
from governance.release.seal import seal_records
from governance.release.tries import require_few_choices
from governance.release.verify import VerifiedOrder, Witnessed, verify_order
from partner_agent.consents import Consents
from partner_agent.ledger import AgentLedger
from partner_agent.loop import INTERNAL, BackOff, tell_unexpected
from partner_agent.protection.register import Protections
from partner_agent.releases.answers import Answer, AnswerStore, Waiting
from partner_agent.releases.choices import Choices
from partner_agent.releases.errors import told
from partner_agent.releases.local import own_grants, own_rows, released_records, require_newest_word
from partner_agent.releases.milestones import require_own_word
from partner_agent.releases.recheck import require_still_permitted
from partner_agent.rights.blocks import Blocks, own_handles, require_none_blocked
from partner_agent.store.database import AgentDatabase, AgentStoreError
from partner_agent.vault.keys import VaultKeyError
from partner_agent.vault.store import StoredRow, Vault

_PASSING: Final = (LedgerError, MirrorError, RequestNotLogged, AgentStoreError, VaultKeyError)
_AWAY: Final = (LedgerUnavailableError, HubUnavailable)
_ANSWERED_OTHERWISE: Final = "release.answer"
_LIFE: Final = timedelta(hours=REQUEST_MAX_HOURS)
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
        blocks: Blocks,
        protections: Protections,
        now: Callable[[], datetime],
    ) -> None:
        self._secrets = secrets
        self._party = secrets.keys.party
        self._kept = AnswerStore(database, now)
        self._choices = Choices(database, vault, self._party)
        self._vault = vault
        self._ledger = ledger
        self._consents = consents
        self._blocks = blocks
        self._protections = protections
        self._now = now
        self._back_off = BackOff()

    def answer_all(self, hub: HubClient) -> tuple[list[Answer], list[Later]]:
        """Answer every order that the hub has for this party, and hand out what is stored.

        Returns:
            Every answer ever given, and what has to be tried again with the reason.

        Raises:
            HubUnavailable, HubRefused, LedgerUnavailableError: away; nothing is lost.
        """
        later = []
        self._choices.forget(self._now())
        known = {answer.request for answer in self.answers()}
        gone = self._blocks.gone(self._ledger.state.rights)  # before the hub makes its orders
        for item in hub.orders().orders:
            self._note_named(item.order, gone)
            request = item.order.request.payload_hash  # never the hub's word for it
            if request in known:
                continue
            if self._back_off.waits(request):
                later.append(Later(request, INTERNAL))
                continue
            try:
                self._answer(item.order)
            except _PASSING as error:
                later.append(Later(request, error.reason))
            except Exception as error:  # noqa: BLE001 - one order holds no other up
                tell_unexpected(_LOG, error, request=request)
                self._back_off.failed(request)
                later.append(Later(request, INTERNAL))
        later += self.deliver(hub)
        return self.answers(), later

    def deliver(self, hub: HubClient) -> list[Later]:
        """Hand every stored answer to ledger and hub that they do not have yet.

        Returns:
            Answers that the ledger or the hub would not take, with the reason.

        Raises:
            HubUnavailable, LedgerUnavailableError: away; nothing is lost.
        """
        later = []
        for item in self._kept.waiting():
            try:
                self._deliver(hub, item)
            except _AWAY:
                raise
            except HubRefused as refusal:
                later.append(Later(item.request, refusal.hub_reason))
            except GovernanceError as error:
                later.append(Later(item.request, error.reason))
            except Exception as error:  # noqa: BLE001 - one answer holds no other up
                tell_unexpected(_LOG, error, request=item.request)
                later.append(Later(item.request, INTERNAL))
        return later

    def released(self) -> list[tuple[Order, str]]:
        """Orders that were answered with sealed items which have left, and when."""
        return self._kept.released()

    def answers(self) -> list[Answer]:
        """Every answer given here, oldest first."""
        return self._kept.all()

    def due(self, before: datetime) -> int:
        """How many answers given before a time still hold anything."""
        return self._kept.due(before)

    def purge(self, before: datetime) -> int:
        """Destroy what answers given before a time hold; the mark of a used request stays.

        Sealed items that have not left by then are taken back: the hub gets a refusal.

        Returns:
            How many answers.
        """
        reason = RequestExpired.reason
        for request in self._kept.unsent(before):
            self._kept.retract(request, reason, reason, self._refusal(request, reason))
        return self._kept.purge(before)

    def _deliver(self, hub: HubClient, item: Waiting) -> None:
        if item.delivered:
            self._log(item)
            return
        if item.retraction is not None or self._hold_back(item):
            self._take_back(hub, item.request)
            return
        if not item.logged:
            self._log(item)
            if self._hold_back(item):
                self._take_back(hub, item.request)
                return
        self._hand_in(hub, item)
        self._kept.mark(item.request, delivered=True)

    def _hand_in(self, hub: HubClient, item: Waiting) -> None:
        """Hand an answer to the hub, or give a refusal up that it did not take in time."""
        try:
            hub.answer(item.request, AnswerPost(sealed=item.sealed, refusal=item.reason))
        except HubRefused as refusal:
            held = item.retraction is not None and refusal.hub_reason == _ANSWERED_OTHERWISE
            if held or item.sealed is not None or self._now() < item.answered + _LIFE:
                raise
            self._kept.give_up(item.request)
            about = {"request": item.request, "reason": refusal.hub_reason}
            _LOG.warning("given up", extra=about)

    def _log(self, item: Waiting) -> None:
        self._ledger.append(item.event)
        self._kept.mark(item.request, logged=True)

    def _hold_back(self, item: Waiting) -> bool:
        """Whether sealed items may no longer leave; if so, their retraction is stored."""
        if item.sealed is None or item.order is None:
            return False
        try:
            request, approach = require_still_permitted(
                item.order,
                party=self._party,
                state=self._ledger.sync(),
                withdrawn=self._consents.withdrawn_here(),
                now=self._now(),
                blocked=self._blocks.handles(),
            )
            self._own_rows(item.order, request.without, approach)
        except _PASSING:
            raise
        except ReasonedError as refusal:
            event = self._refusal(item.request, told(refusal))
            self._kept.retract(item.request, refusal.reason, told(refusal), event)
            _LOG.info("taken back", extra={"request": item.request, "reason": told(refusal)})
            return True
        return False

    def _take_back(self, hub: HubClient, request: str) -> None:
        """Put a refusal in the place of sealed items, unless the hub holds them already."""
        (item,) = (found for found in self._kept.waiting() if found.request == request)
        try:
            self._hand_in(hub, replace(item, sealed=None))
        except HubRefused as refusal:
            if refusal.hub_reason != _ANSWERED_OTHERWISE:
                raise
            self._kept.had_left(request)
            return
        self._kept.retracted(item)
        self._log_refusal(item)

    def _log_refusal(self, item: Waiting) -> None:
        if item.retraction is not None:
            self._ledger.append(item.retraction)
            self._kept.mark(item.request, logged=True)

    def _answer(self, order: Order) -> None:
        request = order.request.payload_hash
        try:
            verified = self._verify(order)
            handles = own_handles(order, verified.request.without, self._party)
            require_none_blocked(handles, self._blocks.handles())
            sealed, event = self._seal(verified)
            self._kept.seal(
                order,
                sealed,
                event,
                most=verified.agreement.limits.releases_per_party_per_day,
                grants=own_grants(
                    order, verified.request.without, self._party, self._ledger.state.consents
                ),
                handles=handles,
            )
        except _PASSING:
            raise
        except ReasonedError as refusal:
            event = self._refusal(request, told(refusal))
            self._kept.refuse(request, refusal.reason, told(refusal), event)
            _LOG.info("refused", extra={"request": request, "reason": told(refusal)})
        else:
            _LOG.info("sealed", extra={"request": request})

    def _note_named(self, order: Order, gone: Mapping[str, Collection[str]]) -> None:
        """Note requests whose records the hub names although it had said that they were gone."""
        named = {
            request
            for handle in own_handles(order, (), self._party)
            for request in gone.get(handle, ())
        }
        if named:
            self._blocks.named(named, self._now())
            _LOG.warning("named after it was gone", extra={"requests": len(named)})

    def _verify(self, order: Order) -> VerifiedOrder:
        if order.request.payload_hash not in self._ledger.state.releases.requests:
            raise RequestNotLogged("the mirror holds no such request: nothing is answered to it")
        state = self._ledger.sync()
        request, _ = read_request(order.request, state.identities)
        if order.members.agreement != request.agreement:
            raise MembersChanged("the order's members are of another agreement")
        require_few_choices(request, order.request.payload_hash, state.releases.requests)
        self._choices.require_few(order, request, self._protections.guard(), self._now())
        agreement = state.agreements.standing(request.agreement).agreement
        note = parse_note(order.checkpoint.encode())
        found = self._ledger.mirror.verify_witnessed(
            note, self._ledger.policy(agreement, order.members.holders), self._now()
        )
        checkpoint = CheckpointRef(size=found.checkpoint.size, root=b64(found.checkpoint.root))
        return verify_order(
            order,
            party=self._party,
            state=state,
            witnessed=Witnessed(checkpoint, self._ledger.mirror.root),
            now=self._now(),
        )

    def _seal(self, verified: VerifiedOrder) -> tuple[Envelope, Event]:
        request, recipient = verified.request, verified.recipient.party
        approach = Approach(
            verified.agreement, request.purpose, request.items, recipient, self._now()
        )
        rows = self._own_rows(verified.order, request.without, approach)
        records = released_records(verified, self._party, rows)
        sealed = seal_records(
            records,
            request=verified.request_hash,
            order=verified.order.hash,
            party=self._party,
            recipient=verified.recipient,
            checkpoint=verified.checkpoint,
            created=write_time(self._now()),
        )
        envelope = sign(SEALED, sealed, self._secrets.signing_key, self._secrets.keys.thumbprint)
        receipt = Sealed(
            request=verified.request_hash,
            order=verified.order.hash,
            party=self._party,
            records=len(records),
            ciphertext_sha256=sha256(sealed.ciphertext.encode()),
            checkpoint=verified.checkpoint,
        )
        return envelope, self._ledger.author.write(EventType.RELEASE_SEALED, receipt)

    def _own_rows(
        self, order: Order, without: Collection[str], approach: Approach
    ) -> dict[str, StoredRow]:
        """This partner's rows of the members, once its own records permit a release."""
        guard, today = self._protections.guard(), approach.now.date()
        rows = own_rows(order, without, self._party, self._vault, guard, today)
        consents = self._ledger.state.consents
        require_own_word(order, without, rows, consents, approach)
        accepted = self._consents.accepted()
        require_newest_word(order, without, self._party, consents, accepted)
        return rows

    def _refusal(self, request: str, reason: str) -> Event:
        payload = ReleaseRefused(request=request, party=self._party, reason=reason)
        return self._ledger.author.write(EventType.RELEASE_REFUSED, payload)
