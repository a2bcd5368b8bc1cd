"""Rounds of refinement by replay of the ledger.

Rules: a round is opened once, under a known agreement that allows refinement, by a party that may
act as its hub (whoever holds the linkage secret asks nobody); each party that was
asked says at most once what it did, and its counts add up to what it was asked; profiles
are told in rounds that calibrate.
"""

from dataclasses import dataclass, field

from governance.agreements.models import Action
from governance.agreements.registry import AgreementRegistry
from governance.exchange.registry import require_hub
from governance.identity.registry import IdentityRegistry
from governance.ledger.admission import Commit, Entry, Handler, NotAdmissible, payload_of
from governance.ledger.events import EventType
from governance.ledger.payloads import RefinementAnswered, RefinementOpened, RoundKind


@dataclass
class LoggedRound:
    """A round that was opened, by whom, and what each party did with its questions."""

    opened: RefinementOpened
    author: str
    answered: dict[str, RefinementAnswered] = field(default_factory=dict)


class RefinementRegistry:
    """Every round that the ledger holds, by the hash of its signed document."""

    def __init__(self, identities: IdentityRegistry, agreements: AgreementRegistry) -> None:
        self._identities = identities
        self._agreements = agreements
        self.rounds: dict[str, LoggedRound] = {}

    @property
    def handlers(self) -> dict[EventType, Handler]:
        """What this registry replays."""
        return {
            EventType.REFINEMENT_OPENED: self._opened,
            EventType.REFINEMENT_ANSWERED: self._answered,
        }

    def _opened(self, entry: Entry) -> Commit:
        payload = payload_of(entry, RefinementOpened)
        agreement = self._agreements.standing(payload.agreement).agreement
        if Action.REFINE not in agreement.actions:
            raise NotAdmissible("the agreement does not allow refinement")
        require_hub(agreement, self._identities.party_key(entry.author)[0])
        if payload.round in self.rounds:
            raise NotAdmissible("a round is opened once")
        if not set(payload.questions) <= {source.party for source in agreement.sources}:
            raise NotAdmissible("only owners of a source are asked")

        def commit() -> None:
            self.rounds[payload.round] = LoggedRound(payload, entry.author)

        return commit

    def _answered(self, entry: Entry) -> Commit:
        payload = payload_of(entry, RefinementAnswered)
        found = self.rounds.get(payload.round)
        if found is None:
            raise NotAdmissible("no such round was opened")
        party, _ = self._identities.party_key(entry.author)
        if payload.party != party or payload.party in found.answered:
            raise NotAdmissible("each party says once, for itself, what it did")
        opened = found.opened
        same = (payload.run, payload.agreement, payload.kind)
        if same != (opened.run, opened.agreement, opened.kind):
            raise NotAdmissible("the round was opened for another run, agreement or kind")
        if payload.asked != opened.questions.get(party):
            raise NotAdmissible("the party was asked another number of questions")
        if payload.answered + sum(payload.refused.values()) != payload.asked:
            raise NotAdmissible("answered and refused do not add up to asked")
        if payload.profiles and payload.kind is not RoundKind.CALIBRATE:
            raise NotAdmissible("profiles are told in rounds that calibrate")

        def commit() -> None:
            found.answered[party] = payload

        return commit
