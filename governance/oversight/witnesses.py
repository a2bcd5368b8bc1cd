"""Who has witnessed the ledger, how lately, and what it signed and should not have.

Rules, in order: a cosignature counts that verifies under the party's witness key of the ledger
itself; a checkpoint that the copy is long enough for has to be of the copy's own tree, or it is a
fork; a witness is late once its newest cosignature is older than the strictest agreement in force
takes (agreement: witnessing.max_age_minutes). The ledger keeps each witness's newest line for a
size and no history, so nothing here says how late somebody was last month; refusals do
(``ledger.quorum``, ``ledger.checkpoint.stale``).
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from governance.agreements.life import PERMITS, life
from governance.agreements.models import Agreement
from governance.canonical import Frozen, unb64, write_time
from governance.ledger.client import LedgerClient
from governance.ledger.errors import LedgerRefusedError, NoteSignatureError
from governance.ledger.mirror import Mirror
from governance.ledger.note import Note, open_checkpoint, witness_key
from governance.ledger.quorum import FUTURE_TOLERANCE, witness_times
from governance.oversight.state import Overseen


class Seen(StrEnum):
    """How a witness stands."""

    FRESH = "in_time"
    LATE = "late"
    NEVER = "never"
    AHEAD = "ahead"  # states a time that has not come
    FALSE = "false"  # a line in its name does not verify
    FORK = "fork"  # cosigned another tree than this copy's


class Witness(Frozen):
    """A party as a witness.

    Attributes:
        partner: whether it counts towards an agreement's quorum.
        size: entries of the newest checkpoint that it cosigned; ``behind`` the copy's newest.
        time: of that cosignature; empty where there is none.
        minutes: since then.
    """

    party: str
    partner: bool
    state: Seen
    size: int | None
    behind: int | None
    time: str
    minutes: int | None


class Fork(Frozen):
    """Something that the log signed and should not have, as the copy keeps it for evidence."""

    time: str
    reason: str
    detail: str


class Health(Frozen):
    """How well the ledger is witnessed.

    Attributes:
        size: entries of the copy.
        max_age_minutes: the strictest that an agreement in force asks for; None where none is.
        quorum: the largest that one asks for; ``in_time`` of its partners have cosigned in time.
        forks: what the copy has kept as evidence.
    """

    size: int
    max_age_minutes: int | None
    quorum: int | None
    in_time: int
    witnesses: tuple[Witness, ...]
    forks: tuple[Fork, ...]

    @property
    def well(self) -> bool:
        """Whether a release would find its quorum, and nothing is wrong."""
        wrong = any(each.state in (Seen.FORK, Seen.FALSE) for each in self.witnesses)
        return self.in_time >= (self.quorum or 0) and not wrong and not self.forks


def newest_notes(client: LedgerClient, parties: Iterable[str]) -> dict[str, Note | None]:
    """For each party, the largest checkpoint that it has cosigned, as the ledger shows it.

    Raises:
        LedgerError: it cannot be reached.
    """
    found: dict[str, Note | None] = {}
    for party in parties:
        try:
            found[party] = client.checkpoint(witnesses=1, by=[party])
        except LedgerRefusedError:
            found[party] = None
    return found


def health(
    state: Overseen, mirror: Mirror, notes: Mapping[str, Note | None], now: datetime
) -> Health:
    """How well the ledger is witnessed.

    Args:
        state: the replay.
        mirror: the copy that it is of.
        notes: for each party, the newest checkpoint that it cosigned (``newest_notes``).
        now: aware time.

    Raises:
        NoteSignatureError, NoteFormatError: the log did not sign one of the checkpoints.
    """
    found = [state.agreements.standing(hash_) for hash_ in state.agreements]
    force = [each.agreement for each in found if life(each, now).state in PERMITS]
    strictest = min((each.witnessing.max_age_minutes for each in force), default=None)
    partners = {party.party for each in force for party in each.partners}
    witnesses = tuple(
        _witness(state, mirror, keys.party, notes.get(keys.party), strictest, partners, now)
        for keys in sorted(state.identities.parties.values(), key=lambda keys: keys.party)
    )
    return Health(
        size=mirror.size(),
        max_age_minutes=strictest,
        quorum=max((each.witnessing.quorum for each in force), default=None),
        in_time=_in_time(force, witnesses),
        witnesses=witnesses,
        forks=tuple(
            Fork(time=each.time, reason=each.reason, detail=each.detail)
            for each in mirror.evidence()
        ),
    )


def _in_time(force: list[Agreement], witnesses: tuple[Witness, ...]) -> int:
    """Partners in time, of the agreement that has fewest."""
    fresh = {each.party for each in witnesses if each.state == Seen.FRESH}
    counts = (len(fresh & {party.party for party in each.partners}) for each in force)
    return min(counts, default=0)


def _witness(
    state: Overseen,
    mirror: Mirror,
    party: str,
    note: Note | None,
    strictest: int | None,
    partners: set[str],
    now: datetime,
) -> Witness:
    told, size, time = Seen.NEVER, None, None
    if note is not None:
        checkpoint = open_checkpoint(note, mirror.log_key)
        size = checkpoint.size
        keys = state.identities.party_named(party)
        key = witness_key(mirror.log_key.name, party, unb64(keys.witness))
        try:
            time = witness_times(note, (key,)).get(key.name)
        except NoteSignatureError:
            told = Seen.FALSE
        if time is not None:
            told = _told(time, strictest, now)
            if size <= mirror.size() and mirror.root(size) != checkpoint.root:
                told = Seen.FORK
        elif told is not Seen.FALSE:
            size = None
    return Witness(
        party=party,
        partner=party in partners,
        state=told,
        size=size,
        behind=None if size is None else max(mirror.size() - size, 0),
        time="" if time is None else write_time(time),
        minutes=None if time is None else max(int((now - time) / timedelta(minutes=1)), 0),
    )


def _told(time: datetime, strictest: int | None, now: datetime) -> Seen:
    if time > now + FUTURE_TOLERANCE:
        return Seen.AHEAD
    late = strictest is not None and now - time > timedelta(minutes=strictest)
    return Seen.LATE if late else Seen.FRESH
