"""Keys that come from the linkage secret, and the tokens made with them.

Every key is bound to its use, to the agreement's hash and to the epoch of the secret, so that
nothing made under one agreement or epoch can be compared with anything made under another.

The formats are fixed: labels and messages are never changed; a new format gets a new label.
"""

import hmac
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Final, Self

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from governance.canonical import sha256
from partner_agent.encoding.errors import SecretError

if TYPE_CHECKING:
    import pandas as pd

SECRET_BYTES: Final = 32
_KEY_BYTES: Final = 32
_PREFIX: Final = b"hearthlink/encoding/v1/"


@dataclass(frozen=True, slots=True)
class LinkageKeys:
    """Keys of one agreement and epoch; never shown, logged or sent.

    Attributes:
        clk: secret of the encoder of profile ``clk``.
        hardened: secret from which the keys of views come in profile ``hardened``.
        household: key of household tokens.
        kin: key of tokens of a home and a surname's sound.
        near: key of tokens of a surname and an incomplete address.
        check: key of the key check value.
        vectors: secret under which the test vectors are encoded.
        sentinels: key from which the synthetic people of each month follow.
        refinement: key from which the keys of each round and pair follow.
    """

    clk: bytes = field(repr=False)
    hardened: bytes = field(repr=False)
    household: bytes = field(repr=False)
    kin: bytes = field(repr=False)
    near: bytes = field(repr=False)
    check: bytes = field(repr=False)
    vectors: bytes = field(repr=False)
    sentinels: bytes = field(repr=False)
    refinement: bytes = field(repr=False)

    @classmethod
    def derive(cls, secret: bytes, agreement_hash: str, epoch: int) -> Self:
        """Keys from the linkage secret by HKDF-SHA256 (RFC 5869), one label for each use.

        Raises:
            SecretError: the secret does not have 32 bytes.
        """
        if len(secret) != SECRET_BYTES:
            raise SecretError(f"a linkage secret of {SECRET_BYTES} bytes is expected")

        def key(use: bytes) -> bytes:
            info = _PREFIX + use + b"\n%b\n%d" % (agreement_hash.encode("ascii"), epoch)
            return HKDF(hashes.SHA256(), _KEY_BYTES, salt=None, info=info).derive(secret)

        return cls(
            clk=key(b"clk"),
            hardened=key(b"hardened"),
            household=key(b"household-token"),
            kin=key(b"kin-token"),
            near=key(b"near-token"),
            check=key(b"key-check"),
            vectors=key(b"test-vectors"),
            sentinels=key(b"sentinels"),
            refinement=key(b"refinement"),
        )


def cleaned_column(frame: "pd.DataFrame", name: str) -> list[str]:
    """A column of a cleaned table, empty strings where it is absent or null."""
    if name not in frame:
        return [""] * len(frame)
    return frame[name].fillna("").astype(str).tolist()


def month_of(iso_date: str) -> int | None:
    """``12 * year + (month - 1)`` of an ISO date; None where it is empty or no date."""
    try:
        day = date.fromisoformat(iso_date)
    except ValueError:
        return None
    return month_number(day)


def month_number(day: date) -> int:
    """``12 * year + (month - 1)``."""
    return 12 * day.year + day.month - 1


def month_interval(first: str, last: str, known_on: date) -> tuple[int, int | None]:
    """Months in which an address held; an open end is None.

    A beginning that is not known is the month in which the address is known to hold: that of the
    extract, or the end where that is earlier. Ends that precede their beginning are swapped.
    """
    end = month_of(last)
    begin = month_of(first)
    if begin is None:
        begin = month_number(known_on) if end is None else min(end, month_number(known_on))
    if end is not None and end < begin:
        begin, end = end, begin
    return begin, end


def key_check_value(keys: LinkageKeys) -> str:
    """``sha256:<hex>`` that two agents compare to see that they hold the same secret."""
    return sha256(hmac.digest(keys.check, _PREFIX + b"key-check-value", "sha256"))
