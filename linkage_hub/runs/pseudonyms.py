"""Pseudonyms of households in results, in the place of the partners' tokens.

A partner can compute the token of any address with the linkage secret. Whoever had results by token
could look up whom other partners know at an address, and their needs, without any ledger. Rules: no
token is in results; a pseudonym is the hub's alone to compute; it is the same in every run of an
agreement for as long as the hub keeps its key and the partners their secret, and another under
another agreement.
"""

import hmac
from typing import Final

import numpy as np
from numpy.typing import NDArray

from governance.identity.keys import SigningKey

_PURPOSE: Final = b"hearthlink/household-pseudonyms/v1"
_BYTES: Final = 16


class HouseholdPseudonyms:
    """Pseudonyms under one agreement.

    Args:
        key: the hub's signing key, from which theirs is derived.
        agreement: hash.
    """

    def __init__(self, key: SigningKey, agreement: str) -> None:
        own = hmac.digest(key.seed, _PURPOSE, "sha256")
        self._key = hmac.digest(own, agreement.encode(), "sha256")

    def of(self, tokens: NDArray[np.uint8]) -> list[str]:
        """Of each token, uint8 (h, 16), 32 hexadecimal digits."""
        return [
            hmac.digest(self._key, token.tobytes(), "sha256")[:_BYTES].hex() for token in tokens
        ]
