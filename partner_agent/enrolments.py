"""Enrolments that a console has laid into a folder, put into the ledger.

Rules, in order: a file is a person's signed keys with their enrolment; the keys are of this party;
it was countersigned by one of this party's IG leads who are in the ledger, and never by the party's
own key, so a console enrols no first lead; the ledger would admit it. What was logged moves to
``logged``, what never can be to ``refused``; everything else stays for the next round.
"""

import logging
from pathlib import Path
from typing import Final

from governance.canonical import Slug, parse_json
from governance.errors import FormatError, SignatureError
from governance.identity.envelope import open_envelope, parse_model
from governance.identity.models import (
    PERSON_ENROLMENT,
    PersonEnrolment,
    PersonKeys,
    read_person_keys,
)
from governance.ledger.admission import NotAdmissible
from governance.ledger.events import EventType
from governance.ledger.party import PartyLedger
from governance.ledger.payloads import PersonEnrolled
from governance.ledger.state import LedgerState

_MOST_BYTES: Final = 65_536
_LOG: Final = logging.getLogger("partner_agent.run")


class Enrolments:
    """One folder.

    Args:
        folder: where a console lays enrolments, as ``*.json``.
        ledger: of the party.
        party: whose staff may be enrolled.
    """

    def __init__(self, folder: Path, ledger: PartyLedger, party: Slug) -> None:
        self._folder = folder
        self._ledger = ledger
        self._party = party

    def log_all(self) -> int:
        """Log what waits; how many were logged.

        Raises:
            LedgerError: the ledger cannot be reached; what waits stays.
        """
        waiting = sorted(path for path in self._folder.glob("*.json") if path.is_file())
        return sum(self._log(path) for path in waiting)

    def _log(self, path: Path) -> bool:
        state = self._ledger.sync()
        try:
            payload, keys = _read(path)
            if keys.thumbprint not in state.identities.people:  # else logged before a crash
                self._require_lead(state, payload, keys)
                event = self._ledger.author.write(EventType.PERSON_ENROLLED, payload)
                state.check(event)
                self._ledger.append(event)
        except (FormatError, SignatureError, NotAdmissible) as error:
            _LOG.warning("enrolment refused", extra={"file": path.name, "reason": error.reason})
            _move(path, "refused")
            return False
        _move(path, "logged")
        _LOG.info("enrolled", extra={"keys": keys.thumbprint, "role": keys.role.value})
        return True

    def _require_lead(self, state: LedgerState, payload: PersonEnrolled, keys: PersonKeys) -> None:
        if keys.party != self._party:
            raise NotAdmissible("these keys are of another party's staff")
        identities = state.identities
        _, signers = open_envelope(
            payload.enrolment,
            PERSON_ENROLMENT,
            PersonEnrolment,
            identities.document_key,
            identities.passkey,
        )
        if not all(signer in identities.people for signer in signers):
            raise NotAdmissible(
                "only an IG lead's countersignature is taken from a folder",
                next_step="partner-agent person enrol FILE, for the first IG lead",
            )


def _read(path: Path) -> tuple[PersonEnrolled, PersonKeys]:
    with path.open("rb") as file:
        data = file.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise FormatError(f"an enrolment has at most {_MOST_BYTES} bytes")
    payload = parse_model(parse_json(data), PersonEnrolled)
    return payload, read_person_keys(payload.keys)


def _move(path: Path, name: str) -> None:
    folder = path.parent / name
    folder.mkdir(mode=0o700, exist_ok=True)
    path.replace(folder / path.name)
