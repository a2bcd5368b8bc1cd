"""Challenges of passkey ceremonies, without a place to keep those that nobody answers.

Rules: a challenge is the time, 16 random bytes and a MAC over both under the console's key and what
it is for; it is answered within five minutes, for that purpose, and once.
"""

import hmac
import secrets
import struct
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, delete, insert, select

from governance.canonical import sha256, write_time
from governance.console.errors import SignInRefused
from governance.console.store import tables

WITHIN: Final = timedelta(minutes=5)
_HEAD: Final = struct.Struct(">Q16s")  # seconds since 1970, random bytes
_PURPOSE: Final = b"hearthlink/console-challenge/v1\0"


class Challenges:
    """Makes challenges and takes answers to them.

    Args:
        key: the console's own secret, 32 bytes.
        now: the clock.
    """

    def __init__(self, key: bytes, now: Callable[[], datetime]) -> None:
        self._key = key
        self._now = now

    def issue(self, purpose: str) -> bytes:
        """A new challenge, 56 bytes."""
        head = _HEAD.pack(int(self._now().timestamp()), secrets.token_bytes(16))
        return head + self._mac(head, purpose)

    def take(self, connection: Connection, challenge: bytes, purpose: str) -> None:
        """Use a challenge up.

        Raises:
            SignInRefused: it is another's, for another purpose, too old, or was used.
        """
        head, mac = challenge[: _HEAD.size], challenge[_HEAD.size :]
        if not hmac.compare_digest(mac, self._mac(head, purpose)):
            raise _again()
        now = self._now()
        age = now.timestamp() - _HEAD.unpack(head)[0]
        if not 0 <= age <= WITHIN.total_seconds():
            raise _again()
        used = tables.used_challenge
        connection.execute(delete(used).where(used.c.expires < write_time(now)))
        digest = sha256(challenge)
        if connection.scalar(select(used.c.digest).where(used.c.digest == digest)) is not None:
            raise _again()
        connection.execute(insert(used).values(digest=digest, expires=write_time(now + WITHIN * 2)))

    def _mac(self, head: bytes, purpose: str) -> bytes:
        return hmac.digest(self._key, _PURPOSE + purpose.encode() + b"\0" + head, "sha256")


def _again() -> SignInRefused:
    return SignInRefused(
        "the answer of your browser is too old, or was used before",
        next_step="load the page again and try once more",
    )
