"""Sessions: who is signed in.

Rules (OWASP ASVS 5.0, V7): a session's token is random, made anew at each sign-in, and kept as a
hash only; it ends after 30 minutes without a request, and after 8 hours in any case; signing out
ends it at once; people see their own and end them, and leads end a colleague's, by an id that opens
nothing; for ``RECENT`` after its person proved who they are it does what an open computer that
somebody else finds must not. Every form carries a token that follows from the session's and cannot
be turned back into it. The cookie is the browser's for this host alone, sent with nothing that
another site began, and not to be read by scripts.
"""

import hmac
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, delete, insert, select, update
from starlette.responses import Response

from governance.canonical import Frozen, Hex128, Time, parse_time, sha256, write_time
from governance.console.accounts import Account
from governance.console.errors import FormNotOurs
from governance.console.store import tables
from governance.console.store.database import ConsoleDatabase

COOKIE: Final = "__Host-console"
IDLE: Final = timedelta(minutes=30)
WHOLE: Final = timedelta(hours=8)
RECENT: Final = timedelta(minutes=10)
_NOTED: Final = timedelta(minutes=1)
"""How old the note of the last request may grow before it is written anew."""
_TOKEN_BYTES: Final = 32
_CSRF: Final = b"hearthlink/console-form/v1"


class SignedIn(NamedTuple):
    """Who makes a request, in which session, and whether they have just proved who they are."""

    account: Account
    token: str
    recent: bool = False

    @property
    def csrf(self) -> str:
        """What every form of this session carries."""
        return hmac.new(self.token.encode(), _CSRF, "sha256").hexdigest()

    def require_form(self, csrf: object) -> None:
        """Check that a form is of this session.

        Raises:
            FormNotOurs: it carries another token, or none.
        """
        if not (isinstance(csrf, str) and hmac.compare_digest(csrf.encode(), self.csrf.encode())):
            raise FormNotOurs(
                "this form is not from your present session",
                next_step="go back, load the page again, and send it once more",
            )


class OpenSession(Frozen):
    """A session as its own person sees it.

    Attributes:
        seen: when it was last used, to the minute.
        this: whether it is the one that asks.
    """

    id: Hex128
    started: Time
    seen: Time
    this: bool


class Sessions:
    """The sessions of one console."""

    def __init__(self, database: ConsoleDatabase, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    def begin(self, connection: Connection, account: str, authenticated: datetime | None) -> str:
        """A new session; its token is the caller's to hand to the browser.

        Args:
            connection: of the transaction that it belongs to.
            account: whose it is.
            authenticated: when they proved who they are; None where that is not known, so that
                they must do so again before what takes it.
        """
        now = self._now()
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        oldest = write_time(now - WHOLE)
        connection.execute(delete(tables.session).where(tables.session.c.started < oldest))
        connection.execute(
            insert(tables.session).values(
                token_hash=_hash(token),
                id=secrets.token_hex(16),
                account=account,
                started=write_time(now),
                seen=write_time(now),
                authenticated=None if authenticated is None else write_time(authenticated),
            )
        )
        return token

    def find(self, token: str) -> SignedIn | None:
        """Who is signed in by a token; None for nobody, or no longer."""
        statement = (
            select(
                tables.session.c.started,
                tables.session.c.seen,
                tables.session.c.authenticated,
                tables.account,
            )
            .join(tables.account, tables.account.c.id == tables.session.c.account)
            .where(tables.session.c.token_hash == _hash(token), tables.account.c.closed.is_(None))
        )
        with self._database.reading() as connection:
            row = connection.execute(statement).mappings().one_or_none()
        if row is None:
            return None
        now = self._now()
        if now >= parse_time(row["seen"]) + IDLE or now >= parse_time(row["started"]) + WHOLE:
            self.end(token)
            return None
        if now >= parse_time(row["seen"]) + _NOTED:
            self._note(token)
        account = Account(**{name: row[name] for name in Account.model_fields})
        proved = row["authenticated"]
        return SignedIn(account, token, proved is not None and now < parse_time(proved) + RECENT)

    def open(self, signed_in: SignedIn) -> list[OpenSession]:
        """The sessions of whoever is signed in: this one first, then by last use."""
        table = tables.session
        statement = (
            select(table)
            .where(table.c.account == signed_in.account.id, *_alive(self._now()))
            .order_by(table.c.seen.desc(), table.c.started.desc())
        )
        with self._database.reading() as connection:
            rows = connection.execute(statement).mappings().all()
        this = _hash(signed_in.token)
        found = [
            OpenSession(
                id=row["id"],
                started=row["started"],
                seen=row["seen"],
                this=row["token_hash"] == this,
            )
            for row in rows
        ]
        return sorted(found, key=lambda each: not each.this)

    def accounts(self) -> set[str]:
        """Whose sessions are open."""
        statement = select(tables.session.c.account).where(*_alive(self._now())).distinct()
        with self._database.reading() as connection:
            return set(connection.scalars(statement))

    def end(self, token: str) -> None:
        """End a session."""
        self._end(tables.session.c.token_hash == _hash(token))

    def end_one(self, account: str, id_: str) -> None:
        """End a session of an account; one that is over, or another's, is left as it is."""
        self._end(tables.session.c.account == account, tables.session.c.id == id_)

    def end_others(self, signed_in: SignedIn) -> None:
        """End every session of whoever is signed in, but this one."""
        table = tables.session
        self._end(
            table.c.account == signed_in.account.id, table.c.token_hash != _hash(signed_in.token)
        )

    def end_all(self, account: str) -> None:
        """End every session of an account."""
        self._end(tables.session.c.account == account)

    def _end(self, *which: ColumnElement[bool]) -> None:
        with self._database.writing() as connection:
            connection.execute(delete(tables.session).where(*which))

    def _note(self, token: str) -> None:
        with self._database.writing() as connection:
            connection.execute(
                update(tables.session)
                .where(tables.session.c.token_hash == _hash(token))
                .values(seen=write_time(self._now()))
            )


def hand_out(answer: Response, token: str) -> None:
    """Give a browser the token of its session."""
    answer.set_cookie(COOKIE, token, path="/", secure=True, httponly=True, samesite="strict")


def take_back(answer: Response) -> None:
    """Have a browser forget its session, and whatever else it keeps of this console."""
    answer.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="strict")
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'


def _hash(token: str) -> str:
    return sha256(token.encode("utf-8", "replace"))


def _alive(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Which sessions have not run out."""
    return (
        tables.session.c.seen > write_time(now - IDLE),
        tables.session.c.started > write_time(now - WHOLE),
    )
