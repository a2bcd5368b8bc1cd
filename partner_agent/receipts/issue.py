"""Receipts from this party's own mirror, and checks of receipts that somebody brings.

Rules: the entry is proved to be in the mirror's newest checkpoint before a receipt names it; a
receipt is genuine only if its entry, its tree and its content are those of this party's own mirror.
Once the record was erased its content cannot be compared any more, and the answer says so. Any
party can check any party's receipt.
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
from governance.consent.registry import Erased
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
    if (erased := state.consents.erased.get(number)) is not None:
        raise ConsentInputError(
            f"the record of this consent was erased on {erased.since[:10]}, by entry "
            f"{erased.entry} of the ledger",
            next_step="tell the person so: nothing is released by it any more",
        )
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
) -> ConsentState | Erased:
    """Check a receipt against this party's own mirror.

    Returns:
        Where the consent stands today, or that its record was erased: then nothing but its entry
        could be checked.

    Raises:
        ReceiptDiffers, NoteFormatError, NoteSignatureError, ProofError: it is not what the ledger
            says, or its checkpoint or proof is not of it.
    """
    named = receipt.ledger
    erased = state.consents.erased.get(receipt.receipt_id)
    grant = state.consents.grants.get(receipt.receipt_id)
    known = grant is not None and state.agreements.standing(grant.record.agreement).agreement
    if erased is None:
        require_same(receipt, grant, known or None)
    elif named.entry != erased.index:
        raise ReceiptDiffers("the ledger holds this consent under another entry")
    try:
        root = b64(ledger.mirror.root(named.size))
    except OutOfRangeError:
        raise ReceiptDiffers("the receipt names a ledger that is longer than this mirror") from None
    if (named.origin, named.root) != (ledger.log_key.name, root):
        raise ReceiptDiffers("the receipt names another ledger than this party's mirror")
    leaf = _leaf(ledger, named.entry)
    standing = erased if grant is None else grant.state(now)
    if named.leaf_hash != b64(leaf) or standing is None:
        raise ReceiptDiffers("the receipt names another entry than the ledger holds")
    checkpoint = open_checkpoint(parse_note(named.checkpoint.encode()), ledger.log_key)
    if (checkpoint.size, b64(checkpoint.root)) != (named.size, root):
        raise ReceiptDiffers("the receipt's checkpoint is of another tree than it names")
    proof = tuple(map(unb64, named.proof))
    verify_inclusion(leaf, named.entry, checkpoint.size, proof, checkpoint.root)
    return standing


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
