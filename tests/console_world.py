"""A console on loopback, with accounts that are signed in, for tests of its areas."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
from fastapi import FastAPI
from sqlalchemy import insert

from governance.canonical import utc_now, write_time
from governance.console.accounts import Account
from governance.console.app import create_app, init_console
from governance.console.console import Console
from governance.console.sessions import COOKIE, SignedIn
from governance.console.settings import ConsoleSettings
from governance.console.store import tables
from governance.identity.files import write_secret
from governance.identity.keys import SigningKey
from governance.identity.models import Role
from governance.ledger.note import KeyKind, VerifierKey
from tests.browsing import served
from tests.governance.world import Staff

OWN: Final = {"Sec-Fetch-Site": "same-origin"}
NOWHERE: Final = "http://127.0.0.1:9"


@dataclass
class ConsoleWorld:
    """A console that is served, and its parts."""

    origin: str
    home: Path
    console: Console
    app: FastAPI

    def account(self, role: Role, label: str = "Sam", staff: Staff | None = None) -> Account:
        """A new account.

        Args:
            role: what it may do.
            label: its name on pages.
            staff: whom the ledger knows, for calls to ledger and hub; the account is theirs.
        """
        if staff is None:
            return self.console.accounts.invite(role, label)[0]
        account = Account(
            id=staff.id,
            role=role,
            label=label,
            created=write_time(utc_now()),
            invited_by=None,
            closed=None,
        )
        with self.console.database.writing() as connection:
            connection.execute(insert(tables.account).values(**account.model_dump(mode="json")))
        folder = self.home / "keys"
        folder.mkdir(mode=0o700, exist_ok=True)
        write_secret(folder / f"{account.id}.1.secret", staff.signing.seed)
        self.console.keys.add(account, staff.published(), None)
        return account

    def session(self, account: Account) -> SignedIn:
        """A session of an account, without a browser."""
        with self.console.database.writing() as connection:
            token = self.console.sessions.begin(connection, account.id, utc_now())
            return SignedIn(account, token)

    def client(self, account: Account | None = None) -> httpx.Client:
        """An HTTP client that comes from the console's own pages, signed in or not."""
        cookies = {} if account is None else {COOKIE: self.session(account).token}
        return httpx.Client(base_url=self.origin, headers=OWN, cookies=cookies)

    def sign_in(self, page: Any, account: Account) -> None:
        """Give a browser's page a session of an account."""
        page.context.add_cookies(
            [
                {
                    "name": COOKIE,
                    "value": self.session(account).token,
                    "url": self.origin.replace("http:", "https:"),
                    "secure": True,
                    "httpOnly": True,
                    "sameSite": "Strict",
                }
            ]
        )


@contextmanager
def console_world(home: Path, **settings: Any) -> Iterator[ConsoleWorld]:
    """A console of the council, in an empty folder.

    Args:
        home: the folder.
        settings: other than these: a ledger and a hub that nobody can reach.
    """
    found: list[tuple[Console, FastAPI]] = []
    key = VerifierKey(
        "ledger.example.org/test", KeyKind.LOG, SigningKey(secrets.token_bytes(32)).public
    )

    def make(origin: str) -> Any:
        chosen = ConsoleSettings(
            **{
                "party": "council",
                "origin": origin,
                "ledger_url": NOWHERE,
                "ledger_key": str(key),
                "hub_url": NOWHERE,
                **settings,
            }
        )
        init_console(home, chosen)
        console = Console.open(home, chosen)
        guard = create_app(console)
        app = guard._app
        assert isinstance(app, FastAPI)
        found.append((console, app))
        return guard

    with served(make) as origin:
        yield ConsoleWorld(origin, home, *found[0])
