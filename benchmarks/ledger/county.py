"""Who writes into the benchmark's log: the demo's parties and staff under the demo's agreement."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Final

from examples.county.demo.agreement import PARTNERS, template
from examples.county.generate import generate
from governance.agreements.models import AGREEMENT, Agreement
from governance.canonical import canonical_bytes, utc_now, write_time
from governance.identity.envelope import sign, sign_bytes
from governance.identity.files import PartySecrets, PersonSecrets, new_party, new_person
from governance.identity.models import (
    PERSON_ENROLMENT,
    PersonEnrolment,
    publish_party_keys,
    publish_person_keys,
)
from governance.ledger.events import Author, Event, EventType
from governance.ledger.payloads import (
    AgreementProposed,
    AgreementSigned,
    Genesis,
    PersonEnrolled,
)

ORIGIN: Final = "ledger.example.org/benchmark"
MANAGERS: Final = 20
LEADS: Final = 4
PERSONS: Final = 200  # of the county that the agreement's sources are taken from


@dataclass(frozen=True)
class County:
    """Keys of everyone, and the agreement in force."""

    operator: PartySecrets
    hub: PartySecrets
    partners: dict[str, PartySecrets]
    leads: tuple[PersonSecrets, ...]
    managers: tuple[PersonSecrets, ...]
    agreement: Agreement

    @cached_property
    def agreement_hash(self) -> str:
        """What every event names."""
        return self.agreement.hash

    @cached_property
    def thumbprints(self) -> dict[str, str]:
        """Names of the partners' keys."""
        return {party: secrets.keys.thumbprint for party, secrets in self.partners.items()}


@dataclass(frozen=True)
class Founded:
    """Whose log it is, how it begins, and its private key."""

    county: County
    genesis: Event
    key: bytes


def found_county(folder: Path) -> County:
    """Make everyone's keys, and the demo's agreement over a small county in an empty folder."""
    generate(PERSONS, out=folder)
    partners = {party: new_party(party, name) for party, name in PARTNERS.items()}
    data = template(folder, date.today(), refine=True)  # noqa: DTZ011 - as the demo
    for party in data["parties"]:
        party["keys"] = partners[party["party"]].keys.thumbprint
    now = write_time(utc_now())
    return County(
        operator=new_party("ledger", "Ledger operator"),
        hub=new_party("hub", "Linkage hub"),
        partners=partners,
        leads=tuple(new_person("council", "ig_lead", now) for _ in range(LEADS)),
        managers=tuple(new_person("council", "service_manager", now) for _ in range(MANAGERS)),
        agreement=Agreement.model_validate(data),
    )


def author(secrets: PartySecrets) -> Author:
    """A party's pen."""
    return Author(secrets.keys.thumbprint, secrets.signing_key, utc_now, ORIGIN)


def beginnings(county: County) -> list[Event]:
    """Genesis, enrolments, and the agreement signed by all."""
    everyone = [county.operator, county.hub, *county.partners.values()]
    genesis = Genesis(
        origin=ORIGIN,
        parties=tuple(publish_party_keys(one.keys, one.signing_key) for one in everyone),
    )
    council = author(county.partners["council"])
    return [
        author(county.operator).write(EventType.GENESIS, genesis),
        *(council.write(EventType.PERSON_ENROLLED, one) for one in _enrolments(county)),
        council.write(EventType.AGREEMENT_PROPOSED, AgreementProposed(agreement=county.agreement)),
        *(_signed(county, secrets) for secrets in county.partners.values()),
    ]


def _enrolments(county: County) -> list[PersonEnrolled]:
    """The first lead by the council's own key, everyone else by that lead."""
    first = county.leads[0]
    own = county.partners["council"]
    found = []
    for person in (*county.leads, *county.managers):
        keys = person.keys
        signer = own if person is first else first
        enrolment = PersonEnrolment(
            keys=keys.thumbprint, role=keys.role, party=keys.party, created=keys.created
        )
        signed = sign(PERSON_ENROLMENT, enrolment, signer.signing_key, signer.keys.thumbprint)
        published = publish_person_keys(keys, person.signing_key)
        found.append(PersonEnrolled(keys=published, enrolment=signed))
    return found


def _signed(county: County, secrets: PartySecrets) -> Event:
    signature = sign_bytes(
        AGREEMENT,
        canonical_bytes(county.agreement),
        secrets.signing_key,
        secrets.keys.thumbprint,
    )
    payload = AgreementSigned(agreement=county.agreement_hash, signature=signature)
    return author(secrets).write(EventType.AGREEMENT_SIGNED, payload)
