"""When enough witnesses have seen a checkpoint lately enough.

Rules, in order: the log's own signature; each cosignature by a known witness verifies, or the note
is refused; a witness counts once, by its newest time; times from the future do not count; at least
``quorum`` witnesses are not older than ``max_age``, and each ``required`` one is among them.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from governance.agreements.models import Agreement
from governance.canonical import unb64
from governance.identity.models import PartyKeys
from governance.ledger.errors import QuorumError, StaleCheckpointError
from governance.ledger.note import (
    Checkpoint,
    Note,
    VerifierKey,
    open_checkpoint,
    verify_cosignature,
    witness_key,
    witness_name,
)

_NEXT: Final = "ask the partners to run their agents, which cosign at each synchronisation"
FUTURE_TOLERANCE = timedelta(minutes=2)  # clocks of two honest organisations may differ this much


@dataclass(frozen=True)
class WitnessPolicy:
    """Whose cosignatures count, how many are needed, and how old they may be."""

    log: VerifierKey
    witnesses: tuple[VerifierKey, ...]
    quorum: int
    max_age: timedelta
    required: frozenset[str] = frozenset()
    """Key names of witnesses without whom no number of others is enough."""

    def __post_init__(self) -> None:
        publics = {witness.public for witness in self.witnesses}
        if len(publics) != len(self.witnesses):
            raise QuorumError("two witnesses of a policy share a key")
        if not 1 <= self.quorum <= len(self.witnesses):
            raise QuorumError(
                f"a quorum of {self.quorum} is not possible with {len(self.witnesses)} witnesses"
            )
        if not self.required <= {witness.name for witness in self.witnesses}:
            raise QuorumError("a witness that is required is not one of the policy's")


def policy_of(
    agreement: Agreement,
    log: VerifierKey,
    parties: Mapping[str, PartyKeys],
    holders: Collection[str] = (),
) -> WitnessPolicy:
    """Whose cosignatures an agreement counts: see ``Agreement.partners``.

    Args:
        agreement: with its quorum and the age that is fresh.
        log: the log's key.
        parties: keys by thumbprint, as the ledger knows them.
        holders: parties whose cosignatures must be among them.

    Raises:
        QuorumError: a holder is no witness of the agreement.
    """
    return WitnessPolicy(
        log=log,
        witnesses=tuple(
            witness_key(log.name, party.party, unb64(parties[party.keys].witness))
            for party in agreement.partners
        ),
        quorum=agreement.witnessing.quorum,
        max_age=timedelta(minutes=agreement.witnessing.max_age_minutes),
        required=frozenset(witness_name(log.name, party) for party in holders),
    )


@dataclass(frozen=True)
class WitnessedCheckpoint:
    """A checkpoint that met a policy, with the newest time of each witness that counted."""

    checkpoint: Checkpoint
    witnessed: dict[str, datetime]


def witness_times(note: Note, witnesses: tuple[VerifierKey, ...]) -> dict[str, datetime]:
    """The newest valid cosignature time of each known witness, by key name.

    Raises:
        NoteSignatureError: a line claims a known witness and does not verify.
    """
    times: dict[str, datetime] = {}
    for witness in witnesses:
        for signature in note.signatures:
            if signature.by(witness):
                seconds = verify_cosignature(note.text, signature, witness)
                moment = _moment(seconds)
                times[witness.name] = max(moment, times.get(witness.name, moment))
    return times


def verify_cosigned(note: Note, policy: WitnessPolicy, now: datetime) -> WitnessedCheckpoint:
    """Check a checkpoint's signature and its witnesses.

    Raises:
        NoteSignatureError: the log's or a known witness's signature is missing or wrong.
        QuorumError: too few known witnesses cosigned it.
        StaleCheckpointError: enough did, too long ago.
    """
    checkpoint = open_checkpoint(note, policy.log)
    times = witness_times(note, policy.witnesses)
    usable = {name: time for name, time in times.items() if time <= now + FUTURE_TOLERANCE}
    if lacks := _lacking(usable, policy):
        raise QuorumError(f"checkpoint of size {checkpoint.size}: {lacks}", next_step=_NEXT)
    fresh = {name: time for name, time in usable.items() if now - time <= policy.max_age}
    if lacks := _lacking(fresh, policy):
        raise StaleCheckpointError(
            f"checkpoint of size {checkpoint.size}: {lacks} within {policy.max_age}",
            next_step=_NEXT,
        )
    return WitnessedCheckpoint(checkpoint, fresh)


def _lacking(times: dict[str, datetime], policy: WitnessPolicy) -> str:
    """What the policy asks for and these cosignatures do not give; empty where nothing lacks."""
    if absent := sorted(policy.required - times.keys()):
        return f"not cosigned by {', '.join(absent)}"
    if len(times) < policy.quorum:
        return f"cosigned by {len(times)} of {policy.quorum} witnesses"
    return ""


def _moment(seconds: int) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return datetime.max.replace(tzinfo=UTC)  # further off than any clock: never counts
