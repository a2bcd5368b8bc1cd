"""The public keys that an auditor was handed beforehand: the log's and each party's.

Rules: one ``*.vkey`` and the parties' ``*.keys.json``, each signed by its own key; a checkpoint
counts when the log signed it and so many of these parties' witness keys cosigned it; a line by one
of them that does not verify refuses the whole checkpoint; the parties that a ledger names bear
the very keys that were handed over.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from governance.agreements.models import Agreement
from governance.canonical import unb64
from governance.evidence.errors import KeysMissing
from governance.identity.envelope import Envelope
from governance.identity.models import PartyKeys, read_party_keys
from governance.identity.registry import IdentityRegistry
from governance.ledger.errors import QuorumError
from governance.ledger.note import Note, VerifierKey, parse_vkey, witness_key, witness_name
from governance.ledger.quorum import witness_times
from governance.terminal import read_bytes, read_document

_VKEY: Final = ".vkey"
_PARTY: Final = ".keys.json"


@dataclass(frozen=True)
class AuditKeys:
    """The log's key, and the keys of parties by their names."""

    log: VerifierKey
    parties: dict[str, PartyKeys]

    def require_named(self, identities: IdentityRegistry) -> None:
        """Check that a ledger names these parties with these keys.

        Raises:
            KeysMissing: it names one of them with other keys.
        """
        for keys in identities.parties.values():
            given = self.parties.get(keys.party)
            if given is not None and given.thumbprint != keys.thumbprint:
                raise KeysMissing(
                    f"the ledger names {keys.party} with other keys than you were handed",
                    next_step=f"compare the thumbprint with {keys.party} by phone",
                )

    def witnessed(
        self, note: Note, agreements: Iterable[Agreement], quorum: int | None = None
    ) -> dict[str, datetime]:
        """When each party that was handed over cosigned a checkpoint.

        Args:
            note: the checkpoint; the log's signature was verified before.
            agreements: whose parties count, and whose quorum is needed.
            quorum: another number of witnesses.

        Raises:
            NoteSignatureError: a line claims a known witness and does not verify.
            QuorumError: fewer parties than needed cosigned it.
        """
        known = list(agreements)
        counted = {party.party for agreement in known for party in agreement.partners}
        needed = max((agreement.witnessing.quorum for agreement in known), default=1)
        needed = needed if quorum is None else quorum
        names = {witness_name(self.log.name, party): party for party in self.parties}
        keys = tuple(
            witness_key(self.log.name, party, unb64(self.parties[party].witness))
            for party in self.parties
        )
        times = {names[name]: time for name, time in witness_times(note, keys).items()}
        found = {party: time for party, time in times.items() if party in counted or not known}
        if len(found) < needed:
            raise QuorumError(
                f"the checkpoint is cosigned by {len(found)} of the {needed} parties that are "
                "needed, as far as their keys were handed to you",
                next_step="name every party's .keys.json with --keys, or ask for a newer export",
            )
        return dict(sorted(found.items()))


def read_keys(paths: Sequence[Path]) -> AuditKeys:
    """Keys from files, or from folders that hold them.

    Raises:
        KeysMissing: not exactly one log's key, no party's, or a party twice.
        FileProblem, FormatError, SignatureError: a file is no key.
    """
    files = [
        file for path in paths for file in (sorted(path.iterdir()) if path.is_dir() else [path])
    ]
    logs = [file for file in files if file.name.endswith(_VKEY)]
    parties = [
        read_party_keys(read_document(file, Envelope))
        for file in files
        if file.name.endswith(_PARTY)
    ]
    names = [keys.party for keys in parties]
    if len(logs) != 1 or not names or len(set(names)) != len(names):
        raise KeysMissing(
            f"expected one ledger.vkey and each party's .keys.json once; found {len(logs)} and "
            f"{len(names)}",
            next_step="name them, or a folder that holds them, with --keys",
        )
    log = parse_vkey(read_bytes(logs[0]).decode("utf-8", "replace").strip())
    return AuditKeys(log, dict(zip(names, parties, strict=True)))
