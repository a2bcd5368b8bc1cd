"""A wrapped sealing key is taken only in a form that its owner's browser would make."""

from typing import Any

import pytest

from governance.canonical import b64, canonical_bytes, hash_of
from governance.errors import FormatError
from governance.identity.envelope import parse_model
from governance.identity.keys import SealingKey
from governance.identity.wrapped import WrappedKey
from tests.wrapping import wrap

KEY = SealingKey(b"\x2a" * 32)
SALT = bytes(range(32))


def test_its_bytes_never_change() -> None:
    """The persisted form of a fixed key has a pinned hash."""
    wrapped = wrap(KEY, bytes(32), salt=SALT)
    assert hash_of(wrapped) == (
        "sha256:27808d27d7c89ef92a9636f36991be0cc58725d8e037fd6ccc3768d6e239f9d1"
    )
    assert parse_model(wrapped.model_dump(mode="json"), WrappedKey) == wrapped


@pytest.mark.parametrize(
    "changes",
    [
        {"iterations": 599_999},  # fewer than are safe
        {"iterations": 10_000_001},  # more than anybody waits for
        {"by": "passkey"},  # with iterations
        {"by": "nothing"},
        {"salt": b64(bytes(16))},
        {"nonce": b64(bytes(16))},
        {"ciphertext": b64(bytes(32))},  # a seed in the clear has no tag
        {"public": b64(bytes(32))},
        {"seed": b64(KEY.seed)},
    ],
)
def test_weak_or_misshapen_keys_are_not_stored(changes: dict[str, Any]) -> None:
    """A passphrase that is cheap to guess, other lengths, another field."""
    good = wrap(KEY, bytes(32), salt=SALT, iterations=600_000).model_dump(mode="json")
    assert canonical_bytes(parse_model(good, WrappedKey))
    with pytest.raises(FormatError, match="not a valid WrappedKey"):
        parse_model(good | changes, WrappedKey)
