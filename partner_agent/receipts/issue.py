"""Receipts from this party's own mirror, and checks of receipts that somebody brings.

Rules: the entry is proved to be in the mirror's newest checkpoint before a receipt names it; a
receipt is genuine only if its entry, its tree and its content are those of this party's own mirror.
Any party can check any party's receipt.
"""

from datetime import datetime

from governance.canonical import b64, unb64
from governance.consent.models import ConsentState
from governance.consent.receipt import (
    ConsentReceipt,
    LedgerReference,
    ReceiptDiffers,
    receipt_of,
    require_same,
)
from governance.ledger.errors import OutOfRangeError
from governance.ledger.merkle import leaf_hash, verify_inclusion
from governance.ledger.note import open_checkpoint, parse_note
from governance.ledger.state import LedgerState
from partner_agent.consents import ConsentInputError
from partner_agent.ledger import AgentLedger


def issue(
    ledger: AgentLedger, state: LedgerState, party: str, number: str, now: datetime
) -> ConsentReceipt:
    """The receipt of a consent that this party recorded.

    Args:
        ledger: this party's mirror, synchronised.
        state: its replay.
        party: this party.
        number: id of the consent.
        now: the time.

    Raises:
        ConsentInputError: this party recorded no such consent.
    """
    grant = state.consents.grants.get(number)
    if grant is None or grant.record.party != party:
        raise ConsentInputError(
            "this party recorded no consent with this number",
            next_step="partner-agent consent list",
        )
    agreement = state.agreements.standing(grant.record.agreement).agreement
    return receipt_of(grant, agreement, _reference(ledger, grant.index), now)


def check(
    ledger: AgentLedger, state: LedgerState, receipt: ConsentReceipt, now: datetime
) -> ConsentState:
    """Check a receipt against this party's own mirror.

    Returns:
        Where the consent stands today.

    Raises:
        ReceiptDiffers, NoteFormatError, NoteSignatureError, ProofError: it is not what the ledger
            says, or its checkpoint or proof is not of it.
    """
    named = receipt.ledger
    grant = state.consents.grants.get(receipt.receipt_id)
    known = grant is not None and state.agreements.standing(grant.record.agreement).agreement
    require_same(receipt, grant, known or None)
    try:
        root = b64(ledger.mirror.root(named.size))
    except OutOfRangeError:
        raise ReceiptDiffers("the receipt names a ledger that is longer than this mirror") from None
    if (named.origin, named.root) != (ledger.log_key.name, root):
        raise ReceiptDiffers("the receipt names another ledger than this party's mirror")
    leaf = _leaf(ledger, named.entry)
    if named.leaf_hash != b64(leaf) or grant is None:
        raise ReceiptDiffers("the receipt names another entry than the ledger holds")
    checkpoint = open_checkpoint(parse_note(named.checkpoint.encode()), ledger.log_key)
    if (checkpoint.size, b64(checkpoint.root)) != (named.size, root):
        raise ReceiptDiffers("the receipt's checkpoint is of another tree than it names")
    proof = tuple(map(unb64, named.proof))
    verify_inclusion(leaf, named.entry, checkpoint.size, proof, checkpoint.root)
    return grant.state(now)


def _reference(ledger: AgentLedger, entry: int) -> LedgerReference:
    note, checkpoint = ledger.mirror.checkpoint()
    proof = tuple(ledger.mirror.inclusion_proof(entry, checkpoint.size))
    leaf = _leaf(ledger, entry)
    verify_inclusion(leaf, entry, checkpoint.size, proof, checkpoint.root)
    return LedgerReference(
        origin=checkpoint.origin,
        entry=entry,
        leaf_hash=b64(leaf),
        size=checkpoint.size,
        root=b64(checkpoint.root),
        checkpoint=note.encode().decode(),
        proof=tuple(map(b64, proof)),
    )


def _leaf(ledger: AgentLedger, entry: int) -> bytes:
    (event,) = ledger.mirror.entries(entry, entry + 1)
    return leaf_hash(event.leaf_bytes)
