"""What models and tables have cost in privacy, and that no project spends more than it has agreed.

Rules, in order: a hub of the agreement says itself what it is about to spend; the agreement is in
force, allows analysis and has a budget; what its project has spent in the year, and this beside
it, are within the budget of the version that is named. A project is every agreement of one id that
shares a partner: a new version opens no new purse, whichever hub spends from it, and strangers
cannot empty it by taking its name.

The year is the log's and not the hub's: that of the newest time that any entry has stated so far,
where that is later than the entry's own. So a spend that is dated back counts in the year in which
it came, and an agreement that has ended stays ended. Times ahead of the ledger's clock are refused
by the ledger (``service.py``); if it lets one through, years to come are spent, within the
agreement's own dates and once.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from governance.agreements.errors import PrivacyNotAgreed, PrivacySpent
from governance.agreements.models import Action, Agreement
from governance.agreements.policy import in_force, require_action
from governance.agreements.privacy import MICRO, PICO
from governance.agreements.registry import AgreementRegistry
from governance.canonical import parse_time
from governance.exchange.registry import SubmissionRegistry
from governance.identity.registry import IdentityRegistry
from governance.ledger.admission import Commit, Entry, Handler, NotAdmissible, payload_of
from governance.ledger.events import EventType
from governance.ledger.payloads import EpsilonSpent


@dataclass(frozen=True)
class Spend:
    """One model, or some tables with noise, paid for before they were made.

    Attributes:
        index: of the ledger's entry; ``id``: the event's.
        time: as the hub states it; ``year``: in which it counts.
        hub: name of the party that spent.
        agreement: hash of the version under which it did.
        epsilon, delta: in millionths and trillionths.
    """

    index: int
    id: str
    time: str
    year: int
    hub: str
    agreement: str
    outcome: str
    epsilon: int
    delta: int


@dataclass(frozen=True)
class Spent:
    """Several spends together.

    Attributes:
        epsilon, delta: in millionths and trillionths.
        times: how many.
    """

    epsilon: int = 0
    delta: int = 0
    times: int = 0

    @classmethod
    def of(cls, spends: Iterable[Spend]) -> "Spent":
        """The sum, which assumes nothing of how they hang together."""
        each = list(spends)
        return cls(sum(one.epsilon for one in each), sum(one.delta for one in each), len(each))

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(
            self.epsilon + other.epsilon, self.delta + other.delta, self.times + other.times
        )

    def __or__(self, other: "Spent") -> "Spent":
        """The more of each, of two accounts of the same."""
        return Spent(
            max(self.epsilon, other.epsilon),
            max(self.delta, other.delta),
            max(self.times, other.times),
        )


class PrivacyRegistry:
    """What models have cost.

    Attributes:
        newest: the latest time that an admitted entry has stated; empty before the first.
    """

    def __init__(
        self,
        identities: IdentityRegistry,
        agreements: AgreementRegistry,
        submissions: SubmissionRegistry,
    ) -> None:
        self._identities = identities
        self._agreements = agreements
        self._submissions = submissions
        self._spends: dict[str, list[Spend]] = {}
        self.newest = ""

    @property
    def handlers(self) -> dict[EventType, Handler]:
        """What this registry replays."""
        return {EventType.EPSILON_SPENT: self._spent}

    def passed(self, time: str) -> None:
        """Note the time that an admitted entry states."""
        self.newest = max(self.newest, time)

    def spends(self, agreement: Agreement, year: int | None = None) -> list[Spend]:
        """What an agreement's project has spent, in one year or ever, in the log's order."""
        partners = {party.party for party in agreement.partners}
        return [
            spend
            for spend in self._spends.get(agreement.id, ())
            if year in (None, spend.year) and partners & self._partners(spend.agreement)
        ]

    def _partners(self, agreement: str) -> set[str]:
        found = self._agreements.standing(agreement).agreement
        return {party.party for party in found.partners}

    def _spent(self, entry: Entry) -> Commit:
        payload = payload_of(entry, EpsilonSpent)
        party, _ = self._identities.party_key(entry.author)
        standing = self._agreements.standing(payload.agreement)
        agreement, time = standing.agreement, entry.event.leaf.time
        if payload.party != party or party not in self._submissions.hubs_under(agreement):
            raise NotAdmissible("a hub of the agreement says itself what a model costs")
        when = parse_time(max(time, self.newest))
        in_force(standing, when)
        require_action(agreement, Action.ANALYSE)
        within_budget(
            agreement,
            Spent.of(self.spends(agreement, when.year)),
            payload.epsilon_millionths,
            payload.delta_trillionths,
        )
        spend = Spend(
            entry.index, entry.event.leaf.id, time, when.year, party, payload.agreement,
            payload.outcome, payload.epsilon_millionths, payload.delta_trillionths,
        )  # fmt: skip
        return lambda: self._spends.setdefault(agreement.id, []).append(spend)


def within_budget(agreement: Agreement, spent: Spent, epsilon: int, delta: int) -> None:
    """Check that a year's budget allows another cost, in millionths and trillionths.

    Raises:
        PrivacyNotAgreed: the agreement has no budget.
        PrivacySpent: the budget does not allow it.
    """
    budget = agreement.privacy_budget
    if budget is None:
        raise PrivacyNotAgreed(
            f"agreement {agreement.id} has no budget of privacy: no model may be trained under it, "
            "and no table made with noise",
            next_step="agree and sign a version with privacy_budget",
        )
    if (
        spent.epsilon + epsilon > budget.epsilon_millionths
        or spent.delta + delta > budget.delta_trillionths
    ):
        raise PrivacySpent(
            f"the year's budget of agreement {agreement.id} is {budget.words}; spent so far: "
            f"epsilon {spent.epsilon / MICRO:g} and delta {spent.delta / PICO:g} in "
            f"{spent.times} times",
            next_step="linkage-hub risk budget AGREEMENT",
        )
