"""What the hub logs of submissions and of clerical review, by replay of the ledger.

Rules: a verdict on a submission is given under a known agreement, by a party that may act as its
hub (``require_hub``), about a source and its owner as the agreement lists them. A ruling is logged
by such a party too, of an enrolled analyst of one of the agreement's parties.
"""

from governance.agreements.models import Agreement
from governance.agreements.registry import AgreementRegistry
from governance.identity.models import Role
from governance.identity.registry import IdentityRegistry
from governance.ledger.admission import Commit, Entry, Handler, NotAdmissible, payload_of
from governance.ledger.events import EventType
from governance.ledger.payloads import ReviewRuled, SubmissionOutcome


class SubmissionRegistry:
    """Submissions that a hub has accepted, by their manifests' hashes.

    Who gives the first verdict on a manifest, acceptance or refusal, is its judge: until then only
    its sender and its judge know its hash. Another's verdict on it changes nothing, and of the
    judge's the first acceptance stands.

    Attributes:
        accepted: what its judge said of each manifest.
        hubs: for each party, thumbprints of those who say that they have accepted submissions of
            its sources.
        accepted_by: for each manifest, the thumbprint of its judge.
        accepting: for each agreement, names of the judges that have accepted under it.
    """

    def __init__(self, identities: IdentityRegistry, agreements: AgreementRegistry) -> None:
        self._identities = identities
        self._agreements = agreements
        self.accepted: dict[str, SubmissionOutcome] = {}
        self.hubs: dict[str, set[str]] = {}
        self.accepted_by: dict[str, str] = {}
        self.accepting: dict[str, set[str]] = {}
        self._judge: dict[str, str] = {}

    @property
    def handlers(self) -> dict[EventType, Handler]:
        """What this registry replays."""
        return {
            EventType.SUBMISSION_ACCEPTED: self._accepted,
            EventType.SUBMISSION_REFUSED: self._refused,
        }

    def hubs_under(self, agreement: Agreement) -> set[str]:
        """Names of the hubs that may hold what was submitted under an agreement."""
        return self.accepting.get(agreement.hash, set())

    def _accepted(self, entry: Entry) -> Commit:
        payload = self._verdict(entry)
        party, _ = self._identities.party_key(entry.author)

        def commit() -> None:
            self.hubs.setdefault(payload.party, set()).add(entry.author)
            if self._judge.setdefault(payload.manifest, entry.author) == entry.author:
                self.accepted.setdefault(payload.manifest, payload)
                self.accepted_by[payload.manifest] = entry.author
                self.accepting.setdefault(payload.agreement, set()).add(party)

        return commit

    def _refused(self, entry: Entry) -> Commit:
        payload = self._verdict(entry)

        def commit() -> None:
            self._judge.setdefault(payload.manifest, entry.author)

        return commit

    def _verdict(self, entry: Entry) -> SubmissionOutcome:
        payload = payload_of(entry, SubmissionOutcome)
        agreement = self._agreements.standing(payload.agreement).agreement
        require_hub(agreement, self._identities.party_key(entry.author)[0])
        source = agreement.source(payload.source)
        if source is None or source.party != payload.party:
            raise NotAdmissible("the agreement lists no such source of that party")
        return payload


class RulingRegistry:
    """Rulings on pairs of records; whether they may be logged."""

    def __init__(self, identities: IdentityRegistry, agreements: AgreementRegistry) -> None:
        self._identities = identities
        self._agreements = agreements

    @property
    def handlers(self) -> dict[EventType, Handler]:
        """What this registry replays."""
        return {EventType.REVIEW_RULED: self._ruled}

    def _ruled(self, entry: Entry) -> Commit:
        payload = payload_of(entry, ReviewRuled)
        agreement = self._agreements.standing(payload.agreement).agreement
        require_hub(agreement, self._identities.party_key(entry.author)[0])
        person = self._identities.person(payload.person)
        if (person.party, person.role) != (payload.party, Role.ANALYST):
            raise NotAdmissible("a ruling is an analyst's of the party that it names")
        if agreement.party(payload.party) is None:
            raise NotAdmissible("a ruling is by a party of the agreement")
        return lambda: None


def require_hub(agreement: Agreement, party: str) -> None:
    """Check that a party may act as the hub under an agreement.

    Who owns a source may not: it holds the linkage secret. Where the agreement names processors
    without a source, one of them; where it names none, anybody else, since nobody can tell.

    Raises:
        NotAdmissible: it may not.
    """
    if any(source.party == party for source in agreement.sources):
        raise NotAdmissible("a party that owns a source says and asks nothing of others' records")
    if agreement.processors and party not in agreement.processors:
        raise NotAdmissible(
            "the agreement names its processors, and this party is none of them",
            next_step="name the hub in the agreement, with the role processor",
        )
