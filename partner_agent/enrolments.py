"""Enrolments that a console has laid into a folder, put into the ledger.

A console faces browsers: whoever breaks into one chooses what lies in the folder, and its names.

Rules, in order: neither the folder nor a file or folder in it is followed where it is a link, and a
file is looked at only where its name is that of a hash, which no log repeats; it is a person's
signed keys with their enrolment; the keys are of this party, and in the ledger already and not
revoked, or else it was countersigned by one of this party's IG leads who are in the ledger, and
never by the party's own key or another party's lead, so a console enrols no first lead, and brings
none back; the ledger would admit it. They are taken as the leads' authenticators counted them,
since the ledger takes no count that is lower than the last. What was logged moves to ``logged``,
what never can be to ``refused``; everything else stays for the next round, and what cannot be read
or moved holds up no other. A round looks at ``AT_ONCE`` files, however many there are, those first
that were laid first, as they were signed; as many that cannot be read keep the rest waiting, which
whoever writes there can do anyhow.
"""

import logging
import os
import re
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from heapq import nsmallest
from pathlib import Path
from typing import Final, NamedTuple

from governance.canonical import Slug, parse_json, sha256
from governance.errors import FormatError, SignatureError
from governance.identity.envelope import open_envelope, parse_canonical, parse_model
from governance.identity.models import (
    PERSON_ENROLMENT,
    PersonEnrolment,
    PersonKeys,
    read_person_keys,
)
from governance.identity.passkeys import Assertion
from governance.ledger.admission import NotAdmissible
from governance.ledger.events import Event, EventType
from governance.ledger.party import PartyLedger
from governance.ledger.payloads import PersonEnrolled
from governance.ledger.state import LedgerState
from partner_agent.errors import AgentError

AT_ONCE: Final = 500
"""Files that a round looks at; all that wait, but for a folder that somebody fills on purpose."""
_MOST_BYTES: Final = 65_536  # of one file, which is held in memory
_NAME: Final = re.compile(r"[0-9a-f]{64}\.json", re.ASCII)
_LOGGED, _REFUSED = "logged", "refused"
_LOG: Final = logging.getLogger("partner_agent.run")


class EnrolmentsFolder(AgentError):
    """The folder in which enrolments wait is not there, or not to be used."""

    reason = "agent.enrolments"
    exit_code = 78  # EX_CONFIG


class _Waiting(NamedTuple):
    """A file of the folder, as it was read.

    Attributes:
        counter: how far the countersigning authenticator says it has counted; 0 where none does.
        created: of the enrolment.
    """

    counter: int
    created: str
    name: str
    payload: PersonEnrolled
    keys: PersonKeys


class Enrolments:
    """One folder.

    Args:
        folder: where a console lays enrolments, each named by the hash of its keys.
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
            EnrolmentsFolder: there is no such folder, or it cannot be read.
            LedgerError: the ledger cannot be reached, or refused what it should take; what waits
                stays.
        """
        with ExitStack() as stack:
            try:
                folder = stack.enter_context(_opened(self._folder))
                names = _names(folder)
            except OSError:
                raise EnrolmentsFolder(
                    "the folder of enrolments is missing, a link, or not this user's to read",
                    next_step="see docs/consoles.md on who makes it, and who shares it",
                ) from None
            waiting = [found for name in names if (found := _take(folder, name))]
            if not waiting:
                return 0
            waiting.sort(key=lambda each: each[:3])
            self._ledger.sync()
            return sum(self._log(folder, each) for each in waiting)

    def _log(self, folder: int, waiting: _Waiting) -> bool:
        state, keys = self._ledger.state, waiting.keys
        known = state.identities.people.get(keys.thumbprint)
        try:
            self._require_own(keys)
            if known is not None and not known.revoked:  # logged before a crash
                _LOG.info("enrolled already", extra={"keys": keys.thumbprint})
                _move(folder, waiting.name, _LOGGED)
                return True
            event = self._event(state, waiting)
        except (FormatError, SignatureError, NotAdmissible) as error:
            _refuse(folder, waiting.name, error.reason, keys.thumbprint)
            return False
        self._ledger.append(event)
        _LOG.info("enrolled", extra={"keys": keys.thumbprint, "role": keys.role.value})
        _move(folder, waiting.name, _LOGGED)
        self._ledger.sync()  # the next is judged by what this one changed
        return True

    def _require_own(self, keys: PersonKeys) -> None:
        if keys.party != self._party:
            raise NotAdmissible("these keys are of another party's staff")

    def _event(self, state: LedgerState, waiting: _Waiting) -> Event:
        self._require_lead(state, waiting.payload)
        event = self._ledger.author.write(EventType.PERSON_ENROLLED, waiting.payload)
        state.check(event)
        return event

    def _require_lead(self, state: LedgerState, payload: PersonEnrolled) -> None:
        identities = state.identities
        _, signers = open_envelope(
            payload.enrolment,
            PERSON_ENROLMENT,
            PersonEnrolment,
            identities.document_key,
            identities.passkey,
        )
        own = {key for key, each in identities.people.items() if each.keys.party == self._party}
        if not own.issuperset(signers):
            raise NotAdmissible(
                "only the countersignature of this party's own IG lead is taken from a folder",
                next_step="partner-agent person enrol FILE, for whom others have to vouch for",
            )


def _names(folder: int) -> list[str]:
    """The files of a folder that may be enrolments and were laid first.

    Raises:
        OSError: it cannot be read.
    """
    with os.scandir(folder) as entries:
        ours = ((_laid(entry), entry.name) for entry in entries if _NAME.fullmatch(entry.name))
        return [name for _, name in nsmallest(AT_ONCE, ours)]


def _laid(entry: os.DirEntry[str]) -> int:
    """When, in nanoseconds; what is gone by now comes first, and is not there to be read."""
    try:
        return entry.stat(follow_symlinks=False).st_mtime_ns
    except OSError:
        return 0


def _take(folder: int, name: str) -> _Waiting | None:
    """A file, read; None where it cannot be, or never can be logged."""
    data = b""
    try:
        data = _content(folder, name)
        payload = parse_model(parse_json(data), PersonEnrolled)
        keys = read_person_keys(payload.keys)
        enrolment = parse_canonical(payload.enrolment.payload_bytes, PersonEnrolment)
    except (FormatError, SignatureError) as error:
        _refuse(folder, name, error.reason, sha256(data))
        return None
    except OSError as error:
        _LOG.warning("enrolment not read", extra={"error": type(error).__name__})
        return None
    counters = [one.counter for one in payload.enrolment.signatures if isinstance(one, Assertion)]
    return _Waiting(max(counters, default=0), enrolment.created, name, payload, keys)


def _content(folder: int, name: str) -> bytes:
    """A file's bytes.

    Raises:
        FormatError: not a plain file, or too large a one.
        OSError: it cannot be read.
    """
    if not stat.S_ISREG(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
        raise FormatError("an enrolment is a plain file")
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK  # should it have become a pipe by now
    with os.fdopen(os.open(name, flags, dir_fd=folder), "rb") as file:
        data = file.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise FormatError(f"an enrolment has at most {_MOST_BYTES} bytes")
    return data


def _refuse(folder: int, name: str, reason: str, digest: str) -> None:
    """Tell why, of which content, or of which keys, and move the file away."""
    _LOG.warning("enrolment refused", extra={"hash": digest, "reason": reason})
    _move(folder, name, _REFUSED)


def _move(folder: int, name: str, target: str) -> None:
    """Move a file into a folder beside it, which the console's user may look into."""
    try:
        with _target(folder, target) as found:
            os.replace(name, name, src_dir_fd=folder, dst_dir_fd=found)
    except OSError as error:
        _LOG.warning("enrolment not moved", extra={"to": target, "error": type(error).__name__})


@contextmanager
def _target(folder: int, name: str) -> Iterator[int]:
    try:
        os.mkdir(name, 0o750, dir_fd=folder)
        made = True
    except FileExistsError:
        made = False
    with _opened(name, folder) as found:
        if made:
            os.fchmod(found, 0o750)  # whatever the umask
        yield found


@contextmanager
def _opened(path: Path | str, within: int | None = None) -> Iterator[int]:
    """A folder's descriptor, which stands for it whatever its name comes to mean.

    Raises:
        OSError: it is none, or a link.
    """
    found = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=within)
    try:
        yield found
    finally:
        os.close(found)
