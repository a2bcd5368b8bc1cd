"""Leads of other organisations for whom this console's leads vouch (ADR 36), and what came of it.

Rules, in order: keys are signed by each of themselves, and are an IG lead's, of another party that
the ledger knows, and new; every lead whom that party had is revoked; under an agreement of it this
party is a partner; what others have countersigned is the enrolment of exactly these keys after
exactly this loss, by IG leads of other parties who stand; what leads of this party have signed
before gives way to the new signature, which is held to all that as well. The result is kept as a
file named by its keys' thumbprint, whole or not at all, and not where this party's agent takes
enrolments from: to log it is another party's, by hand.
"""

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Literal, NamedTuple

from governance.canonical import Hash, Slug, Time, canonical_bytes, parse_json
from governance.console.errors import ConsoleStoreError, UnknownAccount, VouchingRefused
from governance.durable import write_durably
from governance.errors import FormatError, SignatureError
from governance.identity.envelope import (
    Envelope,
    Signature,
    open_envelope,
    parse_canonical,
    parse_model,
)
from governance.identity.models import (
    PERSON_ENROLMENT,
    PersonEnrolment,
    PersonKeys,
    Role,
    read_person_keys,
)
from governance.identity.passkeys import Assertion
from governance.identity.registry import IdentityRegistry, Person
from governance.identity.vouching import Handed, countersigned, enrolment_of
from governance.ledger.admission import NotAdmissible
from governance.ledger.payloads import PersonEnrolled

FOLDER: Final = "vouched"
KEPT: Final = timedelta(days=30)
"""How long leads find what is of no use any more."""
Stage = Literal["lacking", "enough", "logged", "over"]


class Say(NamedTuple):
    """An agreement of a party that has lost its leads.

    Attributes:
        agreement: its hash.
        partners: one of whose leads has to sign.
        signed: those of them whose leads have.
    """

    agreement: str
    partners: tuple[str, ...]
    signed: tuple[str, ...]


class Case(NamedTuple):
    """A lead of another party for whom a lead of this one may vouch now.

    Attributes:
        handed: the file, without what leads of this party have signed.
        lost: whose place the lead takes.
        enrolment: what is to be signed.
    """

    handed: Handed
    keys: PersonKeys
    lost: Person
    enrolment: PersonEnrolment
    says: list[Say]


class Standing(NamedTuple):
    """How far something that leads of this console have signed has come.

    Attributes:
        stage: an agreement lacks a signature, none does, it is in the ledger, or it counts no more.
    """

    keys: PersonKeys
    created: Time
    stage: Stage
    says: list[Say]


def judge(identities: IdentityRegistry, handed: Handed, party: Slug, created: Time) -> Case:
    """What may be signed of a file that somebody handed over.

    Args:
        identities: as the ledger has them.
        handed: the file.
        party: whose leads this console is of.
        created: of the enrolment, where nobody else has signed one.

    Raises:
        FormatError: not a person's keys, or an enrolment of others, or after another loss.
        SignatureError: not signed by its own keys, or of a party that the ledger does not know.
        NotAdmissible: keys that were used before.
        VouchingRefused: nobody of this party can vouch for these.
    """
    keys = read_person_keys(handed.published)
    if keys.role is not Role.IG_LEAD or keys.party == party:
        raise VouchingRefused(
            "these are not the keys of an information-governance lead of another organisation",
            next_step="keys of your own colleagues are confirmed on their own page",
        )
    identities.party_named(keys.party)
    identities.require_unused(keys)
    lost = identities.lost_lead(keys.party)
    if lost is None:
        raise VouchingRefused(
            "their organisation has not lost its information-governance leads",
            next_step="one of its own leads confirms these keys, or its own key the first lead's",
        )
    if not any(party in bond.partners for bond in identities.bonds_of(keys.party).values()):
        raise VouchingRefused(
            "your organisation is a partner under no agreement of theirs",
            next_step="leads of their partners vouch for them",
        )
    signed = _without(identities, party, handed.signed)
    by = frozenset() if signed is None else _others(identities, signed)
    enrolment = enrolment_of(keys, signed, created, lost.keys.thumbprint)
    return Case(
        Handed(handed.published, signed), keys, lost, enrolment, _says(identities, keys.party, by)
    )


def sign(
    identities: IdentityRegistry, case: Case, signature: Signature | Assertion
) -> PersonEnrolled:
    """The file with one more signature, to hand on.

    Raises:
        SignatureError, NotAdmissible: it does not verify, or not as that of an IG lead.
    """
    enrolled = countersigned(case.handed, case.enrolment, signature)
    _signers(identities, enrolled.enrolment)
    return enrolled


def standing(identities: IdentityRegistry, enrolled: PersonEnrolled) -> Standing:
    """Where something that was kept stands, as the ledger is now."""
    keys = read_person_keys(enrolled.keys)
    enrolment = parse_canonical(enrolled.enrolment.payload_bytes, PersonEnrolment)
    if keys.thumbprint in identities.people:
        return Standing(keys, enrolment.created, "logged", [])
    lost = identities.lost_lead(keys.party)
    try:
        by = _signers(identities, enrolled.enrolment)
    except (SignatureError, NotAdmissible):
        lost = None
    if lost is None or enrolment.in_place_of != lost.keys.thumbprint:
        return Standing(keys, enrolment.created, "over", [])
    says = _says(identities, keys.party, by)
    enough = says and all(say.signed for say in says)
    return Standing(keys, enrolment.created, "enough" if enough else "lacking", says)


def _without(identities: IdentityRegistry, party: Slug, signed: Envelope | None) -> Envelope | None:
    """What others than this party's leads have signed; None where there is nothing of theirs."""
    if signed is None:
        return None
    own = {key for key, each in identities.people.items() if each.keys.party == party}
    others = tuple(each for each in signed.signatures if each.key not in own)
    return signed.model_copy(update={"signatures": others}) if others else None


def _others(identities: IdentityRegistry, signed: Envelope) -> frozenset[str]:
    try:
        return _signers(identities, signed)
    except (SignatureError, NotAdmissible):
        raise VouchingRefused(
            "a signature in this file is of nobody who may vouch, or does not count any more",
            next_step="ask for person.keys.json, and begin anew with that",
        ) from None


def _signers(identities: IdentityRegistry, signed: Envelope) -> frozenset[str]:
    """The parties whose IG leads have signed an enrolment, as their authenticators count."""
    _, signers = open_envelope(
        signed, PERSON_ENROLMENT, PersonEnrolment, identities.document_key, identities.passkey
    )
    by = identities.vouching(signers)
    identities.counted(signed)
    return by


def _says(identities: IdentityRegistry, party: str, by: Iterable[str]) -> list[Say]:
    every = identities.bonds_of(party).items()
    return [
        Say(hash_, tuple(sorted(bond.partners - {party})), tuple(sorted(bond.partners & {*by})))
        for hash_, bond in every
    ]


class Vouched:
    """What leads of this console have signed, in a folder of its home.

    Args:
        home: of the console.
    """

    def __init__(self, home: Path) -> None:
        self._folder = home / FOLDER
        self._folder.mkdir(mode=0o700, exist_ok=True)

    def keep(self, keys: Hash, enrolled: PersonEnrolled) -> None:
        """Keep a result, in the place of an earlier one for the same keys.

        Raises:
            ConsoleStoreError: it cannot be written.
        """
        try:
            write_durably(self._path(keys), canonical_bytes(enrolled) + b"\n")
        except OSError:
            raise ConsoleStoreError(
                "what was signed cannot be written into the console's folder",
                next_step="tell the people who run this console; then sign once more",
            ) from None

    def find(self, keys: Hash) -> PersonEnrolled:
        """A result.

        Raises:
            UnknownAccount: nobody here has signed for these keys.
            ConsoleStoreError: it cannot be read.
        """
        path = self._path(keys)
        if not path.is_file():
            raise UnknownAccount(
                "nobody of your organisation has vouched for these keys",
                next_step="go back to the list",
            )
        return _read(path)

    def every(self) -> list[PersonEnrolled]:
        """All results.

        Raises:
            ConsoleStoreError: one cannot be read.
        """
        return [_read(path) for path in self._folder.glob("*.json")]

    def tidy(self, identities: IdentityRegistry, now: datetime) -> None:
        """Take out what is in the ledger, or counts no more, ``KEPT`` after it was signed here.

        Args:
            identities: as the ledger has them; of an empty copy nothing is known.
            now: aware time.
        """
        if not identities.people:
            return
        for path in self._folder.glob("*.json"):
            with suppress(OSError, ConsoleStoreError):  # another request took it, or it is damaged
                if now.timestamp() - path.stat().st_mtime < KEPT.total_seconds():
                    continue
                if standing(identities, _read(path)).stage in ("logged", "over"):
                    path.unlink()

    def _path(self, keys: Hash) -> Path:
        return self._folder / f"{keys.removeprefix('sha256:')}.json"


def _read(path: Path) -> PersonEnrolled:
    try:
        return parse_model(parse_json(path.read_bytes()), PersonEnrolled)
    except (OSError, FormatError):
        raise ConsoleStoreError(
            "what was signed cannot be read from the console's folder",
            next_step="whoever runs this console takes the damaged file out of vouched, or "
            "restores it",
        ) from None
