"""An enrolment on its way: a person's keys, and what others have countersigned of them.

Rules: a file holds a person's keys as their owner signed them (``person.keys.json``), or those with
an enrolment that somebody has countersigned (``person.enrolment.json``); an enrolment is of exactly
these keys, in their role and party, and in place of exactly this lead or of nobody (ADR 36); each
further signature is over the same bytes as the first. Whose signatures count, the ledger decides
(``registry.py``).
"""

from typing import NamedTuple

from governance.canonical import Hash, Time, b64, canonical_bytes, parse_json
from governance.errors import FormatError
from governance.identity.envelope import Envelope, Signature, parse_canonical, parse_model
from governance.identity.models import PERSON_ENROLMENT, PersonEnrolment, PersonKeys
from governance.identity.passkeys import Assertion
from governance.ledger.payloads import PersonEnrolled


class Handed(NamedTuple):
    """What a file holds.

    Attributes:
        published: a person's keys, signed by each of them.
        signed: their enrolment, as others have countersigned it.
    """

    published: Envelope
    signed: Envelope | None

    @property
    def data(self) -> bytes:
        """The file's bytes."""
        if self.signed is None:
            return canonical_bytes(self.published)
        return canonical_bytes(PersonEnrolled(keys=self.published, enrolment=self.signed))


def read_handed(data: bytes) -> Handed:
    """A file that somebody handed over; no signature is verified.

    Raises:
        FormatError: neither a person's keys nor an enrolment.
    """
    found = parse_json(data)
    if isinstance(found, dict) and "enrolment" in found:
        enrolled = parse_model(found, PersonEnrolled)
        return Handed(enrolled.keys, enrolled.enrolment)
    return Handed(parse_model(found, Envelope), None)


def enrolment_of(
    keys: PersonKeys, signed: Envelope | None, created: Time, in_place_of: Hash | None
) -> PersonEnrolment:
    """What is to be countersigned: the document that others have signed already, or a new one.

    Args:
        keys: the person's.
        signed: as others have countersigned it.
        created: of a new one.
        in_place_of: thumbprint of the lead whom another party lost last; None for a colleague.

    Raises:
        FormatError: what others have signed is of other keys, or after another loss.
    """
    data = {
        "keys": keys.thumbprint,
        "role": keys.role,
        "party": keys.party,
        "created": created,
        "in_place_of": in_place_of,
    }
    new = parse_model(data, PersonEnrolment)
    if signed is None:
        return new
    others = parse_canonical(signed.payload_bytes, PersonEnrolment)
    if others != new.model_copy(update={"created": others.created}):
        raise FormatError(
            "the enrolment is for other keys, another role or party, or after another loss",
            next_step="whoever signed it does so anew",
        )
    return others


def countersigned(
    handed: Handed, enrolment: PersonEnrolment, signature: Signature | Assertion
) -> PersonEnrolled:
    """The file with one more signature over its enrolment."""
    before = () if handed.signed is None else handed.signed.signatures
    envelope = Envelope(
        payload_type=PERSON_ENROLMENT,
        payload=b64(canonical_bytes(enrolment)),
        signatures=(*before, signature),
    )
    return PersonEnrolled(keys=handed.published, enrolment=envelope)
