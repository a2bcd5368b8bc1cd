"""One console's parts, built when a home is opened, and handed to every view."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final, Self

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse

from governance.canonical import utc_now
from governance.console.accounts import Accounts
from governance.console.areas import AREAS, OWN, menu_of
from governance.console.audit import AuditLog
from governance.console.challenges import Challenges
from governance.console.enrolments import Enrolments
from governance.console.keys import KeyRing
from governance.console.openid import OpenIdProvider
from governance.console.outside import Outside
from governance.console.sessions import Sessions, SignedIn
from governance.console.settings import ConsoleSettings
from governance.console.signin import SignIn
from governance.console.store.database import ConsoleDatabase
from governance.console.subjects import Subjects
from governance.console.vouching import Vouched
from governance.oversight.copy import OverseenLedger
from governance.storage.database import sqlite_url
from governance.terminal import passphrase
from governance.ui.pages import Frame, Pages
from governance.ui.show import Link
from governance.ui.words import Words

_MIRROR: Final = "mirror.db"
_DATABASE: Final = "console.db"


@dataclass(frozen=True)
class Console:
    """One console's parts, as areas are given them."""

    settings: ConsoleSettings
    database: ConsoleDatabase
    accounts: Accounts
    sessions: Sessions
    audit: AuditLog
    challenges: Challenges
    signin: SignIn
    openid: OpenIdProvider | None
    subjects: Subjects
    keys: KeyRing
    enrolments: Enrolments
    vouched: Vouched
    outside: Outside
    pages: Pages
    now: Callable[[], datetime]

    @classmethod
    def open(
        cls,
        home: Path,
        settings: ConsoleSettings,
        now: Callable[[], datetime] = utc_now,
    ) -> Self:
        """The console of a home.

        Raises:
            ConsoleStoreError, SecretFileError: the home is not complete.
        """
        database = open_database(home, settings)
        keys = KeyRing(home, passphrase(settings.passphrase_file), settings.party, database, now)
        own = keys.own()
        ledger = OverseenLedger(
            home / _MIRROR, settings.ledger_url, settings.ledger_key, "console", own, now
        )
        accounts = Accounts(database, now)
        sessions = Sessions(database, now)
        audit = AuditLog(database, now)
        challenges = Challenges(own.seed, now)
        pages = Pages(
            AREAS,
            service="console.name",
            frame=lambda request: _frame(request, pages.words),
            language=settings.language,
        )
        return cls(
            settings=settings,
            database=database,
            accounts=accounts,
            sessions=sessions,
            audit=audit,
            challenges=challenges,
            openid=_provider(settings, own.seed, now),
            subjects=Subjects(database, accounts, sessions, audit, now),
            signin=SignIn(database, settings, challenges, accounts, sessions, audit, now),
            keys=keys,
            enrolments=Enrolments(home, settings.enrolments),
            vouched=Vouched(home),
            outside=Outside(settings, keys, ledger),
            pages=pages,
            now=now,
        )

    def close(self) -> None:
        """Close databases and connections."""
        self.outside.close()
        self.database.close()

    def page(
        self, request: Request, template: str, *, status: int = 200, **values: Any
    ) -> HTMLResponse:
        """See ``Pages.page``."""
        return self.pages.page(request, template, status=status, **values)


def _provider(
    settings: ConsoleSettings, key: bytes, now: Callable[[], datetime]
) -> OpenIdProvider | None:
    """The organisation's OpenID provider, where settings name one."""
    issuer, client = settings.openid_issuer, settings.openid_client
    secret = passphrase(settings.openid_secret_file)
    if issuer is None or client is None or secret is None:
        return None
    contexts = settings.openid_contexts
    return OpenIdProvider(issuer, client, secret.decode(), settings.origin, key, now, contexts)


def open_database(home: Path, settings: ConsoleSettings) -> ConsoleDatabase:
    """The console's database, readable by its owner only where it is a file.

    Raises:
        ConsoleStoreError: it cannot be opened.
    """
    if settings.database_url is not None:
        return ConsoleDatabase(settings.database_url)
    path = home / _DATABASE
    path.touch(mode=0o600, exist_ok=True)
    return ConsoleDatabase(sqlite_url(path))


def _console_of(request: Request) -> Console:
    console: Console = request.app.state.console
    return console


Use = Annotated[Console, Depends(_console_of)]
"""A view's parameter: the console that it is of."""


def _frame(request: Request, words: Words) -> Frame:
    """What stands around a page: who is signed in, and what they may open."""
    signed_in: SignedIn | None = getattr(request.state, "signed_in", None)
    if signed_in is None:
        return Frame()
    role = signed_in.account.role
    return Frame(
        navigation=[Link(words(entry.title), entry.path) for entry in menu_of(role)],
        own=[Link(words(entry.title), entry.path) for entry in OWN],
        who=signed_in.account.label,
        sign_out="/sign-out",
        csrf=signed_in.csrf,
    )
