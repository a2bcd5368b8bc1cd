"""The linkage secret's way from the partner that makes it to each other partner.

It travels sealed to the recipient's key; the hub relays ciphertext and never holds it. The key
check value lets the recipient, and later the hub, tell a wrong secret from the right one without
learning it.

Signed format ``linkage-secret/v1``: fields are never reordered, renamed or removed.
"""

from typing import Annotated, Literal

from pydantic import Field

from governance.canonical import Base64, Frozen, Hash, Slug, Time, canonical_bytes

LINKAGE_SECRET = "linkage-secret/v1"  # noqa: S105 - a format's name
SECRET_BYTES = 32


class SealedSecret(Frozen):
    """A linkage secret for one recipient, sealed."""

    format: Literal["linkage-secret/v1"] = "linkage-secret/v1"
    agreement: Hash
    epoch: Annotated[int, Field(ge=1)]
    sender: Slug
    recipient: Slug
    recipient_keys: Hash
    key_check_value: Hash
    created: Time
    ciphertext: Base64


def seal_info(agreement: str, epoch: int, sender: str, recipient_keys: str) -> bytes:
    """The HPKE ``info`` that binds a sealed secret to its use."""
    return canonical_bytes(
        {
            "format": LINKAGE_SECRET,
            "agreement": agreement,
            "epoch": epoch,
            "sender": sender,
            "recipient_keys": recipient_keys,
        }
    )
