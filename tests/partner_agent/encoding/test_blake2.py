"""The compiled BLAKE2b is hashlib's."""

from hashlib import blake2b

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from partner_agent.encoding.blake2 import hash_many, keyed_states


@settings(max_examples=200, deadline=None)
@given(
    st.binary(min_size=1, max_size=64),
    st.lists(st.binary(min_size=0, max_size=16), min_size=1, max_size=3),
    st.lists(st.binary(min_size=1, max_size=400), min_size=1, max_size=4),
)
def test_equal_to_hashlib(key: bytes, salts: list[bytes], messages: list[bytes]) -> None:
    """Law: any key, salts and messages, shorter and longer than a block, give hashlib's digests."""
    offsets = np.cumsum([0, *map(len, messages)]).astype(np.int64)
    data = np.frombuffer(b"".join(messages), dtype=np.uint8)
    out = np.empty((len(messages), 8 * len(salts)), dtype=np.uint64)
    hash_many(keyed_states(key, salts), offsets, data, out)
    for row, message in zip(out, messages, strict=True):
        wanted = b"".join(blake2b(message, key=key, salt=salt).digest() for salt in salts)
        assert row.astype("<u8").tobytes() == wanted
