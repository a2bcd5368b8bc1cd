"""The whole ledger verified from a file: ``governance verify``.

Rules, in order: the export's own (``ledger/export.py``); the parties are those whose keys were
handed over; a quorum of them cosigned the checkpoint; every event that replay reads may count; no
payload is missing but those that may be erased: a hidden suspension, refusal or key would else
not count.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from governance.errors import GovernanceError
from governance.evidence.keys import AuditKeys
from governance.ledger.events import EventType
from governance.ledger.export import LedgerExport, RawEntry, event_of
from governance.ledger.note import Checkpoint
from governance.ledger.state import LedgerState

ERASABLE = frozenset(kind for kind in EventType if kind.value.startswith("consent."))
"""Events about one person: their payloads may be erased."""


class PayloadsWithheld(GovernanceError):
    """An export lacks payloads that are never erased."""

    reason = "export.withheld"
    exit_code = 65


@dataclass(frozen=True)
class WholeLedger:
    """What a whole ledger holds."""

    checkpoint: Checkpoint
    witnessed: dict[str, datetime]
    events: dict[str, int]
    erased: int
    inadmissible: list[tuple[int, str]]
    state: LedgerState


def verify_whole(
    export: LedgerExport,
    keys: AuditKeys,
    quorum: int | None = None,
    shown: Callable[[Iterator[RawEntry]], Iterator[RawEntry]] = iter,
) -> WholeLedger:
    """Recompute and replay everything.

    Args:
        export: the file.
        keys: of the log and of the parties.
        quorum: cosignatures wanted; the agreements' when None.
        shown: passes the entries on and shows how far it is.

    Raises:
        ExportError: the file is not the whole ledger that the log signed.
        KeysMissing, QuorumError, NoteSignatureError: not the parties, or too few cosigned.
        PayloadsWithheld: what is never erased is missing.
    """
    state = LedgerState(keys.log.name)
    kinds: Counter[str] = Counter()
    erased: set[int] = set()
    withheld = []
    for entry in shown(export.entries()):
        event = event_of(entry)
        kinds[event.leaf.type.value] += 1
        if event.payload is None:
            erased.add(entry.index)
            if event.leaf.type not in ERASABLE:
                withheld.append(entry.index)
        state.apply(event)
    keys.require_named(state.identities)
    standings = [state.agreements.standing(found) for found in state.agreements]
    agreements = [found.agreement for found in standings if found.complete_at is not None]
    witnessed = keys.witnessed(export.note, agreements, quorum)
    if withheld:
        raise PayloadsWithheld(
            f"{len(withheld)} entries have no payload, the first of them entry {withheld[0]}",
            next_step="ask whoever made the export for them: only those about people are erased",
        )
    return WholeLedger(
        export.checkpoint,
        witnessed,
        dict(sorted(kinds.items())),
        len(erased),
        [(item.index, item.reason) for item in state.rejected if item.index not in erased],
        state,
    )
