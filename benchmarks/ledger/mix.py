"""Events in the mix of a county's years: consents and what becomes of them, releases, the rest.

Each story (one household's consents, one request, one submission) is a list of events in the order
in which they may be admitted; many stories are interleaved, so that replay finds a withdrawal long
after its grant. All of them are admissible: replay rejects none.
"""

import random
import secrets
from collections.abc import Callable, Collection
from datetime import timedelta
from typing import Any, Final

from benchmarks.ledger.county import County, author
from governance.canonical import b64, sha256, utc_now, write_time
from governance.consent.models import ConsentRecord
from governance.identity.envelope import sign
from governance.identity.files import PersonSecrets
from governance.ledger.events import Author, Event, EventType
from governance.ledger.payloads import (
    ConsentChange,
    Decided,
    LinkRunFinished,
    Outcome,
    RefinementAnswered,
    RefinementOpened,
    Refused,
    ReleaseRefused,
    Requested,
    RetentionPurged,
    RoundKind,
    Sealed,
    SubmissionOutcome,
)
from governance.release.models import APPROVAL, REQUEST, Approval, CheckpointRef, Request

Story = list[Event]
_STORIES: Final = {"consents": 70, "release": 14, "submission": 3, "run": 1, "upkeep": 12}
"""Of a hundred stories."""


class Mix:
    """A seeded source of stories; keys' signatures and salts are fresh each time.

    Args:
        county: whose keys sign.
        seed: of everything but ids, salts and signatures.
    """

    def __init__(self, county: County, seed: int) -> None:
        self._county = county
        self._random = random.Random(seed)
        self._hub = author(county.hub)
        self._pens = {party: author(keys) for party, keys in county.partners.items()}
        self._now = utc_now()
        self._tell: dict[str, Callable[[], Story]] = {
            "consents": self._consents,
            "release": self._release,
            "submission": self._submission,
            "run": self._run,
            "upkeep": self._upkeep,
        }

    def events(self, count: int, kinds: Collection[str] = tuple(_STORIES)) -> Story:
        """At least so many events of whole stories of some kinds, interleaved."""
        weights = [_STORIES[kind] for kind in kinds]
        placed: list[tuple[float, int, Event]] = []
        while len(placed) < count:
            (kind,) = self._random.choices(list(kinds), weights)
            story = self._tell[kind]()
            places = sorted(self._random.random() for _ in story)
            for place, event in zip(places, story, strict=True):
                placed.append((place, len(placed), event))
        return [event for _, _, event in sorted(placed, key=lambda one: one[:2])]

    # --- stories ----------------------------------------------------------------------------

    def _consents(self) -> Story:
        """What the members of one household decide, at the partner that met them."""
        party, pen = self._partner()
        source = self._random.choice(
            [source.id for source in self._county.agreement.sources if source.party == party]
        )
        story = []
        for _ in range(self._random.randint(1, 4)):
            state = self._choose({"given": 86, "refused": 10, "requested": 4})
            record = self._consent(party, source, state)
            grant = pen.write(EventType.CONSENT_RECORDED, record)
            story.append(grant)
            fates = {"": 78, "withdrawn": 14, "reaffirmed": 6, "invalidated": 1, "terminated": 1}
            fate = self._choose(fates if state == "given" else {"": 1})
            if fate:
                change = ConsentChange(grant=grant.leaf.id)
                story.append(pen.write(EventType(f"consent.{fate}"), change, (grant.leaf.id,)))
        return story

    def _consent(self, party: str, source: str, state: str) -> ConsentRecord:
        return ConsentRecord.model_validate(
            {
                "agreement": self._county.agreement_hash,
                "party": party,
                "source": source,
                "subject": secrets.token_hex(16),
                "kind": self._choose({"approach": 9, "confidentiality": 1}),
                "purpose": "offer-help",
                "items": ["first_name", "surname", "address", "postcode", "phone"],
                "recipients": ["council"],
                "state": state,
                "capacity": "self",
                "parental_basis": None,
                "method": self._choose({"in_person": 6, "paper_form": 2, "telephone": 2}),
                "notice": sha256(b"privacy notice, version 1"),
                "notice_language": "en-GB",
                "lawful_basis": "public_task",
                "special_category_condition": "safeguarding-of-children",
                "jurisdiction": "GB-EAW",
                "withdrawal_method": "any-contact-with-the-partner",
                "captured": write_time(self._now),
                "expires": write_time(self._now + timedelta(days=365)),
            }
        )

    def _release(self) -> Story:
        """A request, its decision, what the partners did, and what came of it."""
        manager = self._random.choice(self._county.managers)
        envelope = sign(
            REQUEST, self._request(manager), manager.signing_key, manager.keys.thumbprint
        )
        request = envelope.payload_hash
        approve = self._random.random() < 0.9  # noqa: PLR2004 - the share that leads approve
        decided = self._decision(request, approve=approve)
        kind = EventType.RELEASE_APPROVED if approve else EventType.RELEASE_DECLINED
        story = [
            self._hub.write(EventType.RELEASE_REQUESTED, Requested(request=envelope)),
            self._hub.write(kind, decided),
        ]
        if not approve:
            return story
        parties = self._random.sample(list(self._pens), self._random.randint(1, 3))
        story += [self._answer(request, party) for party in parties]
        if self._random.random() < 0.6:  # noqa: PLR2004 - the share whose outcome is recorded
            outcome = self._choose({"helped": 5, "declined": 3, "not_needed": 1, "wrong_family": 1})
            payload = Outcome.model_validate({"request": request, "outcome": outcome})
            story.append(self._hub.write(EventType.RELEASE_OUTCOME, payload))
        return story

    def _request(self, manager: PersonSecrets) -> Request:
        return Request(
            id=secrets.token_hex(16),
            agreement=self._county.agreement_hash,
            purpose="offer-help",
            family=f"f-{secrets.token_hex(16)}",
            members=_random_hash(),
            without=(),
            items=("first_name", "surname", "address", "postcode", "phone"),
            recipient=manager.keys.thumbprint,
            created=write_time(self._now),
            expires=write_time(self._now + timedelta(hours=12)),
        )

    def _decision(self, request: str, *, approve: bool) -> Decided:
        lead = self._random.choice(self._county.leads)
        approval = Approval(
            request=request,
            decision="approve" if approve else "decline",
            reason="proportionate" if approve else "not-proportionate",
            checkpoint=CheckpointRef(size=1, root=b64(secrets.token_bytes(32))),
            created=write_time(self._now),
        )
        return Decided(approval=sign(APPROVAL, approval, lead.signing_key, lead.keys.thumbprint))

    def _answer(self, request: str, party: str) -> Event:
        if self._random.random() < 0.25:  # noqa: PLR2004 - the share that partners refuse
            refusal = ReleaseRefused(request=request, party=party, reason="consent.withdrawn")
            return self._pens[party].write(EventType.RELEASE_REFUSED, refusal)
        receipt = Sealed(
            request=request,
            order=_random_hash(),
            party=party,
            records=self._random.randint(1, 6),
            ciphertext_sha256=_random_hash(),
        )
        return self._pens[party].write(EventType.RELEASE_SEALED, receipt)

    def _submission(self) -> Story:
        """The hub's verdict on a submission."""
        source = self._random.choice(self._county.agreement.sources)
        accepted = self._random.random() < 0.9  # noqa: PLR2004 - the share that passes
        payload = SubmissionOutcome(
            submission=secrets.token_hex(16),
            manifest=_random_hash(),
            agreement=self._county.agreement_hash,
            party=source.party,
            source=source.id,
            records=self._random.randint(100, 100_000),
            reason=None if accepted else "submission.density",
        )
        kind = EventType.SUBMISSION_ACCEPTED if accepted else EventType.SUBMISSION_REFUSED
        return [self._hub.write(kind, payload)]

    def _run(self) -> Story:
        """A link run with one round of questions to every partner."""
        run, round_ = secrets.token_hex(16), _random_hash()
        asked = {party: self._random.randint(1, 1_000) for party in self._pens}
        common: dict[str, Any] = {
            "round": round_,
            "run": run,
            "agreement": self._county.agreement_hash,
            "kind": RoundKind.DECIDE,
        }
        finished = LinkRunFinished(
            run=run,
            agreement=self._county.agreement_hash,
            submissions=tuple(_random_hash() for _ in self._county.agreement.sources),
            persons=600_000,
            families=97_000,
            flagged=2_600,
            results_sha256=_random_hash(),
        )
        return [
            self._hub.write(
                EventType.REFINEMENT_OPENED, RefinementOpened(**common, questions=asked)
            ),
            *(
                self._pens[party].write(
                    EventType.REFINEMENT_ANSWERED,
                    RefinementAnswered(
                        **common, party=party, asked=count, answered=count - 1,
                        refused={"refinement.asked_before": 1},
                    ),
                )
                for party, count in asked.items()
            ),
            self._hub.write(EventType.LINK_RUN_FINISHED, finished),
        ]  # fmt: skip

    def _upkeep(self) -> Story:
        """A partner refuses something, or says what it destroyed."""
        party, pen = self._partner()
        if self._random.random() < 0.3:  # noqa: PLR2004 - the share of purges
            purged = RetentionPurged(
                agreement=self._county.agreement_hash,
                party=party,
                rows=self._random.randint(0, 50),
                synthetic_rows=0,
                files=1,
            )
            return [pen.write(EventType.RETENTION_PURGED, purged)]
        refused = Refused(party=party, action="prepare", reason="agreement.item", about=None)
        return [pen.write(EventType.REFUSED, refused)]

    def _partner(self) -> tuple[str, Author]:
        party = self._random.choice(list(self._pens))
        return party, self._pens[party]

    def _choose(self, weights: dict[str, int]) -> str:
        return self._random.choices(list(weights), list(weights.values()))[0]


def _random_hash() -> str:
    return sha256(secrets.token_bytes(32))
