"""Which records a request is about, for the hub's eyes only.

A partner puts the handles into the ledger sealed to the hub's key: the ledger proves that the hub
was told and when, and no other party learns whose record it is about, not even one that has seen
the handle in an order. The plaintext is padded, so that its length does not say how many.

Format ``rights-records/v1``, persisted in the ledger: 16 bytes a handle, padded with zero bytes to
a multiple of ``PAD_HANDLES`` handles. The HPKE ``info`` binds it to its request.
"""

from collections.abc import Iterable
from typing import Final

from governance.canonical import b64, canonical_bytes, unb64
from governance.errors import FormatError
from governance.exchange.submission import HANDLE_BYTES
from governance.identity.keys import SealingKey, seal

RIGHTS_RECORDS: Final = "rights-records/v1"
PAD_HANDLES: Final = 64
HANDLES_MOST: Final = 1_024
_NONE: Final = bytes(HANDLE_BYTES)


def _info(request: str, party: str) -> bytes:
    return canonical_bytes({"format": RIGHTS_RECORDS, "request": request, "party": party})


def seal_handles(handles: Iterable[bytes], recipient: str, request: str, party: str) -> str:
    """Handles sealed to a party's sealing key, in base64.

    Args:
        handles: 16 bytes each.
        recipient: the party's sealing key, in base64.
        request: id of the request.
        party: whose records they are.

    Raises:
        FormatError: more than a request may be about.
    """
    found = sorted(set(handles))
    if len(found) > HANDLES_MOST:
        raise FormatError(f"a request is about {HANDLES_MOST} records at most")
    whole = -(-max(1, len(found)) // PAD_HANDLES) * PAD_HANDLES
    plaintext = b"".join(found).ljust(whole * HANDLE_BYTES, b"\0")
    return b64(seal(plaintext, unb64(recipient), _info(request, party)))


def open_handles(ciphertext: str, key: SealingKey, request: str, party: str) -> list[bytes]:
    """The handles.

    Raises:
        UnsealError: sealed to another key, or for another request or party.
        FormatError: no list of handles.
    """
    plaintext = key.unseal(unb64(ciphertext), _info(request, party))
    if len(plaintext) % HANDLE_BYTES or len(plaintext) > HANDLES_MOST * HANDLE_BYTES:
        raise FormatError("sealed records are whole handles, and not too many")
    parts = (plaintext[at : at + HANDLE_BYTES] for at in range(0, len(plaintext), HANDLE_BYTES))
    return sorted({part for part in parts if part != _NONE})
