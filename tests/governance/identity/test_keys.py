"""Ed25519 signatures, verified once and remembered, are still of these keys and these bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.errors import SignatureError
from governance.identity.keys import SigningKey, verify_ed25519

KEY, OTHER = SigningKey(b"\x01" * 32), SigningKey(b"\x02" * 32)


@given(message=st.binary(max_size=64), bit=st.integers(min_value=0, max_value=511))
def test_a_remembered_signature_is_of_that_key_and_that_message(message: bytes, bit: int) -> None:
    """After it has verified, another key, another message and one other bit do not."""
    value = KEY.sign(message)
    for _ in range(2):
        verify_ed25519(KEY.public, value, message)
    altered = bytearray(value)
    altered[bit // 8] ^= 1 << bit % 8
    for _ in range(2):
        for public, signature, said in (
            (OTHER.public, value, message),
            (KEY.public, value, message + b"\0"),
            (KEY.public, bytes(altered), message),
            (KEY.public, value[:-1], message),
        ):
            with pytest.raises(SignatureError):
                verify_ed25519(public, signature, said)
