"""Hub and ledger, as whoever is signed in sees them.

Rules: every request that leaves the console is signed by the keys of the person on whose behalf it
is made, so hub and ledger hold that person to their role; there are no keys for anybody else. The
console's copy of the ledger is one for all, verified as every mirror is, and brought up to date by
whoever asks when it is older than ``SYNC_SECONDS``; where the ledger cannot be reached, pages show
what the copy holds, and for as long nobody tries again, so that not every page waits.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import httpx

from governance.canonical import b64
from governance.console.accounts import Account
from governance.console.errors import ClocksApart, ConsoleError, NoHub, NotEnrolled
from governance.console.keys import KeyDocument, KeyRing
from governance.console.settings import ConsoleSettings
from governance.errors import SignatureError
from governance.exchange.http import RequestSigner
from governance.exchange.hub_client import TIMEOUT, HubClient
from governance.identity.keys import SigningKey
from governance.ledger.client import LedgerClient
from governance.ledger.errors import LedgerRefusedError, LedgerUnavailableError
from governance.oversight.copy import OverseenLedger
from governance.oversight.state import Overseen
from governance.web.deadline import bounded_client
from governance.web.signed import RequestTimeError

SYNC_SECONDS: Final = 10.0
LEDGER_SECONDS: Final = 5.0
"""How long a page waits for one answer of the ledger's."""
HUB_SECONDS: Final = 20.0
"""How long a page waits for the hub in all."""
_LOG: Final = logging.getLogger(__name__)


class Outside:
    """The way to hub and ledger.

    Args:
        settings: where they are.
        keys: of the accounts.
        ledger: the console's copy; its own pen and connection are never used.
    """

    def __init__(self, settings: ConsoleSettings, keys: KeyRing, ledger: OverseenLedger) -> None:
        self._settings = settings
        self._keys = keys
        self.ledger = ledger
        self._synced = -SYNC_SECONDS
        self._failed = -SYNC_SECONDS
        self._apart = False  # whether the ledger refused the time of what was signed here last
        self._syncing = threading.Lock()
        self._to_hub = bounded_client(TIMEOUT)

    def close(self) -> None:
        """Close the copy and the connections."""
        self._to_hub.close()
        self.ledger.close()

    def state(self, account: Account) -> Overseen:
        """What the ledger says, brought up to date by a person's keys if that is due.

        Raises:
            NotEnrolled: the copy is empty, and this person's keys are not in the ledger.
            LedgerError: the ledger broke a promise.
        """
        empty = self.ledger.state.size == 0  # a console just made: perhaps another request fills it
        if empty or time.monotonic() - self._synced >= SYNC_SECONDS:
            self.refresh(account, LEDGER_SECONDS if empty else 0.0, self._is_fresh)
        state = self.ledger.state
        if state.size == 0:
            raise self._not_enrolled()
        return state

    def refresh(
        self, account: Account, wait: float = 0.0, enough: Callable[[], bool] = lambda: False
    ) -> bool:
        """Bring the copy up to date now, unless another request is doing so, or has just failed.

        Args:
            account: on whose behalf.
            wait: seconds for another request to be done; then the copy is brought up to date
                again, since that one may have asked before what matters here was written.
            enough: whether what others brought while this one waited will do, so that of fifty who
                come at once not each asks the ledger.

        Returns:
            False where the ledger was asked and takes none of this person's keys: it has more to
            say of them than the copy, which nobody else has brought up to date yet. A ledger that
            fails says nothing of keys, nor does one by whose clock what was signed is not fresh.

        Raises:
            LedgerError: the ledger broke a promise.
        """
        if self._is_away() or not self._syncing.acquire(timeout=wait):
            return True
        try:
            if self._is_away() or enough():  # as whoever had the turn has found out
                return True
            for document in self._candidates(account):
                with self._ledger(RequestSigner(*self._signer(account, document))) as client:
                    try:
                        self.ledger.mirror.sync(client)
                    except LedgerRefusedError as refusal:  # not enrolled yet, or no longer
                        self._apart = refusal.code == RequestTimeError.reason
                        if self._apart:
                            _LOG.warning("clocks apart", extra={"reason": refusal.code})
                        if self._apart or refusal.status >= 500:  # noqa: PLR2004 - 5xx
                            return True
                        continue
                    self._synced, self._apart = time.monotonic(), False
                    return True
        except LedgerUnavailableError as error:
            _LOG.warning("ledger away", extra={"reason": error.reason})
            return True
        else:
            return False
        finally:
            self._syncing.release()

    @contextmanager
    def public(self) -> Iterator[LedgerClient]:
        """The ledger, for what it shows to anybody: checkpoints and proofs.

        Raises:
            LedgerUnavailableError: it does not answer, or did not just now.
        """
        if self._is_away():
            raise LedgerUnavailableError(
                "the ledger did not answer just now", next_step="try again in a few seconds"
            )
        with self._ledger(httpx.Auth()) as client:
            yield client

    @contextmanager
    def _ledger(self, auth: httpx.Auth) -> Iterator[LedgerClient]:
        """The ledger; that it was away is remembered."""
        url, key = self._settings.ledger_url, self.ledger.log_key
        with LedgerClient(url, key, auth, within=LEDGER_SECONDS) as client:
            try:
                yield client
            except LedgerUnavailableError:
                self._failed = time.monotonic()
                raise

    def _is_fresh(self) -> bool:
        due = time.monotonic() - self._synced >= SYNC_SECONDS
        return not due and self.ledger.state.size > 0

    def _is_away(self) -> bool:
        return time.monotonic() - self._failed < SYNC_SECONDS

    def enrolled(self, account: Account) -> KeyDocument:
        """The newest key document of an account that counts in the ledger.

        Who is not found may have been enrolled a moment ago, so that another request's sync is
        waited for, as long as one answer of the ledger's may take.

        Raises:
            NotEnrolled: there is none.
        """
        if (found := self._enrolled(account)) is None:
            self.refresh(account, LEDGER_SECONDS, lambda: self._enrolled(account) is not None)
            found = self._enrolled(account)
        if found is None:
            raise self._not_enrolled()
        return found

    def enrolled_now(self, account: Account) -> KeyDocument:
        """The same, as the ledger has it now where it answers: before a signature counts.

        Raises:
            NotEnrolled: there is none, or no longer.
            ClocksApart: the ledger did not take the time of what was signed here.
        """
        if not self.refresh(account, LEDGER_SECONDS):
            raise NotEnrolled(
                "the ledger does not take your keys, or no longer",
                next_step="ask your information-governance lead, then make new ones on "
                "Your signing keys",
            )
        if self._apart:  # it answered, and what it holds of these keys by now is not known
            raise _clocks_apart()
        return self.enrolled(account)

    @contextmanager
    def hub(self, account: Account, within: float = HUB_SECONDS) -> Iterator[HubClient]:
        """The hub, as a person.

        Args:
            account: who asks.
            within: seconds for each question, all attempts together.

        Raises:
            NoHub, NotEnrolled: there is none, or the person may not speak to it yet.
        """
        if self._settings.hub_url is None:
            raise NoHub("this console knows no hub", next_step="set HEARTHLINK_CONSOLE_HUB_URL")
        thumbprint, key = self.signer(account)
        url, http = self._settings.hub_url, self._to_hub
        with HubClient(url, thumbprint, key, within=within, http=http) as client:
            yield client

    def signer(self, account: Account) -> tuple[str, SigningKey]:
        """By which keys a person's HTTP requests are signed.

        Raises:
            NotEnrolled: the ledger knows none.
        """
        return self._signer(account, self.enrolled(account))

    def key_for_new(self, account: Account) -> SigningKey:
        """The key for an account's next key document: one that the ledger has not revoked."""
        key = self._keys.signing(account)
        people = list(self.ledger.state.identities.people.values())  # another request may replay
        revoked = any(each.revoked and each.keys.signing == b64(key.public) for each in people)
        return self._keys.renew(account) if revoked else key

    def _signer(self, account: Account, document: KeyDocument) -> tuple[str, SigningKey]:
        keys = document.keys
        return keys.thumbprint, self._keys.signing_of(account, keys)

    def _enrolled(self, account: Account) -> KeyDocument | None:
        identities = self.ledger.state.identities
        for document in self._keys.documents(account):
            try:
                identities.person(document.keys.thumbprint)
            except SignatureError:
                continue
            return document
        return None

    def _not_enrolled(self) -> ConsoleError:
        return _clocks_apart() if self._apart else _not_enrolled()

    def _candidates(self, account: Account) -> list[KeyDocument]:
        """Key documents to ask the ledger with: the one that counts, or else each."""
        known = self._enrolled(account)
        return self._keys.documents(account) if known is None else [known]


def _clocks_apart() -> ClocksApart:
    return ClocksApart(
        "the clocks of this console and of the ledger are more than a minute apart",
        next_step="tell the people who run this console to set its clock",
    )


def _not_enrolled() -> NotEnrolled:
    return NotEnrolled(
        "your keys are not in the ledger yet",
        next_step=(
            "make your signing keys, then have your information-governance lead confirm them"
        ),
    )
