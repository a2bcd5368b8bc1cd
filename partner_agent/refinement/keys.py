"""Keys of a round and of a pair.

Every key comes from the linkage secret and the hash of the signed round, so that two agents that
were shown rounds that differ in anything (parameters, submissions, run) share no key. A pair's key
is used for that pair alone: it covers both manifests and both handles, the lower handle first.

Fixed formats: labels and the order of the parts are never changed.
"""

import hmac
from typing import Final

_ROUND: Final = b"hearthlink/refinement/v1/round\n"
_PAIR: Final = b"hearthlink/refinement/v1/pair\n"
_HASH_PREFIX: Final = "sha256:"


class RoundKeys:
    """Keys of one round.

    Args:
        key: ``LinkageKeys.refinement`` of the agreement and epoch.
        round_hash: of the signed round.
        manifests: of the round's submissions, in their order.
    """

    def __init__(self, key: bytes, round_hash: str, manifests: tuple[str, ...]) -> None:
        self.record = hmac.digest(key, _ROUND + raw_hash(round_hash), "sha256")
        self._pair = hmac.digest(key, _PAIR + raw_hash(round_hash), "sha256")
        self._manifests = [raw_hash(manifest) for manifest in manifests]

    def pair(self, own: bytes, other: bytes, own_number: int, other_number: int) -> bytes:
        """The key of a pair, 32 bytes, whichever end asks."""
        mine, yours = self._manifests[own_number], self._manifests[other_number]
        parts = own + other + mine + yours if own < other else other + own + yours + mine
        return hmac.digest(self._pair, parts, "sha256")


def raw_hash(text: str) -> bytes:
    """The 32 bytes of a ``sha256:<hex>`` hash."""
    return bytes.fromhex(text.removeprefix(_HASH_PREFIX))
