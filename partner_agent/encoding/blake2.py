"""BLAKE2b (RFC 7693) of many short messages under one key, compiled.

Only for bit positions of profile ``clk``, whose messages are tokens: hashlib spends most of its
time between calls. Tests hold it equal to hashlib for any key, salt and message.
"""

from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

BLOCK_BYTES: Final = 128
DIGEST_BYTES: Final = 64
_IV: Final = np.array(
    [
        0x6A09E667F3BCC908, 0xBB67AE8584CAA73B, 0x3C6EF372FE94F82B, 0xA54FF53A5F1D36F1,
        0x510E527FADE682D1, 0x9B05688C2B3E6C1F, 0x1F83D9ABFB41BD6B, 0x5BE0CD19137E2179,
    ],
    dtype=np.uint64,
)  # fmt: skip
_SIGMA: Final = np.array(
    [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
        [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
        [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
        [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
        [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
        [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
        [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
        [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
        [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
    ],
    dtype=np.int64,
)


def keyed_states(key: bytes, salts: list[bytes]) -> NDArray[np.uint64]:
    """States after the key's block, one for each salt, uint64 (salts, 8); RFC 7693 2.5 and 3.3."""
    states = np.empty((len(salts), 8), dtype=np.uint64)
    block = np.frombuffer(key.ljust(BLOCK_BYTES, b"\0"), dtype="<u8")
    for state, salt in zip(states, salts, strict=True):
        parameters = bytes([DIGEST_BYTES, len(key), 1, 1]).ljust(32, b"\0") + salt.ljust(32, b"\0")
        state[:] = _IV ^ np.frombuffer(parameters, dtype="<u8")
        _compress(state, block, BLOCK_BYTES, last=False)
    return states


@njit(cache=True, nogil=True)
def hash_many(
    states: NDArray[np.uint64],
    offsets: NDArray[np.int64],
    data: NDArray[np.uint8],
    out: NDArray[np.uint64],
) -> None:
    """Digests of messages ``data[offsets[i]:offsets[i + 1]]``, none of them empty.

    Args:
        states: of the key, one for each salt.
        offsets: (messages + 1,).
        data: bytes of the messages.
        out: (messages, salts * 8), the digests of a message one after the other.
    """
    block = np.empty(16, dtype=np.uint64)
    state = np.empty(8, dtype=np.uint64)
    for message in range(offsets.size - 1):
        start, stop = offsets[message], offsets[message + 1]
        for salt in range(states.shape[0]):
            for word in range(8):
                state[word] = states[salt, word]
            for begin in range(start, stop, BLOCK_BYTES):
                end = min(begin + BLOCK_BYTES, stop)
                for word in range(16):
                    value = np.uint64(0)
                    for byte in range(7, -1, -1):
                        at = begin + 8 * word + byte
                        letter = np.uint64(data[at]) if at < end else np.uint64(0)
                        value = (value << np.uint64(8)) | letter
                    block[word] = value
                _compress(state, block, BLOCK_BYTES + end - start, end == stop)
            for word in range(8):
                out[message, 8 * salt + word] = state[word]


@njit(cache=True, nogil=True)
def _mix(a: Any, b: Any, c: Any, d: Any, x: Any, y: Any) -> Any:
    a = a + b + x
    d = d ^ a
    d = (d >> np.uint64(32)) | (d << np.uint64(32))
    c = c + d
    b = b ^ c
    b = (b >> np.uint64(24)) | (b << np.uint64(40))
    a = a + b + y
    d = d ^ a
    d = (d >> np.uint64(16)) | (d << np.uint64(48))
    c = c + d
    b = b ^ c
    b = (b >> np.uint64(63)) | (b << np.uint64(1))
    return a, b, c, d


@njit(cache=True, nogil=True)
def _compress(h: NDArray[np.uint64], m: NDArray[np.uint64], count: int, last: bool) -> None:
    """RFC 7693 3.2."""
    v0, v1, v2, v3, v4, v5, v6, v7 = h[0], h[1], h[2], h[3], h[4], h[5], h[6], h[7]
    v8, v9, v10, v11 = _IV[0], _IV[1], _IV[2], _IV[3]
    v12, v13, v14, v15 = _IV[4] ^ np.uint64(count), _IV[5], _IV[6], _IV[7]
    if last:
        v14 = ~v14
    for turn in range(12):
        s = turn % 10
        v0, v4, v8, v12 = _mix(v0, v4, v8, v12, m[_SIGMA[s, 0]], m[_SIGMA[s, 1]])
        v1, v5, v9, v13 = _mix(v1, v5, v9, v13, m[_SIGMA[s, 2]], m[_SIGMA[s, 3]])
        v2, v6, v10, v14 = _mix(v2, v6, v10, v14, m[_SIGMA[s, 4]], m[_SIGMA[s, 5]])
        v3, v7, v11, v15 = _mix(v3, v7, v11, v15, m[_SIGMA[s, 6]], m[_SIGMA[s, 7]])
        v0, v5, v10, v15 = _mix(v0, v5, v10, v15, m[_SIGMA[s, 8]], m[_SIGMA[s, 9]])
        v1, v6, v11, v12 = _mix(v1, v6, v11, v12, m[_SIGMA[s, 10]], m[_SIGMA[s, 11]])
        v2, v7, v8, v13 = _mix(v2, v7, v8, v13, m[_SIGMA[s, 12]], m[_SIGMA[s, 13]])
        v3, v4, v9, v14 = _mix(v3, v4, v9, v14, m[_SIGMA[s, 14]], m[_SIGMA[s, 15]])
    h[0] ^= v0 ^ v8
    h[1] ^= v1 ^ v9
    h[2] ^= v2 ^ v10
    h[3] ^= v3 ^ v11
    h[4] ^= v4 ^ v12
    h[5] ^= v5 ^ v13
    h[6] ^= v6 ^ v14
    h[7] ^= v7 ^ v15
