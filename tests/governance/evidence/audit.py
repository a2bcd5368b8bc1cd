"""A ledger of the tests' world as an auditor is handed it: an export and public keys."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from governance.canonical import b64, canonical_bytes, unb64
from governance.evidence.keys import AuditKeys
from governance.identity.envelope import Envelope
from governance.identity.keys import SigningKey
from governance.identity.models import publish_party_keys
from governance.ledger.events import Event, EventType
from governance.ledger.export import LedgerExport, write_export
from governance.ledger.note import (
    Checkpoint,
    KeyKind,
    Note,
    VerifierKey,
    cosign,
    sign_checkpoint,
    witness_key,
)
from governance.ledger.payloads import Outcome, ReleaseRefused, Sealed
from governance.ledger.tree import MemoryTree
from governance.release.models import CheckpointRef, Members
from tests.governance.world import NOON, ORIGIN, Party, World

HASH = "sha256:" + "d" * 64


def tree_of(events: Sequence[Event]) -> MemoryTree:
    """The tree over events."""
    tree = MemoryTree()
    for event in events:
        tree.append(event.leaf_bytes)
    return tree


def checkpoint_of(events: Sequence[Event]) -> CheckpointRef:
    """The state of the ledger with these events."""
    tree = tree_of(events)
    return CheckpointRef(size=tree.size, root=b64(tree.root()))


@dataclass
class Auditor:
    """A world, its log's key, and a folder with what is handed over."""

    root: Path
    world: World = field(default_factory=World)
    key: SigningKey = field(default_factory=SigningKey.generate)

    @property
    def log(self) -> VerifierKey:
        """The log's key."""
        return VerifierKey(ORIGIN, KeyKind.LOG, self.key.public)

    @property
    def keys(self) -> AuditKeys:
        """Every partner's public keys."""
        parties = {party.name: party.keys for party in self.world.partners}
        return AuditKeys(self.log, parties)

    def keys_folder(self) -> Path:
        """The same as files."""
        folder = self.root / "keys"
        folder.mkdir(exist_ok=True)
        (folder / "ledger.vkey").write_text(f"{self.log}\n", "utf-8")
        for party in self.world.partners:
            published: Envelope = publish_party_keys(party.keys, party.signing)
            (folder / f"{party.name}.keys.json").write_bytes(canonical_bytes(published))
        return folder

    @staticmethod
    def witness(party: Party) -> VerifierKey:
        """A party's key as a witness."""
        return witness_key(ORIGIN, party.name, unb64(party.keys.witness))

    def note(
        self, events: Sequence[Event], witnesses: Sequence[Party], now: datetime = NOON
    ) -> tuple[Note, Checkpoint]:
        """A checkpoint over events, cosigned."""
        tree = tree_of(events)
        checkpoint = Checkpoint(ORIGIN, tree.size, tree.root())
        signed = sign_checkpoint(checkpoint, self.log, self.key)
        lines = [
            cosign(
                signed.text,
                self.witness(party),
                party.witness,
                int(now.timestamp()),
            )
            for party in witnesses
        ]
        return signed.with_signatures(lines), checkpoint

    def export(
        self,
        events: Sequence[Event] | None = None,
        witnesses: Sequence[Party] | None = None,
        name: str = "ledger.jsonl",
    ) -> LedgerExport:
        """The whole ledger as a file, opened."""
        events = self.world.events if events is None else events
        witnesses = self.world.partners if witnesses is None else witnesses
        note, checkpoint = self.note(events, witnesses)
        path = self.root / name
        with path.open("wb") as file:
            write_export(file, note, checkpoint, events, packed=name.endswith(".gz"))
        return LedgerExport(path, self.log)

    def family(self) -> Members:
        """Two adults and a child, all of whom agreed, at council and police."""
        world = self.world
        police, _, council = world.partners
        members = world.members(
            ("1", True, [(council, "1" * 32), (police, "2" * 32)]),
            ("2", True, [(council, "3" * 32)]),
            ("3", False, [(council, "4" * 32)]),
        )
        world.consent(council, "1" * 32)
        world.consent(police, "2" * 32)
        world.consent(council, "3" * 32)
        world.consent(
            council,
            "4" * 32,
            capacity="parental_responsibility",
            parental_basis="birth_registration",
        )
        return members

    def ask(self, members: Members) -> Envelope:
        """Request and approval, both logged."""
        request = self.world.request(members)
        seen = checkpoint_of(self.world.events)
        approval = self.world.approval(request, checkpoint=seen)
        self.world.log_release(request, approval)
        return request

    def answer(
        self,
        request: Envelope,
        party: Party,
        reason: str | None = None,
        at: datetime = NOON + timedelta(minutes=12),
    ) -> Event:
        """A partner's receipt, or its refusal."""
        hash_ = request.payload_hash
        if reason is not None:
            refused = ReleaseRefused(request=hash_, party=party.name, reason=reason)
            return self.world.write(party, EventType.RELEASE_REFUSED, refused, now=at)
        sealed = Sealed(
            request=hash_,
            order=HASH,
            party=party.name,
            records=2,
            ciphertext_sha256=HASH,
            checkpoint=checkpoint_of(self.world.events),
        )
        return self.world.write(party, EventType.RELEASE_SEALED, sealed, now=at)

    def outcome(self, request: Envelope) -> Event:
        """What came of it."""
        came = Outcome(request=request.payload_hash, outcome="helped")
        at = NOON + timedelta(hours=3)
        return self.world.write(self.world.hub, EventType.RELEASE_OUTCOME, came, now=at)
