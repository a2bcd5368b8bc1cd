"""Who has witnessed the ledger, how lately, and what it signed and should not have.

Rules, in order: whether a release would find its quorum is judged for each agreement in force by
the function that agents use, over one checkpoint of the copy's own tree: cosignatures of several
checkpoints never add up, and no agreement is held to another's number or age; a cosignature counts
that verifies under the party's witness key of the ledger itself; a checkpoint that the copy is long
enough for has to be of the copy's own tree, or it is a fork; a witness is late once its newest
cosignature is older than the strictest agreement in force of which it is a partner takes
(agreement: witnessing.max_age_minutes). The ledger keeps each witness's newest line for a size and
no history, so nothing here says how late somebody was last month; refusals do (``ledger.quorum``,
``ledger.checkpoint.stale``). A release also needs the cosignature of each holder of a record.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from governance.agreements.life import PERMITS, life
from governance.agreements.models import Agreement
from governance.canonical import Frozen, unb64, write_time
from governance.evidence.words import words
from governance.ledger.client import LedgerClient
from governance.ledger.errors import (
    ForkError,
    LedgerRefusedError,
    NoteSignatureError,
    QuorumError,
    StaleCheckpointError,
)
from governance.ledger.mirror import Mirror
from governance.ledger.note import Checkpoint, Note, open_checkpoint, witness_key
from governance.ledger.quorum import FUTURE_TOLERANCE, policy_of, verify_cosigned, witness_times
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
        partner: whether it counts towards the quorum of an agreement in force.
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


class Quorum(Frozen):
    """Whether a release under one agreement in force would find its quorum.

    Attributes:
        agreement: its hash.
        needed: partners who have to have cosigned one checkpoint, none longer ago than
            ``max_age_minutes``.
        reason: why a release would be refused; empty where it would not be.
        meaning: the same in words.
    """

    agreement: str
    id: str
    version: int
    needed: int
    max_age_minutes: int
    reason: str
    meaning: str


class Health(Frozen):
    """How well the ledger is witnessed.

    Attributes:
        size: entries of the copy.
        quorums: of each agreement in force.
        forks: what the copy has kept as evidence.
    """

    size: int
    quorums: tuple[Quorum, ...]
    witnesses: tuple[Witness, ...]
    forks: tuple[Fork, ...]

    @property
    def well(self) -> bool:
        """Whether every agreement in force would find its quorum, and nothing is wrong."""
        wrong = any(each.state in (Seen.FORK, Seen.FALSE) for each in self.witnesses)
        return not (wrong or self.forks or any(each.reason for each in self.quorums))


@dataclass(frozen=True)
class Notes:
    """Checkpoints as the ledger shows them, not yet verified; None where it shows none.

    Attributes:
        witnessed: by how many have cosigned it, the largest.
        parties: of each party, the largest that it has cosigned.
    """

    witnessed: Mapping[int, Note | None]
    parties: Mapping[str, Note | None]


def in_force(state: Overseen, now: datetime) -> list[Agreement]:
    """Agreements that permit something."""
    found = [state.agreements.standing(hash_) for hash_ in state.agreements]
    return [each.agreement for each in found if life(each, now).state in PERMITS]


def newest_notes(client: LedgerClient, quorums: Collection[int], parties: Collection[str]) -> Notes:
    """What ``health`` needs of the ledger.

    Args:
        client: the ledger.
        quorums: that agreements ask for.
        parties: names.

    Raises:
        LedgerError: it cannot be reached.
    """
    return Notes(
        {quorum: _newest(client, quorum, ()) for quorum in set(quorums)},
        {party: _newest(client, 1, (party,)) for party in parties},
    )


def wanted(state: Overseen, now: datetime) -> tuple[list[int], list[str]]:
    """Quorums and parties to ask the ledger about, for ``newest_notes``."""
    quorums = [each.witnessing.quorum for each in in_force(state, now)]
    return quorums, [keys.party for keys in state.identities.parties.values()]


def _newest(client: LedgerClient, witnesses: int, by: Collection[str]) -> Note | None:
    try:
        return client.checkpoint(witnesses=witnesses, by=by)
    except LedgerRefusedError:
        return None


def health(state: Overseen, mirror: Mirror, notes: Notes, now: datetime) -> Health:
    """How well the ledger is witnessed.

    Args:
        state: the replay.
        mirror: the copy that it is of.
        notes: from ``newest_notes``.
        now: aware time.

    Raises:
        NoteSignatureError, NoteFormatError: the log did not sign one of the checkpoints.
    """
    force = in_force(state, now)
    witnesses = tuple(
        _witness(state, mirror, keys.party, notes.parties.get(keys.party), force, now)
        for keys in sorted(state.identities.parties.values(), key=lambda keys: keys.party)
    )
    return Health(
        size=mirror.size(),
        quorums=tuple(_quorum(state, mirror, each, notes, now) for each in force),
        witnesses=witnesses,
        forks=tuple(
            Fork(time=each.time, reason=each.reason, detail=each.detail)
            for each in mirror.evidence()
        ),
    )


def _quorum(
    state: Overseen, mirror: Mirror, agreement: Agreement, notes: Notes, now: datetime
) -> Quorum:
    needed = agreement.witnessing.quorum
    reason = _refused(state, mirror, agreement, notes.witnessed.get(needed), now)
    return Quorum(
        agreement=agreement.hash,
        id=agreement.id,
        version=agreement.version,
        needed=needed,
        max_age_minutes=agreement.witnessing.max_age_minutes,
        reason=reason,
        meaning=words(reason) if reason else "",
    )


def _refused(
    state: Overseen, mirror: Mirror, agreement: Agreement, note: Note | None, now: datetime
) -> str:
    """Why a release would be refused over a checkpoint; empty where it would not be."""
    if note is None:
        return QuorumError.reason
    checkpoint = open_checkpoint(note, mirror.log_key)
    policy = policy_of(agreement, mirror.log_key, state.identities.parties)
    try:
        verify_cosigned(note, policy, now)
    except (QuorumError, StaleCheckpointError, NoteSignatureError) as refusal:
        return refusal.reason
    return ForkError.reason if _forked(mirror, checkpoint) else ""


def _forked(mirror: Mirror, checkpoint: Checkpoint) -> bool:
    """Whether a checkpoint is of another tree; unknown, so no, of one beyond the copy."""
    return checkpoint.size <= mirror.size() and mirror.root(checkpoint.size) != checkpoint.root


def _witness(
    state: Overseen,
    mirror: Mirror,
    party: str,
    note: Note | None,
    force: list[Agreement],
    now: datetime,
) -> Witness:
    told, size, time = Seen.NEVER, None, None
    own = [each for each in force if each.partner(party)]
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
            told = Seen.FORK if _forked(mirror, checkpoint) else _told(time, own, now)
        elif told is not Seen.FALSE:
            size = None
    return Witness(
        party=party,
        partner=bool(own),
        state=told,
        size=size,
        behind=None if size is None else max(mirror.size() - size, 0),
        time="" if time is None else write_time(time),
        minutes=None if time is None else max(int((now - time) / timedelta(minutes=1)), 0),
    )


def _told(time: datetime, own: list[Agreement], now: datetime) -> Seen:
    if time > now + FUTURE_TOLERANCE:
        return Seen.AHEAD
    strictest = min((each.witnessing.max_age_minutes for each in own), default=None)
    late = strictest is not None and now - time > timedelta(minutes=strictest)
    return Seen.LATE if late else Seen.FRESH
