"""Who may use the console: whoever has the link that the program printed, once, and nobody beside.

Rules: a link is good once, for ``LINK_MINUTES``, and a new one makes the old one void; opening it
ends the session that was there; a session ends after ``IDLE_MINUTES`` without a request, after
``SESSION_HOURS`` in all, or when its owner says so; keys are random, kept as hashes, and compared
in constant time; nothing is on a disk, so that the end of the program is the end of its session;
that a link was used or refused, and a session ended, is in the program's log.
"""

import hashlib
import hmac
import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from partner_agent.errors import AgentError

LINK_MINUTES: Final = 15
IDLE_MINUTES: Final = 30
SESSION_HOURS: Final = 8
_MINUTE: Final = 60.0  # seconds
_LOG: Final = logging.getLogger(__name__)


class LinkVoid(AgentError):
    """A link that was used, is too old, or was never given out."""

    reason = "console.link"
    exit_code = 77  # EX_NOPERM


class SignedOut(AgentError):
    """No session, or one that has ended."""

    reason = "console.signed_out"
    exit_code = 77  # EX_NOPERM


class TokenMissing(AgentError):
    """A form that is not of this session."""

    reason = "console.token"
    exit_code = 77  # EX_NOPERM


@dataclass
class Session:
    """One person at one browser, until it ends."""

    secret: bytes
    token: str
    began: float
    seen: float
    memory: dict[str, object] = field(default_factory=dict)
    """What pages remember between questions; gone with the session."""

    def check(self, token: str) -> None:
        """Check that a form is of this session.

        Raises:
            TokenMissing: it is of another page or none.
        """
        if not hmac.compare_digest(self.token.encode(), token.encode("utf-8", "surrogatepass")):
            raise TokenMissing(
                "this form is of an earlier session, or of another page: nothing was done",
                next_step="go back to the start page and begin again",
            )


class Door:
    """The one session and the one link.

    Args:
        clock: seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._link: tuple[bytes, float] | None = None
        self._session: Session | None = None

    def new_link(self) -> str:
        """A key for the next link; the one before is void."""
        key = secrets.token_urlsafe(32)
        with self._lock:
            self._link = (_hash(key), self._clock() + LINK_MINUTES * _MINUTE)
        return key

    def enter(self, key: str) -> str:
        """Use a link, and end the session that is there.

        Returns:
            The secret for the cookie.

        Raises:
            LinkVoid: it opens nothing; a session that is there goes on.
        """
        with self._lock:
            link = self._link
            known = link is not None and hmac.compare_digest(link[0], _hash(key))
            if link is None or not known or self._clock() > link[1]:
                _LOG.warning("link refused")
                raise LinkVoid(
                    "this link was used before, or is too old",
                    next_step="press Enter in the window where partner-agent console runs: it "
                    "shows a new one",
                )
            self._link = None
            secret, now = secrets.token_urlsafe(32), self._clock()
            self._session = Session(_hash(secret), secrets.token_urlsafe(32), now, now)
            _LOG.info("signed in by a link")
            return secret

    def session(self, cookies: Iterable[str]) -> Session:
        """The session that a request belongs to.

        Args:
            cookies: every value under the cookie's name: a server on another port of this computer
                can add some of its own, and none of them may push ours out.

        Raises:
            SignedOut: none of them is of a session that lives.
        """
        with self._lock:
            found, now = self._session, self._clock()
            if found is not None and self._over(found, now):
                self._session = found = None
            if found is None or not any(
                hmac.compare_digest(found.secret, _hash(each)) for each in cookies
            ):
                raise SignedOut(
                    "you are signed out",
                    next_step="press Enter in the window where partner-agent console runs: it "
                    "shows a new link",
                )
            found.seen = now
            return found

    def leave(self) -> None:
        """End the session."""
        with self._lock:
            self._session = None
        _LOG.info("signed out")

    @staticmethod
    def _over(session: Session, now: float) -> bool:
        idle = now - session.seen > IDLE_MINUTES * _MINUTE
        return idle or now - session.began > SESSION_HOURS * 60 * _MINUTE


def _hash(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
