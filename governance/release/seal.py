"""Sealing released items to the requester's key, and opening them.

The HPKE ``info`` binds a ciphertext to its request, the checkpoint it was decided at, the partner
and the recipient's keys, so that it opens for nothing else.
"""

from collections.abc import Callable, Collection, Sequence

from governance.canonical import (
    b64,
    canonical_bytes,
    parse_json,
    unb64,
)
from governance.errors import FormatError, SignatureError
from governance.identity.envelope import Envelope, open_envelope, parse_model
from governance.identity.keys import SealingKey, seal
from governance.identity.models import PersonKeys
from governance.release.models import SEALED, CheckpointRef, ReleasedRecord, SealedItems


def _info(request: str, party: str, recipient: str, checkpoint: CheckpointRef) -> bytes:
    return canonical_bytes(
        {
            "format": SEALED,
            "request": request,
            "party": party,
            "recipient": recipient,
            "size": checkpoint.size,
            "root": checkpoint.root,
        }
    )


def seal_records(
    records: Sequence[ReleasedRecord],
    *,
    request: str,
    order: str,
    party: str,
    recipient: PersonKeys,
    checkpoint: CheckpointRef,
    created: str,
) -> SealedItems:
    """Seal records to the recipient; the caller signs the result."""
    plaintext = canonical_bytes([record.model_dump(mode="json") for record in records])
    info = _info(request, party, recipient.thumbprint, checkpoint)
    return SealedItems(
        request=request,
        order=order,
        party=party,
        recipient=recipient.thumbprint,
        checkpoint=checkpoint,
        created=created,
        ciphertext=b64(seal(plaintext, unb64(recipient.sealing), info)),
    )


def verify_sealed(
    envelope: Envelope,
    *,
    recipient: str,
    request: str,
    holders: Collection[str],
    party_key: Callable[[str], tuple[str, bytes]],
) -> SealedItems:
    """Verify a partner's answer to ``request``, without opening it.

    Args:
        envelope: the partner's signed answer, as relayed by the hub.
        recipient: thumbprint of the recipient's keys.
        request: hash of the request that the recipient itself signed.
        holders: parties that hold a record of the family, by the members that the request names.
        party_key: thumbprint of party keys -> (party, Ed25519 public key); raises SignatureError.

    Raises:
        SignatureError: not signed by the party that it names, for another request or key, or by a
            party that holds no record of the family, and so was never asked.
        FormatError: not sealed items.
    """
    sealed, (signer, *others) = open_envelope(
        envelope, SEALED, SealedItems, lambda thumbprint: party_key(thumbprint)[1]
    )
    if others or party_key(signer)[0] != sealed.party:
        raise SignatureError("sealed items are signed by the party that they name")
    if sealed.request != request or sealed.recipient != recipient:
        raise SignatureError("sealed items are for another request or another key")
    if sealed.party not in holders:
        raise SignatureError(
            f"{sealed.party} holds no record of this family, and was never asked",
            next_step="tell your information-governance lead: the hub should not have passed it on",
        )
    return sealed


def open_records(
    envelope: Envelope,
    *,
    key: SealingKey,
    recipient: PersonKeys,
    request: str,
    holders: Collection[str],
    party_key: Callable[[str], tuple[str, bytes]],
) -> tuple[SealedItems, list[ReleasedRecord]]:
    """Verify a partner's answer to ``request`` (:func:`verify_sealed`) and open it.

    A browser opens the same in ``assets/scripts/lib/sealing.js``.

    Args:
        envelope: the partner's signed answer, as relayed by the hub.
        key: the recipient's private sealing key.
        recipient: the recipient's public key document.
        request: hash of the request that the recipient itself signed.
        holders: parties that hold a record of the family, by the members that the request names.
        party_key: thumbprint of party keys -> (party, Ed25519 public key); raises SignatureError.

    Raises:
        SignatureError: not signed by the party that it names, for another request or key, or by a
            party that holds no record of the family, and so was never asked.
        UnsealError: does not open.
        FormatError: what it holds is not a list of records.
    """
    sealed = verify_sealed(
        envelope,
        recipient=recipient.thumbprint,
        request=request,
        holders=holders,
        party_key=party_key,
    )
    info = _info(sealed.request, sealed.party, sealed.recipient, sealed.checkpoint)
    data = parse_json(key.unseal(unb64(sealed.ciphertext), info))
    if not isinstance(data, list):
        raise FormatError("sealed items are a list of records")
    return sealed, [parse_model(item, ReleasedRecord) for item in data]
