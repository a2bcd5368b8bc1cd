"""What a browser keeps while its user is at the OpenID provider: sealed, and for ten minutes."""

import base64
import hmac
import json
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import ValidationError

from governance.canonical import Frozen, canonical_bytes

WITHIN: Final = timedelta(minutes=10)
_PURPOSE: Final = b"hearthlink/console-openid/v1"
_NONCE_BYTES: Final = 12


class Begun(Frozen):
    """What a browser keeps while its user is at the provider.

    Attributes:
        again: whether they have to prove anew who they are.
    """

    state: str
    nonce: str
    verifier: str
    back: str
    link: str
    again: bool
    begun: int


class BegunCookies:
    """Seals what browsers keep.

    Args:
        key: the console's, of which one for this purpose is derived.
        now: the clock.
    """

    def __init__(self, key: bytes, now: Callable[[], datetime]) -> None:
        self._seal = AESGCM(hmac.digest(key, _PURPOSE, "sha256"))
        self._now = now

    def sealed(self, begun: Begun) -> str:
        """The cookie."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = self._seal.encrypt(nonce, canonical_bytes(begun), _PURPOSE)
        return base64.urlsafe_b64encode(nonce + sealed).decode()

    def opened(self, cookie: str) -> Begun | None:
        """What a cookie holds; None where it is not this console's, or of too long ago."""
        try:
            data = base64.urlsafe_b64decode(cookie)
            opened = self._seal.decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], _PURPOSE)
            begun = Begun.model_validate(json.loads(opened))
        except (ValueError, InvalidTag, ValidationError):
            return None
        recent = 0 <= self._now().timestamp() - begun.begun <= WITHIN.total_seconds()
        return begun if recent else None
