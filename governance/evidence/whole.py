"""The whole ledger verified from a file: ``governance verify``.

Rules, in order: the export's own (``ledger/export.py``); the parties are those whose keys were
handed over; a quorum of them cosigned the checkpoint; no payload is missing but those of consent
records that their party has erased, by replay: a hidden suspension, refusal or key would else not
count. Events that may not count are listed.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from governance.evidence.keys import AuditKeys
from governance.ledger.export import LedgerExport, RawEntry, event_of, require_erased
from governance.ledger.note import Checkpoint
from governance.ledger.state import LedgerState


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
        PayloadsWithheld: a payload is missing that its party has not erased.
    """
    state = LedgerState(keys.log.name)
    kinds: Counter[str] = Counter()
    erased = 0
    for entry in shown(export.entries()):
        event = event_of(entry)
        kinds[event.leaf.type.value] += 1
        erased += event.payload is None
        state.apply(event)
    keys.require_named(state.identities)
    standings = [state.agreements.standing(found) for found in state.agreements]
    agreements = [found.agreement for found in standings if found.complete_at is not None]
    witnessed = keys.witnessed(export.note, agreements, quorum)
    require_erased(each.index for each in state.consents.unopened.values())
    return WholeLedger(
        export.checkpoint,
        witnessed,
        dict(sorted(kinds.items())),
        erased,
        [(item.index, item.reason) for item in state.rejected],
        state,
    )
